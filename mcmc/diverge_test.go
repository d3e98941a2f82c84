package mcmc_test

import (
	"math/rand/v2"
	"testing"

	"gonum.org/v1/gonum/mat"

	"github.com/stheno-ebm/stheno/mcmc"
	"github.com/stheno-ebm/stheno/mcmc/mcmctest"
)

// either runs a kernel and records which chains diverged since it was last asked.
type either struct {
	mcmc.Kernel
	diverged []bool
}

func (k either) Step(s *mcmc.State, t mcmc.Target, rng *rand.Rand) (mcmc.Info, error) {
	info, err := k.Kernel.Step(s, t, rng)
	for i := range k.diverged { // level 0 of a ladder
		k.diverged[i] = k.diverged[i] || info.Chains[i].Divergent
	}
	return info, err
}

// A chain is reported as divergent if any of its moves diverged.
func TestDivergentMoves(t *testing.T) {
	const n = 50
	for name, outer := range map[string]func(mcmc.Kernel) mcmc.Kernel{
		"annealed":  func(k mcmc.Kernel) mcmc.Kernel { return mcmc.Annealed{Kernel: k, Betas: []float64{.5, 1}, Moves: 4} },
		"tempering": func(k mcmc.Kernel) mcmc.Kernel { return mcmc.Tempering{Kernel: k, Betas: []float64{1, .5}, Moves: 4} },
		"noise": func(k mcmc.Kernel) mcmc.Kernel {
			return mcmc.Annealed{Kernel: k, Sigmas: []float64{1, .5}, Moves: 4}
		},
	} {
		target := mcmc.Target(mcmctest.Walled("+Inf"))
		if name == "noise" {
			target = &walled{}
		}
		for inner, k := range map[string]mcmc.Kernel{"hmc": mcmc.HMC{StepSize: .4, Leapfrog: 2},
			"langevin": mcmc.Langevin{StepSize: .1}} {
			rng := source(1)
			s := mcmc.NewState(mat.NewDense(n, 1, nil))
			for i := range n {
				s.X.Set(i, 0, .5)
			}
			seen := either{k, make([]bool, n)}
			outer := outer(seen)
			last := 0
			for range 10 {
				clear(seen.diverged)
				info, err := outer.Step(s, target, rng)
				if err != nil {
					t.Fatal(err)
				}
				count := 0
				for i, want := range seen.diverged {
					if want {
						count++
					}
					if info.Chains[i].Divergent != want {
						t.Fatalf("%s of %s: chain %d: divergent %v, want %v", name, inner, i, info.Chains[i].Divergent,
							want)
					}
				}
				if info.Divergent != count {
					t.Fatalf("%s of %s: %d divergent chains, want %d", name, inner, info.Divergent, count)
				}
				last += count
			}
			if last == 0 {
				t.Errorf("%s of %s: nothing diverged", name, inner)
			}
		}
	}
}
