package kernels

import "math"

// The smooth functions of float32 in portable Go. They are computed in float64, with polynomials that are good to
// 1e-10: what cancels there does not reach the last place of a float32, no intermediate result is below the least
// normal number, and no step needs a fused multiply-add. The formulas are those of smooth64.go.
//
// Each runs in blocks: the exponentials of a block first, in a loop of their own, then what is made of them. In one
// loop the conversion from float32, which on amd64 waits for what its register held before, would chain one element to
// the next: 31 instead of 9 ns.

const block32 = 64

// A block of float64: arguments, and exponentials made of them.
type buffer32 [block32]float64

// results32 are the destinations of one block; nil where a derivative is not wanted.
type results32 struct{ d0, d1, d2, d3 []float32 }

func (r *results32) store(i int, v0, v1 float64) {
	if r.d0 != nil {
		r.d0[i] = float32(v0)
	}
	if r.d1 != nil {
		r.d1[i] = float32(v1)
	}
}

func (r *results32) storeHigh(i int, v2, v3 float64) {
	if r.d2 != nil {
		r.d2[i] = float32(v2)
	}
	if r.d3 != nil {
		r.d3[i] = float32(v3)
	}
}

func (r *results32) high() bool { return r.d2 != nil || r.d3 != nil }

// run stores the derivatives of f at the arguments x, at most block32. It reports whether f is one of the functions of
// this file.
func (r *results32) run(f Func, x []float64) bool {
	switch f {
	case Sigmoid:
		sigmoid32(r, x)
	case Tanh:
		tanh32(r, x)
	case Softplus:
		softplus32(r, x)
	case SiLU:
		silu32(r, x)
	case GELU:
		gelu32(r, x)
	case Exp:
		exp32(r, x)
	case Sin:
		sin32(r, x)
	case Cos:
		cos32(r, x)
	default:
		return false
	}
	return true
}

// multi32 is UnaryMulti, if f is one of the functions of this file.
func multi32(f Func, d0, d1, d2, d3, x []float32) bool {
	var buf buffer32
	part := func(d []float32, lo, hi int) []float32 {
		if d == nil {
			return nil
		}
		return d[lo:hi]
	}
	for lo := 0; lo < len(x); lo += block32 {
		hi := min(lo+block32, len(x))
		for i, v := range x[lo:hi] {
			buf[i] = float64(v)
		}
		r := results32{part(d0, lo, hi), part(d1, lo, hi), part(d2, lo, hi), part(d3, lo, hi)}
		if !r.run(f, buf[:hi-lo]) {
			return false
		}
	}
	return true
}

// far is where e^(−far) is nothing in float32, and still a normal float64 after some multiplications.
const far = 200

func clampFar(x float64) float64 {
	if x > far {
		return far
	}
	if x < -far {
		return -far
	}
	return x // NaN, too
}

// exponentials stores eˣ, |x| ≤ 700.
func exponentials(dst, x []float64) {
	const magic = 3 << 51
	dst = dst[:len(x)]
	c := expMid
	for i, x := range x {
		t := x*math.Log2E + magic
		r := x - (t-magic)*math.Ln2
		r2 := r * r
		p := 1 + (r + r2*((c[0]+c[1]*r)+r2*((c[2]+c[3]*r)+r2*(c[4]+c[5]*r))))
		dst[i] = math.Float64frombits(math.Float64bits(p) + math.Float64bits(t)<<52)
	}
}

// logistics stores e^(−x) within far.
func logistics(e *buffer32, x []float64) {
	for i, v := range x {
		e[i] = -clampFar(v)
	}
	exponentials(e[:len(x)], e[:len(x)])
}

func sigmoid32(r *results32, x []float64) {
	var e buffer32
	logistics(&e, x)
	high := r.high()
	for i := range x {
		s := 1 / (1 + e[i])
		c := e[i] * s
		q := s * c
		r.store(i, s, q)
		if high {
			r.storeHigh(i, q*(c-s), q*(1-6*q))
		}
	}
}

func silu32(r *results32, x []float64) {
	var e buffer32
	logistics(&e, x)
	high := r.high()
	for i, v := range x {
		y := clampFar(v)
		s := 1 / (1 + e[i])
		c := e[i] * s
		v0 := y * s
		if v > far {
			v0 = v
		}
		r.store(i, v0, s*(1+y*c))
		if high {
			q, h := s*c, c-s
			r.storeHigh(i, q*(2+y*h), q*(3*h+y*(1-6*q)))
		}
	}
}

