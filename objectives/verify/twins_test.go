package verify

import (
	"math"
	"math/rand/v2"
	"testing"

	"gonum.org/v1/gonum/mat"
	G "gorgonia.org/gorgonia"

	"github.com/stheno-ebm/stheno/energy"
	"github.com/stheno-ebm/stheno/graphs"
	"github.com/stheno-ebm/stheno/mcmc"
	"github.com/stheno-ebm/stheno/objectives"
)

// twin is a Form with one thing wrong. Whatever it does not replace is the original's.
type twin struct {
	objectives.Form
	loss   func(b *objectives.Builder) *G.Node
	draw   func(in objectives.Inputs, d int) // after the original's draw
	derive func(in objectives.Inputs)        // after the original's derivation
}

func (w twin) Loss(b *objectives.Builder) *G.Node {
	if w.loss != nil {
		return w.loss(b)
	}
	return w.Form.Loss(b)
}

func (w twin) Draw(in objectives.Inputs, x *mat.Dense, rng *rand.Rand) error {
	err := w.Form.Draw(in, x, rng)
	if w.draw != nil {
		_, d := x.Dims()
		w.draw(in, d)
	}
	return err
}

func (w twin) Derive(in objectives.Inputs, x *mat.Dense) error {
	if f, ok := w.Form.(objectives.Deriver); ok {
		if err := f.Derive(in, x); err != nil {
			return err
		}
	}
	if w.derive != nil {
		w.derive(in)
	}
	return nil
}

// broken compiles an objective with something replaced.
func broken(replace twin) build {
	return func(m objectives.Method, e energy.Energy, p *energy.Params, cfg objectives.Config) (*objectives.Engine,
		error) {
		o, err := objectives.New(m, e, p, cfg)
		if err != nil {
			return nil, err
		}
		w := replace
		w.Form = o.Form()
		if l, ok := w.Form.(objectives.Learner); ok {
			return objectives.Compile(learningTwin{w, l}, e, p, cfg)
		}
		return objectives.Compile(w, e, p, cfg)
	}
}

// learningTwin keeps the parameters of a Learner.
type learningTwin struct {
	twin
	l objectives.Learner
}

func (w learningTwin) OwnParams() *energy.Params { return w.l.OwnParams() }
func (w learningTwin) OwnRate() float64          { return w.l.OwnRate() }
func (w learningTwin) Repeats() int              { return w.l.Repeats() }

// withKernel replaces the transitions of the chains.
func withKernel(k mcmc.Kernel) build {
	return func(m objectives.Method, e energy.Energy, p *energy.Params, cfg objectives.Config) (*objectives.Engine,
		error) {
		switch c := m.(type) {
		case objectives.ContrastiveDivergence:
			c.Kernel = k
			m = c
		case objectives.PersistentCD:
			c.Kernel = k
			m = c
		case objectives.Likelihood:
			c.Kernel = k
			m = c
		}
		return objectives.New(m, e, p, cfg)
	}
}

// withoutData omits what an objective makes of the data: the jumps of mpf, whose scatter would drown an error.
func withoutData(b build) build {
	return func(m objectives.Method, e energy.Energy, p *energy.Params, cfg objectives.Config) (*objectives.Engine,
		error) {
		cfg.Data = nil
		return b(m, e, p, cfg)
	}
}

func halfSq(r *G.Node) *G.Node { return graphs.Scale(graphs.RowSum(graphs.Square(r)), 0.5) }
func dot(a, b *G.Node) *G.Node { return graphs.RowSum(graphs.Mul(a, b)) }
func grad(b *objectives.Builder) (u, g *G.Node) {
	u = b.E(b.X)
	return u, b.Gradient(u, b.X)
}

// slices sums f over the two directions per point of the checks' settings.
func slices(b *objectives.Builder, name string, f func(v *G.Node) *G.Node) *G.Node {
	v := b.In(name)
	a, c := graphs.SliceRows(v, 0, b.N), graphs.SliceRows(v, b.N, 2*b.N)
	return graphs.Mean(graphs.Scale(graphs.Add(f(a), f(c)), 0.5))
}

func differences(b *objectives.Builder, m int) *G.Node {
	return graphs.Sub(graphs.ExpandCols(b.E(b.X), m), graphs.Reshape(b.E(b.In("neighbours")), b.N, m))
}

func shrink(name string, c float64) func(objectives.Inputs, int) {
	return func(in objectives.Inputs, _ int) {
		for i := range in[name] {
			in[name][i] *= c
		}
	}
}

// unitLength normalises the rows of the input.
func unitLength(name string) func(objectives.Inputs, int) {
	return func(in objectives.Inputs, d int) {
		for v := in[name]; len(v) > 0; v = v[d:] {
			var sq float64
			for _, a := range v[:d] {
				sq += a * a
			}
			for j := range v[:d] {
				v[j] /= math.Sqrt(sq)
			}
		}
	}
}

