package benchmarks

import (
	"fmt"
	"math/rand/v2"
	"reflect"
	"slices"

	"gonum.org/v1/gonum/mat"

	"github.com/stheno-ebm/stheno/datasets/density"
	"github.com/stheno-ebm/stheno/energy"
	"github.com/stheno-ebm/stheno/mcmc"
	"github.com/stheno-ebm/stheno/objectives"
	"github.com/stheno-ebm/stheno/objectives/train"
)

// Setting is the size and the manner of one piece of work: a batch of points (or chains) in the plane, and an MLP
// with two hidden layers of equal width and SiLU.
type Setting struct {
	Batch, Hidden int
	Precision     energy.Precision
	Threads       int // 0 means 1
}

// Sizes are those at which everything is timed.
var Sizes = []Setting{{Batch: 32, Hidden: 32}, {Batch: 128, Hidden: 64}, {Batch: 256, Hidden: 128},
	{Batch: 1024, Hidden: 256}}

// Work is a function that does one step. Products is the least number of matrix products (batch, hidden, hidden) that
// the step can be done with; 0 where nobody has counted.
type Work struct {
	Step     func() error
	Products float64
}

// FLOPs returns the floating-point operations of the least products of one step.
func (w Work) FLOPs(s Setting) float64 {
	return w.Products * 2 * float64(s.Batch) * float64(s.Hidden) * float64(s.Hidden)
}

// stepSize moves the chains, leapfrog is the length of a trajectory, sigma the noise of dsm, noiseStd that of nce,
// whose noise is one draw per datum; rate and maxNorm are Adam's. The PyTorch side (compare/peer.py) has the same.
const (
	stepSize = 0.01
	leapfrog = 10
	sigma    = 0.1
	noiseStd = 2.0
	rate     = 1e-3
	maxNorm  = 1.0
)

// restart is the number of steps after which chains and trainings begin anew. The energy of an untrained network does
// not hold chains, and score matching on one batch has no minimum: far out both are another computation.
const restart = 200

// model returns the network, its parameters and a batch from N(0, 4 I).
func (s Setting) model() (energy.Energy, *energy.Params, *mat.Dense, *rand.Rand, error) {
	rng := rand.New(rand.NewPCG(1, 2))
	e, err := energy.NewMLP(energy.MLPConfig{Dim: 2, Hidden: []int{s.Hidden, s.Hidden}})
	if err != nil {
		return nil, nil, nil, nil, err
	}
	x := mat.NewDense(s.Batch, 2, nil)
	for i := range x.RawMatrix().Data {
		x.RawMatrix().Data[i] = 2 * rng.NormFloat64()
	}
	return e, energy.Init(e, rng), x, rng, nil
}

// timed are objectives with the settings that they are timed with, and products: forward ones for data of dimension
// 2, and two more for each in the backward pass, except where an adjoint is one of the products already there.
var timed = []struct {
	objectives.Method
	products float64
}{
	{objectives.ScoreMatching{}, 12},
	{objectives.Hutchinson{}, 9},
	{objectives.Sliced{}, 9},
	{objectives.SlicedVR{}, 9},
	{objectives.Denoising{Sigma: sigma, Unpaired: true}, 6},
	{objectives.NCE{Ratio: 1, Density: must(density.NewIsotropic(make([]float64, 2), noiseStd))}, 6},
}

func must[T any](v T, err error) T {
	if err != nil {
		panic(err)
	}
	return v
}

// method returns the objective of that name as it is timed, and its products, if they were counted.
func method(name string) (objectives.Method, float64, error) {
	m, err := objectives.ByName(name)
	for _, t := range timed {
		if reflect.TypeOf(t.Method) == reflect.TypeOf(m) {
			return t.Method, t.products, err
		}
	}
	return m, 0, err
}

func (s Setting) config(x *mat.Dense) objectives.Config {
	return objectives.Config{Batch: s.Batch, Precision: s.Precision, Threads: s.Threads, Data: x}
}

// TrainStep is one step of training: noise, loss, gradient, clipping to norm maxNorm, Adam.
func TrainStep(objective string, s Setting) (Work, error) {
	m, products, err := method(objective)
	if err != nil {
		return Work{}, err
	}
	e, p, x, rng, err := s.model()
	if err != nil {
		return Work{}, err
	}
	o, err := objectives.New(m, e, p, s.config(x))
	if err != nil {
		return Work{}, err
	}
	opt := &train.Adam{LearningRate: rate, Threads: s.Threads}
	grad, start := make([]float64, p.Len()), slices.Clone(p.Data())
	count := 0
	return Work{Products: products, Step: func() error {
		if count%restart == 0 {
			copy(p.Data(), start)
			p.Changed()
		}
		count++
		if _, err := o.Gradient(grad, x, rng); err != nil {
			return err
		}
		train.Clip(grad, maxNorm)
		if err := opt.Step(p.Data(), grad); err != nil {
			return err
		}
		p.Changed()
		return nil
	}}, nil
}

// kernel is a sampler with the settings that it is timed with, and the products of a transition.
type kernel struct {
	name string
	mcmc.Kernel
	products float64
}

var kernels = []kernel{
	{"langevin", mcmc.Langevin{StepSize: stepSize}, 2},
	{"mala", mcmc.MALA{StepSize: stepSize}, 2},
	{"hmc", mcmc.HMC{StepSize: stepSize, Leapfrog: leapfrog}, 2 * leapfrog},
}

// kernelOf returns the index of a sampler; -1 if it is not timed.
func kernelOf(name string) int {
	return slices.IndexFunc(kernels, func(k kernel) bool { return k.name == name })
}

// IsSampler reports whether SamplerStep knows the name.
func IsSampler(name string) bool { return kernelOf(name) >= 0 }

// SamplerStep is one transition of all chains: langevin, mala, or hmc with leapfrog steps.
func SamplerStep(sampler string, s Setting) (Work, error) {
	if !IsSampler(sampler) {
		return Work{}, fmt.Errorf("benchmarks: sampler %q, want langevin, mala or hmc", sampler)
	}
	k := kernels[kernelOf(sampler)]
	e, p, x, rng, err := s.model()
	if err != nil {
		return Work{}, err
	}
	target, err := energy.NewEvaluator(e, p, s.evaluator())
	if err != nil {
		return Work{}, err
	}
	state := mcmc.NewState(mat.DenseCopyOf(x))
	count := 0
	return Work{Products: k.products, Step: func() error {
		if count%restart == 0 {
			state.X.Copy(x)
			state.Invalidate()
		}
		count++
		_, err := k.Step(state, target, rng)
		return err
	}}, nil
}

func (s Setting) evaluator() energy.EvaluatorConfig {
	return energy.EvaluatorConfig{Batch: s.Batch, Precision: s.Precision, Threads: s.Threads}
}
