package mcmc_test

import (
	"context"
	"runtime"
	"testing"

	"gonum.org/v1/gonum/mat"

	"github.com/stheno-ebm/stheno/mcmc"
)

// TestMillionChains: a million chains in two dimensions, one draw each, take less than 600 MB.
func TestMillionChains(t *testing.T) {
	if testing.Short() {
		t.Skip("a million chains")
	}
	x := mat.NewDense(1e6, 2, nil)
	var before, after runtime.MemStats
	runtime.GC()
	runtime.ReadMemStats(&before)
	d, err := mcmc.Sample(context.Background(), mcmc.HMC{StepSize: .5, Leapfrog: 2}, mcmc.Shared(gaussian()), x, mcmc.SampleConfig{Draws: 1}, source(1))
	if err != nil {
		t.Fatal(err)
	}
	runtime.ReadMemStats(&after)
	if used := after.TotalAlloc - before.TotalAlloc; used > 600e6 {
		t.Errorf("%d MB allocated, want less than 600", used/1e6)
	}
	if d.Kept != 1 || d.Chains != 1e6 {
		t.Errorf("got %d draws of %d chains", d.Kept, d.Chains)
	}
}
