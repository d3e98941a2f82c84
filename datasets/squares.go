package datasets

import (
	"math"
	"math/rand/v2"
)

// squares is a grid of blurred squares of equal weight: a centre drawn from {c}², plus a uniform point in the square
// (−h, h)², plus N(0, σ²I). The two coordinates are independent, and each has the density
//
//	p₁(z) = mean over centres c of f(z − c)
//
// with f the density of a smoothBox.
type squares struct {
	centres []float64 // of one coordinate
	box     *smoothBox
}

func newSquares(centres []float64, half, sd, bound float64) *plane {
	s := &squares{centres: centres, box: newSmoothBox(half, sd)}
	k := len(centres)
	p := &plane{planar: s, entropy: 2 * (s.box.entropy() + math.Log(float64(k)))}
	p.lo, p.hi = square(bound)
	for _, cx := range centres {
		for _, cy := range centres {
			p.centres = append(p.centres, cx, cy)
			p.weights = append(p.weights, 1/float64(k*k))
		}
	}
	return p
}

func (s *squares) draw(rng *rand.Rand) (x, y float64) { return s.draw1(rng), s.draw1(rng) }

func (s *squares) draw1(rng *rand.Rand) float64 {
	c := s.centres[rng.IntN(len(s.centres))]
	return c + s.box.half*(2*rng.Float64()-1) + s.box.sd*rng.NormFloat64()
}

func (s *squares) logProb(x, y float64) float64 {
	gx, _ := s.line(x)
	gy, _ := s.line(y)
	return gx + gy
}

func (s *squares) score(x, y float64) (sx, sy float64) {
	_, sx = s.line(x)
	_, sy = s.line(y)
	return sx, sy
}

// line returns log p₁ and its derivative.
func (s *squares) line(z float64) (logp, slope float64) {
	sum := newLogSum()
	for _, c := range s.centres {
		g, d := s.box.score(z - c)
		sum.add(g, d, 0)
	}
	slope, _ = sum.slope()
	return sum.log() - math.Log(float64(len(s.centres))), slope
}

func (s *squares) assign(x, y float64) int {
	return s.nearest(x)*len(s.centres) + s.nearest(y)
}

func (s *squares) nearest(z float64) int {
	best := 0
	for i, c := range s.centres {
		if math.Abs(z-c) < math.Abs(z-s.centres[best]) {
			best = i
		}
	}
	return best
}
