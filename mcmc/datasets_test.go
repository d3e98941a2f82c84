package mcmc_test

import (
	"context"
	"fmt"
	"math"
	"slices"
	"testing"

	"gonum.org/v1/gonum/mat"
	"gonum.org/v1/gonum/stat"

	"github.com/stheno-ebm/stheno/datasets"
	"github.com/stheno-ebm/stheno/datasets/density"
	"github.com/stheno-ebm/stheno/mcmc"
	"github.com/stheno-ebm/stheno/mcmc/mcmctest"
)

// exact is the target that is a distribution: E = -log p, log Z = 0.
type exact struct{ datasets.Distribution }

func (t exact) EnergyGrad(e []float64, grad, x *mat.Dense) error {
	t.LogProb(e, x)
	t.Score(grad, x)
	for i := range e {
		e[i] = -e[i]
	}
	grad.Scale(-1, grad)
	return nil
}

// planar returns the two-dimensional distributions.
func planar(t *testing.T) map[string]datasets.Distribution {
	out := map[string]datasets.Distribution{}
	for _, name := range datasets.Names() {
		d, err := datasets.New(name)
		if err != nil {
			t.Fatal(err)
		}
		if d.Dim() == 2 {
			out[name] = d
		}
	}
	return out
}

// TestDistributions starts chains from exact draws of the two-dimensional distributions, moves them, and compares
// them with fresh draws: both coordinates and the energy, by the two-sample Kolmogorov–Smirnov test. The twin has
// another temperature.
func TestDistributions(t *testing.T) {
	t.Parallel()
	const n = 1500
	for name, d := range planar(t) {
		for sampler, k := range map[string]mcmc.Kernel{
			"mala": mcmc.MALA{StepSize: .004},
			"hmc":  mcmc.HMC{StepSize: .06, Leapfrog: 4, StepJitter: .5},
			"nuts": mcmc.NUTS{StepSize: .08, MaxDepth: 4},
			"tempering": mcmc.Tempering{Kernel: mcmc.HMC{StepSize: .06, Leapfrog: 4, StepJitter: .5},
				Betas: mcmc.Geometric(3, .3)},
		} {
			t.Run(name+"/"+sampler, func(t *testing.T) {
				steps := map[string]int{"mala": 12, "hmc": 5, "nuts": 2, "tempering": 3}[sampler]
				if p := moved(t, d, k, exact{d}, n, steps); p < 1e-4/4 {
					t.Errorf("the law changes: p = %.2g", p)
				}
				if sampler == "hmc" {
					// the energy is constant
					if p := moved(t, d, k, mcmctest.Twin(exact{d}, 3), n, 3*steps); p > 1e-4/3 &&
						name != "checkerboard" {
						t.Errorf("the twin at another temperature passes: p = %.2g", p)
					}
				}
			})
		}
	}
}

// moved returns the smallest p value after some steps from n exact draws.
func moved(t *testing.T, d datasets.Distribution, k mcmc.Kernel, target mcmc.Target, n, steps int) float64 {
	rng := source(21)
	x, y := mat.NewDense(n, 2, nil), mat.NewDense(4*n, 2, nil)
	d.Sample(x, rng)
	d.Sample(y, rng)
	s := mcmc.NewState(x)
	for range steps {
		if _, err := k.Step(s, target, rng); err != nil {
			t.Fatal(err)
		}
	}
	p := 1.0
	for j := range 2 {
		p = min(p, twoSample(mat.Col(nil, j, x), mat.Col(nil, j, y)))
	}
	ex, ey := make([]float64, n), make([]float64, 4*n)
	d.LogProb(ex, x)
	d.LogProb(ey, y)
	return min(p, twoSample(ex, ey))
}

// twoSample returns the p value of the two-sample Kolmogorov–Smirnov test.
func twoSample(a, b []float64) float64 {
	slices.Sort(a)
	slices.Sort(b)
	d := stat.KolmogorovSmirnov(a, nil, b, nil)
	m := float64(len(a)) * float64(len(b)) / float64(len(a)+len(b))
	z := (math.Sqrt(m) + .12 + .11/math.Sqrt(m)) * d
	if z < .3 {
		return 1
	}
	var p float64
	for k := 1; k < 101; k++ {
		p += 2 * math.Pow(-1, float64(k+1)) * math.Exp(-2*z*z*float64(k*k))
	}
	return p
}

