package objectives_test

import (
	"bytes"
	"errors"
	"math"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"gonum.org/v1/gonum/floats"
	"gonum.org/v1/gonum/mat"
	G "gorgonia.org/gorgonia"

	"github.com/stheno-ebm/stheno/energy"
	"github.com/stheno-ebm/stheno/graphs"
	"github.com/stheno-ebm/stheno/mcmc"
	"github.com/stheno-ebm/stheno/objectives"
	"github.com/stheno-ebm/stheno/objectives/objectivetest"
)

func must[T any](v T, err error) T {
	if err != nil {
		panic(err)
	}
	return v
}

func newRNG(seed uint64) *rand.Rand { return rand.New(rand.NewPCG(seed, 1)) }

func normal(n, d int, seed uint64) *mat.Dense {
	rng := newRNG(seed)
	x := mat.NewDense(n, d, nil)
	for i := range n {
		for j := range d {
			x.Set(i, j, rng.NormFloat64()+float64(j)/2)
		}
	}
	return x
}

func mlp(d int) energy.Energy {
	return must(energy.NewMLP(energy.MLPConfig{Dim: d, Hidden: []int{5, 4}}))
}

// Every objective, in three dimensions, passes the kit: its gradient equals finite differences of its loss under
// common random numbers, in every parameter.
func TestEveryObjective(t *testing.T) {
	for _, name := range objectives.Names() {
		t.Run(name, func(t *testing.T) {
			e := energyFor(small(name), 3)
			p := energy.Init(e, newRNG(1))
			objectivetest.Check(t, func(p *energy.Params) (objectives.Objective, error) {
				return objectives.New(small(name), e, p, setup(3))
			}, p, normal(6, 3, 2))
		})
	}
}

// Regularisers compose with every objective.
func TestRegularizers(t *testing.T) {
	for _, name := range objectives.Names() {
		t.Run(name, func(t *testing.T) {
			m, cfg := small(name), setup(2)
			e := conditioned(m, 2, func(d int) energy.Energy { return must(energy.NewSpectral(mlp(d), 2)) })
			cfg.Regularizers = []objectives.Regularizer{
				objectives.EnergyL2{Alpha: 0.2}, objectives.GradientPenalty{Lambda: 0.3},
				objectives.WeightDecay{Lambda: 0.4},
			}
			p := energy.Init(e, newRNG(3))
			objectivetest.Check(t, func(p *energy.Params) (objectives.Objective, error) {
				return objectives.New(m, e, p, cfg)
			}, p, normal(6, 2, 4))
			o := must(objectives.New(m, e, p, cfg))
			s := must(o.Gradient(make([]float64, p.Len()), normal(6, 2, 4), newRNG(5)))
			cfg.Regularizers = nil
			bare := must(objectives.New(m, e, p, cfg))
			b := must(bare.Gradient(make([]float64, p.Len()), normal(6, 2, 4), newRNG(5)))
			if s.Penalty <= 0 || math.Abs(s.Loss-b.Loss-s.Penalty) > 1e-9 {
				t.Errorf("loss %g with penalty %g, without %g", s.Loss, s.Penalty, b.Loss)
			}
		})
	}
}

// Score matching over a bridge passes the kit, too.
func TestBridge(t *testing.T) {
	b := must(energy.Ladder(normal(50, 2, 1), []float64{0.3, 1}, 20, 2, newRNG(1)))
	for _, name := range objectives.Names() {
		m, cfg := small(name), setup(2)
		traits := m.Traits()
		if !traits.Bridge || traits.Levels != nil {
			continue
		}
		t.Run(name, func(t *testing.T) {
			e := must(energy.NewBridge(mlp(2), energy.BridgeConfig{Background: b, Share: 0.3, Blur: traits.Blur}))
			p := energy.Init(e, newRNG(6))
			objectivetest.Check(t, func(p *energy.Params) (objectives.Objective, error) {
				return objectives.New(m, e, p, cfg)
			}, p, normal(6, 2, 7))
		})
	}
}

