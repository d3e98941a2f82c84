package mcmc

import (
	"fmt"
	"math"
)

// Mass is the mass M of Hamiltonian dynamics, given by a factor L of its inverse:
//
//	M⁻¹ = L Lᵀ.
//
// The dynamics need nothing else. In terms of the momentum q = Lᵀp, which is N(0, I) when p is N(0, M), a leapfrog step
// is
//
//	q ← q - ½ε Lᵀ∇E(x),   x ← x + ε L q,   q ← q - ½ε Lᵀ∇E(x),
//
// the kinetic energy is ½|q|², and M⁻¹p·ρ is a plain scalar product. These are the dynamics of unit mass on z = L⁻¹x:
// the best M⁻¹ is the covariance of the target, for which z has unit variances and no correlations.
//
// A Mass is used by several goroutines at once and must not change.
type Mass interface {
	Dim() int
	Mul(dst, z []float64)   // dst ← L z; the slices do not overlap
	MulT(dst, g []float64)  // dst ← Lᵀ g; the slices do not overlap
	Solve(dst, x []float64) // dst ← L⁻¹ x; dst may be x
	Validate() error
}

// Diagonal is a mass whose L is diagonal. The best entries are the standard deviations of the target.
type Diagonal []float64

var _ Mass = Diagonal(nil)

// Variances returns the Diagonal of M⁻¹ = diag(v).
func Variances(v ...float64) Diagonal {
	m := make(Diagonal, len(v))
	for j, a := range v {
		m[j] = math.Sqrt(a)
	}
	return m
}

// Dim returns d.
func (m Diagonal) Dim() int { return len(m) }

// Mul stores L z in dst.
func (m Diagonal) Mul(dst, z []float64) {
	dst, z = dst[:len(m)], z[:len(m)]
	for j, s := range m {
		dst[j] = s * z[j]
	}
}

// MulT is Mul.
func (m Diagonal) MulT(dst, g []float64) { m.Mul(dst, g) }

// Solve stores L⁻¹ x in dst.
func (m Diagonal) Solve(dst, x []float64) {
	for j, s := range m {
		dst[j] = x[j] / s
	}
}

// Validate reports entries that are not positive.
func (m Diagonal) Validate() error {
	for j, v := range m {
		if !(v > 0) || math.IsInf(v, 1) {
			return fmt.Errorf("mcmc: Diagonal[%d] = %g, want > 0", j, v)
		}
	}
	return nil
}

// String names the kind.
func (m Diagonal) String() string { return "diagonal mass" }

// checkMass reports what is wrong with the mass of a kernel.
func checkMass(kernel string, m Mass) error {
	if m == nil {
		return nil
	}
	if err := m.Validate(); err != nil {
		return fmt.Errorf("mcmc: %s.Mass: %w", kernel, err)
	}
	return nil
}
