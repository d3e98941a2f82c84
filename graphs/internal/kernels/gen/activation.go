package main

import (
	"fmt"
	"math"

	. "github.com/mmcloughlin/avo/build"
	. "github.com/mmcloughlin/avo/operand"
	. "github.com/mmcloughlin/avo/reg"
)

// activations writes, for each smooth activation and n = 1 … 4, the routine that stores the derivatives of orders 0 … n−1.
//
// All of them are built on e = exp(z), z = −|x|, −2|x| or −x²/2, which never overflows. What is small there, e itself included, is
// kept as E = e·2^B and multiplied by 2^−B at the very end, so that results below the least normal number are rounded once.
// Arguments are clamped where e has vanished altogether, so that infinite ones need no care; NaN passes every step.
func activations(e vec) {
	for _, f := range []struct {
		name  string
		body  func(a *activation)
		short func(a *activation)
		limit func(e vec) float64
	}{{"sigmoid", sigmoid, shortSigmoid, vec.lim}, {"softplus", softplus, nil, vec.lim}, {"tanh", tanh, nil, vec.lim},
		{"silu", silu, shortSiLU, vec.lim}, {"gelu", gelu, nil, vec.geluLim}} {
		for n := 1; n <= 4; n++ {
			name := e.name(fmt.Sprintf("%s%d", f.name, n))
			args := ""
			for i := range n {
				args += fmt.Sprintf(", d%d", i)
			}
			text(name, fmt.Sprintf("func(n int%s, x *%s)", args, e.typ()),
				fmt.Sprintf("%s stores the derivatives of orders 0 to %d; a destination may be given twice: the highest order is stored last.", name, n-1))
			a := &activation{vec: e, orders: n}
			cnt := Load(Param("n"), GP64())
			px := Load(Param("x"), GP64())
			out := make([]Register, n)
			for i := range out {
				out[i] = Load(Param(fmt.Sprintf("d%d", i)), GP64())
			}
			a.least = a.kreg(-f.limit(e))
			if f.short == nil {
				e.each(cnt, []Register{px}, out, a.loopBody(f.body))
			} else {
				e.eachOr(a.short(f.short), cnt, []Register{px}, out, a.either(f.short, f.body))
			}
		}
	}
}

// loopBody makes a body of f.
func (a *activation) loopBody(f func(*activation)) loopBody {
	return func(x []VecVirtual, store func(v VecVirtual, i int)) {
		a.x, a.mask = x[0], nil
		f(a)
		for i := range a.orders {
			store(a.out[i], i)
		}
	}
}

// short is the loop body f for vectors of arguments within shortLimit.
func (a *activation) short(f func(*activation)) *short {
	s := &short{limit: a.shortLimit(), side: 1, body: a.loopBody(f)}
	if a.wide() {
		s.side = 2
	}
	return s
}

// shortLimit is the greatest |x| for which no exponential overflows and no result is denormal.
func (e vec) shortLimit() float64 {
	if e.f64 {
		return 600
	}
	return 80
}

// either makes a body that takes the results of short for elements within shortLimit and those of long for the others: what becomes of
// an element does not depend on its neighbours.
func (a *activation) either(short, long func(*activation)) loopBody {
	var far [4]Mem
	for i := range a.orders {
		far[i] = AllocLocal(a.bytes())
	}
	return func(x []VecVirtual, store func(v VecVirtual, i int)) {
		a.x, a.mask = x[0], nil
		long(a)
		for i := range a.orders {
			a.mov(a.out[i], far[i])
		}
		a.x, a.mask = a.reg(), nil
		a.max(x[0], a.kreg(-a.shortLimit()), a.x)
		a.min(a.x, a.kreg(a.shortLimit()), a.x)
		short(a)
		m := a.negAbs(x[0])
		a.add(a.k(a.shortLimit()), m, m) // its sign bit is set outside, or it is NaN
		for i := range a.orders {
			v := a.out[i]
			store(a.bySign(m, v, a.load(far[i])), i)
		}
	}
}

