package kernels

import "math"

// trigLimit is the largest |x| that is reduced by parts of π/2, with a relative error of a few ulp even next to the
// zeros of sine and cosine. Beyond it math.Sin and math.Cos are used: their error is absolute, and in float32 it is
// visible only next to zeros.
func trigLimit[T Float]() T {
	if isFloat32[T]() {
		return 1 << 13
	}
	return 1 << 20
}

// sinCos is sin x and cos x: with x = k π/2 + r they are ±sin r and ±cos r. π/2 is split into parts of 33 bits, so
// that k times a part is exact, and a remainder.
func sinCos(x float64) (sin, cos float64) {
	const (
		magic = 3 << 51
		p0    = 0x1.921fb54400000p+0
		p1    = 0x1.0b4611a600000p-34
		p2    = 0x1.3198a2e000000p-69
		p3    = 0x1.b839a252049c1p-104
	)
	if !(x <= 1<<20 && x >= -1<<20) {
		return math.Sincos(x)
	}
	if x == 0 { // keep the sign
		return x, 1
	}
	t := x*(2/math.Pi) + magic
	k := t - magic
	r := ((x - k*p0) - k*p1) - k*p2 - k*p3
	z := r * r
	z2 := z * z
	a, b := &sinF64, &cosF64
	sin = r + r*(z*((a[0]+a[1]*z)+z2*((a[2]+a[3]*z)+z2*(a[4]+a[5]*z))))
	h := 0.5 * z
	one := 1 - h
	cos = one + (((1 - one) - h) + z2*((b[0]+b[1]*z)+z2*((b[2]+b[3]*z)+z2*(b[4]+b[5]*z))))
	switch math.Float64bits(t) & 3 {
	case 1:
		return cos, -sin
	case 2:
		return -sin, -cos
	case 3:
		return -cos, sin
	}
	return sin, cos
}

func sineJet(x float64, orders int) (v0, v1, v2, v3 float64) {
	s, c := sinCos(x)
	return s, c, -s, -c
}

func cosineJet(x float64, orders int) (v0, v1, v2, v3 float64) {
	s, c := sinCos(x)
	return c, -s, -c, s
}
