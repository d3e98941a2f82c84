package fit

import (
	"context"
	"errors"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"testing"

	"gonum.org/v1/gonum/mat"

	"github.com/stheno-ebm/stheno/datasets"
	"github.com/stheno-ebm/stheno/objectives"
	"github.com/stheno-ebm/stheno/objectives/fit/rundir"
	"github.com/stheno-ebm/stheno/objectives/train"
)

// quick is a Config for a run of a second.
func quick(steps int) Config {
	return Config{Hidden: []int{16}, Batch: 64, Steps: steps, Samples: 200, Chains: 50, Frames: -1, TestPoints: 500,
		Grid: 100, Threads: 1}
}

// tableOf writes points of a correlated Gaussian in three dimensions, in units far from 1, and returns the path.
func tableOf(t testing.TB, n int) string {
	t.Helper()
	rng := train.Stream(1, "table")
	x := mat.NewDense(n, 3, nil)
	for i := range n {
		a, b, c := rng.NormFloat64(), rng.NormFloat64(), rng.NormFloat64()
		x.SetRow(i, []float64{100 + 20*a, -3 + 0.01*(a+b), 5e4 * (b - c)})
	}
	path := filepath.Join(t.TempDir(), "points.csv")
	if err := datasets.Save(path, x); err != nil {
		t.Fatal(err)
	}
	return path
}

func opened(t testing.TB, dataset string) Source {
	t.Helper()
	src, err := datasets.Open(dataset)
	if err != nil {
		t.Fatal(err)
	}
	return src
}

// A trained model of a file gives densities in the units of the file: log p is −E − log Z with the measured log Z,
// and the score is the gradient of log p.
func TestModelOfAFile(t *testing.T) {
	path := tableOf(t, 300)
	c := quick(200)
	c.Dataset, c.Out, c.Precision = path, filepath.Join(t.TempDir(), "run"), "float64"
	m, err := Train(t.Context(), opened(t, path), c)
	if err != nil {
		t.Fatal(err)
	}
	if m.Config.Name != "nce" || m.Config.Standardize != On || !(m.Config.Smooth > 0) {
		t.Errorf("objective %s, standardize %v, smooth %g", m.Config.Name, m.Config.Standardize, m.Config.Smooth)
	}
	x := mat.NewDense(2, 3, []float64{105, -3.01, 1e4, 90, -2.99, -5e4})
	logp, e := make([]float64, 2), make([]float64, 2)
	if err := m.LogProb(t.Context(), logp, x); err != nil {
		t.Fatal(err)
	}
	if err := m.Energy(e, x); err != nil {
		t.Fatal(err)
	}
	for i := range logp {
		if want := -e[i] - float64(m.Result.Eval.LogZ); math.Abs(logp[i]-want) > 1e-9 {
			t.Errorf("log p = %g, want %g", logp[i], want)
		}
	}
	score := mat.NewDense(2, 3, nil)
	if err := m.Score(score, x); err != nil {
		t.Fatal(err)
	}
	for j, h := range []float64{1e-3, 1e-6, 1} {
		up, down := mat.DenseCopyOf(x), mat.DenseCopyOf(x)
		hi, lo := make([]float64, 2), make([]float64, 2)
		for i := range 2 {
			up.Set(i, j, x.At(i, j)+h)
			down.Set(i, j, x.At(i, j)-h)
		}
		if err := errors.Join(m.LogProb(t.Context(), hi, up), m.LogProb(t.Context(), lo, down)); err != nil {
			t.Fatal(err)
		}
		for i := range 2 {
			want := (hi[i] - lo[i]) / (2 * h)
			if got := score.At(i, j); math.Abs(got-want) > 1e-4*(math.Abs(want)+1/h*1e-6) {
				t.Errorf("score of column %d: got %g, want %g", j, got, want)
			}
		}
	}
	if n, d := m.Draw.X.Dims(); n != 200 || d != 3 {
		t.Errorf("%d×%d samples", n, d)
	}

	again, err := Open(c.Out)
	if err != nil {
		t.Fatal(err)
	}
	e2 := make([]float64, 2)
	if err := again.Energy(e2, x); err != nil {
		t.Fatal(err)
	}
	if !slices.Equal(e, e2) {
		t.Errorf("the opened model has energies %v, want %v", e2, e)
	}
	copied := filepath.Join(t.TempDir(), "copy")
	if err := again.Save(copied); err != nil {
		t.Fatal(err)
	}
	third, err := Open(copied)
	if err != nil {
		t.Fatal(err)
	}
	draws := func(m *Model) []float64 {
		d, err := m.Sample(t.Context(), SampleConfig{N: 20, Seed: 3})
		if err != nil {
			t.Fatal(err)
		}
		return d.X.RawMatrix().Data
	}
	if want := draws(m); !slices.Equal(draws(again), want) || !slices.Equal(draws(third), want) {
		t.Error("the model, the opened and the saved one draw differently")
	}

	if err := os.Remove(path); err != nil {
		t.Fatal(err)
	}
	lost, err := Open(c.Out)
	if err != nil {
		t.Fatal(err)
	}
	var gone *DataError
	if _, err := lost.Evaluate(t.Context(), nil); !errors.As(err, &gone) || !errors.Is(err, ErrNoTruth) {
		t.Errorf("without the file: got %v, want a *DataError", err)
	}
	draws(lost)
}

