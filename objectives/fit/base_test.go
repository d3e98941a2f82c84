package fit

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"math"
	"os"
	"path/filepath"
	"testing"

	"gonum.org/v1/gonum/floats/scalar"
	"gonum.org/v1/gonum/mat"
	"gonum.org/v1/gonum/stat"

	"github.com/stheno-ebm/stheno/datasets"
	"github.com/stheno-ebm/stheno/datasets/density"
	"github.com/stheno-ebm/stheno/energy"
	"github.com/stheno-ebm/stheno/objectives/fit/rundir"
	"github.com/stheno-ebm/stheno/objectives/train"
)

// bent writes points whose columns hang together in bends, in five dimensions, and returns the path.
func bent(t testing.TB, n int) string {
	t.Helper()
	rng := train.Stream(2, "bent")
	x := mat.NewDense(n, 5, nil)
	for i := range n {
		row := x.RawRowView(i)
		row[0] = rng.NormFloat64()
		for j := 1; j < 5; j++ {
			row[j] = 2*math.Cos(row[0]+float64(j)) + 0.5*rng.NormFloat64()
		}
	}
	path := filepath.Join(t.TempDir(), "bent.csv")
	if err := datasets.Save(path, x); err != nil {
		t.Fatal(err)
	}
	return path
}

// Of Gaussian points the base is what is kept, and the model is normalised; of bent ones a mixture of straightened
// columns is better than that, on points that neither has seen. What is opened again is the same to the bit.
func TestBase(t *testing.T) {
	for name, path := range map[string]string{"gaussian": tableOf(t, 400), "bent": bent(t, 1500)} {
		t.Run(name, func(t *testing.T) {
			c := quick(1500)
			c.Dataset, c.Hidden, c.Batch, c.Out = path, nil, 0, filepath.Join(t.TempDir(), "run")
			m, err := Train(t.Context(), opened(t, path), c)
			if err != nil {
				t.Fatal(err)
			}
			e := m.Result.Eval
			if e.Baseline == nil {
				t.Fatal("no baseline")
			}
			if name == "gaussian" && (m.Result.Share != 0 || e.LogZ != 0 || math.Abs(float64(e.Baseline.Difference)) > 1e-4) {
				t.Errorf("share %g, log Z %g, difference %g: want the base", m.Result.Share, e.LogZ, e.Baseline.Difference)
			}
			if name == "bent" && !(m.Result.Warped && e.Baseline.Better()) {
				t.Errorf("share %g, difference %g ± %g: nothing helped", m.Result.Share,
					e.Baseline.Difference, e.Baseline.DifferenceErr)
			}
			again, err := Open(c.Out)
			if err != nil {
				t.Fatal(err)
			}
			x := mat.NewDense(1, m.Dim(), nil)
			x.SetRow(0, m.data.test.RawRowView(0))
			var got, want [1]float64
			if err := errors.Join(again.Energy(got[:], x), m.Energy(want[:], x)); err != nil {
				t.Fatal(err)
			}
			if got != want {
				t.Errorf("energy %v after opening, want %v", got, want)
			}
			if again.Config.Base != On || again.data.Share != m.data.Share {
				t.Errorf("opened: base %v, share %g", again.Config.Base, again.data.Share)
			}
		})
	}
}

// log Z by draws of the base is that by another density, the smoothed points.
func TestBaseLogZ(t *testing.T) {
	path := bent(t, 1500)
	c := quick(400)
	c.Dataset, c.Samples = path, -1
	m, err := Train(t.Context(), opened(t, path), c)
	if err != nil {
		t.Fatal(err)
	}
	m.data.Share = 1 // whatever the points held back say
	if err := m.rebuild(); err != nil {
		t.Fatal(err)
	}
	tilted := m.Network.(*energy.Tilted)
	a, err := m.tiltedLogZ(t.Context(), tilted)
	if err != nil {
		t.Fatal(err)
	}
	b, err := m.annealedImportanceSampling(t.Context(), 7)
	if err != nil {
		t.Fatal(err)
	}
	if gap := math.Abs(a.LogZ - b.LogZ); gap > 4*math.Hypot(a.StdErr, b.StdErr) {
		t.Errorf("log Z %g ± %g by the base, %g ± %g by annealing", a.LogZ, a.StdErr, b.LogZ, b.StdErr)
	}
}

