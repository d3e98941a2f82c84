package objectives_test

import (
	"math"
	"testing"

	"gonum.org/v1/gonum/stat"

	"github.com/stheno-ebm/stheno/energy"
	"github.com/stheno-ebm/stheno/objectives"
)

// The neighbours of ed share a centre, a blurred datum: their distances from the datum have variance 2σ² and
// covariance σ². Those of mpf do not, and have variance σ².
func TestNeighbours(t *testing.T) {
	const n, d, m, sigma = 4000, 2, 2, 0.3
	e := mlp(d)
	p, x := energy.Init(e, newRNG(1)), normal(n, d, 2)
	for objective, want := range map[objectives.Method][2]float64{
		objectives.EnergyDiscrepancy{Sigma: sigma, Ratio: m}: {2, 1},
		objectives.ProbabilityFlow{Sigma: sigma, Ratio: m}:   {1, 0},
	} {
		o := must(objectives.New(objective, e, p, objectives.Config{Batch: n}))
		must(o.Gradient(make([]float64, p.Len()), x, newRNG(3)))
		y := o.Draws()["neighbours"]
		var a, b []float64
		for i := range n {
			for j := range d {
				a = append(a, (y[i*m*d+j]-x.At(i, j))/sigma)
				b = append(b, (y[(i*m+1)*d+j]-x.At(i, j))/sigma)
			}
		}
		v, c := (stat.Variance(a, nil)+stat.Variance(b, nil))/2, stat.Covariance(a, b, nil)
		// The variance of a product of normal numbers is v² + c².
		if se := math.Sqrt((want[0]*want[0] + want[1]*want[1]) / (n * d)); math.Abs(v-want[0]) > 4.5*se ||
			math.Abs(c-want[1]) > 4.5*se {
			t.Errorf("%T: variance %.3f and covariance %.3f in units of σ², want %g and %g", objective, v, c, want[0],
				want[1])
		}
	}
}
