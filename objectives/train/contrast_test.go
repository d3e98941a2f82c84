package train

import (
	"context"
	"errors"
	"math"
	"math/rand/v2"
	"slices"
	"testing"

	"gonum.org/v1/gonum/mat"
)

// normal is the energy of N(θ, 1) up to a constant, with a factor that makes it wrong.
func normal(factor float64) func(dst, theta []float64, x *mat.Dense) error {
	return func(dst, theta []float64, x *mat.Dense) error {
		for i := range dst {
			dst[i] = 1000
			for j, v := range x.RawRowView(i) {
				dst[i] += factor * (v - theta[j]) * (v - theta[j]) / 2
			}
		}
		return nil
	}
}

func newTestContrast(t *testing.T, energies func(dst, theta []float64, x *mat.Dense) error) *Contrast {
	t.Helper()
	c, err := NewContrast(3, gauss{}, gauss{}, energies, rand.New(rand.NewPCG(1, 2)))
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func contrastOf(t *testing.T, c *Contrast, theta []float64) float64 {
	t.Helper()
	terms, err := c.losses(nil, theta)
	if err != nil {
		t.Fatal(err)
	}
	return mean(terms)
}

// The density of the noise is that of its draws: ∫ q = 1 on a grid, and the mean of 1/q over draws in a box is the
// volume of the box.
func TestContrastNoise(t *testing.T) {
	rng := rand.New(rand.NewPCG(3, 4))
	x := mat.NewDense(500, 2, nil)
	for i := range 500 { // two clusters, the columns correlated
		u, v := rng.NormFloat64(), rng.NormFloat64()
		x.SetRow(i, []float64{4*float64(i%2) + 0.3*u, 0.2*u + 0.1*v})
	}
	q, err := newContrastNoise(x)
	if err != nil {
		t.Fatal(err)
	}
	density := func(x ...float64) float64 {
		noise, _ := q.logProb(x, false)
		return math.Exp(noise)
	}
	const cells = 500
	var sum, kernels, probes float64
	for a := range cells {
		for b := range cells { // (a, b) the centre of a cell, of a grid that is finer where there is more
			wide := func(k int) (at, width float64) {
				u := 2*(float64(k)+0.5)/cells - 1
				return math.Sinh(8 * u), 8 * math.Cosh(8*u) * 2 / cells
			}
			u, du := wide(a)
			v, dv := wide(b)
			noise, kernel := q.logProb([]float64{2 + 0.2*u, 0.02 * v}, false)
			cell := 0.2 * du * 0.02 * dv
			sum += math.Exp(noise) * cell
			kernels += math.Exp(kernel) * cell
			probes += math.Exp(q.probeLogProb()) * cell
		}
	}
	for name, v := range map[string]float64{"q": sum, "kernels": kernels, "probes": probes} {
		if math.Abs(v-1) > 1e-4 {
			t.Errorf("∫ %s = %g, want 1", name, v)
		}
	}
	const n = 20000
	var vol, square float64
	p := make([]float64, 2)
	for i := range n {
		q.draw(p, i, rng)
		if math.Abs(p[0]-2) < 3 && math.Abs(p[1]) < 0.5 {
			w := 1 / density(p...)
			vol += w / n
			square += w * w / n
		}
	}
	if se := math.Sqrt((square - vol*vol) / n); math.Abs(vol-6) > 4*se {
		t.Errorf("volume of a box of 6 by draws: %g ± %g", vol, se)
	}
}

// J is 2 log 2 for energies that tell nothing, is smallest at the truth, and does not depend on the constant of the
// energy, for which it uses the best. Weights that are wrong in position, width or magnitude have a larger J, and
// weights that are not finite the largest.
func TestContrast(t *testing.T) {
	truth := []float64{1, 2, 3}
	c := newTestContrast(t, normal(1))
	at := contrastOf(t, c, truth)
	shifted := newTestContrast(t, func(dst, theta []float64, x *mat.Dense) error {
		err := normal(1)(dst, theta, x)
		for i := range dst {
			dst[i] -= 1e4
		}
		return err
	})
	if v := contrastOf(t, shifted, truth); math.Abs(v-at) > 1e-6 {
		t.Errorf("J = %g, with another constant %g", at, v)
	}
	nothing, err := NewContrast(leakDims+1, gauss{}, gauss{}, normal(1), rand.New(rand.NewPCG(1, 2)))
	if err != nil {
		t.Fatal(err)
	}
	nothing.energies = func(dst, _ []float64, _ *mat.Dense) error {
		for i := range dst {
			dst[i] = -nothing.logq[i]
		}
		return nil
	}
	if v := contrastOf(t, nothing, truth); math.Abs(v-2*math.Ln2) > 1e-9 {
		t.Errorf("J of the noise itself = %g, want 2 log 2", v)
	}
	far := func(dst, theta []float64, x *mat.Dense) error { // a well where there are no points
		err := normal(1)(dst, theta, x)
		for i := range dst {
			if x.At(i, 0) > 6 {
				dst[i] -= 60
			}
		}
		return err
	}
	nan := func(dst, theta []float64, x *mat.Dense) error {
		err := normal(1)(dst, theta, x)
		dst[7] = math.NaN()
		return err
	}
	for name, v := range map[string]float64{
		"moved":       contrastOf(t, c, []float64{2, 2, 3}),
		"wide":        contrastOf(t, newTestContrast(t, normal(0.3)), truth),
		"narrow":      contrastOf(t, newTestContrast(t, normal(3)), truth),
		"a well":      contrastOf(t, newTestContrast(t, far), truth),
		"upside down": contrastOf(t, newTestContrast(t, normal(-1)), truth),
		"not finite":  contrastOf(t, newTestContrast(t, nan), truth),
	} {
		if !(v > at+0.02) {
			t.Errorf("%s: J = %g, %g at the truth", name, v, at)
		}
	}
	points, noise := []float64{1, -2, 3, 0.5}, []float64{-4, 1, 0, -1}
	value := func(c float64) (sum float64) {
		for i := range points {
			sum += softplus(c-points[i]) + softplus(noise[i]-c)
		}
		return sum
	}
	best := value(bestConstant(points, noise))
	for c := -10.0; c < 10; c += 0.01 {
		if value(c) < best-1e-9 {
			t.Fatalf("at c = %g the loss is %g, at the best constant %g", c, value(c), best)
		}
	}
	broken := errors.New("broken")
	failing := newTestContrast(t, func([]float64, []float64, *mat.Dense) error { return broken })
	if _, err := failing.losses(nil, truth); !errors.Is(err, broken) {
		t.Errorf("got %v", err)
	}
}

func TestContrastErrors(t *testing.T) {
	rng := rand.New(rand.NewPCG(1, 2))
	if _, err := NewContrast(0, gauss{}, gauss{}, normal(1), rng); err == nil {
		t.Error("no dimension: no error")
	}
	nan := constant(math.NaN())
	if _, err := NewContrast(2, nan, nan, normal(1), rng); err == nil {
		t.Error("points of NaN: no error")
	}
	// with a single point all are equal
	if _, err := NewContrast(2, constant(3), constant(3), normal(1), rng); err != nil {
		t.Errorf("constant columns: %v", err)
	}
}

// constant is a point.
type constant float64

func (c constant) Sample(dst *mat.Dense, _ *rand.Rand) {
	n, d := dst.Dims()
	for i := range n {
		for j := range d {
			dst.Set(i, j, float64(c))
		}
	}
}

// level is a score without leakage, the same in every term.
func level(j float64) score { return leaks(j, 0) }

func leaks(j, leak float64) score {
	return score{slices.Repeat([]float64{j}, 10), slices.Repeat([]float64{j + leak}, 10)}
}

func (s score) equal(to score) bool {
	return slices.Equal(s.plain, to.plain) && slices.Equal(s.leaky, to.leaky)
}

// The rules of the sentinel, on made-up terms: the noise is the same in all of them, so that differences are exact.
func TestJudge(t *testing.T) {
	at := level
	s := new(Sentinel)
	for k, c := range []struct {
		j            float64
		better, trip bool
	}{
		{0.8, true, false}, {0.5, true, false}, {0.55, false, false}, {0.7, false, false}, // a single time is chance
		{0.59, false, false}, {0.49, true, false}, {0.6, false, false}, {0.6, false, true},
	} {
		better, trip := s.judge(100+10*k, 10, at(c.j))
		if better != c.better || (trip != nil) != c.trip {
			t.Errorf("judgement %d of %g: better %v, trip %v, want %v, %v", k, c.j, better, trip, c.better, c.trip)
		}
		if trip != nil && (trip.Since != 160 || !errors.Is(trip, ErrDiverged)) {
			t.Errorf("tripped with %+v", trip)
		}
	}
	if s.calm() {
		t.Error("calm where J has risen")
	}
	slow := new(Sentinel)
	slow.judge(0, 10, at(0.5))
	for k := range 5 {
		if _, trip := slow.judge(100+10*k, 10, at(0.53)); (trip != nil) != (k == 4) {
			t.Errorf("%d judgements that it does not get on: trip %v", k+1, trip)
		}
	}
	young := new(Sentinel)
	young.judge(0, 10, at(0.5))
	for k := range unsettled {
		if _, trip := young.judge(10+10*k, 10, at(0.9)); trip != nil {
			t.Errorf("judgement %d at the start trips: %v", k, trip)
		}
	}
	scattered := slices.Concat(slices.Repeat([]float64{0}, 9), []float64{3}) // a rise of 0.3 ± 0.3
	quiet := new(Sentinel)
	quiet.judge(0, 10, at(0))
	for k := range lagPatience - 1 {
		if _, trip := quiet.judge(100+10*k, 10, score{scattered, scattered}); trip != nil {
			t.Errorf("chance trips: %v", trip)
		}
	}
	nan := new(Sentinel)
	nan.judge(0, 10, at(0))
	nan.judge(10, 10, at(math.NaN()))
	if _, trip := nan.judge(20, 10, at(math.Inf(1))); trip == nil {
		t.Error("losses that are not finite pass")
	}
	for _, c := range []struct {
		name             string
		start, best, end float64
		first, failed    bool
	}{
		{"learnt", 0.8, 0.3, 0.3, false, false},
		{"worse than the best", 0.8, 0.3, 0.4, true, false},
		{"as the best, but for what matters to nobody", 0.8, 0.3, 0.309, false, false},
		{"never better than the start", 0.8, 0.8, 0.9, true, true},
		{"as at the start", 0.8, 0.8, 0.8, false, true},
	} {
		s := &Sentinel{start: at(c.start), best: at(c.best)}
		if first, failed := s.settle(1000, 0, at(c.end)); first != c.first || (failed != nil) != c.failed {
			t.Errorf("%s: best %v, error %v, want %v, %v", c.name, first, failed, c.first, c.failed)
		}
	}
}

// A rate that keeps every number finite but leads nowhere is taken back; without the contrast it passes for success.
func TestRunJudged(t *testing.T) {
	wild := func(contrast bool, factor float64) (*toy, Result, error) {
		o := newToy()
		o.theta = []float64{1.5, 2.5, 2}
		cfg := toyConfig(o, t.TempDir())
		cfg.LearningRate, cfg.Schedule, cfg.Decay = factor, Constant{}, 0
		if contrast {
			cfg.Contrast = newTestContrast(t, normal(1))
		}
		res, err := Run(context.Background(), cfg)
		return o, res, err
	}
	c := newTestContrast(t, normal(1))
	start := contrastOf(t, c, []float64{1.5, 2.5, 2})
	o, res, err := wild(true, 4)
	if err != nil {
		t.Fatal(err)
	}
	if j := contrastOf(t, c, res.Average); res.Rollbacks == 0 || !(j < start) {
		t.Errorf("%d rollbacks, J = %g, %g at the start", res.Rollbacks, j, start)
	}
	if !slices.Equal(o.theta, res.Average) { // without decay
		t.Errorf("θ = %v, its average %v", o.theta, res.Average)
	}
	_, res, err = wild(false, 4)
	if j := contrastOf(t, c, res.Average); err != nil || !(j > start) {
		t.Errorf("without the contrast: J = %g, %g at the start, error %v: the test does not test", j, start, err)
	}
	// If no rate helps, training ends with an error and with the initial state.
	o = newToy()
	bad := []float64{1.5, 2.5, 3.5}
	o.theta = slices.Clone(bad)
	o.trouble = func(_ uint64, grad []float64, _ *Stats) error {
		for k := range grad {
			grad[k] = -1
		}
		return nil
	}
	cfg := toyConfig(o, t.TempDir())
	cfg.Contrast = newTestContrast(t, normal(1))
	res, err = Run(context.Background(), cfg)
	var e *Error
	if !errors.As(err, &e) || !slices.Equal(o.theta, bad) || !slices.Equal(res.Average, o.theta) {
		t.Errorf("error %v, θ = %v, average %v, want those of the start", err, o.theta, res.Average)
	}
}

// The contrast does not change a bit of a run that goes well.
func TestJudgedSame(t *testing.T) {
	end := func(contrast bool) []float64 {
		o := newToy()
		cfg := toyConfig(o, "")
		if contrast {
			cfg.Contrast = newTestContrast(t, normal(1))
		}
		if _, err := Run(context.Background(), cfg); err != nil {
			t.Fatal(err)
		}
		return o.theta
	}
	if with, without := end(true), end(false); !slices.Equal(with, without) {
		t.Errorf("θ = %v with the contrast, %v without", with, without)
	}
}

// A run with the contrast that is stopped and resumed ends in the same bits, rollbacks and restarts included.
func TestJudgedResume(t *testing.T) {
	for steps, all := range map[int][][]int{200: {{7}, {15, 20, 95}, {199}}, 400: {{7}, {30, 150, 350}, {399}}} {
		judgedResume(t, steps, all)
	}
}

func judgedResume(t *testing.T, steps int, all [][]int) {
	end := func(stops ...int) (Result, []float64) {
		dir := t.TempDir()
		var resume Snapshot
		for k := 0; ; k++ {
			o := newToy()
			o.theta = []float64{1.5, 2.5, 2}
			cfg := toyConfig(o, dir)
			cfg.LearningRate, cfg.Schedule, cfg.Decay, cfg.Resume = 4, Constant{}, 0, resume
			cfg.Steps = steps
			cfg.Contrast = newTestContrast(t, normal(1))
			ctx, cancel := context.WithCancel(context.Background())
			cfg.Hooks.Step = func(p Progress) error {
				if k < len(stops) && p.Step == stops[k] {
					cancel()
				}
				return nil
			}
			res, err := Run(ctx, cfg)
			cancel()
			if k == len(stops) {
				if err != nil {
					t.Fatal(err)
				}
				return res, o.theta
			}
			if !errors.Is(err, context.Canceled) {
				t.Fatal(err)
			}
			if resume, err = ReadSnapshot(cfg.Checkpoint); err != nil {
				t.Fatal(err)
			}
		}
	}
	want, theta := end()
	if want.Rollbacks == 0 {
		t.Fatalf("%d steps: the test does not test: no rollback", steps)
	}
	for _, stops := range all {
		res, got := end(stops...)
		if !slices.Equal(got, theta) || !slices.Equal(res.Average, want.Average) || res.Rollbacks != want.Rollbacks {
			t.Errorf("stopped at %v: θ = %v after %d rollbacks, want %v after %d", stops, got, res.Rollbacks, theta,
				want.Rollbacks)
		}
	}
}

// Steps that throw the model about add up; a model that improves, and one that is worse now and then, are left alone.
func TestStirred(t *testing.T) {
	at := level
	for _, c := range []struct {
		name       string
		terms, gap []float64 // judgement by judgement, after a start at 0.5
		trip       int       // the judgement, from 1; 0: none
	}{
		{"gets on", []float64{0.4, 0.3, 0.2, 0.15, 0.12, 0.11}, []float64{0.1, 0.1, 0.05, 0.02, 0.02, 0}, 0},
		{"worse once", []float64{0.3, 0.4, 0.3, 0.45, 0.3}, []float64{0, 0, 0, 0, 0}, 0},
		{"the average is thrown about", []float64{0.3, 0.8, 0.8, 0.3}, []float64{0, 0, 0, 0}, 3},
		{"the weights are", []float64{0.3, 0.29, 0.28, 0.27}, []float64{0.4, 0.4, 0.4, 0.4}, 3},
		{"a spike", []float64{0.3, 0.9, 0.3}, []float64{0, 0, 0}, 0},
		{"at once", []float64{5, 5}, []float64{20, 20}, 2},
		{"not finite", []float64{math.Inf(1), math.Inf(1)}, []float64{0, 0}, 2},
	} {
		s, trip := &Sentinel{start: at(0.5), best: at(0.5)}, 0
		for k, v := range c.terms {
			e := s.stirred(10*(k+1), 10, at(v), at(v+c.gap[k]))
			if e != nil {
				trip = k + 1
				if !e.restart || e.Since > e.Step || !errors.Is(e, ErrDiverged) {
					t.Errorf("%s: %+v", c.name, e)
				}
				break
			}
			s.judge(10*(k+1), 10, at(v))
		}
		if trip != c.trip {
			t.Errorf("%s: tripped at judgement %d, want %d", c.name, trip, c.trip)
		}
	}
}

// A model that has learnt next to nothing and no longer moves restarts, one that learns slowly does not, nor does one
// that has learnt before it stopped.
func TestStill(t *testing.T) {
	at := level
	for name, c := range map[string]struct {
		terms []float64
		trip  int // the judgement, from 1; 0: none
	}{
		"dead":              {[]float64{1.585, 1.58, 1.585, 1.585, 1.585, 1.585, 1.585}, 6},
		"dead after a jump": {[]float64{1.9, 1.58, 1.585, 1.585, 1.585, 1.585, 1.585}, 7},
		"slow":              {[]float64{1.588, 1.576, 1.564, 1.552, 1.54, 1.528, 1.516}, 0},
		"learnt":            {[]float64{0.7, 0.7, 0.7, 0.7, 0.7, 0.7, 0.7}, 0},
	} {
		s, trip := &Sentinel{start: at(1.6), best: at(1.6), known: at(0.7).plain}, 0
		for k, v := range c.terms {
			if e := s.stirred(10*(k+1), 10, at(v), at(v)); e != nil {
				if trip = k + 1; !e.restart || !errors.Is(e, ErrDiverged) {
					t.Errorf("%s: %+v", name, e)
				}
				break
			}
			s.judge(10*(k+1), 10, at(v))
		}
		if trip != c.trip {
			t.Errorf("%s: tripped at judgement %d, want %d", name, trip, c.trip)
		}
	}
	s := &Sentinel{start: at(1.6), best: at(1.59), known: at(0.7).plain}
	if _, failed := s.settle(1000, 0, at(1.57)); failed == nil {
		t.Error("a gain of 0.03 where a kernel density gains 0.9 passes for success")
	}
	s.best = at(1.49)
	if _, failed := s.settle(1000, 0, at(1.49)); failed != nil {
		t.Errorf("a gain of 0.11: %v", failed)
	}
}

// A run whose steps are so large that it learns only once the rate falls restarts, unless it gains little then. What is
// remembered of it is part of the checkpoint, which may be that of an earlier version.
func TestLate(t *testing.T) {
	at := level
	for name, c := range map[string]struct {
		thrown     float64
		half, late score
		trip       bool
	}{
		"held back":       {0.5, at(0.7), at(0.65), true},
		"nothing gained":  {0.5, at(0.7), at(0.69), false},
		"small steps":     {0.1, at(0.7), at(0.6), false},
		"still learning":  {0.5, at(1.3), at(0.9), false},
		"tells nothing":   {0.5, at(1.6), at(1.5), false},
		"leaks":           {0.5, leaks(0.7, 1), leaks(0.69, 0.5), true},
		"leaks no more":   {0.5, leaks(0.7, 1), at(0.69), true},
		"leaks on":        {0.5, leaks(0.7, 1), leaks(0.69, 1), false},
		"leaks and moves": {0.5, leaks(1.3, 1), leaks(0.9, 0.5), false},
	} {
		s := &Sentinel{start: leaks(2, 10), best: c.half, thrown: c.thrown}
		s.atHalf(c.half)
		if e := s.late(750, c.late); (e != nil) != c.trip || e != nil && !e.restart {
			t.Errorf("%s: %+v, want %v", name, e, c.trip)
		}
	}
	b, err := (&Sentinel{thrown: 0.5, stuck: 3, half: leaks(0.7, 0.2), known: at(0.6).plain}).MarshalState()
	if err != nil {
		t.Fatal(err)
	}
	var s Sentinel
	if err := s.UnmarshalState(b); err != nil || s.thrown != 0.5 || s.stuck != 3 || !s.half.equal(leaks(0.7, 0.2)) {
		t.Errorf("restored: %+v, %v", s, err)
	}
}

// The best state of an attempt that was restarted is what is delivered if none of those after it is better.
func TestKept(t *testing.T) {
	at := level
	state := func(v float64) Snapshot {
		b, err := (&Sentinel{start: at(1), best: at(v)}).MarshalState()
		if err != nil {
			t.Fatal(err)
		}
		return Snapshot{"sentinel": b}
	}
	r := new(runner)
	if err := r.recall(); err != nil || r.good != nil {
		t.Errorf("of a run without restarts: %v", err)
	}
	for _, c := range []struct{ best, want float64 }{{0.6, 0.6}, {0.5, 0.5}, {0.8, 0.5}} { // one attempt after another
		r.good, r.sentinel.best = state(c.best), at(c.best)
		r.keep()
		if got, err := r.kept.judged(); err != nil || !got.equal(at(c.want)) {
			t.Errorf("after an attempt of %g: kept %v, %v, want %g", c.best, got, err, c.want)
		}
	}
	for _, c := range []struct{ last, want float64 }{{0.4, 0.4}, {0.7, 0.5}} {
		r.good, r.sentinel.best = state(c.last), at(c.last)
		if err := r.recall(); err != nil || !r.sentinel.best.equal(at(c.want)) {
			t.Errorf("the last attempt at %g: %v, %v, want %g", c.last, r.sentinel.best, err, c.want)
		}
		if got, err := r.good.judged(); err != nil || !got.equal(at(c.want)) {
			t.Errorf("the last attempt at %g: delivered is %v, %v", c.last, got, err)
		}
	}
}
