package strided

import (
	"math/rand/v2"
	"testing"
)

func BenchmarkPool(b *testing.B) {
	rng := rand.New(rand.NewPCG(7, 8))
	g := NewGroups(256*28*28, 0, []int{256, 14, 14, 2, 2}, []int{784, 56, 2, 28, 1}, 3)
	x, n, y := numbers(rng, 256*28*28), make([]float32, 256*14*14), make([]float32, 256*14*14)
	for name, f := range map[string]func(){
		"argmax": func() { ArgMax(g, n, x) },
		"pick":   func() { Pick(g, y, n, x) },
		"place":  func() { Place(g, x, n, y) },
	} {
		b.Run(name, func(b *testing.B) {
			for b.Loop() {
				f()
			}
			b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/float64(len(n)), "ns/window")
		})
	}
}
