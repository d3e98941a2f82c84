package train

import (
	"math"
	"math/rand/v2"
	"testing"

	"gonum.org/v1/gonum/mat"
)

// pits is the energy of the density of gauss with pits of area π/4 each around it, which together hold θ[0] times its
// mass.
func pits(dst, theta []float64, x *mat.Dense) error {
	const count, radius, away = 6, 0.5, 4
	depth := math.Log(theta[0] * 2 * math.Pi / (count * math.Pi * radius * radius))
	for i := range dst {
		u, v := x.At(i, 0)-1, x.At(i, 1)-2
		dst[i] = (u*u + v*v) / 2
		for k := range count {
			sin, cos := math.Sincos(2 * math.Pi * float64(k) / count)
			if math.Hypot(u-away*cos, v-away*sin) < radius {
				dst[i] = -depth
			}
		}
	}
	return nil
}

// Most of the mass of a model may be in places so small that J hardly changes. The leakage tells how much, with the
// standard error that differences of terms have, and is next to nothing for a model without them.
func TestLeak(t *testing.T) {
	const tries = 20
	var clean, leaks, errs, squares, rise float64
	for seed := range uint64(tries) {
		c, err := NewContrast(2, gauss{}, gauss{}, pits, rand.New(rand.NewPCG(seed, 2)))
		if err != nil {
			t.Fatal(err)
		}
		judge := func(mass float64) score {
			s, err := c.score([]float64{mass})
			if err != nil {
				t.Fatal(err)
			}
			return s
		}
		without, with := judge(1e-9), judge(1)
		none, _ := compare(without.leaky, without.plain)
		clean += none / tries
		leak, se := compare(with.leaky, with.plain)
		leaks += leak / tries
		squares += leak * leak / tries
		errs += se * se / tries
		more, _ := compare(with.plain, without.plain)
		rise += more / tries
	}
	deviation := math.Sqrt(squares - leaks*leaks)
	t.Logf("leakage %.3f ± %.3f, standard error %.3f, %.3f without pits; J alone rises by %.3f", leaks, deviation,
		math.Sqrt(errs), clean, rise)
	if clean > 0.03 {
		t.Errorf("nothing is in pits: mean leakage %g", clean)
	}
	if want := math.Ln2; math.Abs(leaks-want) > 0.1 {
		t.Errorf("half of the mass is in pits: mean leakage %g, want %g", leaks, want)
	}
	if ratio := deviation / math.Sqrt(errs); ratio < 0.5 || ratio > 2 {
		t.Errorf("the leakage varies by %g, its standard error is %g", deviation, math.Sqrt(errs))
	}
	if rise > leaks/4 {
		t.Errorf("J alone rises by %g, the leakage is %g", rise, leaks)
	}
}
