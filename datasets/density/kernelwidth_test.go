package density

import (
	"math"
	"testing"

	"gonum.org/v1/gonum/mat"
)

// The width maximises the leave-one-out likelihood, computed here row by row; it scales with the units of the data.
func TestKernelWidth(t *testing.T) {
	const n = 1024
	leftOut := func(data *mat.Dense, h float64) (sum float64) {
		_, d := data.Dims()
		for i := range 512 {
			var p float64
			for j := range n {
				if j == i {
					continue
				}
				term := 1 / float64(n-1)
				for k := range d {
					z := (data.At(i, k) - data.At(j, k)) / h
					term *= math.Exp(-z*z/2) / (h * math.Sqrt(2*math.Pi))
				}
				p += term
			}
			sum += math.Log(p)
		}
		return sum
	}
	for _, c := range []struct {
		d      int
		lo, hi float64
	}{{1, 0.1, 0.4}, {2, 0.2, 0.45}, {20, 0.8, 1.25}} {
		data := draw(must(NewIsotropic(make([]float64, c.d), 1)), n, uint64(c.d))
		h := KernelWidth(data)
		if !(h > c.lo && h < c.hi) {
			t.Errorf("d = %d: width %g, want %g to %g", c.d, h, c.lo, c.hi)
		}
		if c.d < 20 { // densities are numbers
			at := leftOut(data, h)
			for _, f := range []float64{1 / 1.21, 1.21} {
				if other := leftOut(data, f*h); other > at {
					t.Errorf("d = %d: log likelihood %g at width %g, %g at %g", c.d, at, h, other, f*h)
				}
			}
		}
		data.Scale(1<<10, data)
		if got := KernelWidth(data); math.Abs(got/(h*(1<<10))-1) > 1e-9 {
			t.Errorf("d = %d: width %g of data 1024 times as large, want %g", c.d, got, h*(1<<10))
		}
	}
	if h := KernelWidth(mat.NewDense(3, 2, []float64{1, 2, 1, 2, 1, 2})); h != 0 {
		t.Errorf("equal rows: width %g, want 0", h)
	}
	if h := KernelWidth(new(mat.Dense)); h != 0 {
		t.Errorf("no rows: width %g, want 0", h)
	}
	if h := KernelWidth(mat.NewDense(1, 2, []float64{1, 2})); h != 0 {
		t.Errorf("one row: width %g, want 0", h)
	}
}