// With a constant f the mixed density is a multiple c of the background: its score is that of the background, and
// where the data are draws of it, too, no score tells c from 1. What does is the term that holds the integral of q,
// ½(1/c-1)², whose gradient (1/c-1) d(1/c)/df is then left, and what tells data from background. Both are zero at c = 1
// only, the f of which is 0; where f is large the latter pulls it down at a constant rate.
func TestUnity(t *testing.T) {
	const eps, batch = 0.3, 16
	back := must(energy.Ladder(normal(50, 2, 1), []float64{0.5}, 20, 2, newRNG(1)))
	constant := func(d int) energy.Energy {
		return energy.Func{D: d, Params: []energy.Spec{{Name: "f", Shape: []int{1}}},
			F: func(x *G.Node, theta G.Nodes) (*G.Node, error) {
				return graphs.Try(func() *G.Node {
					return graphs.Mul(graphs.OnesLike(graphs.SliceCols(x, 0, 1)),
						graphs.ExpandRows(graphs.Reshape(theta[0], 1), x.Shape()[0]))
				})
			}}
	}
	// r and d log r/df of the odds, as energy.Bridge has them.
	odds := func(f float64) (r, slope float64) {
		return (1 - eps) / eps * math.Exp(-f) * (1 + math.Exp(-2)) / (1 + math.Exp(f-2)), -1 - 1/(1+math.Exp(2-f))
	}
	for _, name := range []string{"sm", "sm-hutchinson", "ssm", "ssm-vr", "fd-ssm", "dsm", "dsm-multi"} {
		t.Run(name, func(t *testing.T) {
			m, cfg := small(name), setup(2)
			cfg.Batch = batch
			var e energy.Energy
			weight, all := 1.0, 1.0 // of the term on the integral, and of that of small odds
			if m.Traits().Levels != nil {
				levels := []float64{0.2, 0.1}
				e = must(must(energy.NewAnnealable(constant(3), levels, 1)).Beside(back, eps))
				m = objectives.MultiDenoising{Sigmas: levels, Focus: -1, Floor: 0.2}
				weight = 0.2 * math.Hypot(0.1, 0.2) // λ of the smallest level
				all = 0.5 * (weight + 0.2*math.Hypot(0.2, 0.2))
			} else {
				e = must(energy.NewBridge(constant(2),
					energy.BridgeConfig{Background: back, Share: eps, Blur: m.Traits().Blur}))
			}
			p := energy.Init(e, newRNG(1))
			o := must(objectives.New(m, e, p, cfg))
			x, grad := mat.NewDense(batch, 2, nil), make([]float64, 1)
			back.Sample(x, newRNG(2))
			for _, f := range []float64{-0.5, 0, 0.4, 2, 4.9, 30} {
				p.View("f")[0] = f
				p.Changed()
				must(o.Gradient(grad, x, newRNG(3)))
				r, slope := odds(f)
				c := eps * (1 + r)
				want := weight*(1/c-1)*-eps*r*slope/(c*c) + 50*all*(eps*r-(1-eps))/((1+r)*(1+r))*slope
				if math.Abs(grad[0]-want) > 1e-12*max(1, math.Abs(want)) {
					t.Errorf("f = %g, ∫q = %g: gradient %g, want %g", f, c, grad[0], want)
				}
			}
		})
	}
}

