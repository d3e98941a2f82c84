package describe

import "math"

// halfPi is π/2 in three parts, each rounded towards zero, so that all are positive.
func (e vec) halfPi() [3]float64 {
	if e.F64() {
		return [3]float64{0x1.921fb54442d18p+0, 0x1.1a62633145c06p-54, 0x1.c1cd129024e08p-107}
	}
	return [3]float64{0x1.921fb4p+0, 0x1.4442dp-24, 0x1.846988p-48}
}

// SinCos is sin x and, if asked for, cos x. It gathers in far the sign bits of trigLimit − |x|.
func SinCos(o Ops, x, far Value, both bool) (s, c Value) {
	e := vec{o}
	a := e.negAbs(x)
	e.Add(e.k(trigLimit(e.F64())), a, a)
	e.Or(a, far, far)
	t := e.kreg(e.magic())
	e.Fma231(e.k(2/math.Pi), x, t)
	k := e.sub2(e.k(e.magic()), t)
	r := e.copy(x)
	for _, p := range e.halfPi() {
		e.Fnma231(e.k(p), k, r)
	}
	z := e.mul2(r, r)
	sin := e.poly(e.pick(sinF32, sinF64), z)
	e.Fma213(e.k(1), z, sin)
	e.Mul(r, sin, sin) // (1 + r²·p) r, which keeps −0
	cos := e.poly(e.pick(cosF32, cosF64), z)
	zz := e.mul2(z, z)
	h := e.kreg(1)
	e.Fnma231(e.k(0.5), z, h)
	e.Fma213(h, zz, cos) // 1 − r²/2 + r⁴·p
	odd := e.Reg()       // the last bit of k as sign bit
	e.Shl(8*e.size()-1, t, odd)
	sign := e.Reg() // the bit before it: −1 for quadrants 2 and 3
	e.Shl(8*e.size()-2, t, sign)
	s = e.xor2(e.signOf(sign), e.bySign(odd, sin, cos))
	if both { // cos x = sin(x + π/2)
		e.Xor(odd, sign, sign)
		c = e.xor2(e.signOf(sign), e.bySign(odd, cos, sin))
	}
	return s, c
}

// trigLimit is the greatest |x| for which the assembly reduces x.
func trigLimit(f64 bool) float64 {
	if f64 {
		return 1 << 20
	}
	return 1 << 13
}
