package datasets

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"math"
	"math/rand/v2"
	"slices"

	"gonum.org/v1/gonum/mat"

	"github.com/stheno-ebm/stheno/datasets/density"
	"github.com/stheno-ebm/stheno/datasets/internal/batch"
	"github.com/stheno-ebm/stheno/datasets/table"
)

// Points are data without a known density: the rows of a matrix, drawn with replacement.
type Points struct {
	x      *mat.Dense
	lo, hi []float64
	names  []string
	report table.Report
}

var _ Source = (*Points)(nil)

// NewPoints returns the rows of x as a source. x is kept, not copied.
func NewPoints(x *mat.Dense) (*Points, error) {
	n, d := x.Dims()
	if n == 0 || d == 0 {
		return nil, errors.New("datasets: no points")
	}
	p := &Points{x: x}
	p.lo, p.hi = density.Bounds(x)
	for i := range n {
		for j, v := range x.RawRowView(i) {
			if math.IsNaN(v) || math.IsInf(v, 0) {
				return nil, fmt.Errorf("datasets: row %d, column %d of the points is %g", i+1, j+1, v)
			}
		}
	}
	for j := range d {
		margin := 0.15 * (p.hi[j] - p.lo[j])
		if math.IsInf(margin, 0) {
			return nil, fmt.Errorf(
				"datasets: column %d has values from %g to %g, which are too large; take a larger unit", j+1, p.lo[j],
				p.hi[j])
		}
		margin = cmp.Or(margin, 1)
		p.lo[j] -= margin
		p.hi[j] += margin
	}
	return p, nil
}

// Dim returns the number of coordinates.
func (p *Points) Dim() int { _, d := p.x.Dims(); return d }

// Len returns the number of points.
func (p *Points) Len() int { n, _ := p.x.Dims(); return n }

// Names returns the names of the coordinates, nil if they have none. Open reads them from the header of a file.
func (p *Points) Names() []string { return slices.Clone(p.names) }

// Report says what Open read from a file and what it left out; it is empty for points from elsewhere.
func (p *Points) Report() table.Report { return p.report }

// Inspect reports anything odd about the points before a density is fitted to them; see [table.Inspect].
func (p *Points) Inspect(ctx context.Context) ([]table.Finding, error) {
	return table.Inspect(ctx, p.x, p.names)
}

// Matrix returns the points themselves, one per row. It is not a copy.
func (p *Points) Matrix() *mat.Dense { return p.x }

// Bounds returns the smallest box around the points, widened by 15 % on every side.
func (p *Points) Bounds() (lo, hi []float64) { return slices.Clone(p.lo), slices.Clone(p.hi) }

// Sample draws points with replacement.
func (p *Points) Sample(dst *mat.Dense, rng *rand.Rand) {
	batch.Sample(dst, p.Dim())
	n := p.Len()
	for i := range dst.RawMatrix().Rows {
		copy(dst.RawRowView(i), p.x.RawRowView(rng.IntN(n)))
	}
}

// Split divides the points at random into training points and the given share of test points, at least one of each.
func (p *Points) Split(share float64, rng *rand.Rand) (train, test *Points, err error) {
	n, d := p.x.Dims()
	if !(share > 0 && share < 1) {
		return nil, nil, fmt.Errorf("datasets: share of test points is %g, want between 0 and 1", share)
	}
	if n < 2 {
		return nil, nil, fmt.Errorf("datasets: %d point cannot be split into training and test points", n)
	}
	k := min(max(1, int(math.Round(share*float64(n)))), n-1)
	all := mat.NewDense(n, d, nil)
	for i, j := range rng.Perm(n) {
		all.SetRow(i, p.x.RawRowView(j))
	}
	if test, err = NewPoints(all.Slice(0, k, 0, d).(*mat.Dense)); err != nil {
		return nil, nil, err
	}
	if train, err = NewPoints(all.Slice(k, n, 0, d).(*mat.Dense)); err != nil {
		return nil, nil, err
	}
	train.names, test.names = p.Names(), p.Names()
	return train, test, nil
}

