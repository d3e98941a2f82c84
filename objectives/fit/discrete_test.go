package fit

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"gonum.org/v1/gonum/floats"
	"gonum.org/v1/gonum/mat"
	"gonum.org/v1/gonum/stat"
	"gonum.org/v1/gonum/stat/distuv"

	"github.com/stheno-ebm/stheno/datasets"
	"github.com/stheno-ebm/stheno/datasets/density"
	"github.com/stheno-ebm/stheno/datasets/table"
	"github.com/stheno-ebm/stheno/internal/onnxtest"
	"github.com/stheno-ebm/stheno/objectives/train"
)

// clusters is a mixture of Gaussians with independent columns, rounded: P of a cell is a product of differences of Φ.
type clusters struct {
	weights []float64
	means   [][]float64
	sd      []float64
	width   float64
}

func roundedClusters(dim int, width float64) clusters {
	c := clusters{weights: []float64{0.5, 0.3, 0.2}, width: width}
	for j := range dim {
		c.sd = append(c.sd, 1+0.5*float64(j%3))
	}
	for k := range c.weights {
		mean := make([]float64, dim)
		for j := range mean {
			mean[j] = 6 * math.Sin(float64(3*k+j))
		}
		c.means = append(c.means, mean)
	}
	return c
}

func (c clusters) points(n int, name string) *mat.Dense {
	rng := train.Stream(5, name)
	x := mat.NewDense(n, len(c.sd), nil)
	for i := range n {
		k := density.Pick(floats.CumSum(make([]float64, 3), c.weights), rng)
		for j, s := range c.sd {
			x.Set(i, j, c.width*math.Round((c.means[k][j]+s*rng.NormFloat64())/c.width))
		}
	}
	return x
}

// logDensity is log(P/volume) of the cell of v.
func (c clusters) logDensity(v []float64) float64 {
	sum := 0.0
	for k, p := range c.weights {
		for j, s := range c.sd {
			n := distuv.Normal{Mu: c.means[k][j], Sigma: s}
			p *= (n.CDF(v[j]+c.width/2) - n.CDF(v[j]-c.width/2)) / c.width
		}
		sum += p
	}
	return math.Log(sum)
}

// density is that of the points before rounding.
func (c clusters) density(v []float64) float64 {
	sum := 0.0
	for k, p := range c.weights {
		for j, s := range c.sd {
			p *= distuv.Normal{Mu: c.means[k][j], Sigma: s}.Prob(v[j])
		}
		sum += p
	}
	return sum
}

// The probability of a cell by overCells is the exact one, in one column to 1e-4 and in six to 1e-2 where cells are as
// wide as the narrowest deviation, and closer the narrower they are. The density in the middle of the cell, the broken
// twin, is not.
func TestOverCells(t *testing.T) {
	for _, c := range []struct {
		dim       int
		width     float64
		tolerance float64
	}{{1, 1, 1e-4}, {3, 1, 2e-3}, {6, 1, 1e-2}, {6, 0.25, 1e-4}} {
		known := roundedClusters(c.dim, c.width)
		x := known.points(300, "test")
		var columns cells
		for j := range c.dim {
			g, _ := table.GridOf(x, j)
			columns = append(columns, cell{Column: j, Grid: g})
		}
		e, rough := make([]float64, 300), 0.0
		if err := columns.overCells(e, x, func(dst []float64, x *mat.Dense) error {
			for i := range dst {
				dst[i] = -math.Log(known.density(x.RawRowView(i)))
			}
			return nil
		}); err != nil {
			t.Fatal(err)
		}
		worst := 0.0
		for i, v := range e {
			want := known.logDensity(x.RawRowView(i))
			worst = math.Max(worst, math.Abs(v+want))
			rough = math.Max(rough, math.Abs(math.Log(known.density(x.RawRowView(i)))-want))
		}
		t.Logf("%d columns, cells %g wide: error %.2g, in the middle %.2g", c.dim, c.width, worst, rough)
		if worst > c.tolerance || rough < 2*c.tolerance {
			t.Errorf("%d columns, cells %g wide: error %g, in the middle %g; want the first below %g", c.dim, c.width,
				worst, rough, c.tolerance)
		}
	}
}

// saved writes points to a file and returns its path.
func saved(t testing.TB, x *mat.Dense) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "rounded.csv")
	if err := datasets.Save(path, x); err != nil {
		t.Fatal(err)
	}
	return path
}

