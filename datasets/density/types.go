package density

import (
	"fmt"
	"math"
	"math/rand/v2"
	"strings"

	"gonum.org/v1/gonum/mat"
)

// Density is a normalised density with exact draws. It is safe for concurrent use.
type Density interface {
	// Dim returns the number of columns of a batch.
	Dim() int

	LogProber
	Sampler
}

// LogProber has a known log-density.
type LogProber interface {
	// LogProb stores log p(x_i), in nats, in dst[i] for every row x_i of x. Outside the support it is -Inf; if a
	// coordinate is NaN, it is NaN. len(dst) is the number of rows of x.
	LogProb(dst []float64, x *mat.Dense)
}

// Sampler draws points.
type Sampler interface {
	// Sample fills every row of dst with an independent draw.
	Sample(dst *mat.Dense, rng *rand.Rand)
}

// Scorer has a known gradient of its log-density.
type Scorer interface {
	// Score stores ∇ log p(x_i) in row i of dst, which has the shape of x. Where the density is zero the score is
	// undefined and zero is stored.
	Score(dst, x *mat.Dense)
}

// ScorerOf returns q as a [Scorer], if it is one. A [Blend] is one if all its parts are.
func ScorerOf(q Density) (s Scorer, ok bool) {
	if b, is := q.(*Blend); is && !b.scored() {
		return nil, false
	}
	s, ok = q.(Scorer)
	return s, ok
}

// SingularError reports points, or a covariance, for which there is no density of the requested kind.
type SingularError struct {
	Points  int   // number of points given; 0 for a covariance
	Columns []int // columns that are the same in all points, from 0; none if columns depend on each other
}

func (e *SingularError) Error() string {
	switch {
	case e.Points == 1:
		return "density: one point has no spread to fit a density to; give at least two"
	case len(e.Columns) == 1:
		return fmt.Sprintf("density: column %d is the same in all %d points: it has no density; leave it out",
			e.Columns[0]+1, e.Points)
	case len(e.Columns) > 1:
		var names []string
		for _, j := range e.Columns {
			names = append(names, fmt.Sprint(j+1))
		}
		return fmt.Sprintf("density: columns %s are the same in all %d points: they have no density; leave them out",
			strings.Join(names, ", "), e.Points)
	}
	return "density: the covariance is singular: columns depend on each other, or there are too few points"
}

// checkPoints rejects an invalid set of points.
func checkPoints(x *mat.Dense) error {
	if x == nil || x.IsEmpty() {
		return fmt.Errorf("density: no points")
	}
	for i := range x.RawMatrix().Rows {
		for j, v := range x.RawRowView(i) {
			if math.IsNaN(v) || math.IsInf(v, 0) {
				return fmt.Errorf("density: row %d, column %d of the points is %g, want a finite number", i+1, j+1, v)
			}
		}
	}
	return nil
}

// positive reports whether v is a number above zero: not NaN, not infinite.
func positive(v float64) bool { return v > 0 && !math.IsInf(v, 1) }