// Paired denoising passes the kit, beside a background too. It is the mean of the unpaired at ε and -ε, so that its
// expectation is the same: in dsm but for the constant |ε/σ|²/2. Its gradient scatters less, and no more where σ is
// smaller.
func TestPaired(t *testing.T) {
	const batch, reps = 6, 100
	back := must(energy.Ladder(normal(50, 2, 1), []float64{0.5}, 20, 2, newRNG(1)))
	for name, e := range map[string]func(sigma float64) energy.Energy{
		"dsm": func(float64) energy.Energy { return mlp(2) },
		"dsm beside": func(sigma float64) energy.Energy {
			return must(energy.NewBridge(mlp(2), energy.BridgeConfig{Background: back, Blur: sigma}))
		},
		"dsm-multi": func(sigma float64) energy.Energy {
			return must(energy.NewAnnealable(mlp(3), energy.GeometricLevels(10*sigma, sigma, 4), 1))
		},
	} {
		t.Run(name, func(t *testing.T) {
			build := func(sigma float64, paired bool, p *energy.Params) *objectives.Engine {
				var m objectives.Method = objectives.Denoising{Sigma: sigma, Unpaired: !paired}
				if name == "dsm-multi" {
					m = objectives.MultiDenoising{Sigma: sigma, SigmaMax: 10 * sigma, Levels: 4, Floor: 0.3, Focus: 0.3,
						Unpaired: !paired}
				}
				return must(objectives.New(m, e(sigma), p, setup(2)))
			}
			p, x := energy.Init(e(0.1), newRNG(1)), normal(batch, 2, 2)
			objectivetest.Check(
				t, func(p *energy.Params) (objectives.Objective, error) { return build(0.1, true, p), nil }, p, x)

			both, one := build(0.1, true, p), build(0.1, false, p)
			got, want, mirrored := make([]float64, p.Len()), make([]float64, p.Len()), make([]float64, p.Len())
			loss := must(both.Gradient(got, x, newRNG(3))).Loss
			in := objectives.Inputs{}
			var constant float64
			for k, v := range both.Draws() {
				in[k] = slices.Clone(v)
			}
			if name == "dsm" {
				constant = 0.5 * floats.Dot(in["eps"], in["eps"]) / (0.1 * 0.1) / batch
			}
			mean := 0.5 * must(one.Evaluate(want, x, in)).Loss
			floats.Scale(-1, in["eps"])
			mean += 0.5 * must(one.Evaluate(mirrored, x, in)).Loss
			floats.Add(want, mirrored)
			floats.Scale(0.5, want)
			if name != "dsm beside" { // where the batch that ∫q is held at 1 by is blurred with ε, and not with -ε
				if math.Abs(loss+constant-mean) > 1e-12*math.Abs(mean) {
					t.Errorf("loss %g, want %g", loss+constant, mean)
				}
				if !floats.EqualApprox(got, want, 1e-12*floats.Norm(want, math.Inf(1))) {
					t.Errorf("gradient differs from the mean of those at ε and -ε by up to %g",
						floats.Distance(got, want, math.Inf(1)))
				}
			}

			scatter := func(sigma float64, paired bool) float64 { // of the gradient, over noises
				o, rng, grad := build(sigma, paired, p), newRNG(4), make([]float64, p.Len())
				sum, squares := make([]float64, p.Len()), 0.0
				for range reps {
					must(o.Gradient(grad, x, rng))
					floats.Add(sum, grad)
					squares += floats.Dot(grad, grad)
				}
				return math.Sqrt(squares/reps - floats.Dot(sum, sum)/(reps*reps))
			}
			fine, finer, single := scatter(0.01, true), scatter(0.001, true), scatter(0.001, false)
			if finer > 2*fine || single < 20*finer {
				t.Errorf("scatter %g at σ = 0.01 and %g at 0.001, %g unpaired", fine, finer, single)
			}
		})
	}
}

