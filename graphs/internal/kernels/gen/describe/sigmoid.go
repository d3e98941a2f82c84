package describe

// logistic computes what sigmoid, softplus and SiLU share: y = |x| within the limits, E and d = 1/(1+e).
func (a *Activation) logistic() (y, E, d Value) {
	y = a.negClamped(a.x)
	a.Xor(a.Bits(a.signBit()), y, y)
	E = a.expNeg(y, a.B())
	den := a.kreg(1)
	a.Fma231(a.k(a.down()), E, den)
	d = a.inverse(den, func() Value { // e − (den − 1), exact
		lo := a.sub2(den, a.kreg(1))
		a.Fma231(a.k(a.down()), E, lo)
		return lo
	})
	return y, E, d
}

// inverse is 1/(den+lo). Orders 2 and 3 use it up to three times as a factor; there the roundings of den and of the
// quotient are put back.
func (a *Activation) inverse(den Value, lo func() Value) Value {
	d := a.kreg(1)
	a.Div(den, d, d)
	if a.orders > 2 {
		a.refine(d, den, lo())
	}
	return d
}

// refine makes the quotient d = 1/den one of den+lo: d += d(1 − d·den − d·lo).
func (e vec) refine(d, den, lo Value) {
	r := e.kreg(1)
	e.Fnma231(den, d, r)
	e.Fnma231(lo, d, r)
	e.Fma231(d, r, d)
}

// sigmoidOrders stores σ and its derivatives from out[first] on, given x, E and d:
//
//	σ = d or ed,  q = σ(1−σ) = ed²,  σ″ = ∓q(1−e)d,  σ‴ = q(1−6q).
func (a *Activation) sigmoidOrders(first int, E, d Value) {
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
	a.Mul(Q, h, h)
	a.Mul(a.k(-a.down()), h, h)
	a.out[first+2] = a.xor2(a.signOf(a.x), h)
	if n == 3 {
		return
	}
	p := a.kreg(1)
	a.Fnma231(a.k(6), q, p)
	a.Mul(Q, p, p)
	a.out[first+3] = a.unscale(p)
}

// difference is |σ(x) − σ(−x)| = (1−e)d = 1 − 2ed, which is best where σ″ is not small.
func (a *Activation) difference(ed Value) Value {
	h := a.kreg(1)
	a.Fnma231(a.k(2*a.down()), ed, h)
	return h
}

func sigmoid(a *Activation) {
	_, E, d := a.logistic()
	a.sigmoidOrders(0, E, d)
}

// softplus is max(x, 0) + ln(1+e); its derivatives are those of σ.
//
//	ln(1+e) = 2 atanh s,  s = e/(2+e).
func softplus(a *Activation) {
	var E, d Value
	if a.orders > 1 {
		_, E, d = a.logistic()
	} else {
		y := a.negClamped(a.x)
		a.Xor(a.Bits(a.signBit()), y, y)
		E = a.expNeg(y, a.B())
	}
	u := a.unscale(E)
	s := a.add2(a.k(2), u)
	a.Div(s, u, s)
	s2 := a.mul2(s, s)
	p := a.poly(a.pick(log1pF32, log1pF64), s2)
	s3 := a.mul2(s, s2)
	a.Mul(s3, p, p)
	a.Fma231(a.k(2), s, p)
	zero := a.Reg()
	a.Zero(zero)
	a.Max(a.x, zero, zero)
	a.Add(zero, p, p)
	a.out[0] = p
	a.sigmoidOrders(1, E, d)
}

// shortLogistic is σ and c = 1−σ.
func (a *Activation) shortLogistic() (s, c Value) {
	E := a.shortExpNeg(a.x)
	den := a.add2(a.k(1), E)
	s = a.inverse(den, func() Value { // what 1+e lost
		lo := a.sub2(a.k(1), den)
		a.Sub(lo, E, lo)
		return lo
	})
	return s, a.mul2(E, s)
}

// shortSigmoid is σ, q = σc, q(c−σ) and q(1−6q).
func shortSigmoid(a *Activation) {
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
	a.Fnma231(a.k(6), q, p)
	a.Mul(q, p, p)
	a.out[3] = p
}
