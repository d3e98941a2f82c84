//go:build (amd64 || arm64) && !purego

package kernels

// The functions in this file run the assembly if the path has some for the case, and report whether they did. Lengths
// have been checked and are positive, except where a test for zero is visible here.

func unaryAsm[T Float](f Func, order int, dst, x []T) bool {
	t := current[T]()
	if t == nil {
		return false
	}
	if f == Sin || f == Cos {
		trigAsm(t, f, order, dst, x)
		return true
	}
	if order == 0 {
		if g := t.act1[f]; g != nil {
			g(len(x), &dst[0], &x[0])
			return true
		}
		return false
	}
	if t.act2[f] != nil {
		if order > 3 {
			return false
		}
		var d [4][]T
		d[order] = dst
		return multiAsm(f, d[0], d[1], d[2], d[3], x)
	}
	switch {
	case f == Exp:
		t.act1[Exp](len(x), &dst[0], &x[0])
	case f == Log:
		Pow(-1, order-1, dst, x)
	case f == Reciprocal:
		reciprocalDerivative(order, dst, x)
	case f == Sqrt && order == 1: // 1/(2√x)
		t.act1[Sqrt](len(x), &dst[0], &x[0])
		t.scalar[opRDiv](len(x), &dst[0], &dst[0], 0.5)
	case f == Square && order == 1:
		t.scalar[opMul](len(x), &dst[0], &x[0], 2)
	case f == ReLU && order == 1:
		t.step(len(x), &dst[0], &x[0])
	case f == Abs && order == 1:
		t.act1[Sign](len(x), &dst[0], &x[0])
	default:
		return false
	}
	return true
}

// multiAsm runs the routine of the highest order that is wanted. An order that is not wanted is stored where the
// highest one is stored afterwards.
func multiAsm[T Float](f Func, d0, d1, d2, d3, x []T) bool {
	t := current[T]()
	if t != nil && f == Sin && d2 == nil && d3 == nil && d0 != nil && d1 != nil {
		t.trig(d0, d1, x)
		return true
	}
	if t == nil || t.act2[f] == nil {
		return false
	}
	if f == Softplus && d0 == nil { // its derivatives are σ and those of σ
		f, d0, d1, d2, d3 = Sigmoid, d1, d2, d3, nil
	}
	n := len(x)
	at := func(d, top []T) *T {
		if d == nil {
			return &top[0]
		}
		return &d[0]
	}
	switch {
	case d3 != nil:
		t.act4[f](n, at(d0, d3), at(d1, d3), at(d2, d3), &d3[0], &x[0])
	case d2 != nil:
		t.act3[f](n, at(d0, d2), at(d1, d2), &d2[0], &x[0])
	case d1 != nil:
		t.act2[f](n, at(d0, d1), &d1[0], &x[0])
	case d0 != nil:
		t.act1[f](n, &d0[0], &x[0])
	}
	return true
}

func binaryAsm[T Float](o op, dst, a, b []T) bool {
	t := current[T]()
	if t == nil || len(dst) == 0 {
		return t != nil
	}
	t.binary[o](len(dst), &dst[0], &a[0], &b[0])
	return true
}

func scalarAsm[T Float](o op, dst, a []T, c T) bool {
	t := current[T]()
	if t == nil || len(dst) == 0 {
		return t != nil
	}
	if o == opSub {
		o, c = opAdd, -c
	}
	t.scalar[o](len(dst), &dst[0], &a[0], c)
	return true
}

func ternaryAsm[T Float](o op, dst, a, b, c []T) bool {
	t := current[T]()
	if t == nil || len(dst) == 0 {
		return t != nil
	}
	t.ternary[o](len(dst), &dst[0], &a[0], &b[0], &c[0])
	return true
}

func quaternaryAsm[T Float](dst, a, b, c, d []T) bool {
	t := current[T]()
	if t == nil || len(dst) == 0 {
		return t != nil
	}
	t.mulMul(len(dst), &dst[0], &a[0], &b[0], &c[0], &d[0])
	return true
}

func scaleAddAsm[T Float](dst []T, alpha T, x, y []T) bool {
	t := current[T]()
	if t == nil || len(dst) == 0 {
		return t != nil
	}
	t.scaleAdd(len(dst), &dst[0], &x[0], &y[0], alpha)
	return true
}

func fillAsm[T Float](dst []T, v T) bool {
	t := current[T]()
	if t == nil || len(dst) == 0 {
		return t != nil
	}
	t.fill(len(dst), &dst[0], v)
	return true
}

func sumAsm[T Float](x []T) (T, bool) {
	if t := current[T](); t != nil {
		return t.sum(len(x), &x[0]), true
	}
	return 0, false
}

// maxAsm returns the largest of the first n elements, as many as fill groups of four vectors.
func maxAsm[T Float](x []T) (m T, n int) {
	t := current[T]()
	if t == nil {
		return 0, 0
	}
	group := 4 * 32 / sizeof[T]() // of AVX2, by both paths
	if groups := len(x) / group; groups > 0 {
		return t.max(groups, &x[0]), groups * group
	}
	return 0, 0
}

func dotAsm[T Float](a, b []T) (T, bool) {
	if t := current[T](); t != nil {
		return t.dot(len(a), &a[0], &b[0]), true
	}
	return 0, false
}

func colSumAsm[T Float](dst, x []T, n int) bool {
	t := current[T]()
	if t == nil || len(dst) < t.lanes {
		return false
	}
	t.colSum(n, len(dst), &dst[0], &x[0], len(dst)*sizeof[T]())
	return true
}

func narrowAsm(dst []float32, src []float64) bool {
	if active.f64 == nil {
		return false
	}
	b := len(dst) / 8
	if b > 0 {
		narrowVectors(b, &dst[0], &src[0])
	}
	for i := 8 * b; i < len(dst); i++ {
		dst[i] = float32(src[i])
	}
	return true
}

func widenAsm(dst []float64, src []float32) bool {
	if active.f64 == nil {
		return false
	}
	b := len(dst) / 8
	if b > 0 {
		widenVectors(b, &dst[0], &src[0])
	}
	for i := 8 * b; i < len(dst); i++ {
		dst[i] = float64(src[i])
	}
	return true
}

// adamAsm runs on whole vectors and returns the number of parameters done.
func adamAsm(theta, m, v, grad, avg []float64, p *AdamParams) int {
	b := len(theta) / 4
	if active.f64 == nil || b == 0 {
		return 0
	}
	c := [11]float64{p.GradScale, 1 - p.Beta1, 1 - p.Beta2, p.Beta1, p.Beta2, p.Bias2, p.Eps, p.Decay, -p.Step,
		p.EMADecay, 1 - p.EMADecay}
	var a *float64
	if avg != nil {
		a = &avg[0]
	}
	adamVectors(b, &theta[0], &m[0], &v[0], &grad[0], a, &c[0])
	return 4 * b
}

// normalAsm runs on whole blocks of 8.
func normalAsm(dst []float64, s *[4][4]uint64) bool {
	if active.f64 == nil {
		return false
	}
	normalVectors(len(dst)/8, &dst[0], s)
	return true
}