// Of rounded points the model knows the probabilities of cells: its NLL on fresh points exceeds the exact one by no
// more than chance and what 1500 points leave open, draws are on the grid, and the measures are of the same cells.
func TestDiscrete(t *testing.T) {
	known := roundedClusters(4, 0.25)
	path, fresh := saved(t, known.points(1500, "train")), known.points(3000, "fresh")
	exact := make([]float64, 3000)
	for i := range exact {
		exact[i] = known.logDensity(fresh.RawRowView(i))
	}
	excess := func(c Config) (m *Model, mean, se float64) {
		c.Dataset = path
		m, err := Train(t.Context(), opened(t, path), c)
		if err != nil {
			t.Fatal(err)
		}
		own := make([]float64, 3000)
		if err := m.LogProb(t.Context(), own, fresh); err != nil {
			t.Fatal(err)
		}
		for i := range own {
			own[i] = exact[i] - own[i]
		}
		mean, sd := stat.MeanStdDev(own, nil)
		return m, mean, sd / math.Sqrt(3000)
	}
	m, kl, se := excess(quick(300))
	if len(m.data.Cells) != 4 || !strings.Contains(strings.Join(m.data.notes, ";"), "probabilities of their cells") {
		t.Fatalf("cells %v, notes %q", m.data.Cells, m.data.notes)
	}
	// a mixture of three Gaussians in four columns has 44 parameters, worth half a nat each over all points
	if limit := 2*44/2/1500. + 4*se; kl < -4*se || kl > limit {
		t.Errorf("KL %g ± %g, want at most %g", kl, se, limit)
	}
	for i := range m.Draw.X.RawMatrix().Rows {
		for _, v := range m.Draw.X.RawRowView(i) {
			if v != math.Round(4*v)/4 {
				t.Fatalf("draw %v is not rounded", m.Draw.X.RawRowView(i))
			}
		}
	}
	own := make([]float64, m.data.test.RawMatrix().Rows)
	if err := m.LogProb(t.Context(), own, m.data.test); err != nil {
		t.Fatal(err)
	}
	if got, want := float64(m.Result.Eval.NLL), -stat.Mean(own, nil); math.Abs(got-want) > 1e-9 {
		t.Errorf("NLL %g, by log densities %g", got, want)
	}
	c := quick(1)
	c.Dataset, c.Discrete, c.Base = path, "off", Off
	if j, err := Prepare(opened(t, path), c); err != nil || len(j.Model.data.Cells) != 0 {
		t.Errorf("off: %v, error %v", j.Model.data.Cells, err)
	}
}

// The probabilities of all cells add up to one, in the plane, where the network is the density itself.
func TestCellsAddUp(t *testing.T) {
	known := roundedClusters(2, 1)
	path := saved(t, known.points(800, "plane"))
	c := quick(200)
	c.Dataset, c.Samples, c.Discrete = path, -1, "on"
	m, err := Train(t.Context(), opened(t, path), c)
	if err != nil {
		t.Fatal(err)
	}
	const side = 61
	x := mat.NewDense(side*side, 2, nil)
	for i := range side * side {
		x.SetRow(i, []float64{float64(i/side - side/2), float64(i%side - side/2)})
	}
	logp, sum := make([]float64, side*side), 0.0
	if err := m.LogProb(t.Context(), logp, x); err != nil {
		t.Fatal(err)
	}
	for _, v := range logp {
		sum += math.Exp(v)
	}
	if math.Abs(sum-1) > 0.01 { // the rule and the leak out of so many cells
		t.Errorf("the probabilities of all cells add up to %g", sum)
	}
}

