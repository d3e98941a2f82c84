package mcmc_test

import (
	"context"
	"strings"
	"testing"

	"github.com/stheno-ebm/stheno/energy"
	"github.com/stheno-ebm/stheno/mcmc"
)

// An evaluator shared by workers panics, with a hint, as soon as two of them meet in it; its clones work.
func TestSharedEvaluator(t *testing.T) {
	e, err := energy.NewMLP(energy.MLPConfig{Dim: 2, Hidden: []int{64, 64}})
	if err != nil {
		t.Fatal(err)
	}
	v, err := energy.NewEvaluator(e, energy.Init(e, source(1)), energy.EvaluatorConfig{Batch: 256})
	if err != nil {
		t.Fatal(err)
	}
	sample := func(targets mcmc.Targets, workers int) (d *mcmc.Draws, panicked any) {
		defer func() { panicked = recover() }()
		d, err := mcmc.Sample(context.Background(), mcmc.MALA{StepSize: .01}, targets, normalBatch(512, 2, source(2)),
			mcmc.SampleConfig{Draws: 200, Block: 64, Workers: workers}, source(3))
		if err != nil {
			t.Fatal(err)
		}
		return d, nil
	}
	want, p := sample(mcmc.Shared(v), 1)
	if p != nil {
		t.Fatalf("one worker: %v", p)
	}
	for try := 0; ; try++ {
		_, p := sample(mcmc.Shared(v), 8)
		if known, ok := p.(*mcmc.Panic); ok && strings.Contains(known.Error(), "mcmc.Cloned instead of mcmc.Shared") {
			break
		}
		if p != nil || try == 20 {
			t.Fatalf("eight workers: %v", p)
		}
	}
	got, p := sample(mcmc.Cloned(v), 8)
	if p != nil {
		t.Fatalf("cloned: %v", p)
	}
	for i, x := range want.X.RawMatrix().Data {
		if got.X.RawMatrix().Data[i] != x {
			t.Fatal("clones draw other points")
		}
	}
}
