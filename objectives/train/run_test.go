package train

import (
	"bytes"
	"context"
	"errors"
	"io/fs"
	"math"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"gonum.org/v1/gonum/mat"
)

// toy is the loss ½ mean‖θ − x + noise‖² with a memory (the number of calls) and a way to go wrong on demand.
type toy struct {
	theta   []float64
	calls   uint64
	changed int
	trouble func(calls uint64, grad []float64, st *Stats) error
}

func (t *toy) Data() []float64 { return t.theta }
func (t *toy) Changed()        { t.changed++ }

func (t *toy) Gradient(grad []float64, x *mat.Dense, rng *rand.Rand) (Stats, error) {
	n, d := x.Dims()
	clear(grad)
	var st Stats
	for i := range n {
		for j := range d {
			r := t.theta[j] - x.At(i, j) + 0.1*rng.NormFloat64()
			st.Loss += r * r / 2 / float64(n)
			grad[j] += r / float64(n)
		}
	}
	t.calls++
	if t.trouble == nil {
		return st, nil
	}
	troubled := st
	err := t.trouble(t.calls, grad, &troubled)
	return troubled, err
}

func (t *toy) MarshalState() ([]byte, error) {
	var e encoder
	e.uint64(t.calls)
	return e.b, nil
}

func (t *toy) UnmarshalState(b []byte) error {
	d := decoder{b: b}
	t.calls = d.uint64()
	return d.finish("toy")
}

// gauss is N((1, 2, 3), 1).
type gauss struct{}

func (gauss) Sample(dst *mat.Dense, rng *rand.Rand) {
	n, d := dst.Dims()
	for i := range n {
		for j := range d {
			dst.Set(i, j, float64(j+1)+rng.NormFloat64())
		}
	}
}

func newToy() *toy { return &toy{theta: make([]float64, 3)} }

func toyConfig(o *toy, dir string) Config {
	cfg := Config{
		Objective: o, Params: o, Optimizer: new(Adam), Source: gauss{}, Dim: 3, Batch: 16, Steps: 200,
		LearningRate: 0.05, Schedule: Warmup{Steps: 10, Then: Cosine{}}, Clip: 1, Decay: 0.9, Seed: 42,
		RecordEvery: 7, CheckpointEvery: 20, Fingerprint: "toy",
	}
	if dir != "" {
		cfg.Checkpoint = filepath.Join(dir, "state")
	}
	return cfg
}

func recorder(t *testing.T, dir string) *Recorder {
	t.Helper()
	r, err := NewRecorder(filepath.Join(dir, "metrics.jsonl"))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { r.f.Close() })
	return r
}

func records(t *testing.T, dir string) []Record {
	t.Helper()
	rs, err := ReadRecords(filepath.Join(dir, "metrics.jsonl"))
	if err != nil {
		t.Fatal(err)
	}
	for i := range rs {
		rs[i].Seconds = 0
	}
	return rs
}

func sameRecords(t *testing.T, got, want []Record) {
	t.Helper()
	if len(got) != len(want) {
		t.Fatalf("got %d records, want %d", len(got), len(want))
	}
	for i := range want {
		if g, w := string(got[i].AppendJSON(nil)), string(want[i].AppendJSON(nil)); g != w {
			t.Errorf("record %d: got %s, want %s", i, g, w)
		}
	}
}

// TestClock: with a given clock the records are the same to the byte, including the times.
func TestClock(t *testing.T) {
	var want []byte
	for range 2 {
		dir := t.TempDir()
		cfg := toyConfig(newToy(), dir)
		cfg.Recorder = recorder(t, dir)
		var now time.Time
		cfg.Now = func() time.Time { now = now.Add(time.Second); return now }
		res, err := Run(context.Background(), cfg)
		if err != nil {
			t.Fatal(err)
		}
		got, err := os.ReadFile(filepath.Join(dir, "metrics.jsonl"))
		if err != nil {
			t.Fatal(err)
		}
		if want == nil {
			want = got
		}
		if !bytes.Equal(got, want) || res.Seconds < 1 {
			t.Errorf("after %g s: got %s, want %s", res.Seconds, got, want)
		}
	}
}

