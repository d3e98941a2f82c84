package fit

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"gonum.org/v1/gonum/mat"

	"github.com/stheno-ebm/stheno/objectives/fit/rundir"
	"github.com/stheno-ebm/stheno/objectives/train"
)

// stopped is a run on the file, stopped after a checkpoint.
func stopped(t *testing.T, file string) string {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	c := quick(60)
	c.Frames, c.Base, c.Smooth = 20, Off, -1 // nothing fitted that is then not looked at
	c.Dataset, c.Out = file, filepath.Join(t.TempDir(), "run")
	c.Hooks.Step = func(p train.Progress) error {
		if p.Step == 20 {
			cancel()
		}
		return nil
	}
	if _, err := Train(ctx, opened(t, file), c); !errors.Is(err, context.Canceled) {
		t.Fatalf("got %v, want context.Canceled", err)
	}
	return c.Out
}

// A stored run says that its file now holds other points, or is gone, and what helps; its model opens all the same.
func TestDataOfAStoredRun(t *testing.T) {
	file := tableOf(t, 100)
	run := stopped(t, file)
	sum, err := DataSum(file)
	if err != nil {
		t.Fatal(err)
	}
	m, err := Open(run)
	if err != nil {
		t.Fatal(err)
	}
	if m.Truth() == nil || m.Gone() != nil || m.Dim() != 3 || m.Names() != nil || len(m.Notes()) > 0 {
		t.Errorf("truth %v, gone %v, %d columns %v, notes %v", m.Truth(), m.Gone(), m.Dim(), m.Names(), m.Notes())
	}

	b, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(file, append(b, "101,-3,7\n"...), 0o644); err != nil {
		t.Fatal(err)
	}
	if other, err := DataSum(file); err != nil || other == sum {
		t.Errorf("the sum of other points: %q, %v", other, err)
	}
	lost := func(words string) {
		t.Helper()
		var de *DataError
		if _, err := Resume(t.Context(), run, nil, Hooks{}); !errors.As(err, &de) ||
			!strings.Contains(err.Error(), words) {
			t.Errorf("resume: %v, want a *DataError with %q", err, words)
		}
		m, err := Open(run)
		if err != nil {
			t.Fatal(err)
		}
		if m.Truth() != nil || !strings.Contains(m.Gone().Error(), words) {
			t.Errorf("truth %v, gone %v", m.Truth(), m.Gone())
		}
		if err := m.Energy(make([]float64, 1), mat.NewDense(1, 3, nil)); err != nil {
			t.Error(err)
		}
		if err := m.Energy(make([]float64, 1), mat.NewDense(1, 2, nil)); err == nil {
			t.Error("points of two columns were accepted")
		}
	}
	lost("have changed")
	if err := os.Remove(file); err != nil {
		t.Fatal(err)
	}
	lost("not there any more")
	if _, err := DataSum(file); err == nil {
		t.Error("a missing file has a sum")
	}
	if sum, err := DataSum("moons"); sum != "" || err != nil {
		t.Errorf("the sum of a distribution: %q, %v", sum, err)
	}
}

// A damaged checkpoint, or one with other settings, is named.
func TestDamagedCheckpoint(t *testing.T) {
	run := stopped(t, tableOf(t, 100))
	path := filepath.Join(run, filepath.FromSlash(rundir.Frames))
	if err := os.Truncate(path, 3); err != nil {
		t.Fatal(err)
	}
	var fe *rundir.FileError
	if _, err := Resume(t.Context(), run, nil, Hooks{}); !errors.As(err, &fe) ||
		!strings.Contains(err.Error(), "frames") {
		t.Errorf("got %v, want a *FileError about the frames", err)
	}
}

// The program says before the training how it reads a file, and names settings that another kind of data would have.
func TestSaidOfAFile(t *testing.T) {
	path := filepath.Join(t.TempDir(), "flats.csv")
	var b strings.Builder
	b.WriteString("rooms,rent,city\n")
	for i := range 60 {
		b.WriteString([]string{"1.5,", "2.25,", "3.125,"}[i%3] + []string{"700.5", "811.25", "932.75", "640.1",
			"555.7"}[i%5] + ",7\n")
	}
	if err := os.WriteFile(path, []byte(b.String()), 0o644); err != nil {
		t.Fatal(err)
	}
	src := opened(t, path)
	c := quick(10)
	c.Dataset = path
	if lines := c.ReadOf(src); len(lines) == 0 || !strings.HasPrefix(lines[0], "flats.csv: 60 rows × 3 columns") {
		t.Errorf("said of the file: %q", lines)
	}
	if lines := c.ReadOf(opened(t, "moons")); lines != nil {
		t.Errorf("said of a distribution: %q", lines)
	}
	_, err := Prepare(src, c)
	if err == nil || !strings.Contains(err.Error(), "city") {
		t.Errorf("of a constant column: %v, want its name", err)
	}
	if err := (&data{geometry: geometry{Dim: 2}, train: mat.NewDense(3, 2, nil)}).constant(); err == nil {
		t.Error("equal points are accepted")
	}
}

// Settings made for a distribution do not suit a file.
func TestUnsuited(t *testing.T) {
	path := tableOf(t, 100)
	of, err := prepared("moons", "sm", nil)
	if err != nil {
		t.Fatal(err)
	}
	kept, err := of.Config.Layer()
	if err != nil {
		t.Fatal(err)
	}
	kept["dataset"] = quoted(path)
	c, err := Read(kept)
	if err != nil {
		t.Fatal(err)
	}
	j, err := Prepare(opened(t, path), c)
	if err != nil {
		t.Fatal(err)
	}
	said, err := j.Unsuited(Layer{"dataset": quoted(path)})
	if err != nil {
		t.Fatal(err)
	}
	if !slices.Contains(said, "objective sm (nce would suit)") {
		t.Errorf("got %q", said)
	}
	same, err := j.Unsuited(kept)
	if err != nil || len(same) > 0 {
		t.Errorf("of its own settings: %q, %v", same, err)
	}
}

// An energy exported for other programs has its weights and says what it is, but not where the data were.
func TestONNX(t *testing.T) {
	path := tableOf(t, 100)
	c := quick(1)
	c.Dataset = path
	j, err := Prepare(opened(t, path), c)
	if err != nil {
		t.Fatal(err)
	}
	b, err := j.Model.ONNX()
	if err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{"nce", "net.0.weight"} {
		if !strings.Contains(string(b), want) {
			t.Errorf("the model does not hold %q", want)
		}
	}
	if strings.Contains(string(b), filepath.Base(path)) {
		t.Error("the model names the file of the data")
	}
}
