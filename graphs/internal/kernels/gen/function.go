package main

import (
	"fmt"
	"math"

	. "github.com/mmcloughlin/avo/build"
	. "github.com/mmcloughlin/avo/operand"
	. "github.com/mmcloughlin/avo/reg"
)

// functions writes the other functions of one variable. Only the exponential gains by AVX-512.
func functions(e vec) {
	list := []struct {
		name string
		body func(e vec, x VecVirtual) VecVirtual
	}{{"exp", expFull}}
	if !e.wide() {
		list = append(list, []struct {
			name string
			body func(e vec, x VecVirtual) VecVirtual
		}{
			{"log", logFull},
			{"sqrt", func(e vec, x VecVirtual) VecVirtual { e.sqrt(x, x); return x }},
			{"reciprocal", func(e vec, x VecVirtual) VecVirtual { d := e.kreg(1); e.div(x, d, d); return d }},
			{"relu", func(e vec, x VecVirtual) VecVirtual { z := e.reg(); e.zero(z); e.max(x, z, z); return z }},
			{"abs", func(e vec, x VecVirtual) VecVirtual { e.and(e.bits(e.signBit()-1), x, x); return x }},
			{"neg", func(e vec, x VecVirtual) VecVirtual { e.xor(e.bits(e.signBit()), x, x); return x }},
			{"square", func(e vec, x VecVirtual) VecVirtual { e.mul(x, x, x); return x }},
			{"step", func(e vec, x VecVirtual) VecVirtual { // 1 where x > 0 or NaN
				z := e.reg()
				e.zero(z)
				e.cmp(notLE, z, x, z)
				e.and(e.k(1), z, z)
				return z
			}},
			{"sign", func(e vec, x VecVirtual) VecVirtual { // x itself where it is ±0 or NaN
				z, m := e.reg(), e.reg()
				e.zero(z)
				e.cmp(notEqual, z, x, m)
				one := e.signOf(x)
				e.or(e.k(1), one, one)
				nan := e.reg()
				e.cmp(unordered, x, x, nan)
				e.andn(m, nan, m)
				e.blend(m, one, x, x)
				return x
			}},
		}...)
	}
	for _, f := range list {
		name := e.name(f.name)
		text(name, fmt.Sprintf("func(n int, dst, x *%s)", e.typ()), name+" applies the function of its name to n elements.")
		n := Load(Param("n"), GP64())
		dst := Load(Param("dst"), GP64())
		x := Load(Param("x"), GP64())
		e.each(n, []Register{x}, []Register{dst}, func(v []VecVirtual, store func(v VecVirtual, i int)) {
			store(f.body(e, v[0]), 0)
		})
	}
}

// Predicates of comparisons, quiet.
const (
	lessThan  = 0x11
	unordered = 0x03
	notEqual  = 0x04 // or unordered
	notLE     = 0x16 // greater or unordered
)

// cmp sets the bits of d where y o x. AVX2 only.
func (e vec) cmp(predicate int, x, y, d Op) {
	f32 := func(o ...Op) { VCMPPS(U8(predicate), o[0], o[1], o[2]) }
	f64 := func(o ...Op) { VCMPPD(U8(predicate), o[0], o[1], o[2]) }
	e.sel(f32, f64)(x, y, d)
}

// expFull is eˣ: E = eˣ·2^±B is multiplied by 2^∓B, so that results overflow and underflow as they should.
func expFull(e vec, x VecVirtual) VecVirtual {
	hi := 90.0
	if e.f64 {
		hi = 720
	}
	lo := e.kreg(-e.lim())
	e.max(x, lo, lo)
	z := e.kreg(hi)
	e.min(lo, z, z)
	q, t := e.reduced(z, nil)
	e.add(e.k(1), q, q)
	up := e.kreg(math.Ldexp(1, e.B()))
	down := e.kreg(e.down())
	s := e.reg()
	e.shl(e.mantissa(), t, s)
	e.iadd(e.bySign(z, down, up), s, s) // the bits of 2^n·2^∓B
	e.mul(q, s, s)
	e.mul(e.bySign(z, up, down), s, s)
	return s
}

