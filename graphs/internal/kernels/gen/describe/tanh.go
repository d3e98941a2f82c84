package describe

// tanh with e = exp(−2|x|), m = e−1:
//
//	t = ±(−m)/(2+m),  q = 1−t² = 4e/(2+m)²,  t″ = −2tq,  t‴ = q(6t²−2).
func tanh(a *Activation) {
	z := a.negClamped(a.add2(a.x, a.x))
	q, t := a.reduced(z, nil)
	S := a.power(t, a.B())
	s := a.unscale(S)
	m := a.sub2(a.k(1), s)
	a.Fma231(q, s, m)
	den := a.add2(a.k(2), m)
	if a.orders == 1 {
		m = a.div2(den, m)
		v := a.Reg()
		a.Andn(m, a.loadSign(), v) // |t|
		a.out[0] = a.orSign(v)
		return
	}
	var lo Value
	d := a.inverse(den, func() Value { // m − (den − 2), exact
		lo = a.sub2(den, a.kreg(2))
		a.Add(m, lo, lo)
		return lo
	})
	v := a.mul2(m, d) // −|t|
	if a.orders > 2 { // the rounding of the product is put back as well
		a.Fnma231(v, den, m)
		a.Fnma231(v, lo, m)
		a.Fma231(m, d, v)
	}
	Q := a.mul2(d, d)
	a.Fma213(Q, Q, q) // d² + q·d²
	Q = a.mul2(q, S)  // e d² 2^B
	abs := a.Reg()
	a.Andn(v, a.loadSign(), abs)
	a.out[0] = a.orSign(abs)
	a.out[1] = a.mul2(a.k(4*a.down()), Q)
	if a.orders > 2 {
		w := a.mul2(Q, a.out[0])
		a.Mul(a.k(-8*a.down()), w, w)
		a.out[2] = w
	}
	if a.orders > 3 {
		w := a.mul2(v, v)
		f := a.kreg(6)
		a.Fms213(a.k(2), w, f) // 6t² − 2
		a.Mul(Q, f, f)
		a.Mul(a.k(4*a.down()), f, f)
		a.out[3] = f
	}
}

// loadSign is the sign bit in a register.
func (a *Activation) loadSign() Value {
	s := a.Reg()
	a.Bcast(a.Bits(a.signBit()), s)
	return s
}

// orSign gives v ≥ 0 the sign of x.
func (a *Activation) orSign(v Value) Value {
	s := a.signOf(a.x)
	a.Or(v, s, s)
	return s
}
