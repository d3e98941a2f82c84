package graphs

import (
	"fmt"
	"math"
	"slices"

	G "gorgonia.org/gorgonia"
	"gorgonia.org/tensor"

	"github.com/stheno-ebm/stheno/graphs/internal/ir"
)

// rowSparsemaxOp is the Euclidean projection of every row on the simplex: max(x - τ, 0) with the τ for which the sum is
// 1. It is piecewise linear: with s the support of the result, 1 or 0,
//
//	J t = s ⊙ (t - Σ s t / Σ s),
//
// and every higher derivative vanishes. At the edge of the support J is the one for which the elements are outside.
//
// Martins and Astudillo, From softmax to sparsemax, ICML 2016.
type rowSparsemaxOp struct{ linear }

func (rowSparsemaxOp) String() string { return "rowsparsemax" }
func (rowSparsemaxOp) arity() int     { return 1 }

func (rowSparsemaxOp) shape(in []tensor.Shape) (tensor.Shape, error) {
	return rowSoftmaxOp{}.shape(in)
}

func (rowSparsemaxOp) eval(dst []float64, in [][]float64, shape []tensor.Shape) {
	m := shape[0][1]
	sorted := make([]float64, m)
	for i := range shape[0][0] {
		row, out := in[0][i*m:(i+1)*m], dst[i*m:(i+1)*m]
		copy(sorted, row)
		slices.SortFunc(sorted, func(a, b float64) int {
			switch {
			case a > b:
				return -1
			case a < b:
				return 1
			}
			return 0
		})
		sum, tau := 0.0, 0.0
		for k, x := range sorted { // the support are the k largest for which x_k > (Σ_{j≤k} x_j - 1)/k
			if sum += x; float64(k+1)*x > sum-1 {
				tau = (sum - 1) / float64(k+1)
			}
		}
		for j, x := range row {
			out[j] = math.Max(x-tau, 0)
		}
	}
}

// project is J t.
func (rowSparsemaxOp) project(out, t *G.Node) *G.Node {
	m := out.Shape()[1]
	s := unary(unaryOp{fn: fnStep}, out)
	return Mul(s, Sub(t, ExpandCols(Div(RowSum(Mul(s, t)), RowSum(s)), m)))
}

func (o rowSparsemaxOp) vjp(_ G.Nodes, out, g *G.Node, _ []bool) G.Nodes {
	return G.Nodes{o.project(out, g)}
}

func (o rowSparsemaxOp) jvp(_ G.Nodes, out *G.Node, t G.Nodes) *G.Node {
	return mapTangent(t[0], func(x *G.Node) *G.Node { return o.project(out, x) })
}

// sparsemax lowers Gorgonia's operation, see translateSparsemax.
func (b *builtinOp) sparsemax() (ir.ID, bool) {
	x, s := b.args[0], b.in[0].Shape()
	switch {
	case len(s) == 0 || b.Axis > 1 || b.Axis >= 0 && len(s) != 2:
		return 0, false
	case b.Axis == 0:
		x, s = b.g.Transpose(x), tensor.Shape{s[1], s[0]}
	}
	last := s[len(s)-1]
	rows := tensor.Shape{s.TotalSize() / last, last}
	o := rowSparsemaxOp{}
	r := &evalRunner{op: o, shapes: []tensor.Shape{rows}}
	return b.reshaped(b.g.Opaque(r, fmt.Sprint(o, rows), false, rows[0], rows[1], b.g.Reshape(x, rows[0], rows[1])))
}