// logK cancels the -log k of nce.
func logK(k float64) func(objectives.Inputs) {
	return func(in objectives.Inputs) {
		for _, name := range []string{"log_q_data", "log_q_noise"} {
			for i := range in[name] {
				in[name][i] -= math.Log(k)
			}
		}
	}
}

var biased = mcmc.Langevin{StepSize: 0.4} // a step so long that its stationary distribution is a different one

// twins has one wrong version of every objective, with what is wrong.
var twins = map[string]struct {
	wrong string
	b     build
}{
	"sm": {"the trace divided by d", broken(twin{loss: func(b *objectives.Builder) *G.Node {
		u, g := grad(b)
		return graphs.Mean(graphs.Sub(halfSq(g), graphs.Scale(graphs.Must(graphs.HessianTrace(u, b.X)), 0.5)))
	}})},
	"sm-hutchinson": {"probes of variance 0.8", broken(twin{draw: shrink("eps", math.Sqrt(0.8))})},
	"ssm": {"half the curvature", broken(twin{loss: func(b *objectives.Builder) *G.Node {
		u, g := grad(b)
		return slices(b, "v", func(v *G.Node) *G.Node {
			return graphs.Scale(graphs.Sub(graphs.Square(dot(v, g)),
				graphs.Must(graphs.DirectionalCurvature(u, b.X, v))), 0.5)
		})
	}})},
	"ssm-vr": {"unit-length v with the full norm", broken(twin{draw: unitLength("v")})},
	"fd-ssm": {"the second difference over 2ε²", broken(twin{loss: func(b *objectives.Builder) *G.Node {
		const eps = 0.02
		v := graphs.Scale(b.In("v"), eps)
		u, hi, lo := b.E(b.X), b.E(graphs.Add(b.X, v)), b.E(graphs.Sub(b.X, v))
		first := graphs.Scale(graphs.Square(graphs.Sub(hi, lo)), 0.5/(4*eps*eps))
		second := graphs.Scale(graphs.Sub(graphs.Add(hi, lo), graphs.Scale(u, 2)), 1/(2*eps*eps))
		return graphs.Mean(graphs.Sub(first, second))
	}})},
	"dsm": {"the sign of the target", broken(twin{loss: func(b *objectives.Builder) *G.Node {
		y := graphs.Add(b.X, graphs.Scale(b.In("eps"), 0.4))
		g := b.Gradient(b.E(y), y)
		return graphs.Mean(halfSq(graphs.Add(graphs.Scale(b.In("eps"), 1/0.4), g)))
	}})},
	"dsm-multi": {"the level left out of the residual", broken(twin{loss: func(b *objectives.Builder) *G.Node {
		wide := graphs.ExpandCols(b.In("sigma"), b.D)
		y := graphs.Add(b.X, graphs.Mul(wide, b.In("eps")))
		u := graphs.Must(b.Energy().(energy.NoiseConditional).BuildAt(y, b.In("sigma"), b.Theta))
		return graphs.Mean(halfSq(graphs.Sub(b.In("eps"), b.Gradient(u, y))))
	}})},
	"nce":      {"no log k", broken(twin{derive: logK(2)})},
	"flow-nce": {"noise narrower than its density says", broken(twin{draw: shrink("base", 0.7)})},
	"cnce": {"a one-sided kernel", broken(twin{draw: func(in objectives.Inputs, _ int) {
		for i, v := range in["eps"] {
			in["eps"][i] = math.Abs(v)
		}
	}})},
	"mpf": {"no half in the exponent", withoutData(broken(twin{loss: func(b *objectives.Builder) *G.Node {
		return graphs.Mean(graphs.Exp(differences(b, 2)))
	}}))},
	"ed": {"the datum not among the candidates", broken(twin{loss: func(b *objectives.Builder) *G.Node {
		return graphs.Mean(graphs.RowLogSumExp(differences(b, 8)))
	}})},
	"ksd": {"one of two equal terms", broken(twin{loss: func(b *objectives.Builder) *G.Node {
		_, g := grad(b)
		s := graphs.Sub(b.In("tilt"), g)
		return graphs.Sum(graphs.Mul(s, graphs.Add(graphs.MatMul(b.In("k"), s, false, false), b.In("dk"))))
	}})},
	"cd":  {"unadjusted chains with a long step", withKernel(biased)},
	"pcd": {"unadjusted chains with a long step", withKernel(biased)},
	"ml":  {"unadjusted chains with a long step", withKernel(biased)},
	"lsd": {"the trace left out", broken(twin{loss: func(b *objectives.Builder) *G.Node {
		_, g := grad(b)
		h := b.X
		for t := b.Own; ; t = t[2:] {
			h = graphs.Affine(h, t[0], t[1])
			if len(t) == 2 {
				break
			}
			h = graphs.SiLU(h)
		}
		loss := graphs.Neg(graphs.Mean(dot(g, h)))
		b.SetOwnLoss(graphs.Neg(loss))
		return loss
	}})},
}

