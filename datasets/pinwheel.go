package datasets

import (
	"math"
	"math/rand/v2"
)

// pinwheel has five blades: (u, v) ~ N((1, 0), diag(0.3², 0.1²)), rotated by 2πk/5, twisted about the origin by the
// angle α(ρ) = exp(ρ)/4 with ρ = |(u, v)|, and scaled by two. Beyond ρ = 3, six standard deviations out, the angle is
// constant.
//
// The FFJORD generator twists by exp(u)/4. Twisting by the radius differs little and rotates every circle within
// itself, so the map preserves area and the density is that of the straight blades:
//
//	p(x) = ¼ · mean over k of N(R(−α(ρ) − 2πk/5) x/2),   ρ = |x|/2.
type pinwheel struct{}

const (
	blades        = 5
	bladeRadialSD = 0.3
	bladeWidthSD  = 0.1
	bladeTwist    = 0.25
	bladeScale    = 2.0
	bladeEnd      = 3.0
)

// twist returns α(ρ).
func twist(rho float64) float64 { return bladeTwist * math.Exp(math.Min(rho, bladeEnd)) }

func newPinwheel() *plane {
	p := &plane{planar: pinwheel{}, entropy: 2.320587327} // by quadrature: the blades overlap near the origin
	p.lo, p.hi = square(5)
	for k := range blades {
		sin, cos := math.Sincos(2*math.Pi*float64(k)/blades + twist(1))
		p.centres = append(p.centres, bladeScale*cos, bladeScale*sin)
		p.weights = append(p.weights, 1./blades)
	}
	return p
}

func (pinwheel) draw(rng *rand.Rand) (x, y float64) {
	u, v := 1+bladeRadialSD*rng.NormFloat64(), bladeWidthSD*rng.NormFloat64()
	angle := 2*math.Pi*float64(rng.IntN(blades))/blades + twist(math.Hypot(u, v))
	sin, cos := math.Sincos(angle)
	return bladeScale * (u*cos - v*sin), bladeScale * (u*sin + v*cos)
}

// blade returns log N at the point straightened for blade k, and that point.
func (pinwheel) blade(x, y float64, k int) (e, u, v float64) {
	x, y = x/bladeScale, y/bladeScale
	sin, cos := math.Sincos(2*math.Pi*float64(k)/blades + twist(math.Hypot(x, y)))
	u, v = x*cos+y*sin, y*cos-x*sin
	a, b := (u-1)/bladeRadialSD, v/bladeWidthSD
	return -(a*a + b*b) / 2, u, v
}

func (p pinwheel) logProb(x, y float64) float64 {
	s := newLogSum()
	for k := range blades {
		e, _, _ := p.blade(x, y, k)
		s.add(e, 0, 0)
	}
	return s.log() - math.Log(blades*bladeScale*bladeScale*2*math.Pi*bladeRadialSD*bladeWidthSD)
}

// score uses, for one blade, ∂e = a ∂u + b ∂v with a = (1−u)/σ_u², b = −v/σ_v². With the angle α(ρ),
//
//	∇u = (cos α, sin α) + v ∇α,   ∇v = (−sin α, cos α) − u ∇α,   ∇α = ¼ exp(ρ) x/|x|.
func (p pinwheel) score(x, y float64) (sx, sy float64) {
	s := newLogSum()
	rho := math.Hypot(x, y) / bladeScale
	var gx, gy float64
	if rho > 0 && rho < bladeEnd {
		turn := twist(rho) / (rho * bladeScale)
		gx, gy = turn*x, turn*y
	}
	for k := range blades {
		e, u, v := p.blade(x, y, k)
		sin, cos := math.Sincos(2*math.Pi*float64(k)/blades + twist(rho))
		a, b := (1-u)/(bladeRadialSD*bladeRadialSD), -v/(bladeWidthSD*bladeWidthSD)
		turn := a*v - b*u
		s.add(e, (a*cos-b*sin+turn*gx)/bladeScale, (a*sin+b*cos+turn*gy)/bladeScale)
	}
	return s.slope()
}

func (p pinwheel) assign(x, y float64) int {
	best, most := 0, math.Inf(-1)
	for k := range blades {
		if e, _, _ := p.blade(x, y, k); e > most {
			best, most = k, e
		}
	}
	return best
}
