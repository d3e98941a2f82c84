package datasets

import (
	"fmt"
	"math"
	"slices"
	"strings"

	"gonum.org/v1/gonum/mat"
)

// entry is a named distribution.
type entry struct {
	name, line string
	build      func() Distribution
}

// catalogue lists the distributions in the order of Names. The numbers are those of the FFJORD toy data (Grathwohl et
// al. 2019, lib/toy_data.py) where a distribution occurs there.
var catalogue = []entry{
	{"8gaussians", "eight narrow Gaussians on a circle", func() Distribution {
		const r, sd = 4 / math.Sqrt2, 0.1 / math.Sqrt2
		means, weights := mat.NewDense(8, 2, nil), make([]float64, 8)
		for k := range weights {
			sin, cos := math.Sincos(float64(k) * math.Pi / 4)
			means.SetRow(k, []float64{r * cos, r * sin})
			weights[k] = 1
		}
		return mustMixture(weights, means, sd).bounded(4)
	}},
	{"2spirals", "two interleaved spirals with blurred edges", func() Distribution {
		// (∓t cos t, ±t sin t)/3 ± U(0, 1/6)² + N(0, 0.1²), t = 3π√U. The box is centred: its middle moves to the arm.
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
		return newCurvePlane(newCurve(0.1, half, arms...), 4, 2.645450282)
	}},
	{"4squares", "four blurred squares", func() Distribution {
		return newSquares([]float64{-2, 2}, 0.5, 0.1, 4)
	}},
}

// newCurvePlane finishes a curve; entropy was computed by quadrature (the test suite repeats it).
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

// New returns the distribution of that name. An unknown name is answered by the nearest known one and the whole list.
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

// Describe returns a line about the distribution of that name, or "".
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
	if near := nearest(name, names); near != "" {
		hint = fmt.Sprintf("did you mean %q? ", near)
	}
	return fmt.Errorf("datasets: unknown dataset %q; %sknown: %s; or a .csv, .npy or .png file", name, hint, strings.Join(names, ", "))
}

// nearest returns the candidate with the fewest edits from name, or "" if none is within half of its length.
func nearest(name string, candidates []string) string {
	name = strings.ToLower(name)
	best, fewest := "", 1<<30
	for _, c := range candidates {
		d := edits(name, c)
		if len(name) >= 3 && strings.Contains(c, name) {
			d = min(d, 1)
		}
		if d < fewest {
			best, fewest = c, d
		}
	}
	if fewest > max(1, len(best)/2) {
		return ""
	}
	return best
}

// edits returns the Levenshtein distance of two strings.
func edits(a, b string) int {
	row := make([]int, len(b)+1)
	for j := range row {
		row[j] = j
	}
	for i := range len(a) {
		diagonal := row[0]
		row[0] = i + 1
		for j := range len(b) {
			cost := diagonal
			if a[i] != b[j] {
				cost++
			}
			diagonal = row[j+1]
			row[j+1] = slices.Min([]int{cost, row[j] + 1, row[j+1] + 1})
		}
	}
	return row[len(b)]
}
