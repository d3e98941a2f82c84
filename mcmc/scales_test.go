package mcmc_test

import (
	"math"
	"testing"

	"gonum.org/v1/gonum/mat"

	"github.com/stheno-ebm/stheno/mcmc"
)

// A level whose steps are scaled by c moves like one with a longer step, c h for a length and c² h for Langevin's h,
// in the proposal and in the acceptance.
func TestScales(t *testing.T) {
	const c, h = 1.7, .3
	mass := mcmc.Variances(1.5, .4, 1)
	for name, k := range map[string]struct{ short, long mcmc.Kernel }{
		"langevin": {mcmc.Langevin{StepSize: h}, mcmc.Langevin{StepSize: c * c * h}},
		"clipped":  {mcmc.Langevin{StepSize: h, Clip: .5}, mcmc.Langevin{StepSize: c * c * h, Clip: .5}},
		"unit":     {mcmc.Langevin{StepSize: h, Normalize: true}, mcmc.Langevin{StepSize: c * c * h, Normalize: true}},
		"mala":     {mcmc.MALA{StepSize: h}, mcmc.MALA{StepSize: c * c * h}},
		"hmc":      {mcmc.HMC{StepSize: h, Leapfrog: 3}, mcmc.HMC{StepSize: c * h, Leapfrog: 3}},
		"jitter": {
			mcmc.HMC{StepSize: h, Leapfrog: 3, Mass: mass, StepJitter: .5, LengthJitter: .5},
			mcmc.HMC{StepSize: c * h, Leapfrog: 3, Mass: mass, StepJitter: .5, LengthJitter: .5},
		},
		"nuts":  {mcmc.NUTS{StepSize: h, Mass: mass}, mcmc.NUTS{StepSize: c * h, Mass: mass}},
		"baoab": {mcmc.BAOAB{StepSize: h}, mcmc.BAOAB{StepSize: c * h}},
	} {
		t.Run(name, func(t *testing.T) {
			x := normalBatch(20, len(mass), source(1))
			var end [2]*mat.Dense
			var accept [2]float64
			for i, kernel := range []mcmc.Tempering{
				{Kernel: k.short, Betas: []float64{1}, Scales: []float64{c}},
				{Kernel: k.long, Betas: []float64{1}},
			} {
				s, rng := mcmc.NewState(mat.DenseCopyOf(x)), source(2)
				for range 4 {
					info, err := kernel.Step(s, gaussian(1, .5, 2), rng)
					if err != nil {
						t.Fatal(err)
					}
					accept[i] = info.AcceptProb
				}
				end[i] = s.X
			}
			if !mat.EqualApprox(end[0], end[1], 1e-12) {
				t.Errorf("got\n%.6g\nwant\n%.6g", mat.Formatted(end[0]), mat.Formatted(end[1]))
			}
			if math.Abs(accept[0]-accept[1]) > 1e-12 {
				t.Errorf("acceptance: got %g, want %g", accept[0], accept[1])
			}
		})
	}
}
