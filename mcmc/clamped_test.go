package mcmc_test

import (
	"testing"

	"gonum.org/v1/gonum/mat"

	"github.com/stheno-ebm/stheno/mcmc"
)

// A clamped target is the full one at the point completed with the known coordinates, and its gradient is that along
// the others.
func TestClamp(t *testing.T) {
	whole := mcmc.TargetFunc(func(e []float64, grad, x *mat.Dense) error {
		n, _ := x.Dims()
		for i := range n {
			a, b, c := x.At(i, 0), x.At(i, 1), x.At(i, 2)
			e[i] = a*a*b + 3*c
			if grad != nil {
				grad.SetRow(i, []float64{2 * a * b, a * a, 3})
			}
		}
		return nil
	})
	c, err := mcmc.Clamp(whole, 3, []int{1}, []float64{5})
	if err != nil {
		t.Fatal(err)
	}
	y := mat.NewDense(2, 2, []float64{1, 2, -3, 4})
	e, grad := make([]float64, 2), mat.NewDense(2, 2, nil)
	if err := c.EnergyGrad(e, grad, y); err != nil {
		t.Fatal(err)
	}
	if want := mat.NewDense(2, 2, []float64{10, 3, -30, 3}); e[0] != 11 || e[1] != 57 || !mat.Equal(grad, want) {
		t.Errorf("energies %v, slopes %v", e, mat.Formatted(grad))
	}
	for _, known := range [][]int{{}, {0, 1, 2}, {3}, {0, 0}} {
		if _, err := mcmc.Clamp(whole, 3, known, make([]float64, len(known))); len(known) != 0 && err == nil {
			t.Errorf("known %v: no error", known)
		}
	}
}
