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
		limit func(e vec) float64
	}{{"sigmoid", sigmoid, vec.lim}, {"softplus", softplus, vec.lim}, {"tanh", tanh, vec.lim}, {"silu", silu, vec.lim},
		{"gelu", gelu, vec.geluLim}} {
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
			e.each(cnt, []Register{px}, out, func(x []VecVirtual, store func(v VecVirtual, i int)) {
				a.x = x[0]
				f.body(a)
				for i := range n {
					store(a.out[i], i)
				}
			})
		}
	}
}

// activation is the state of one routine: x is the argument, out the results.
type activation struct {
	vec
	orders int
	x      VecVirtual
	least  VecVirtual // the least argument, below which everything has vanished
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

// bySign is neg where the sign bit of s is set, pos elsewhere.
func (e vec) bySign(s, pos, neg VecVirtual) VecVirtual {
	d := e.reg()
	if e.wide() {
		k := K()
		if e.f64 {
			VPMOVQ2M(s, k)
			VBLENDMPD(neg, pos, k, d)
		} else {
			VPMOVD2M(s, k)
			VBLENDMPS(neg, pos, k, d)
		}
		return d
	}
	if e.f64 {
		VBLENDVPD(s, neg, pos, d)
	} else {
		VBLENDVPS(s, neg, pos, d)
	}
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
	if e.f64 {
		e.fnma231(e.k(6.93147180369123816490e-01), n, r)
		e.fnma231(e.k(1.90821492927058770002e-10), n, r)
	} else {
		e.fnma231(e.k(0.693359375), n, r)
		e.fnma231(e.k(-2.12194440e-4), n, r)
	}
	if lo != nil {
		e.fnma231(e.k(0.5), *lo, r)
	}
	r2 := e.mul2(r, r)
	q = e.poly(e.pick(expF32, expF64), r, r2)
	e.fma213(r, r2, q) // r + r²·q
	return q, t
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

// logistic computes what sigmoid, softplus and SiLU share: z = −|x|, E and d = 1/(1+e).
func (a *activation) logistic() (z, E, d VecVirtual) {
	z = a.negClamped(a.x)
	E = a.scaledExp(z, nil)
	den := a.kreg(1)
	a.fma231(a.k(a.down()), E, den)
	d = a.inverse(den, func() VecVirtual { // e − (den − 1), exact
		lo := a.sub2(den, a.kreg(1))
		a.fma231(a.k(a.down()), E, lo)
		return lo
	})
	return z, E, d
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
	a.out[first] = a.bySign(a.x, d, a.unscale(ed))
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
		E = a.scaledExp(a.negClamped(a.x), nil)
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
//	value        x d  or  x e d
//	first        (1 + x c) σ,  c = 1−σ
//	second       q (2 + z(1−e)d)
//	third        ±q (|x|(1−6q) − 3(1−e)d)
func silu(a *activation) {
	if a.orders == 1 {
		z := a.negClamped(a.x)
		E := a.scaledExp(z, nil)
		den := a.kreg(1)
		a.fma231(a.k(a.down()), E, den)
		a.mul(z, E, E)
		v := a.bySign(a.x, a.x, a.unscale(E))
		a.div(den, v, v)
		a.out[0] = v
		return
	}
	z, E, d := a.logistic()
	v := a.bySign(a.x, a.x, a.unscale(a.mul2(E, z)))
	a.mul(d, v, v)
	a.out[0] = v
	xm := a.negAbs(a.x) // x within the limits: ±z
	a.xor(a.x, xm, xm)  // the sign bit of −x
	a.xor(z, xm, xm)
	ed := a.mul2(E, d)
	// first
	c := a.bySign(a.x, a.unscale(ed), d)
	a.fma213(a.k(1), xm, c) // x·c + 1
	a.mul(d, c, c)
	neg := a.mul2(E, c)
	neg = a.unscale(neg)
	a.out[1] = a.bySign(a.x, c, neg)
	if a.orders == 2 {
		return
	}
	Q := a.mul2(ed, d)
	h := a.difference(ed)
	w := a.copy(h)
	a.fma213(a.k(2), z, w)
	a.mul(Q, w, w)
	a.out[2] = a.unscale(w)
	if a.orders == 3 {
		return
	}
	p := a.kreg(1)
	q := a.mul2(a.k(6*a.down()), Q)
	a.sub(q, p, p)
	a.mul(z, p, p) // −|x|(1−6q)
	a.fma231(a.k(3), h, p)
	a.mul(Q, p, p)
	a.mul(a.k(-a.down()), p, p)
	a.out[3] = a.xor2(a.signOf(a.x), p)
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
	a.out[0] = a.bySign(a.x, pos, v)
	if a.orders == 1 {
		return
	}
	g := a.kreg(phi)
	a.fms213(R, ab, g)
	a.mul(E, g, g)
	a.mul(a.k(-a.down()), g, g) // φ(R−a)
	one := a.kreg(1)
	a.sub(g, one, one)
	a.out[1] = a.bySign(a.x, one, g)
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
