package kernels

import "math"

// scalar is the portable value of every function and derivative, in float64.
func scalar(f Func, order int, x float64) float64 {
	switch f {
	case Neg:
		return pick(order, -x, -1)
	case Abs:
		return pick(order, math.Abs(x), sign(x))
	case Sign:
		return pick(order, sign(x))
	case ReLU:
		if x > 0 || x != x {
			return pick(order, x, 1)
		}
		return 0
	case Square:
		return pick(order, x*x, 2*x, 2)
	case Exp:
		return math.Exp(x)
	case Sin, Cos:
		return trig(f, order, x)
	case Sqrt:
		return math.Sqrt(x) * power(0.5, order, x)
	case Reciprocal:
		return 1 / x * power(-1, order, x)
	case Log:
		if order == 0 {
			return math.Log(x)
		}
		return 1 / x * power(-1, order-1, x)
	}
	if order > 3 {
		return taylor(f, order, x)
	}
	switch f {
	case Sigmoid:
		return logistic(order, x)
	case Softplus:
		if order > 0 {
			return logistic(order-1, x)
		}
		return math.Max(x, 0) + math.Log1p(math.Exp(-math.Abs(x)))
	case SiLU:
		return silu(order, x)
	case Tanh:
		return tanh(order, x)
	}
	return gelu(order, x)
}

// pick returns v[order], and 0 for the orders beyond.
func pick(order int, v ...float64) float64 {
	if order < len(v) {
		return v[order]
	}
	return 0
}

func sign(x float64) float64 {
	switch {
	case x > 0:
		return 1
	case x < 0:
		return -1
	}
	return x // ±0 and NaN
}

// power is p (p−1) … (p−k+1) x^−k.
func power(p float64, k int, x float64) float64 {
	c := 1.0
	for i := range k {
		c *= (p - float64(i)) / x
	}
	return c
}

func trig(f Func, order int, x float64) float64 {
	if f == Cos {
		order++
	}
	var v float64
	if order%2 == 0 {
		v = math.Sin(x)
	} else {
		v = math.Cos(x)
	}
	if order%4 >= 2 {
		return -v
	}
	return v
}

// logistic is σ and its derivatives, with c = 1−σ = σ(−x) kept to full relative accuracy:
//
//	σ' = σc,  σ'' = σc(c−σ),  σ''' = σc(1−6σc).
func logistic(order int, x float64) float64 {
	s, c := halves(x)
	switch order {
	case 0:
		return s
	case 1:
		return s * c
	case 2:
		return s * c * (c - s)
	}
	return s * c * (1 - 6*s*c)
}

// halves returns σ(x) and σ(−x).
func halves(x float64) (s, c float64) {
	e := math.Exp(-math.Abs(x))
	d := 1 / (1 + e)
	if x < 0 {
		return e * d, d
	}
	return d, e * d
}

// silu is xσ and its derivatives
//
//	σ(1+xc),  σc(2+x(c−σ)),  σc(3(c−σ)+x(1−6σc)).
func silu(order int, x float64) float64 {
	if math.IsInf(x, 0) {
		return pick(order, math.Max(x, math.Copysign(0, -1)), logistic(0, x))
	}
	s, c := halves(x)
	switch order {
	case 0:
		return x * s
	case 1:
		return s * (1 + x*c)
	case 2:
		return s * c * (2 + x*(c-s))
	}
	return s * c * (3*(c-s) + x*(1-6*s*c))
}

// tanh is t and its derivatives, with q = 1−t² = 4e/(1+e)², e = exp(−2|x|):
//
//	q,  −2tq,  q(6t²−2).
func tanh(order int, x float64) float64 {
	m := math.Expm1(-2 * math.Abs(x)) // e−1
	t := math.Copysign(m/(2+m), x)
	if order == 0 {
		return t
	}
	q := 4 * (1 + m) / ((2 + m) * (2 + m))
	if e := math.Exp(-2 * math.Abs(x)); e < 0.5 {
		q = 4 * e / ((1 + e) * (1 + e))
	}
	switch order {
	case 1:
		return q
	case 2:
		return -2 * t * q
	}
	return q * (6*t*t - 2)
}