// From about a hundred columns on, mixtures no longer fit into the header of a file; they are stored as arrays.
func TestManyColumns(t *testing.T) {
	const n, d = 300, 150
	rng := train.Stream(2, "columns")
	x := mat.NewDense(n, d, nil)
	for i := range n {
		for j := range d {
			x.Set(i, j, rng.NormFloat64())
		}
	}
	points, err := datasets.NewPoints(x)
	if err != nil {
		t.Fatal(err)
	}
	c := quick(3)
	c.Objective, c.Bridge = objectives.Sliced{}, 0.2
	j, err := Prepare(points, c)
	if err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(t.TempDir(), "run")
	if err := j.Model.Save(path); err != nil {
		t.Fatal(err)
	}
	m, err := OpenContext(t.Context(), path, points)
	if err != nil {
		t.Fatal(err)
	}
	var got, want [1]float64
	if err := errors.Join(m.Energy(got[:], mat.NewDense(1, d, nil)),
		j.Model.Energy(want[:], mat.NewDense(1, d, nil))); err != nil {
		t.Fatal(err)
	}
	if got != want {
		t.Errorf("energy %v, want %v", got, want)
	}
	j.Model.data.Odds--
	old := filepath.Join(t.TempDir(), "old")
	if err := j.Model.Save(old); err != nil {
		t.Fatal(err)
	}
	if _, err := OpenContext(t.Context(), old, points); !errors.Is(err, errOdds) {
		t.Errorf("weights learnt with other odds: error %v, want %v", err, errOdds)
	}
}

// A Config without a run directory trains, measures and writes nothing; it comes back as requested, and complete.
func TestTrainWithoutADirectory(t *testing.T) {
	c := quick(30)
	m, err := Train(t.Context(), opened(t, "moons"), c)
	if err != nil {
		t.Fatal(err)
	}
	if m.Dir() != nil || m.Result.Run != "" || m.Result.Steps != 30 || m.Result.Objective != "sm" ||
		!m.Result.Eval.KL.Known() {
		t.Errorf("got %+v", m.Result)
	}
	if m.Config.Bridge != 0.2 || m.Config.Hidden[0] != 16 {
		t.Errorf("config %+v", m.Config)
	}
	again, err := Train(t.Context(), opened(t, "moons"), m.Config) // a complete Config is literal
	if err != nil {
		t.Fatal(err)
	}
	if !slices.Equal(m.Params.Data(), again.Params.Data()) {
		t.Error("the completed settings train other weights")
	}
}

// The run directory of version 2 is refused by its number; its settings can be trained again.
func TestEarlierFormat(t *testing.T) {
	dir := &rundir.Dir{Path: filepath.Join("testdata", "format2")}
	_, err := Open(dir.Path)
	var format *FormatError
	if !errors.As(err, &format) || format.Version != 2 {
		t.Fatalf("got %v, want a *FormatError of version 2", err)
	}
	b, err := dir.Read(rundir.Config)
	if err != nil {
		t.Fatal(err)
	}
	l, _, err := ParseConfig("config.json", b)
	if err != nil {
		t.Fatal(err)
	}
	c, err := Read(l)
	if err != nil {
		t.Fatal(err)
	}
	j, err := Prepare(opened(t, c.Dataset), c)
	if err != nil {
		t.Fatal(err)
	}
	if m, ok := j.Config.Objective.(objectives.Denoising); !ok || m.Sigma != 0.07 || !m.Unpaired ||
		j.Config.Steps != 40 {
		t.Errorf("got %#v, %d steps", j.Config.Objective, j.Config.Steps)
	}
}

