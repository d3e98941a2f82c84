package mcmc_test

import (
	"context"
	"os"
	"regexp"
	"runtime"
	"testing"

	"gonum.org/v1/gonum/mat"

	"github.com/stheno-ebm/stheno/energy"
	"github.com/stheno-ebm/stheno/mcmc"
)

// TestMillionChains: a million chains of a compiled energy in two dimensions, hidden 64, allocate less than 700 MB in
// total, garbage included: the energy is evaluated block by block.
func TestMillionChains(t *testing.T) {
	if testing.Short() {
		t.Skip("a million chains")
	}
	e, p := network(t, 64, 64)
	v, err := energy.NewEvaluator(e, p, energy.EvaluatorConfig{Batch: 256})
	if err != nil {
		t.Fatal(err)
	}
	x := normalBatch(1e6, 2, source(1))
	var before, after runtime.MemStats
	runtime.GC()
	runtime.ReadMemStats(&before)
	targets := func() (mcmc.Target, error) { return v.Clone(), nil }
	d, err := mcmc.Sample(context.Background(), mcmc.HMC{StepSize: .1, Leapfrog: 2}, targets, x,
		mcmc.SampleConfig{Draws: 1}, source(1))
	if err != nil {
		t.Fatal(err)
	}
	runtime.ReadMemStats(&after)
	used := after.TotalAlloc - before.TotalAlloc
	if used > 700e6 {
		t.Errorf("%d MB allocated, want less than 700", used/1e6)
	}
	if d.Kept != 1 || d.Chains != 1e6 {
		t.Errorf("got %d draws of %d chains", d.Kept, d.Chains)
	}
	status, _ := os.ReadFile("/proc/self/status")
	t.Logf("%d MB allocated; the process so far: %s", used/1e6, regexp.MustCompile(`VmHWM:.*`).Find(status))
	// One call for all of them stays within the blocks, too: it allocates nothing but its results.
	energies, grad := make([]float64, 1e6), mat.NewDense(1e6, 2, nil)
	if err := v.EnergyGrad(energies, grad, x); err != nil {
		t.Fatal(err)
	}
	if n := testing.AllocsPerRun(1, func() { _ = v.EnergyGrad(energies, grad, x) }); n != 0 {
		t.Errorf("%g allocations for a million rows, want 0", n)
	}
}
