package datasets_test

import (
	"math/rand/v2"
	"testing"

	"gonum.org/v1/gonum/mat"

	"github.com/stheno-ebm/stheno/datasets"
)

// BenchmarkLogProb and BenchmarkScore evaluate the density on points uniform in the box, as quadrature does;
// the time is per point.
func BenchmarkLogProb(b *testing.B) {
	each(b, func(d datasets.Distribution, logp []float64, _, x *mat.Dense) { d.LogProb(logp, x) })
}

func BenchmarkScore(b *testing.B) {
	each(b, func(d datasets.Distribution, _ []float64, s, x *mat.Dense) { d.Score(s, x) })
}

func each(b *testing.B, f func(d datasets.Distribution, logp []float64, s, x *mat.Dense)) {
	const n = 1000
	for _, name := range datasets.Names() {
		b.Run("dataset="+name, func(b *testing.B) {
			d := mustNew(b, name)
			lo, hi := d.Bounds()
			rng := rand.New(rand.NewPCG(1, 1))
			x, s, logp := mat.NewDense(n, d.Dim(), nil), mat.NewDense(n, d.Dim(), nil), make([]float64, n)
			x.Apply(func(_, j int, _ float64) float64 { return lo[j] + rng.Float64()*(hi[j]-lo[j]) }, x)
			for b.Loop() {
				f(d, logp, s, x)
			}
			b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/n, "ns/point")
		})
	}
}
