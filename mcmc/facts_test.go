package mcmc_test

import (
	"context"
	"math"
	"math/rand/v2"
	"strings"
	"testing"

	"gonum.org/v1/gonum/mat"

	"github.com/stheno-ebm/stheno/mcmc"
	"github.com/stheno-ebm/stheno/mcmc/mcmctest"
)

// gaussian is N(0, diag(sd²)), sd 1 where there is none.
func gaussian(sd ...float64) mcmc.RowFunc {
	return func(grad, x []float64) float64 {
		var e float64
		for j, v := range x {
			s := 1.0
			if j < len(sd) {
				s = sd[j]
			}
			e += v * v / (2 * s * s)
			grad[j] = v / (s * s)
		}
		return e
	}
}

// counted counts calls and rows.
type counted struct {
	mcmc.Target
	calls, rows int
}

func (c *counted) EnergyGrad(e []float64, grad, x *mat.Dense) error {
	c.calls++
	c.rows += len(e)
	return c.Target.EnergyGrad(e, grad, x)
}

func source(seed uint64) *rand.Rand { return rand.New(rand.NewPCG(seed, 1)) }

func normalBatch(n, d int, rng *rand.Rand) *mat.Dense {
	x := mat.NewDense(n, d, nil)
	for i := range x.RawMatrix().Data {
		x.RawMatrix().Data[i] = rng.NormFloat64()
	}
	return x
}

func TestGradientCounts(t *testing.T) {
	const k = 7
	for name, c := range map[string]struct {
		kernel mcmc.Kernel
		want   int
	}{
		"langevin": {mcmc.Langevin{StepSize: .1}, k},
		"mala":     {mcmc.MALA{StepSize: .1}, k + 1},
		"hmc":      {mcmc.HMC{StepSize: .1, Leapfrog: 5}, k*5 + 1},
		"baoab":    {mcmc.BAOAB{StepSize: .1}, k + 1},
	} {
		t.Run(name, func(t *testing.T) {
			target := &counted{Target: gaussian()}
			rng := source(1)
			s := mcmc.NewState(normalBatch(4, 3, rng))
			rows := 0
			for range k {
				info, err := c.kernel.Step(s, target, rng)
				if err != nil {
					t.Fatal(err)
				}
				rows += info.Evaluations
			}
			if target.calls != c.want {
				t.Errorf("%d steps: got %d gradients, want %d", k, target.calls, c.want)
			}
			if rows != target.rows {
				t.Errorf("Evaluations: got %d, want %d", rows, target.rows)
			}
		})
	}
}

// TestEvaluations: every kernel reports the number of rows that it evaluates; NUTS evaluates all trees at once.
func TestEvaluations(t *testing.T) {
	for name, k := range kernels() {
		target := &counted{Target: gaussian()}
		rng := source(1)
		s := mcmc.NewState(normalBatch(20, 3, rng))
		rows, longest := 0, 0
		for range 5 {
			info, err := k.Step(s, target, rng)
			if err != nil {
				t.Fatal(err)
			}
			rows += info.Evaluations
			l := 0
			for _, c := range info.Chains {
				l = max(l, int(c.Leapfrog))
			}
			longest += l
		}
		if rows != target.rows {
			t.Errorf("%s: Evaluations: got %d, want %d", name, rows, target.rows)
		}
		if name == "nuts" && target.calls != longest+1 {
			t.Errorf("nuts: got %d calls, want one for each step of the longest trees, %d", target.calls, longest+1)
		}
	}
}

// blurred is the family E(x, σ) of N(0, 1 + σ²).
type blurred struct{ v float64 }

func (b *blurred) SetSigma(sigma float64) error { b.v = 1 + sigma*sigma; return nil }

func (b *blurred) EnergyGrad(e []float64, grad, x *mat.Dense) error {
	return mcmc.RowFunc(func(grad, x []float64) float64 {
		grad[0] = x[0] / b.v
		return x[0] * x[0] / (2 * b.v)
	}).EnergyGrad(e, grad, x)
}

