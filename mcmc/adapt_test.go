package mcmc_test

import (
	"math"
	"testing"

	"gonum.org/v1/gonum/mat"
	"gonum.org/v1/gonum/stat"

	"github.com/stheno-ebm/stheno/mcmc"
)

// The mass is Stan's, (n v + 5·10⁻³)/(n + 5) for n draws of variance v: seen in few draws of a small one.
func TestRegularisedMass(t *testing.T) {
	const steps, begin, end = 20, 3, 8 // no draws are taken in of the first and the last
	a, err := mcmc.NewAdapter(mcmc.HMC{StepSize: .1}, mcmc.Warmup{Steps: steps})
	if err != nil {
		t.Fatal(err)
	}
	s, rng := mcmc.NewState(mat.NewDense(1, 1, nil)), source(1)
	var seen []float64
	for i := range steps {
		x := .01 * rng.NormFloat64()
		s.X.Set(0, 0, x)
		a.Update(s, mcmc.Info{AcceptProb: .8})
		if i >= begin && i < steps-end {
			seen = append(seen, x)
		}
	}
	n := float64(len(seen))
	got, want := a.Kernel().(mcmc.HMC).InvMass, (n*stat.Variance(seen, nil)+5e-3)/(n+5)
	if len(got) != 1 || math.Abs(got[0]-want) > 1e-12 {
		t.Errorf("got %g, want %g", got, want)
	}
}