// Models written by version 3 are read, and compute what they computed then, to the bit.
func TestThisFormat(t *testing.T) {
	m, err := Open(filepath.Join("testdata", "format3"))
	if err != nil {
		t.Fatal(err)
	}
	e := make([]float64, 1)
	if err := m.Energy(e, mat.NewDense(1, 2, []float64{0.5, -1})); err != nil {
		t.Fatal(err)
	}
	want, err := os.ReadFile(filepath.Join("testdata", "format3", "energy.txt"))
	if err != nil {
		t.Fatal(err)
	}
	if got := formatEnergy(e[0]); got != string(want) {
		t.Errorf("energy %s, want %s", got, want)
	}
}

func TestCancelBeforeTheFirstStep(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	c := quick(10)
	c.Out = filepath.Join(t.TempDir(), "run")
	c.Hooks.Gate = func(context.Context) error { cancel(); return nil }
	if _, err := Train(ctx, opened(t, "moons"), c); !errors.Is(err, context.Canceled) {
		t.Fatalf("got %v, want context.Canceled", err)
	}
	m, err := Resume(t.Context(), c.Out, opened(t, "moons"), Hooks{})
	if err != nil {
		t.Fatal(err)
	}
	if m.Result.Steps != 10 {
		t.Errorf("%d steps", m.Result.Steps)
	}
	done, err := Resume(t.Context(), c.Out, opened(t, "moons"), Hooks{})
	if err != nil {
		t.Fatal(err)
	}
	if done.Result.Steps != 10 || done.Result.Loss != m.Result.Loss || done.Result.Eval.NLL != m.Result.Eval.NLL {
		t.Errorf("of the finished run: %+v, want %+v", done.Result, m.Result)
	}
}

// If the context is over before the data are read, everything ends at once: nothing is read, and no directory made.
func TestCancelBeforeTheData(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	c := quick(10)
	c.Out = filepath.Join(t.TempDir(), "run")
	c.Hooks.Stage = func(text string) { t.Errorf("began with %s", text) }
	_, opening := c.OpenData(ctx, nil)
	_, preparing := PrepareContext(ctx, opened(t, "moons"), c)
	_, training := Train(ctx, opened(t, "moons"), c)
	_, reading := OpenContext(ctx, filepath.Join("testdata", "format3"), nil)
	for i, err := range []error{opening, preparing, training, reading} {
		if !errors.Is(err, context.Canceled) {
			t.Errorf("call %d: got %v, want context.Canceled", i, err)
		}
	}
	if _, err := os.Stat(c.Out); err == nil {
		t.Error("a run directory was made")
	}
}

func formatEnergy(e float64) string { return strconv.FormatFloat(e, 'g', 8, 64) + "\n" }

// With patience, the weights that were best on held-out points are kept, and these points are not those that the
// model is measured on.
func TestPatience(t *testing.T) {
	path := tableOf(t, 120)
	c := quick(4000)
	c.Dataset, c.Patience, c.Smooth, c.Hidden, c.LearningRate = path, 3, -1, []int{64, 64}, 1e-2
	m, err := Train(t.Context(), opened(t, path), c)
	if err != nil {
		t.Fatal(err)
	}
	if m.Result.Steps >= 4000 {
		t.Errorf("%d steps: the run did not end early", m.Result.Steps)
	}
	n, _ := m.data.train.Dims()
	held, _ := m.data.early.Dims()
	tested, _ := m.data.test.Dims()
	if n+held+tested != 120 || held == 0 || tested == 0 {
		t.Errorf("%d points learnt, %d held back, %d measured on", n, held, tested)
	}
	c.Patience = -1
	var field *FieldError
	if _, err := Train(t.Context(), opened(t, path), c); !errors.As(err, &field) || field.Key != "patience" {
		t.Errorf("got %v, want an error about patience", err)
	}
	c = quick(10)
	c.Patience = 2
	if _, err := Train(t.Context(), opened(t, "moons"), c); !errors.As(err, &field) || field.Key != "patience" {
		t.Errorf("got %v, want an error about patience", err)
	}
}
