package fit

import (
	"bytes"
	"encoding/json"
	"fmt"
	"maps"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"codeberg.org/sbinet/npyio"
	"gonum.org/v1/gonum/mat"

	"github.com/stheno-ebm/stheno/datasets"
	"github.com/stheno-ebm/stheno/datasets/density"
	"github.com/stheno-ebm/stheno/objectives"
	"github.com/stheno-ebm/stheno/objectives/fit/rundir"
	"github.com/stheno-ebm/stheno/objectives/train"
)

// planned is a small run with what suits the objective.
func planned(t testing.TB, dataset, objective string, more Layer) *Job {
	t.Helper()
	j, err := prepared(dataset, objective, more)
	if err != nil {
		t.Fatal(err)
	}
	return j
}

func prepared(dataset, objective string, more Layer) (*Job, error) {
	l := Layer{"dataset": quoted(dataset), "objective": quoted(objective), "hidden": json.RawMessage("[16]"),
		"batch": json.RawMessage("32"), "threads": json.RawMessage("1")}
	if f, _ := Lookup("buffer"); slices.Contains(f.Objectives, objective) {
		l["buffer"] = json.RawMessage("64")
	}
	maps.Copy(l, more)
	c, err := Read(l)
	if err != nil {
		return nil, err
	}
	src, err := datasets.Open(dataset)
	if err != nil {
		return nil, err
	}
	return Prepare(src, c)
}

// created is a new run directory with the settings in it.
func created(tb testing.TB, j *Job) *rundir.Dir {
	tb.Helper()
	dir, err := j.Create(filepath.Join(tb.TempDir(), "run"))
	if err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(dir.Unlock)
	return dir
}

func quoted(s string) json.RawMessage {
	b, _ := json.Marshal(s)
	return b
}

// Every objective trains on the three first distributions with its defaults: some steps, and all parameters stay
// finite.
func TestEveryObjectiveTrains(t *testing.T) {
	for _, objective := range objectives.Names() {
		for _, dataset := range []string{"8gaussians", "4squares", "2spirals"} {
			t.Run(objective+"/"+dataset, func(t *testing.T) {
				p := planned(t, dataset, objective, nil)
				var now time.Duration // enough after forty steps
				before := append([]float64(nil), p.Model.Params.Data()...)
				if _, err := p.StepTime(func() time.Duration { now += 2500 * time.Microsecond; return now }); err != nil {
					t.Fatal(err)
				}
				moved := false
				for i, v := range p.Model.Params.Data() {
					if math.IsNaN(v) || math.IsInf(v, 0) {
						t.Fatalf("parameter %d is %g", i, v)
					}
					moved = moved || v != before[i]
				}
				if !moved {
					t.Error("nothing was learnt")
				}
			})
		}
	}
}

// A distribution that is drawn from once is trained on as a file of the same points is, step by step, and has the truth
// to be judged by besides.
func TestTrainPoints(t *testing.T) {
	const n = 100
	moons, err := datasets.New("moons")
	if err != nil {
		t.Fatal(err)
	}
	x := mat.NewDense(n, 2, nil)
	moons.Sample(x, train.Stream(1, "points"))
	var b bytes.Buffer
	if err := npyio.Write(&b, x); err != nil {
		t.Fatal(err)
	}
	file := filepath.Join(t.TempDir(), "points.npy")
	if err := os.WriteFile(file, b.Bytes(), 0o644); err != nil {
		t.Fatal(err)
	}
	fresh := planned(t, "moons", "nce", nil)
	for _, objective := range []string{"nce", "ssm"} {
		once := planned(t, "moons", objective, Layer{"train-points": json.RawMessage("100")})
		points := planned(t, file, objective, nil)
		for _, p := range []*Job{once, points} {
			if _, err := p.StepTime(func() time.Duration { return 0 }); err != nil {
				t.Fatal(err)
			}
			if held, err := p.Model.data.held(); err != nil || held == nil {
				t.Errorf("%s: nothing is held back of %s: %v", objective, p.Config.Dataset, err)
			}
		}
		if !slices.Equal(once.Model.Params.Data(), points.Model.Params.Data()) {
			t.Errorf("%s: the weights differ from those of a file of the same points", objective)
		}
		if slices.Equal(once.Model.data.Mean, fresh.Model.data.Mean) {
			t.Errorf("%s: the data are those of endless draws", objective)
		}
		if _, ok := once.Model.data.truth.(density.LogProber); !ok {
			t.Errorf("%s: the truth is not known", objective)
		}
	}
	if _, err := prepared(file, "nce", Layer{"train-points": json.RawMessage("100")}); err == nil ||
		!strings.Contains(err.Error(), "train-points: only for distributions") {
		t.Errorf("train-points with a file: %v", err)
	}
}

