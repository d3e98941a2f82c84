package objectives

import (
	"math"
	"testing"
)

func TestProjections(t *testing.T) {
	const n, d = 20000, 3
	for _, p := range []Projection{Rademacher, GaussianV, Sphere} {
		v := make([]float64, n*d)
		p.draw(v, d, newRNG(6))
		var cov [d][d]float64
		for i := 0; i < n*d; i += d {
			for a := range d {
				for b := range d {
					cov[a][b] += v[i+a] * v[i+b] / n
				}
			}
		}
		for a := range d {
			for b := range d {
				want := 0.0
				if a == b {
					want = 1
				}
				if math.Abs(cov[a][b]-want) > 4.5*math.Sqrt(2.0/n) { // at most the variance of a squared normal
					t.Errorf("%s: E v_%d v_%d = %g, want %g", p, a, b, cov[a][b], want)
				}
			}
		}
	}
}
