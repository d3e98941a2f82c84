package kernels

import "math"

// fma is a·b + c with one rounding, on every path.
func fma[T Float](a, b, c T) T {
	if isFloat32[T]() {
		return T(fma32(float32(a), float32(b), float32(c)))
	}
	return T(math.FMA(float64(a), float64(b), float64(c)))
}

// fma32 rounds the exact a·b + c once: the product is exact in float64; the sum is rounded to odd there, so that the
// second rounding, to float32, sees on which side of a tie the exact value lies.
//
// Boldo and Melquiond, Emulation of a FMA and correctly rounded sums, IEEE Trans. Comput. 57 (2008) 462–471.
func fma32(a, b, c float32) float32 {
	p, q := float64(a)*float64(b), float64(c)
	s := p + q
	t := s - p
	e := (p - (s - t)) + (q - t)
	if e != 0 && !math.IsInf(s, 0) && s == s {
		u := math.Float64bits(s)
		if u&1 == 0 {
			if (e > 0) == (s > 0) {
				u++
			} else {
				u--
			}
			s = math.Float64frombits(u)
		}
	}
	return float32(s)
}
