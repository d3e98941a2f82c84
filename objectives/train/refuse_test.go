package train

import (
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/stheno-ebm/stheno/energy"
)

// Schedules that would turn the rate around are refused, also inside of a warm-up.
func TestScheduleValidate(t *testing.T) {
	for want, s := range map[string]interface{ Validate() error }{
		"Cosine.Floor = -1":  Warmup{Then: Cosine{Floor: -1}},
		"Cosine.Floor = 2":   Cosine{Floor: 2},
		"Warmup.Steps = -3":  Warmup{Steps: -3},
		"":                   Warmup{Steps: 3, Then: Cosine{Floor: 0.1}},
		"Config.Batch = 0":   &Config{Schedule: Cosine{}},
		"Cosine.Floor = 1.5": &Config{Schedule: Warmup{Then: Cosine{Floor: 1.5}}},
	} {
		err := s.Validate()
		if (err != nil) != (want != "") || err != nil && !strings.Contains(err.Error(), want) {
			t.Errorf("%+v: error %v, want %q", s, err, want)
		}
	}
}

// sized is an objective that knows the shape of its batches, and wide a source that knows its dimension.
type (
	sized struct {
		*toy
		n, d int
	}
	wide struct {
		gauss
		d int
	}
)

func (s sized) Dims() (n, d int) { return s.n, s.d }
func (s wide) Dim() int          { return s.d }

// A batch whose shape differs from that of the objective or of the points is refused before anything is drawn.
func TestShapes(t *testing.T) {
	o := newToy()
	for _, c := range []struct {
		change func(c *Config)
		want   string
	}{
		{func(c *Config) { c.Objective, c.Source, c.Held = sized{o, 16, 3}, wide{d: 3}, wide{d: 3} }, ""},
		{func(c *Config) { c.Objective = sized{o, 16, 2} },
			"Config.Dim = 3, the energy of the objective has dimension 2"},
		{func(c *Config) { c.Objective = sized{o, 128, 3} },
			"train: Config.Batch = 16, the objective was compiled for 128 by objectives.Config.Batch"},
		{func(c *Config) { c.Source = wide{d: 2} }, "the points of Config.Source have dimension 2"},
		{func(c *Config) { c.Held = wide{d: 4} }, "the points of Config.Held have dimension 4"},
		{func(c *Config) { c.Objective, c.Dim = sized{o, 16, 2}, 0 }, "Config.Dim = 0, want > 0"},
	} {
		cfg := toyConfig(o, "")
		c.change(&cfg)
		cfg.Steps = 1
		_, err := Run(t.Context(), cfg)
		if (err != nil) != (c.want != "") || err != nil &&
			(!strings.Contains(err.Error(), c.want) || strings.Contains(err.Error(), "\n")) {
			t.Errorf("error %v, want %q alone", err, c.want)
		}
	}
}

// A measured value cannot take the name of a field, which would make the file unreadable; and no recorder drops
// everything.
func TestRecorderNames(t *testing.T) {
	path := filepath.Join(t.TempDir(), "metrics.jsonl")
	r, err := NewRecorder(path)
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range ownKeys {
		if err := r.Record(Record{Step: 1, Values: map[string]float64{name: 1}}); err == nil ||
			!strings.Contains(err.Error(), name) {
			t.Errorf("%s: error %v", name, err)
		}
	}
	if err := r.Record(Record{Step: 1, Values: map[string]float64{"kl": 1}}); err != nil {
		t.Error(err)
	}
	if got, err := ReadRecords(path); err != nil || len(got) != 1 {
		t.Errorf("%d records, %v", len(got), err)
	}
	var none *Recorder
	if err := none.Record(Record{}); err != nil {
		t.Error(err)
	}
}

// Event files are found in a folder whatever its name.
func TestEventFilesAnywhere(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "run[1]")
	name := filepath.Join(dir, EventFilePrefix+"1"+eventFileSuffix)
	if err := os.Mkdir(dir, 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(name, nil, 0o644); err != nil {
		t.Fatal(err)
	}
	if got := EventFiles(dir); len(got) != 1 || got[0] != name {
		t.Errorf("got %q, want %q", got, name)
	}
}

// The checkpoint hook comes before each of them, and its error prevents the file from being written.
func TestCheckpointHook(t *testing.T) {
	cfg := toyConfig(newToy(), t.TempDir())
	cfg.Steps, cfg.CheckpointEvery = 50, 20
	var steps []int
	cfg.Hooks.Checkpoint = func(step int) error {
		if _, err := os.Stat(cfg.Checkpoint); (err == nil) != (len(steps) > 0) {
			t.Errorf("step %d: checkpoint %v after %d calls", step, err, len(steps))
		}
		steps = append(steps, step)
		return nil
	}
	if _, err := Run(t.Context(), cfg); err != nil || !slices.Equal(steps, []int{0, 20, 40, 50}) {
		t.Errorf("called at %v, error %v", steps, err)
	}
	cfg = toyConfig(newToy(), t.TempDir())
	full := errors.New("full")
	cfg.Hooks.Checkpoint = func(int) error { return full }
	if _, err := Run(t.Context(), cfg); !errors.Is(err, full) {
		t.Errorf("got error %v, want that of the hook", err)
	}
	if _, err := os.Stat(cfg.Checkpoint); err == nil {
		t.Error("a checkpoint was written after the error of the hook")
	}
}

// A weight array that is all zeros, as an energy that initialises its own may leave it, is refused by name.
func TestZeroWeight(t *testing.T) {
	cfg := toyConfig(newToy(), "")
	cfg.Params = energy.NewParams([]energy.Spec{{Name: "conv.weight", Shape: []int{4, 1, 3, 3}}})
	if _, err := newRunner(cfg); err == nil ||
		!strings.Contains(err.Error(), "weight conv.weight of shape [4 1 3 3] is zero") {
		t.Errorf("error %v, want one that names the weight", err)
	}
}
