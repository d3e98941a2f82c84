package kernels

import "math"

// fma is a·b + c with one rounding, on every path.
func fma[T Float](a, b, c T) T {
	if isFloat32[T]() {
		return T(fma32(float32(a), float32(b), float32(c)))
	}
	return T(fma64(float64(a), float64(b), float64(c)))
}

// fma64 is math.FMA, which is slow on processors without such an instruction.
func fma64(a, b, c float64) float64 {
	if hardwareFMA {
		return math.FMA(a, b, c)
	}
	return softFMA(a, b, c)
}

// fma32 rounds the exact a·b + c once: the product is exact in float64; the sum is rounded to odd there, so that the
// second rounding, to float32, sees on which side of a tie the exact value lies.
//
// Boldo and Melquiond, Emulation of a FMA and correctly rounded sums, IEEE Trans. Comput. 57 (2008) 462–471.
func fma32(a, b, c float32) float32 {
	s, e := twoSum(float64(a)*float64(b), float64(c))
	if e != 0 && !math.IsInf(s, 0) && s == s {
		s = toOdd(s, e)
	}
	return float32(s)
}

// softFMA is a·b + c with one rounding by an algorithm of the same authors: the product and two sums are taken
// exactly, and their rounding errors are rounded to odd. Numbers so large or small that a step might overflow or lose
// bits are left to math.FMA.
func softFMA(a, b, c float64) float64 {
	const least, most = 0x1p-900, 0x1p900
	p := float64(a * b)
	if x, y, u, v := math.Abs(a), math.Abs(b), math.Abs(p),
		math.Abs(c); !(x < most && y < most && u > least && u < most && (v > least && v < most || v == 0)) {
		return math.FMA(a, b, c)
	}
	ah, al := split(a)
	bh, bl := split(b)
	e := float64(al*bl) - (((p - float64(ah*bh)) - float64(al*bh)) - float64(ah*bl)) // a·b − p
	t, tl := twoSum(c, e)
	s, sl := twoSum(p, t)
	w, r := twoSum(tl, sl)
	if r != 0 {
		w = toOdd(w, r)
	}
	return s + w
}

// split is x as a sum of two numbers of 26 bits.
//
// Veltkamp; Dekker, A floating-point technique for extending the available precision, Numer. Math. 18 (1971) 224–242.
func split(x float64) (head, tail float64) {
	c := float64(x * (1<<27 + 1))
	head = c - (c - x)
	return head, x - head
}

// twoSum is a + b as the nearest number and the rounding error.
func twoSum(a, b float64) (s, rest float64) {
	s = a + b
	t := s - a
	return s, (a - (s - t)) + (b - t)
}

// toOdd is the neighbour of s in the direction of the rest if that has an odd last bit, else s: s + rest rounded to
// odd.
func toOdd(s, rest float64) float64 {
	u := math.Float64bits(s)
	if u&1 == 0 {
		if (rest > 0) == (s > 0) {
			u++
		} else {
			u--
		}
	}
	return math.Float64frombits(u)
}