func TestRunLearns(t *testing.T) {
	o := newToy()
	cfg := toyConfig(o, "")
	cfg.Steps = 600
	res, err := Run(context.Background(), cfg)
	if err != nil {
		t.Fatal(err)
	}
	for j, v := range res.Average {
		// The average of about 10 batches of 16: five standard errors of √(1.01/16).
		if math.Abs(v-float64(j+1)) > 5*math.Sqrt(1.01/16) {
			t.Errorf("θ̄[%d] = %g, want %d", j, v, j+1)
		}
	}
	if res.Step != 600 || o.changed < 600 {
		t.Errorf("%d steps, %d notices, want 600", res.Step, o.changed)
	}
}

// TestResume stops a run at every kind of moment and compares the end with the undisturbed run, bit for bit.
func TestResume(t *testing.T) {
	run := func(t *testing.T, trouble func(uint64, []float64, *Stats) error, stops ...int) (*toy, Result, []Record,
		Snapshot) {
		dir := t.TempDir()
		var resume Snapshot
		for k := 0; ; k++ {
			o := newToy()
			o.trouble = trouble
			cfg := toyConfig(o, dir)
			rec := recorder(t, dir)
			cfg.Recorder, cfg.Resume = rec, resume
			ctx, cancel := context.WithCancel(context.Background())
			if k < len(stops) {
				cfg.Hooks.Step = func(p Progress) error {
					if p.Step == stops[k] {
						cancel()
					}
					return nil
				}
			}
			res, err := Run(ctx, cfg)
			cancel()
			if err := rec.Close(); err != nil {
				t.Fatal(err)
			}
			s, readErr := ReadSnapshot(cfg.Checkpoint)
			if readErr != nil {
				t.Fatal(readErr)
			}
			if k == len(stops) {
				if err != nil {
					t.Fatal(err)
				}
				return o, res, records(t, dir), s
			}
			if !errors.Is(err, context.Canceled) {
				t.Fatalf("got error %v, want one of the context", err)
			}
			if res.Step != stops[k] {
				t.Fatalf("stopped at step %d, want %d", res.Step, stops[k])
			}
			resume = s
		}
	}
	// A NaN at the 130th call of the first attempt, whose gradient no other attempt has.
	once := func() func(uint64, []float64, *Stats) error {
		first := math.NaN()
		return func(calls uint64, grad []float64, st *Stats) error {
			if calls == 130 && (math.IsNaN(first) || grad[0] == first) {
				first, st.Loss = grad[0], math.NaN()
			}
			return nil
		}
	}
	for _, c := range []struct {
		name    string
		trouble func(uint64, []float64, *Stats) error
		stops   []int
	}{
		{"plain", nil, []int{1, 20, 33, 199}},
		{"rollback", once(), []int{125, 127, 150}},
	} {
		t.Run(c.name, func(t *testing.T) {
			o1, r1, m1, _ := run(t, c.trouble)
			o2, r2, m2, _ := run(t, c.trouble, c.stops...)
			if c.trouble != nil && r1.Rollbacks == 0 {
				t.Fatal("the test does not test: no rollback")
			}
			near(t, "θ", o2.theta, o1.theta, 0)
			near(t, "θ̄", r2.Average, r1.Average, 0)
			if o1.calls != o2.calls || r1.Rollbacks != r2.Rollbacks || r1.Loss != r2.Loss {
				t.Errorf("got %d calls, %d rollbacks, loss %g; want %d, %d, %g", o2.calls, r2.Rollbacks, r2.Loss,
					o1.calls, r1.Rollbacks, r1.Loss)
			}
			sameRecords(t, m2, m1)
		})
	}
}

func TestKilledAnywhere(t *testing.T) {
	// A kill leaves the last checkpoint, and whatever was appended to the metrics since.
	base, killed := t.TempDir(), t.TempDir()
	o := newToy()
	cfg := toyConfig(o, base)
	cfg.Recorder = recorder(t, base)
	if _, err := Run(context.Background(), cfg); err != nil {
		t.Fatal(err)
	}
	stop := errors.New("killed")
	var held []byte
	o2 := newToy()
	cfg = toyConfig(o2, killed)
	cfg.Recorder = recorder(t, killed)
	cfg.Hooks.Step = func(p Progress) error {
		if p.Step == 113 {
			held, _ = os.ReadFile(cfg.Checkpoint)
			return stop
		}
		return nil
	}
	if _, err := Run(context.Background(), cfg); !errors.Is(err, stop) {
		t.Fatal(err)
	}
	s, err := decodeSnapshot(held)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(cfg.Checkpoint, held, 0o644); err != nil {
		t.Fatal(err)
	}
	o3 := newToy()
	cfg3 := toyConfig(o3, killed)
	cfg3.Recorder, cfg3.Resume = recorder(t, killed), s
	if _, err := Run(context.Background(), cfg3); err != nil {
		t.Fatal(err)
	}
	near(t, "θ", o3.theta, o.theta, 0)
	sameRecords(t, records(t, killed), records(t, base))
}

