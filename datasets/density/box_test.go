package density

import (
	"math"
	"slices"
	"testing"

	"gonum.org/v1/gonum/mat"
)

// The bounding box is that of the data at any scale; a coordinate without extent gets a proportionate one.
func TestBoxOf(t *testing.T) {
	for _, c := range []struct{ a, b, margin, lo, hi float64 }{
		{0, 1, 0, 0, 1},
		{0, 1e-6, 0, 0, 1e-6},
		{-2e-9, 2e-9, 0.25, -3e-9, 3e-9},
		{-2e150, 2e150, 0.25, -3e150, 3e150},
		{0, 0, 0, -1e-3, 1e-3},
		{0, 0, 0.25, -0.25, 0.25},
		{1e-6, 1e-6, 0, 0.999e-6, 1.001e-6},
		{-8, -8, 0.25, -10, -6},
	} {
		lo, hi := must(BoxOf(mat.NewDense(2, 1, []float64{c.a, c.b}), c.margin)).Corners()
		if w := 1e-12 * (c.hi - c.lo); math.Abs(lo[0]-c.lo) > w || math.Abs(hi[0]-c.hi) > w {
			t.Errorf("data at %g and %g, margin %g: [%g, %g], want [%g, %g]", c.a, c.b, c.margin,
				lo[0], hi[0], c.lo, c.hi)
		}
	}
	got := logProb(must(NewBox([]float64{0, 0}, []float64{1, 2})), mat.NewDense(2, 2, []float64{0, 2, 0.5, 2.1}))
	if want := []float64{-math.Ln2, math.Inf(-1)}; !slices.Equal(got, want) {
		t.Errorf("log density of a box: %v, want %v", got, want)
	}
	for _, c := range [][2][]float64{
		{{0}, {0}}, {{0}, {-1}}, {{0}, {math.NaN()}}, {{0}, {math.Inf(1)}}, {{0}, {1, 2}}, {},
	} {
		if _, err := NewBox(c[0], c[1]); err == nil {
			t.Errorf("a box from %v to %v is accepted", c[0], c[1])
		}
	}
}