// The loss of dsm-multi is the mean of λ(½|∇E|² - ε·∇E/σ), with gradients from an evaluator of each point's level,
// which knows nothing of losses.
func TestLevelWeights(t *testing.T) {
	const batch = 40
	a := must(energy.NewAnnealable(mlp(3), energy.GeometricLevels(1, 0.1, 4), 1))
	p, x := energy.Init(a, newRNG(1)), normal(batch, 2, 2)
	for floor, weight := range map[float64]func(sigma float64) float64{
		0:   func(sigma float64) float64 { return sigma * sigma },
		0.3: func(sigma float64) float64 { return 0.3 * math.Hypot(sigma, 0.3) },
	} {
		cfg := setup(2)
		cfg.Batch = batch
		m := objectives.MultiDenoising{Sigmas: a.Levels(), Floor: floor, Focus: 0.3, Unpaired: true}
		if floor == 0 {
			m.Floor = -1 // none
		}
		o := must(objectives.New(m, a, p, cfg))
		got := must(o.Gradient(make([]float64, p.Len()), x, newRNG(3))).Loss
		eps, sigmas := o.Draws()["eps"], o.Draws()["sigma"]
		var want float64
		seen := map[float64]bool{}
		for i, sigma := range sigmas {
			seen[sigma] = true
			e, g := make([]float64, 1), mat.NewDense(1, 2, nil)
			y := mat.NewDense(1, 2, []float64{x.At(i, 0) + sigma*eps[2*i], x.At(i, 1) + sigma*eps[2*i+1]})
			ev := must(energy.NewEvaluator(a.At(sigma), p, energy.EvaluatorConfig{Batch: 1, Precision: energy.Float64}))
			if err := ev.EnergyGrad(e, g, y); err != nil {
				t.Fatal(err)
			}
			r := g.RawRowView(0)
			want += weight(sigma) * (0.5*floats.Dot(r, r) - floats.Dot(eps[2*i:2*i+2], r)/sigma) / batch
		}
		if len(seen) != 4 || math.Abs(got-want) > 1e-9*math.Abs(want) {
			t.Errorf("δ = %g: loss %.12g over %d levels, want %.12g over 4", floor, got, len(seen), want)
		}
	}
}

// Denoising beside a background passes the kit, and where data are draws of the background and the correction is a
// constant, which is the truth, its gradient is zero but for chance. Data that are wider it tells.
func TestBeside(t *testing.T) {
	const batch, reps, tolerance = 64, 300, 5.0
	back := must(energy.Ladder(normal(50, 2, 1), []float64{0.5}, 20, 2, newRNG(1)))
	a := must(must(energy.NewAnnealable(mlp(3), energy.GeometricLevels(2, 0.1, 4), 1)).Beside(back, 0.3))
	m := objectives.MultiDenoising{Sigmas: a.Levels(), Floor: 0.3, Focus: 0.3}
	p := energy.Init(a, newRNG(2))
	objectivetest.Check(t, func(p *energy.Params) (objectives.Objective, error) {
		return objectives.New(m, a, p, setup(2))
	}, p, normal(6, 2, 3))

	cfg := setup(2)
	cfg.Batch = batch
	last := a.Specs()[len(a.Specs())-2:] // of the last layer: none, and f is 0: p = b
	clear(p.View(last[0].Name))
	clear(p.View(last[1].Name))
	worst := func(width float64) float64 {
		return worstMean(must(objectives.New(m, a, p, cfg)), p.Len(), back, width, batch, reps, 1e-20)
	}
	// 26 parameters: |z| > 5 for any of them by chance for 1.5e-5 of all seeds.
	if z := worst(1); z > tolerance {
		t.Errorf("at the truth a mean gradient is %.1f standard errors from zero", z)
	}
	if z := worst(1.2); z < 2*tolerance {
		t.Errorf("data 1.2 times as wide: the largest mean gradient is %.1f standard errors from zero, want to tell", z)
	}
}

// vanishesAtTruth checks the largest mean gradient, of data that are drawn out by a width: it is zero at 1, and tells
// 1.3 from it.
func vanishesAtTruth(t *testing.T, worst func(width float64) float64, tolerance float64) {
	t.Helper()
	if z := worst(1); z > tolerance {
		t.Errorf("at the truth a mean gradient is %.1f standard errors from zero", z)
	}
	if z := worst(1.3); z < 1.5*tolerance {
		t.Errorf("data 1.3 times as wide: the largest mean gradient is %.1f standard errors from zero, want to tell", z)
	}
}

