// Package batch checks the shapes of batches. Wrong shapes are the mistake of a programmer, and panic.
package batch

import "gonum.org/v1/gonum/mat"

// The panics.
const (
	BadDim   = "density: number of columns differs from the dimension of the density"
	BadRows  = "density: number of rows differs from the length of dst"
	BadShape = "density: dst and x differ in shape"
)

// LogProb panics unless dst and x fit a density of dimension dim.
func LogProb(dst []float64, x *mat.Dense, dim int) {
	n, d := x.Dims()
	if d != dim {
		panic(BadDim)
	}
	if n != len(dst) {
		panic(BadRows)
	}
}

// Score panics unless dst and x fit a density of dimension dim.
func Score(dst, x *mat.Dense, dim int) {
	n, d := x.Dims()
	m, e := dst.Dims()
	if d != dim {
		panic(BadDim)
	}
	if n != m || d != e {
		panic(BadShape)
	}
}

// Sample panics unless dst has dim columns.
func Sample(dst *mat.Dense, dim int) {
	if _, d := dst.Dims(); d != dim {
		panic(BadDim)
	}
}
