package datasets

import "math"

// besselI returns exp(−x) I₀(x) and exp(−x) I₁(x) for x ≥ 0, to about 1e-14 relative.
//
// Up to 25 the power series are summed, whose terms are all positive (Abramowitz and Stegun 9.6.10); beyond it the
// asymptotic series 9.7.1, whose smallest term is about exp(−2x).
func besselI(x float64) (i0, i1 float64) {
	if x < 25 {
		q := x * x / 4
		t0, t1 := 1.0, x/2
		i0, i1 = t0, t1
		for k := 1.0; t0 > 1e-17*i0 || t1 > 1e-17*i1; k++ {
			t0 *= q / (k * k)
			t1 *= q / (k * (k + 1))
			i0 += t0
			i1 += t1
		}
		e := math.Exp(-x)
		return i0 * e, i1 * e
	}
	t0, t1 := 1.0, 1.0
	i0, i1 = t0, t1
	for k := 1.0; k < 40; k++ {
		odd := (2*k - 1) * (2*k - 1)
		t0 *= odd / (8 * k * x)
		t1 *= (odd - 4) / (8 * k * x)
		i0 += t0
		i1 += t1
		if math.Abs(t1) < 1e-17 && t0 < 1e-17 {
			break
		}
	}
	s := 1 / math.Sqrt(2*math.Pi*x)
	return i0 * s, i1 * s
}
