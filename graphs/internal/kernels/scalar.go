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
			if x < 0x1p-1022 { // math.Log is wrong below the least normal number on amd64
				return math.Log(x*0x1p54) - 54*math.Ln2
			}
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

// tail is e = exp(−|x|) as a product of two equal factors: a small result is multiplied by them one by one, last, so that it is
// rounded once where it is below the least normal number.
func tail(x float64) (e, root float64) {
	x = math.Min(math.Abs(x), 800) // a NaN stays
	if x < 600 {
		return math.Exp(-x), 0
	}
	root = math.Exp(-0.5 * x)
	return root * root, root
}

// inverse is 1/(1+e), e ≤ 1, rounded about once.
func inverse(e float64) float64 {
	den := 1 + e
	d := 1 / den
	return math.FMA(d, math.FMA(-d, e-(den-1), math.FMA(-d, den, 1)), d)
}

// times is v·e.
func times(v, e, root float64) float64 {
	if root == 0 {
		return v * e
	}
	return v * root * root
}

// logistic is σ and its derivatives. With e = exp(−|x|), d = 1/(1+e), q = σ(1−σ) = ed² and h = 1−2ed:
//
//	σ = d or ed,  σ' = q,  σ″ = ∓qh,  σ‴ = q(1−6q).
func logistic(order int, x float64) float64 {
	e, r := tail(x)
	d := inverse(e)
	switch order {
	case 0:
		if x < 0 {
			return times(d, e, r)
		}
		return d
	case 1:
		return times(d*d, e, r)
	case 2:
		return times(math.Copysign(d*d*(1-2*e*d), -x), e, r)
	}
	return times(d*d*(1-6*e*d*d), e, r)
}

// silu is xσ and its derivatives
//
//	σ(1+xc),  q(2−|x|h),  ∓q(3h−|x|(1−6q)),  c = 1−σ.
func silu(order int, x float64) float64 {
	e, r := tail(x)
	d := inverse(e)
	xm := math.Max(-800, math.Min(800, x))
	a := math.Abs(xm)
	q, h := e*d*d, 1-2*e*d
	switch {
	case order == 0 && x < 0:
		return times(xm*d, e, r)
	case order == 0:
		return x * d
	case order == 1 && x < 0:
		return times((1+xm*d)*d, e, r)
	case order == 1:
		return (1 + xm*(e*d)) * d
	case order == 2:
		return times(d*d*(2-a*h), e, r)
	}
	return times(math.Copysign(1, x)*d*d*(a*(1-6*q)-3*h), e, r)
}

// tanh is t and its derivatives, with q = 1−t² = 4e/(1+e)², e = exp(−2|x|):
//
//	q,  −2tq,  q(6t²−2).
func tanh(order int, x float64) float64 {
	a := math.Min(2*math.Abs(x), 800)
	m := math.Expm1(-a) // e−1
	t := math.Copysign(m/(2+m), x)
	e, r := tail(a)
	d := inverse(e)
	switch order {
	case 0:
		return t
	case 1:
		return times(4*d*d, e, r)
	}
	if e < 0.3 { // better than m/(2+m)
		t = math.Copysign(1-2*e*d, x)
	}
	if order == 2 {
		return times(-8*t*d*d, e, r)
	}
	return times(4*d*d*(6*t*t-2), e, r)
}

const invSqrt2Pi = 0.39894228040143267793994605993438187

// gelu is xΦ and its derivatives Φ+xφ, φ(2−x²), φx(x²−4), with φ the normal density, Φ its integral and a = |x|,
// R = Φ(−a)/φ(a)/√2π = P(y)/(a+k), y = (a−k)/(a+k), as in the assembly.
func gelu(order int, x float64) float64 {
	const k = 4
	a := math.Min(math.Abs(x), 40)
	// e = φ√2π = exp(−a²/2), the rounding error of a² put back
	hh := float64(a * a)
	ll := math.FMA(a, a, -hh)
	e, r := tail(0.5 * hh)
	e = math.FMA(-0.5*ll, e, e)
	r = math.FMA(-0.25*ll, r, r)
	den := a + k
	w := 1 / den
	w = math.FMA(math.FMA(-w, a-(den-k), math.FMA(-w, den, 1)), w, w)
	R := w * horner(millsF64, (a-k)*w)
	switch order {
	case 0:
		v := times(-a*R, e, r)
		if x < 0 || x == 0 {
			return math.Copysign(v, x)
		}
		return v + x
	case 1:
		g := times(math.FMA(-a, invSqrt2Pi, R), e, r)
		if x < 0 {
			return g
		}
		return 1 - g
	case 2:
		return times((2-hh)*invSqrt2Pi, e, r)
	}
	return times(math.Copysign(a, x)*(hh-4)*invSqrt2Pi, e, r)
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
		s[0], c = logistic(0, x), logistic(0, -x)
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
		v := invSqrt2Pi * math.Exp(-0.5*x*x) * (float64(order)*h[order-2] - x*h[order-1])
		if order%2 != 0 {
			v = -v
		}
		return v
	}
	return factorial(order) * s[order]
}

func factorial(n int) float64 { return math.Gamma(float64(n) + 1) }