func TestResumeRefused(t *testing.T) {
	dir := t.TempDir()
	cfg := toyConfig(newToy(), dir)
	if _, err := Run(context.Background(), cfg); err != nil {
		t.Fatal(err)
	}
	s, err := ReadSnapshot(cfg.Checkpoint)
	if err != nil {
		t.Fatal(err)
	}
	again := toyConfig(newToy(), dir)
	again.Resume, again.Fingerprint = s, "other"
	if _, err := Run(context.Background(), again); !errors.Is(err, ErrSettings) {
		t.Errorf("got %v, want %v", err, ErrSettings)
	}
	small := toyConfig(&toy{theta: make([]float64, 2)}, dir)
	small.Resume, small.Dim = s, 2
	if _, err := Run(context.Background(), small); err == nil ||
		!strings.Contains(err.Error(), "3 parameters, the energy 2") {
		t.Errorf("got %v, want a complaint about the number of parameters", err)
	}
}

func TestSentinel(t *testing.T) {
	for _, c := range []struct {
		name    string
		trouble func(uint64, []float64, *Stats) error
		want    []string
	}{
		{"NaN loss", func(n uint64, g []float64, st *Stats) error {
			if n > 30 {
				st.Loss = math.NaN()
			}
			return nil
		}, []string{"step 30", "the loss is NaN", "3 times", "--lr"}},
		{"loss without bound", func(n uint64, g []float64, st *Stats) error {
			if n > 30 {
				st.Loss = -1e13
			}
			return nil
		}, []string{"step 30", "the loss runs away", "-1e+13", "3 times"}},
		{"infinite gradient", func(n uint64, g []float64, st *Stats) error {
			if n > 30 {
				g[1] = math.Inf(1)
			}
			return nil
		}, []string{"step 30", "norm is +Inf"}},
		{"exploding gradient", func(n uint64, g []float64, st *Stats) error {
			if n > 70 {
				g[0] = 1e9
			}
			return nil
		}, []string{"step 119", "since step 70", "far above its usual size"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			o := newToy()
			o.trouble = c.trouble
			dir := t.TempDir()
			cfg := toyConfig(o, dir)
			cfg.Recorder = recorder(t, dir)
			_, err := Run(context.Background(), cfg)
			var e *Error
			if !errors.As(err, &e) || !errors.Is(err, ErrDiverged) {
				t.Fatalf("got %v, want a *train.Error", err)
			}
			for _, w := range c.want {
				if !strings.Contains(err.Error(), w) {
					t.Errorf("%q does not say %q", err, w)
				}
			}
			events := 0
			for _, r := range records(t, dir) {
				if r.Event != "" {
					events++
				} else if math.IsNaN(r.Loss) {
					t.Errorf("record %+v", r)
				}
			}
			if events != 1 { // the file is cut back at every rollback: the last event stands
				t.Errorf("%d events, want 1", events)
			}
		})
	}
}

// A run that gives up leaves the parameters and the average of the last good checkpoint, not the diverged ones.
func TestGivingUpLeavesWhatWasGood(t *testing.T) {
	const good = 20 // the last checkpoint before step 30
	stop, cancel := context.WithCancel(context.Background())
	o := newToy()
	o.trouble = func(n uint64, _ []float64, _ *Stats) error {
		if n == good {
			cancel()
		}
		return nil
	}
	want, err := Run(stop, toyConfig(o, ""))
	if !errors.Is(err, context.Canceled) || want.Step != good {
		t.Fatalf("stopped at step %d: %v", want.Step, err)
	}
	p := newToy()
	p.trouble = func(n uint64, g []float64, st *Stats) error {
		if n > 30 {
			st.Loss = math.NaN()
		}
		return nil
	}
	got, err := Run(context.Background(), toyConfig(p, ""))
	if !errors.Is(err, ErrDiverged) {
		t.Fatalf("got %v, want ErrDiverged", err)
	}
	if !slices.Equal(p.theta, o.theta) || !slices.Equal(got.Average, want.Average) {
		t.Errorf("parameters %v, average %v, want %v, %v", p.theta, got.Average, o.theta, want.Average)
	}
}

