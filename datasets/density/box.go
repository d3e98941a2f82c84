package density

import (
	"fmt"
	"math"
	"math/rand/v2"
	"slices"

	"gonum.org/v1/gonum/mat"

	"github.com/stheno-ebm/stheno/datasets/internal/batch"
)

// Box is the uniform density on a box.
type Box struct{ lo, hi []float64 }

var (
	_ Density = (*Box)(nil)
	_ Scorer  = (*Box)(nil)
)

// NewBox returns the uniform density on lo ≤ x ≤ hi.
func NewBox(lo, hi []float64) (*Box, error) {
	if len(lo) == 0 || len(lo) != len(hi) {
		return nil, fmt.Errorf("density: a box with corners of %d and %d coordinates", len(lo), len(hi))
	}
	for j := range lo {
		if !positive(hi[j] - lo[j]) {
			return nil, fmt.Errorf("density: a box from %g to %g along axis %d has no inside", lo[j], hi[j], j+1)
		}
	}
	return &Box{slices.Clone(lo), slices.Clone(hi)}, nil
}

// BoxOf returns the bounding box of the rows of x, widened by margin ≥ 0 times its width on each side. A coordinate
// with the same value a in all rows is widened by max(margin, 0.001) times |a|, or times 1 if a = 0, so that the Box
// has a volume.
func BoxOf(x *mat.Dense, margin float64) (*Box, error) {
	if err := checkPoints(x); err != nil {
		return nil, err
	}
	lo, hi := Bounds(x)
	for j, a := range lo {
		w := margin * (hi[j] - a)
		if hi[j] == a {
			if w = max(margin, 1e-3); a != 0 {
				w *= math.Abs(a)
			}
		}
		lo[j] -= w
		hi[j] += w
	}
	return NewBox(lo, hi)
}

// Bounds returns the corners of the bounding box of the rows of x.
func Bounds(x *mat.Dense) (lo, hi []float64) {
	n, d := x.Dims()
	lo, hi = make([]float64, d), make([]float64, d)
	for j := range d {
		lo[j], hi[j] = math.Inf(1), math.Inf(-1)
	}
	for i := range n {
		for j, v := range x.RawRowView(i) {
			lo[j], hi[j] = min(lo[j], v), max(hi[j], v)
		}
	}
	return lo, hi
}

// Dim returns the number of coordinates.
func (b *Box) Dim() int { return len(b.lo) }

// Corners returns lo and hi.
func (b *Box) Corners() (lo, hi []float64) { return slices.Clone(b.lo), slices.Clone(b.hi) }

// Sample draws uniformly.
func (b *Box) Sample(dst *mat.Dense, rng *rand.Rand) {
	batch.Sample(dst, len(b.lo))
	for i := range dst.RawMatrix().Rows {
		row := dst.RawRowView(i)
		for j := range row {
			row[j] = b.lo[j] + (b.hi[j]-b.lo[j])*rng.Float64()
		}
	}
}

// LogProb stores -log volume, or -Inf outside.
func (b *Box) LogProb(dst []float64, x *mat.Dense) {
	batch.LogProb(dst, x, len(b.lo))
	var v float64
	for j := range b.lo {
		v -= math.Log(b.hi[j] - b.lo[j])
	}
	for i := range dst {
		dst[i] = v
		for j, a := range x.RawRowView(i) {
			if math.IsNaN(a) {
				dst[i] = a
				break
			}
			if a < b.lo[j] || a > b.hi[j] {
				dst[i] = math.Inf(-1)
			}
		}
	}
}

// Score stores zeros.
func (b *Box) Score(dst, x *mat.Dense) {
	batch.Score(dst, x, len(b.lo))
	dst.Zero()
}
