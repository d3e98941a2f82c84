package mcmc_test

import (
	"context"
	"math"
	"math/rand/v2"
	"strings"
	"testing"

	"gonum.org/v1/gonum/mat"

	"github.com/stheno-ebm/stheno/mcmc"
)

// constantTarget has the same energy everywhere.
type constantTarget float64

func (c constantTarget) EnergyGrad(e []float64, grad, _ *mat.Dense) error {
	for i := range e {
		e[i] = float64(c)
	}
	if grad != nil {
		grad.Zero()
	}
	return nil
}

// A target without any finite energy, and a start that is not a point, give errors instead of draws.
func TestNowhere(t *testing.T) {
	for _, k := range []mcmc.Kernel{mcmc.Langevin{StepSize: 0.1}, mcmc.MALA{StepSize: 0.1}, mcmc.HMC{StepSize: 0.1},
		mcmc.NUTS{StepSize: 0.1}} {
		sample := func(target constantTarget, start float64) error {
			x := mat.NewDense(3, 2, []float64{0, 1, 2, start, 4, 5})
			_, err := mcmc.Sample(context.Background(), k, mcmc.Shared(target), x, mcmc.SampleConfig{Draws: 5},
				rand.New(rand.NewPCG(1, 2)))
			return err
		}
		for _, e := range []float64{math.NaN(), math.Inf(1)} {
			if err := sample(constantTarget(e), 3); err == nil || !strings.Contains(err.Error(), "finite energy") {
				t.Errorf("%T, energy %g: got %v", k, e, err)
			}
			if err := sample(0, e); err == nil || !strings.Contains(err.Error(), "chain 2 starts at") {
				t.Errorf("%T, start at %g: got %v", k, e, err)
			}
		}
		if err := sample(0, 3); err != nil {
			t.Errorf("%T: %v", k, err)
		}
	}
}