// A loss that falls without end on the training points and rises on the held-out ones is noticed; one that is merely
// larger there is not, nor is one that rises on both.
func TestHeldBackLossRunsAway(t *testing.T) {
	// The loss of a call is that of the points it got: the held-out ones are at 100.
	at := func(train, held func(step float64) float64) (Result, []Record, error) {
		o := newToy()
		dir := t.TempDir()
		cfg := toyConfig(o, dir)
		cfg.RecordEvery = 2
		cfg.Objective = objectiveFunc(func(grad []float64, x *mat.Dense, rng *rand.Rand) (Stats, error) {
			st, err := o.Gradient(grad, x, rng)
			step := float64(o.calls)
			if st.Loss = train(step); x.At(0, 0) == 100 {
				st.Loss = held(step)
			}
			return st, err
		})
		cfg.Held = constantSource(100)
		cfg.Recorder = recorder(t, dir)
		res, err := Run(context.Background(), cfg)
		return res, records(t, dir), err
	}
	falls := func(s float64) float64 { return -s }
	rises := func(s float64) float64 { return -10 + s*s/100 }
	above := func(s float64) float64 { return -s / 2 }
	_, _, err := at(falls, rises)
	var e *Error
	if !errors.As(err, &e) || !errors.Is(err, ErrDiverged) {
		t.Fatalf("got %v, want a *train.Error", err)
	}
	for _, w := range []string{"runs away", "held back", "memorised", "--smooth", "3 times"} {
		if !strings.Contains(err.Error(), w) {
			t.Errorf("%q does not say %q", err, w)
		}
	}
	for name, held := range map[string]func(float64) float64{"above": above, "same": falls} {
		if res, recs, err := at(falls, held); err != nil || res.Rollbacks != 0 {
			t.Errorf("%s: %d rollbacks, error %v", name, res.Rollbacks, err)
		} else if got, want := recs[0].Values["held_loss"], held(3); math.Abs(got-want) > 10 {
			t.Errorf("%s: held_loss %g, want about %g", name, got, want)
		}
	}
	bounded := func(s float64) float64 { return 1 / s }
	if res, _, err := at(bounded, rises); err != nil || res.Rollbacks != 0 {
		t.Errorf("a loss that stays positive: %d rollbacks, error %v", res.Rollbacks, err)
	}
	if res, _, err := at(rises, rises); err != nil || res.Rollbacks != 0 {
		t.Errorf("a loss that rises on both: %d rollbacks, error %v", res.Rollbacks, err)
	}
}

type objectiveFunc func(grad []float64, x *mat.Dense, rng *rand.Rand) (Stats, error)

func (f objectiveFunc) Gradient(grad []float64, x *mat.Dense, rng *rand.Rand) (Stats, error) {
	return f(grad, x, rng)
}

type constantSource float64

func (c constantSource) Sample(dst *mat.Dense, _ *rand.Rand) {
	dst.Apply(func(int, int, float64) float64 { return float64(c) }, dst)
}

// Evaluating the held-out points leaves no trace in the course of the run.
func TestHeldBackLeavesNoTrace(t *testing.T) {
	var thetas [2][]float64
	var calls [2]uint64
	for i, held := range []Source{nil, constantSource(1)} {
		o := newToy()
		cfg := toyConfig(o, t.TempDir())
		cfg.Held = held
		if _, err := Run(context.Background(), cfg); err != nil {
			t.Fatal(err)
		}
		thetas[i], calls[i] = o.theta, o.calls
	}
	near(t, "θ", thetas[1], thetas[0], 0)
	if calls[0] != calls[1] {
		t.Errorf("the objective counts %d calls, want %d", calls[1], calls[0])
	}
}

// A run that goes wrong once is rescued by a rollback, with a quarter of the rate.
func TestRollbackCures(t *testing.T) {
	o := newToy()
	wrong := true
	o.trouble = func(n uint64, g []float64, st *Stats) error {
		if n == 50 && wrong {
			wrong = false
			g[0] = math.NaN()
		}
		return nil
	}
	var rates []float64
	cfg := toyConfig(o, "")
	cfg.Schedule = nil
	cfg.Hooks.Step = func(p Progress) error { rates = append(rates, p.LearningRate); return nil }
	res, err := Run(context.Background(), cfg)
	if err != nil {
		t.Fatal(err)
	}
	if res.Rollbacks != 1 || res.Step != 200 {
		t.Errorf("%d rollbacks, %d steps, want 1 and 200", res.Rollbacks, res.Step)
	}
	if first, last := rates[0], rates[len(rates)-1]; last != first/4 {
		t.Errorf("the rate went from %g to %g, want a quarter", first, last)
	}
}

