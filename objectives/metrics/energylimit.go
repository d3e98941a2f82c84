package metrics

import (
	"math"

	"gonum.org/v1/gonum/mat"
	"gonum.org/v1/gonum/stat/distuv"
)

// FalseAlarms is the rate at which the energy distance of draws of the truth exceeds Floor.EnergyLimit.
const FalseAlarms = 1e-3

// limit fills in Floor.EnergyLimit. The samples count for as many as there are effective ones, and points of a file,
// from which the reference is drawn, vary as a sample of the truth themselves.
func (s *SampleReport) limit(in Input, reference *mat.Dense) {
	if !(s.Floor.EnergyDistance > 0) {
		return
	}
	n, _ := head(reference).Dims()
	own := float64(n)
	if s.ESS > 0 {
		own = math.Min(own, float64(s.ESS))
	}
	shares := 1/own + 1/float64(n)
	if points, ok := in.Truth.(interface{ Len() int }); ok {
		shares += 1 / float64(points.Len())
	}
	mean := float64(s.Floor.EnergyDistance*s.Floor.EnergyDistance) * float64(n) / 2 // E|X−X'|
	s.Floor.EnergyLimit = Value(math.Sqrt(shares * mean * nullQuantile(reference, FalseAlarms)))
}

// nullQuantile returns what Q exceeds at the given rate, in units of its mean. The square of the energy distance of two
// sets of n and m draws from one distribution is distributed like
//
//	(1/n + 1/m) Q,   Q = Σ λ_k Z_k²,   Z_k independent N(0, 1),
//
// with λ the eigenvalues of the distance centred in both arguments,
//
//	h(x,y) = E|x−X| + E|X−y| − E|X−X'| − |x−y|,
//
// whose sum is E|X−X'|: of distant modes one is much larger than the others, and the quantile at 1/1000 is 10.8, the
// root of which is 3.3 floors; of many alike it is near 1. Q is approximated by a shifted χ² with its first three
// cumulants,
//
//	Q ≈ S₁ + a (χ²_ν − ν),   a = S₃/S₂,   ν = S₂³/S₃²,   S_j = Σ λ_k^j.
//
// Székely and Rizzo, Energy statistics, J. Stat. Plan. Inference 143 (2013), section 5; Imhof, Computing the
// distribution of quadratic forms in normal variables, Biometrika 48 (1961), section 4, after Pearson.
func nullQuantile(x *mat.Dense, rate float64) float64 {
	const most = 300 // rows, which tell the shape; the mean is known from all
	n, d := x.Dims()
	n = min(n, most)
	h, means, mean := mat.NewDense(n, n, nil), make([]float64, n), 0.0
	for i := range n {
		for j := range n {
			r2 := 0.0
			for k := range d {
				r2 += (x.At(i, k) - x.At(j, k)) * (x.At(i, k) - x.At(j, k))
			}
			h.Set(i, j, -math.Sqrt(r2))
			means[i] += math.Sqrt(r2) / float64(n)
		}
		mean += means[i] / float64(n)
	}
	h.Apply(func(i, j int, v float64) float64 { return (v + means[i] + means[j] - mean) / float64(n) }, h)
	var square, cube mat.Dense
	square.Mul(h, h)
	cube.Mul(&square, h)
	s1, s2, s3 := mat.Trace(h), mat.Trace(&square), mat.Trace(&cube)
	a, nu := s3/s2, s2*s2*s2/(s3*s3)
	return 1 + a/s1*(distuv.ChiSquared{K: nu}.Quantile(1-rate)-nu)
}
