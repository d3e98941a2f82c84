package train

import (
	"math"
	"math/rand/v2"
	"testing"

	"gorgonia.org/gorgonia"
)

func near(t *testing.T, name string, got, want []float64, rel float64) {
	t.Helper()
	if len(got) != len(want) {
		t.Fatalf("%s: got %d values, want %d", name, len(got), len(want))
	}
	for i := range want {
		if math.Abs(got[i]-want[i]) > rel*max(math.Abs(want[i]), 1e-3) {
			t.Errorf("%s[%d]: got %.17g, want %.17g", name, i, got[i], want[i])
		}
	}
}

// TestAdamWTorch compares four clipped steps with torch.optim.AdamW (PyTorch 1.13, float64): p = [1, -2, 0.5],
// lr 0.01, betas (0.8, 0.95), eps 1e-6, weight_decay 0.1, gradients [3(t+1), -0.1t, 0.25(t-2)], clip_grad_norm_ 2.
func TestAdamWTorch(t *testing.T) {
	theta := []float64{1, -2, 0.5}
	norms := []float64{3.0413812651491097, 6.006038627914409, 9.00222194794152, 12.006352485247133}
	a := &Adam{LearningRate: 0.01, Beta1: 0.8, Beta2: 0.95, Epsilon: 1e-6, WeightDecay: 0.1}
	if err := a.Validate(); err != nil {
		t.Fatal(err)
	}
	for k, want := range norms {
		f := float64(k)
		g := []float64{3 * (f + 1), -0.1 * f, 0.25 * (f - 2)}
		near(t, "norm", []float64{Clip(g, 2)}, []float64{want}, 1e-13)
		if err := a.Step(theta, g); err != nil {
			t.Fatal(err)
		}
	}
	near(t, "θ", theta, []float64{0.9560460709580464, -1.965829906090218, 0.525707094857854}, 1e-12)
}

// With a constant gradient g, m̂ = g and v̂ = g² at every step, so that Adam moves by η g/(|g|+ε) exactly.
func TestAdamConstantGradient(t *testing.T) {
	const eta, eps, steps = 0.02, 0.1, 7
	g := []float64{3, -0.5, 0}
	theta := make([]float64, 3)
	a := &Adam{LearningRate: eta, Epsilon: eps}
	for range steps {
		if err := a.Step(theta, g); err != nil {
			t.Fatal(err)
		}
	}
	want := make([]float64, 3)
	for i, v := range g {
		want[i] = -steps * eta * v / (math.Abs(v) + eps)
	}
	near(t, "θ", theta, want, 1e-12)
}

// AdamW without a gradient only decays: θ (1−ηλ)ᵗ. With the L2 form of the decay, gradient λθ, this fails.
func TestAdamWDecay(t *testing.T) {
	theta := []float64{2, -1}
	a := &Adam{LearningRate: 0.1, WeightDecay: 0.5}
	for range 5 {
		if err := a.Step(theta, make([]float64, 2)); err != nil {
			t.Fatal(err)
		}
	}
	f := math.Pow(1-0.05, 5)
	near(t, "θ", theta, []float64{2 * f, -f}, 1e-14)
}

func TestAdamRateZero(t *testing.T) {
	theta := []float64{1}
	a := new(Adam)
	a.SetLearningRate(0)
	if err := a.Step(theta, []float64{1}); err != nil || theta[0] != 1 {
		t.Errorf("a rate of 0 moved θ to %g, err %v", theta[0], err)
	}
}

func TestAdamState(t *testing.T) {
	rng := Stream(1, "test")
	grad := func() []float64 { return []float64{rng.NormFloat64(), rng.NormFloat64()} }
	a, b := &Adam{LearningRate: 0.1}, &Adam{LearningRate: 0.1}
	x := []float64{1, 2}
	for range 3 {
		a.Step(x, grad())
	}
	state, err := a.MarshalState()
	if err != nil {
		t.Fatal(err)
	}
	if err := b.UnmarshalState(state); err != nil {
		t.Fatal(err)
	}
	y := append([]float64(nil), x...)
	g := grad()
	a.Step(x, g)
	b.Step(y, g)
	if x[0] != y[0] || x[1] != y[1] {
		t.Errorf("got %v from the restored state, want %v", y, x)
	}
	for n := range state {
		if b.UnmarshalState(state[:n]) == nil {
			t.Errorf("a state cut at %d bytes was accepted", n)
		}
	}
}

