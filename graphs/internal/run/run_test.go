package run

import (
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/stheno-ebm/stheno/graphs/internal/ir"
	"github.com/stheno-ebm/stheno/graphs/internal/rules"
	"github.com/stheno-ebm/stheno/graphs/internal/strided"
)

// A chain of element-wise instructions on a batch needs the memory of a tile, not of the batch.
func TestMemoryIsThatOfTiles(t *testing.T) {
	build := func(n int) *Program[float32] {
		g := ir.New()
		x, w := g.Arg(n, 8, "x", false), g.Arg(64, 8, "w", false)
		h := g.MatMul(x, w, false, true)
		for range 10 {
			h = g.Func("half", func(x float64) float64 { return x / 2 }, g.MatMul(h, g.MatMul(w, w, false, true), false, false))
		}
		g.Outputs = []ir.ID{g.Sum(h)}
		return New[float32](rules.Apply(g), Options{})
	}
	small, large := build(1<<10), build(1<<14)
	if grown := large.Bytes() - small.Bytes(); grown > 2*4*8*(1<<14) {
		t.Errorf("16 times the rows: %d bytes more than %d, want no more than the input", grown, small.Bytes())
	}
}

// Whatever workers share outside tiles, and its conversion, is the same to the bit, and allocates nothing.
func TestLargeSteps(t *testing.T) {
	const n, k, m = 70, 320, 640
	g := ir.New()
	x, w, held := g.Arg(n, k, "x", false), g.Arg(1, m*k, "w", false), g.Arg(k, m, "held", true)
	turned := g.Gather(w, strided.New(m*k, 0, []int{m, 8, k / 8}, []int{k, 1, 8}), m, k)
	g.Outputs = []ir.ID{g.MatMul(g.Func("half", func(x float64) float64 { return x / 2 },
		g.MatMul(x, turned, false, true)), turned, false, false), g.MatMul(x, held, false, false), turned}
	g = rules.Apply(g)
	in := [][]float64{make([]float64, n*k), make([]float64, m*k), make([]float64, m*k)}
	rng := rand.New(rand.NewPCG(3, 3))
	for _, x := range in {
		for j := range x {
			x[j] = rng.NormFloat64()
		}
	}
	var want [][]float64
	for _, threads := range []int{1, 2, 5} {
		p := New[float32](g, Options{Threads: threads})
		dst := [][]float64{make([]float64, n*k), nil, make([]float64, m*k)}
		run := func() {
			p.Load(in)
			p.Touch()
			if err := p.Run(); err != nil {
				t.Fatal(err)
			}
			p.Store(dst)
		}
		if run(); want == nil {
			want = dst
		}
		for i := range dst {
			if !slices.Equal(dst[i], want[i]) {
				t.Errorf("%d threads: output %d differs", threads, i)
			}
		}
		if a := testing.AllocsPerRun(5, run); a > 0 {
			t.Errorf("%d threads: %v allocations", threads, a)
		}
		if _, err := p.Measure(1); err != nil {
			t.Error(err)
		}
	}
}

// Steps must not depend on what the memory of a tile held before: run twice, with the arenas filled with NaN in
// between.
func TestNothingIsReadBeforeItIsWritten(t *testing.T) {
	g := ir.New()
	n := 100
	x, w, b := g.Arg(n, 5, "x", false), g.Arg(7, 5, "w", false), g.Arg(1, 7, "b", false)
	h := g.Add(g.MatMul(x, w, false, true), g.ExpandRows(b, n))
	s := g.RowSum(h)
	k := g.Mul(h, g.ExpandCols(s, 7))
	g.Outputs = []ir.ID{g.ColSum(k), g.MatMul(k, x, true, false), g.Sum(s), k}
	p := New[float64](rules.Apply(g), Options{MinRows: 10, TileRows: 12})
	rng := rand.New(rand.NewPCG(2, 2))
	for i := range p.plan.Inputs {
		for j := range p.Input(i) {
			p.Input(i)[j] = rng.NormFloat64()
		}
	}
	var want [][]float64
	for run := range 2 {
		if err := p.Run(); err != nil {
			t.Fatal(err)
		}
		for i := range p.plan.Outputs {
			got := append([]float64(nil), p.Output(i)...)
			if run == 0 {
				want = append(want, got)
				continue
			}
			for j := range got {
				if got[j] != want[i][j] {
					t.Fatalf("output %d[%d]: got %v, want %v", i, j, got[j], want[i][j])
				}
			}
		}
		for _, m := range [][]float64{p.whole, p.parts, p.workers[0].tiles, p.workers[0].scratch} {
			for j := range m {
				m[j] = nan
			}
		}
	}
}

var nan = func() float64 { var z float64; return z / z }()
