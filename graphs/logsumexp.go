package graphs

import (
	"math"

	G "gorgonia.org/gorgonia"
	"gorgonia.org/tensor"
)

// rowLogSumExpOp is log Σ_j exp x_ij of every row: (n,m) → (n,1).
type rowLogSumExpOp struct{}

func (rowLogSumExpOp) String() string { return "rowlogsumexp" }
func (rowLogSumExpOp) arity() int     { return 1 }

func (rowLogSumExpOp) shape(in []tensor.Shape) (tensor.Shape, error) { return rowSumOp{}.shape(in) }

func (rowLogSumExpOp) eval(dst []float64, in [][]float64, shape []tensor.Shape) {
	m := shape[0][1]
	for i := range dst {
		row := in[0][i*m : (i+1)*m]
		top := math.Inf(-1)
		for _, x := range row {
			top = math.Max(top, x)
		}
		if math.IsInf(top, 0) || math.IsNaN(top) { // all -Inf, or +Inf present, or NaN
			dst[i] = top
			continue
		}
		s := 0.0
		for _, x := range row {
			s += math.Exp(x - top)
		}
		dst[i] = top + math.Log(s)
	}
}

func (rowLogSumExpOp) vjp(in G.Nodes, _, g *G.Node, _ []bool) G.Nodes {
	return G.Nodes{Mul(ExpandCols(g, in[0].Shape()[1]), RowSoftmax(in[0]))}
}

func (rowLogSumExpOp) jvp(in G.Nodes, _ *G.Node, t G.Nodes) *G.Node {
	return mapTangent(t[0], func(x *G.Node) *G.Node { return RowSum(Mul(RowSoftmax(in[0]), x)) })
}

// curve is the variance of t under the softmax s of the row: Σ s t² - (Σ s t)².
func (rowLogSumExpOp) curve(in G.Nodes, _ *G.Node, dirs []G.Nodes) *G.Node {
	s := RowSoftmax(in[0])
	var sum *G.Node
	for _, t := range dirs {
		if t[0] != nil {
			mean := RowSum(Mul(s, t[0]))
			sum = plus(sum, RowSum(Mul(s, Square(Sub(t[0], ExpandCols(mean, t[0].Shape()[1]))))))
		}
	}
	return sum
}

// RowLogSumExp is log Σ_j exp x_ij of every row, without overflow: (n,m) → (n,1).
func RowLogSumExp(x *G.Node) *G.Node {
	need(rowLogSumExpOp{}, x)
	if s := x.Shape(); len(s) == 2 && s[1] == 1 {
		return x
	}
	return apply(rowLogSumExpOp{}, x)
}

// rowSoftmaxOp is exp(x_ij)/Σ_k exp x_ik: (n,m) → (n,m).
type rowSoftmaxOp struct{}

func (rowSoftmaxOp) String() string { return "rowsoftmax" }
func (rowSoftmaxOp) arity() int     { return 1 }

func (rowSoftmaxOp) shape(in []tensor.Shape) (tensor.Shape, error) {
	if err := matrix(in[0]); err != nil {
		return nil, err
	}
	return in[0].Clone(), nil
}

func (rowSoftmaxOp) eval(dst []float64, in [][]float64, shape []tensor.Shape) {
	m := shape[0][1]
	for i := range shape[0][0] {
		row, out := in[0][i*m:(i+1)*m], dst[i*m:(i+1)*m]
		top := math.Inf(-1)
		for _, x := range row {
			top = math.Max(top, x)
		}
		s := 0.0
		for j, x := range row {
			out[j] = math.Exp(x - top)
			s += out[j]
		}
		for j := range out {
			out[j] /= s
		}
	}
}

// vjp is s ⊙ (g - Σ s g).
func (rowSoftmaxOp) vjp(_ G.Nodes, s, g *G.Node, _ []bool) G.Nodes {
	return G.Nodes{Mul(s, centred(s, g))}
}

func (rowSoftmaxOp) jvp(_ G.Nodes, s *G.Node, t G.Nodes) *G.Node {
	return mapTangent(t[0], func(x *G.Node) *G.Node { return Mul(s, centred(s, x)) })
}

// centred is x minus its mean under the weights s, row by row.
func centred(s, x *G.Node) *G.Node {
	return Sub(x, ExpandCols(RowSum(Mul(s, x)), x.Shape()[1]))
}

// curve is s ⊙ (c² - Σ s c²) with c = t - Σ s t.
func (rowSoftmaxOp) curve(_ G.Nodes, s *G.Node, dirs []G.Nodes) *G.Node {
	var squares *G.Node
	for _, t := range dirs {
		if t[0] != nil {
			squares = plus(squares, Square(centred(s, t[0])))
		}
	}
	return mapTangent(squares, func(c *G.Node) *G.Node { return Mul(s, centred(s, c)) })
}

// RowSoftmax is exp(x_ij)/Σ_k exp x_ik, without overflow: (n,m) → (n,m).
func RowSoftmax(x *G.Node) *G.Node { return apply(rowSoftmaxOp{}, x) }
