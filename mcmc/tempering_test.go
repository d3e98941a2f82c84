package mcmc_test

import (
	"math"
	"testing"

	"gonum.org/v1/gonum/mat"
	"gonum.org/v1/gonum/stat"

	"github.com/stheno-ebm/stheno/mcmc"
)

// forgetful is a reference whose energy, asked for without a gradient as exchanges do, is zero.
type forgetful struct{ *mcmc.Gaussian }

func (f forgetful) EnergyAt(grad, x []float64) float64 {
	if grad == nil {
		return 0
	}
	return f.Gaussian.EnergyAt(grad, x)
}

// TestTemperingReference: between E = (x-1)²/2·0.5² + 3 and E₀ of N(0, s²) level β is
//
//	N(4β/τ, 1/τ),   τ = 4β + (1-β)/s²,
//
// its mean off by at most four times 1/√(τn), its variance by four times √(2/n)/τ. Exchanges that forget E₀ miss that.
func TestTemperingReference(t *testing.T) {
	t.Parallel()
	const n, s, steps = 3000, 1.0, 40
	betas := []float64{1, .6, .3, .1}
	target := mcmc.RowFunc(func(grad, x []float64) float64 {
		grad[0] = 4 * (x[0] - 1)
		return 2*sq(x[0]-1) + 3
	})
	g := &mcmc.Gaussian{Mean: []float64{0}, Std: []float64{s}}
	// worst is the largest deviation at any level, in standard errors.
	worst := func(k mcmc.Kernel, ref mcmc.Reference) float64 {
		ladder := mcmc.Tempering{Kernel: k, Betas: betas, Scales: []float64{1, 1, 1, 1}, Reference: ref}
		rng := source(1)
		state := mcmc.NewState(mat.NewDense(n, 1, nil))
		g.Sample(state.X, rng)
		for range steps {
			if _, err := ladder.Step(state, target, rng); err != nil {
				t.Fatal(err)
			}
		}
		w := 0.0
		for l, beta := range betas {
			tau := 4*beta + (1-beta)/(s*s)
			mean, v := stat.MeanVariance(mat.Col(nil, 0, state.Replicas.X.Slice(l*n, (l+1)*n, 0, 1)), nil)
			w = max(w, math.Abs(mean-4*beta/tau)*math.Sqrt(tau*n), math.Abs(v*tau-1)*math.Sqrt(n/2))
		}
		return w
	}
	for name, k := range map[string]mcmc.Kernel{
		"mala": mcmc.MALA{StepSize: .1},
		"hmc":  mcmc.HMC{StepSize: .15, Leapfrog: 2, StepJitter: .3},
	} {
		if w := worst(k, g); w > 4 {
			t.Errorf("%s: a mean or variance is off by %.1f standard errors, want at most 4", name, w)
		}
		if w := worst(k, forgetful{g}); w < 8 {
			t.Errorf("%s: exchanges without E₀ are off by %.1f standard errors only", name, w)
		}
	}
}