// named is the trial for a registered objective.
func named(t *testing.T, name string) trial {
	t.Helper()
	m, err := objectives.ByName(name)
	if err != nil {
		t.Fatal(err)
	}
	return trialOf(m)
}

// Every objective has a broken twin, whose expected gradient at the truth is found to be different from zero.
func TestBrokenTwinsFail(t *testing.T) {
	for _, name := range objectives.Names() {
		t.Run(name, func(t *testing.T) {
			w, ok := twins[name]
			if !ok {
				t.Fatal("no broken twin")
			}
			var z, limit float64
			var err error
			trial := named(t, name)
			if hasCritic(trial.method.Traits()) {
				z, limit, err = steinIdentity(w.b, trial.truth, 42)
			} else {
				z, limit, err = zeroGradient(w.b, trial.truth, 42)
			}
			t.Logf("%s: z = %.3g, limit %.3g", w.wrong, z, limit)
			if err != nil || z < 1.5*limit {
				t.Errorf("%s passes: z = %g, want far above %g (error %v)", w.wrong, z, limit, err)
			}
		})
	}
}

// Sliced score matching with unit-length v and the full norm learns 1/d of the score: in two dimensions twice the
// covariance.
func TestUnitSlicesLearnHalfTheScore(t *testing.T) {
	p := gaussian.params()
	o, err := twins["ssm-vr"].b(named(t, "ssm-vr").method, gaussian.e, p, config(nil))
	if err != nil {
		t.Fatal(err)
	}
	m := meanGradientAt(t, o, p, 1/math.Sqrt2)
	if z := m.worst(nil); z > threshold(6, m.n) {
		t.Errorf("gradient at half the precision: z = %g, want 0: the mistake has another optimum than it is known for",
			z)
	}
	if z, limit, err := zeroGradient(objectives.New, named(t, "ssm-vr").truth, 43); err != nil || z > limit {
		t.Errorf("the right objective: z = %g, limit %g, %v", z, limit, err)
	}
}

// meanGradientAt gathers gradients with the Gaussian's factor scaled by c, on data of the unscaled one.
func meanGradientAt(t *testing.T, o objectives.Objective, p *energy.Params, c float64) *moments {
	t.Helper()
	rng := newRNG(44, 1)
	for i := range p.View("factor") {
		p.View("factor")[i] *= c
	}
	x := mat.NewDense(128, 2, nil)
	grad := make([]float64, p.Len())
	m := newMoments(p.Len())
	for range 150 {
		gaussian.e.Sample(gaussian.params(), x, rng)
		if _, err := o.Gradient(grad, x, rng); err != nil {
			t.Fatal(err)
		}
		m.add(grad)
	}
	return m
}

// Noise contrastive estimation with its known mistakes: energies (n, 1) minus log densities (n) broadcast to (n, n),
// and the log density summed over the wrong axis.
func TestContrastMistakes(t *testing.T) {
	broadcast := twin{loss: func(b *objectives.Builder) *G.Node {
		term := func(x *G.Node, logq string, sign float64) *G.Node {
			e, q := b.E(x), b.In(logq)
			m := e.Shape()[0]
			// (m, m): E_i + log q_j
			u := graphs.Add(graphs.ExpandCols(e, m), graphs.ExpandRows(graphs.Reshape(q, m), m))
			return graphs.Mean(graphs.Softplus(graphs.Scale(graphs.Shift(u, math.Log(2)), sign)))
		}
		return graphs.Add(term(b.X, "log_q_data", 1), graphs.Scale(term(b.In("noise"), "log_q_noise", -1), 2))
	}}
	axis := twin{derive: func(in objectives.Inputs) {
		for _, name := range []string{"log_q_data", "log_q_noise"} {
			v := in[name]
			var sum float64
			for _, a := range v {
				sum += a
			}
			for i := range v {
				v[i] = sum / float64(len(v)) // every point has the same noise density
			}
		}
	}}
	for name, w := range map[string]twin{"broadcast": broadcast, "axis": axis} {
		if z, limit, err := zeroGradient(broken(w), named(t, "nce").truth, 45); err != nil || z < 2*limit {
			t.Errorf("%s: z = %g, want far above %g (error %v)", name, z, limit, err)
		}
	}
}

