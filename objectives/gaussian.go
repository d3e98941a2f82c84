package objectives

import (
	"errors"
	"math"
	"math/rand/v2"

	"gonum.org/v1/gonum/mat"

	"github.com/stheno-ebm/stheno/energy"
)

// Gaussian is N(μ, LLᵀ).
type Gaussian struct {
	mean []float64
	l    *mat.TriDense
	logc float64 // -d/2 log 2π - log det L
}

var _ Noise = (*Gaussian)(nil)

// FitGaussian returns the Gaussian with the mean of the data and scale² times their covariance.
func FitGaussian(data *mat.Dense, scale float64) (*Gaussian, error) {
	n, d := data.Dims()
	mean, _ := energy.Moments(data)
	cov := mat.NewSymDense(d, nil)
	for i := range n {
		row := data.RawRowView(i)
		for a := range d {
			for b := a; b < d; b++ {
				cov.SetSym(a, b, cov.At(a, b)+scale*scale*(row[a]-mean[a])*(row[b]-mean[b])/float64(n))
			}
		}
	}
	return NewGaussian(mean, cov)
}

// NewGaussian returns N(mean, cov).
func NewGaussian(mean []float64, cov mat.Symmetric) (*Gaussian, error) {
	var chol mat.Cholesky
	if !chol.Factorize(cov) || !(correlationCond(cov) <= 1e12) {
		return nil, errors.New("objectives: gaussian noise: the covariance is singular; the data lie in a plane or " +
			"repeat one point")
	}
	d := len(mean)
	g := &Gaussian{mean: append([]float64(nil), mean...), l: mat.NewTriDense(d, mat.Lower, nil)}
	chol.LTo(g.l)
	g.logc = -0.5 * (float64(d)*math.Log(2*math.Pi) + chol.LogDet())
	return g, nil
}

// correlationCond is the condition of the correlations of cov, which unlike its own does not depend on the units of
// the coordinates. It is infinite where they are singular.
func correlationCond(cov mat.Symmetric) float64 {
	d := cov.SymmetricDim()
	r := mat.NewSymDense(d, nil)
	for a := range d {
		for b := a; b < d; b++ {
			r.SetSym(a, b, cov.At(a, b)/math.Sqrt(cov.At(a, a))/math.Sqrt(cov.At(b, b)))
		}
	}
	var chol mat.Cholesky
	if !chol.Factorize(r) {
		return math.Inf(1)
	}
	return chol.Cond()
}

// around returns N(mean of the data, sd² I).
func around(data *mat.Dense, sd float64) (*Gaussian, error) {
	mean, _ := energy.Moments(data)
	g, err := Isotropic(len(mean), sd)
	if err == nil {
		g.mean = mean
	}
	return g, err
}

// Isotropic returns N(0, sd² I) in d dimensions.
func Isotropic(d int, sd float64) (*Gaussian, error) {
	cov := mat.NewSymDense(d, nil)
	for i := range d {
		cov.SetSym(i, i, sd*sd)
	}
	return NewGaussian(make([]float64, d), cov)
}

// Sample draws μ + Lξ.
func (g *Gaussian) Sample(dst *mat.Dense, rng *rand.Rand) {
	n, d := dst.Dims()
	for i := range n {
		row := dst.RawRowView(i)
		for j := range row {
			row[j] = rng.NormFloat64()
		}
		for j := d - 1; j >= 0; j-- { // in place: the coordinates before j are ξ still
			v := g.mean[j]
			for k := range j + 1 {
				v += g.l.At(j, k) * row[k]
			}
			row[j] = v
		}
	}
}

// LogProb stores the log density.
func (g *Gaussian) LogProb(dst []float64, x *mat.Dense) {
	d := len(g.mean)
	s := scratches.get()
	defer scratches.put(s)
	buf := s.numbers(d)
	for i := range dst {
		row := x.RawRowView(i)
		var sq float64
		for j := range d { // L z = x - μ
			z := row[j] - g.mean[j]
			for k := range j {
				z -= g.l.At(j, k) * buf[k]
			}
			z /= g.l.At(j, j)
			buf[j] = z
			sq += z * z
		}
		dst[i] = g.logc - 0.5*sq
	}
}
