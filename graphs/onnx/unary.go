package onnx

import "math"

// unary writes an element-wise function, or one of its derivatives, in primitive operations.
func (e *emitter) unary(in *instruction, x string) string {
	k := in.order
	switch in.fn {
	case "sigmoid":
		return e.sigmoid(k, x)
	case "silu":
		if k == 0 {
			return e.op("Mul", x, e.sigmoid(0, x))
		}
		return e.op("Add", e.op("Mul", x, e.sigmoid(k, x)), e.scale(e.sigmoid(k-1, x), float64(k)))
	case "tanh":
		if k == 0 {
			return e.op("Tanh", x)
		}
		return e.scale(e.sigmoid(k, e.double(x)), math.Ldexp(1, k+1))
	case "softplus":
		switch {
		case k > 0:
			return e.sigmoid(k-1, x)
		case e.elem == double: // ONNX Runtime has Softplus for float only
			return e.op("Add", e.op("Relu", x), e.op("Log", e.op("Add", e.op("Exp", e.op("Neg", e.op("Abs", x))), e.number(1))))
		}
		return e.op("Softplus", x)
	case "gelu":
		return e.gelu(k, x)
	case "pow": // p (p-1) … (p-k+1) x^(p-k)
		c, p := 1.0, in.c
		for range k {
			c *= p
			p--
		}
		return e.scale(e.op("Pow", x, e.number(p)), c)
	case "sin": // and its derivative, cos
		switch {
		case k == 1 && e.elem == double: // as with Softplus; Sin is there
			return e.op("Sin", e.op("Add", x, e.number(math.Pi/2)))
		case k == 1:
			return e.op("Cos", x)
		}
	case "relu":
		if k == 1 {
			return e.cast(e.op("Greater", x, e.number(0)))
		}
	case "square":
		if k == 0 {
			return e.op("Mul", x, x)
		}
	case "log1p": // log y + (x - (y-1))/y with y = 1 + x rounded
		y := e.op("Add", x, e.number(1))
		rest := e.op("Sub", x, e.op("Sub", y, e.number(1)))
		return e.op("Add", e.op("Log", y), e.op("Div", rest, y))
	case "expm1":
		return e.expm1(x)
	}
	if kind, ok := primitive[in.fn]; ok && k == 0 {
		return e.op(kind, x)
	}
	e.fail("function %s (derivative of order %d) has no counterpart in ONNX", in.fn, k)
	return ""
}

// primitive lists the functions that ONNX has as operations.
var primitive = map[string]string{"relu": "Relu", "abs": "Abs", "sign": "Sign", "exp": "Exp", "log": "Log",
	"sqrt":       "Sqrt",
	"reciprocal": "Reciprocal", "sin": "Sin", "ceil": "Ceil", "floor": "Floor"}

// expm1 is exp x - 1: 2t/(1-t) with t = tanh(x/2) where |x| < 1, which has no cancellation near 0.
func (e *emitter) expm1(x string) string {
	t := e.op("Tanh", e.scale(x, 0.5))
	near := e.op("Div", e.scale(t, 2), e.op("Sub", e.number(1), t))
	return e.op("Where", e.op("Less", e.op("Abs", x), e.number(1)), near, e.op("Sub", e.op("Exp", x), e.number(1)))
}

func (e *emitter) double(x string) string {
	return e.once("2"+x, func() string { return e.op("Add", x, x) })
}

// sigmoid is σ^(k); see the package comment.
func (e *emitter) sigmoid(k int, x string) string {
	if k == 0 {
		return e.once("σ"+x, func() string { return e.op("Sigmoid", x) })
	}
	s := e.once("σ-||"+x, func() string { return e.op("Sigmoid", e.op("Neg", e.op("Abs", x))) })
	p := []float64{0, 1}
	for range k {
		q := make([]float64, len(p)+1)
		for i := 1; i < len(p); i++ {
			q[i] += float64(i) * p[i]
			q[i+1] -= float64(i) * p[i]
		}
		p = q
	}
	y := e.op("Mul", s, e.polynomial(p[1:], s))
	if k%2 == 0 {
		y = e.op("Mul", y, e.op("Neg", e.op("Sign", x)))
	}
	return y
}

// polynomial is Horner's rule for Σ p_i x^i.
func (e *emitter) polynomial(p []float64, x string) string {
	n := len(p) - 1
	if n == 0 {
		return e.number(p[0])
	}
	y := e.scale(x, p[n])
	for i := n - 1; i >= 0; i-- {
		if p[i] != 0 {
			y = e.op("Add", y, e.number(p[i]))
		}
		if i > 0 {
			y = e.op("Mul", y, x)
		}
	}
	return y
}

// gelu is the k-th derivative of xΦ(x).
func (e *emitter) gelu(k int, x string) string {
	cdf := func() string { // Φ = (1 + erf(x/√2))/2
		if e.elem == double {
			e.fail("gelu in float64 needs Erf, which ONNX Runtime has in float32 only: build the graph in float32")
		}
		return e.once("Φ"+x, func() string {
			return e.scale(e.op("Add", e.op("Erf", e.scale(x, 1/math.Sqrt2)), e.number(1)), 0.5)
		})
	}
	pdf := func() string { // φ = exp(-x²/2)/√2π
		return e.once("φ"+x, func() string {
			return e.scale(e.op("Exp", e.scale(e.op("Mul", x, x), -0.5)), 1/math.Sqrt(2*math.Pi))
		})
	}
	switch k {
	case 0:
		return e.op("Mul", x, cdf())
	case 1:
		return e.op("Add", cdf(), e.op("Mul", x, pdf()))
	}
	q := []float64{2, 0, -1}
	for range k - 2 {
		r := make([]float64, len(q)+1)
		for i, c := range q {
			if i > 0 {
				r[i-1] += float64(i) * c
			}
			r[i+1] -= c
		}
		q = r
	}
	return e.op("Mul", e.polynomial(q, x), pdf())
}
