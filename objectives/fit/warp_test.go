package fit

import (
	"errors"
	"math"
	"math/rand/v2"
	"path/filepath"
	"slices"
	"testing"

	"gonum.org/v1/gonum/floats"
	"gonum.org/v1/gonum/mat"

	"github.com/stheno-ebm/stheno/datasets"
	"github.com/stheno-ebm/stheno/datasets/density"
	"github.com/stheno-ebm/stheno/objectives/train"
)

// curved writes points of four columns, of which two follow the first along curves, and returns the path.
func curved(t testing.TB, n int) string {
	t.Helper()
	rng := train.Stream(3, "curved")
	x := mat.NewDense(n, 4, nil)
	for i := range n {
		a := rng.NormFloat64()
		x.SetRow(i, []float64{a, math.Sin(2*a) + 0.1*rng.NormFloat64(), 0.5*a*a + 0.2*rng.NormFloat64(),
			3 * rng.NormFloat64()})
	}
	path := filepath.Join(t.TempDir(), "curved.csv")
	if err := datasets.Save(path, x); err != nil {
		t.Fatal(err)
	}
	return path
}

// Of bent points a mixture of straightened columns takes the place of the base, with which the model is still compared.
// Without a network it is normalised and drawn from itself, and what is opened again is the same to the bit. Draws of a
// column given the others follow the conditional density, which is known on a line; those of the base do not.
func TestWarped(t *testing.T) {
	path := curved(t, 600)
	c := quick(1)
	c.Dataset, c.Samples, c.Precision, c.Out = path, -1, "float64", filepath.Join(t.TempDir(), "run")
	m, err := Train(t.Context(), opened(t, path), c)
	if err != nil {
		t.Fatal(err)
	}
	e := m.Result.Eval
	if !m.Result.Warped || m.Result.Share != 0 || m.OnlyBase() || e.LogZ != 0 || !e.Baseline.Better() ||
		e.Baseline.Difference == 0 {
		t.Fatalf("warped %v, share %g, log Z %g, difference from the base %g ± %g", m.Result.Warped, m.Result.Share, e.LogZ,
			e.Baseline.Difference, e.Baseline.DifferenceErr)
	}
	again, err := Open(c.Out)
	if err != nil {
		t.Fatal(err)
	}
	x := m.data.test
	n, _ := x.Dims()
	want, got, energies := make([]float64, n), make([]float64, n), make([]float64, n)
	if err := errors.Join(m.Energy(want, x), again.Energy(got, x)); err != nil {
		t.Fatal(err)
	}
	if !slices.Equal(got, want) {
		t.Error("opened again it is another model")
	}
	inUnits{m.data, m.data.Warped}.LogProb(energies, x)
	floats.Scale(-1, energies)
	if !floats.EqualApprox(energies, want, 1e-9) {
		t.Error("the energy is not that of the straightened columns")
	}
	draw, err := again.Sample(t.Context(), SampleConfig{N: 2000})
	if err != nil {
		t.Fatal(err)
	}
	if draw.Diagnostics.Exact == "" {
		t.Error("the draws are not exact")
	}
	given(t, again)
}

// given checks draws of the second column given the others.
func given(t *testing.T, m *Model) {
	t.Helper()
	const n, free, cells, reach = 2000, 1, 4000, 6
	values := map[int]float64{0: 1, 2: 0.4, 3: -1.3}
	grid := mat.NewDense(cells, m.Dim(), nil)
	for i := range cells {
		for j, v := range values {
			grid.Set(i, j, v)
		}
		grid.Set(i, free, reach*(2*(float64(i)+0.5)/cells-1))
	}
	e := make([]float64, cells)
	if err := m.Energy(e, grid); err != nil {
		t.Fatal(err)
	}
	floats.Scale(-1, e)
	floats.AddConst(-floats.LogSumExp(e), e)
	for i, v := range e {
		e[i] = math.Exp(v)
	}
	cdf := floats.CumSum(make([]float64, cells), e)
	distance := func(x []float64) (most float64) {
		slices.Sort(x)
		for i, v := range x {
			p := cdf[min(max(int((v/reach+1)/2*cells), 0), cells-1)]
			most = math.Max(most, math.Abs(p-float64(i)/float64(len(x))))
		}
		return most
	}
	limit := math.Sqrt(-0.5*math.Log(1e-4/2)/n) + floats.Max(e) + 1.0/n
	draw, err := m.Sample(t.Context(), SampleConfig{N: n, Chains: n, Seed: 5, Given: values})
	if err != nil {
		t.Fatal(err)
	}
	if got := distance(mat.Col(nil, free, draw.X)); got > limit {
		t.Errorf("draws given the other columns are %.3f away, want at most %.3f", got, limit)
	}
	known := slices.DeleteFunc([]int{0, 1, 2, 3}, func(j int) bool { return j == free })
	q, err := m.data.Base.Given(known, m.networkValues(known, values))
	if err != nil {
		t.Fatal(err)
	}
	x, all := mat.NewDense(n, 1, nil), mat.NewDense(n, m.Dim(), nil)
	q.Sample(x, train.Stream(1, "test"))
	all.SetCol(free, x.RawMatrix().Data)
	m.data.restore(all)
	if got := distance(mat.Col(nil, free, all)); got <= limit {
		t.Errorf("draws of the base pass: %.3f", got)
	}
}

// Points are blurred where they are straight: along the curve and across it, not across its turns.
func TestJitteredWarped(t *testing.T) {
	warp, err := density.NewWarp([]density.Reach{{Scale: 1, Lo: -5, Hi: 5}, {Scale: 1, Lo: -5, Hi: 5}},
		[]density.Bend{{Column: 1, From: 0, Times: 0, Coefficient: 2}})
	if err != nil {
		t.Fatal(err)
	}
	straight, err := density.NewMixture(density.Parameters{Dim: 2, Covariance: density.Diagonal, Weights: []float64{1},
		Means: []float64{0, 0}, Factors: []float64{1, 0.01}})
	if err != nil {
		t.Fatal(err)
	}
	const n = 1000
	x := mat.NewDense(n, 2, nil)
	(&jittered{still{}, straight, 0.5, warp}).Sample(x, train.Stream(1, "test"))
	wide := 0.0
	for i := range n {
		a, b := x.At(i, 0), x.At(i, 1)
		wide = math.Max(wide, math.Abs(a-1))
		if off := math.Abs(b - 2*a*a); off > 5*0.5*0.01 {
			t.Fatalf("a point is %g off the curve", off)
		}
	}
	if wide < 0.5 {
		t.Errorf("points are moved by %g at most", wide)
	}
}

// still is a source of one point of the curve.
type still struct{}

func (still) Sample(dst *mat.Dense, _ *rand.Rand) {
	n, _ := dst.Dims()
	for i := range n {
		dst.SetRow(i, []float64{1, 2})
	}
}