func softplus32(r *results32, x []float64) {
	var e buffer32
	for i, v := range x {
		e[i] = -math.Abs(clampFar(v))
	}
	exponentials(e[:len(x)], e[:len(x)])
	if r.d0 != nil {
		c := log1pMid
		for i, v := range x {
			s := e[i] / (2 + e[i]) // ln(1+e) = 2 atanh s
			z := s * s
			z2 := z * z
			v0 := 2*s + s*z*((c[0]+c[1]*z)+z2*((c[2]+c[3]*z)+z2*(c[4]+c[5]*z+c[6]*z2)))
			if v > 0 {
				v0 += v
			}
			r.d0[i] = float32(v0)
		}
	}
	if r.d1 != nil || r.d2 != nil || r.d3 != nil {
		sigmoid32(&results32{r.d1, r.d2, r.d3, nil}, x)
	}
}

func tanh32(r *results32, x []float64) {
	const magic = 3 << 51
	c := expMid
	high := r.high()
	for i, v := range x {
		// q = eʳ−1 and p = 2ⁿ with −2a = n ln 2 + r
		a := -2 * math.Abs(clampFar(v))
		t := a*math.Log2E + magic
		b := a - (t-magic)*math.Ln2
		b2 := b * b
		q := b + b2*((c[0]+c[1]*b)+b2*((c[2]+c[3]*b)+b2*(c[4]+c[5]*b)))
		p := math.Float64frombits((math.Float64bits(t) + 1023) << 52)
		m := p*q + (p - 1) // e^(−2a) − 1
		d := 1 / (2 + m)
		v0 := math.Copysign(m*d, v)
		v1 := 4 * (p + p*q) * d * d
		r.store(i, v0, v1)
		if high {
			r.storeHigh(i, -2*v0*v1, v1*(6*v0*v0-2))
		}
	}
}

func gelu32(r *results32, x []float64) {
	const k, most = 3, 15
	var y, e buffer32
	for i, v := range x {
		if v > most {
			v = most
		} else if v < -most {
			v = -most
		}
		y[i] = v
		e[i] = -0.5 * (v * v)
	}
	exponentials(e[:len(x)], e[:len(x)])
	high := r.high()
	for i, v := range x {
		phi := e[i]
		a := math.Abs(y[i])
		w := 1 / (a + k)
		m := w * mills32((a-k)*w) // Φ(−a)/φ(a)/√2π
		v0 := -a * phi * m
		v1 := phi * (m - a*invSqrt2Pi)
		if v > 0 {
			v0 += v
			v1 = 1 - v1
		} else if v == 0 {
			v0 = v
		}
		r.store(i, v0, v1)
		if high {
			phi *= invSqrt2Pi
			r.storeHigh(i, phi*(2-a*a), phi*y[i]*(a*a-4))
		}
	}
}

// mills32 is the polynomial millsMid.
func mills32(y float64) float64 {
	c := &millsMid
	y2 := y * y
	y4 := y2 * y2
	lo := (c[0] + c[1]*y) + y2*(c[2]+c[3]*y)
	mid := (c[4] + c[5]*y) + y2*(c[6]+c[7]*y)
	hi := (c[8] + c[9]*y) + y2*(c[10]+c[11]*y)
	return lo + y4*(mid+y4*(hi+y4*(c[12]+c[13]*y)))
}

func exp32(r *results32, x []float64) {
	var e buffer32
	for i, v := range x {
		e[i] = clampFar(v)
	}
	exponentials(e[:len(x)], e[:len(x)])
	for i := range x {
		r.store(i, e[i], e[i])
		r.storeHigh(i, e[i], e[i])
	}
}

func sin32(r *results32, x []float64) {
	for i, v := range x {
		s, c := sinCos(v)
		r.store(i, s, c)
		r.storeHigh(i, -s, -c)
	}
}

func cos32(r *results32, x []float64) {
	for i, v := range x {
		s, c := sinCos(v)
		r.store(i, c, -s)
		r.storeHigh(i, -c, s)
	}
}

// logarithms32 stores ln x: x = 2ⁿ(1+f) with √½ ≤ 1+f < √2, ln(1+f) = 2 atanh s, s = f/(2+f).
func logarithms32(dst, x []float32) {
	const root = 0x3fe6a09e667f3bcd // bits of √½
	dst = dst[:len(x)]
	for i, v := range x {
		if !(v > 0 && v <= math.MaxFloat32) {
			dst[i] = float32(math.Log(float64(v)))
			continue
		}
		b := math.Float64bits(float64(v))
		n := int64(b-root) >> 52
		f := math.Float64frombits(b-uint64(n)<<52) - 1
		s := f / (2 + f)
		c, z := &logNormal, s*s
		z2 := z * z
		dst[i] = float32(float64(n)*math.Ln2 + (2*s + s*z*((c[0]+c[1]*z)+z2*((c[2]+c[3]*z)+z2*(c[4]+c[5]*z)))))
	}
}
