package density

import (
	"errors"
	"math"
	"testing"

	"gonum.org/v1/gonum/mat"
)

// The kernel density is the sum of its kernels, whose widths take turns.
func TestKernel(t *testing.T) {
	c := draw(must(NewIsotropic(make([]float64, 2), 1)), 50, 1)
	q := must(NewKernel(c, 0.3, 0.6))
	x := draw(q, 20, 2)
	for i, got := range logProb(q, x) {
		var want float64
		for k := range 50 {
			s := []float64{0.3, 0.6}[k%2]
			want += math.Exp(-squaredDistance(x.RawRowView(i), c.RawRowView(k), s)/2) / (2 * math.Pi * s * s * 50)
		}
		if math.Abs(got-math.Log(want)) > 1e-12 {
			t.Errorf("row %d: got %g, want %g", i, got, math.Log(want))
		}
	}
	if _, err := NewKernel(c); err == nil {
		t.Error("no width is accepted")
	}
	if _, err := NewKernel(new(mat.Dense), 1); err == nil {
		t.Error("no centre is accepted")
	}
}

// A fit has the most likely width, at any scale; equal points have none.
func TestFitKernel(t *testing.T) {
	x := draw(must(NewIsotropic(make([]float64, 3), 1)), 300, 1)
	h := KernelWidth(x)
	for _, unit := range []float64{1e-150, 1e150} {
		y := mat.DenseCopyOf(x)
		y.Scale(unit, y)
		if got := KernelWidth(y) / unit; math.Abs(got-h) > 1e-9 {
			t.Errorf("in units of %g: width %g, want %g", unit, got, h)
		}
	}
	var e *SingularError
	if _, err := FitKernel(mat.NewDense(3, 2, []float64{1, 2, 1, 2, 1, 2})); !errors.As(err, &e) {
		t.Errorf("equal points: %v", err)
	}
	if q := must(FitKernel(x)); q.Components() != 300 || q.p.Factors[0] != h {
		t.Errorf("%d components of width %g, want 300 of %g", q.Components(), q.p.Factors[0], h)
	}
}
