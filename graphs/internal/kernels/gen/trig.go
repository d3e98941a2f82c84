package main

import (
	"fmt"
	"math"

	. "github.com/mmcloughlin/avo/build"
	. "github.com/mmcloughlin/avo/reg"
)

// trigonometric writes the sine, and sine and cosine together:
//
//	x = k π/2 + r,  k the integer nearest to x·2/π,
//
// is exact but for the last rounding as long as |x| is at most trigLimit: k π/2 is taken off in three parts, the first of which leaves
// no rounding. The quadrant k mod 4 tells which of ±sin r, ±cos r is which.
//
// Arguments beyond the limit give anything; the result of the routine says whether there were some.
func trigonometric(e vec) {
	for _, both := range []bool{false, true} {
		name, args := e.name("sin"), ", s"
		if both {
			name, args = e.name("sinCos"), ", s, c"
		}
		text(name, fmt.Sprintf("func(n int%s, x *%s) (far int)", args, e.typ()),
			name+" reports by a number other than 0 that an element is beyond trigLimit, or NaN.")
		n := Load(Param("n"), GP64())
		px := Load(Param("x"), GP64())
		out := []Register{Load(Param("s"), GP64())}
		if both {
			out = append(out, Load(Param("c"), GP64()))
		}
		far := e.reg() // sign bits
		e.zero(far)
		e.eachThen(n, []Register{px}, out, func(x []VecVirtual, store func(v VecVirtual, i int)) {
			s, c := e.sinCos(x[0], far, both)
			store(s, 0)
			if both {
				store(c, 1)
			}
		}, func() {
			Store(e.signs(far), ReturnIndex(0))
		})
	}
}

// halfPi is π/2 in three parts, each rounded towards zero, so that all are positive.
func (e vec) halfPi() [3]float64 {
	if e.f64 {
		return [3]float64{0x1.921fb54442d18p+0, 0x1.1a62633145c06p-54, 0x1.c1cd129024e08p-107}
	}
	return [3]float64{0x1.921fb4p+0, 0x1.4442dp-24, 0x1.846988p-48}
}

// sinCos is sin x and, if asked for, cos x. It gathers in far the sign bits of trigLimit − |x|.
func (e vec) sinCos(x, far VecVirtual, both bool) (s, c VecVirtual) {
	a := e.negAbs(x)
	e.add(e.k(trigLimit(e.f64)), a, a)
	e.or(a, far, far)
	t := e.kreg(e.magic())
	e.fma231(e.k(2/math.Pi), x, t)
	k := e.sub2(e.k(e.magic()), t)
	r := e.copy(x)
	for _, p := range e.halfPi() {
		e.fnma231(e.k(p), k, r)
	}
	z := e.mul2(r, r)
	sin := e.poly(e.pick(sinF32, sinF64), z)
	e.fma213(e.k(1), z, sin)
	e.mul(r, sin, sin) // (1 + r²·p) r, which keeps −0
	cos := e.poly(e.pick(cosF32, cosF64), z)
	zz := e.mul2(z, z)
	h := e.kreg(1)
	e.fnma231(e.k(0.5), z, h)
	e.fma213(h, zz, cos) // 1 − r²/2 + r⁴·p
	odd := e.reg()       // the last bit of k as sign bit
	e.shl(8*e.size()-1, t, odd)
	sign := e.reg() // the bit before it: −1 for quadrants 2 and 3
	e.shl(8*e.size()-2, t, sign)
	s = e.xor2(e.signOf(sign), e.bySign(odd, sin, cos))
	if both { // cos x = sin(x + π/2)
		e.xor(odd, sign, sign)
		c = e.xor2(e.signOf(sign), e.bySign(odd, cos, sin))
	}
	return s, c
}

// signs is a number other than 0 if a sign bit of v is set.
func (e vec) signs(v VecVirtual) Register {
	r := GP64()
	switch {
	case e.wide():
		KMOVW(e.signMask(v), r.As32())
	case e.f64:
		VMOVMSKPD(v, r.As32())
	default:
		VMOVMSKPS(v, r.As32())
	}
	return r
}

// trigLimit is the greatest |x| for which the assembly reduces x.
func trigLimit(f64 bool) float64 {
	if f64 {
		return 1 << 20
	}
	return 1 << 13
}
