package datasets

import (
	"math"
	"math/rand/v2"

	"gonum.org/v1/gonum/integrate/quad"
)

// rings is the distribution of a uniform point on one of several equally likely circles about the origin, plus N(0,
// σ²I). At distance ρ from the origin its density is
//
//	p = mean over radii r of 1/(2πσ²) exp(−(ρ²+r²)/2σ²) I₀(ρr/σ²)
//
// and the slope of the log of one term in ρ is (r I₁/I₀ − ρ)/σ².
type rings struct {
	radii []float64
	sd    float64
}

func newRings(sd, bound float64, radii ...float64) *plane {
	r := &rings{radii, sd}
	p := &plane{planar: r, entropy: r.entropy()}
	p.lo, p.hi = square(bound)
	for _, radius := range radii {
		p.centres = append(p.centres, radius, 0)
		p.weights = append(p.weights, 1/float64(len(radii)))
	}
	return p
}

func (r *rings) draw(rng *rand.Rand) (x, y float64) {
	radius := r.radii[rng.IntN(len(r.radii))]
	sin, cos := math.Sincos(2 * math.Pi * rng.Float64())
	return radius*cos + r.sd*rng.NormFloat64(), radius*sin + r.sd*rng.NormFloat64()
}

// term returns the log-density of one ring at distance rho and its slope in rho.
func (r *rings) term(rho, radius float64) (logp, slope float64) {
	v := r.sd * r.sd
	i0, i1 := besselI(rho * radius / v)
	d := rho - radius
	return math.Log(i0/(2*math.Pi*v)) - d*d/(2*v), (radius*i1/i0 - rho) / v
}

// radial returns log p and its slope at distance rho.
func (r *rings) radial(rho float64) (logp, slope float64) {
	s := newLogSum()
	for _, radius := range r.radii {
		s.add2(r.term(rho, radius))
	}
	slope, _ = s.slope()
	return s.log() - math.Log(float64(len(r.radii))), slope
}

func (r *rings) logProb(x, y float64) float64 {
	logp, _ := r.radial(math.Hypot(x, y))
	return logp
}

func (r *rings) score(x, y float64) (sx, sy float64) {
	rho := math.Hypot(x, y)
	if rho == 0 {
		return 0, 0
	}
	_, slope := r.radial(rho)
	return slope * x / rho, slope * y / rho
}

func (r *rings) assign(x, y float64) int {
	rho := math.Hypot(x, y)
	best, most := 0, math.Inf(-1)
	for k, radius := range r.radii {
		if logp, _ := r.term(rho, radius); logp > most {
			best, most = k, logp
		}
	}
	return best
}

// entropy returns −∫ 2πρ p log p dρ, by Gauss–Legendre quadrature in panels of one σ.
func (r *rings) entropy() float64 {
	var end float64
	for _, radius := range r.radii {
		end = math.Max(end, radius+10*r.sd)
	}
	var sum float64
	for lo := 0.0; lo < end; lo += r.sd {
		sum += quad.Fixed(func(rho float64) float64 {
			logp, _ := r.radial(rho)
			return -2 * math.Pi * rho * math.Exp(logp) * logp
		}, lo, lo+r.sd, 8, quad.Legendre{}, 1)
	}
	return sum
}
