package train

import (
	"context"
	"errors"
	"math"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"gonum.org/v1/gonum/mat"

	"github.com/stheno-ebm/stheno/energy"
	"github.com/stheno-ebm/stheno/objectives"
)

// around is N(mean, 1) in every coordinate.
type around float64

func (a around) Sample(dst *mat.Dense, rng *rand.Rand) {
	n, d := dst.Dims()
	for i := range n {
		for j := range d {
			dst.Set(i, j, float64(a)+rng.NormFloat64())
		}
	}
}

// passing is a run that learns 7 and passes, on its way, the 5 of the held-out points.
func passing(o *toy, dir string) Config {
	cfg := toyConfig(o, dir)
	cfg.Source, cfg.Held, cfg.Steps, cfg.Schedule, cfg.Clip = around(7), around(5), 1000, nil, 0
	cfg.Early = &EarlyStopping{Every: 10}
	return cfg
}

// The best weights are those nearest to the held-out mean, the run ends when there was no better for long, and up to
// there it is the run without early stopping.
func TestEarlyStopping(t *testing.T) {
	o := newToy()
	res, err := Run(t.Context(), passing(o, ""))
	if err != nil {
		t.Fatal(err)
	}
	if !res.Early || res.Step != res.BestStep+10*10 || res.Step >= 1000 {
		t.Errorf("best at step %d, ended at %d, early %v; want an end 100 steps after the best", res.BestStep,
			res.Step, res.Early)
	}
	for _, v := range res.Best {
		if math.Abs(v-5) > 0.5 { // it moves by 0.05 per step, and a measurement uses 64 points
			t.Errorf("best weights %v, want nearly 5", res.Best)
			break
		}
	}
	if v := res.Average[0]; v < 6 {
		t.Errorf("the average at the end is %g, want beyond 6", v)
	}

	plain := newToy()
	cfg := passing(plain, "")
	cfg.Early, cfg.Steps = nil, res.Step
	want, err := Run(t.Context(), cfg)
	if err != nil || !slices.Equal(plain.theta, o.theta) || !slices.Equal(want.Average, res.Average) ||
		plain.calls != o.calls {
		t.Errorf("θ = %v after %d calls, %v after %d without early stopping; error %v", o.theta, o.calls, plain.theta,
			plain.calls, err)
	}
	if !slices.Equal(want.Best, want.Average) || want.BestStep != res.Step || !math.IsNaN(want.BestLoss) ||
		want.Early {
		t.Errorf("without early stopping: %+v, want the last average for the best", want)
	}
}

// Patience below 0 takes all steps and keeps the best weights.
func TestEarlyWithoutEnd(t *testing.T) {
	cfg := passing(newToy(), "")
	cfg.Early.Patience = -1
	res, err := Run(t.Context(), cfg)
	if err != nil || res.Step != 1000 || res.Early || res.BestStep >= 500 || math.Abs(res.Best[0]-5) > 0.5 {
		t.Errorf("%+v, error %v", res, err)
	}
}

// A loss supplied by the caller replaces that of the objective; one that is not a number is never the best.
func TestEarlyLoss(t *testing.T) {
	cfg := passing(newToy(), "")
	cfg.Held = nil
	calls := 0
	cfg.Early.Loss = func(average []float64) (float64, error) {
		calls++
		if calls == 3 {
			return math.NaN(), nil
		}
		return math.Abs(average[0] - 3), nil
	}
	res, err := Run(t.Context(), cfg)
	if err != nil || math.Abs(res.Best[0]-3) > 0.5 || res.BestLoss != math.Abs(res.Best[0]-3) {
		t.Errorf("%+v, error %v; want weights of nearly 3", res, err)
	}
	broken := errors.New("broken")
	cfg = passing(newToy(), "")
	cfg.Early.Loss = func([]float64) (float64, error) { return 0, broken }
	if _, err := Run(t.Context(), cfg); !errors.Is(err, broken) {
		t.Errorf("got error %v, want that of the loss", err)
	}
}