// Standardizer is the map z = (x − mean)/scale, coordinate by coordinate. It is stored with a model trained on z and
// inverted on everything the model outputs.
type Standardizer struct {
	Mean  []float64 `json:"mean"`
	Scale []float64 `json:"scale"` // > 0
}

// Constant returns the value shared, up to rounding, by all rows of column j of x; ok reports whether there is one. See
// [table.Constant].
func Constant(x *mat.Dense, j int) (value float64, ok bool) { return table.Constant(x, j) }

// NewStandardizer measures the mean and standard deviation of the columns of x. A [Constant] column gets the scale 1.
// Sums are taken over differences from a value of the column, to keep precision far from zero, and scaled, so that
// squares do not overflow.
func NewStandardizer(x *mat.Dense) *Standardizer {
	n, d := x.Dims()
	s := &Standardizer{make([]float64, d), make([]float64, d)}
	for j := range d {
		if v, ok := Constant(x, j); ok {
			s.Mean[j], s.Scale[j] = v, 1
			continue
		}
		from := x.At(0, j)
		var mean, ss, most float64
		for i := range n {
			mean += (x.At(i, j) - from) / float64(n)
		}
		for i := range n {
			most = max(most, math.Abs(x.At(i, j)-from-mean))
		}
		for i := range n {
			d := (x.At(i, j) - from - mean) / most
			ss += d * d
		}
		s.Mean[j], s.Scale[j] = from+mean, most*math.Sqrt(ss/float64(n))
	}
	return s
}

// Validate reports what is wrong with a Standardizer read from a file, for points of dimension d.
func (s *Standardizer) Validate(d int) error {
	if len(s.Mean) != d || len(s.Scale) != d {
		return fmt.Errorf("datasets: standardizer has %d means and %d scales, want %d", len(s.Mean), len(s.Scale), d)
	}
	const least, most = 1e-300, 1e300 // beyond these the product of two is not a float64
	for j := range d {
		switch m, c := s.Mean[j], s.Scale[j]; {
		case !(c > 0) || math.IsNaN(m) || math.IsInf(m, 0) || math.IsInf(c, 0):
			return fmt.Errorf(
				"datasets: standardizer has mean %g and scale %g in column %d, want finite numbers and scale > 0", m, c,
				j+1)
		case math.Abs(m) > most || c > most:
			return fmt.Errorf(
				"datasets: column %d has values around %g with deviation %g, which are too large for numbers; take a larger "+
					"unit", j+1, m, c)
		case c < least:
			return fmt.Errorf(
				"datasets: column %d has deviation %g, which is too small for numbers; take a smaller unit", j+1, c)
		}
	}
	return nil
}

// Apply stores z = (x − mean)/scale in dst, which may be x.
func (s *Standardizer) Apply(dst, x *mat.Dense) {
	s.each(dst, x, func(v, mean, scale float64) float64 { return (v - mean) / scale })
}

// Invert stores x = mean + scale·z in dst, which may be z.
func (s *Standardizer) Invert(dst, z *mat.Dense) {
	s.each(dst, z, func(v, mean, scale float64) float64 { return mean + scale*v })
}

// Pullback converts gradients in z to gradients in x, g/scale; dst may be g.
func (s *Standardizer) Pullback(dst, g *mat.Dense) {
	s.each(dst, g, func(v, _, scale float64) float64 { return v / scale })
}

// LogDet returns Σ log scale: log p(x) = log p(z) − LogDet.
func (s *Standardizer) LogDet() (sum float64) {
	for _, v := range s.Scale {
		sum += math.Log(v)
	}
	return sum
}

func (s *Standardizer) each(dst, x *mat.Dense, f func(v, mean, scale float64) float64) {
	batch.Score(dst, x, len(s.Mean))
	for i := range x.RawMatrix().Rows {
		row, out := x.RawRowView(i), dst.RawRowView(i)
		for j, v := range row {
			out[j] = f(v, s.Mean[j], s.Scale[j])
		}
	}
}
