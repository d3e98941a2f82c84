package datasets

import (
	"math"
	"math/rand/v2"
)

// checkerboard is uniform on eight of the 4×4 cells of [−4, 4)², including the one at the corner (−4, −4): p = 1/32
// where ⌊x/2⌋ + ⌊y/2⌋ is even, zero elsewhere. The density is discontinuous; its score is zero wherever it is defined.
type checkerboard struct{ plane }

var _ CellMasser = (*checkerboard)(nil)

func newCheckerboard() *checkerboard {
	c := &checkerboard{plane{planar: checkers{}, entropy: math.Log(32)}}
	c.lo, c.hi = square(4)
	for i := range 4 {
		for j := range 4 {
			if (i+j)%2 == 0 {
				c.centres = append(c.centres, float64(2*i-3), float64(2*j-3))
				c.weights = append(c.weights, 1./8)
			}
		}
	}
	return c
}

// CellMass returns the area of the black cells in the box, divided by 32.
func (c *checkerboard) CellMass(lo, hi []float64) float64 {
	var area float64
	for k := range c.weights {
		part := 1.0
		for j := range 2 {
			m := c.centres[2*k+j]
			part *= math.Max(0, math.Min(hi[j], m+1)-math.Max(lo[j], m-1))
		}
		area += part
	}
	return area / 32
}

type checkers struct{}

func (checkers) draw(rng *rand.Rand) (x, y float64) {
	i := rng.IntN(4)
	j := 2*rng.IntN(2) + i%2
	return 2 * (float64(i-2) + rng.Float64()), 2 * (float64(j-2) + rng.Float64())
}

func (checkers) logProb(x, y float64) float64 {
	if x < -4 || y < -4 || x >= 4 || y >= 4 || (int(math.Floor(x/2))+int(math.Floor(y/2)))&1 != 0 {
		return math.Inf(-1)
	}
	return -math.Log(32)
}

func (checkers) score(x, y float64) (sx, sy float64) { return 0, 0 }

// assign returns the nearest black cell in the order of Modes.
func (checkers) assign(x, y float64) int {
	best, least := 0, math.Inf(1)
	for k := range 8 {
		i := k / 2
		j := 2*(k%2) + i%2
		dx, dy := x-float64(2*i-3), y-float64(2*j-3)
		if d := math.Max(math.Abs(dx), math.Abs(dy)); d < least {
			best, least = k, d
		}
	}
	return best
}
