package describe

// silu is xσ(x):
//
//	value        xσ
//	first        (1 + xc) σ,  c = 1−σ
//	second       q (2 − y(1−e)d),  y = |x|
//	third        ±q (y(1−6q) − 3(1−e)d)
func silu(a *Activation) {
	y, E, d := a.logistic()
	ed := a.mul2(E, d)
	c := a.unscale(ed)
	s := a.choose(d, ed) // σ, scaled where x < 0
	v := a.Reg()
	a.Max(a.x, a.least, v)
	a.Mul(s, v, v)
	a.unscaleNegative(v)
	a.out[0] = v
	if a.orders == 1 {
		return
	}
	// first
	x := a.signOf(a.x)
	a.Or(y, x, x) // x within the limits
	t := a.choose(c, d)
	a.Fma213(a.k(1), x, t) // x·c + 1
	a.Mul(s, t, t)
	a.unscaleNegative(t)
	a.out[1] = t
	if a.orders == 2 {
		return
	}
	Q := a.mul2(ed, d)
	h := a.difference(ed)
	w := a.copy(h)
	a.Fnma213(a.k(2), y, w)
	a.Mul(Q, w, w)
	a.out[2] = a.unscale(w)
	if a.orders == 3 {
		return
	}
	p := a.kreg(-1)
	q := a.mul2(a.k(6*a.down()), Q)
	a.Add(q, p, p)
	a.Mul(y, p, p) // −y(1−6q)
	a.Fma231(a.k(3), h, p)
	a.Mul(Q, p, p)
	a.Mul(a.k(-a.down()), p, p)
	a.out[3] = a.xor2(a.signOf(a.x), p)
}

// shortSiLU is xσ, (1+xc)σ, q(2−xh) and q(x(1−6q)−3h) with h = σ−c.
func shortSiLU(a *Activation) {
	s, c := a.shortLogistic()
	a.out[0] = a.mul2(a.x, s)
	if a.orders == 1 {
		return
	}
	t := a.copy(c)
	a.Fma213(a.k(1), a.x, t)
	a.Mul(s, t, t)
	a.out[1] = t
	if a.orders == 2 {
		return
	}
	q := a.mul2(s, c)
	h := a.sub2(c, s)
	w := a.copy(h)
	a.Fnma213(a.k(2), a.x, w)
	a.Mul(q, w, w)
	a.out[2] = w
	if a.orders == 3 {
		return
	}
	p := a.kreg(1)
	a.Fnma231(a.k(6), q, p)
	a.Mul(a.x, p, p)
	a.Fnma231(a.k(3), h, p)
	a.Mul(q, p, p)
	a.out[3] = p
}