// activation is the state of one routine: x is the argument, out the results.
type activation struct {
	vec
	orders int
	x      VecVirtual
	least  VecVirtual // the least argument, below which everything has vanished
	mask   Op         // where x has its sign bit set; AVX-512, made when it is first needed
	out    [4]VecVirtual
}

// Helpers with a new register as result.
func (e vec) add2(x, y Op) VecVirtual { d := e.reg(); e.add(x, y, d); return d } // y + x
func (e vec) sub2(x, y Op) VecVirtual { d := e.reg(); e.sub(x, y, d); return d } // y − x
func (e vec) mul2(x, y Op) VecVirtual { d := e.reg(); e.mul(x, y, d); return d }
func (e vec) div2(x, y Op) VecVirtual { d := e.reg(); e.div(x, y, d); return d } // y / x
func (e vec) xor2(x, y Op) VecVirtual { d := e.reg(); e.xor(x, y, d); return d }
func (e vec) copy(x Op) VecVirtual    { d := e.reg(); e.mov(x, d); return d }

// negClamped is −|x|, not less than a.least.
func (a *activation) negClamped(x VecVirtual) VecVirtual {
	z := a.negAbs(x)
	a.max(z, a.least, z) // z itself where it is NaN
	return z
}

// negAbs is −|x|.
func (e vec) negAbs(x Op) VecVirtual {
	d := e.reg()
	e.or(e.bits(e.signBit()), x, d)
	return d
}

// signOf keeps the sign bit of x.
func (e vec) signOf(x Op) VecVirtual {
	d := e.reg()
	e.and(e.bits(e.signBit()), x, d)
	return d
}

// signMask is where the sign bit of s is set. AVX-512 only.
func (e vec) signMask(s Op) Op {
	k := K()
	emit(func() {
		if e.f64 {
			VPMOVQ2M(s, k)
		} else {
			VPMOVD2M(s, k)
		}
	})
	return k
}

// negative is the mask of negative x.
func (a *activation) negative() Op {
	if a.mask == nil {
		a.mask = a.signMask(a.x)
	}
	return a.mask
}

// choose is neg where x is negative, pos elsewhere.
func (a *activation) choose(pos, neg VecVirtual) VecVirtual {
	if !a.wide() {
		return a.bySign(a.x, pos, neg)
	}
	d := a.reg()
	a.sel(VBLENDMPS, VBLENDMPD)(neg, pos, a.negative(), d)
	return d
}

// unscaleNegative multiplies v by 2^−B where x is negative.
func (a *activation) unscaleNegative(v VecVirtual) {
	if a.wide() {
		a.sel(VMULPS_BCST, VMULPD_BCST)(a.k(a.down()), v, a.negative(), v)
		return
	}
	a.mul(a.choose(a.kreg(1), a.kreg(a.down())), v, v)
}

// bySign is neg where the sign bit of s is set, pos elsewhere.
func (e vec) bySign(s, pos, neg VecVirtual) VecVirtual {
	d := e.reg()
	if e.wide() {
		e.sel(VBLENDMPS, VBLENDMPD)(neg, pos, e.signMask(s), d)
		return d
	}
	e.blend(s, neg, pos, d)
	return d
}

// B is the exponent of the scaling of small numbers: exp(−lim)·2^B is normal for the greatest lim in use.
func (e vec) B() int {
	if e.f64 {
		return 256
	}
	return 64
}

// down is 2^−B.
func (e vec) down() float64 { return math.Ldexp(1, -e.B()) }

// lim is where exp(−lim)·lim³ is rounded to zero, and 2^B exp(−lim) is normal.
func (e vec) lim() float64 {
	if e.f64 {
		return 770
	}
	return 120
}

// geluLim is the same for exp(−lim²/2).
func (e vec) geluLim() float64 {
	if e.f64 {
		return 40
	}
	return 15
}

// magic added to x leaves the integer nearest to x in the last bits.
func (e vec) magic() float64 {
	if e.f64 {
		return 3 << 51
	}
	return 3 << 22
}