func TestHookErrorEndsRun(t *testing.T) {
	want := errors.New("enough")
	cfg := toyConfig(newToy(), t.TempDir())
	cfg.Hooks.Step = func(p Progress) error {
		if p.Step == 5 {
			return want
		}
		return nil
	}
	res, err := Run(context.Background(), cfg)
	if !errors.Is(err, want) || res.Step != 5 {
		t.Fatalf("step %d, error %v", res.Step, err)
	}
	if s, err := ReadSnapshot(cfg.Checkpoint); err != nil || s["rollback"] == nil {
		t.Errorf("no checkpoint of the stop: %v", err)
	}
}

func TestValidate(t *testing.T) {
	_, err := Run(context.Background(), Config{LearningRate: -1, Decay: 2, Sentinel: Sentinel{Backoff: math.NaN()}})
	if err == nil {
		t.Fatal("no error")
	}
	for _, w := range []string{"Objective", "Params", "Source", "Dim", "Batch", "LearningRate", "Decay", "Optimizer",
		"Sentinel.Backoff"} {
		if !strings.Contains(err.Error(), w) {
			t.Errorf("%q does not name %s", err, w)
		}
	}
}

func TestLoopAllocates(t *testing.T) {
	run := func(steps int) float64 {
		o := newToy()
		cfg := toyConfig(o, "")
		cfg.Steps, cfg.RecordEvery, cfg.CheckpointEvery = steps, 1000, 1000
		return testing.AllocsPerRun(3, func() { Run(context.Background(), cfg) })
	}
	if a, b := run(100), run(600); b > a+5 { // a few of the system's are not ours
		t.Errorf("500 more steps allocate %g more times, want 0", b-a)
	}
}

func TestSnapshotDamage(t *testing.T) {
	whole := Snapshot{"a": []byte("hello"), "b": nil, "long": bytes.Repeat([]byte{7}, 300)}.Encode()
	if s, err := decodeSnapshot(whole); err != nil || string(s["a"]) != "hello" || len(s) != 3 {
		t.Fatalf("got %v, %v", s, err)
	}
	for n := range whole {
		if _, err := decodeSnapshot(whole[:n]); err == nil {
			t.Fatalf("accepted when cut at %d", n)
		}
		flipped := bytes.Clone(whole)
		flipped[n] ^= 1 << (n % 8)
		if _, err := decodeSnapshot(flipped); err == nil {
			t.Fatalf("accepted with a flipped bit in byte %d", n)
		}
	}
	newer := bytes.Clone(whole)
	newer[8] = checkpointVersion + 1
	if _, err := decodeSnapshot(newer); err == nil || !strings.Contains(err.Error(), "version 2") {
		t.Errorf("newer version: got %v", err)
	}
	dir := t.TempDir()
	if _, err := ReadSnapshot(dir); err == nil || !strings.Contains(err.Error(), "not a regular file") {
		t.Errorf("folder: got %v", err)
	}
	if _, err := ReadSnapshot(filepath.Join(dir, "none")); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("missing: got %v", err)
	}
}

func TestRecords(t *testing.T) {
	dir := t.TempDir()
	r := recorder(t, dir)
	in := []Record{
		{Step: 1, Loss: 0.1, GradNorm: 1e-300, LearningRate: 1e-3, Values: map[string]float64{"kl": 2, "accept": 0.5}},
		{Step: 1, Event: `a "quoted" thing`},
		{Step: 2, Loss: math.Nextafter(1, 2)},
	}
	for _, rec := range in {
		if err := r.Record(rec); err != nil {
			t.Fatal(err)
		}
	}
	sameRecords(t, records(t, dir), in)
	path := filepath.Join(dir, "metrics.jsonl")
	f, _ := os.OpenFile(path, os.O_APPEND|os.O_WRONLY, 0o644)
	f.WriteString(`{"step":3,"lo`)
	f.Close()
	sameRecords(t, records(t, dir), in)
	f, _ = os.OpenFile(path, os.O_APPEND|os.O_WRONLY, 0o644)
	f.WriteString("\n")
	f.Close()
	if _, err := ReadRecords(path); err == nil || !strings.Contains(err.Error(), "line 4") {
		t.Errorf("got %v, want the damaged line named", err)
	}
}
