package datasets

import (
	"fmt"
	"math"
	"math/bits"
	"slices"
	"strings"

	"gonum.org/v1/gonum/mat"

	"github.com/stheno-ebm/stheno/datasets/files"
)

// entry is a named distribution.
type entry struct {
	name, line string
	build      func() Distribution
}

// catalogue lists the distributions in the order of Names. Parameters are those of the FFJORD toy data (Grathwohl et
// al. 2019, lib/toy_data.py) where they include the distribution.
var catalogue = []entry{
	{"8gaussians", "eight narrow Gaussians on a circle", func() Distribution {
		const r, sd = 4 / math.Sqrt2, 0.1 / math.Sqrt2
		means, weights := mat.NewDense(8, 2, nil), slices.Repeat([]float64{1}, 8)
		for k := range weights {
			sin, cos := math.Sincos(float64(k) * math.Pi / 4)
			means.SetRow(k, []float64{r * cos, r * sin})
		}
		return mustMixture(weights, means, sd).bounded(4)
	}},
	{"2spirals", "two interleaved spirals with blurred edges", func() Distribution {
		// (∓t cos t, ±t sin t)/3 ± U(0, 1/6)² + N(0, 0.1²), t = 3π√U. The box is centred by moving the arm.
		const half, end = 1. / 12, 3 * math.Pi
		arms := make([]arm, 2)
		for k, sign := range []float64{1, -1} {
			arms[k] = arm{
				lo: 0, hi: end, weight: 0.5,
				at: func(t float64) (x, y float64) {
					sin, cos := math.Sincos(t)
					return sign * (half - t*cos/3), sign * (half + t*sin/3)
				},
				pdf:  func(t float64) float64 { return 2 * t / (end * end) },
				draw: func(u float64) float64 { return end * math.Sqrt(u) },
			}
		}
		return newCurvePlane(newCurve(0.1, half, arms...), 4, 2.645450284)
	}},
	{"4squares", "four blurred squares", func() Distribution { return newSquares([]float64{-2, 2}, 0.5, 0.1, 4) }},
	{"checkerboard", "the black cells of a 4×4 board, with sharp edges", func() Distribution {
		return newCheckerboard()
	}},
	{"rings", "four concentric thin rings", func() Distribution { return newRings(0.08, 4, 3, 2.25, 1.5, 0.75) }},
	{"moons", "two interleaved half circles", func() Distribution {
		return newCurvePlane(newCurve(0.2, 0,
			arm{lo: 0, hi: math.Pi, weight: 0.5, at: func(t float64) (x, y float64) {
				sin, cos := math.Sincos(t)
				return 2*cos - 1, 2*sin - 0.2
			}},
			arm{lo: 0, hi: math.Pi, weight: 0.5, at: func(t float64) (x, y float64) {
				sin, cos := math.Sincos(t)
				return 1 - 2*cos, 0.8 - 2*sin
			}}), 4.5, 2.393879196)
	}},
	{"pinwheel", "five twisted blades", func() Distribution { return newPinwheel() }},
	{"swissroll", "one spiral, rolled up one and a half times", func() Distribution {
		return newCurvePlane(newCurve(0.2, 0,
			arm{lo: 1.5 * math.Pi, hi: 4.5 * math.Pi, weight: 1, at: func(t float64) (x, y float64) {
				sin, cos := math.Sincos(t)
				return t * cos / 5, t * sin / 5
			}}), 4.5, 2.669646174)
	}},
	{"circles", "two concentric rings", func() Distribution { return newRings(0.24, 4.5, 3, 1.5) }},
	{"cos", "a sine wave, blurred", func() Distribution {
		return newCurvePlane(newCurve(0.1, 0,
			arm{lo: -2.5, hi: 2.5, weight: 1, at: func(t float64) (x, y float64) { return t, 2.5 * math.Sin(t) }}), 4,
			1.272862888)
	}},
	{"25gaussians", "a 5×5 grid of narrow Gaussians", func() Distribution {
		means, weights := mat.NewDense(25, 2, nil), slices.Repeat([]float64{1}, 25)
		for k := range weights {
			means.SetRow(k, []float64{1.5 * float64(k/5-2), 1.5 * float64(k%5-2)})
		}
		return mustMixture(weights, means, 0.1).bounded(4)
	}},
	{"2gaussians", "two separated Gaussians of weights 0.2 and 0.8", func() Distribution {
		return mustMixture([]float64{0.2, 0.8}, mat.NewDense(2, 2, []float64{-2, -2, 2, 2}), 0.5).bounded(5)
	}},
	{"square", "one blurred square", func() Distribution { return newSquares([]float64{0}, 2, 0.1, 4) }},
	{"banana", "a bent Gaussian", func() Distribution { return newBanana() }},
	{"funnel", "Neal's funnel in the plane", func() Distribution { return &funnel{dim: 2, sd: 1, scale: 0.5} }},
	{"mixture10", "four Gaussians of unequal weights in 10 dimensions", func() Distribution {
		// Walsh signs: any two centres differ in about half of the coordinates, more than eight sd apart.
		means := mat.NewDense(4, 10, nil)
		for k := range 4 {
			for j := range 10 {
				means.Set(k, j, 2*float64(1-2*(bits.OnesCount(uint(k&j))&1)))
			}
		}
		return mustMixture([]float64{0.1, 0.2, 0.3, 0.4}, means, 0.7)
	}},
	{"ring20", "a spherical shell in 20 dimensions", func() Distribution { return newShell(20, 5, 0.5) }},
	{"funnel20", "Neal's funnel in 20 dimensions", func() Distribution { return &funnel{dim: 20, sd: 3, scale: 1} }},
}

// newCurvePlane wraps a curve; entropy was computed by quadrature (and is recomputed by the tests).
func newCurvePlane(c *curve, bound, entropy float64) *plane {
	p := &plane{planar: c, entropy: entropy}
	p.lo, p.hi = square(bound)
	for _, a := range c.arms {
		x, y := a.at(a.draw(0.5))
		p.centres = append(p.centres, x, y)
		p.weights = append(p.weights, a.weight)
	}
	return p
}

// New returns the named distribution. The error for an unknown name suggests the nearest known one and lists all.
func New(name string) (Distribution, error) {
	for _, e := range catalogue {
		if e.name == name {
			return e.build(), nil
		}
	}
	return nil, unknown(name)
}

// Names lists the distributions that New knows.
func Names() []string {
	names := make([]string, len(catalogue))
	for i, e := range catalogue {
		names[i] = e.name
	}
	return names
}

// Describe returns a one-line description of the named distribution, or "".
func Describe(name string) string {
	for _, e := range catalogue {
		if e.name == name {
			return e.line
		}
	}
	return ""
}

func unknown(name string) error {
	names := Names()
	hint := ""
	if near := files.Nearest(name, names); near != "" {
		hint = fmt.Sprintf("did you mean %q? ", near)
	}
	return fmt.Errorf("datasets: unknown dataset %q; %sknown: %s; or a %s file", name, hint,
		strings.Join(names, ", "), kinds())
}