func (e vec) mantissa() int {
	if e.f64 {
		return 52
	}
	return 23
}

// reduced is q = eʳ−1 and t, whose last bits are n, for z = n ln 2 + r; lo, if given, is half the amount by which the exact argument is less
// than z.
func (e vec) reduced(z VecVirtual, lo *VecVirtual) (q, t VecVirtual) {
	t = e.kreg(e.magic())
	e.fma231(e.k(math.Log2E), z, t)
	n := e.sub2(e.k(e.magic()), t)
	r := e.copy(z)
	hi, low := e.ln2()
	e.fnma231(e.k(hi), n, r)
	e.fnma231(e.k(low), n, r)
	if lo != nil {
		e.fnma231(e.k(0.5), *lo, r)
	}
	r2 := e.mul2(r, r)
	q = e.poly(e.pick(expF32, expF64), r, r2)
	e.fma213(r, r2, q) // r + r²·q
	return q, t
}

// ln2 is ln 2 as a number with trailing zeros and the rest.
func (e vec) ln2() (hi, lo float64) {
	if e.f64 {
		return 6.93147180369123816490e-01, 1.90821492927058770002e-10
	}
	return 0.693359375, -2.12194440e-4
}

// expNeg is exp(−z)·2^shift where that is a normal number. With −z = n ln 2 + r it is a polynomial in −r, which comes without a
// change of sign, and 2ⁿ.
func (e vec) expNeg(z VecVirtual, shift int) VecVirtual {
	p, t := e.reducedNeg(z)
	if e.wide() {
		m := e.sub2(e.k(e.magic()-float64(shift)), t)
		e.sel(VSCALEFPS, VSCALEFPD)(m, p, p)
		return p
	}
	e.mul(e.power(t, shift), p, p)
	return p
}

// shortExpNeg is exp(−z); n is added to the exponent, as long as neither z nor the result is anything but a normal number.
func (e vec) shortExpNeg(z VecVirtual) VecVirtual {
	p, t := e.reducedNeg(z)
	e.shl(e.mantissa(), t, t)
	e.iadd(t, p, p)
	return p
}

// reducedNeg is p = eʳ and t, whose last bits are n, for −z = n ln 2 + r.
func (e vec) reducedNeg(z VecVirtual) (p, t VecVirtual) {
	t = e.kreg(e.magic())
	e.fnma231(e.k(math.Log2E), z, t)
	n := e.sub2(e.k(e.magic()), t)
	r := e.copy(z) // −r
	hi, lo := e.ln2()
	e.fma231(e.k(hi), n, r)
	e.fma231(e.k(lo), n, r)
	c := append([]float64(nil), e.pick(expF32, expF64)...)
	for i := 1; i < len(c); i += 2 {
		c[i] = -c[i]
	}
	r2 := e.mul2(r, r)
	p = e.poly(c, r, r2)
	e.fms213(r, r2, p) // eʳ − 1 = r + r²·p
	e.add(e.k(1), p, p)
	return p, t
}

// power is 2^(n+shift) for the n in the last bits of t.
func (e vec) power(t VecVirtual, shift int) VecVirtual {
	s := e.reg()
	e.shl(e.mantissa(), t, s)
	e.iadd(e.k(math.Ldexp(1, shift)), s, s)
	return s
}

// scaledExp is E = exp(z)·2^B for −lim ≤ z ≤ 0.
func (e vec) scaledExp(z VecVirtual, lo *VecVirtual) VecVirtual {
	q, t := e.reduced(z, lo)
	e.add(e.k(1), q, q)
	s := e.power(t, e.B())
	e.mul(q, s, s)
	return s
}

// unscale multiplies by 2^−B.
func (e vec) unscale(v VecVirtual) VecVirtual { return e.mul2(e.k(e.down()), v) }

