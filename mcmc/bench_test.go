package mcmc_test

import (
	"testing"
	"time"

	"gonum.org/v1/gonum/mat"

	"github.com/stheno-ebm/stheno/mcmc"
)

// free is a target that costs next to nothing, so that the time of a step is that of the noise, the update and the
// acceptance.
var free = mcmc.TargetFunc(func(e []float64, grad, x *mat.Dense) error {
	g := grad.RawMatrix().Data
	for i, v := range x.RawMatrix().Data {
		g[i] = .1 * v
	}
	return nil
})

// BenchmarkOverhead is a transition of 256 chains without the gradients (except for 512 multiplications each).
func BenchmarkOverhead(b *testing.B) {
	for _, c := range []struct {
		name string
		k    mcmc.Kernel
	}{
		{"langevin", mcmc.Langevin{StepSize: .1}},
		{"mala", mcmc.MALA{StepSize: .1}},
		{"hmc", mcmc.HMC{StepSize: .1}},
		{"baoab", mcmc.BAOAB{StepSize: .1}},
		{"nuts", mcmc.NUTS{StepSize: .5}},
	} {
		b.Run("sampler="+c.name, func(b *testing.B) {
			rng := source(1)
			s := mcmc.NewState(normalBatch(256, 2, rng))
			for b.Loop() {
				if _, err := c.k.Step(s, free, rng); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

// clocked adds up the time spent in its target.
type clocked struct {
	mcmc.Target
	spent time.Duration
}

func (c *clocked) EnergyGrad(e []float64, grad, x *mat.Dense) error {
	t := time.Now()
	err := c.Target.EnergyGrad(e, grad, x)
	c.spent += time.Since(t)
	return err
}
