package kernels

import "math"

// trigLimit is the greatest |x| that is reduced by three parts of π/2, with a relative error of a few ulp even beside zeros of sine and
// cosine. Beyond it math.Sin and math.Cos answer: their error is absolute, and in float32 nothing of it is seen but beside zeros.
func trigLimit[T Float]() T {
	if isFloat32[T]() {
		return 1 << 13
	}
	return 1 << 20
}

// halfPi is π/2 in three parts of 53 bits, each rounded towards zero.
var halfPi = [3]float64{0x1.921fb54442d18p+0, 0x1.1a62633145c06p-54, 0x1.c1cd129024e08p-107}

// trig is a derivative of sine or cosine: with x = k π/2 + r all of them are ±sin r or ±cos r.
func trig(f Func, order int, x float64) float64 {
	if f == Cos {
		order++
	}
	if !(math.Abs(x) <= trigLimit[float64]()) {
		s, c := math.Sincos(x)
		return [4]float64{s, c, -s, -c}[order&3]
	}
	k := math.RoundToEven(x*(2/math.Pi)) + 0 // no −0: x keeps its sign
	r := x
	for _, p := range halfPi {
		r = math.FMA(-p, k, r)
	}
	z := r * r
	q := (int(k) + order) & 3
	var v float64
	if q&1 == 0 {
		v = math.FMA(horner(sinF64, z), z, 1) * r
	} else {
		v = math.FMA(horner(cosF64, z), z*z, math.FMA(-0.5, z, 1))
	}
	if q&2 != 0 {
		v = -v
	}
	return v
}
