package mcmc_test

import (
	"math"
	"testing"

	"gonum.org/v1/gonum/mat"

	"github.com/stheno-ebm/stheno/mcmc"
	"github.com/stheno-ebm/stheno/mcmc/mcmctest"
)

var twoModes = mcmctest.Mixture("mixture", .6, [][2]float64{{-1, 0}, {1.2, .5}}, []float64{.3, .7})

// dense is the mass of the inverse [[a, b], [b, c]].
func dense(a, b, c float64) mcmc.Mass {
	m, err := mcmc.NewDense(mat.NewSymDense(2, []float64{a, b, b, c}))
	if err != nil {
		panic(err)
	}
	return m
}

// lowRank has a direction of twice the length in three dimensions.
func lowRank(scale ...float64) mcmc.Mass {
	r := 1 / math.Sqrt(3)
	m, err := mcmc.NewLowRank(scale, mat.NewDense(3, 1, []float64{r, -r, r}), []float64{4})
	if err != nil {
		panic(err)
	}
	return m
}

// TestLaws starts chains in stationarity: their distribution must not change. On the twin, at another temperature, it
// must.
func TestLaws(t *testing.T) {
	t.Parallel()
	hmc := mcmc.HMC{StepSize: .25, Leapfrog: 6, StepJitter: .3, LengthJitter: .5}
	for _, c := range []struct {
		name   string
		kernel mcmc.Kernel
		on     mcmctest.Known
		steps  int
	}{
		{"mala", mcmc.MALA{StepSize: .08}, mcmctest.Correlated(.8), 60},
		{"mala", mcmc.MALA{StepSize: .02}, mcmctest.Scaled(.2, 1, 3), 60},
		{"mala", mcmc.MALA{StepSize: .15}, twoModes, 30},
		{"mala", mcmc.MALA{StepSize: .05}, mcmctest.Banana(.5), 60},
		{"mala", mcmc.MALA{StepSize: .1}, mcmctest.Funnel(3, 1), 60},
		{"hmc", hmc, mcmctest.Correlated(.8), 8},
		{"hmc mass", mcmc.HMC{StepSize: .3, Leapfrog: 5, Mass: mcmc.Variances(.04, 1, 9)}, mcmctest.Scaled(.2, 1, 3),
			8},
		{"hmc", hmc, twoModes, 8},
		{"hmc", hmc, mcmctest.Banana(.5), 10},
		{"hmc", hmc, mcmctest.Funnel(3, 1), 10},
		{"nuts", mcmc.NUTS{StepSize: .25}, mcmctest.Correlated(.8), 4},
		{"hmc dense", mcmc.HMC{StepSize: .6, Leapfrog: 4, LengthJitter: .5, Mass: dense(1.3, .9, 1)},
			mcmctest.Correlated(.8), 6},
		{"hmc low rank", mcmc.HMC{StepSize: .5, Leapfrog: 5, Mass: lowRank(.2, 1, 3)}, mcmctest.Scaled(.2, 1, 3), 8},
		{"hmc length", mcmc.HMC{StepSize: .25, Length: 2}, mcmctest.Banana(.5), 10},
		{"mala mass", mcmc.MALA{StepSize: .15, Mass: mcmc.Diagonal{.2, 1, 3}}, mcmctest.Scaled(.2, 1, 3), 40},
		{"mala dense", mcmc.MALA{StepSize: .1, Mass: dense(1, .5, 2)}, mcmctest.Banana(.5), 60},
		{"nuts dense", mcmc.NUTS{StepSize: .5, Mass: dense(1.3, .9, 1)}, mcmctest.Correlated(.8), 4},
		{"nuts low rank", mcmc.NUTS{StepSize: .4, Mass: lowRank(.2, 1, 3)}, mcmctest.Scaled(.2, 1, 3), 4},
		{"nuts mass", mcmc.NUTS{StepSize: .4, Mass: mcmc.Variances(.04, 1, 9)}, mcmctest.Scaled(.2, 1, 3), 4},
		{"nuts", mcmc.NUTS{StepSize: .3, StepJitter: .3}, twoModes, 4},
		{"nuts", mcmc.NUTS{StepSize: .25}, mcmctest.Banana(.5), 4},
		{"nuts shallow", mcmc.NUTS{StepSize: .1, MaxDepth: 3}, mcmctest.Banana(.5), 15},
		{"nuts", mcmc.NUTS{StepSize: .3}, mcmctest.Funnel(3, 1), 6},
		// one transition in twenty
		{"nuts diverging", mcmc.NUTS{StepSize: .3, StepJitter: .5, MaxDepth: 6}, mcmctest.Funnel(10, 3), 20},
		{"tempering", mcmc.Tempering{Kernel: hmc, Betas: mcmc.Geometric(3, .25)}, mcmctest.Correlated(.8), 6},
		{"tempering", mcmc.Tempering{Kernel: hmc, Betas: mcmc.Geometric(3, .25)}, twoModes, 6},
		{"tempering mala", mcmc.Tempering{Kernel: mcmc.MALA{StepSize: .15}, Betas: mcmc.Geometric(3, .25), Moves: 3},
			twoModes, 10},
		{"annealed", mcmc.Annealed{Kernel: hmc, Betas: []float64{.5, 1}, Moves: 10}, mcmctest.Correlated(.8), 2},
		{"annealed", mcmc.Annealed{Kernel: hmc, Betas: []float64{.5, 1}, Moves: 10}, twoModes, 2},
		{"tempering", mcmc.Tempering{Kernel: hmc, Betas: mcmc.Geometric(3, .25)}, mcmctest.Banana(.5), 8},
		{"tempering", mcmc.Tempering{Kernel: hmc, Betas: mcmc.Geometric(3, .25)}, mcmctest.Funnel(3, 1), 8},
		{"tempering mass", mcmc.Tempering{Kernel: mcmc.HMC{StepSize: .3, Leapfrog: 5, Mass: mcmc.Variances(.04, 1, 9)},
			Betas: mcmc.Geometric(3, .25)}, mcmctest.Scaled(.2, 1, 3), 6},
		{"annealed", mcmc.Annealed{Kernel: hmc, Betas: []float64{.5, 1}, Moves: 20}, mcmctest.Banana(.5), 1},
		{"annealed", mcmc.Annealed{Kernel: hmc, Betas: []float64{.7, 1}, Moves: 40}, mcmctest.Funnel(3, 1), 1},
		{"annealed mass", mcmc.Annealed{Kernel: mcmc.HMC{StepSize: .3, Leapfrog: 5, Mass: mcmc.Variances(.04, 1, 9)},
			Betas: []float64{.5, 1}, Moves: 10}, mcmctest.Scaled(.2, 1, 3), 1},
	} {
		n := 4000
		if _, ok := c.kernel.(mcmc.Tempering); ok {
			n = 2000 // times the levels
		}
		t.Run(c.name+"/"+c.on.Name, func(t *testing.T) {
			if err := mcmctest.Invariant(c.kernel, c.on.Energy, c.on, n, c.steps, source(7)); err != nil {
				t.Error(err)
			}
			if mcmctest.Invariant(c.kernel, mcmctest.Twin(c.on.Energy, 1.6), c.on, n, c.steps, source(7)) == nil {
				t.Error("the twin at another temperature passes")
			}
		})
	}
}