// Only columns whose cells matter are dequantised, and it can be forced or switched off.
func TestCellsOf(t *testing.T) {
	rng := train.Stream(1, "columns")
	x := mat.NewDense(100, 5, nil)
	for i := range 100 {
		v := rng.NormFloat64()
		x.SetRow(i, []float64{v, math.Round(1e5*v) / 1e5, math.Round(5 * v), math.Round(1000 * v), 0.25 * math.Round(40*v)})
	}
	for how, want := range map[string][]int{"auto": {2}, "on": {1, 2, 3, 4}, "off": nil} {
		var got []int
		for _, c := range cellsOf(x, how, false) {
			got = append(got, c.Column)
		}
		if len(got) != len(want) {
			t.Errorf("%s: columns %v, want %v", how, got, want)
		}
	}
	y := mat.NewDense(200, 4, nil) // two values; five; five of which one is rare; three on no grid
	for i := range 200 {
		y.SetRow(i, []float64{float64(i / 199), float64(i % 5), float64(min(i%5, 3)), []float64{0, 1. / 3, 1}[i%3]})
	}
	y.Set(7, 2, 4)
	for _, factors := range []bool{true, false} {
		got := cellsOf(y, "auto", factors)
		var few []int
		for _, c := range got.factors() {
			few = append(few, c.Column)
		}
		if want := []int{0, 1, 3}; factors && !slices.Equal(few, want) || !factors && len(few) > 0 ||
			factors != (len(got) == 4) {
			t.Errorf("factors %v: columns %v, as factors %v", factors, got, few)
		}
	}
	if c := quick(1); func() error {
		c.Discrete = "maybe"
		_, err := Prepare(opened(t, "moons"), c)
		return err
	}() == nil {
		t.Error(`Discrete "maybe" is accepted`)
	}
}

// The NLL of a column is in the same unit whether it is learnt as a factor or on its grid: that of twice the values is
// greater by log 2 in both.
func TestUnitOfFactors(t *testing.T) {
	for _, c := range []cell{{Values: []float64{0, 1, 2}, Grid: table.Grid{Step: 1}}, {Grid: table.Grid{Step: 1}}} {
		wide := cell{Grid: table.Grid{Step: 2}}
		for _, v := range c.Values {
			wide.Values = append(wide.Values, 2*v)
		}
		energy := func(c cell, scale float64) float64 {
			e := make([]float64, 1)
			err := cells{c}.overCells(e, mat.NewDense(1, 1, []float64{scale}), func(dst []float64, x *mat.Dense) error {
				for i := range dst { // the density of a value moves to twice the place, and halves
					dst[i] = x.At(i, 0)*x.At(i, 0)/scale/scale/2 + math.Log(scale)
				}
				return nil
			})
			if err != nil {
				t.Fatal(err)
			}
			return e[0]
		}
		if got := energy(wide, 2) - energy(c, 1); math.Abs(got-math.Log(2)) > 1e-9 {
			t.Errorf("%v: twice the values cost %g nats, want log 2", c, got)
		}
	}
}

// Filled-in means leave whole numbers whole: columns are as discrete as without the rows in which a value is missing.
func TestCellsOfFilled(t *testing.T) {
	rng := train.Stream(1, "missing")
	text := "age,kids,height\n"
	for i := range 500 {
		age, kids := fmt.Sprint(math.Round(40+12*rng.NormFloat64())), fmt.Sprint(rng.IntN(4))
		if i%25 == 3 {
			age, kids = "", ""
		}
		text += fmt.Sprintf("%s,%s,%.4f\n", age, kids, 170+10*rng.NormFloat64())
	}
	path := filepath.Join(t.TempDir(), "people.csv")
	if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
	var found [2]string
	for i, missing := range []string{"drop", "mean"} {
		src, err := (&Config{Dataset: path, Missing: missing}).OpenData(t.Context(), nil)
		if err != nil {
			t.Fatal(err)
		}
		found[i] = fmt.Sprint(cellsOf(src.(*datasets.Points).Matrix(), "auto", true))
		if got := src.(*datasets.Points).Report().Notes; missing == "mean" && len(got) != 2 {
			t.Errorf("notes %v, want one for age and one for kids", got)
		}
	}
	if found[0] != found[1] || !strings.Contains(found[0], "[0 1 2 3]") {
		t.Errorf("with means filled in the discrete columns are %s, want %s", found[1], found[0])
	}
}

