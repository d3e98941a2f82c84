package run

import (
	"math/rand/v2"
	"runtime"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stheno-ebm/stheno/graphs/internal/ir"
	"github.com/stheno-ebm/stheno/graphs/internal/rules"
)

// counter counts how often each part was run, and by how many workers at a time.
type counter struct {
	runs []atomic.Int32
	busy [8]atomic.Int32
	bad  atomic.Int32
}

func (c *counter) part(w, i int) {
	if c.busy[w].Add(1) != 1 {
		c.bad.Add(1) // a worker's memory is used twice at a time
	}
	c.runs[i].Add(1)
	for range 200 {
		runtime.Gosched()
	}
	c.busy[w].Add(-1)
}

func TestTeamRunsEveryPartOnce(t *testing.T) {
	var tm team
	tm.word.Store(noPart)
	for round := range 200 {
		n := 1 + round%7
		c := &counter{runs: make([]atomic.Int32, n)}
		tm.run(&job{task: c, parts: uint32(n), workers: 1 + round%4})
		for i := range c.runs {
			if k := c.runs[i].Load(); k != 1 {
				t.Fatalf("round %d: part %d of %d ran %d times", round, i, n, k)
			}
		}
		if c.bad.Load() != 0 {
			t.Fatalf("round %d: two parts on one worker at once", round)
		}
	}
}

func TestHelpersEnd(t *testing.T) {
	if testing.Short() {
		t.Skip("waits for helpers to end")
	}
	before := runtime.NumGoroutine()
	var tm team
	tm.word.Store(noPart)
	for range 3 {
		c := &counter{runs: make([]atomic.Int32, 8)}
		tm.run(&job{task: c, parts: 8, workers: 4})
	}
	deadline := time.Now().Add(4 * idleTime)
	for runtime.NumGoroutine() > before && time.Now().Before(deadline) {
		time.Sleep(50 * time.Millisecond)
	}
	if n := runtime.NumGoroutine(); n > before {
		t.Errorf("%d goroutines after the idle time, %d before", n, before)
	}
	c := &counter{runs: make([]atomic.Int32, 8)}
	tm.run(&job{task: c, parts: 8, workers: 4}) // they come back
	for i := range c.runs {
		if c.runs[i].Load() != 1 {
			t.Errorf("part %d ran %d times", i, c.runs[i].Load())
		}
	}
}

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
