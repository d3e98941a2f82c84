package objectives

import (
	"math"
	"slices"
	"testing"

	"gonum.org/v1/gonum/mat"
)

// The bounding box is that of the data, at any scale; a coordinate without a width gets one in proportion.
func TestBoxOf(t *testing.T) {
	for _, c := range []struct{ a, b, margin, lo, hi float64 }{
		{0, 1, 0, 0, 1},
		{0, 1e-6, 0, 0, 1e-6},
		{-2e-9, 2e-9, 0.25, -3e-9, 3e-9},
		{0, 0, 0, -1e-3, 1e-3},
		{0, 0, 0.25, -0.25, 0.25},
		{1e-6, 1e-6, 0, 0.999e-6, 1.001e-6},
		{-8, -8, 0.25, -10, -6},
	} {
		b := BoxOf(mat.NewDense(2, 1, []float64{c.a, c.b}), c.margin)
		if w := 1e-12 * (c.hi - c.lo); math.Abs(b.Lo[0]-c.lo) > w || math.Abs(b.Hi[0]-c.hi) > w {
			t.Errorf("data at %g and %g, margin %g: [%g, %g], want [%g, %g]", c.a, c.b, c.margin, b.Lo[0], b.Hi[0], c.lo, c.hi)
		}
	}
	b, got := &Box{Lo: []float64{0, 0}, Hi: []float64{1, 2}}, make([]float64, 4)
	b.LogProb(got, mat.NewDense(4, 2, []float64{0, 2, math.NaN(), 1, 0.5, math.NaN(), 0.5, 2.1}))
	if want := []float64{-math.Ln2, math.Inf(-1), math.Inf(-1), math.Inf(-1)}; !slices.Equal(got, want) {
		t.Errorf("log density of a box: %v, want %v", got, want)
	}
}
