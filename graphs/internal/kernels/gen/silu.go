package main

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
