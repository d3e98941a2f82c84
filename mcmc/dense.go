package mcmc

import (
	"errors"
	"fmt"

	"gonum.org/v1/gonum/blas/blas64"
	"gonum.org/v1/gonum/mat"
)

// Dense is a mass whose inverse is a full matrix. L is its Cholesky factor: d²/2 multiplications for each of the
// two products of a leapfrog step.
type Dense struct {
	n int
	l []float64 // rows of the lower triangle, concatenated
}

var _ Mass = (*Dense)(nil)

// NewDense returns the mass whose inverse is cov, ideally the covariance of the target.
func NewDense(cov mat.Symmetric) (*Dense, error) {
	if cov == nil {
		return nil, errors.New("mcmc: NewDense without a covariance")
	}
	var c mat.Cholesky
	if !c.Factorize(cov) {
		return nil, fmt.Errorf("mcmc: NewDense: a covariance of dimension %d that is not positive definite",
			cov.SymmetricDim())
	}
	var l mat.TriDense
	c.LTo(&l)
	return denseOf(&l), nil
}

func denseOf(l *mat.TriDense) *Dense {
	n, _ := l.Dims()
	m := &Dense{n: n, l: make([]float64, 0, n*(n+1)/2)}
	for i := range n {
		for j := range i + 1 {
			m.l = append(m.l, l.At(i, j))
		}
	}
	return m
}

// Dim returns d.
func (m *Dense) Dim() int { return m.n }

// Covariance returns M⁻¹ = L Lᵀ.
func (m *Dense) Covariance() *mat.SymDense {
	l := mat.NewTriDense(m.n, mat.Lower, nil)
	for i := range m.n {
		for j, v := range m.row(i).Data {
			l.SetTri(i, j, v)
		}
	}
	var c mat.Dense
	c.Mul(l, l.T())
	s := mat.NewSymDense(m.n, nil)
	for i := range m.n {
		for j := range i + 1 {
			s.SetSym(i, j, c.At(i, j))
		}
	}
	return s
}

// row returns row i of L up to the diagonal.
func (m *Dense) row(i int) blas64.Vector {
	at := i * (i + 1) / 2
	return blas64.Vector{N: i + 1, Inc: 1, Data: m.l[at : at+i+1]}
}

// Mul stores L z in dst.
func (m *Dense) Mul(dst, z []float64) {
	for i := range m.n {
		dst[i] = blas64.Dot(m.row(i), blas64.Vector{N: i + 1, Inc: 1, Data: z})
	}
}

// MulT stores Lᵀ g in dst.
func (m *Dense) MulT(dst, g []float64) {
	clear(dst[:m.n])
	for i := range m.n {
		blas64.Axpy(g[i], m.row(i), blas64.Vector{N: i + 1, Inc: 1, Data: dst})
	}
}

// Solve stores L⁻¹ x in dst, by forward substitution.
func (m *Dense) Solve(dst, x []float64) {
	for i := range m.n {
		r := m.row(i)
		before := blas64.Dot(blas64.Vector{N: i, Inc: 1, Data: r.Data}, blas64.Vector{N: i, Inc: 1, Data: dst})
		dst[i] = (x[i] - before) / r.Data[i]
	}
}

// Validate reports an invalid factor.
func (m *Dense) Validate() error {
	if m == nil || m.n == 0 || len(m.l) != m.n*(m.n+1)/2 {
		return errors.New("mcmc: an empty Dense, want one of NewDense")
	}
	if !finite(m.l) {
		return errors.New("mcmc: Dense has entries that are not finite")
	}
	for i := range m.n {
		if !(m.row(i).Data[i] > 0) {
			return fmt.Errorf("mcmc: Dense is singular in coordinate %d", i)
		}
	}
	return nil
}

// String names the kind.
func (m *Dense) String() string { return "dense mass" }
