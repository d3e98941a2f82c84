package describe

import "math"

// Xoshiro is the next word of xoshiro256++ in every lane; s are the four words of the state. The operations are of
// float64.
func Xoshiro(o Ops, s *[4]Value) Value {
	rotl := func(x Value, k int) Value {
		d, t := o.Reg(), o.Reg()
		o.Shl(k, x, d)
		o.Shr(64-k, x, t)
		o.Or(t, d, d)
		return d
	}
	t := o.Reg()
	o.Iadd(s[0], s[3], t)
	r := rotl(t, 23)
	o.Iadd(s[0], r, r)
	o.Shl(17, s[1], t)
	o.Xor(s[0], s[2], s[2])
	o.Xor(s[1], s[3], s[3])
	o.Xor(s[2], s[1], s[1])
	o.Xor(s[3], s[0], s[0])
	o.Xor(t, s[2], s[2])
	n := rotl(s[3], 45)
	o.Mov(n, s[3])
	return r
}

// BoxMuller are two normal numbers for each lane, by the words next returns; the portable path repeats it operation by
// operation.
func BoxMuller(o Ops, next func() Value) (c, d Value) {
	e := vec{o}
	// a in (0, 1], 52 bits: 2 − [1, 2)
	a := next()
	e.Shr(12, a, a)
	e.Or(e.k(1), a, a)
	two := e.kreg(2)
	e.Sub(a, two, a)
	// −2 ln a with a = 2ⁿ m: s = (m−1)/(m+1), ln m = 2s + s³Q(s²)
	e.Iadd(e.Bits(1024<<52), a, a)
	t := e.Reg()
	e.Isub(e.Bits(math.Float64bits(math.Sqrt(0.5))), a, t)
	n := e.Reg()
	e.Shr(52, t, n)
	e.Or(e.k(1<<52), n, n)
	e.Sub(e.k(1<<52+1024), n, n)
	e.And(e.Bits(0xfff0000000000000), t, t)
	m := e.Reg()
	e.Isub(t, a, m)
	num, den := e.sub2(e.k(1), m), e.add2(e.k(1), m)
	q := e.div2(den, num)
	q2 := e.mul2(q, q)
	p := e.horner(logNormal, q2)
	e.Fma213(e.k(2), q2, p)
	e.Mul(q, p, p)
	e.Fma231(e.k(math.Ln2), n, p)
	e.Mul(e.k(-2), p, p)
	r := e.Reg()
	e.Sqrt(p, r)
	// cos and sin of 2πu, u in [0, 1): u = j/4 + v with |v| ≤ 1/8
	v := next()
	e.Shr(12, v, v)
	e.Or(e.k(1), v, v)
	e.Sub(e.k(1), v, v)
	j := e.kreg(e.magic())
	e.Fma231(e.k(4), v, j)
	f := e.sub2(e.k(e.magic()), j)
	e.Fnma231(e.k(0.25), f, v)
	v2 := e.mul2(v, v)
	sn := e.horner(sinNormal, v2)
	e.Mul(v, sn, sn)
	cs := e.horner(cosNormal, v2)
	e.Fma213(e.k(1), v2, cs)
	// Odd quarters exchange them; bit 1 of j turns the sine, bit 1 of j+1 the cosine.
	odd := e.Reg()
	e.Shl(63, j, odd)
	c, d = e.Reg(), e.Reg()
	mask := e.SignMask(odd)
	e.Blend(mask, sn, cs, c)
	e.Blend(mask, cs, sn, d)
	sg := e.Reg()
	e.Shl(62, j, sg)
	e.And(e.Bits(1<<63), sg, sg)
	e.Xor(sg, d, d)
	e.Iadd(e.Bits(1), j, j)
	e.Shl(62, j, j)
	e.And(e.Bits(1<<63), j, j)
	e.Xor(j, c, c)
	e.Mul(r, c, c)
	e.Mul(r, d, d)
	return c, d
}

// Adam writes the step on vectors in memory; c holds scale, 1−β1, 1−β2, β1, β2, bias2, ε, decay, −step, d, 1−d. See
// kernels.Adam for the order of the operations. It returns θ.
func Adam(o Ops, c *[11]Value, theta, m, v, grad Value) Value {
	e := vec{o}
	g := e.copy(grad)
	e.Mul(c[0], g, g)
	mm := e.mul2(g, c[1])
	e.Fma231(m, c[3], mm)
	e.Mov(mm, m)
	w := e.mul2(g, c[2])
	e.Mul(g, w, w)
	e.Fma231(v, c[4], w)
	e.Mov(w, v)
	e.Sqrt(w, w)
	e.Fma213(c[6], c[5], w) // √v·bias2 + ε
	e.Div(w, mm, mm)
	th := e.mul2(theta, c[7])
	e.Fma231(mm, c[8], th)
	e.Mov(th, theta)
	return th
}

// AdamAverage adds θ to its average.
func AdamAverage(o Ops, c *[11]Value, th, average Value) {
	e := vec{o}
	e.Mul(c[10], th, th)
	e.Fma231(average, c[9], th)
	e.Mov(th, average)
}