// Points that are trained on over and over are smoothed, whatever the objective, and the likelihood of those that
// were learnt is measured beside that of the others.
func TestFinitePointsAreWatched(t *testing.T) {
	for _, objective := range objectives.Names() {
		t.Run(objective, func(t *testing.T) {
			p := planned(t, "moons", objective,
				Layer{"train-points": json.RawMessage("60"), "steps": json.RawMessage("3"),
					"samples": json.RawMessage("0"), "frames": json.RawMessage("0"), "grid": json.RawMessage("100"),
					"test-points": json.RawMessage("200")})
			if !(p.Config.Smooth > 0) {
				t.Error("the points are not smoothed")
			}
			m, err := p.Run(t.Context(), created(t, p))
			if err != nil {
				t.Fatal(err)
			}
			res := m.Result
			if !res.Eval.KL.Known() || !res.Eval.NLL.Known() || !res.Eval.TrainNLL.Known() ||
				res.Eval.NLL == res.Eval.TrainNLL {
				t.Errorf("KL %v, NLL %v, of the training points %v", res.Eval.KL, res.Eval.NLL, res.Eval.TrainNLL)
			}
			if !strings.Contains(res.Bias, "the points, blurred") {
				t.Errorf("the bias is %q", res.Bias)
			}
		})
	}
}

// A model says what the objective learns other than the density of the data, and nothing where there is nothing.
func TestBias(t *testing.T) {
	for _, c := range []struct {
		objective string
		more      Layer
		says      string // "" for no bias
	}{
		{"sm", nil, ""},
		{"nce", nil, ""},
		{"cnce", nil, ""},
		{"dsm", Layer{"sigma": json.RawMessage("0.07")}, "blurred by sigma = 0.07"},
		{"dsm-multi", nil, "blurred at every level"},
		{"fd-ssm", nil, "steps of 0.02"},
		{"lsd", nil, "critic lags"},
		{"cd", Layer{"chain-steps": json.RawMessage("3")}, "3 steps from the data have not mixed"},
		{"pcd", Layer{"chain-steps": json.RawMessage("5")}, "5 steps per gradient"},
		{"ml", Layer{"alpha": json.RawMessage("0.2")}, "alpha = 0.2 pulls energies to zero"},
		{"sm", Layer{"bridge": json.RawMessage("0")}, "blind to the weights of modes"},
		{"nce", Layer{"energy-l2": json.RawMessage("0.1")}, "regularisers move the minimum"},
		{"nce", Layer{"gradient-penalty": json.RawMessage("0.1")}, "regularisers move the minimum"},
		{"nce", Layer{"spectral-norm": json.RawMessage("2")}, "layers of spectral norm 2"},
		{"nce", Layer{"optimizer": quoted("adamw"), "weight-decay": json.RawMessage("0.1")},
			"weight decay moves the minimum"},
	} {
		text := planned(t, "moons", c.objective, c.more).Model.bias()
		if (text != "") != (c.says != "") || !strings.Contains(text, c.says) {
			t.Errorf("%s %s: the bias is %q, want %q", c.objective, c.more, text, c.says)
		}
	}
}

// The gradient penalty of the settings is part of the loss: λ mean |∇E|² of the evaluator, which knows nothing of
// losses; over a bridge, too.
func TestGradientPenaltyReachesTheLoss(t *testing.T) {
	const lambda = 0.7
	for _, c := range []struct{ objective, bridge string }{
		{"ssm", "0"}, {"dsm", "0"}, {"cnce", "0"}, // at the points; at the blurred ones; at both
		{"ssm", "0.2"}, {"dsm", "0.2"}, {"ksd", "0.2"},
	} {
		objective := c.objective
		p := planned(t, "moons", objective, Layer{"gradient-penalty": json.RawMessage("0.7"), "energy": quoted("mlp"),
			"bridge": json.RawMessage(c.bridge), "precision": quoted("float64")})
		n, d := p.Config.Batch, p.Model.data.Dim
		x, grad := mat.NewDense(n, d, nil), make([]float64, p.Model.Params.Len())
		p.Model.data.source.Sample(x, train.Stream(1, "data"))
		st, err := p.objective.Gradient(grad, x, train.Stream(1, "noise"))
		if err != nil {
			t.Fatal(err)
		}
		at := []*mat.Dense{x}
		if objective == "dsm" || objective == "cnce" {
			eps := p.objective.(interface{ Draws() objectives.Inputs }).Draws()["eps"]
			y := mat.NewDense(n, d, append([]float64(nil), eps...))
			y.Scale(p.setting("sigma"), y)
			y.Add(y, x)
			if at = append(at, y); objective == "dsm" {
				at = at[1:]
			}
		}
		eval, err := p.Model.Evaluator(p.Model.Params, n)
		if err != nil {
			t.Fatal(err)
		}
		var want float64
		for _, x := range at {
			g := mat.NewDense(n, d, nil)
			if err := eval.EnergyGrad(make([]float64, n), g, x); err != nil {
				t.Fatal(err)
			}
			for _, v := range g.RawMatrix().Data {
				want += lambda * v * v / float64(n)
			}
		}
		if math.Abs(st.Penalty-want) > 1e-9*want || !(want > 0) {
			t.Errorf("%s, bridge %s: penalty %g, want %g", objective, c.bridge, st.Penalty, want)
		}
	}
}