// TestAISOfDistributions: log Z of every exact two-dimensional density is 0.
func TestAISOfDistributions(t *testing.T) {
	t.Parallel()
	for name, d := range planar(t) {
		t.Run(name, func(t *testing.T) {
			e, err := evidence(exact{d}, d, 400)
			if err != nil {
				t.Fatal(err)
			}
			if math.Abs(e.LogZ) > 4*e.StdErr || e.StdErr > .2 {
				t.Errorf("log Z = %.4f ± %.4f, want 0 (%d levels, ESS %.0f)", e.LogZ, e.StdErr, e.Levels, e.ESS)
			}
		})
	}
}

// TestAISInManyDimensions: forward and reverse estimates agree with log Z = 0. Steps of one length cannot follow the
// twenty-dimensional funnel; there less than a tenth of the chains carry the weight, which shows that the error is
// unknown.
func TestAISInManyDimensions(t *testing.T) {
	t.Parallel()
	for _, name := range []string{"mixture10", "ring20", "funnel20"} {
		t.Run(name, func(t *testing.T) {
			d, err := datasets.New(name)
			if err != nil {
				t.Fatal(err)
			}
			rng := source(22)
			x := mat.NewDense(1000, d.Dim(), nil)
			d.Sample(x, rng)
			from := mcmc.FitGaussian(x, 1.3)
			a, err := mcmc.AIS{
				Reference: from, Kernel: mcmc.HMC{StepSize: .15 * slices.Min(from.Std), Leapfrog: 5, StepJitter: .2},
				Moves: 2, Chains: 200,
			}.Tune(context.Background(), exact{d}, .99, rng)
			if err != nil {
				t.Fatal(err)
			}
			a.Chains = 1000
			fwd, _, err := a.Forward(context.Background(), exact{d}, rng)
			if err != nil {
				t.Fatal(err)
			}
			if name == "funnel20" {
				if fwd.ESS > 100 {
					t.Errorf("ESS %.0f of log Z = %.3f ± %.3f, want the chains to be seen as too few", fwd.ESS,
						fwd.LogZ, fwd.StdErr)
				}
				return
			}
			rev, err := a.Reverse(context.Background(), exact{d}, x, rng)
			if err != nil {
				t.Fatal(err)
			}
			for way, e := range map[string]mcmc.Evidence{"forward": fwd, "reverse": rev} {
				if math.Abs(e.LogZ) > 4*e.StdErr || e.StdErr > .1 || way == "forward" && e.ESS < 100 {
					t.Errorf("%s: log Z = %.4f ± %.4f, want 0 (%d levels, ESS %.0f)", way, e.LogZ, e.StdErr, e.Levels,
						e.ESS)
				}
			}
			twin, _, err := a.Forward(context.Background(), mcmctest.Twin(exact{d}, 1.2), rng)
			if err != nil {
				t.Fatal(err)
			}
			if math.Abs(twin.LogZ) < 4*twin.StdErr {
				t.Errorf("the twin passes: %.4f ± %.4f", twin.LogZ, twin.StdErr)
			}
		})
	}
}

// evidence runs AIS from a Gaussian fitted to data.
func evidence(target mcmc.Target, data density.Sampler, chains int) (mcmc.Evidence, error) {
	rng := source(22)
	x := mat.NewDense(1000, 2, nil)
	data.Sample(x, rng)
	a, err := mcmc.AIS{
		Reference: mcmc.FitGaussian(x, 1.3), Kernel: mcmc.HMC{StepSize: .3, Leapfrog: 3, StepJitter: .5},
		Chains: chains,
	}.Tune(context.Background(), target, .98, rng)
	if err != nil {
		return mcmc.Evidence{}, fmt.Errorf("tune: %w", err)
	}
	e, _, err := a.Forward(context.Background(), target, rng)
	return e, err
}
