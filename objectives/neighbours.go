package objectives

import (
	"math/rand/v2"

	"gonum.org/v1/gonum/mat"
	G "gorgonia.org/gorgonia"

	"github.com/stheno-ebm/stheno/graphs"
)

// neighbourhood is M points y_ij at distances of about σ around every point x_i of the batch, in row i·M+j.
type neighbourhood struct {
	sigma float64
	m     int
}

func (f neighbourhood) Inputs(n, d int) []Input {
	return []Input{{Name: "neighbours", Shape: []int{n * f.m, d}}}
}

// jumpsOf is the set of displacements from one point of a set to another, x_j - x_k with independent j and k. Their
// distribution is symmetric and independent of the starting point, which is all that cnce and mpf require of a
// perturbation, and they lead from mode to mode where Gaussian ones of any size mostly lead nowhere: with Gaussian ones
// alone, mode weights on 8gaussians were 0.043 (cnce) and 0.053 (mpf) off in total variation.
type jumpsOf struct{ data *mat.Dense } // nil: none

// add stores x plus a jump in dst, or nothing without data.
func (s jumpsOf) add(dst, x []float64, rng *rand.Rand) {
	if s.data == nil {
		return
	}
	n, _ := s.data.Dims()
	a, b := s.data.RawRowView(rng.IntN(n)), s.data.RawRowView(rng.IntN(n))
	for t := range dst {
		dst[t] = x[t] + a[t] - b[t]
	}
}

// differences builds E(x_i) - E(y_ij) (n, m) for y (n·m, d). Each datum is next to its neighbours in one batch, so that
// sums over the batch combine nearly cancelling terms before rounding.
func differences(b *Builder, y *G.Node, m int) *G.Node {
	u := together(b, b.X, y, m)
	return graphs.Sub(graphs.ExpandCols(graphs.SliceCols(u, 0, 1), m), graphs.SliceCols(u, 1, m+1))
}

// together builds E(x_i), E(y_i1) … E(y_im) (n, 1+m), in one batch in this order.
func together(b *Builder, x, y *G.Node, m int) *G.Node {
	rows := graphs.ConcatCols(x, graphs.Reshape(y, b.N, m*b.D))
	return graphs.Reshape(b.E(graphs.Reshape(rows, b.N*(m+1), b.D)), b.N, m+1)
}