// worstMean is the largest mean gradient of n parameters, in its standard errors, over reps batches of back's draws,
// drawn out by width. Parameters whose squared gradients sum to no more than nothing are left out: theirs are zero
// but for rounding.
func worstMean(o objectives.Objective, n int, back *energy.Mixture, width float64, batch, reps int,
	nothing float64) (most float64) {
	rng, x, grad := newRNG(4), mat.NewDense(batch, 2, nil), make([]float64, n)
	sum, squares := make([]float64, n), make([]float64, n)
	for range reps {
		back.Sample(x, rng)
		x.Scale(width, x)
		must(o.Gradient(grad, x, rng))
		for i, g := range grad {
			sum[i] += g
			squares[i] += g * g
		}
	}
	r := float64(reps)
	for i, s := range sum {
		if mean := s / r; squares[i] > nothing {
			most = max(most, math.Abs(mean)/math.Sqrt((squares[i]/r-mean*mean)/r))
		}
	}
	return most
}

func TestRefusals(t *testing.T) {
	relu := must(energy.NewMLP(energy.MLPConfig{Dim: 2, Hidden: []int{3}, Activation: energy.ReLU}))
	hinge := energy.Func{D: 2, Kinked: errors.New("the hinge has no second derivative"),
		F: func(x *G.Node, _ G.Nodes) (*G.Node, error) {
			return graphs.Try(func() *G.Node { return graphs.RowSum(graphs.ReLU(x)) })
		}}
	smooth := mlp(2)
	annealed := must(energy.NewAnnealable(mlp(3), energy.GeometricLevels(2, 0.1, 3), 1))
	bg := must(energy.NewMixture(mat.NewDense(1, 2, nil), []float64{1}, nil))
	bridge := must(energy.NewBridge(smooth, energy.BridgeConfig{Background: bg}))
	type config = objectives.Config
	for _, c := range []struct {
		m    objectives.Method
		e    energy.Energy
		cfg  config
		says []string // reason and remedy
	}{
		{nil, smooth, config{}, []string{"needs a Method"}},
		{objectives.ScoreMatching{}, relu, config{}, []string{"relu", "second derivative", "silu"}},
		{objectives.SlicedVR{}, relu, config{}, []string{"relu"}},
		{objectives.Sliced{}, hinge, config{}, []string{"ssm", "the hinge has no second derivative"}},
		{objectives.Sliced{}, must(energy.Confine(hinge, nil, 1)), config{}, []string{"the hinge"}},
		{objectives.Denoising{Sigma: -1}, smooth, config{},
			[]string{"Denoising.Sigma = -1", "> 0", "nothing to denoise", "sm"}},
		{objectives.MultiDenoising{}, smooth, config{}, []string{"noise level", "NewAnnealable"}},
		{objectives.MultiDenoising{}, annealed, config{},
			[]string{"3 levels from 2 to 0.1", "8 levels", "Traits", "Sigmas"}},
		{objectives.MultiDenoising{Sigmas: []float64{1, 2}}, annealed, config{}, []string{"Sigmas", "fall"}},
		{objectives.NCE{}, smooth, config{}, []string{"Config.Data"}},
		{objectives.NCE{Noise: "pink"}, smooth, config{Data: normal(9, 2, 1)}, []string{"pink", "gaussian", "kde"}},
		{objectives.NCE{}, smooth, config{Data: normal(9, 3, 1)}, []string{"dimension 3"}},
		{objectives.FlowNCE{}, smooth, config{}, []string{"Config.Data"}},
		{objectives.FlowNCE{}, mlp(1), config{Data: normal(9, 1, 1)}, []string{"dimension 2", "nce"}},
		{objectives.FiniteDifference{Step: 1e-4}, smooth, config{}, []string{"rounding", "0.003", "ssm"}},
		{objectives.Likelihood{Buffer: 5}, smooth, config{Batch: 10}, []string{"Buffer = 5", "10"}},
		{objectives.Likelihood{Restart: 2}, smooth, config{}, []string{"Restart = 2"}},
		{objectives.ContrastiveDivergence{Chains: objectives.Chains{Kernel: mcmc.HMC{StepSize: -1}}}, smooth, config{},
			[]string{"StepSize"}},
		{objectives.PersistentCD{}, smooth, config{}, []string{"Config.Data", "Jumps"}},
		{objectives.KernelStein{}, smooth, config{Batch: 1}, []string{"pairs"}},
		{objectives.Sliced{Projection: "unit"}, smooth, config{}, []string{"unit", "sphere"}},
		{objectives.ScoreMatching{}, smooth, config{Batch: -1, Threads: -2}, []string{"Batch = -1", "Threads = -2"}},
		{objectives.NCE{}, bridge, config{Data: normal(9, 2, 1)}, []string{"bridge", "leave it out"}},
		{objectives.Denoising{Sigma: 0.1}, bridge, config{}, []string{"blurs", "Blur"}},
		{objectives.ScoreMatching{}, energy.Gaussian{D: 2},
			config{Regularizers: []objectives.Regularizer{objectives.WeightDecay{Lambda: 1}}},
			[]string{"no weight matrices"}},
		{objectives.ScoreMatching{}, smooth, config{Regularizers: []objectives.Regularizer{objectives.EnergyL2{}}},
			[]string{"Alpha = 0"}},
		{objectives.ScoreMatching{}, smooth, config{Regularizers: []objectives.Regularizer{nil}},
			[]string{"Regularizers[0] is nil"}},
	} {
		_, err := objectives.New(c.m, c.e, energy.Init(c.e, newRNG(1)), c.cfg)
		if err == nil {
			t.Errorf("%T %+v %+v: not refused", c.m, c.m, c.cfg)
			continue
		}
		for _, s := range c.says {
			if !strings.Contains(err.Error(), s) {
				t.Errorf("%T: error %q does not mention %q", c.m, err, s)
			}
		}
	}
	if _, err := objectives.New(objectives.ScoreMatching{}, nil, energy.NewParams(nil),
		objectives.Config{}); err == nil {
		t.Error("no energy: not refused")
	}
	if _, err := objectives.New(objectives.ScoreMatching{}, smooth, nil, objectives.Config{}); err == nil {
		t.Error("no parameters: not refused")
	}
	// A batch of another size, and the chains of a run with a different one.
	chains := func(batch int) (*objectives.Engine, []float64) {
		p := energy.Init(smooth, newRNG(1))
		return must(objectives.New(small("pcd"), smooth, p, objectives.Config{Batch: batch})), make([]float64, p.Len())
	}
	six, grad := chains(6)
	if _, err := six.Gradient(grad, normal(5, 2, 1), newRNG(1)); err == nil ||
		!strings.Contains(err.Error(), "objectives.Config.Batch") ||
		!strings.Contains(err.Error(), "train.Config.Batch") {
		t.Errorf("five points for a batch of six: %v", err)
	}
	if _, err := six.Gradient(grad, normal(6, 3, 1), newRNG(1)); err == nil ||
		!strings.Contains(err.Error(), "energy has dimension 2") {
		t.Errorf("points of dimension 3 for an energy of 2: %v", err)
	}
	if n, d := six.Dims(); n != 6 || d != 2 {
		t.Errorf("got batches of %d×%d, want 6×2", n, d)
	}
	four, _ := chains(4)
	state := must(four.MarshalState())
	if err := six.UnmarshalState(state); err == nil || !strings.Contains(err.Error(), "another configuration") {
		t.Errorf("the state of four chains for six: %v", err)
	}
	if _, err := objectives.New(objectives.ScoreMatching{}, smooth, energy.NewParams(nil),
		objectives.Config{}); err == nil {
		t.Error("parameters of another energy are accepted")
	}
}