// TestLangevinLaw: on N(0, σ²) the stationary distribution for step h is N(0, σ²/(1 - h/(2σ²))), not N(0, σ²).
func TestLangevinLaw(t *testing.T) {
	const h, n = .3, 4000
	sd := []float64{.7, 1, 2}
	own := make([]float64, len(sd))
	for j, s := range sd {
		own[j] = s / math.Sqrt(1-h/(2*s*s))
	}
	k := mcmc.Langevin{StepSize: h}
	target := mcmctest.Scaled(sd...).Energy
	if err := mcmctest.Invariant(k, target, mcmctest.Scaled(own...), n, 30, source(8)); err != nil {
		t.Error(err)
	}
	if mcmctest.Invariant(k, target, mcmctest.Scaled(sd...), n, 30, source(8)) == nil {
		t.Error("Langevin passes for unbiased")
	}
	if mcmctest.Invariant(k, mcmctest.Twin(target, 1.25), mcmctest.Scaled(own...), n, 30, source(8)) == nil {
		t.Error("the twin at another temperature passes")
	}
	for name, biased := range map[string]mcmc.Langevin{"normalize": {StepSize: h, Normalize: true},
		"clip": {StepSize: h, Clip: .5}} {
		if mcmctest.Invariant(biased, target, mcmctest.Scaled(own...), n, 30, source(8)) == nil {
			t.Errorf("%s changes nothing", name)
		}
		if biased.Bias() == "" {
			t.Errorf("%s is not reported as biased", name)
		}
	}
	if k.Bias() != "" {
		t.Errorf("plain Langevin is reported as biased: %s", k.Bias())
	}
}

