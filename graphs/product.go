package graphs

import (
	"fmt"

	G "gorgonia.org/gorgonia"
	"gorgonia.org/tensor"
)

// matmulOp is the product of two matrices, op(A)·op(B), where op transposes if the flag is set.
type matmulOp struct{ ta, tb bool }

func (o matmulOp) String() string {
	t := map[bool]string{false: "N", true: "T"}
	return "matmul" + t[o.ta] + t[o.tb]
}

func (o matmulOp) arity() int { return 2 }

// sizes returns the dimensions (m,k)·(k,n) of the product after transposition.
func (o matmulOp) sizes(a, b tensor.Shape) (m, k, n int, err error) {
	if len(a) != 2 || len(b) != 2 {
		return 0, 0, 0, fmt.Errorf("%w: want two matrices", ErrShape)
	}
	m, k = a[0], a[1]
	if o.ta {
		m, k = k, m
	}
	k2, n := b[0], b[1]
	if o.tb {
		k2, n = n, k2
	}
	if k != k2 {
		return 0, 0, 0, fmt.Errorf("%w: inner dimensions %d and %d", ErrShape, k, k2)
	}
	return m, k, n, nil
}

func (o matmulOp) shape(in []tensor.Shape) (tensor.Shape, error) {
	m, _, n, err := o.sizes(in[0], in[1])
	if err != nil {
		return nil, err
	}
	return tensor.Shape{m, n}, nil
}

func (o matmulOp) eval(dst []float64, in [][]float64, shape []tensor.Shape) {
	m, kk, n, _ := o.sizes(shape[0], shape[1])
	a, b := in[0], in[1]
	ai, ak := kk, 1 // strides of op(A)
	if o.ta {
		ai, ak = 1, m
	}
	bk, bj := n, 1
	if o.tb {
		bk, bj = 1, kk
	}
	for i := range m {
		for j := range n {
			s := 0.0
			for k := range kk {
				s += a[i*ai+k*ak] * b[k*bk+j*bj]
			}
			dst[i*n+j] = s
		}
	}
}

func (o matmulOp) vjp(in G.Nodes, _, g *G.Node, want []bool) G.Nodes {
	return o.vjpOf(MatMul, in, g, want)
}

func (o matmulOp) jvp(in G.Nodes, _ *G.Node, t G.Nodes) *G.Node { return o.jvpOf(MatMul, in, t) }

func (o matmulOp) curve(_ G.Nodes, _ *G.Node, dirs []G.Nodes) *G.Node { return o.curveOf(MatMul, dirs) }

// product is MatMul, or the same for arrays of matrices, whose derivatives are alike.
type product func(a, b *G.Node, transA, transB bool) *G.Node

func (o matmulOp) vjpOf(mul product, in G.Nodes, g *G.Node, want []bool) G.Nodes {
	a, b := in[0], in[1]
	gs := make(G.Nodes, 2)
	if want[0] { // d op(A) = g op(B)ᵀ
		if o.ta {
			gs[0] = mul(b, g, o.tb, true)
		} else {
			gs[0] = mul(g, b, false, !o.tb)
		}
	}
	if want[1] { // d op(B) = op(A)ᵀ g
		if o.tb {
			gs[1] = mul(g, a, true, o.ta)
		} else {
			gs[1] = mul(a, g, !o.ta, false)
		}
	}
	return gs
}

func (o matmulOp) jvpOf(mul product, in, t G.Nodes) *G.Node {
	var sum *G.Node
	if t[0] != nil {
		sum = mul(t[0], in[1], o.ta, o.tb)
	}
	if t[1] != nil {
		sum = plus(sum, mul(in[0], t[1], o.ta, o.tb))
	}
	return sum
}

func (o matmulOp) curveOf(mul product, dirs []G.Nodes) *G.Node {
	var sum *G.Node
	for _, t := range dirs {
		if t[0] != nil && t[1] != nil {
			sum = plus(sum, mul(t[0], t[1], o.ta, o.tb))
		}
	}
	return mapTangent(sum, func(x *G.Node) *G.Node { return Scale(x, 2) })
}