// A file whose base is all there is to learn: the run ends early and says so, also when it is read again; base and
// model are one, without a difference; the table of a sample is of the values that are written; and the points that
// were learnt are the same ones after opening.
func TestResultOfTheBase(t *testing.T) {
	path := saved(t, people{}.points(300, "result"))
	c := quick(500)
	c.Dataset, c.Out = path, filepath.Join(t.TempDir(), "run")
	m, err := Train(t.Context(), opened(t, path), c)
	if err != nil {
		t.Fatal(err)
	}
	r := m.Result
	if r.Share != 0 || r.Steps >= 500 || r.Planned != 500 || r.Unimproved != basePatience*10 {
		t.Fatalf("share %g, %d of %d steps, %d without improvement", r.Share, r.Steps, r.Planned, r.Unimproved)
	}
	if b := r.Eval.Baseline; b.Difference != 0 || b.DifferenceErr != 0 {
		t.Errorf("the base differs from itself by %g ± %g", b.Difference, b.DifferenceErr)
	}
	again, err := Resume(t.Context(), c.Out, nil, Hooks{})
	if err != nil || again.Result.Steps != r.Steps || again.Result.Unimproved != r.Unimproved {
		t.Errorf("read again: %+v, error %v", again.Result, err)
	}
	m, err = Open(c.Out)
	if err != nil {
		t.Fatal(err)
	}
	eval, err := m.Evaluate(t.Context(), nil)
	if err != nil || math.Abs(float64(eval.TrainNLL-r.Eval.TrainNLL)) > 1e-5 {
		t.Errorf("NLL of the training points %g after opening, want %g; error %v", eval.TrainNLL, r.Eval.TrainNLL, err)
	}
	for _, given := range []map[int]float64{nil, {0: 1}} {
		draw, err := m.Sample(t.Context(), SampleConfig{N: 1000, Seed: 2, Given: given})
		if err != nil {
			t.Fatal(err)
		}
		if q := draw.Diagnostics.Quantities[3-len(given)]; q.Q05 != 0 || float64(q.Q95) != math.Round(float64(q.Q95)) {
			t.Errorf("given %v: the quantiles of whole numbers from 0 are %g and %g", given, q.Q05, q.Q95)
		}
	}
}

// A given value of a rounded column is one of those it can have.
func TestGivenOnGrid(t *testing.T) {
	m := &Model{data: &data{geometry: geometry{Dim: 2, Cells: cells{{Column: 1, Grid: table.Grid{Decimals: 1, Step: 5}}}}}}
	for v, ok := range map[float64]bool{1.5: true, -0.5: true, 0.1 + 0.4: true, 1.7: false} {
		if err := m.checkGiven(map[int]float64{1: v}); (err == nil) != ok {
			t.Errorf("%g: error %v", v, err)
		}
	}
}

// A run on rounded points that is stopped and resumed ends in the bytes of the undisturbed one, and opened again it
// knows its cells.
func TestDiscreteResumed(t *testing.T) {
	x := people{}.points(300, "resumed") // two factors
	for i := range 300 {                 // and two columns on a grid
		x.Set(i, 0, math.Round(5*x.At(i, 0))/5)
		x.Set(i, 4, math.Round(x.At(i, 4)/2)*2)
	}
	m, err := Open(resumed(t, saved(t, x), "[8]"))
	if err != nil || len(m.data.Cells) != 4 || len(m.data.Levels) != 2 {
		t.Fatalf("cells %v, levels %v, error %v", m.data.Cells, m.data.Levels, err)
	}
	exported, err := m.Export()
	if err != nil || !bytes.Contains(exported, []byte("over points of its cell")) {
		t.Errorf("the exported file does not say what it holds; error %v", err)
	}
}

// people are rows of which the second column has two values and the fourth five, of known probabilities: within the
// value of the second the others are Gaussian, and bent where bend is not 0.
type people struct{ bend float64 }

var peopleProbs = [2][]float64{{0.5, 0.2, 0.1, 0.1, 0.1}, {0.1, 0.1, 0.2, 0.3, 0.3}}

const firstShare = 0.35

func (p people) points(n int, name string) *mat.Dense {
	rng := train.Stream(6, name)
	x := mat.NewDense(n, 5, nil)
	for i := range n {
		s := 0
		if rng.Float64() > firstShare {
			s = 1
		}
		c := density.Pick(floats.CumSum(make([]float64, 5), peopleProbs[s]), rng)
		a := float64(3*s) + rng.NormFloat64()
		b := p.bend*(a-float64(3*s))*(a-float64(3*s)) + 0.5*float64(c) + 0.5*rng.NormFloat64()
		x.SetRow(i, []float64{a, float64(10 * s), b, float64(c), 100 + 20*(a-2*float64(s)) + 10*rng.NormFloat64()})
	}
	return x
}

// logDensity is log of P of the values, over the step of 10 of the second column, times the density of the rest.
func (p people) logDensity(v []float64) float64 {
	s, c := int(v[1]/10), int(v[3])
	off := v[0] - float64(3*s)
	logp := math.Log([]float64{firstShare, 1 - firstShare}[s]) - math.Log(10) + math.Log(peopleProbs[s][c])
	logp += distuv.Normal{Sigma: 1}.LogProb(off)
	logp += distuv.Normal{Mu: p.bend*off*off + 0.5*float64(c), Sigma: 0.5}.LogProb(v[2])
	return logp + distuv.Normal{Mu: 100 + 20*(v[0]-2*float64(s)), Sigma: 10}.LogProb(v[4])
}