func TestAdamValidate(t *testing.T) {
	for _, a := range []*Adam{{LearningRate: -1}, {LearningRate: math.NaN()}, {Beta1: 1}, {Beta2: 2}, {Epsilon: -1},
		{WeightDecay: -1}} {
		if a.Validate() == nil {
			t.Errorf("%+v: no error", *a)
		}
	}
}

func TestStepAllocates(t *testing.T) {
	theta, grad := make([]float64, 100), make([]float64, 100)
	a, avg := new(Adam), &Average{Decay: 0.9}
	src := new(rand.PCG)
	step := func() {
		reseed(src, 1, "noise", 2, 3)
		Clip(grad, 1)
		a.SetLearningRate(1e-3)
		a.Step(theta, grad)
		avg.Update(theta)
	}
	step()
	if n := testing.AllocsPerRun(10, step); n != 0 {
		t.Errorf("a step allocates %g times, want 0", n)
	}
}

func TestClip(t *testing.T) {
	g := []float64{3, 4}
	if n := Clip(g, 0); n != 5 || g[0] != 3 {
		t.Errorf("limit 0: got norm %g and %v, want 5 and an unchanged gradient", n, g)
	}
	Clip(g, 10)
	if g[0] != 3 {
		t.Errorf("a short gradient was scaled to %v", g)
	}
	Clip(g, 1)
	near(t, "clipped", g, []float64{3 / (5 + 1e-6), 4 / (5 + 1e-6)}, 1e-15)
}

func TestSolvers(t *testing.T) {
	for name, s := range map[string]gorgonia.Solver{
		"vanilla":  gorgonia.NewVanillaSolver(),
		"adam":     gorgonia.NewAdamSolver(),
		"momentum": gorgonia.NewMomentum(),
		"rmsprop":  gorgonia.NewRMSPropSolver(),
	} {
		t.Run(name, func(t *testing.T) {
			o := &Solver{S: s}
			if err := o.Validate(); err != nil {
				t.Fatal(err)
			}
			theta, grad := []float64{5, -3}, make([]float64, 2)
			o.SetLearningRate(0.05)
			for range 500 {
				grad[0], grad[1] = theta[0]-1, theta[1]-2 // of ½‖θ−(1,2)‖²
				if err := o.Step(theta, grad); err != nil {
					t.Fatal(err)
				}
			}
			if math.Abs(theta[0]-1) > 0.05 || math.Abs(theta[1]-2) > 0.05 {
				t.Errorf("got θ = %v, want (1, 2)", theta)
			}
			if grad[0] == 0 && grad[1] == 0 {
				t.Error("the caller's gradient was zeroed")
			}
		})
	}
	if (&Solver{S: gorgonia.NewAdamW()}).Validate() == nil || (&Solver{}).Validate() == nil {
		t.Error("gorgonia.AdamW and nil must be refused")
	}
}

// Ours and Gorgonia's Adam are the same algorithm.
func TestAdamAgainstGorgonia(t *testing.T) {
	rng := Stream(3, "test")
	ours, theirs := &Adam{LearningRate: 0.01}, &Solver{S: gorgonia.NewAdamSolver(gorgonia.WithLearnRate(0.01))}
	a, b := []float64{1, 2, 3}, []float64{1, 2, 3}
	for range 20 {
		g := []float64{rng.NormFloat64(), rng.NormFloat64(), rng.NormFloat64()}
		ours.Step(a, g)
		if err := theirs.Step(b, g); err != nil {
			t.Fatal(err)
		}
	}
	near(t, "θ", a, b, 1e-9)
}

