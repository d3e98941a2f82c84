package datasets

import (
	"errors"
	"fmt"
	"math"
	"slices"

	"gonum.org/v1/gonum/mat"

	"github.com/stheno-ebm/stheno/datasets/density"
	"github.com/stheno-ebm/stheno/datasets/internal/batch"
)

// GaussianMixture is Σ_k w_k N(μ_k, σ_k² I) in any dimension.
type GaussianMixture struct {
	*density.Mixture
	means   []float64 // (k, dim), row-major
	sds     []float64
	entropy float64
	lo, hi  []float64
}

var (
	_ Distribution = (*GaussianMixture)(nil)
	_ Entropic     = (*GaussianMixture)(nil)
	_ Modal        = (*GaussianMixture)(nil)
	_ Unnormalized = (*GaussianMixture)(nil)
)

// NewGaussianMixture returns the mixture with the given weights (which are divided by their sum), means, one per row,
// and standard deviations.
//
// The entropy reported is that of non-overlapping components, Σ w_k (d/2 log 2πe σ_k² − log w_k), an upper bound: for
// two of equal weight it is too large by 9e-5 if the centres are eight standard deviations apart, 9e-7 for ten, 3e-9
// for twelve.
func NewGaussianMixture(weights []float64, means *mat.Dense, sds []float64) (*GaussianMixture, error) {
	k, d := means.Dims()
	if k == 0 {
		return nil, errors.New("datasets: a mixture has no means")
	}
	if len(weights) != k || len(sds) != k {
		return nil, fmt.Errorf("datasets: a mixture of %d means has %d weights and %d standard deviations", k,
			len(weights), len(sds))
	}
	means = mat.DenseCopyOf(means)
	q, err := density.NewMixture(density.Parameters{
		Dim: d, Covariance: density.Spherical, Weights: weights, Means: means.RawMatrix().Data, Factors: sds,
	})
	if err != nil {
		return nil, fmt.Errorf("datasets: %w", err)
	}
	m := &GaussianMixture{
		Mixture: q,
		means:   means.RawMatrix().Data,
		sds:     append([]float64(nil), sds...),
		lo:      slices.Repeat([]float64{math.Inf(1)}, d),
		hi:      slices.Repeat([]float64{math.Inf(-1)}, d),
	}
	const reach = 6 // sd: 2e-9 of the mass lies beyond on each axis
	for i, w := range q.Weights() {
		m.entropy += w * (float64(d)/2*(1+math.Log(2*math.Pi*sds[i]*sds[i])) - math.Log(w))
		for j := range d {
			mu := m.means[i*d+j]
			m.lo[j], m.hi[j] = min(m.lo[j], mu-reach*sds[i]), max(m.hi[j], mu+reach*sds[i])
		}
	}
	return m, nil
}

// mustMixture builds one of the package's own mixtures.
func mustMixture(weights []float64, means *mat.Dense, sd float64) *GaussianMixture {
	m, err := NewGaussianMixture(weights, means, slices.Repeat([]float64{sd}, len(weights)))
	if err != nil {
		panic(err)
	}
	return m
}

// bounded replaces the bounds by [−r, r]^d.
func (m *GaussianMixture) bounded(r float64) *GaussianMixture {
	for j := range m.lo {
		m.lo[j], m.hi[j] = -r, r
	}
	return m
}

// Entropy returns −E log p, taking components as non-overlapping.
func (m *GaussianMixture) Entropy() float64 { return m.entropy }

func (m *GaussianMixture) Bounds() (lo, hi []float64) {
	return append([]float64(nil), m.lo...), append([]float64(nil), m.hi...)
}

func (m *GaussianMixture) Modes() (centres *mat.Dense, weights []float64) {
	return m.Means(), m.Weights()
}

// AssignMode returns the component that x most likely belongs to.
func (m *GaussianMixture) AssignMode(x []float64) int {
	if len(x) != m.Dim() {
		panic(batch.BadDim)
	}
	return m.Likeliest(x)
}

// Energy stores −log p(x_i) − LogZ().
func (m *GaussianMixture) Energy(dst []float64, x *mat.Dense) {
	m.LogProb(dst, x)
	z := m.LogZ()
	for i := range dst {
		dst[i] = -dst[i] - z
	}
}

// LogZ returns the log partition function of Energy, which is that of exp(−|x−μ₀|²/2σ₀²): (d/2) log 2πσ₀².
func (m *GaussianMixture) LogZ() float64 {
	return float64(m.Dim()) / 2 * math.Log(2*math.Pi*m.sds[0]*m.sds[0])
}