// Denoising with the sign of the target turned learns an inverted energy: a step against its gradient from a flat
// energy raises the energy where the data are.
func TestTurnedSignInvertsTheEnergy(t *testing.T) {
	curvature := func(b build) float64 {
		p := gaussian.params()
		for i := range p.View("factor") {
			p.View("factor")[i] *= 0.1
		}
		before := append([]float64(nil), p.View("factor")...)
		o, err := b(named(t, "dsm").method, gaussian.e, p, config(nil))
		if err != nil {
			t.Fatal(err)
		}
		m := meanGradientAt(t, o, p, 1)
		var dot float64
		for i, f := range before {
			dot -= f * m.mean[2+i] // descent along the factor
		}
		return dot
	}
	if right, wrong := curvature(objectives.New), curvature(twins["dsm"].b); !(right > 0 && wrong < 0) {
		t.Errorf("growth of the curvature: right %g, want > 0; turned %g, want < 0", right, wrong)
	}
}

// Finite differences with a step below float32's rounding return noise; New refuses them.
func TestTinyStepsAreRoundingNoise(t *testing.T) {
	e, p, x, err := linkSetup(46)
	if err != nil {
		t.Fatal(err)
	}
	n, _ := x.Dims()
	gradient := func(prec energy.Precision, eps float64) []float64 {
		cfg := objectives.Config{Batch: n, Precision: prec}
		o, err := objectives.New(objectives.FiniteDifference{Step: eps}, e, p, cfg)
		if err != nil {
			return nil
		}
		g := make([]float64, p.Len())
		if _, err := o.Gradient(g, x, newRNG(1, 1)); err != nil {
			t.Fatal(err)
		}
		return g
	}
	if gradient(energy.Float32, 1e-4) != nil {
		t.Error("a step of 1e-4 in float32 is accepted")
	}
	exact := gradient(energy.Float64, 1e-3)
	relative := func(g []float64) float64 {
		var d, most float64
		for i := range g {
			d = max(d, math.Abs(g[i]-exact[i]))
			most = max(most, math.Abs(exact[i]))
		}
		return d / most
	}
	if d := relative(gradient(energy.Float32, 0)); !(d < 0.02) {
		t.Errorf("float32 with the default step is off by %g", d)
	}
	// the same objective without the guard, built from the form of a permitted step
	tiny := twin{loss: func(b *objectives.Builder) *G.Node {
		const eps = 1e-4
		v := graphs.Scale(b.In("v"), eps)
		u, hi, lo := b.E(b.X), b.E(graphs.Add(b.X, v)), b.E(graphs.Sub(b.X, v))
		first := graphs.Scale(graphs.Square(graphs.Sub(hi, lo)), 0.5/(4*eps*eps))
		second := graphs.Scale(graphs.Sub(graphs.Add(hi, lo), graphs.Scale(u, 2)), 1/(eps*eps))
		return graphs.Mean(graphs.Sub(first, second))
	}}
	o, err := broken(tiny)(objectives.FiniteDifference{}, e, p, objectives.Config{Batch: n})
	if err != nil {
		t.Fatal(err)
	}
	g := make([]float64, p.Len())
	if _, err := o.Gradient(g, x, newRNG(1, 1)); err != nil {
		t.Fatal(err)
	}
	if d := relative(g); d < 0.05 {
		t.Errorf("a step of 1e-4 in float32 is off by %g only: the guard is too strict", d)
	}
}

// wrongNoise is Langevin with the noise of half the step: a temperature nobody asked for.
type wrongNoise struct{ mcmc.Langevin }

func (k wrongNoise) Step(s *mcmc.State, t mcmc.Target, rng *rand.Rand) (mcmc.Info, error) {
	n, d := s.X.Dims()
	noise := mat.NewDense(n, d, nil)
	for i := range noise.RawMatrix().Data {
		noise.RawMatrix().Data[i] = math.Sqrt(0.5) * rng.NormFloat64()
	}
	return k.Move(s, t, noise)
}

// Samplers with something wrong fail the check that the right ones pass.
func TestBrokenSamplersFail(t *testing.T) {
	if z, limit, err := langevinLaw(wrongNoise{mcmc.Langevin{StepSize: 0.3}}, 5100, 0.3); err != nil || z < 2*limit {
		t.Errorf("Langevin with the wrong noise: z = %g, want far above %g (%v)", z, limit, err)
	}
	if z, limit, err := stationary(mcmc.Langevin{StepSize: 0.6}, 20, gaussian, 5000); err != nil || z < 2*limit {
		t.Errorf("MALA without its acceptance: z = %g, want far above %g (%v)", z, limit, err)
	}
	if z, limit, err := farModes(mcmc.HMC{StepSize: 0.4, Leapfrog: 4}, 150, 5103); err != nil || z < 2*limit {
		t.Errorf("HMC without tempering between far modes: z = %g, want far above %g (%v)", z, limit, err)
	}
}
