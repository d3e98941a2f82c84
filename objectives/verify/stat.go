package verify

import (
	"math"

	"gonum.org/v1/gonum/stat/distuv"
)

// moments accumulates the mean and variance of vectors.
type moments struct {
	n        int
	mean, sq []float64 // sq: sum of squared deviations (Welford)
}

func newMoments(k int) *moments { return &moments{mean: make([]float64, k), sq: make([]float64, k)} }

func (m *moments) add(v []float64) {
	m.n++
	for i, x := range v {
		d := x - m.mean[i]
		m.mean[i] += d / float64(m.n)
		m.sq[i] += d * (x - m.mean[i])
	}
}

// worst returns max_i |mean_i - want_i| / SE_i; want nil means zero. Components that are always zero, up to rounding,
// are left out: the loss does not depend on them.
func (m *moments) worst(want []float64) float64 {
	z := 0.0
	for i, mean := range m.mean {
		if want != nil {
			mean -= want[i]
		}
		se := m.se(i)
		if math.IsNaN(mean) || math.IsNaN(se) {
			return math.NaN()
		}
		if se < 1e-13 && math.Abs(mean) < 1e-12 {
			continue
		}
		z = max(z, math.Abs(mean)/se)
	}
	return z
}

// threshold is the value that the largest of k independent |z| exceeds with probability 1e-4 (Bonferroni), with z of
// Student's t with n-1 degrees of freedom.
func threshold(k, n int) float64 {
	return distuv.StudentsT{Mu: 0, Sigma: 1, Nu: float64(n - 1)}.Quantile(1 - 1e-4/(2*float64(k)))
}

// se returns the standard error of the i-th mean.
func (m *moments) se(i int) float64 { return math.Sqrt(m.sq[i] / float64(m.n-1) / float64(m.n)) }
