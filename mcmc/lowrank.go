package mcmc

import (
	"errors"
	"fmt"
	"math"

	"gonum.org/v1/gonum/blas/blas64"
	"gonum.org/v1/gonum/mat"
)

// LowRank is a mass for many dimensions with few correlated directions:
//
//	M⁻¹ = D (I + U (Λ - I) Uᵀ) D,   L = D (I + U (√Λ - I) Uᵀ),
//
// with D diagonal, U of k orthonormal columns, and Λ the variances along these once every coordinate is scaled by D.
// The products of a leapfrog step cost 2dk multiplications each.
type LowRank struct {
	scale []float64 // D
	u     []float64 // k×d: columns of U as rows
	s     []float64 // √λ - 1
}

var _ Mass = (*LowRank)(nil)

// NewLowRank returns the mass with scales D, directions U (d×k, orthonormal columns) and variances λ along them.
func NewLowRank(scale []float64, u *mat.Dense, lambda []float64) (*LowRank, error) {
	if u == nil {
		return nil, fmt.Errorf("mcmc: NewLowRank without directions; of no axis it is Diagonal")
	}
	d, k := u.Dims()
	if d != len(scale) || k != len(lambda) {
		return nil, fmt.Errorf("mcmc: NewLowRank: %d scales, %d×%d directions and %d variances", len(scale), d, k,
			len(lambda))
	}
	m := &LowRank{scale: append([]float64(nil), scale...), u: make([]float64, k*d), s: make([]float64, k)}
	for c, v := range lambda {
		if !(v > 0) || math.IsInf(v, 1) {
			return nil, fmt.Errorf("mcmc: NewLowRank: variance %d is %g, want > 0", c, v)
		}
		m.s[c] = math.Sqrt(v) - 1
		mat.Col(m.u[c*d:c*d+d], c, u)
	}
	var g mat.Dense
	g.Mul(u.T(), u)
	for a := range k {
		for b := range k {
			want := 0.0
			if a == b {
				want = 1
			}
			if math.Abs(g.At(a, b)-want) > 1e-8 {
				return nil, fmt.Errorf(
					"mcmc: NewLowRank: directions %d and %d are not orthonormal: their product is %g", a, b, g.At(a, b))
			}
		}
	}
	return m, m.Validate()
}

// Dim returns d.
func (m *LowRank) Dim() int { return len(m.scale) }

// Rank returns k.
func (m *LowRank) Rank() int { return len(m.s) }

// stretch is v ← (I + U S Uᵀ) v, S = √Λ - I or that of the inverse, direction by direction: they are orthogonal and do
// not interfere.
func (m *LowRank) stretch(v []float64, inverse bool) {
	d := len(m.scale)
	x := blas64.Vector{N: d, Inc: 1, Data: v}
	for c, s := range m.s {
		u := blas64.Vector{N: d, Inc: 1, Data: m.u[c*d : c*d+d]}
		if inverse {
			s = 1/(1+s) - 1
		}
		blas64.Axpy(s*blas64.Dot(u, x), u, x)
	}
}

// Mul stores L z in dst.
func (m *LowRank) Mul(dst, z []float64) {
	dst = dst[:len(m.scale)]
	copy(dst, z)
	m.stretch(dst, false)
	for j, s := range m.scale {
		dst[j] *= s
	}
}

// MulT stores Lᵀ g in dst.
func (m *LowRank) MulT(dst, g []float64) {
	dst = dst[:len(m.scale)]
	for j, s := range m.scale {
		dst[j] = s * g[j]
	}
	m.stretch(dst, false)
}

// Solve stores L⁻¹ x in dst.
func (m *LowRank) Solve(dst, x []float64) {
	dst = dst[:len(m.scale)]
	for j, s := range m.scale {
		dst[j] = x[j] / s
	}
	m.stretch(dst, true)
}

// Validate reports scales that are not positive.
func (m *LowRank) Validate() error {
	if m == nil || len(m.scale) == 0 {
		return errors.New("mcmc: an empty LowRank, want one of NewLowRank")
	}
	return Diagonal(m.scale).Validate()
}

// String names the kind.
func (m *LowRank) String() string { return fmt.Sprintf("mass of rank %d and diagonal", m.Rank()) }
