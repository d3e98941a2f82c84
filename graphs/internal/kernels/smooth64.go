package kernels

import "math"

// The smooth activations of float64 in portable Go, from e = exp(−|x|), exp(−2|x|) or exp(−x²/2), which never
// overflows. Values used up to three times as a factor are rounded about once: their rounding error is added back. No
// step needs a fused multiply-add, and none is hurt if a compiler makes one.

// A jet returns a function and its derivatives of orders 1, 2 and 3 at x. It may omit the orders from the given one
// on.
type jet func(x float64, orders int) (v0, v1, v2, v3 float64)

var jets64 = [numFuncs]jet{Sigmoid: sigmoid64, Tanh: tanh64, Softplus: softplus64, SiLU: silu64, GELU: gelu64,
	Sin: sineJet, Cos: cosineJet}

// reduce64 is q = eʳ−1 and the bits of 2ⁿ for x = n ln 2 + r, |x| ≤ 700.
func reduce64(x float64) (q float64, n uint64) {
	const magic, hi, lo = 3 << 51, 6.93147180369123816490e-01, 1.90821492927058770002e-10
	t := x*math.Log2E + magic
	k := t - magic
	a, b := x-k*hi, k*lo // k·hi is exact
	r := a - b
	rest := (a - r) - b
	c := &expF64
	r2 := r * r
	r4 := r2 * r2
	p := ((c[0] + c[1]*r) + r2*(c[2]+c[3]*r)) + r4*(((c[4]+c[5]*r)+r2*(c[6]+c[7]*r))+r4*(c[8]+c[9]*r))
	return r + (r2*p + rest), (math.Float64bits(t) + 1023) << 52
}

// tail is e = exp(−|x|) as a product of two equal factors: a small result is multiplied by them one by one, last, so
// that it is rounded once where it is below the least normal number.
func tail(x float64) (e, root float64) {
	x = math.Abs(x)
	if x > 800 {
		x = 800
	}
	if x < 600 || x != x {
		q, n := reduce64(-x)
		return (1 + q) * math.Float64frombits(n), 0
	}
	q, n := reduce64(-0.5 * x)
	root = (1 + q) * math.Float64frombits(n)
	return root * root, root
}

// times is v·e.
func times(v, e, root float64) float64 {
	if root == 0 {
		return v * e
	}
	return v * root * root
}

// head is x without its last 27 bits: products of heads are exact.
func head(x float64) float64 { return math.Float64frombits(math.Float64bits(x) &^ (1<<27 - 1)) }

// residual is 1 − d·(den+lo), d near 1/den, without the rounding of a product.
func residual(d, den, lo float64) float64 {
	dh, eh := head(d), head(den)
	dl, el := d-dh, den-eh
	return (((1 - dh*eh) - dh*el) - dl*eh) - dl*el - d*lo
}

// inverse is 1/(1+e), e ≤ 1, rounded about once.
func inverse(e float64) float64 {
	den := 1 + e
	d := 1 / den
	return d + d*residual(d, den, e-(den-1))
}

// sigmoid64 is σ and its derivatives. With e = exp(−|x|), d = 1/(1+e), q = σ(1−σ) = ed² and h = 1−2ed:
//
//	σ = d or ed,  σ' = q,  σ″ = ∓qh,  σ‴ = q(1−6q).
func sigmoid64(x float64, orders int) (v0, v1, v2, v3 float64) {
	e, r := tail(x)
	d := inverse(e)
	v0 = d
	if x < 0 {
		v0 = times(d, e, r)
	}
	d2 := d * d
	v1 = times(d2, e, r)
	if orders < 3 {
		return v0, v1, 0, 0
	}
	v2 = times(math.Copysign(d2*(1-2*e*d), -x), e, r)
	return v0, v1, v2, times(d2*(1-6*e*d2), e, r)
}

// silu64 is xσ and its derivatives
//
//	σ(1+xc),  q(2−|x|h),  ∓q(3h−|x|(1−6q)),  c = 1−σ.
func silu64(x float64, orders int) (v0, v1, v2, v3 float64) {
	const most = 800
	e, r := tail(x)
	d := inverse(e)
	y := x
	if y > most {
		y = most
	} else if y < -most {
		y = -most
	}
	if x < 0 {
		v0, v1 = times(y*d, e, r), times((1+y*d)*d, e, r)
	} else {
		v0, v1 = x*d, (1+y*(e*d))*d
	}
	if orders < 3 {
		return v0, v1, 0, 0
	}
	a, d2 := math.Abs(y), d*d
	q, h := e*d2, 1-2*e*d
	v2 = times(d2*(2-a*h), e, r)
	return v0, v1, v2, times(math.Copysign(d2, x)*(a*(1-6*q)-3*h), e, r)
}

