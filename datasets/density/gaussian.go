package density

import (
	"fmt"
	"math"
	"slices"

	"gonum.org/v1/gonum/mat"
)

// Gaussian is N(μ, LLᵀ), a mixture of one component.
type Gaussian struct{ Mixture }

var (
	_ Density = (*Gaussian)(nil)
	_ Scorer  = (*Gaussian)(nil)
)

// singular is the condition number of the correlations from which a covariance counts as singular. Unlike that of the
// covariance, it does not depend on the units of the coordinates.
const singular = 1e12

// NewGaussian returns N(mean, cov).
func NewGaussian(mean []float64, cov mat.Symmetric) (*Gaussian, error) {
	d := len(mean)
	if cov.SymmetricDim() != d {
		return nil, fmt.Errorf("density: a mean of %d coordinates with a covariance of %d", d, cov.SymmetricDim())
	}
	sd := make([]float64, d)
	for j := range sd {
		if sd[j] = math.Sqrt(cov.At(j, j)); !positive(sd[j]) {
			return nil, fmt.Errorf("density: variance %d of a Gaussian is %g, want > 0", j+1, cov.At(j, j))
		}
	}
	r := mat.NewSymDense(d, nil)
	for a := range d {
		for b := range a + 1 {
			r.SetSym(a, b, cov.At(a, b)/sd[a]/sd[b])
		}
	}
	return fromCorrelations(mean, sd, r)
}

// fromCorrelations returns the Gaussian with these standard deviations and correlations.
func fromCorrelations(mean, sd []float64, r mat.Symmetric) (*Gaussian, error) {
	d := len(mean)
	var chol mat.Cholesky
	if !chol.Factorize(r) || !(chol.Cond() <= singular) {
		return nil, &SingularError{}
	}
	var l mat.TriDense
	chol.LTo(&l)
	p := Parameters{Dim: d, Covariance: Full, Weights: []float64{1}, Means: slices.Clone(mean),
		Factors: make([]float64, d*d)}
	for a := range d {
		for b := range a + 1 {
			p.Factors[a*d+b] = sd[a] * l.At(a, b)
		}
	}
	m, err := NewMixture(p)
	if err != nil {
		return nil, err
	}
	return &Gaussian{*m}, nil
}

// NewIsotropic returns N(mean, sd² I).
func NewIsotropic(mean []float64, sd float64) (*Gaussian, error) {
	m, err := NewMixture(Parameters{
		Dim: len(mean), Covariance: Spherical, Weights: []float64{1}, Means: mean, Factors: []float64{sd},
	})
	if err != nil {
		return nil, err
	}
	return &Gaussian{*m}, nil
}

// FitGaussian returns the Gaussian with the mean of the rows of x and widen² times their covariance (the maximum
// likelihood estimate, with 1/n). The error is a *SingularError if the rows are all equal or lie in a plane.
func FitGaussian(x *mat.Dense, widen float64) (*Gaussian, error) {
	if err := checkPoints(x); err != nil {
		return nil, err
	}
	if !positive(widen) {
		return nil, fmt.Errorf("density: a Gaussian widened by %g, want > 0", widen)
	}
	z, u, err := standardise(x)
	if err != nil {
		return nil, err
	}
	for j := range u.sd {
		u.sd[j] *= widen
	}
	g, err := fromCorrelations(u.mean, u.sd, moment(z))
	if e, ok := err.(*SingularError); ok {
		e.Points, _ = x.Dims()
	}
	return g, err
}

// moment returns zᵀz/n.
func moment(z *mat.Dense) *mat.SymDense {
	n, _ := z.Dims()
	var c mat.SymDense
	c.SymOuterK(1/float64(n), z.T())
	return &c
}

// Mean returns μ.
func (g *Gaussian) Mean() []float64 { return slices.Clone(g.p.Means) }

// Covariance returns LLᵀ.
func (g *Gaussian) Covariance() *mat.SymDense { return g.CovarianceOf(0) }

// Entropy returns -E log p = d/2 (1 + log 2π) + log det L.
func (g *Gaussian) Entropy() float64 { return float64(g.p.Dim)/2 - g.logw[0] }
