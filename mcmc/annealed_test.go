package mcmc_test

import (
	"math"
	"testing"

	"gonum.org/v1/gonum/mat"

	"github.com/stheno-ebm/stheno/mcmc"
)

// walled is E(x, σ) = x²/2(1 + σ²) between hard walls at ±1.
type walled struct{ blurred }

func (w *walled) EnergyGrad(e []float64, grad, x *mat.Dense) error {
	err := w.blurred.EnergyGrad(e, grad, x)
	for i := range e {
		if math.Abs(x.At(i, 0)) > 1 {
			e[i] = math.Inf(1)
		}
	}
	return err
}

// Chains of an unadjusted kernel stay between the walls, across noise levels and from wherever another kernel left
// them.
func TestAnnealedWall(t *testing.T) {
	const n = 200
	langevin := mcmc.Langevin{StepSize: .05}
	for name, kernels := range map[string][]mcmc.Kernel{
		"levels":         {mcmc.Annealed{Kernel: langevin, Sigmas: []float64{1, .5, .2}, Moves: 5}},
		"after langevin": {langevin, mcmc.Annealed{Kernel: langevin, Sigmas: []float64{1}, Moves: 1}},
	} {
		rng, target := source(1), &walled{}
		s := mcmc.NewState(mat.NewDense(n, 1, nil))
		divergent := 0
		for range 5 {
			for _, k := range kernels {
				info, err := k.Step(s, target, rng)
				if err != nil {
					t.Fatal(err)
				}
				divergent += info.Divergent
			}
		}
		if err := s.Refresh(target); err != nil {
			t.Fatal(err)
		}
		for i := range n {
			if x := s.X.At(i, 0); math.Abs(x) > 1 {
				t.Errorf("%s: chain %d at %g, want it within the walls", name, i, x)
				break
			}
		}
		if divergent == 0 {
			t.Errorf("%s: no chain was sent back", name)
		}
	}
}
