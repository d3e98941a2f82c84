package energy

import (
	"math"
	"testing"

	"gonum.org/v1/gonum/mat"
)

// With more dimensions the normalised energy gains that of normal numbers, with standard deviation exp(x₁/2) or 1.
func TestKnownInManyDimensions(t *testing.T) {
	for _, c := range []struct {
		name      string
		few, many Known
		theta     []float64
		deviation func(x1 float64) float64
	}{
		{"funnel", Funnel{2}, Funnel{5}, []float64{0.4}, func(x1 float64) float64 { return math.Exp(x1 / 2) }},
		{"double well", DoubleWell{2}, DoubleWell{5}, []float64{1, 0.2}, func(float64) float64 { return 1 }},
	} {
		t.Run(c.name, func(t *testing.T) {
			normalised := func(e Known, x *mat.Dense) []float64 {
				p := NewParams(e.Specs())
				copy(p.Data(), c.theta)
				n, _ := x.Dims()
				u := make([]float64, n)
				if err := must(NewEvaluator(e, p, EvaluatorConfig{Precision: Float64})).Energies(u, x); err != nil {
					t.Fatal(err)
				}
				for i := range u {
					u[i] += e.LogZ(p)
				}
				return u
			}
			const n, few, many = 6, 2, 5
			x := normal(n, many, newRNG(1))
			a, b := normalised(c.few, mat.DenseCopyOf(x.Slice(0, n, 0, few))), normalised(c.many, x)
			for i := range n {
				sd, want := c.deviation(x.At(i, 0)), a[i]
				for j := few; j < many; j++ {
					z := x.At(i, j) / sd
					want += z*z/2 + math.Log(sd) + math.Log(2*math.Pi)/2
				}
				if math.Abs(b[i]-want) > 1e-11 {
					t.Errorf("row %d: -log p = %.12g, want %.12g", i, b[i], want)
				}
			}
		})
	}
}
