package datasets

import (
	"errors"
	"fmt"
	"math"
	"math/rand/v2"

	"gonum.org/v1/gonum/mat"
)

// GaussianMixture is Σ_k w_k N(μ_k, σ_k² I) in any dimension.
type GaussianMixture struct {
	dim     int
	weights []float64
	means   []float64 // (k, dim), row-major
	sds     []float64
	logc    []float64 // log w_k − d log σ_k − d/2 log 2π
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
// The entropy that it reports is that of components which do not overlap, Σ w_k (d/2 log 2πe σ_k² − log w_k), an upper
// bound: too large, of two of equal weight, by 9e-5 when the centres are eight standard deviations apart, by 9e-7 when ten,
// by 3e-9 when twelve.
func NewGaussianMixture(weights []float64, means *mat.Dense, sds []float64) (*GaussianMixture, error) {
	k, d := means.Dims()
	if k == 0 {
		return nil, errors.New("datasets: a mixture without means")
	}
	if len(weights) != k || len(sds) != k {
		return nil, fmt.Errorf("datasets: a mixture of %d means has %d weights and %d standard deviations", k, len(weights), len(sds))
	}
	var total float64
	for i := range k {
		if !(weights[i] > 0) || math.IsInf(weights[i], 0) {
			return nil, fmt.Errorf("datasets: weight %d of a mixture is %g, want > 0", i, weights[i])
		}
		if !(sds[i] > 0) || math.IsInf(sds[i], 0) {
			return nil, fmt.Errorf("datasets: standard deviation %d of a mixture is %g, want > 0", i, sds[i])
		}
		total += weights[i]
	}
	for _, v := range mat.DenseCopyOf(means).RawMatrix().Data {
		if math.IsNaN(v) || math.IsInf(v, 0) {
			return nil, errors.New("datasets: a mean of a mixture is not finite")
		}
	}
	m := &GaussianMixture{
		dim:     d,
		weights: make([]float64, k),
		means:   mat.DenseCopyOf(means).RawMatrix().Data,
		sds:     append([]float64(nil), sds...),
		logc:    make([]float64, k),
		lo:      make([]float64, d),
		hi:      make([]float64, d),
	}
	const reach = 6 // sd: 2e-9 of the mass lies beyond on each axis
	for i := range k {
		w := weights[i] / total
		m.weights[i] = w
		m.logc[i] = math.Log(w) - float64(d)*(math.Log(sds[i])+math.Log(2*math.Pi)/2)
		m.entropy += w * (float64(d)/2 - m.logc[i])
		for j := range d {
			mu := m.means[i*d+j]
			if i == 0 || mu-reach*sds[i] < m.lo[j] {
				m.lo[j] = mu - reach*sds[i]
			}
			if i == 0 || mu+reach*sds[i] > m.hi[j] {
				m.hi[j] = mu + reach*sds[i]
			}
		}
	}
	return m, nil
}

// mustMixture builds one of the package's own mixtures.
func mustMixture(weights []float64, means *mat.Dense, sd float64) *GaussianMixture {
	sds := make([]float64, len(weights))
	for i := range sds {
		sds[i] = sd
	}
	m, err := NewGaussianMixture(weights, means, sds)
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

func (m *GaussianMixture) Dim() int         { return m.dim }
func (m *GaussianMixture) Entropy() float64 { return m.entropy }

func (m *GaussianMixture) Bounds() (lo, hi []float64) {
	return append([]float64(nil), m.lo...), append([]float64(nil), m.hi...)
}

func (m *GaussianMixture) Modes() (centres *mat.Dense, weights []float64) {
	c := append([]float64(nil), m.means...)
	return mat.NewDense(len(m.weights), m.dim, c), append([]float64(nil), m.weights...)
}

func (m *GaussianMixture) Sample(dst *mat.Dense, rng *rand.Rand) {
	checkSample(dst, m.dim)
	for i := range dst.RawMatrix().Rows {
		k := categorical(m.weights, rng)
		row := dst.RawRowView(i)
		for j := range row {
			row[j] = m.means[k*m.dim+j] + m.sds[k]*rng.NormFloat64()
		}
	}
}

// exponent returns the log of component k at x.
func (m *GaussianMixture) exponent(x []float64, k int) float64 {
	var d2 float64
	for j, mu := range m.means[k*m.dim : (k+1)*m.dim] {
		d := x[j] - mu
		d2 += d * d
	}
	return m.logc[k] - d2/(2*m.sds[k]*m.sds[k])
}

func (m *GaussianMixture) logProb(x []float64) float64 {
	s := newLogSum()
	for k := range m.weights {
		if e := m.exponent(x, k); !(e <= s.max-2*cutoff) { // NaN too
			s.add(e, 0, 0)
		}
	}
	return s.log()
}

func (m *GaussianMixture) LogProb(dst []float64, x *mat.Dense) {
	checkLogProb(dst, x, m.dim)
	for i := range dst {
		dst[i] = m.logProb(x.RawRowView(i))
	}
}

func (m *GaussianMixture) Score(dst, x *mat.Dense) {
	checkScore(dst, x, m.dim)
	for i := range x.RawMatrix().Rows {
		row, s := x.RawRowView(i), dst.RawRowView(i)
		top := math.Inf(-1)
		for k := range m.weights {
			top = math.Max(top, m.exponent(row, k))
		}
		var sum float64
		for j := range s {
			s[j] = 0
		}
		if math.IsInf(top, -1) {
			continue
		}
		for k := range m.weights {
			w := math.Exp(m.exponent(row, k) - top)
			if w == 0 {
				continue
			}
			sum += w
			w /= m.sds[k] * m.sds[k]
			for j, mu := range m.means[k*m.dim : (k+1)*m.dim] {
				s[j] += w * (mu - row[j])
			}
		}
		for j := range s {
			s[j] /= sum
		}
	}
}

func (m *GaussianMixture) AssignMode(x []float64) int {
	if len(x) != m.dim {
		panic(badDim)
	}
	best, most := 0, math.Inf(-1)
	for k := range m.weights {
		if e := m.exponent(x, k); e > most {
			best, most = k, e
		}
	}
	return best
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
	return float64(m.dim) / 2 * math.Log(2*math.Pi*m.sds[0]*m.sds[0])
}

// categorical draws an index with the given probabilities, which add up to one.
func categorical(p []float64, rng *rand.Rand) int {
	u := rng.Float64()
	for i, w := range p[:len(p)-1] {
		if u < w {
			return i
		}
		u -= w
	}
	return len(p) - 1
}
