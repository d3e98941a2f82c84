package verify

import (
	"math"

	"gonum.org/v1/gonum/mat"

	"github.com/stheno-ebm/stheno/energy"
	"github.com/stheno-ebm/stheno/graphs/vector"
	"github.com/stheno-ebm/stheno/mcmc"
)

// sampler is a kernel and its number of transitions in a check.
type sampler struct {
	name  string
	k     mcmc.Kernel
	moves int
}

var exact = []sampler{
	{"mala", mcmc.MALA{StepSize: 0.3}, 20},
	{"hmc", mcmc.HMC{StepSize: 0.5, Leapfrog: 5, StepJitter: 0.2}, 8},
	{"nuts", mcmc.NUTS{StepSize: 0.5}, 5},
	{"tempering", mcmc.Tempering{Kernel: mcmc.HMC{StepSize: 0.5, Leapfrog: 3}, Betas: mcmc.Geometric(3, 0.2)}, 60},
}

// Samplers returns the checks of every sampler.
func Samplers() []Check {
	var checks []Check
	for i, s := range exact {
		seed := uint64(5000 + 10*i)
		for j, t := range []target{gaussian, mixture} {
			checks = append(checks, Check{s.name, t.name, "z of moments",
				func() (float64, float64, error) { return stationary(s.k, s.moves, t, seed+uint64(j)) }})
		}
	}
	checks = append(checks,
		// For linear forces BAOAB is exact in the positions (Leimkuhler and Matthews 2013), once the momenta have
		// settled.
		Check{"baoab", "gaussian", "z of moments",
			func() (float64, float64, error) { return stationary(mcmc.BAOAB{StepSize: 0.5}, 40, gaussian, 5105) }},
		Check{"langevin", "standard normal", "z of own variance",
			func() (float64, float64, error) { return langevinLaw(mcmc.Langevin{StepSize: 0.3}, 5100, 0.3) }},
		Check{"langevin", "mixture", "z, short steps",
			func() (float64, float64, error) { return stationary(mcmc.Langevin{StepSize: 0.002}, 40, mixture, 5101) }},
		Check{"annealed", "mixture", "z from wide start",
			func() (float64, float64, error) {
				k := mcmc.Annealed{Kernel: mcmc.HMC{StepSize: 0.5, Leapfrog: 4, StepJitter: 0.2}, Moves: 8}
				return moved(k, 2, mixture, 3, 5102)
			}},
		Check{"annealed", "two far modes", "share down levels",
			func() (float64, float64, error) { return noiseLevels(5104) }},
		Check{"tempering", "two far modes", "z of share",
			func() (float64, float64, error) {
				return farModes(mcmc.Tempering{Kernel: mcmc.HMC{StepSize: 0.4, Leapfrog: 4, StepJitter: 0.2},
					Betas: mcmc.Geometric(6, 0.02)}, 150, 5103)
			}},
	)
	return checks
}

func evaluator(t target) (*energy.Evaluator, error) {
	return energy.NewEvaluator(t.e, t.params(), energy.EvaluatorConfig{Batch: 500, Precision: energy.Float64})
}

// stationary is moved with a start at exact draws.
func stationary(k mcmc.Kernel, moves int, t target, seed uint64) (value, tol float64, err error) {
	return moved(k, moves, t, 0, seed)
}

// moved starts chains at exact draws or, if wide > 0, at draws of N(0, wide² I), runs them, and compares means of
// bounded and unbounded statistics over the independent chains with those of a large independent set of draws, by the
// standard error of the difference.
func moved(k mcmc.Kernel, moves int, t target, wide float64, seed uint64) (value, tol float64, err error) {
	const chains, reference = 2000, 200000
	rng := newRNG(seed, 1)
	eval, err := evaluator(t)
	if err != nil {
		return 0, 0, err
	}
	x := mat.NewDense(chains, 2, nil)
	if wide > 0 {
		vector.Normal(x.RawMatrix().Data, rng)
		x.Scale(wide, x)
	} else {
		t.e.Sample(t.params(), x, rng)
	}
	s := mcmc.NewState(x)
	for range moves {
		if _, err := k.Step(s, eval, rng); err != nil {
			return 0, 0, err
		}
	}
	ref := mat.NewDense(reference, 2, nil)
	t.e.Sample(t.params(), ref, rng)
	got, want := gather(s.X), gather(ref)
	for i := range got.mean {
		se := math.Hypot(got.se(i), want.se(i))
		value = max(value, math.Abs(got.mean[i]-want.mean[i])/se) // max keeps NaN
	}
	return value, threshold(len(got.mean), chains), nil
}

