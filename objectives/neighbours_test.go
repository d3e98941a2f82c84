package objectives

import (
	"math"
	"testing"

	"gonum.org/v1/gonum/mat"
)

// Jumps are differences of two independent points, with mean zero wherever the data are, and twice their variance.
func TestJumpsAreSymmetric(t *testing.T) {
	const n, x = 40000, 7
	s := jumpsOf{mat.NewDense(4, 1, []float64{10, 11, 13, 20})} // of mean 13.5 and variance 15.25
	rng, dst := newRNG(1), make([]float64, 1)
	var mean, square float64
	for range n {
		s.add(dst, []float64{x}, rng)
		mean += (dst[0] - x) / n
		square += (dst[0] - x) * (dst[0] - x) / n
	}
	const want = 2 * 15.25
	if math.Abs(mean) > 4.5*math.Sqrt(want/n) || math.Abs(square/want-1) > 4.5*math.Sqrt(2./n) {
		t.Errorf("jumps of mean %.3f and mean square %.2f, want 0 and %g", mean, square, want)
	}
}
