package datasets

import (
	"math"
	"math/rand/v2"

	"gonum.org/v1/gonum/integrate/quad"
)

// arm is a piece of a curve c(t), lo ≤ t ≤ hi, with the distribution of t on it.
type arm struct {
	lo, hi float64
	at     func(t float64) (x, y float64)
	pdf    func(t float64) float64 // density of t; nil: uniform
	draw   func(u float64) float64 // inverse distribution function of t; nil: uniform
	weight float64
}

// curve is the distribution of a point on one of several arms plus noise: U(−h, h)² (if h > 0) and N(0, σ²I). Its
// density
//
//	p(x) = Σ_arms w ∫ k(x − c(t)) pdf(t) dt
//
// is computed by Gauss–Legendre quadrature in panels no longer than panelSDs·σ along the curve, with sixteen nodes.
// Near the curve, where the kernel has the width σ along it, four would do; seen from far beyond a bend the kernel is
// several times narrower, and log p = −100 is still accurate to 1e-7. A panel whose nearest point cannot contribute
// more than e^−cutoff of the largest term is skipped.
type curve struct {
	arms   []arm
	sd     float64
	box    *smoothBox // nil: Gaussian noise only
	norm   float64    // log of the normalising constant of the Gaussian kernel
	panels []panel
	bound  float64 // largest log-weight of a node, plus norm
}

type panel struct {
	x, y, radius float64 // a circle around the nodes, enlarged by the box
	arm          int
	node         [panelNodes]node
}

type node struct{ x, y, logw float64 }

const (
	panelNodes = 16
	panelSDs   = 3.5
	cutoff     = 27 // nats: 2e-12 of the largest term
)

// newCurve builds the quadrature. half is the half-width of the uniform noise; zero means no uniform noise.
func newCurve(sd, half float64, arms ...arm) *curve {
	c := &curve{arms: arms, sd: sd, norm: -math.Log(2 * math.Pi * sd * sd)}
	if half > 0 {
		c.box, c.norm = newSmoothBox(half, sd), 0
	}
	c.bound = math.Inf(-1)
	var t, w [panelNodes]float64
	for k := range arms {
		a := &arms[k]
		if a.pdf == nil {
			density, lo, length := 1/(a.hi-a.lo), a.lo, a.hi-a.lo
			a.pdf = func(float64) float64 { return density }
			a.draw = func(u float64) float64 { return lo + length*u }
		}
		for lo := a.lo; lo < a.hi; {
			hi := a.advance(lo, panelSDs*sd)
			quad.Legendre{}.FixedLocations(t[:], w[:], lo, hi)
			var p panel
			p.arm = k
			for i := range t {
				x, y := a.at(t[i])
				logw := math.Log(w[i] * a.pdf(t[i]) * a.weight)
				p.node[i] = node{x, y, logw}
				p.x += x / panelNodes
				p.y += y / panelNodes
				c.bound = math.Max(c.bound, logw)
			}
			for _, n := range p.node {
				p.radius = math.Max(p.radius, math.Hypot(n.x-p.x, n.y-p.y))
			}
			p.radius += half * math.Sqrt2
			c.panels = append(c.panels, p)
			lo = hi
		}
	}
	if c.box != nil {
		c.bound += 2 * c.box.logProb(0)
	} else {
		c.bound += c.norm
	}
	return c
}

// advance returns the t at which the curve is longer by about length, or its end.
func (a *arm) advance(t, length float64) float64 {
	const pieces = 256
	dt := (a.hi - a.lo) / pieces / 16
	x0, y0 := a.at(t)
	for gone := 0.0; ; {
		t += dt
		if t >= a.hi-dt/2 {
			return a.hi
		}
		x, y := a.at(t)
		gone += math.Hypot(x-x0, y-y0)
		if gone > length {
			return t
		}
		x0, y0 = x, y
	}
}

func (c *curve) draw(rng *rand.Rand) (x, y float64) {
	u := rng.Float64()
	k := 0
	for ; k < len(c.arms)-1 && u >= c.arms[k].weight; k++ {
		u -= c.arms[k].weight
	}
	a := &c.arms[k]
	x, y = a.at(a.draw(rng.Float64()))
	if c.box != nil {
		x += c.box.half * (2*rng.Float64() - 1)
		y += c.box.half * (2*rng.Float64() - 1)
	}
	return x + c.sd*rng.NormFloat64(), y + c.sd*rng.NormFloat64()
}

func (c *curve) logProb(x, y float64) float64 {
	s := c.sum(x, y, -1, false)
	return s.log()
}

func (c *curve) score(x, y float64) (sx, sy float64) {
	s := c.sum(x, y, -1, true)
	return s.slope()
}

func (c *curve) assign(x, y float64) int {
	best, most := 0, math.Inf(-1)
	for k := range c.arms {
		s := c.sum(x, y, k, false)
		if l := s.log(); l > most {
			best, most = k, l
		}
	}
	return best
}

// sum adds up the kernel along one arm (all of them if only < 0).
func (c *curve) sum(x, y float64, only int, slopes bool) logSum {
	nearest, least := -1, math.Inf(1)
	for i := range c.panels {
		p := &c.panels[i]
		if only >= 0 && p.arm != only {
			continue
		}
		dx, dy := x-p.x, y-p.y
		if d := dx*dx + dy*dy; nearest < 0 || d < least {
			nearest, least = i, d
		}
	}
	s := newLogSum()
	c.addPanel(&s, &c.panels[nearest], x, y, slopes)
	for i := range c.panels {
		p := &c.panels[i]
		if i == nearest || only >= 0 && p.arm != only {
			continue
		}
		// The largest term of the panel is at most bound − (distance to the circle)²/2σ².
		if reach := 2 * c.sd * c.sd * (c.bound + cutoff - s.max); reach > 0 {
			r := p.radius + math.Sqrt(reach)
			dx, dy := x-p.x, y-p.y
			if dx*dx+dy*dy < r*r {
				c.addPanel(&s, p, x, y, slopes)
			}
		}
	}
	return s
}

func (c *curve) addPanel(s *logSum, p *panel, x, y float64, slopes bool) {
	var e, dx, dy [panelNodes]float64 // exponents and slopes
	top := s.max
	if c.box == nil {
		v := 1 / (c.sd * c.sd)
		for i := range p.node {
			n := &p.node[i]
			gx, gy := n.x-x, n.y-y
			dx[i], dy[i] = gx*v, gy*v
			e[i] = n.logw + c.norm - (gx*gx+gy*gy)*v/2
			top = max(top, e[i])
		}
	} else {
		for i := range p.node {
			n := &p.node[i]
			var gx, gy float64
			if slopes {
				gx, dx[i] = c.box.score(x - n.x)
				gy, dy[i] = c.box.score(y - n.y)
			} else {
				gx, gy = c.box.logProb(x-n.x), c.box.logProb(y-n.y)
			}
			e[i] = n.logw + gx + gy
			top = max(top, e[i])
		}
	}
	if top > s.max {
		s.rescale(top)
	}
	for i, v := range e {
		if u := top - v; u < cutoff {
			w := expNeg(u)
			s.sum += w
			s.sx += w * dx[i]
			s.sy += w * dy[i]
		}
	}
}