// TestNoiseSchedule: Annealed over noise levels ends in the distribution of the last one, from far away.
func TestNoiseSchedule(t *testing.T) {
	const n = 4000
	s := mcmc.NewState(mat.NewDense(n, 1, nil))
	for i := range n {
		s.X.Set(i, 0, 30)
	}
	k := mcmc.Annealed{Kernel: mcmc.HMC{StepSize: .3, Leapfrog: 4, StepJitter: .5}, Sigmas: []float64{10, 3, 1, .5}}
	if _, err := k.Step(s, &blurred{}, source(1)); err != nil {
		t.Fatal(err)
	}
	sd := math.Sqrt(1.25)
	if p := mcmctest.KS(mat.Col(nil, 0, s.X), mcmctest.Scaled(1).Laws[0].CDF); p > 1e-4 {
		t.Errorf("the law of the last level is taken for that of no noise: p = %g", p)
	}
	s.X.Scale(1/sd, s.X)
	if p := mcmctest.KS(mat.Col(nil, 0, s.X), mcmctest.Scaled(1).Laws[0].CDF); p < 1e-4 {
		t.Errorf("not the law of the last level: p = %g", p)
	}
	if _, err := k.Step(s, gaussian(), source(1)); err == nil {
		t.Error("noise levels for an energy without them: no error")
	}
}

// The initial step is searched at the last level, whatever the target was used for before: draws do not depend on
// which worker takes up a chain, or after which block.
func TestNoiseScheduleStarts(t *testing.T) {
	k := mcmc.Annealed{Kernel: mcmc.HMC{Leapfrog: 2}, Sigmas: []float64{10, 3}, Moves: 1}
	x := normalBatch(8, 1, source(1))
	draw := func(before float64) *mat.Dense {
		targets := func() (mcmc.Target, error) { return &blurred{v: before}, nil }
		d, err := mcmc.Sample(context.Background(), k, targets, x,
			mcmc.SampleConfig{Draws: 2, Warmup: mcmc.Warmup{Steps: 4}}, source(2))
		if err != nil {
			t.Fatal(err)
		}
		return d.X
	}
	if !mat.Equal(draw(1), draw(10)) {
		t.Error("draws depend on the level that the target had before")
	}
}

// Levels below the finest detail of the data need steps of the length of that detail: with steps proportional to σ,
// of which the first level tolerates only small ones, chains hardly move at the last.
func TestAnnealedDetail(t *testing.T) {
	const n = 4000
	sigmas := []float64{10, 3, 1, .3, .1, .01}
	for _, c := range []struct {
		detail, step float64
		right        bool
	}{{1, .6, true}, {0, 6e-4, false}} { // 6 and 0.6 at the first level
		s := mcmc.NewState(mat.NewDense(n, 1, nil))
		k := mcmc.Annealed{Kernel: mcmc.HMC{StepSize: c.step, Leapfrog: 4, StepJitter: .5}, Sigmas: sigmas,
			Detail: c.detail, Moves: 3}
		if _, err := k.Step(s, &blurred{}, source(1)); err != nil {
			t.Fatal(err)
		}
		if p := mcmctest.KS(mat.Col(nil, 0, s.X), mcmctest.Scaled(1).Laws[0].CDF); p > 1e-4 != c.right {
			t.Errorf("detail %g: p = %g for the law of the last level, want it right: %v", c.detail, p, c.right)
		}
	}
	if (mcmc.Annealed{Kernel: mcmc.HMC{StepSize: 1}, Sigmas: sigmas, Detail: -1}).Validate() == nil {
		t.Error("a negative detail is accepted")
	}
}

// TestDetailedBalance checks p(x) P(x→y) = p(y) P(y→x) at points, for the density of the move x → y by MALA.
func TestDetailedBalance(t *testing.T) {
	const h, d = .4, 3
	target := gaussian(.5, 1, 2)
	rng := source(2)
	// logFlow is log p(x) + log q(y|x) + log a(x, y), found from the noise that leads from x to y.
	logFlow := func(x, y []float64) float64 {
		g := make([]float64, d)
		e := target(g, x)
		noise := make([]float64, d)
		logq := 0.0
		for j := range x {
			noise[j] = (y[j] - x[j] + h*g[j]) / math.Sqrt(2*h)
			logq -= noise[j] * noise[j] / 2
		}
		s := mcmc.NewState(mat.NewDense(1, d, append([]float64(nil), x...)))
		info, err := mcmc.MALA{StepSize: h}.Move(s, target, mat.NewDense(1, d, noise), []float64{0})
		if err != nil {
			t.Fatal(err)
		}
		return -e + logq + min(0, info.Chains[0].LogRatio)
	}
	for range 50 {
		x, y := make([]float64, d), make([]float64, d)
		for j := range x {
			x[j], y[j] = rng.NormFloat64(), rng.NormFloat64()
		}
		if a, b := logFlow(x, y), logFlow(y, x); math.Abs(a-b) > 1e-10*(1+math.Abs(a)) {
			t.Errorf("flow x→y %g, y→x %g", a, b)
		}
	}
}