func TestSchedules(t *testing.T) {
	for _, c := range []struct {
		s    Schedule
		step int
		want float64
	}{
		{Constant{}, 7, 1},
		{Cosine{}, 0, 1},
		{Cosine{}, 50, 0.5},
		{Cosine{Floor: 0.2}, 50, 0.6},
		{Cosine{Floor: 0.2}, 100, 0.2},
		{Warmup{Steps: 10}, 0, 0.1},
		{Warmup{Steps: 10}, 9, 1},
		{Warmup{Steps: 10}, 60, 1},
		{Warmup{Steps: 20, Then: Cosine{}}, 20, 1},
		{Warmup{Steps: 20, Then: Cosine{}}, 60, 0.5},
	} {
		if got := c.s.Factor(c.step, 100); math.Abs(got-c.want) > 1e-15 {
			t.Errorf("%+v at %d of 100: got %g, want %g", c.s, c.step, got, c.want)
		}
	}
}

// After the warm-up, the average of constant weights is those weights, and after a jump the difference decays by
// Decay per step.
func TestAverage(t *testing.T) {
	a := &Average{Decay: 0.5}
	for range 20 {
		a.Update([]float64{3})
	}
	near(t, "constant", a.Theta(), []float64{3}, 1e-15)
	for range 4 {
		a.Update([]float64{0})
	}
	near(t, "decayed", a.Theta(), []float64{3 * math.Pow(0.5, 4)}, 1e-13)
	first := &Average{Decay: 0.999}
	first.Update([]float64{100})
	for range 2000 {
		first.Update([]float64{0})
	}
	if first.Theta()[0] > 1e-6 {
		t.Errorf("the first weights are still seen: %g", first.Theta()[0])
	}
	cubes, sum := &Average{Decay: 0.9999}, 0.0 // t (t+1) (t+2) are the weights of polynomial decay with η = 3
	var weighted float64
	for i := range 100 {
		t := float64(i + 1)
		x := math.Sin(t)
		cubes.Update([]float64{x})
		w := t * (t + 1) * (t + 2)
		weighted, sum = weighted+w*x, sum+w
	}
	near(t, "polynomial", cubes.Theta(), []float64{weighted / sum}, 1e-13)
	copies := new(Average)
	copies.Update([]float64{1})
	copies.Update([]float64{2})
	near(t, "decay 0", copies.Theta(), []float64{2}, 0)
}

func TestStream(t *testing.T) {
	draw := func(seed uint64, name string, k ...uint64) uint64 { return Stream(seed, name, k...).Uint64() }
	seen := map[uint64]string{}
	for _, s := range []struct {
		key string
		v   uint64
	}{
		{"1 data", draw(1, "data")}, {"2 data", draw(2, "data")}, {"1 noise", draw(1, "noise")},
		{"1 data 0", draw(1, "data", 0)}, {"1 data 1", draw(1, "data", 1)}, {"1 data 0 0", draw(1, "data", 0, 0)},
		{"1 data 1 0", draw(1, "data", 1, 0)}, {"1 data 0 1", draw(1, "data", 0, 1)}, {"empty", draw(1, "")},
	} {
		if other, ok := seen[s.v]; ok {
			t.Errorf("%q and %q are one stream", s.key, other)
		}
		seen[s.v] = s.key
	}
	if a, b := draw(7, "x", 1), draw(7, "x", 1); a != b {
		t.Error("a stream is not reproducible")
	}
	src := newSource(5, "chain", 2)
	r := rand.New(src)
	for range 10 {
		r.NormFloat64()
	}
	state, err := src.MarshalBinary()
	if err != nil {
		t.Fatal(err)
	}
	again := newSource(0, "")
	if err := again.UnmarshalBinary(state); err != nil {
		t.Fatal(err)
	}
	r2 := rand.New(again)
	for range 10 {
		if a, b := r.NormFloat64(), r2.NormFloat64(); a != b {
			t.Fatalf("got %g from the restored source, want %g", b, a)
		}
	}
}