// logistic computes what sigmoid, softplus and SiLU share: y = |x| within the limits, E and d = 1/(1+e).
func (a *activation) logistic() (y, E, d VecVirtual) {
	y = a.negClamped(a.x)
	a.xor(a.bits(a.signBit()), y, y)
	E = a.expNeg(y, a.B())
	den := a.kreg(1)
	a.fma231(a.k(a.down()), E, den)
	d = a.inverse(den, func() VecVirtual { // e − (den − 1), exact
		lo := a.sub2(den, a.kreg(1))
		a.fma231(a.k(a.down()), E, lo)
		return lo
	})
	return y, E, d
}

// inverse is 1/(den+lo). Orders 2 and 3 use it up to three times as a factor; there the roundings of den and of the quotient are put
// back.
func (a *activation) inverse(den VecVirtual, lo func() VecVirtual) VecVirtual {
	d := a.kreg(1)
	a.div(den, d, d)
	if a.orders > 2 {
		a.refine(d, den, lo())
	}
	return d
}

// refine makes the quotient d = 1/den one of den+lo: d += d(1 − d·den − d·lo).
func (e vec) refine(d, den, lo VecVirtual) {
	r := e.kreg(1)
	e.fnma231(den, d, r)
	e.fnma231(lo, d, r)
	e.fma231(d, r, d)
}

// sigmoidOrders stores σ and its derivatives from out[first] on, given x, E and d:
//
//	σ = d or ed,  q = σ(1−σ) = ed²,  σ″ = ∓q(1−e)d,  σ‴ = q(1−6q).
func (a *activation) sigmoidOrders(first int, E, d VecVirtual) {
	n := a.orders - first
	if n <= 0 {
		return
	}
	ed := a.mul2(E, d)
	a.out[first] = a.choose(d, a.unscale(ed))
	if n == 1 {
		return
	}
	Q := a.mul2(ed, d)
	q := a.unscale(Q)
	a.out[first+1] = q
	if n == 2 {
		return
	}
	h := a.difference(ed)
	a.mul(Q, h, h)
	a.mul(a.k(-a.down()), h, h)
	a.out[first+2] = a.xor2(a.signOf(a.x), h)
	if n == 3 {
		return
	}
	p := a.kreg(1)
	a.fnma231(a.k(6), q, p)
	a.mul(Q, p, p)
	a.out[first+3] = a.unscale(p)
}

// difference is |σ(x) − σ(−x)| = (1−e)d = 1 − 2ed, which is best where σ″ is not small.
func (a *activation) difference(ed VecVirtual) VecVirtual {
	h := a.kreg(1)
	a.fnma231(a.k(2*a.down()), ed, h)
	return h
}

func sigmoid(a *activation) {
	_, E, d := a.logistic()
	a.sigmoidOrders(0, E, d)
}

// softplus is max(x, 0) + ln(1+e); its derivatives are those of σ.
//
//	ln(1+e) = 2 atanh s,  s = e/(2+e).
func softplus(a *activation) {
	var E, d VecVirtual
	if a.orders > 1 {
		_, E, d = a.logistic()
	} else {
		y := a.negClamped(a.x)
		a.xor(a.bits(a.signBit()), y, y)
		E = a.expNeg(y, a.B())
	}
	u := a.unscale(E)
	s := a.add2(a.k(2), u)
	a.div(s, u, s)
	s2 := a.mul2(s, s)
	p := a.poly(a.pick(log1pF32, log1pF64), s2)
	s3 := a.mul2(s, s2)
	a.mul(s3, p, p)
	a.fma231(a.k(2), s, p)
	zero := a.reg()
	a.zero(zero)
	a.max(a.x, zero, zero)
	a.add(zero, p, p)
	a.out[0] = p
	a.sigmoidOrders(1, E, d)
}