const (
	invSqrt2Hi = 0.70710678118654752440084436210484904
	invSqrt2Lo = -4.833646656726457e-17
	invSqrt2Pi = 0.39894228040143267793994605993438187
)

// gelu is xΦ and its derivatives Φ+xφ, φ(2−x²), φx(x²−4), with φ the normal density and Φ its integral.
func gelu(order int, x float64) float64 {
	if math.IsInf(x, 0) {
		if x > 0 {
			return pick(order, x, 1)
		}
		return pick(order, math.Copysign(0, -1))
	}
	switch order {
	case 0:
		if x < -40 {
			return math.Copysign(0, -1)
		}
		return x * normalCDF(x)
	case 1:
		return normalCDF(x) + x*normalPDF(x)
	}
	if math.Abs(x) > 40 {
		return 0
	}
	if order == 2 {
		return normalPDF(x) * (2 - x*x)
	}
	return normalPDF(x) * x * (x*x - 4)
}

// normalPDF is exp(−x²/2)/√(2π); the rounding error of x² is put back.
func normalPDF(x float64) float64 {
	h := x * x
	if h > 1600 {
		return 0
	}
	l := math.FMA(x, x, -h)
	return invSqrt2Pi * math.Exp(-0.5*h) * (1 - 0.5*l)
}

// normalCDF is ½ erfc(−x/√2); the rounding error of the argument is put back to first order.
func normalCDF(x float64) float64 {
	if x < -40 {
		return 0
	}
	t := -x * invSqrt2Hi
	d := math.FMA(-x, invSqrt2Hi, -t) - x*invSqrt2Lo
	v := 0.5 * math.Erfc(t)
	if x > -1 {
		return v
	}
	return v - d*math.Sqrt2*normalPDF(x)
}

// taylor is the derivative of the given order of a smooth activation, from its Taylor series at x:
// with s the series of σ, s' = s(1−s); with t that of tanh, t' = 1−t²; Φ' = φ, φ' = −xφ.
func taylor(f Func, order int, x float64) float64 {
	n := order + 1
	var s []float64
	switch f {
	case Sigmoid, SiLU, Softplus:
		s = make([]float64, n)
		var c float64
		s[0], c = halves(x)
		for k := range n - 1 { // (k+1) s_{k+1} = Σ s_i (1−s)_{k−i}
			v := s[k] * c
			for i := range k {
				v -= s[i] * s[k-i]
			}
			s[k+1] = v / float64(k+1)
		}
		if f == SiLU { // x·σ at x+h: (x+h)(s_0+s_1 h+…)
			if math.IsInf(x, 0) {
				return 0
			}
			return factorial(order) * (x*s[order] + s[order-1])
		}
		if f == Softplus {
			return factorial(order-1) * s[order-1]
		}
	case Tanh:
		s = make([]float64, n)
		s[0] = tanh(0, x)
		for k := range n - 1 {
			v := 0.0
			if k == 0 {
				v = tanh(1, x)
			}
			for i := 0; i <= k && k > 0; i++ {
				v -= s[i] * s[k-i]
			}
			s[k+1] = v / float64(k+1)
		}
	case GELU: // (xΦ)^(k) = xφ^(k−1) + kφ^(k−2), φ^(k) = (−1)^k He_k φ
		if math.Abs(x) > 40 {
			return 0
		}
		h := make([]float64, n) // He_0, He_1, …
		h[0], h[1] = 1, x
		for k := 2; k < n; k++ {
			h[k] = x*h[k-1] - float64(k-1)*h[k-2]
		}
		v := normalPDF(x) * (float64(order)*h[order-2] - x*h[order-1])
		if order%2 != 0 {
			v = -v
		}
		return v
	}
	return factorial(order) * s[order]
}

func factorial(n int) float64 { return math.Gamma(float64(n) + 1) }