// kl is KL(people‖model) on fresh points, with its standard error.
func (p people) kl(t *testing.T, logProb func(dst []float64, x *mat.Dense) error) (mean, se float64) {
	t.Helper()
	const n = 3000
	x, own := p.points(n, "fresh"), make([]float64, n)
	if err := logProb(own, x); err != nil {
		t.Fatal(err)
	}
	for i := range own {
		own[i] = p.logDensity(x.RawRowView(i)) - own[i]
	}
	mean, sd := stat.MeanStdDev(own, nil)
	return mean, sd / math.Sqrt(n)
}

// Columns of few values are a factor: the model has their probabilities, the density of the rest given these, and
// draws of both. What the network learns of the bend it learns for both values. A value that was never seen has no
// probability.
func TestFactors(t *testing.T) {
	if testing.Short() {
		t.Skip("trains for some seconds")
	}
	truth := people{bend: 0.5}
	path := saved(t, truth.points(1200, "train"))
	c := quick(800)
	c.Dataset, c.Hidden, c.Batch, c.Out = path, nil, 0, filepath.Join(t.TempDir(), "run")
	m, err := Train(t.Context(), opened(t, path), c)
	if err != nil {
		t.Fatal(err)
	}
	if f := m.data.Cells.factors(); len(f) != 2 || len(f[0].Values) != 2 || len(f[1].Values) != 5 {
		t.Fatalf("factors %+v", f)
	}
	logProb := func(dst []float64, x *mat.Dense) error { return m.LogProb(t.Context(), dst, x) }
	kl, se := truth.kl(t, logProb)
	base, _ := truth.kl(t, func(dst []float64, x *mat.Dense) error { inUnits{m.data, m.data.basis()}.LogProb(dst, x); return nil })
	t.Logf("share %g, KL %.4f ± %.4f, base alone %.4f", m.Result.Share, kl, se, base)
	if kl < -4*se || kl > 0.15 || kl > base+2*se {
		t.Errorf("KL %g ± %g, of the base %g", kl, se, base)
	}
	// draws: shares of the pairs of values, against chance
	draw, err := m.Sample(t.Context(), SampleConfig{N: 4000, Seed: 2, Chains: 400})
	if err != nil {
		t.Fatal(err)
	}
	for s := range 2 {
		for v, p := range peopleProbs[s] {
			p *= []float64{firstShare, 1 - firstShare}[s]
			count := 0.0
			for i := range 4000 {
				if draw.X.At(i, 1) == float64(10*s) && draw.X.At(i, 3) == float64(v) {
					count++
				}
			}
			// of draws of chains, and of the points that it was learnt from
			if sd := math.Sqrt(p * (1 - p) * (3/4000. + 1/1200.)); math.Abs(count/4000-p) > 4*sd {
				t.Errorf("values %d, %d: share %g of the draws, want %g ± %g", 10*s, v, count/4000, p, sd)
			}
		}
	}
	// given the first factor: the other column has the conditional probabilities
	given, err := m.Sample(t.Context(), SampleConfig{N: 2000, Seed: 3, Chains: 200, Given: map[int]float64{1: 10}})
	if err != nil {
		t.Fatal(err)
	}
	count := 0.0
	for i := range 2000 {
		if given.X.At(i, 1) != 10 {
			t.Fatalf("draw %v is not given 10", given.X.RawRowView(i))
		}
		if given.X.At(i, 3) == 0 {
			count++
		}
	}
	if p, sd := peopleProbs[1][0], math.Sqrt(0.1*0.9*(3/2000.+1/780.)); math.Abs(count/2000-p) > 4*sd {
		t.Errorf("given 10: share %g of value 0, want %g ± %g", count/2000, p, sd)
	}
	if _, err := m.Sample(t.Context(), SampleConfig{N: 10, Given: map[int]float64{1: 4}}); err == nil ||
		!strings.Contains(err.Error(), "0, 10") {
		t.Errorf("given a value that is none: %v", err)
	}
	x := truth.points(2, "two")
	x.Set(0, 1, 4)
	x.Set(1, 1, x.At(1, 1)+1e-12)
	var e, again, rank [2]float64
	if err := errors.Join(m.Energy(e[:], x), m.Rank(rank[:], x)); err != nil || !math.IsInf(e[0], 1) || rank[0] != 0 ||
		math.IsInf(e[1], 0) {
		t.Errorf("energies %v, ranks %v, error %v; the first has a value that is none", e, rank, err)
	}
	opened, err := Open(c.Out)
	if err != nil {
		t.Fatal(err)
	}
	if err := opened.Energy(again[:], x); err != nil || again != e {
		t.Errorf("energies %v after opening, want %v; error %v", again, e, err)
	}
	exportedSays(t, opened, x, e[1])
}