// quartic is not separable and not quadratic.
var quartic = mcmc.RowFunc(func(grad, x []float64) float64 {
	a, b := x[0], x[1]
	grad[0] = a*a*a + a*b*b
	grad[1] = b + a*a*b
	return a*a*a*a/4 + b*b/2 + a*a*b*b/2
})

func TestLeapfrogReverses(t *testing.T) {
	rng := source(3)
	x, p := normalBatch(5, 2, rng), normalBatch(5, 2, rng)
	s := mcmc.NewState(mat.DenseCopyOf(x))
	q := mat.DenseCopyOf(p)
	inv := mcmc.Variances(.5, 2)
	for range 2 {
		if err := mcmc.Leapfrog(s, q, quartic, inv, .05, 30); err != nil {
			t.Fatal(err)
		}
		q.Scale(-1, q)
	}
	if !mat.EqualApprox(s.X, x, 1e-12) || !mat.EqualApprox(q, p, 1e-12) {
		t.Errorf("leapfrog there and back: got\n%v, want\n%v", mat.Formatted(s.X), mat.Formatted(x))
	}
}

// Arguments whose shape does not match the chains are refused before anything moves, as is an invalid quantile.
func TestShapesAreRefused(t *testing.T) {
	for name, call := range map[string]func(){
		"momenta": func() {
			mcmc.Leapfrog(mcmc.NewState(mat.NewDense(2, 2, nil)), mat.NewDense(2, 1, nil), gaussian(), nil, 0.1, 1)
		},
		"masses": func() {
			mcmc.Leapfrog(mcmc.NewState(mat.NewDense(2, 2, nil)), mat.NewDense(2, 2, nil), gaussian(), mcmc.Diagonal{1},
				0.1, 1)
		},
		"quantile": func() { mcmc.ESSQuantile([][]float64{{1, 2, 3, 4}}, 2) },
	} {
		func() {
			defer func() {
				if s, ok := recover().(string); !ok || !strings.HasPrefix(s, "mcmc: ") {
					t.Errorf("%s: got no panic that says what is wrong", name)
				}
			}()
			call()
		}()
	}
}

// TestLeapfrogOrder: halving ε divides the error of H over a fixed time by four.
func TestLeapfrogOrder(t *testing.T) {
	energyError := func(eps float64, steps int) float64 {
		s := mcmc.NewState(mat.NewDense(1, 2, []float64{.7, -.4}))
		p := mat.NewDense(1, 2, []float64{.3, .9})
		h := func() float64 { return s.Energy[0] + mat.Dot(p.RowView(0), p.RowView(0))/2 }
		if err := s.Refresh(quartic); err != nil {
			t.Fatal(err)
		}
		h0 := h()
		if err := mcmc.Leapfrog(s, p, quartic, nil, eps, steps); err != nil {
			t.Fatal(err)
		}
		return math.Abs(h() - h0)
	}
	for eps, steps := .05, 20; eps > .01; eps, steps = eps/2, steps*2 {
		if r := energyError(eps, steps) / energyError(eps/2, 2*steps); math.Abs(r-4) > .1 {
			t.Errorf("ε = %g: error ratio %g, want 4", eps, r)
		}
	}
}

// TestLeapfrogSymplectic: JᵀΩJ = Ω for the Jacobian J of the flow, by central differences.
func TestLeapfrogSymplectic(t *testing.T) {
	const d, h = 2, 1e-5
	flow := func(z []float64) []float64 {
		s := mcmc.NewState(mat.NewDense(1, d, append([]float64(nil), z[:d]...)))
		p := mat.NewDense(1, d, append([]float64(nil), z[d:]...))
		if err := mcmc.Leapfrog(s, p, quartic, mcmc.Variances(.5, 2), .2, 7); err != nil {
			t.Fatal(err)
		}
		return append(append([]float64(nil), s.X.RawRowView(0)...), p.RawRowView(0)...)
	}
	z := []float64{.7, -.4, .3, .9}
	j := mat.NewDense(2*d, 2*d, nil)
	for c := range z {
		v := z[c]
		z[c] = v + h
		a := flow(z)
		z[c] = v - h
		b := flow(z)
		z[c] = v
		for r := range a {
			j.Set(r, c, (a[r]-b[r])/(2*h))
		}
	}
	omega := mat.NewDense(2*d, 2*d, nil)
	for i := range d {
		omega.Set(i, d+i, 1)
		omega.Set(d+i, i, -1)
	}
	var got mat.Dense
	got.Product(j.T(), omega, j)
	if !mat.EqualApprox(&got, omega, 1e-7) {
		t.Errorf("JᵀΩJ: got\n%v", mat.Formatted(&got))
	}
}

