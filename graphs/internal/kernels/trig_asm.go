//go:build (amd64 || arm64) && !purego

package kernels

// trigAsm stores a derivative of sine or cosine: all of them are ±sin and ±cos.
func trigAsm[T Float](t *table[T], f Func, order int, dst, x []T) {
	if f == Cos {
		order++
	}
	if order%2 == 0 {
		t.trig(dst, nil, x)
	} else {
		t.trig(nil, dst, x)
	}
	if order%4 >= 2 {
		t.scalar[opMul](len(dst), &dst[0], &dst[0], -1)
	}
}

// trig stores sin x in s and cos x in c; one of them may be nil, one may be x. The assembly leaves elements beyond
// trigLimit to the portable form: those that would be overwritten are taken out beforehand.
func (t *table[T]) trig(s, c, x []T) {
	if !same(s, x) && !same(c, x) {
		if t.trigNear(s, c, x) != 0 {
			for i, v := range x {
				if !near(v) {
					trigFar(s, c, i, v)
				}
			}
		}
		return
	}
	for lo := 0; lo < len(x); lo++ {
		hi := lo
		for hi < len(x) && near(x[hi]) {
			hi++
		}
		if hi > lo {
			t.trigNear(part(s, lo, hi), part(c, lo, hi), x[lo:hi])
		}
		if lo = hi; lo < len(x) {
			trigFar(s, c, lo, x[lo])
		}
	}
}

func (t *table[T]) trigNear(s, c, x []T) (far int) {
	switch {
	case c == nil:
		return t.sin(len(x), &s[0], &x[0])
	case s == nil: // cos x is stored last
		return t.sinCos(len(x), &c[0], &c[0], &x[0])
	}
	return t.sinCos(len(x), &s[0], &c[0], &x[0])
}

func trigFar[T Float](s, c []T, i int, x T) {
	if s != nil {
		s[i] = T(scalar(Sin, 0, float64(x)))
	}
	if c != nil {
		c[i] = T(scalar(Sin, 1, float64(x)))
	}
}

// near reports whether the assembly handles x.
func near[T Float](x T) bool { return x <= trigLimit[T]() && x >= -trigLimit[T]() }

func same[T Float](a, b []T) bool { return a != nil && &a[0] == &b[0] }

func part[T Float](a []T, lo, hi int) []T {
	if a == nil {
		return nil
	}
	return a[lo:hi]
}
