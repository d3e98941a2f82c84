package density

import (
	"math/rand/v2"
	"sort"

	"gonum.org/v1/gonum/mat"

	"github.com/stheno-ebm/stheno/datasets/internal/batch"
)

// Pick returns i with probability (cdf[i] - cdf[i-1]) / cdf[last], where cdf holds the sums of weights up to each.
func Pick(cdf []float64, rng *rand.Rand) int {
	last := len(cdf) - 1
	u := rng.Float64() * cdf[last]
	return sort.Search(last, func(i int) bool { return cdf[i] > u })
}

// Sample fills the rows of dst with independent draws.
func (m *Mixture) Sample(dst *mat.Dense, rng *rand.Rand) {
	batch.Sample(dst, m.p.Dim)
	for i := range dst.RawMatrix().Rows {
		k := 0
		if len(m.cdf) > 1 {
			k = Pick(m.cdf, rng)
		}
		m.sampleRow(dst.RawRowView(i), k, rng)
	}
}

// sampleRow draws a point of component k.
func (m *Mixture) sampleRow(dst []float64, k int, rng *rand.Rand) {
	d := m.p.Dim
	mean := m.p.Means[k*d : (k+1)*d]
	if m.p.Covariance == Diagonal || m.p.Covariance == Spherical {
		for j, c := range mean {
			dst[j] = c + m.p.Factors[m.axis(k, j)]*rng.NormFloat64()
		}
		return
	}
	for j := range mean {
		dst[j] = rng.NormFloat64()
	}
	l := m.triangleOf(k)
	for j := d - 1; j >= 0; j-- { // in place: the coordinates before j are still ξ
		v := mean[j]
		for c, f := range l[j*d : j*d+j+1] {
			v += f * dst[c]
		}
		dst[j] = v
	}
}

// SampleAround draws Lξ of component k: a point of it, seen from its mean.
func (m *Mixture) SampleAround(dst []float64, k int, rng *rand.Rand) {
	m.sampleRow(dst, k, rng)
	d := m.p.Dim
	for j, c := range m.p.Means[k*d : (k+1)*d] {
		dst[j] -= c
	}
}