// exportedSays computes the energy of the second row of x from the exported model as its metadata say.
func exportedSays(t *testing.T, m *Model, x *mat.Dense, want float64) {
	t.Helper()
	b, err := m.ONNX()
	if err != nil {
		t.Fatal(err)
	}
	read, err := onnxtest.Read(b)
	if err != nil {
		t.Fatal(err)
	}
	out, err := read.Run(map[string]onnxtest.Tensor{"x": {Dims: []int{1, m.Dim()}, Data: x.RawRowView(1)}})
	if err != nil {
		t.Fatal(err)
	}
	meta := map[string]string{}
	if err := m.data.exportCells(meta); err != nil {
		t.Fatal(err)
	}
	var columns []struct {
		Column   int
		Width    float64
		Values   []float64
		LogRatio []float64 `json:"log_ratio"`
	}
	if err := json.Unmarshal([]byte(meta["discrete"]), &columns); err != nil {
		t.Fatal(err)
	}
	got := out["energy"].Data[0]
	for _, c := range columns {
		got += c.LogRatio[slices.Index(c.Values, math.Round(x.At(1, c.Column)))] + math.Log(c.Width)
	}
	if math.Abs(got-want) > 1e-4*(1+math.Abs(want)) { // in single precision
		t.Errorf("energy %g by the exported model, want %g", got, want)
	}
}

// In the plane, and on a line, a factor makes the model a correction of the base, as in more dimensions; a table may
// be nothing but factors. The probabilities of all values, which are densities times the step of the values, times the
// integrals over the rest are one.
func TestFactorsInThePlane(t *testing.T) {
	for name, columns := range map[string][]int{"plane": {0, 1}, "line": {1}, "factors": {1, 3}} {
		all := people{}.points(600, "plane")
		x := mat.NewDense(600, len(columns), nil)
		for j, c := range columns {
			x.SetCol(j, mat.Col(nil, c, all))
		}
		path := saved(t, x)
		c := quick(100)
		c.Dataset, c.Hidden = path, []int{8}
		m, err := Train(t.Context(), opened(t, path), c)
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		var rows [][]float64
		const nodes, lo, hi = 400, -8.0, 12.0
		weight := 10.0 // the step of the values
		switch name {
		case "plane":
			weight *= (hi - lo) / nodes
			for i := range nodes {
				v := lo + (hi-lo)*(float64(i)+0.5)/nodes
				rows = append(rows, []float64{v, 0}, []float64{v, 10})
			}
		case "line":
			rows = [][]float64{{0}, {10}}
		default:
			for v := range 5 {
				rows = append(rows, []float64{0, float64(v)}, []float64{10, float64(v)})
			}
		}
		y, logp, sum := mat.NewDense(len(rows), len(columns), nil), make([]float64, len(rows)), 0.0
		for i, row := range rows {
			y.SetRow(i, row)
		}
		if err := m.LogProb(t.Context(), logp, y); err != nil {
			t.Fatal(err)
		}
		for _, v := range logp {
			sum += weight * math.Exp(v)
		}
		// log Z by draws of the base has an error of .003, the steps of the integral one less than that
		if math.Abs(sum-1) > 0.02 {
			t.Errorf("%s: all probabilities add up to %g", name, sum)
		}
		count := 0.0
		for i := range m.Draw.X.RawMatrix().Rows {
			if m.Draw.X.At(i, slices.Index(columns, 1)) == 0 {
				count++
			}
		}
		n := float64(m.Draw.X.RawMatrix().Rows)
		if sd := math.Sqrt(firstShare * (1 - firstShare) * (3/n + 1/600.)); math.Abs(count/n-firstShare) > 4*sd {
			t.Errorf("%s: share %g of the first value, want %g ± %g", name, count/n, firstShare, sd)
		}
	}
}
