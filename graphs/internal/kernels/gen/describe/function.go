package describe

import "math"

// A Function is a function of one variable.
type Function struct {
	Name string
	body func(e vec, x Value) Value
}

// Body writes the function of x.
func (f Function) Body(o Ops, x Value) Value { return f.body(vec{o}, x) }

// Functions are the functions of one variable other than the smooth activations, the exponential first.
func Functions() []Function {
	return []Function{
		{"exp", expFull},
		{"log", logFull},
		{"sqrt", func(e vec, x Value) Value { e.Sqrt(x, x); return x }},
		{"reciprocal", func(e vec, x Value) Value { d := e.kreg(1); e.Div(x, d, d); return d }},
		// x where it is 0 or NaN
		{"relu", func(e vec, x Value) Value { z := e.Reg(); e.Zero(z); e.Greater(x, z, z); return z }},
		{"abs", func(e vec, x Value) Value { e.And(e.Bits(e.signBit()-1), x, x); return x }},
		{"neg", func(e vec, x Value) Value { e.Xor(e.Bits(e.signBit()), x, x); return x }},
		{"square", func(e vec, x Value) Value { e.Mul(x, x, x); return x }},
		{"step", func(e vec, x Value) Value { // 1 where x > 0 or NaN
			z := e.Reg()
			e.Zero(z)
			e.Cmp(NotLE, z, x, z)
			e.And(e.k(1), z, z)
			return z
		}},
		{"sign", func(e vec, x Value) Value { // x itself where it is ±0 or NaN
			z, m := e.Reg(), e.Reg()
			e.Zero(z)
			e.Cmp(NotEqual, z, x, m)
			one := e.signOf(x)
			e.Or(e.k(1), one, one)
			nan := e.Reg()
			e.Cmp(Unordered, x, x, nan)
			e.Andn(m, nan, m)
			e.Blend(m, one, x, x)
			return x
		}},
	}
}

// expFull is eˣ: E = eˣ·2^±B is multiplied by 2^∓B, so that results overflow and underflow as they should.
func expFull(e vec, x Value) Value {
	hi := 90.0
	if e.F64() {
		hi = 720
	}
	lo := e.kreg(-e.lim())
	e.Max(x, lo, lo)
	z := e.kreg(hi)
	e.Min(lo, z, z)
	q, t := e.reduced(z, nil)
	e.Add(e.k(1), q, q)
	up := e.kreg(math.Ldexp(1, e.B()))
	down := e.kreg(e.down())
	s := e.Reg()
	e.Shl(e.mantissa(), t, s)
	e.Iadd(e.bySign(z, down, up), s, s) // the bits of 2^n·2^∓B
	e.Mul(q, s, s)
	e.Mul(e.bySign(z, up, down), s, s)
	return s
}

// as in FreeBSD's e_log.c. Numbers below the least normal one are scaled up first.
func logFull(e vec, x Value) Value {
	const up = 54
	least, shift := math.Ldexp(1, -126), 127
	if e.F64() {
		least, shift = math.Ldexp(1, -1022), 1023
	}
	tiny := e.Reg()
	e.Cmp(LessThan, e.k(least), x, tiny)
	scaled := e.mul2(e.k(math.Ldexp(1, up)), x)
	m := e.Reg()
	e.Blend(tiny, scaled, x, m)
	extra := e.Reg()
	e.And(e.k(up), tiny, extra)

	// n and the mantissa: bits(m) − bits(√½) counts exponents from √½ on.
	root := math.Float64bits(math.Sqrt(0.5))
	mask := uint64(0xfff0000000000000)
	if !e.F64() {
		root, mask = uint64(math.Float32bits(float32(math.Sqrt(0.5)))), 0xff800000
	}
	// Adding (shift+1) exponents keeps the difference positive, for the logical shift.
	b := e.Reg()
	e.Mov(m, b)
	e.Iadd(e.Bits(uint64(shift+1)<<e.mantissa()), b, b)
	t := e.Reg()
	e.Isub(e.Bits(root), b, t)
	n := e.Reg()
	e.Shr(e.mantissa(), t, n)
	// integer to float through the bits of 2^mantissa
	base := math.Ldexp(1, e.mantissa())
	e.Or(e.k(base), n, n)
	e.Sub(e.k(base+float64(shift+1)), n, n)
	e.Sub(extra, n, n)
	e.And(e.Bits(mask), t, t)
	f := e.Reg()
	e.Isub(t, b, f)
	e.Sub(e.k(1), f, f)

	den := e.add2(e.k(2), f)
	s := e.div2(den, f)
	z := e.mul2(s, s)
	R := e.poly(e.pick(logF32, logF64), z)
	e.Mul(z, R, R)
	h := e.mul2(f, f)
	e.Mul(e.k(0.5), h, h)
	e.Add(h, R, R)
	e.Mul(s, R, R)
	ln2lo := 1.90821492927058770002e-10
	ln2hi := 6.93147180369123816490e-01
	if !e.F64() {
		ln2hi, ln2lo = 0.693359375, -2.12194440e-4
	}
	e.Fma231(e.k(ln2lo), n, R) // s(f²/2+R) + n ln2lo
	e.Sub(R, h, h)
	e.Sub(h, f, f)
	e.Fma231(e.k(ln2hi), n, f)

	// +Inf, NaN: x; 0: −Inf; negative: NaN.
	special := e.Reg()
	inf := e.kreg(math.Inf(1))
	e.Cmp(NotLess, inf, x, special)
	e.Blend(special, x, f, f)
	zero := e.Reg()
	e.Zero(zero)
	e.Cmp(Equal, zero, x, special)
	minus := e.kreg(math.Inf(-1))
	e.Blend(special, minus, f, f)
	e.Cmp(LessThan, zero, x, special)
	e.Or(special, f, f) // all ones is NaN
	return f
}
