package train

import (
	"math"
	"math/rand/v2"
	"testing"

	"gonum.org/v1/gonum/mat"
)

// modes draws from two narrow Gaussians on a line in three dimensions, at ±4, of the same weight.
type modes struct{}

func (modes) Sample(dst *mat.Dense, rng *rand.Rand) {
	n, d := dst.Dims()
	for i := range n {
		for j := range d {
			dst.Set(i, j, 0.5*rng.NormFloat64())
		}
		dst.Set(i, 0, dst.At(i, 0)+4*float64(2*rng.IntN(2)-1))
	}
}

// bimodal is the energy of modes with the log odds θ₀ of the right one, and the precision θ₁ of both, 4 at the truth.
func bimodal(dst, theta []float64, x *mat.Dense) error {
	for i := range dst {
		row := x.RawRowView(i)
		var rest float64
		for _, v := range row[1:] {
			rest += v * v
		}
		left, right := rest+(row[0]+4)*(row[0]+4), rest+(row[0]-4)*(row[0]-4)
		a, b := -theta[1]*left/2, theta[0]-theta[1]*right/2
		dst[i] = -max(a, b) - math.Log1p(math.Exp(-math.Abs(a-b)))
	}
	return nil
}

// The local contrast does not see the weights of modes, which the other one does. Both see modes that are too wide or
// too narrow, and energies that sink far away; of an energy that tells nothing it is 2 log 2.
func TestLocalContrast(t *testing.T) {
	draw := func() *rand.Rand { return rand.New(rand.NewPCG(5, 6)) }
	local, err := NewLocalContrast(3, modes{}, modes{}, bimodal, draw())
	if err != nil {
		t.Fatal(err)
	}
	other, err := NewContrast(3, modes{}, modes{}, bimodal, draw())
	if err != nil {
		t.Fatal(err)
	}
	losses := func(c *Contrast, theta ...float64) []float64 {
		terms, err := c.Losses(nil, theta)
		if err != nil {
			t.Fatal(err)
		}
		return terms
	}
	worse := func(c *Contrast, theta ...float64) (by, se float64) {
		return compare(losses(c, theta...), losses(c, 0, 4))
	}
	for _, odds := range []float64{-6, 6} {
		if by, _ := worse(local, odds, 4); math.Abs(by) > 0.01 {
			t.Errorf("log odds of %g: the local J rises by %g", odds, by)
		}
		if by, se := worse(other, odds, 4); by < 0.1 || by < 4*se {
			t.Errorf("log odds of %g: J rises by %g ± %g: the test does not test", odds, by, se)
		}
	}
	for name, precision := range map[string]float64{"wide": 0.5, "narrow": 40, "upside down": -4} {
		if by, se := worse(local, 0, precision); by < 0.02 || by < 3*se {
			t.Errorf("%s: J rises by %g ± %g", name, by, se)
		}
	}
	change := func(alter func(row []float64, e float64) float64) float64 {
		c := *local
		c.energies = func(dst, theta []float64, x *mat.Dense) error {
			err := bimodal(dst, theta, x)
			for i := range dst {
				dst[i] = alter(x.RawRowView(i), dst[i])
			}
			return err
		}
		return mean(losses(&c, 0, 4))
	}
	if v := change(func([]float64, float64) float64 { return 7 }); math.Abs(v-2*math.Ln2) > 1e-12 {
		t.Errorf("one energy everywhere: J = %g, want 2 log 2", v)
	}
	sinks := func(row []float64, e float64) float64 { return e - 100*max(0, math.Abs(row[1])-4) }
	nan := func(row []float64, e float64) float64 {
		if row[1] > 3 {
			return math.NaN()
		}
		return e
	}
	if at, v := mean(losses(local, 0, 4)), change(sinks); v < at+1 {
		t.Errorf("energies that sink far away: J = %g, %g at the truth", v, at)
	}
	if v := change(nan); math.IsNaN(v) {
		t.Error("energies of NaN: J is none")
	}
	if _, err := NewLocalContrast(3, nil, modes{}, bimodal, draw()); err == nil {
		t.Error("no points: no error")
	}
}
