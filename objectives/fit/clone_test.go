package fit

import (
	"context"
	"math/rand/v2"
	"runtime"
	"strings"
	"sync/atomic"
	"testing"

	"gonum.org/v1/gonum/mat"
	G "gorgonia.org/gorgonia"

	"github.com/stheno-ebm/stheno/energy"
	"github.com/stheno-ebm/stheno/mcmc"
)

// counted counts how often an energy is built, which is how often it is compiled.
type counted struct {
	energy.Energy
	built *atomic.Int64
}

func (c counted) Build(x *G.Node, theta G.Nodes) (*G.Node, error) {
	c.built.Add(1)
	return c.Energy.Build(x, theta)
}

// Workers of the samplers use clones: what was compiled once is not compiled again for another worker or another
// call. Through its clones a model can be the target of many workers, with the draws of one; shared, it panics with a
// hint.
func TestWorkersClone(t *testing.T) {
	defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(1))
	c := quick(20)
	c.Dataset, c.Sampler, c.Adapt = "moons", "mala", 20
	m, err := Train(t.Context(), opened(t, c.Dataset), c)
	if err != nil {
		t.Fatal(err)
	}
	var built atomic.Int64
	m.Network = counted{m.Network, &built}
	compiled := func() int64 {
		before := built.Load()
		if _, err := m.Sample(t.Context(), SampleConfig{N: 400, Seed: 1, Chains: 400}); err != nil {
			t.Fatal(err)
		}
		return built.Load() - before
	}
	m.density, m.compiled.by = nil, map[energy.EvaluatorConfig]*energy.Evaluator{}
	one := compiled()
	if n := compiled(); n != 0 {
		t.Errorf("the second call compiles %d functions, as the first did %d", n, one)
	}
	runtime.GOMAXPROCS(4)
	m.density, m.compiled.by = nil, map[energy.EvaluatorConfig]*energy.Evaluator{}
	if four := compiled(); one == 0 || four > one {
		t.Errorf("four workers compile %d functions, one %d", four, one)
	}

	x := mat.NewDense(256, 2, nil)
	draw := func(targets mcmc.Targets, workers int) (d *mcmc.Draws, panicked any) {
		defer func() { panicked = recover() }()
		d, err := mcmc.Sample(context.Background(), mcmc.MALA{StepSize: .01}, targets, mat.DenseCopyOf(x),
			mcmc.SampleConfig{Draws: 100, Block: 32, Workers: workers}, rand.New(rand.NewPCG(1, 2)))
		if err != nil {
			t.Fatal(err)
		}
		return d, nil
	}
	want, _ := draw(mcmc.Shared(m), 1)
	got, p := draw(mcmc.Cloned(m), 4)
	if p != nil {
		t.Fatal(p)
	}
	if !mat.Equal(want.X, got.X) {
		t.Error("clones of a model draw other points")
	}
	for try := 0; ; try++ {
		_, p := draw(mcmc.Shared(m), 8)
		if known, ok := p.(*mcmc.Panic); ok && strings.Contains(known.Error(), "mcmc.Cloned instead of mcmc.Shared") {
			break
		}
		if p != nil || try == 20 {
			t.Fatalf("eight workers: %v", p)
		}
	}
}