// softplus64 is max(x, 0) + ln(1+e), ln(1+e) = 2 atanh s, s = e/(2+e); its derivatives are those of σ.
func softplus64(x float64, orders int) (v0, v1, v2, v3 float64) {
	e, r := tail(x)
	if r != 0 {
		v0 = r * r
	} else {
		s := e / (2 + e)
		c, z := &log1pF64, s*s
		z2 := z * z
		z4 := z2 * z2
		p := ((c[0] + c[1]*z) + z2*(c[2]+c[3]*z)) + z4*(((c[4]+c[5]*z)+z2*(c[6]+c[7]*z))+z4*((c[8]+c[9]*z)+z2*c[10]))
		v0 = 2*s + s*z*p
	}
	if x > 0 {
		v0 += x
	}
	if orders < 2 {
		return v0, 0, 0, 0
	}
	v1, v2, v3, _ = sigmoid64(x, orders-1)
	return v0, v1, v2, v3
}

// tanh64 is t and its derivatives, with m = e−1, q = 1−t² = 4e/(1+e)², e = exp(−2|x|):
//
//	t = ∓m/(2+m),  q,  −2tq,  q(6t²−2).
func tanh64(x float64, orders int) (v0, v1, v2, v3 float64) {
	e, r := tail(2 * x)
	m := -1.0
	if r == 0 {
		q, n := reduce64(-2 * math.Abs(x))
		p := math.Float64frombits(n)
		m = p*q + (p - 1)
	}
	t := math.Copysign(m/(2+m), x)
	v0 = t
	if orders < 2 {
		return v0, 0, 0, 0
	}
	d := inverse(e)
	d2 := d * d
	v1 = times(4*d2, e, r)
	if e < 0.3 { // better than m/(2+m)
		t = math.Copysign(1-2*e*d, x)
	}
	return v0, v1, times(-8*t*d2, e, r), times(4*d2*(6*t*t-2), e, r)
}

const invSqrt2Pi = 0.39894228040143267793994605993438187

// gelu64 is xΦ and its derivatives Φ+xφ, φ(2−x²), φx(x²−4), with φ the normal density, Φ its integral and a = |x|,
// R = Φ(−a)/φ(a)/√2π = P(y)/(a+k), y = (a−k)/(a+k), as in the assembly.
func gelu64(x float64, orders int) (v0, v1, v2, v3 float64) {
	const k, most = 4, 40
	a := math.Abs(x)
	if a > most {
		a = most
	}
	// e = φ√2π = exp(−a²/2), the rounding error of a² put back
	ah := head(a)
	al := a - ah
	hh := float64(a * a) // rounded, whatever else is fused
	ll := ((ah*ah - hh) + 2*ah*al) + al*al
	e, r := tail(0.5 * hh)
	e -= 0.5 * ll * e
	r -= 0.25 * ll * r
	den := a + k
	w := 1 / den
	w += w * residual(w, den, a-(den-k))
	R := w * mills64((a-k)*w)
	v0 = times(-a*R, e, r)
	v1 = times(R-a*invSqrt2Pi, e, r)
	switch {
	case x > 0:
		v0 += x
		v1 = 1 - v1
	case x <= 0:
		v0 = math.Copysign(v0, x)
		if x == 0 {
			v1 = 1 - v1
		}
	default: // NaN
		v0 += x
	}
	if orders < 3 {
		return v0, v1, 0, 0
	}
	v2 = times((2-hh)*invSqrt2Pi, e, r)
	return v0, v1, v2, times(math.Copysign(a, x)*(hh-4)*invSqrt2Pi, e, r)
}

// mills64 is the polynomial millsF64, even and odd powers side by side.
func mills64(y float64) float64 {
	c := &millsF64
	z := y * y
	even, odd := c[22], c[21]
	for i := 20; i > 0; i -= 2 {
		even = even*z + c[i]
		odd = odd*z + c[i-1]
	}
	return even*z + c[0] + odd*y
}
