package table_test

import (
	"math"
	"math/rand/v2"
	"strconv"
	"testing"

	"gonum.org/v1/gonum/mat"

	"github.com/stheno-ebm/stheno/datasets/table"
)

// The grid of a column is the coarsest that its values lie on, and values written with decimals are on it to the bit.
func TestGridOf(t *testing.T) {
	for name, c := range map[string]struct {
		values []float64
		want   table.Grid
		ok     bool
	}{
		"whole":          {[]float64{3, 4, 9}, table.Grid{Step: 1}, true},
		"fives":          {[]float64{10, 25, 5}, table.Grid{Step: 5}, true},
		"halves":         {[]float64{0.5, 2, 3.5}, table.Grid{Decimals: 1, Step: 15, Offset: 5}, true},
		"negative":       {[]float64{-7, -3, 5}, table.Grid{Step: 4, Offset: 1}, true},
		"cents":          {[]float64{0.07, 1.1, 12}, table.Grid{Decimals: 2, Step: 1}, true},
		"too many":       {[]float64{0.1234567, 1, 2}, table.Grid{}, false},
		"one value":      {[]float64{2, 2, 2}, table.Grid{}, false},
		"not on decimal": {[]float64{1.0 / 3, 1, 2}, table.Grid{}, false},
	} {
		got, ok := table.GridOf(mat.NewDense(len(c.values), 1, c.values), 0)
		if ok != c.ok || ok && got != c.want {
			t.Errorf("%s: got %+v, %v, want %+v, %v", name, got, ok, c.want, c.ok)
		}
	}
	rng := rand.New(rand.NewPCG(1, 2))
	for decimals := range 7 {
		x := mat.NewDense(500, 1, nil)
		for i := range 500 {
			v, err := strconv.ParseFloat(strconv.FormatFloat(300*rng.NormFloat64(), 'f', decimals, 64), 64)
			if err != nil {
				t.Fatal(err)
			}
			x.Set(i, 0, v)
		}
		g, ok := table.GridOf(x, 0)
		if !ok || g.Validate() != nil {
			t.Fatalf("%d decimals: got %+v, %v", decimals, g, ok)
		}
		for i := range 500 {
			v := x.At(i, 0)
			if got := g.Round(v + 0.49*g.Width()*(2*rng.Float64()-1)); got != v {
				t.Fatalf("%d decimals: %v is rounded to %v", decimals, v, got)
			}
		}
		if want := math.Pow10(-decimals); math.Abs(g.Width()-want) > 1e-12*want {
			t.Errorf("%d decimals: width %g, want %g", decimals, g.Width(), want)
		}
	}
	for _, g := range []table.Grid{{}, {Step: 0.5}, {Decimals: 7, Step: 1}, {Step: 2, Offset: 2}, {Step: math.NaN()}, {Step: 1, Decimals: -1}} {
		if g.Validate() == nil {
			t.Errorf("%+v is accepted", g)
		}
	}
}