// A run with a base and a warp that is stopped and resumed ends in the bytes of the undisturbed one.
func TestBaseResumed(t *testing.T) {
	m, err := Open(resumed(t, curved(t, 400), "[8,8]"))
	if err != nil {
		t.Fatal(err)
	}
	if !m.Warped() {
		t.Error("nothing is bent")
	}
}

// resumed fails unless a run on the points of a file that is stopped and resumed ends in the bytes of an undisturbed
// one, whose directory it returns.
func resumed(t *testing.T, path, hidden string) string {
	t.Helper()
	more := Layer{"hidden": json.RawMessage(hidden), "batch": json.RawMessage("16"), "steps": json.RawMessage("60"),
		"frames":  json.RawMessage("3"),
		"samples": json.RawMessage("50"), "chains": json.RawMessage("10"), "checkpoint-every": json.RawMessage("7")}
	tmp := t.TempDir()
	a, b := filepath.Join(tmp, "a"), filepath.Join(tmp, "b")
	undisturbed(t, path, more, a, 0)
	undisturbed(t, path, more, b, 23)
	for _, name := range []string{rundir.Model, rundir.Eval, rundir.Samples, rundir.Frames} {
		want, err1 := os.ReadFile(filepath.Join(a, name))
		got, err2 := os.ReadFile(filepath.Join(b, name))
		if err := errors.Join(err1, err2); err != nil {
			t.Fatal(err)
		}
		if !bytes.Equal(got, want) {
			t.Errorf("%s differs from that of the undisturbed run", name)
		}
	}
	return a
}

// undisturbed runs nce on the points of a file in a directory; unless stop is 0 it is stopped after so many steps and
// resumed.
func undisturbed(t *testing.T, path string, more Layer, dir string, stop int) {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	hooks := Hooks{Step: func(p train.Progress) error {
		if p.Step == stop {
			cancel()
		}
		return nil
	}}
	j := planned(t, path, "nce", more)
	j.Config.Hooks = hooks
	d, err := j.Create(dir)
	if err != nil {
		t.Fatal(err)
	}
	_, err = j.Run(ctx, d)
	d.Unlock()
	if errors.Is(err, context.Canceled) {
		_, err = Resume(t.Context(), dir, nil, Hooks{})
	}
	if err != nil {
		t.Fatal(err)
	}
}

// Where there can be no base, asking for one is an error that names it.
func TestBaseRefused(t *testing.T) {
	for _, c := range []struct {
		dataset string
		config  Config
		key     string
	}{
		{"moons", Config{Base: On}, "base"},
		{"moons", Config{Base: On, TrainPoints: 500, Name: "dsm-multi"}, "base"},
		{"ring20", Config{Base: On, TrainPoints: 500, Bridge: 0.2}, "bridge"},
	} {
		c.config.Dataset = c.dataset
		_, err := Prepare(opened(t, c.dataset), c.config)
		var field *FieldError
		if !errors.As(err, &field) || field.Key != c.key {
			t.Errorf("%+v: got %v, want an error about %s", c.config, err, c.key)
		}
	}
}

// Jittered points scatter about theirs as a component of the base does, times the factor.
func TestJittered(t *testing.T) {
	base, err := density.NewMixture(density.Parameters{Dim: 2, Covariance: density.Full, Weights: []float64{1, 1},
		Means: []float64{0, 0, 100, 0}, Factors: []float64{1, 0, 0.5, 0.2, 3, 0, 0, 3}})
	if err != nil {
		t.Fatal(err)
	}
	points, err := datasets.NewPoints(mat.NewDense(2, 2, []float64{0.3, 0.1, 0.3, 0.1}))
	if err != nil {
		t.Fatal(err)
	}
	const n, factor = 20000, 0.4
	x := mat.NewDense(n, 2, nil)
	(&jittered{points, base, factor, nil}).Sample(x, train.Stream(1, "test"))
	cov := base.CovarianceOf(0)
	for j, centre := range []float64{0.3, 0.1} {
		mean, sd := stat.MeanStdDev(mat.Col(nil, j, x), nil)
		want := factor * math.Sqrt(cov.At(j, j))
		if math.Abs(mean-centre) > 4*want/math.Sqrt(n) || !scalar.EqualWithinRel(sd, want, 4/math.Sqrt(2*n)) {
			t.Errorf("coordinate %d: mean %g, deviation %g, want %g and %g", j, mean, sd, centre, want)
		}
	}
}

