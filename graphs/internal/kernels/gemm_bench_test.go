package kernels

import (
	"fmt"
	"math/rand/v2"
	"testing"
	"time"
)

func benchProduct[T Float](b *testing.B, m, n, k int, ta, tb, packed bool) {
	rng := rand.New(rand.NewPCG(1, 2))
	a, bb, c := aligned[T](m*k), aligned[T](k*n), aligned[T](m*n)
	fillRand(a, rng)
	fillRand(bb, rng)
	lda, ldb := k, n
	if ta {
		lda = m
	}
	if tb {
		ldb = k
	}
	p := &Product[T]{M: m, N: n, K: k, A: a, LdA: lda, TransA: ta, B: bb, LdB: ldb, TransB: tb, C: c, LdC: n}
	if packed {
		p.Packed = new(Packed[T])
		p.Packed.Pack(bb, ldb, tb, k, n)
	}
	work := aligned[T](Workspace[T](m, n, k))
	flops := 2 * float64(m) * float64(n) * float64(k)
	peak := PeakFLOPS[T]()
	best := time.Duration(1 << 62)
	reps := int(max(1, 2e5/flops))
	for b.Loop() {
		t := time.Now()
		for range reps {
			p.Run(work)
		}
		best = min(best, time.Since(t))
	}
	s := best.Seconds() / float64(reps)
	b.ReportMetric(s*1e9, "min-ns")
	b.ReportMetric(flops/s/1e9, "GFLOP/s")
	if peak > 0 {
		b.ReportMetric(100*flops/s/peak, "%peak")
	}
}

// BenchmarkProduct reports the fastest run and its share of the core's peak, measured in the same process.
func BenchmarkProduct(b *testing.B) {
	for _, s := range []struct {
		m, n, k        int
		ta, tb, packed bool
	}{
		{256, 128, 128, false, true, true},   // forward, hidden layer
		{256, 128, 128, false, false, true},  // backward, hidden layer
		{128, 128, 256, true, false, false},  // its weight gradient
		{1024, 256, 256, false, true, true},  //
		{256, 256, 1024, true, false, false}, //
		{256, 256, 64, true, false, false},   // a block of rows of it
		{64, 128, 128, false, true, true},    // a block of rows
		{128, 64, 64, false, true, true},     //
		{32, 32, 32, false, true, true},      //
		{32, 32, 32, true, false, false},     //
		{256, 128, 2, false, true, true},     // first layer
		{256, 2, 128, false, false, true},    // gradient in x
		{256, 1, 128, false, true, true},     // last layer
		{128, 2, 256, true, false, false},    // weight gradients of the first
		{1, 128, 256, true, false, false},    // and last layer
		{256, 128, 128, false, true, false},  // not packed
		{256, 256, 256, false, false, false}, //
		{256, 16, 64, false, true, true},     // narrow
		{256, 66, 128, false, false, true},   // a narrow last panel
	} {
		name := func(d string) string {
			return fmt.Sprintf("%s/m=%d/n=%d/k=%d/ta=%t/tb=%t/packed=%t", d, s.m, s.n, s.k, s.ta, s.tb, s.packed)
		}
		b.Run(name("float32"), func(b *testing.B) { benchProduct[float32](b, s.m, s.n, s.k, s.ta, s.tb, s.packed) })
		b.Run(name("float64"), func(b *testing.B) { benchProduct[float64](b, s.m, s.n, s.k, s.ta, s.tb, s.packed) })
	}
}
