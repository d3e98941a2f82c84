package datasets

import "math"

// smoothBox is the distribution of U + ση with U uniform on (−h, h) and η standard normal. Its density is
//
//	f(z) = F(z)/(2h),   F(z) = Φ((z+h)/σ) − Φ((z−h)/σ).
//
// log f and its derivative are piecewise polynomials near the box: quintic Hermite interpolation of the exact value and
// its first two derivatives at knots σ/16 apart. The error (about 1e-12) is far below what sums over a curve need, at a
// fifth of the cost of the error functions. Farther out they are computed directly, by Mills' ratio, so that nothing
// underflows.
type smoothBox struct {
	half, sd float64
	perKnot  float64      // knots per unit of length
	poly     [][6]float64 // coefficients in the local coordinate 0 ≤ u < 1 of each interval
}

const (
	knotsPerSD = 16
	tableSDs   = 40 // the table ends this many sd outside the box
)

func newSmoothBox(half, sd float64) *smoothBox {
	b := &smoothBox{half: half, sd: sd, perKnot: knotsPerSD / sd}
	n := int(math.Ceil((half + tableSDs*sd) * b.perKnot))
	b.poly = make([][6]float64, n)
	dz := 1 / b.perKnot
	g0, d0, c0 := b.exact(0)
	for i := range b.poly {
		g1, d1, c1 := b.exact(float64(i+1) * dz)
		// Derivatives in the local coordinate u = z/dz − i.
		p, q, r := g0, d0*dz, c0*dz*dz/2
		dg, dd, dc := g1-p-q-r, d1*dz-q-2*r, c1*dz*dz-2*r
		b.poly[i] = [6]float64{p, q, r, 10*dg - 4*dd + dc/2, -15*dg + 7*dd - dc, 6*dg - 3*dd + dc/2}
		g0, d0, c0 = g1, d1, c1
	}
	return b
}

// logProb returns log f(z).
func (b *smoothBox) logProb(z float64) float64 {
	z = math.Abs(z)
	if s := z * b.perKnot; s < float64(len(b.poly)) {
		i := int(s)
		u, c := s-float64(i), &b.poly[i]
		return c[0] + u*(c[1]+u*(c[2]+u*(c[3]+u*(c[4]+u*c[5]))))
	}
	g, _, _ := b.exact(z)
	return g
}

// score returns log f(z) and its derivative.
func (b *smoothBox) score(z float64) (logf, slope float64) {
	a := math.Abs(z)
	if s := a * b.perKnot; s < float64(len(b.poly)) {
		i := int(s)
		u, c := s-float64(i), &b.poly[i]
		logf = c[0] + u*(c[1]+u*(c[2]+u*(c[3]+u*(c[4]+u*c[5]))))
		slope = b.perKnot * (c[1] + u*(2*c[2]+u*(3*c[3]+u*(4*c[4]+u*5*c[5]))))
	} else {
		logf, slope, _ = b.exact(a)
	}
	return logf, math.Copysign(1, z) * slope
}

// exact returns log f and its first two derivatives at z ≥ 0. With a = (z−h)/σ, b = (z+h)/σ,
//
//	f'/f = (φ(b) − φ(a))/(σF),   (log f)″ = (aφ(a) − bφ(b))/(σ²F) − (f'/f)².
//
// For a > 0 everything is divided by φ(a), and F/φ(a) = M(a) − M(b) exp(−(b²−a²)/2) with Mills' ratio M = (1−Φ)/φ.
func (b *smoothBox) exact(z float64) (logf, d1, d2 float64) {
	lo, hi := (z-b.half)/b.sd, (z+b.half)/b.sd
	var big, phiLo, phiHi float64 // F, φ(lo), φ(hi), all over exp(shift)
	shift := 0.0
	if lo <= 0 {
		big = (math.Erf(hi/math.Sqrt2) - math.Erf(lo/math.Sqrt2)) / 2
		phiLo, phiHi = normalPDF(lo), normalPDF(hi)
	} else {
		decay := math.Exp(-2 * z * b.half / (b.sd * b.sd)) // φ(hi)/φ(lo)
		shift = -lo*lo/2 - math.Log(2*math.Pi)/2
		big = mills(lo) - mills(hi)*decay
		phiLo, phiHi = 1, decay
	}
	logf = shift + math.Log(big/(2*b.half))
	d1 = (phiHi - phiLo) / (b.sd * big)
	var edge float64 // aφ(a) − bφ(b), where ∞·0 is 0
	edge = lo * phiLo
	if phiHi > 0 {
		edge -= hi * phiHi
	}
	d2 = edge/(b.sd*b.sd*big) - d1*d1
	return logf, d1, d2
}

// entropy returns −∫ f log f by the trapezoidal rule, which converges geometrically for a function that vanishes with
// all its derivatives at both ends.
func (b *smoothBox) entropy() float64 {
	const perSD = 16
	dz := b.sd / perSD
	n := int(math.Ceil((b.half + 12*b.sd) / dz))
	var sum float64
	for i := -n; i <= n; i++ {
		g, _, _ := b.exact(math.Abs(float64(i) * dz))
		sum -= math.Exp(g) * g * dz
	}
	return sum
}

func normalPDF(z float64) float64 { return math.Exp(-z*z/2) / math.Sqrt(2*math.Pi) }

// mills returns (1 − Φ(z))/φ(z) for z ≥ 0.
func mills(z float64) float64 {
	if z < 25 {
		return math.Sqrt(math.Pi/2) * math.Erfc(z/math.Sqrt2) * math.Exp(z*z/2)
	}
	// Asymptotic series 1/z (1 − 1/z² + 1·3/z⁴ − 1·3·5/z⁶ …).
	w := 1 / (z * z)
	sum, term := 1.0, 1.0
	for k := 1.0; k < 16; k += 2 {
		term *= -k * w
		sum += term
	}
	return sum / z
}
