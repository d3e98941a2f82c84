package datasets

import (
	"math"
	"math/rand/v2"
	"testing"

	"gonum.org/v1/gonum/mat"
)

// Radii have the density ρ^(d-1) exp(-(ρ-R)²/2σ²), with σ as large as R, so that rejections matter: mean and mean
// square lie within 4.5 standard errors of those by quadrature.
func TestShellRadii(t *testing.T) {
	const n = 40000
	for _, d := range []int{1, 2, 5} {
		s := newShell(d, 1, 1)
		var z, m1, m2, m4 float64
		for r := 0.0005; r < 12; r += 0.001 {
			w := math.Exp(s.radial(r))
			z, m1, m2, m4 = z+w, m1+w*r, m2+w*r*r, m4+w*r*r*r*r
		}
		m1, m2, m4 = m1/z, m2/z, m4/z
		x := mat.NewDense(n, d, nil)
		s.Sample(x, rand.New(rand.NewPCG(1, uint64(d))))
		var mean, square float64
		for i := range n {
			r := norm(x.RawRowView(i))
			mean += r / n
			square += r * r / n
		}
		if se := math.Sqrt((m2 - m1*m1) / n); math.Abs(mean-m1) > 4.5*se {
			t.Errorf("%d dimensions: mean radius %g ± %g, want %g", d, mean, se, m1)
		}
		if se := math.Sqrt((m4 - m2*m2) / n); math.Abs(square-m2) > 4.5*se {
			t.Errorf("%d dimensions: mean square of the radius %g ± %g, want %g", d, square, se, m2)
		}
	}
}
