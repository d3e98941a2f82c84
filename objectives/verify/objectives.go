package verify

import (
	"math"
	"math/rand/v2"

	"gonum.org/v1/gonum/mat"

	"github.com/stheno-ebm/stheno/energy"
	"github.com/stheno-ebm/stheno/graphs/vector"
	"github.com/stheno-ebm/stheno/objectives"
)

// build compiles the objective under test, as New does, or a test's twin of it.
type build func(
	m objectives.Method, e energy.Energy, p *energy.Params, cfg objectives.Config,
) (*objectives.Engine, error)

func newRNG(seed, stream uint64) *rand.Rand { return rand.New(rand.NewPCG(seed, stream)) }

// target is a known density with the parameters to recover.
type target struct {
	name  string
	e     energy.Known
	theta []float64
}

var (
	gaussian = target{"gaussian", energy.Gaussian{D: 2}, []float64{0.5, -0.3, 1.1, 0, 0.4, 0.9}}
	mixture  = target{"mixture", energy.GaussianMixture{D: 2, K: 2}, []float64{
		0.3, -0.3, // logits
		-1, 0.3, 0.9, -0.4, // means
		math.Log(0.7), math.Log(0.8), math.Log(0.6), math.Log(0.9), // log_stds
	}}
)

func (t target) params() *energy.Params {
	p := energy.NewParams(t.e.Specs())
	copy(p.Data(), t.theta)
	return p
}

// config returns the configuration of every objective in the checks. Data are draws from the target.
func config(data *mat.Dense) objectives.Config {
	return objectives.Config{Batch: 128, Precision: energy.Float64, Data: data}
}

// energyFor wraps the target for objectives that need an energy at several noise levels.
func (t target) energyFor(levels []float64) energy.Energy {
	if m, ok := t.e.(energy.GaussianMixture); ok && levels != nil {
		return energy.BlurredMixture{GaussianMixture: m, Sigmas: levels}
	}
	return t.e
}

// ofObjectives returns the checks of every registered objective.
func ofObjectives() []Check {
	var checks []Check
	for i, name := range objectives.Names() {
		m, err := objectives.ByName(name)
		if err != nil {
			panic(err) // cannot happen: the name was listed
		}
		checks = append(checks, ObjectiveChecks(name, m, uint64(1000+10*i))...)
	}
	return checks
}

// ObjectiveChecks returns the checks of any objective, under a name for the table.
func ObjectiveChecks(name string, m objectives.Method, seed uint64) []Check {
	t := trialOf(m)
	traits := t.method.Traits()
	checks := []Check{{name, "mlp", "finite differences", func() (float64, float64, error) {
		return gradientError(objectives.New, t.method, seed)
	}}}
	if hasCritic(traits) {
		checks = append(checks, Check{name, "mixture", "z of Stein identity", func() (float64, float64, error) {
			return steinIdentity(objectives.New, t.truth, seed+1)
		}})
	} else {
		checks = append(checks, Check{name, "mixture", "z at the truth", func() (float64, float64, error) {
			return zeroGradient(objectives.New, t.truth, seed+1)
		}})
	}
	if traits.Levels == nil { // a Gaussian is a mixture of one: covered by the next check
		checks = append(checks, Check{name, "gaussian", "recovery error", func() (float64, float64, error) {
			return recovery(gaussian, objectives.New, t.method, seed+2)
		}})
	}
	return append(checks, Check{name, "mixture", "recovery error", func() (float64, float64, error) {
		return recovery(mixture, objectives.New, t.method, seed+3)
	}})
}

// hasCritic reports whether the loss is zero at the truth for every critic, but its gradient only for the best one.
func hasCritic(t objectives.Traits) bool { return t.Score && t.Aux }

// gradientError returns the largest difference between the gradient and central differences of the loss, over all
// parameters of a small MLP in three dimensions, relative to the largest element.
func gradientError(b build, m objectives.Method, seed uint64) (value, tol float64, err error) {
	rng := newRNG(seed, 1)
	width, levels := 3, m.Traits().Levels
	if levels != nil {
		width++
	}
	var e energy.Energy
	if e, err = energy.NewMLP(energy.MLPConfig{Dim: width, Hidden: []int{6, 5}, Activation: energy.Tanh}); err != nil {
		return 0, 0, err
	}
	if levels != nil {
		if e, err = energy.NewAnnealable(e, levels, 1); err != nil {
			return 0, 0, err
		}
	}
	p := energy.Init(e, rng)
	data := mat.NewDense(200, 3, nil)
	vector.Normal(data.RawMatrix().Data, rng)
	cfg := config(data)
	cfg.Batch = 8
	o, err := b(m, e, p, cfg)
	if err != nil {
		return 0, 0, err
	}
	x := mat.NewDense(8, 3, nil)
	vector.Normal(x.RawMatrix().Data, rng)
	grad := make([]float64, p.Len())
	if _, err := o.Gradient(grad, x, rng); err != nil {
		return 0, 0, err
	}
	if _, err := o.Evaluate(grad, x, nil); err != nil { // the same draws, with auxiliary parameters held fixed
		return 0, 0, err
	}
	most := 0.0
	for _, g := range grad {
		most = max(most, math.Abs(g))
	}
	const h = 1e-5
	theta := p.Data()
	for i, v := range theta {
		theta[i] = v + h
		hi, err := o.Evaluate(nil, x, nil)
		if err != nil {
			return 0, 0, err
		}
		theta[i] = v - h
		lo, err := o.Evaluate(nil, x, nil)
		if err != nil {
			return 0, 0, err
		}
		theta[i] = v
		value = max(value, math.Abs((hi.Loss-lo.Loss)/(2*h)-grad[i])) // max keeps NaN
	}
	return value / most, 1e-6, nil
}

