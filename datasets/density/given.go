package density

import (
	"fmt"
	"math"
	"slices"

	"gonum.org/v1/gonum/mat"
)

// Given returns the conditional density of the other coordinates, in their order, given the values of those with the
// indices known, from 0. For every component, with (known, free) blocks of the L of the covariance in that order,
//
//	μ = μ_f + L_fk L_kk⁻¹ (v - μ_k),   Σ = L_ff L_ffᵀ,   w ∝ w N(v; μ_k, L_kk L_kkᵀ).
//
// It is an error if no coordinate is free, or if the values have no weight under any component.
func (m *Mixture) Given(known []int, values []float64) (*Mixture, error) {
	rest, _, err := m.given(known, values, nil)
	return rest, err
}

// given also returns the indices of the components that are left, those of some weight. What logExtra has for a
// component is added to the logarithm of its weight: a Mixed passes the probabilities of discrete values that are
// known.
func (m *Mixture) given(known []int, values, logExtra []float64) (rest *Mixture, kept []int, err error) {
	d := m.p.Dim
	if len(known) != len(values) || len(known) == 0 || len(known) >= d {
		return nil, nil, fmt.Errorf("density: %d values for %d known coordinates of %d; at least one is to be known, "+
			"and one free", len(values), len(known), d)
	}
	order := slices.Clone(known)
	for j := range d {
		if !slices.Contains(known, j) {
			order = append(order, j)
		}
	}
	if len(order) != d {
		return nil, nil, fmt.Errorf("density: known coordinates %v, want different ones of 0 to %d", known, d-1)
	}
	for i, v := range values {
		if math.IsNaN(v) || math.IsInf(v, 0) {
			return nil, nil, fmt.Errorf("density: coordinate %d is given as %g, want a finite number", known[i], v)
		}
	}
	nk, w := len(known), m.Weights()
	nf := d - nk
	p := Parameters{Dim: nf, Covariance: Full}
	logw := make([]float64, len(w))
	for k := range w {
		mean, l, err := m.reordered(k, order)
		if err != nil {
			return nil, nil, err
		}
		logw[k] = math.Log(w[k])
		if logExtra != nil {
			logw[k] += logExtra[k]
		}
		z := make([]float64, nk) // L_kk⁻¹ (v - μ_k)
		for i := range nk {
			z[i] = values[i] - mean[i]
			for j := range i {
				z[i] -= l.At(i, j) * z[j]
			}
			z[i] /= l.At(i, i)
			logw[k] -= 0.5*z[i]*z[i] + math.Log(l.At(i, i))
		}
		for i := range nf {
			v := mean[nk+i]
			for j, c := range z {
				v += l.At(nk+i, j) * c
			}
			p.Means = append(p.Means, v)
			for j := range nf {
				p.Factors = append(p.Factors, l.At(nk+i, nk+j))
			}
		}
	}
	return p.weighed(logw)
}

// reordered returns the mean of component k and the root of its covariance, of the given coordinates in this order.
func (m *Mixture) reordered(k int, order []int) (mean []float64, l *mat.TriDense, err error) {
	d := len(order)
	own, cov := m.CovarianceOf(k), mat.NewSymDense(d, nil)
	for a, i := range order {
		mean = append(mean, m.p.Means[k*m.p.Dim+i])
		for b, j := range order {
			cov.SetSym(a, b, own.At(i, j))
		}
	}
	var chol mat.Cholesky
	if !chol.Factorize(cov) {
		return nil, nil, &SingularError{}
	}
	l = new(mat.TriDense)
	chol.LTo(l)
	return mean, l, nil
}

// weighed returns the mixture, and the numbers, of the components whose weights, given as logarithms, are not
// negligible beside the largest.
func (p Parameters) weighed(logw []float64) (m *Mixture, of []int, err error) {
	const least = -700
	top := slices.Max(logw)
	if math.IsNaN(top) || math.IsInf(top, 0) {
		return nil, nil, fmt.Errorf("density: the given values are further from every component than numbers reach")
	}
	d := p.Dim
	kept := Parameters{Dim: d, Covariance: Full}
	for k, v := range logw {
		if v-top < least {
			continue
		}
		of = append(of, k)
		kept.Weights = append(kept.Weights, math.Exp(v-top))
		kept.Means = append(kept.Means, p.Means[k*d:(k+1)*d]...)
		kept.Factors = append(kept.Factors, p.Factors[k*d*d:(k+1)*d*d]...)
	}
	m, err = NewMixture(kept)
	return m, of, err
}