// A run that is stopped and resumed, in the middle and after its early end, equals the undisturbed one.
func TestEarlyResumes(t *testing.T) {
	whole := newToy()
	dir := t.TempDir()
	cfg := passing(whole, dir)
	cfg.Recorder = recorder(t, dir)
	want, err := Run(t.Context(), cfg)
	if err != nil {
		t.Fatal(err)
	}
	for _, stop := range []int{want.BestStep - 5, want.BestStep + 33} {
		part := newToy()
		there := t.TempDir()
		cfg := passing(part, there)
		cfg.Recorder = recorder(t, there)
		ctx, cancel := context.WithCancel(t.Context())
		cfg.Hooks.Step = func(p Progress) error {
			if p.Step == stop {
				cancel()
			}
			return nil
		}
		if _, err := Run(ctx, cfg); !errors.Is(err, context.Canceled) {
			t.Fatal(err)
		}
		for range 2 { // the second time it has ended
			again := newToy()
			cfg := passing(again, there)
			cfg.Recorder = recorder(t, there)
			if cfg.Resume, err = ReadSnapshot(cfg.Checkpoint); err != nil {
				t.Fatal(err)
			}
			got, err := Run(t.Context(), cfg)
			if err != nil {
				t.Fatal(err)
			}
			got.Seconds, want.Seconds = 0, 0
			if !slices.Equal(got.Best, want.Best) || got.BestLoss != want.BestLoss || got.BestStep != want.BestStep ||
				got.Step != want.Step ||
				!got.Early || !slices.Equal(again.theta, whole.theta) {
				t.Errorf("stopped at step %d and resumed: %+v, want %+v", stop, got, want)
			}
			sameRecords(t, records(t, there), records(t, dir))
		}
	}
}

func TestEarlyRefuses(t *testing.T) {
	for want, change := range map[string]func(c *Config){
		"Config.Early without points held back": func(c *Config) { c.Held = nil },
		"EarlyStopping.Every = -1":              func(c *Config) { c.Early.Every = -1 },
		"EarlyStopping.Batches = -2":            func(c *Config) { c.Early.Batches = -2 },
		"Config.Steps = 0, want > 0":            func(c *Config) { c.Steps = 0 },
	} {
		cfg := passing(newToy(), "")
		change(&cfg)
		if _, err := Run(t.Context(), cfg); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("error %v, want %q", err, want)
		}
	}
}

// θ defaults to that of the objective; another one, which would not be trained, is refused.
func TestParamsOfTheObjective(t *testing.T) {
	e := energy.Gaussian{D: 2}
	p := energy.Init(e, Stream(1, "init"))
	o, err := objectives.New(objectives.ScoreMatching{}, e, p, objectives.Config{Batch: 16})
	if err != nil {
		t.Fatal(err)
	}
	cfg := Config{Objective: o, Optimizer: new(Adam), Source: around(3), Dim: 2, Batch: 16, Steps: 5,
		LearningRate: 0.1}
	start := slices.Clone(p.Data())
	if _, err := Run(t.Context(), cfg); err != nil || slices.Equal(p.Data(), start) {
		t.Errorf("θ = %v, error %v; want it trained", p.Data(), err)
	}
	cfg.Params = p
	if _, err := Run(t.Context(), cfg); err != nil {
		t.Errorf("the same parameters: %v", err)
	}
	cfg.Params = p.Clone()
	if _, err := Run(t.Context(), cfg); err == nil ||
		!strings.Contains(err.Error(), "not those that the objective was compiled for") {
		t.Errorf("a copy of the parameters: %v", err)
	}
	cfg.Objective, cfg.Params = newToy(), nil
	if _, err := Run(t.Context(), cfg); err == nil || !strings.Contains(err.Error(), "Config.Params is nil") {
		t.Errorf("no parameters: %v", err)
	}
}
