package density_test

import (
	"math"
	"math/rand/v2"
	"testing"

	"gonum.org/v1/gonum/mat"

	"github.com/stheno-ebm/stheno/datasets/density"
)

// The density given some coordinates is the joint density over their marginal: its ratio at two points is that of the
// joint density.
func TestGiven(t *testing.T) {
	rng := rand.New(rand.NewPCG(1, 1))
	for _, kind := range []density.Covariance{density.Full, density.Tied, density.Diagonal, density.Spherical} {
		p := density.Parameters{Dim: 3, Covariance: kind, Weights: []float64{1, 2}, Means: []float64{0, 1, 2, -1, 0.5, 0}}
		switch kind {
		case density.Full:
			p.Factors = []float64{1, 0, 0, 0.5, 0.7, 0, -0.3, 0.2, 1.5, 0.6, 0, 0, -0.4, 1, 0, 0.1, 0.9, 0.8}
		case density.Tied:
			p.Factors = []float64{1, 0, 0, 0.5, 0.7, 0, -0.3, 0.2, 1.5}
		case density.Diagonal:
			p.Factors = []float64{1, 2, 0.5, 0.7, 1, 1.5}
		default:
			p.Factors = []float64{1, 0.6}
		}
		m, err := density.NewMixture(p)
		if err != nil {
			t.Fatal(err)
		}
		given, err := m.Given([]int{2, 0}, []float64{0.4, -0.3})
		if err != nil {
			t.Fatal(err)
		}
		y := mat.NewDense(5, 1, nil)
		x := mat.NewDense(5, 3, nil)
		for i := range 5 {
			v := rng.NormFloat64()
			y.Set(i, 0, v)
			x.SetRow(i, []float64{-0.3, v, 0.4})
		}
		got, want := make([]float64, 5), make([]float64, 5)
		given.LogProb(got, y)
		m.LogProb(want, x)
		for i := range 5 {
			if gap := (got[i] - got[0]) - (want[i] - want[0]); math.Abs(gap) > 1e-12 {
				t.Errorf("%v: ratio of points 0 and %d is off by %g", kind, i, gap)
			}
		}
	}
	m, err := density.NewIsotropic([]float64{0, 0}, 1)
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		known  []int
		values []float64
	}{{nil, nil}, {[]int{0, 1}, []float64{0, 0}}, {[]int{0}, nil}, {[]int{2}, []float64{0}},
		{[]int{0}, []float64{math.NaN()}}} {
		if _, err := m.Given(c.known, c.values); err == nil {
			t.Errorf("%v given as %v: no error", c.known, c.values)
		}
	}
}
