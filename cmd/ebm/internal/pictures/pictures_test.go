package pictures

import (
	"math/rand/v2"
	"testing"

	"github.com/stheno-ebm/stheno/viz"
)

// TestDrawGridInside: points drawn from an energy on a grid lie in the box of the grid.
func TestDrawGridInside(t *testing.T) {
	x := DrawGrid(viz.NewGrid([]float64{-1, 2}, []float64{1, 5}, 3), 200, rand.New(rand.NewPCG(1, 2)))
	for i := range 200 {
		if a, b := x.At(i, 0), x.At(i, 1); a < -1 || a > 1 || b < 2 || b > 5 {
			t.Fatalf("(%g, %g) is outside of [−1, 1] × [2, 5]", a, b)
		}
	}
}