// The zero value of every objective, given only the data, is accepted and gives finite gradients, of which only the
// first one allocates.
func TestDefaults(t *testing.T) {
	data := normal(300, 2, 9)
	for _, name := range objectives.Names() {
		m := named(name).Suited(objectives.FactsOf(data))
		e := energyFor(m, 2)
		p := energy.Init(e, newRNG(1))
		grad := make([]float64, p.Len())
		o, err := objectives.New(named(name), e, p, objectives.Config{Data: data, Batch: 16})
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		x := mat.DenseCopyOf(data.Slice(0, 16, 0, 2))
		s := must(o.Gradient(grad, x, newRNG(2)))
		if math.IsNaN(s.Loss) || math.IsInf(s.Loss, 0) {
			t.Errorf("%s: loss %g", name, s.Loss)
		}
		rng := newRNG(3)
		if n := testing.AllocsPerRun(10, func() { must(o.Gradient(grad, x, rng)) }); n != 0 {
			t.Errorf("%s: %g allocations per gradient, want 0", name, n)
		}
	}
}

// A loss that is not a number is reported as it is; nothing replaces it.
func TestNonFiniteLossIsReported(t *testing.T) {
	e := mlp(2)
	p := energy.Init(e, newRNG(1))
	p.Data()[0] = math.NaN()
	for _, name := range []string{"sm", "dsm", "nce", "mpf"} {
		o := must(objectives.New(small(name), e, p, setup(2)))
		s := must(o.Gradient(make([]float64, p.Len()), normal(6, 2, 1), newRNG(1)))
		if !math.IsNaN(s.Loss) {
			t.Errorf("%s: loss %g with NaN parameters, want NaN", name, s.Loss)
		}
	}
}

