package datasets

import (
	"math"
	"math/rand/v2"
)

// banana is a Gaussian bent along a parabola: x ~ N(0, 1), y ~ N(x²/2 − 1, 0.3²).
type banana struct{ oneMode }

const bananaSD = 0.3

func newBanana() *plane {
	return &plane{
		planar: banana{}, entropy: math.Log(2 * math.Pi * math.E * bananaSD),
		lo: [2]float64{-5.5, -3}, hi: [2]float64{5.5, 14},
		centres: []float64{0, -1}, weights: []float64{1},
	}
}

func (banana) draw(rng *rand.Rand) (x, y float64) {
	x = rng.NormFloat64()
	return x, x*x/2 - 1 + bananaSD*rng.NormFloat64()
}

func (banana) logProb(x, y float64) float64 {
	z := (y - x*x/2 + 1) / bananaSD
	return -(x*x+z*z)/2 - math.Log(2*math.Pi*bananaSD)
}

func (banana) score(x, y float64) (sx, sy float64) {
	z := (y - x*x/2 + 1) / bananaSD
	return x*z/bananaSD - x, -z / bananaSD
}
