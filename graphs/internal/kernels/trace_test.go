package kernels

import (
	"fmt"
	"math/rand/v2"
	"os"
	"testing"
)

// traceMark runs a loop that does not occur in a step, so that a trace shows where a part begins and ends.
func traceMark() {
	if run, _ := peakLoop[float32](); run != nil {
		run(1)
	}
}

// TestTrace runs the kernels of one Langevin step, the energy and gradient of 256 points with a network of two hidden
// layers of 128, part by part, for gen/mca: parts with equal work run once, with their number of repetitions.
func TestTrace(t *testing.T) {
	rng := rand.New(rand.NewPCG(1, 2))
	vector := func(n int) []float32 {
		x := aligned[float32](n)
		fillRand(x, rng)
		return x
	}
	const n, h, block = 256, 128, 24 // 24 rows: four tiles
	weights := func(k, n int) *Packed[float32] {
		p := new(Packed[float32])
		p.Pack(vector(k*n), n, false, k, n)
		return p
	}
	x, a, b, c := vector(n*h), vector(n*h), vector(n*h), vector(n*h)
	product := func(m, n, k int, mul, bias []float32) func() {
		p := &Product[float32]{M: m, N: n, K: k, A: a, LdA: k, Packed: weights(k, n), C: c, LdC: n, Mul: mul, LdMul: n,
			Bias: bias}
		return func() { p.Run(nil) }
	}
	noise, narrow := make([]float64, 2*n), vector(2*n)
	for _, part := range []struct {
		name  string
		times float64
		mac   int // multiply-adds of products
		run   func()
	}{
		{"noise", 1, 0, func() { Normal(noise, rng); ToFloat32(narrow, noise) }},
		{"layer1", 1, n * h * 2, product(n, h, 2, nil, b[:h])},
		{"silu", 2 * n * h / 2048., 0, func() { UnaryMulti(SiLU, b[:2048], c[:2048], nil, nil, x[:2048]) }},
		{"layer2", n / float64(block), block * h * h, product(block, h, h, nil, b[:h])},
		{"energy", 1, n * h, product(n, 1, h, nil, b[:1])},
		{"backward3", n / 16., 0, func() {
			for i := range 16 {
				Mul(c[i*h:(i+1)*h], a[i*h:(i+1)*h], b[:h])
			}
		}},
		{"backward2", n / float64(block), block * h * h, product(block, h, h, x, nil)},
		{"backward1", 1, n * h * 2, product(n, 2, h, nil, nil)},
		{"move", 1, 0, func() { ScaleAdd(c[:2*n], 0.1, a[:2*n], b[:2*n]); ScaleAdd(c[:2*n], 0.1, narrow, c[:2*n]) }},
	} {
		t.Run(part.name, func(t *testing.T) {
			if asked := os.Getenv("STHENO_TRACE"); asked == "" || asked == part.name {
				traceMark()
				part.run()
				traceMark()
			}
			fmt.Printf("part=%s times=%g mac=%d\n", part.name, part.times, part.mac)
		})
	}
}
