package kernels

import (
	"fmt"
	"math/rand/v2"
	"testing"
	"time"
)

// measure reports the fastest call, in nanoseconds per element.
func measure(b *testing.B, n int, f func()) {
	best := time.Duration(1 << 62)
	reps := max(1, 20000/n)
	for b.Loop() {
		t := time.Now()
		for range reps {
			f()
		}
		best = min(best, time.Since(t))
	}
	b.ReportMetric(float64(best.Nanoseconds())/float64(reps*n), "min-ns/element")
}

func benchElementwise[T Float](b *testing.B, name string) {
	const n = 4096
	rng := rand.New(rand.NewPCG(1, 2))
	var s [6][]T
	for i := range s {
		s[i] = aligned[T](n)
		fillRand(s[i], rng)
	}
	for i := range s[0] {
		s[0][i] *= 3
	}
	for _, f := range []Func{Exp, Sigmoid, Tanh, Softplus, SiLU, GELU} {
		b.Run(fmt.Sprintf("%s/%v", name, f), func(b *testing.B) { measure(b, n, func() { Unary(f, 0, s[1], s[0]) }) })
		if f == Exp {
			continue
		}
		b.Run(fmt.Sprintf("%s/%v/orders=01", name, f), func(b *testing.B) {
			measure(b, n, func() { UnaryMulti(f, s[1], s[2], nil, nil, s[0]) })
		})
		b.Run(fmt.Sprintf("%s/%v/orders=0123", name, f), func(b *testing.B) {
			measure(b, n, func() { UnaryMulti(f, s[1], s[2], s[3], s[4], s[0]) })
		})
	}
	b.Run(name+"/log", func(b *testing.B) {
		Unary(Abs, 0, s[5], s[0])
		measure(b, n, func() { Unary(Log, 0, s[1], s[5]) })
	})
	b.Run(name+"/mul", func(b *testing.B) { measure(b, n, func() { Mul(s[1], s[2], s[3]) }) })
	b.Run(name+"/mulAdd", func(b *testing.B) { measure(b, n, func() { MulAdd(s[1], s[2], s[3], s[4]) }) })
	b.Run(name+"/sum", func(b *testing.B) { measure(b, n, func() { Sum(s[1]) }) })
	b.Run(name+"/colSum", func(b *testing.B) { measure(b, n, func() { ColSum(s[1][:64], s[2], false) }) })
	b.Run(name+"/rowSum", func(b *testing.B) { measure(b, n, func() { RowSum(s[1][:64], s[2], 64, false) }) })
	b.Run(name+"/call", func(b *testing.B) { measure(b, 1, func() { Add(s[1][:1], s[2][:1], s[3][:1]) }) })
}

func BenchmarkElementwise(b *testing.B) {
	benchElementwise[float32](b, "float32")
	benchElementwise[float64](b, "float64")
}

func BenchmarkNormal(b *testing.B) {
	rng := rand.New(rand.NewPCG(1, 2))
	for _, n := range []int{64, 4096} {
		x := make([]float64, n)
		b.Run(fmt.Sprintf("n=%d", n), func(b *testing.B) { measure(b, n, func() { Normal(x, rng) }) })
		b.Run(fmt.Sprintf("n=%d/NormFloat64", n), func(b *testing.B) {
			measure(b, n, func() {
				for i := range x {
					x[i] = rng.NormFloat64()
				}
			})
		})
	}
}

func BenchmarkAdam(b *testing.B) {
	const n = 20000
	var s [5][]float64
	for i := range s {
		s[i] = make([]float64, n)
		Fill(s[i], 1)
	}
	p := AdamParams{Beta1: 0.9, Beta2: 0.999, Step: 1e-3, Bias2: 1, Eps: 1e-8, Decay: 1, GradScale: 1, EMADecay: 0.99}
	b.Run("average=no", func(b *testing.B) { measure(b, n, func() { Adam(s[0], s[1], s[2], s[3], nil, p) }) })
	b.Run("average=yes", func(b *testing.B) { measure(b, n, func() { Adam(s[0], s[1], s[2], s[3], s[4], p) }) })
}