// MatMul is op(a)·op(b), where op transposes if transA, transB are set.
//
// Operands of special form are multiplied without a matrix product: constants, repeated rows and columns (ExpandRows,
// ExpandCols, Fill), unit vectors. Such operands occur at the ends of differentiated graphs.
func MatMul(a, b *G.Node, transA, transB bool) *G.Node {
	o := matmulOp{transA, transB}
	if a == nil || b == nil || a.Graph() != b.Graph() {
		return apply(o, a, b)
	}
	m, _, n, err := o.sizes(a.Shape(), b.Shape())
	if err != nil {
		return apply(o, a, b) // fails, and says why
	}
	if t, ok := inner(a); ok && t == (transposeOp{}) {
		return MatMul(operands(a)[0], b, !transA, transB)
	}
	if t, ok := inner(b); ok && t == (transposeOp{}) {
		return MatMul(a, operands(b)[0], transA, !transB)
	}
	for _, x := range []*G.Node{a, b} {
		if c, ok := constantOf(x); ok && c == 0 {
			return constant(0, tensor.Shape{m, n}, a)
		}
	}
	// colSum sums op(b) over its rows: (n); rowSum sums op(a) over its columns: (m,1).
	colSum := func() *G.Node {
		if transB {
			return Reshape(RowSum(b), n)
		}
		return ColSum(b)
	}
	rowSum := func() *G.Node {
		if transA {
			return Reshape(ColSum(a), m, 1)
		}
		return RowSum(a)
	}
	outer := func(u, v *G.Node) *G.Node { // u (m,1), v (n)
		return MatMul(u, Reshape(v, 1, n), false, false)
	}
	if c, ok := constantOf(a); ok {
		return ExpandRows(Scale(colSum(), c), m)
	}
	if c, ok := constantOf(b); ok {
		return ExpandCols(Scale(rowSum(), c), n)
	}
	if e, ok := expansionOf(a); ok {
		if e.kind == filled {
			return ExpandRows(Mul(colSum(), fill(e.x, n)), m)
		}
		switch rows := e.kind == expandedRows; {
		case rows && !transA, !rows && transA: // op(a) repeats one row v: v·op(b)
			v := Reshape(e.x, 1, e.x.Shape().TotalSize())
			return ExpandRows(Reshape(MatMul(v, b, false, transB), n), m)
		default: // op(a) repeats one column
			return outer(Reshape(e.x, m, 1), colSum())
		}
	}
	if e, ok := expansionOf(b); ok {
		if e.kind == filled {
			return ExpandCols(Mul(rowSum(), fill(e.x, m, 1)), n)
		}
		switch rows := e.kind == expandedRows; {
		case rows && !transB, !rows && transB: // op(b) repeats one row
			return outer(rowSum(), Reshape(e.x, n))
		default: // op(b) repeats one column v: op(a)·v
			v := Reshape(e.x, e.x.Shape().TotalSize(), 1)
			return ExpandCols(MatMul(a, v, transA, false), n)
		}
	}
	if u, ok := inner(a); ok && !transA {
		if u, ok := u.(unitOp); ok { // row k of op(b)
			if transB {
				return ExpandRows(Reshape(SliceCols(b, u.k, u.k+1), n), m)
			}
			return ExpandRows(Reshape(SliceRows(b, u.k, u.k+1), n), m)
		}
	}
	return apply(o, a, b)
}

// affineOp is x wᵀ + b, with x (n,i), w (o,i), b (o).
type affineOp struct{}

func (affineOp) String() string { return "affine" }
func (affineOp) arity() int     { return 3 }

func (affineOp) shape(in []tensor.Shape) (tensor.Shape, error) {
	x, w, b := in[0], in[1], in[2]
	if len(x) != 2 || len(w) != 2 || len(b) != 1 || x[1] != w[1] || w[0] != b[0] {
		return nil, fmt.Errorf("%w: want (n,i), (o,i), (o)", ErrShape)
	}
	return tensor.Shape{x[0], w[0]}, nil
}

func (affineOp) eval(dst []float64, in [][]float64, shape []tensor.Shape) {
	matmulOp{tb: true}.eval(dst, in[:2], shape[:2])
	o := shape[1][0]
	for i := range dst {
		dst[i] += in[2][i%o]
	}
}

func (affineOp) vjp(in G.Nodes, _, g *G.Node, want []bool) G.Nodes {
	gs := make(G.Nodes, 3)
	if want[0] {
		gs[0] = MatMul(g, in[1], false, false)
	}
	if want[1] {
		gs[1] = MatMul(g, in[0], true, false)
	}
	if want[2] {
		gs[2] = ColSum(g)
	}
	return gs
}

func (affineOp) jvp(in G.Nodes, out *G.Node, t G.Nodes) *G.Node {
	sum := matmulOp{tb: true}.jvpOf(MatMul, in[:2], t[:2])
	if t[2] != nil {
		sum = plus(sum, ExpandRows(t[2], out.Shape()[0]))
	}
	return sum
}

func (affineOp) curve(_ G.Nodes, _ *G.Node, dirs []G.Nodes) *G.Node {
	pairs := make([]G.Nodes, len(dirs))
	for k, t := range dirs {
		pairs[k] = t[:2]
	}
	return matmulOp{tb: true}.curveOf(MatMul, pairs)
}

// Affine is x wᵀ + b for x (n,i), w (o,i), b (o): a layer with the weights of PyTorch's nn.Linear. The result is (n,o).
func Affine(x, w, b *G.Node) *G.Node { return apply(affineOp{}, x, w, b) }
