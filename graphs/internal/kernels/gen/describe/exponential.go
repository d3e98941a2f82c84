package describe

import (
	"math"
)

// B is the exponent of the scaling of small numbers: exp(−lim)·2^B is normal for the greatest lim in use.
func (e vec) B() int {
	if e.F64() {
		return 256
	}
	return 64
}

// down is 2^−B.
func (e vec) down() float64 { return math.Ldexp(1, -e.B()) }

// lim is where exp(−lim)·lim³ is rounded to zero, and 2^B exp(−lim) is normal.
func (e vec) lim() float64 {
	if e.F64() {
		return 770
	}
	return 120
}

// geluLim is the same for exp(−lim²/2).
func (e vec) geluLim() float64 {
	if e.F64() {
		return 40
	}
	return 15
}

// magic added to x leaves the integer nearest to x in the last bits.
func (e vec) magic() float64 {
	if e.F64() {
		return 3 << 51
	}
	return 3 << 22
}

func (e vec) mantissa() int {
	if e.F64() {
		return 52
	}
	return 23
}

// reduced is q = eʳ−1 and t, whose last bits are n, for z = n ln 2 + r; lo, if given, is half the amount by which the
// exact argument is less than z.
func (e vec) reduced(z Value, lo *Value) (q, t Value) {
	t = e.kreg(e.magic())
	e.Fma231(e.k(math.Log2E), z, t)
	n := e.sub2(e.k(e.magic()), t)
	r := e.copy(z)
	hi, low := e.ln2()
	e.Fnma231(e.k(hi), n, r)
	e.Fnma231(e.k(low), n, r)
	if lo != nil {
		e.Fnma231(e.k(0.5), *lo, r)
	}
	r2 := e.mul2(r, r)
	q = e.poly(e.pick(expF32, expF64), r, r2)
	e.Fma213(r, r2, q) // r + r²·q
	return q, t
}

// ln2 is ln 2 as a number with trailing zeros and the rest.
func (e vec) ln2() (hi, lo float64) {
	if e.F64() {
		return 6.93147180369123816490e-01, 1.90821492927058770002e-10
	}
	return 0.693359375, -2.12194440e-4
}

// expNeg is exp(−z)·2^shift where that is a normal number. With −z = n ln 2 + r it is a polynomial in −r, which comes
// without a change of sign, and 2ⁿ.
func (e vec) expNeg(z Value, shift int) Value {
	p, t := e.reducedNeg(z)
	if e.Scales() {
		e.Scalef(e.sub2(e.k(e.magic()-float64(shift)), t), p, p)
		return p
	}
	e.Mul(e.power(t, shift), p, p)
	return p
}

// shortExpNeg is exp(−z); n is added to the exponent, as long as neither z nor the result is anything but a normal
// number.
func (e vec) shortExpNeg(z Value) Value {
	p, t := e.reducedNeg(z)
	e.Shl(e.mantissa(), t, t)
	e.Iadd(t, p, p)
	return p
}

// reducedNeg is p = eʳ and t, whose last bits are n, for −z = n ln 2 + r.
func (e vec) reducedNeg(z Value) (p, t Value) {
	t = e.kreg(e.magic())
	e.Fnma231(e.k(math.Log2E), z, t)
	n := e.sub2(e.k(e.magic()), t)
	r := e.copy(z) // −r
	hi, lo := e.ln2()
	e.Fma231(e.k(hi), n, r)
	e.Fma231(e.k(lo), n, r)
	c := append([]float64(nil), e.pick(expF32, expF64)...)
	for i := 1; i < len(c); i += 2 {
		c[i] = -c[i]
	}
	r2 := e.mul2(r, r)
	p = e.poly(c, r, r2)
	e.Fms213Add(r, r2, e.k(1), p) // eʳ = 1 + (r + r²·p)
	return p, t
}

// power is 2^(n+shift) for the n in the last bits of t.
func (e vec) power(t Value, shift int) Value {
	s := e.Reg()
	e.Shl(e.mantissa(), t, s)
	e.Iadd(e.k(math.Ldexp(1, shift)), s, s)
	return s
}

// scaledExp is E = exp(z)·2^B for −lim ≤ z ≤ 0.
func (e vec) scaledExp(z Value, lo *Value) Value {
	q, t := e.reduced(z, lo)
	e.Add(e.k(1), q, q)
	s := e.power(t, e.B())
	e.Mul(q, s, s)
	return s
}

// unscale multiplies by 2^−B.
func (e vec) unscale(v Value) Value { return e.mul2(e.k(e.down()), v) }
