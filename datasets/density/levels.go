package density

import (
	"errors"
	"fmt"
	"math"
	"math/rand/v2"
	"slices"

	"gonum.org/v1/gonum/mathext"
)

// Levels are the few values a_1 < … < a_L of a column that is discrete: a factor, in which the density of the other
// columns jumps. So that points stay points of Rᵈ, a value c is a coordinate z in its cell, between the middles to its
// neighbours, with the density
//
//	p(z | c) = N(z; m, s²)/M_c,   M_c = ∫_cell N(z; m, s²) dz,
//
// of a Gaussian over all cells, m the middle between a_1 and a_L and s the deviation of as many equally likely values
// at equal distances. It is the same whatever the other columns are, and so
//
//	p(z, x) = P(c(z), x) N(z; m, s²)/M_c(z)
//
// has the probabilities of c, the densities of x given c and the conditional probabilities of c given x, without
// error: chains move in z as in x, and log P = log p + log M - log N at any point of the cell. Where c does not depend
// on x and has the probabilities M, p does not jump. Columns of unit spacing in cells of unit width with the same
// density would do, too, but end in walls, from which chains turn back.
type Levels struct {
	Column int       `json:"column"` // from 0
	Values []float64 `json:"values"`
	// of the values, by component of a Mixed, (K, L); nil before a fit
	Probs [][]float64 `json:"probs,omitempty"`
}

// Validate names what is wrong; components is the number of rows of Probs, 0 for none.
func (l Levels) Validate(dim, components int) error {
	if l.Column < 0 || l.Column >= dim {
		return fmt.Errorf("density: column %d of %d has levels", l.Column, dim)
	}
	if len(l.Values) < 2 {
		return fmt.Errorf("density: column %d has %d levels, want at least two", l.Column, len(l.Values))
	}
	for i, v := range l.Values {
		if math.IsNaN(v) || math.IsInf(v, 0) || i > 0 && !(v > l.Values[i-1]) {
			return fmt.Errorf("density: levels %v of column %d, want finite ones in increasing order", l.Values, l.Column)
		}
	}
	if len(l.Probs) != components {
		return fmt.Errorf("density: probabilities of levels of %d components, want %d", len(l.Probs), components)
	}
	for _, row := range l.Probs {
		if len(row) != len(l.Values) || slices.ContainsFunc(row, func(p float64) bool { return !positive(p) }) {
			return errors.New("density: probabilities of levels, want one > 0 for every level")
		}
	}
	return nil
}

// centre and spread are m and s.
func (l Levels) centre() float64 { return l.Values[0] + (l.Values[len(l.Values)-1]-l.Values[0])/2 }

func (l Levels) spread() float64 {
	n := float64(len(l.Values))
	return (l.Values[len(l.Values)-1] - l.Values[0]) * math.Sqrt((n+1)/(12*(n-1)))
}

// Edges are the middles between neighbouring values.
func (l Levels) Edges() []float64 {
	var e []float64
	for i, v := range l.Values[1:] {
		e = append(e, l.Values[i]+(v-l.Values[i])/2)
	}
	return e
}

// Reference returns m and s.
func (l Levels) Reference() (mean, sd float64) { return l.centre(), l.spread() }

// LogMass is log M_c.
func (l Levels) LogMass(c int) float64 { return math.Log(l.mass(c)) }

// Of returns the index of the value in whose cell z is.
func (l Levels) Of(z float64) int {
	lo := 0
	for i, v := range l.Values[1:] {
		if z > l.Values[i]+(v-l.Values[i])/2 {
			lo = i + 1
		}
	}
	return lo
}

// bounds are the ends of cell c in units of s from m.
func (l Levels) bounds(c int) (lo, hi float64) {
	lo, hi = math.Inf(-1), math.Inf(1)
	m, s, e := l.centre(), l.spread(), l.Edges()
	if c > 0 {
		lo = (e[c-1] - m) / s
	}
	if c < len(e) {
		hi = (e[c] - m) / s
	}
	return lo, hi
}

// mass is M_c. On the side of m where both ends are in the upper tail it is a difference of upper tails, so that no
// digit is lost.
func (l Levels) mass(c int) float64 {
	lo, hi := l.bounds(c)
	if lo > 0 {
		lo, hi = -hi, -lo
	}
	return lower(hi) - lower(lo)
}

// lower is Φ.
func lower(v float64) float64 { return 0.5 * math.Erfc(-v/math.Sqrt2) }

// Draw draws z of value c.
func (l Levels) Draw(c int, rng *rand.Rand) float64 {
	lo, hi := l.bounds(c)
	sign := 1.0
	if lo > 0 {
		lo, hi, sign = -hi, -lo, -1
	}
	a, b := lower(lo), lower(hi)
	u := a + (b-a)*rng.Float64()
	v := mathext.NormalQuantile(math.Max(u, math.SmallestNonzeroFloat64))
	v = math.Max(math.Min(v, hi), lo)
	z := l.centre() + sign*v*l.spread()
	if l.Of(z) != c { // rounded across an edge
		return l.Values[c]
	}
	return z
}

// LogRatio is log N(a_c; m, s²) - log M_c: what log p at the value itself exceeds log P by.
func (l Levels) LogRatio(c int) float64 { return l.logReference(l.Values[c]) - math.Log(l.mass(c)) }

// logReference is log N(z; m, s²).
func (l Levels) logReference(z float64) float64 {
	s := l.spread()
	v := (z - l.centre()) / s
	return -0.5*v*v - math.Log(s) - 0.5*math.Log(2*math.Pi)
}