// gather returns moments of x₁, x₂, their squares and product, and of whether x₁ > 0, over the rows.
func gather(x *mat.Dense) *moments {
	m := newMoments(6)
	n, _ := x.Dims()
	var v [6]float64
	for i := range n {
		a, b := x.At(i, 0), x.At(i, 1)
		v = [6]float64{a, b, a * a, b * b, a * b, 0}
		if a > 0 {
			v[5] = 1
		}
		m.add(v[:])
	}
	return m
}

// langevinLaw runs unadjusted Langevin, k with step h, on N(0, 1) from draws of N(0, 1/(1-h/2)), which it leaves
// unchanged.
func langevinLaw(k mcmc.Kernel, seed uint64, h float64) (value, tol float64, err error) {
	const chains = 20000
	rng := newRNG(seed, 1)
	want := 1 / (1 - h/2)
	x := mat.NewDense(chains, 1, nil)
	v := x.RawMatrix().Data
	vector.Normal(v, rng)
	vector.Scale(v, math.Sqrt(want), v)
	s := mcmc.NewState(x)
	t := mcmc.RowFunc(func(grad, x []float64) float64 { grad[0] = x[0]; return x[0] * x[0] / 2 })
	for range 10 {
		if _, err := k.Step(s, t, rng); err != nil {
			return 0, 0, err
		}
	}
	m := newMoments(2)
	for _, a := range v {
		m.add([]float64{a, a * a})
	}
	return m.worst([]float64{0, want}), threshold(2, chains), nil
}

// far has two well-separated modes of weights 0.7 and 0.3.
var far = target{"far", energy.GaussianMixture{D: 2, K: 2}, []float64{
	math.Log(0.7), math.Log(0.3), -3, 0, 3, 0, -0.7, -0.7, -0.7, -0.7,
}}

// noiseLevels runs annealed Langevin from N(0, σ_1² I) down the levels of the far modes, blurred, and returns the error
// in the share of the heavier mode. The chains lag behind the levels, so this is an error and not a z.
func noiseLevels(seed uint64) (value, tol float64, err error) {
	const chains = 4000
	rng := newRNG(seed, 1)
	e := energy.BlurredMixture{GaussianMixture: far.e.(energy.GaussianMixture),
		Sigmas: energy.GeometricLevels(8, 0.1, 20)}
	eval, err := energy.NewEvaluator(e, far.params(), energy.EvaluatorConfig{Batch: 500, Precision: energy.Float64})
	if err != nil {
		return 0, 0, err
	}
	x := mat.NewDense(chains, 2, nil)
	vector.Normal(x.RawMatrix().Data, rng)
	x.Scale(8, x)
	k := mcmc.Annealed{Kernel: mcmc.Langevin{StepSize: 0.002}, Sigmas: e.Sigmas, Moves: 30}
	s := mcmc.NewState(x)
	if _, err := k.Step(s, eval, rng); err != nil {
		return 0, 0, err
	}
	var share float64
	for i := range chains {
		if s.X.At(i, 0) < 0 {
			share += 1.0 / chains
		}
	}
	return math.Abs(share - 0.7), 0.06, nil
}

// farModes starts all chains in the lighter of two well-separated modes, of weights 0.7 and 0.3, and returns |z| of the
// share of the heavier one.
func farModes(k mcmc.Kernel, moves int, seed uint64) (value, tol float64, err error) {
	const chains, heavy = 1000, 0.7
	rng := newRNG(seed, 1)
	eval, err := evaluator(far)
	if err != nil {
		return 0, 0, err
	}
	x := mat.NewDense(chains, 2, nil)
	vector.Normal(x.RawMatrix().Data, rng)
	for i := range chains {
		x.Set(i, 0, 3+0.5*x.At(i, 0))
		x.Set(i, 1, 0.5*x.At(i, 1))
	}
	s := mcmc.NewState(x)
	for range moves {
		if _, err := k.Step(s, eval, rng); err != nil {
			return 0, 0, err
		}
	}
	m := newMoments(1)
	for i := range chains {
		share := 0.0
		if s.X.At(i, 0) < 0 {
			share = 1
		}
		m.add([]float64{share})
	}
	return m.worst([]float64{heavy}), threshold(1, chains), nil
}
