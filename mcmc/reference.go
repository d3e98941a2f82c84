package mcmc

import (
	"math"
	"math/rand/v2"

	"gonum.org/v1/gonum/mat"
)

// Reference is a normalised density exp(-E₀) with exact draws: the hot end of a path to the target. Gaussian and
// *density.Mixture implement it.
type Reference interface {
	Dim() int

	// EnergyAt returns E₀(x), with ∫exp(-E₀) = 1, and stores ∇E₀(x) in grad unless that is nil.
	EnergyAt(grad, x []float64) float64

	// Sample fills the rows of dst with independent draws.
	Sample(dst *mat.Dense, rng *rand.Rand)
}

var _ Reference = (*Gaussian)(nil)

// checkReference validates a reference that has a Validate method.
func checkReference(r Reference) error {
	if v, ok := r.(interface{ Validate() error }); ok {
		return v.Validate()
	}
	return nil
}

// Gaussian is a normal distribution with a diagonal covariance.
type Gaussian struct {
	Mean []float64 // length d
	Std  []float64 // length d, > 0
}

// Dim returns d.
func (g *Gaussian) Dim() int { return len(g.Mean) }

// EnergyAt returns E₀(x) = Σ ½((x-μ)/σ)² + log σ + ½ log 2π and its gradient.
func (g *Gaussian) EnergyAt(grad, x []float64) float64 { return g.energyAt(grad, x, nil) }

// energyAt is EnergyAt with log σ, or nil. These logarithms are more than half of its work.
func (g *Gaussian) energyAt(grad, x, logStd []float64) float64 {
	var e float64
	for j, v := range x {
		z := (v - g.Mean[j]) / g.Std[j]
		var l float64
		if logStd != nil {
			l = logStd[j]
		} else {
			l = math.Log(g.Std[j])
		}
		e += z*z/2 + l
		if grad != nil {
			grad[j] = z / g.Std[j]
		}
	}
	return e + float64(len(x))*math.Log(2*math.Pi)/2
}

// logStd stores log σ in dst, as far as that has room.
func (g *Gaussian) logStd(dst []float64) []float64 {
	dst = dst[:0]
	for _, v := range g.Std {
		dst = append(dst, math.Log(v))
	}
	return dst
}

// Sample fills the rows of dst.
func (g *Gaussian) Sample(dst *mat.Dense, rng *rand.Rand) {
	n, _ := dst.Dims()
	for i := range n {
		x := dst.RawRowView(i)
		for j := range x {
			x[j] = g.Mean[j] + g.Std[j]*rng.NormFloat64()
		}
	}
}

// Validate reports a standard deviation that is not positive, or lengths that differ.
func (g *Gaussian) Validate() error {
	if err := check(len(g.Mean) == len(g.Std), "mcmc: Gaussian: %d means but %d standard deviations", len(g.Mean),
		len(g.Std)); err != nil {
		return err
	}
	for j, v := range g.Std {
		if err := check(v > 0 && !math.IsInf(v, 1), "mcmc: Gaussian.Std[%d] = %g, want > 0", j, v); err != nil {
			return err
		}
	}
	return nil
}

// FitGaussian returns the mean of the rows of x and their standard deviations times widen.
func FitGaussian(x *mat.Dense, widen float64) *Gaussian {
	n, d := x.Dims()
	g := &Gaussian{Mean: make([]float64, d), Std: make([]float64, d)}
	var v variance
	v.init(d)
	for i := range n {
		v.add(x.RawRowView(i))
	}
	copy(g.Mean, v.mean)
	for j := range g.Std {
		g.Std[j] = widen * math.Sqrt(v.m2[j]/max(1, v.n-1))
		if g.Std[j] == 0 {
			g.Std[j] = widen
		}
	}
	return g
}