// TestRejectedIsIdentical: with u = 1 nothing is accepted, and nothing may change.
func TestRejectedIsIdentical(t *testing.T) {
	rng := source(4)
	target := gaussian()
	s := mcmc.NewState(normalBatch(6, 3, rng))
	if err := s.Refresh(target); err != nil {
		t.Fatal(err)
	}
	x, g, e := mat.DenseCopyOf(s.X), mat.DenseCopyOf(s.Grad), append([]float64(nil), s.Energy...)
	u := []float64{math.Inf(1), math.Inf(1), math.Inf(1), math.Inf(1), math.Inf(1), math.Inf(1)}
	z := normalBatch(6, 3, rng)
	move := map[string]func() (mcmc.Info, error){
		"mala": func() (mcmc.Info, error) { return mcmc.MALA{StepSize: .5}.Move(s, target, z, u) },
		"hmc":  func() (mcmc.Info, error) { return mcmc.HMC{StepSize: .5}.Move(s, target, z, u) },
	}
	for name, f := range move {
		if _, err := f(); err != nil {
			t.Fatal(err)
		}
		if !mat.Equal(s.X, x) || !mat.Equal(s.Grad, g) {
			t.Errorf("%s: a rejected chain moved", name)
		}
		for i := range e {
			if s.Energy[i] != e[i] {
				t.Errorf("%s: energy of a rejected chain: got %g, want %g", name, s.Energy[i], e[i])
			}
		}
	}
}

func kernels() map[string]mcmc.Kernel {
	return map[string]mcmc.Kernel{
		"langevin":          mcmc.Langevin{StepSize: .3},
		"mala":              mcmc.MALA{StepSize: .3},
		"hmc":               mcmc.HMC{StepSize: .5, Leapfrog: 3},
		"baoab":             mcmc.BAOAB{StepSize: .5},
		"nuts":              mcmc.NUTS{StepSize: .5, MaxDepth: 5},
		"hmc length":        mcmc.HMC{StepSize: .5, Length: 2},
		"annealed":          mcmc.Annealed{Kernel: mcmc.HMC{StepSize: .5, Leapfrog: 3}, Moves: 2},
		"tempering":         mcmc.Tempering{Kernel: mcmc.HMC{StepSize: .5, Leapfrog: 3}, Betas: mcmc.Geometric(3, .3)},
		"tempered langevin": mcmc.Tempering{Kernel: mcmc.Langevin{StepSize: .3}, Betas: mcmc.Geometric(3, .3)},
		"tempered nuts":     mcmc.Tempering{Kernel: mcmc.NUTS{StepSize: .5}, Betas: mcmc.Geometric(3, .3)},
	}
}

// TestKernels runs the kit on every kernel.
func TestKernels(t *testing.T) {
	for name, k := range kernels() {
		t.Run(name, func(t *testing.T) { mcmctest.Check(t, k) })
	}
}

func TestValidate(t *testing.T) {
	for _, k := range []mcmc.Kernel{
		mcmc.Langevin{}, mcmc.Langevin{StepSize: 1, Normalize: true, Clip: 1}, mcmc.Langevin{StepSize: 1, Clip: -1},
		mcmc.MALA{StepSize: math.NaN()}, mcmc.HMC{StepSize: -1}, mcmc.HMC{StepSize: 1, Mass: mcmc.Variances(1, 0)},
		mcmc.HMC{StepSize: 1, StepJitter: 1}, mcmc.BAOAB{StepSize: 1, Friction: -1},
		mcmc.Tempering{Kernel: mcmc.MALA{StepSize: 1}, Betas: []float64{1, .5}, Scales: []float64{1, -1}},
	} {
		if k.Validate() == nil {
			t.Errorf("%+v: no error", k)
		}
	}
	for name, k := range kernels() {
		if err := k.Validate(); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
}
