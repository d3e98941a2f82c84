package objectives

import (
	"math"
	"math/rand/v2"

	"gonum.org/v1/gonum/mat"
)

// Box is the uniform density on a box; its log density outside, and at what is not a number, is -Inf.
type Box struct{ Lo, Hi []float64 }

var _ Noise = (*Box)(nil)

// BoxOf returns the bounding box of the rows of x, widened by margin times its width on each side. A coordinate that
// is the same number a in all rows is widened by margin, but at least 0.001, times |a|, or times 1 if a = 0: a Box
// has an inside.
func BoxOf(x *mat.Dense, margin float64) *Box {
	b := bounds(x)
	for j, lo := range b.Lo {
		w := margin * (b.Hi[j] - lo)
		if b.Hi[j] == lo {
			w = max(margin, 1e-3)
			w = or(w*math.Abs(lo), w)
		}
		b.Lo[j] -= w
		b.Hi[j] += w
	}
	return b
}

// bounds returns the bounding box of the rows of x.
func bounds(x *mat.Dense) *Box {
	n, d := x.Dims()
	b := &Box{Lo: make([]float64, d), Hi: make([]float64, d)}
	for j := range d {
		b.Lo[j], b.Hi[j] = math.Inf(1), math.Inf(-1)
		for i := range n {
			b.Lo[j], b.Hi[j] = min(b.Lo[j], x.At(i, j)), max(b.Hi[j], x.At(i, j))
		}
	}
	return b
}

// Sample draws uniformly.
func (b *Box) Sample(dst *mat.Dense, rng *rand.Rand) {
	n, _ := dst.Dims()
	for i := range n {
		row := dst.RawRowView(i)
		for j := range row {
			row[j] = b.Lo[j] + (b.Hi[j]-b.Lo[j])*rng.Float64()
		}
	}
}

// LogProb stores -log volume, or -Inf outside.
func (b *Box) LogProb(dst []float64, x *mat.Dense) {
	var v float64
	for j := range b.Lo {
		v -= math.Log(b.Hi[j] - b.Lo[j])
	}
	for i := range dst {
		dst[i] = v
		for j, a := range x.RawRowView(i) {
			if !(a >= b.Lo[j] && a <= b.Hi[j]) {
				dst[i] = math.Inf(-1)
			}
		}
	}
}
