package table_test

import (
	"math"
	"math/rand/v2"
	"slices"
	"strconv"
	"testing"

	"gonum.org/v1/gonum/mat"

	"github.com/stheno-ebm/stheno/datasets/table"
)

// Few values are those in ten rows or more each, at most twenty, with their numbers.
func TestValues(t *testing.T) {
	of := func(n, values int) *mat.Dense {
		x := mat.NewDense(n, 2, nil)
		for i := range n {
			x.Set(i, 1, float64(-i%values)/3)
		}
		return x
	}
	values, counts := table.Values(of(41, 3), 1)
	if !slices.Equal(values, []float64{-2. / 3, -1. / 3, 0}) || !slices.Equal(counts, []int{13, 14, 14}) {
		t.Errorf("got %v, %v", values, counts)
	}
	for _, c := range []struct{ n, values, want int }{{29, 3, 0}, {30, 3, 3}, {200, 20, 20}, {2000, 21, 0}} {
		if values, _ := table.Values(of(c.n, c.values), 1); len(values) != c.want {
			t.Errorf("%d values in %d rows: got %v", c.values, c.n, values)
		}
	}
}

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
	for _, g := range []table.Grid{{}, {Step: 0.5}, {Decimals: 7, Step: 1}, {Step: 2, Offset: 2}, {Step: math.NaN()},
		{Step: 1, Decimals: -1}} {
		if g.Validate() == nil {
			t.Errorf("%+v is accepted", g)
		}
	}
}