// tanh with e = exp(−2|x|), m = e−1:
//
//	t = ±(−m)/(2+m),  q = 1−t² = 4e/(2+m)²,  t″ = −2tq,  t‴ = q(6t²−2).
func tanh(a *activation) {
	z := a.negClamped(a.add2(a.x, a.x))
	q, t := a.reduced(z, nil)
	S := a.power(t, a.B())
	s := a.unscale(S)
	m := a.sub2(a.k(1), s)
	a.fma231(q, s, m)
	den := a.add2(a.k(2), m)
	if a.orders == 1 {
		m = a.div2(den, m)
		v := a.reg()
		a.andn(m, a.loadSign(), v) // |t|
		a.out[0] = a.orSign(v)
		return
	}
	var lo VecVirtual
	d := a.inverse(den, func() VecVirtual { // m − (den − 2), exact
		lo = a.sub2(den, a.kreg(2))
		a.add(m, lo, lo)
		return lo
	})
	v := a.mul2(m, d) // −|t|
	if a.orders > 2 { // the rounding of the product is put back as well
		a.fnma231(v, den, m)
		a.fnma231(v, lo, m)
		a.fma231(m, d, v)
	}
	Q := a.mul2(d, d)
	a.fma213(Q, Q, q) // d² + q·d²
	Q = a.mul2(q, S)  // e d² 2^B
	abs := a.reg()
	a.andn(v, a.loadSign(), abs)
	a.out[0] = a.orSign(abs)
	a.out[1] = a.mul2(a.k(4*a.down()), Q)
	if a.orders > 2 {
		w := a.mul2(Q, a.out[0])
		a.mul(a.k(-8*a.down()), w, w)
		a.out[2] = w
	}
	if a.orders > 3 {
		w := a.mul2(v, v)
		f := a.kreg(6)
		a.fms213(a.k(2), w, f) // 6t² − 2
		a.mul(Q, f, f)
		a.mul(a.k(4*a.down()), f, f)
		a.out[3] = f
	}
}

// loadSign is the sign bit in a register.
func (a *activation) loadSign() VecVirtual {
	s := a.reg()
	a.bcast(a.bits(a.signBit()), s)
	return s
}

// orSign gives v ≥ 0 the sign of x.
func (a *activation) orSign(v VecVirtual) VecVirtual {
	s := a.signOf(a.x)
	a.or(v, s, s)
	return s
}

// silu is xσ(x):
//
//	value        xσ
//	first        (1 + xc) σ,  c = 1−σ
//	second       q (2 − y(1−e)d),  y = |x|
//	third        ±q (y(1−6q) − 3(1−e)d)
func silu(a *activation) {
	y, E, d := a.logistic()
	ed := a.mul2(E, d)
	c := a.unscale(ed)
	s := a.choose(d, ed) // σ, scaled where x < 0
	v := a.reg()
	a.max(a.x, a.least, v)
	a.mul(s, v, v)
	a.unscaleNegative(v)
	a.out[0] = v
	if a.orders == 1 {
		return
	}
	// first
	x := a.signOf(a.x)
	a.or(y, x, x) // x within the limits
	t := a.choose(c, d)
	a.fma213(a.k(1), x, t) // x·c + 1
	a.mul(s, t, t)
	a.unscaleNegative(t)
	a.out[1] = t
	if a.orders == 2 {
		return
	}
	Q := a.mul2(ed, d)
	h := a.difference(ed)
	w := a.copy(h)
	a.fnma213(a.k(2), y, w)
	a.mul(Q, w, w)
	a.out[2] = a.unscale(w)
	if a.orders == 3 {
		return
	}
	p := a.kreg(-1)
	q := a.mul2(a.k(6*a.down()), Q)
	a.add(q, p, p)
	a.mul(y, p, p) // −y(1−6q)
	a.fma231(a.k(3), h, p)
	a.mul(Q, p, p)
	a.mul(a.k(-a.down()), p, p)
	a.out[3] = a.xor2(a.signOf(a.x), p)
}

// shortLogistic is σ and c = 1−σ.
func (a *activation) shortLogistic() (s, c VecVirtual) {
	E := a.shortExpNeg(a.x)
	den := a.add2(a.k(1), E)
	s = a.inverse(den, func() VecVirtual { // what 1+e lost
		lo := a.sub2(a.k(1), den)
		a.sub(lo, E, lo)
		return lo
	})
	return s, a.mul2(E, s)
}