// TestFarDatum: a datum that is hundreds of nats above its neighbours, as on a funnel, leaves the loss and its gradient
// finite in single precision, and below the sentinel's limit of 1e12. That of mpf, an exponential, was infinite.
func TestFarDatum(t *testing.T) {
	const d = 2
	x := normal(6, d, 5)
	x.SetRow(0, []float64{30, -30})
	for _, name := range objectives.Names() {
		e := conditioned(small(name), d, func(d int) energy.Energy { return must(energy.Confine(mlp(d), nil, 1)) })
		p := energy.Init(e, newRNG(1))
		cfg := setup(d)
		cfg.Precision = energy.Float32
		grad := make([]float64, p.Len())
		s := must(must(objectives.New(small(name), e, p, cfg)).Gradient(grad, x, newRNG(3)))
		if norm := floats.Norm(grad, 2); !(math.Abs(s.Loss) < 1e12 && norm < 1e12) {
			t.Errorf("%s: loss %g, gradient %g", name, s.Loss, norm)
		}
	}
}

// A state that cannot be restored as a whole is not restored in part: the state of cd has the step of its chains,
// which pcd and ml have, too, but no chains.
func TestRestoreIsWholeOrNot(t *testing.T) {
	e := mlp(2)
	cfg := objectives.Config{Batch: 4}
	chains := objectives.Chains{Jumps: -1}
	cd := objectives.ContrastiveDivergence{Chains: chains}
	cd.StepSize = 0.123
	state, err := must(objectives.New(cd, e, energy.Init(e, newRNG(1)), cfg)).MarshalState()
	if err != nil {
		t.Fatal(err)
	}
	for name, m := range map[string]objectives.Method{
		"pcd": objectives.PersistentCD{Chains: chains}, "ml": objectives.Likelihood{Chains: chains, Buffer: 8},
	} {
		o := must(objectives.New(m, e, energy.Init(e, newRNG(1)), cfg))
		before := must(o.MarshalState())
		if err := o.UnmarshalState(state); err == nil {
			t.Errorf("%s: the state of cd is accepted", name)
		}
		if !bytes.Equal(must(o.MarshalState()), before) {
			t.Errorf("%s: a state that was refused has left something", name)
		}
	}
}

