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
	case Sin, Cos: // their derivatives repeat
		order &= 3
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
	v0, v1, v2, v3 := jets64[f](x, order+1)
	return [4]float64{v0, v1, v2, v3}[order]
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

// taylor is the derivative of the given order of a smooth activation, from its Taylor series at x:
// with s the series of σ, s' = s(1−s); with t that of tanh, t' = 1−t²; Φ' = φ, φ' = −xφ.
func taylor(f Func, order int, x float64) float64 {
	n := order + 1
	var s []float64
	switch f {
	case Sigmoid, SiLU, Softplus:
		s = make([]float64, n)
		var c float64
		s[0], c = scalar(Sigmoid, 0, x), scalar(Sigmoid, 0, -x)
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
		s[0] = scalar(Tanh, 0, x)
		for k := range n - 1 {
			v := 0.0
			if k == 0 {
				v = scalar(Tanh, 1, x)
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