// A column that counts the rows, one that follows from others, and a point far from all others are named; else nothing
// is said. One such point lets columns seem to follow from each other.
func TestNotes(t *testing.T) {
	for name, c := range map[string]struct {
		header string
		row    func(i int, a, b float64) string
		want   string
	}{
		"index": {",a,b\n", func(i int, a, b float64) string { return fmt.Sprintf("%d,%g,%g", i, a, b) },
			"column 1 (x1) counts the rows"},
		"shares": {"a,b,c\n", func(_ int, a, b float64) string { return fmt.Sprintf("%.6f,%g,%.6f", a, b, 1-a) },
			"columns 1 (a), 3 (c) one follows"},
		"sum": {"", func(_ int, a, b float64) string {
			return fmt.Sprintf(
				"%g,%g,%g", 1e200*a, 1e200*b, 1e200*(a-2*b))
		}, "columns 1, 2, 3 one follows"},
		"slip": {"", func(i int, a, b float64) string {
			s := map[bool]float64{true: 1e6}[i == 40]
			return fmt.Sprintf("%g,%g", a+s, b+s)
		}, "point 41 lies"},
		"close": {"a,b,c\n", func(i int, a, b float64) string {
			return fmt.Sprintf(
				"%g,%g,%g", a, b, a+b+0.01*float64(i%7))
		}, ""},
	} {
		rng := train.Stream(1, name)
		var text strings.Builder
		text.WriteString(c.header)
		for i := range 60 {
			text.WriteString(c.row(i, rng.NormFloat64(), rng.NormFloat64()) + "\n")
		}
		file := filepath.Join(t.TempDir(), name+".csv")
		if err := os.WriteFile(file, []byte(text.String()), 0o644); err != nil {
			t.Fatal(err)
		}
		j := planned(t, file, "nce", nil)
		notes := j.Notes()
		if len(notes) > 1 || (len(notes) == 1) != (c.want != "") || len(notes) == 1 &&
			!strings.Contains(notes[0], c.want) {
			t.Errorf("%s: got %q, want %q", name, notes, c.want)
		}
	}
}

// With a spectral norm the energy does not depend on the size of weight matrices; without one it does.
func TestSpectralNormReachesTheEnergy(t *testing.T) {
	for _, kind := range []string{"mlp", "residual", "fourier"} {
		for _, norm := range []string{"0", "1.5"} {
			p := planned(t, "moons", "nce",
				Layer{"spectral-norm": json.RawMessage(norm), "energy": quoted(kind), "precision": quoted("float64")})
			x := mat.NewDense(8, 2, nil)
			p.Model.data.source.Sample(x, train.Stream(1, "data"))
			energies := func() []float64 {
				eval, err := p.Model.Evaluator(p.Model.Params, 8)
				if err != nil {
					t.Fatal(err)
				}
				e := make([]float64, 8)
				if err := eval.EnergyGrad(e, nil, x); err != nil {
					t.Fatal(err)
				}
				return e
			}
			before := energies()
			specs, views := p.Model.Params.Specs(), p.Model.Params.Views(p.Model.Params.Data())
			for i, s := range specs {
				if strings.HasSuffix(s.Name, "weight") && s.Name != "features.weight" {
					for j := range views[i] {
						views[i][j] *= 3
					}
				}
			}
			p.Model.Params.Changed()
			var moved float64
			for i, v := range energies() {
				moved = max(moved, math.Abs(v-before[i]))
			}
			if still := moved < 1e-9; still != (norm != "0") {
				t.Errorf("%s, norm %s: weights times 3 move the energy by %g", kind, norm, moved)
			}
		}
	}
}

// setting is the number under a key of the settings of the job's objective.
func (j *Job) setting(key string) (v float64) {
	if err := json.Unmarshal(objectives.Encode(j.Config.Objective)[key], &v); err != nil {
		panic(err)
	}
	return v
}

// Denoising at many levels gets the weights of modes from a background; an energy that has none, from its sampler.
func TestLevelsWithoutABridge(t *testing.T) {
	for network, want := range map[string]string{"fourier": defaultSampler, "mlp": annealedSampler} {
		c, err := Suited(Config{Name: "dsm-multi", Network: network}, objectives.Facts{})
		if err != nil {
			t.Fatal(err)
		}
		if c.Sampler != want || (c.Bridge > 0) != (network == "fourier") {
			t.Errorf("%s: bridge %v, sampler %q, want %q", network, c.Bridge, c.Sampler, want)
		}
	}
}