// Beside a background dsm-multi draws from it at every level, blurred by that level.
func TestBackgroundOfLevels(t *testing.T) {
	const n, sd = 6000, 0.4
	levels := energy.GeometricLevels(2, 0.1, 3)
	back := must(energy.NewMixture(mat.NewDense(1, 2, nil), []float64{sd}, nil))
	e := must(must(energy.NewAnnealable(mlp(3), levels, 1)).Beside(back, 0.2))
	p := energy.Init(e, newRNG(1))
	o := must(objectives.New(objectives.MultiDenoising{Sigmas: levels, Focus: -1, Unpaired: true}, e, p,
		objectives.Config{Batch: n}))
	must(o.Gradient(make([]float64, p.Len()), normal(n, 2, 2), newRNG(3)))
	in := o.Draws()
	sum, count := map[float64]float64{}, map[float64]float64{}
	for i, sigma := range in["background_sigma"] {
		for _, y := range in["background"][2*i : 2*i+2] {
			sum[sigma] += y * y / (sd*sd + sigma*sigma)
			count[sigma]++
		}
	}
	for _, sigma := range levels {
		k := count[sigma]
		if v := sum[sigma] / k; k < n/float64(2*len(levels)) || math.Abs(v-1) > 4.5*math.Sqrt(2/k) {
			t.Errorf("σ = %g: %g numbers of a variance %.3f times that of the blurred background", sigma, k, v)
		}
	}
}

// Chains move on the energy with the current parameters, even if nobody announced that these changed.
func TestChainsFollowTheta(t *testing.T) {
	const n = 8
	e := energy.Gaussian{D: 2}
	x := normal(n, 2, 1)
	for _, jumps := range []int{-1, 2} {
		p := energy.Init(e, newRNG(1))
		cfg := objectives.Config{Batch: n, Precision: energy.Float64, Data: x}
		cd := objectives.ContrastiveDivergence{Chains: objectives.Chains{Sampler: objectives.ChainLangevin,
			StepSize: 0.1, Steps: 3, Jumps: jumps}}
		negatives := func(o *objectives.Engine) []float64 {
			must(o.Gradient(make([]float64, p.Len()), x, newRNG(2)))
			return slices.Clone(o.Draws()["neg"])
		}
		o := must(objectives.New(cd, e, p, cfg))
		old := negatives(o)
		p.Data()[0] = 3
		got, want := negatives(o), negatives(must(objectives.New(cd, e, p, cfg)))
		if slices.Equal(got, old) || !slices.Equal(got, want) {
			t.Errorf("%d jumps: negatives %v, of a new objective %v", jumps, got, want)
		}
	}
}

// dsm weighted by σ² is σ² times dsm, gradient included, beside a background too: a weight on the data's part alone
// would move the minimum.
func TestWeightedDenoising(t *testing.T) {
	const sigma = 0.3
	b := must(energy.NewMixture(mat.NewDense(1, 2, nil), []float64{2}, nil))
	for name, e := range map[string]energy.Energy{
		"plain":  mlp(2),
		"bridge": must(energy.NewBridge(mlp(2), energy.BridgeConfig{Background: b, Blur: sigma})),
	} {
		p := energy.Init(e, newRNG(1))
		eval := func(weighted bool) (float64, []float64) {
			o := must(objectives.New(objectives.Denoising{Sigma: sigma, Weighted: weighted, Unpaired: true}, e, p,
				objectives.Config{Batch: 8, Precision: energy.Float64}))
			grad := make([]float64, p.Len())
			s := must(o.Gradient(grad, normal(8, 2, 2), newRNG(3)))
			return s.Loss, grad
		}
		plain, g := eval(false)
		weighted, w := eval(true)
		floats.Scale(sigma*sigma, g)
		if math.Abs(weighted-sigma*sigma*plain) > 1e-12*math.Abs(plain) ||
			!floats.EqualApprox(w, g, 1e-12*floats.Norm(g, math.Inf(1))) {
			t.Errorf("%s: loss %g, want %g; gradient differs from σ² times the unweighted one by up to %g",
				name, weighted, sigma*sigma*plain, floats.Distance(w, g, math.Inf(1)))
		}
	}
}