// Whitening there and back is the identity, and gradients are those of the energy as a function of u.
func TestWhitening(t *testing.T) {
	root := mat.NewTriDense(2, mat.Lower, []float64{2, 0, 1, 0.5})
	w, err := newWhitening([]float64{1, -1}, root)
	if err != nil {
		t.Fatal(err)
	}
	u := mat.NewDense(2, 2, []float64{0.3, -0.7, 1.2, 2})
	var x, back mat.Dense
	x.CloneFrom(u)
	w.from(&x, u)
	back.CloneFrom(&x)
	w.to(&back, &x)
	if !mat.EqualApprox(&back, u, 1e-12) {
		t.Errorf("there and back: %v", mat.Formatted(&back))
	}
	target := w.target(quartic{})
	e, grad := make([]float64, 2), mat.NewDense(2, 2, nil)
	if err := target.EnergyGrad(e, grad, u); err != nil {
		t.Fatal(err)
	}
	const h = 1e-6
	for j := range 2 {
		up, down := mat.DenseCopyOf(u), mat.DenseCopyOf(u)
		for i := range 2 {
			up.Set(i, j, u.At(i, j)+h)
			down.Set(i, j, u.At(i, j)-h)
		}
		hi, lo := make([]float64, 2), make([]float64, 2)
		if err := errors.Join(target.EnergyGrad(hi, nil, up), target.EnergyGrad(lo, nil, down)); err != nil {
			t.Fatal(err)
		}
		for i := range 2 {
			if want := (hi[i] - lo[i]) / (2 * h); !scalar.EqualWithinAbsOrRel(grad.At(i, j), want, 1e-6, 1e-6) {
				t.Errorf("row %d, coordinate %d: slope %g, want %g", i, j, grad.At(i, j), want)
			}
		}
	}
}

// quartic is ¼ Σ x⁴.
type quartic struct{}

func (quartic) EnergyGrad(e []float64, grad, x *mat.Dense) error {
	n, d := x.Dims()
	for i := range n {
		e[i] = 0
		for j := range d {
			v := x.At(i, j)
			e[i] += v * v * v * v / 4
			if grad != nil {
				grad.Set(i, j, v*v*v)
			}
		}
	}
	return nil
}

// In the plane the base is what the network has to beat: of Gaussian clusters it is kept, of squares it is not.
func TestBaseInThePlane(t *testing.T) {
	if testing.Short() {
		t.Skip("trains for some seconds")
	}
	rng := train.Stream(1, "clusters")
	x := mat.NewDense(600, 2, nil)
	for i := range 600 {
		a, b := rng.NormFloat64(), rng.NormFloat64()
		x.SetRow(i, []float64{float64(i%3)*4 + a, a*float64(i%3) + 0.1*b})
	}
	clusters := filepath.Join(t.TempDir(), "clusters.csv")
	if err := datasets.Save(clusters, x); err != nil {
		t.Fatal(err)
	}
	for dataset, share := range map[string]float64{clusters: 0, "2spirals": 1} {
		c := quick(1000)
		c.Dataset, c.Hidden, c.Samples = dataset, []int{64, 64}, -1
		if dataset != clusters {
			c.TrainPoints, c.Name = 4000, "nce"
		}
		m, err := Train(t.Context(), opened(t, dataset), c)
		if err != nil {
			t.Fatal(err)
		}
		if b := m.Result.Eval.Baseline; share == 0 && math.Abs(float64(b.Difference)) > 1e-4 {
			t.Errorf("%s: the base is kept, and differs from itself by %g", filepath.Base(dataset), b.Difference)
		}
		if m.Result.Share != share || m.Result.Eval.Baseline == nil {
			t.Errorf("%s: share %g, want %g; baseline %v", filepath.Base(dataset), m.Result.Share, share, m.Result.Eval.Baseline)
		}
	}
}