// TestShortSteps: with steps so short that their error, of order h, is hidden by the statistics, Langevin and BAOAB
// preserve distributions that are not Gaussian. Langevin with a long step does not.
func TestShortSteps(t *testing.T) {
	t.Parallel()
	const n = 2000
	for _, known := range []mcmctest.Known{twoModes, mcmctest.Banana(.5), mcmctest.Funnel(3, .5)} {
		for name, k := range map[string]mcmc.Kernel{"langevin": mcmc.Langevin{StepSize: .001},
			"baoab": mcmc.BAOAB{StepSize: .05}} {
			steps := map[string]int{"langevin": 200, "baoab": 100}[name]
			if err := mcmctest.Invariant(k, known.Energy, known, n, steps, source(13)); err != nil {
				t.Errorf("%s on %s: %v", name, known.Name, err)
			}
			if mcmctest.Invariant(k, mcmctest.Twin(known.Energy, 1.6), known, n, 5*steps, source(13)) == nil {
				t.Errorf("%s on %s: the twin at another temperature passes", name, known.Name)
			}
		}
		if mcmctest.Invariant(mcmc.Langevin{StepSize: .3}, known.Energy, known, n, 40, source(13)) == nil {
			t.Errorf("langevin with a long step passes on %s", known.Name)
		}
	}
}

// TestBAOABLaw: for a Gaussian, positions are exact at any step and momenta have variance 1 - ε²/(4σ²).
func TestBAOABLaw(t *testing.T) {
	const n = 4000
	known := mcmctest.Scaled(.7, 1, 2)
	k := mcmc.BAOAB{StepSize: .9, Friction: 1}
	if err := mcmctest.Invariant(k, known.Energy, known, n, 40, source(9)); err != nil {
		t.Error(err)
	}
	if mcmctest.Invariant(k, mcmctest.Twin(known.Energy, 1.25), known, n, 40, source(9)) == nil {
		t.Error("the twin at another temperature passes")
	}
	rng := source(10)
	s := mcmc.NewState(mat.NewDense(n, 1, nil))
	unit := mcmctest.Scaled(1)
	for range 60 {
		if _, err := k.Step(s, unit.Energy, rng); err != nil {
			t.Fatal(err)
		}
	}
	want := 1 - .9*.9/4
	got := mat.Dot(s.Momentum.ColView(0), s.Momentum.ColView(0)) / n
	if tol := 4 * want * math.Sqrt(2./n); math.Abs(got-want) > tol {
		t.Errorf("variance of the momenta: got %.4f, want %.4f ± %.4f", got, want, tol)
	}
}

// TestBrokenMALA: without the ratio of the proposal densities MALA is wrong, and the test of distributions detects
// it.
func TestBrokenMALA(t *testing.T) {
	known := mcmctest.Scaled(1)
	rng := source(11)
	const n = 4000
	x := mat.NewDense(n, 1, nil)
	known.Sample(x, rng)
	for range 20 {
		for i := range n {
			r := x.RawRowView(i)
			y := r[0] - .5*r[0] + rng.NormFloat64()
			if rng.Float64() < math.Exp(r[0]*r[0]/2-y*y/2) {
				r[0] = y
			}
		}
	}
	if p := mcmctest.KS(mat.Col(nil, 0, x), known.Laws[0].CDF); p > 1e-4 {
		t.Errorf("MALA without the proposal ratio passes: p = %g", p)
	}
}