// zeroGradient returns the largest |z| of the mean gradient over independent batches at the true parameters of the
// mixture.
func zeroGradient(b build, m objectives.Method, seed uint64) (value, tol float64, err error) {
	const reps = 150
	rng := newRNG(seed, 1)
	p := mixture.params()
	source := p.Clone() // the source of the data
	traits := m.Traits()
	if s := traits.Blur; s > 0 { // it learns the data blurred by σ: subtract σ² from the variances of the data
		ls := source.View("log_stds")
		for i, v := range ls {
			ls[i] = 0.5 * math.Log(math.Exp(2*v)-s*s)
		}
	}
	data := mat.NewDense(1000, 2, nil)
	mixture.e.Sample(source, data, rng)
	cfg := config(data)
	o, err := b(m, mixture.energyFor(traits.Levels), p, cfg)
	if err != nil {
		return 0, 0, err
	}
	x := mat.NewDense(cfg.Batch, 2, nil)
	grad := make([]float64, p.Len())
	warm := 0
	if traits.Chains { // let the chains reach stationarity
		warm = 60
	}
	mean := newMoments(len(grad))
	for r := range warm + reps {
		mixture.e.Sample(source, x, rng)
		if _, err := o.Gradient(grad, x, rng); err != nil {
			return 0, 0, err
		}
		if r >= warm {
			mean.add(grad)
		}
	}
	return mean.worst(nil), threshold(len(grad), reps), nil
}

// steinIdentity returns |z| of the mean of s·f + tr ∇f at the truth, for a random, untrained critic f.
func steinIdentity(b build, m objectives.Method, seed uint64) (value, tol float64, err error) {
	const reps = 150
	rng := newRNG(seed, 1)
	p := mixture.params()
	o, err := b(m, mixture.e, p, config(nil))
	if err != nil {
		return 0, 0, err
	}
	phi := o.Form().(objectives.Learner).OwnParams()
	for i := range phi.Data() {
		phi.Data()[i] = 0.3 * rng.NormFloat64()
	}
	x := mat.NewDense(128, 2, nil)
	draws := o.Draws()
	mean := newMoments(1)
	for range reps {
		mixture.e.Sample(p, x, rng)
		if err := o.Form().Draw(draws, x, rng); err != nil {
			return 0, 0, err
		}
		s, err := o.Evaluate(nil, x, nil)
		if err != nil {
			return 0, 0, err
		}
		mean.add([]float64{s.Loss})
	}
	return mean.worst(nil), threshold(1, reps), nil
}

// recovery trains from a perturbed start and returns the largest error in what the target identifies. It uses Adam with
// a decaying rate on fresh data; the estimate is the mean of θ over the second half.
func recovery(t target, b build, method objectives.Method, seed uint64) (value, tol float64, err error) {
	const steps = 1200
	rng := newRNG(seed, 1)
	truth := t.params()
	p := truth.Clone()
	for i := range p.Data() {
		p.Data()[i] += 0.3 * (2*rng.Float64() - 1)
	}
	data := mat.NewDense(2000, 2, nil)
	t.e.Sample(truth, data, rng)
	cfg := config(data)
	cfg.Precision = energy.Float32 // the precision users train in
	traits := method.Traits()
	o, err := b(method, t.energyFor(traits.Levels), p, cfg)
	if err != nil {
		return 0, 0, err
	}
	k := p.Len()
	grad, m, v, mean := make([]float64, k), make([]float64, k), make([]float64, k), make([]float64, k)
	x := mat.NewDense(cfg.Batch, 2, nil)
	for s := range steps {
		t.e.Sample(truth, x, rng)
		if _, err := o.Gradient(grad, x, rng); err != nil {
			return 0, 0, err
		}
		adam := vector.Adam{LearningRate: 0.02 * min(1, 2-2*float64(s)/steps), Beta1: 0.9, Beta2: 0.999, Eps: 1e-8}
		adam.Step(p.Data(), m, v, grad, s+1)
		p.Changed()
		if s >= steps/2 {
			vector.Axpy(mean, 2.0/steps, p.Data())
		}
	}
	copy(p.Data(), mean)
	got, want := t.identified(p, 0), t.identified(truth, traits.Blur)
	for i := range got {
		value = max(value, math.Abs(got[i]-want[i])) // max keeps NaN
	}
	return value, 0.1, nil
}

// identified returns the numbers determined by the density blurred by sigma: mean and covariance, or weights, means and
// deviations.
func (t target) identified(p *energy.Params, sigma float64) []float64 {
	switch e := t.e.(type) {
	case energy.Gaussian:
		out := append([]float64(nil), p.View("mean")...)
		cov := e.Covariance(p)
		if cov == nil {
			return append(out, math.NaN())
		}
		return append(out, cov.At(0, 0)+sigma*sigma, cov.At(0, 1), cov.At(1, 1)+sigma*sigma)
	case energy.GaussianMixture:
		out := e.Weights(p)
		out = append(out, p.View("means")...)
		for _, ls := range p.View("log_stds") {
			out = append(out, math.Hypot(math.Exp(ls), sigma))
		}
		return out
	}
	panic("verify: unknown target")
}
