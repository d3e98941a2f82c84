package describe

import (
	"math"
)

// gelu is xΦ(x), with a = |x|, φ = exp(−a²/2)/√2π and R = Φ(−a)/φ(a) = P(y)/(a+k), y = (a−k)/(a+k):
//
//	value        x − aφR  or  −aφR
//	first        1 − φ(R−a)  or  φ(R−a)
//	second       φ(2−a²)
//	third        ±φ a(a²−4)
//
// The rounding error of a² is put back before the exponential.
func gelu(a *Activation) {
	k := 3.0
	if a.F64() {
		k = 4
	}
	phi := 1 / math.Sqrt(2*math.Pi)
	scale := a.down() * phi
	ab := a.negClamped(a.x)
	a.Xor(a.Bits(a.signBit()), ab, ab)
	hh := a.mul2(ab, ab)
	ll := a.copy(ab)
	a.Fms213(hh, ab, ll) // a·a − hh
	z := a.mul2(a.k(-0.5), hh)
	E := a.scaledExp(z, &ll)
	den := a.add2(a.k(k), ab)
	w := a.kreg(1)
	a.Div(den, w, w)
	lo := a.sub2(a.k(k), den) // put back the rounding of a+k, by which R is off near 0
	a.Sub(lo, ab, lo)
	a.refine(w, den, lo)
	y := a.sub2(a.k(k), ab)
	a.Mul(w, y, y)
	R := a.poly(a.pick(millsF32, millsF64), y)
	a.Mul(w, R, R) // R/√2π
	v := a.mul2(ab, R)
	a.Mul(E, v, v)
	a.Mul(a.k(-a.down()), v, v) // −aφR
	pos := a.add2(v, a.x)
	a.out[0] = a.choose(pos, v)
	if a.orders == 1 {
		return
	}
	g := a.kreg(phi)
	a.Fms213(R, ab, g)
	a.Mul(E, g, g)
	a.Mul(a.k(-a.down()), g, g) // φ(R−a)
	one := a.kreg(1)
	a.Sub(g, one, one)
	a.out[1] = a.choose(one, g)
	if a.orders == 2 {
		return
	}
	s := a.kreg(2)
	a.Sub(hh, s, s)
	a.Mul(E, s, s)
	a.Mul(a.k(scale), s, s)
	a.out[2] = s
	if a.orders == 3 {
		return
	}
	u := a.sub2(a.k(4), hh)
	a.Mul(ab, u, u)
	a.Mul(E, u, u)
	a.Mul(a.k(scale), u, u)
	a.out[3] = a.xor2(a.signOf(a.x), u)
}