// logFull is ln x: x = 2ⁿ(1+f) with √½ ≤ 1+f < √2, s = f/(2+f),
//
//	ln(1+f) = f − (f²/2 − s(f²/2 + R)),  R = 2 atanh(s)/s − 2,
//
// as in FreeBSD's e_log.c. Numbers below the least normal one are scaled up first.
func logFull(e vec, x VecVirtual) VecVirtual {
	const up = 54
	least, shift := math.Ldexp(1, -126), 127
	if e.f64 {
		least, shift = math.Ldexp(1, -1022), 1023
	}
	tiny := e.reg()
	e.cmp(lessThan, e.k(least), x, tiny)
	scaled := e.mul2(e.k(math.Ldexp(1, up)), x)
	m := e.reg()
	e.blend(tiny, scaled, x, m)
	extra := e.reg()
	e.and(e.k(up), tiny, extra)

	// n and the mantissa: bits(m) − bits(√½) counts exponents from √½ on.
	root := math.Float64bits(math.Sqrt(0.5))
	mask := uint64(0xfff0000000000000)
	if !e.f64 {
		root, mask = uint64(math.Float32bits(float32(math.Sqrt(0.5)))), 0xff800000
	}
	// Adding (shift+1) exponents keeps the difference positive, for the logical shift.
	b := e.reg()
	e.mov(m, b)
	e.iadd(e.bits(uint64(shift+1)<<e.mantissa()), b, b)
	t := e.reg()
	e.isub(e.bits(root), b, t)
	n := e.reg()
	e.shr(e.mantissa(), t, n)
	// integer to float through the bits of 2^mantissa
	base := math.Ldexp(1, e.mantissa())
	e.or(e.k(base), n, n)
	e.sub(e.k(base+float64(shift+1)), n, n)
	e.sub(extra, n, n)
	e.and(e.bits(mask), t, t)
	f := e.reg()
	e.isub(t, b, f)
	e.sub(e.k(1), f, f)

	den := e.add2(e.k(2), f)
	s := e.div2(den, f)
	z := e.mul2(s, s)
	R := e.poly(e.pick(logF32, logF64), z)
	e.mul(z, R, R)
	h := e.mul2(f, f)
	e.mul(e.k(0.5), h, h)
	e.add(h, R, R)
	e.mul(s, R, R)
	ln2lo := 1.90821492927058770002e-10
	ln2hi := 6.93147180369123816490e-01
	if !e.f64 {
		ln2hi, ln2lo = 0.693359375, -2.12194440e-4
	}
	e.fma231(e.k(ln2lo), n, R) // s(f²/2+R) + n ln2lo
	e.sub(R, h, h)
	e.sub(h, f, f)
	e.fma231(e.k(ln2hi), n, f)

	// +Inf, NaN: x; 0: −Inf; negative: NaN.
	special := e.reg()
	inf := e.kreg(math.Inf(1))
	e.cmp(0x15, inf, x, special) // not less than +Inf, or unordered
	e.blend(special, x, f, f)
	zero := e.reg()
	e.zero(zero)
	e.cmp(0x00, zero, x, special)
	minus := e.kreg(math.Inf(-1))
	e.blend(special, minus, f, f)
	e.cmp(lessThan, zero, x, special)
	e.or(special, f, f) // all ones is NaN
	return f
}

// blend is a where the sign bit of mask is set, b elsewhere. AVX2 only.
func (e vec) blend(mask, a, b, d VecVirtual) {
	e.sel(op4(VBLENDVPS), op4(VBLENDVPD))(mask, a, b, d)
}

func op4(f func(a, b, c, d Op)) inst { return func(o ...Op) { f(o[0], o[1], o[2], o[3]) } }