// shortSigmoid is σ, q = σc, q(c−σ) and q(1−6q).
func shortSigmoid(a *activation) {
	s, c := a.shortLogistic()
	a.out[0] = s
	if a.orders == 1 {
		return
	}
	q := a.mul2(s, c)
	a.out[1] = q
	if a.orders == 2 {
		return
	}
	h := a.sub2(s, c)
	a.out[2] = a.mul2(q, h)
	if a.orders == 3 {
		return
	}
	p := a.kreg(1)
	a.fnma231(a.k(6), q, p)
	a.mul(q, p, p)
	a.out[3] = p
}

// shortSiLU is xσ, (1+xc)σ, q(2−xh) and q(x(1−6q)−3h) with h = σ−c.
func shortSiLU(a *activation) {
	s, c := a.shortLogistic()
	a.out[0] = a.mul2(a.x, s)
	if a.orders == 1 {
		return
	}
	t := a.copy(c)
	a.fma213(a.k(1), a.x, t)
	a.mul(s, t, t)
	a.out[1] = t
	if a.orders == 2 {
		return
	}
	q := a.mul2(s, c)
	h := a.sub2(c, s)
	w := a.copy(h)
	a.fnma213(a.k(2), a.x, w)
	a.mul(q, w, w)
	a.out[2] = w
	if a.orders == 3 {
		return
	}
	p := a.kreg(1)
	a.fnma231(a.k(6), q, p)
	a.mul(a.x, p, p)
	a.fnma231(a.k(3), h, p)
	a.mul(q, p, p)
	a.out[3] = p
}

// gelu is xΦ(x), with a = |x|, φ = exp(−a²/2)/√2π and R = Φ(−a)/φ(a) = P(y)/(a+k), y = (a−k)/(a+k):
//
//	value        x − aφR  or  −aφR
//	first        1 − φ(R−a)  or  φ(R−a)
//	second       φ(2−a²)
//	third        ±φ a(a²−4)
//
// The rounding error of a² is put back before the exponential.
func gelu(a *activation) {
	k := 3.0
	if a.f64 {
		k = 4
	}
	phi := 1 / math.Sqrt(2*math.Pi)
	scale := a.down() * phi
	ab := a.negClamped(a.x)
	a.xor(a.bits(a.signBit()), ab, ab)
	hh := a.mul2(ab, ab)
	ll := a.copy(ab)
	a.fms213(hh, ab, ll) // a·a − hh
	z := a.mul2(a.k(-0.5), hh)
	E := a.scaledExp(z, &ll)
	den := a.add2(a.k(k), ab)
	w := a.kreg(1)
	a.div(den, w, w)
	lo := a.sub2(a.k(k), den) // put back the rounding of a+k, by which R is off near 0
	a.sub(lo, ab, lo)
	a.refine(w, den, lo)
	y := a.sub2(a.k(k), ab)
	a.mul(w, y, y)
	R := a.poly(a.pick(millsF32, millsF64), y)
	a.mul(w, R, R) // R/√2π
	v := a.mul2(ab, R)
	a.mul(E, v, v)
	a.mul(a.k(-a.down()), v, v) // −aφR
	pos := a.add2(v, a.x)
	a.out[0] = a.choose(pos, v)
	if a.orders == 1 {
		return
	}
	g := a.kreg(phi)
	a.fms213(R, ab, g)
	a.mul(E, g, g)
	a.mul(a.k(-a.down()), g, g) // φ(R−a)
	one := a.kreg(1)
	a.sub(g, one, one)
	a.out[1] = a.choose(one, g)
	if a.orders == 2 {
		return
	}
	s := a.kreg(2)
	a.sub(hh, s, s)
	a.mul(E, s, s)
	a.mul(a.k(scale), s, s)
	a.out[2] = s
	if a.orders == 3 {
		return
	}
	u := a.sub2(a.k(4), hh)
	a.mul(ab, u, u)
	a.mul(E, u, u)
	a.mul(a.k(scale), u, u)
	a.out[3] = a.xor2(a.signOf(a.x), u)
}
