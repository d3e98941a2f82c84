package graphs

import (
	"fmt"

	G "gorgonia.org/gorgonia"
	"gorgonia.org/tensor"

	"github.com/stheno-ebm/stheno/graphs/internal/ir"
	"github.com/stheno-ebm/stheno/graphs/internal/kernels"
)

// lowering translates nodes to instructions. A tensor becomes a matrix: a scalar is (1,1), a vector (n) the row (1,n), a
// tensor of more than two dimensions the row of all its elements.
type lowering struct {
	to *ir.Graph
	at map[*G.Node]ir.ID
	dt tensor.Dtype
}

// flat returns the rows and columns of the matrix that stands for a tensor of shape s.
func flat(s tensor.Shape) (rows, cols int) {
	switch len(s) {
	case 0:
		return 1, 1
	case 1:
		return 1, s[0]
	case 2:
		return s[0], s[1]
	}
	return 1, s.TotalSize()
}

// node lowers n, whose operands are lowered already; in are its operands.
func (l *lowering) node(n *G.Node, in G.Nodes) (ir.ID, error) {
	if own, ok := ownOp(n); ok {
		args := make([]ir.ID, len(in))
		for i, c := range in {
			args[i] = l.at[c] // an anchor has none; nobody asks for it
		}
		return l.own(n, own, in, args), nil
	}
	if len(in) == 0 && (n.Op() == nil || !volatile(n.Op())) {
		return l.leaf(n)
	}
	return l.builtin(n, in)
}

// leaf lowers a node without operands that is not an input: a constant.
func (l *lowering) leaf(n *G.Node) (ir.ID, error) {
	if n.Op() == nil {
		return 0, fmt.Errorf("graphs: Compile: the outputs depend on input %q, which is not among the inputs", n.Name())
	}
	v := n.Value()
	if v == nil {
		return 0, fmt.Errorf("graphs: Compile: %v has no value", n)
	}
	x, err := readValue(v)
	if err != nil {
		return 0, fmt.Errorf("graphs: Compile: %v: %w", n, err)
	}
	r, c := flat(n.Shape())
	if len(x) != r*c {
		return 0, fmt.Errorf("graphs: Compile: %v has shape %v but a value of %d elements", n, n.Shape(), len(x))
	}
	return l.to.Data(r, c, append([]float64(nil), x...)), nil
}

// kernelOf maps our functions to the kernels'.
var kernelOf = map[fn]kernels.Func{
	fnSiLU: kernels.SiLU, fnTanh: kernels.Tanh, fnSigmoid: kernels.Sigmoid, fnSoftplus: kernels.Softplus, fnGELU: kernels.GELU,
	fnReLU: kernels.ReLU, fnAbs: kernels.Abs, fnSign: kernels.Sign, fnSquare: kernels.Square, fnExp: kernels.Exp, fnLog: kernels.Log,
	fnSqrt: kernels.Sqrt, fnReciprocal: kernels.Reciprocal, fnSin: kernels.Sin, fnCos: kernels.Cos,
}

// own lowers one of our operations.
func (l *lowering) own(n *G.Node, own operation, in G.Nodes, a []ir.ID) ir.ID {
	g := l.to
	rows, cols := flat(n.Shape())
	switch o := own.(type) {
	case constOp:
		return g.Const(rows, cols, o.c)
	case unitOp:
		v := make([]float64, o.d)
		v[o.k] = 1
		return g.ExpandRows(g.Data(1, o.d, v), o.n)
	case binaryOp:
		switch o.kind {
		case add:
			return g.Add(a[0], a[1])
		case sub:
			return g.Sub(a[0], a[1])
		case mul:
			return g.Mul(a[0], a[1])
		default:
			return g.Div(a[0], a[1])
		}
	case scaleOp:
		return g.Scale(a[0], o.c)
	case shiftOp:
		return g.Shift(a[0], o.c)
	case unaryOp:
		return l.unary(o, a[0])
	case matmulOp:
		return g.MatMul(a[0], a[1], o.ta, o.tb)
	case affineOp:
		return g.Add(g.MatMul(a[0], a[1], false, true), g.ExpandRows(a[2], rows))
	case rowSumOp:
		return g.RowSum(a[0])
	case colSumOp:
		return g.ColSum(a[0])
	case sumOp:
		return g.Sum(a[0])
	case expandColsOp:
		return g.ExpandCols(a[0], o.m)
	case expandRowsOp:
		return g.ExpandRows(a[0], o.n)
	case fillOp:
		return g.Fill(g.Reshape(a[0], 1, 1), rows, cols)
	case transposeOp:
		return g.Transpose(a[0])
	case reshapeOp:
		return g.Reshape(a[0], rows, cols)
	case sliceOp:
		if o.axis == 1 || n.Dims() == 1 {
			return g.SliceCols(a[0], o.lo, o.hi)
		}
		return g.SliceRows(a[0], o.lo, o.hi)
	case padOp:
		if o.axis == 1 || n.Dims() == 1 {
			return g.PadCols(a[0], o.before, o.after)
		}
		return g.PadRows(a[0], o.before, o.after)
	case concatOp:
		if o.axis == 1 || n.Dims() == 1 {
			return g.Concat(ir.ConcatCols, a...)
		}
		return g.Concat(ir.ConcatRows, a...)
	case rowLogSumExpOp:
		return g.RowFn(ir.RowLSE, a[0])
	case rowSoftmaxOp:
		return g.RowFn(ir.RowSoftmax, a[0])
	}
	r := &evalRunner{op: own}
	for _, c := range in {
		r.shapes = append(r.shapes, c.Shape())
	}
	return g.Opaque(r, fmt.Sprint(own, r.shapes), false, rows, cols, a...)
}

func (l *lowering) unary(o unaryOp, a ir.ID) ir.ID {
	switch {
	case o.fn == fnStep:
		return l.to.Unary(kernels.ReLU, 1, 0, "", nil, a)
	case o.fn == fnPow:
		return l.to.Unary(ir.Pow, o.order, o.p, "", nil, a)
	}
	if f, ok := kernelOf[o.fn]; ok {
		return l.to.Unary(f, o.order, 0, "", nil, a)
	}
	return l.to.Unary(ir.Scalar, 0, 0, o.String(), o.scalar(), a)
}

// evalRunner runs an operation that has no instruction by its reference.
type evalRunner struct {
	op     operation
	shapes []tensor.Shape
}

func (r *evalRunner) Label() string { return r.op.String() }

func (r *evalRunner) Run64(dst []float64, args [][]float64) error {
	r.op.eval(dst, args, r.shapes)
	return nil
}

func (r *evalRunner) Run32(dst []float32, args [][]float32) error {
	in := make([][]float64, len(args))
	for i, a := range args {
		in[i] = make([]float64, len(a))
		kernels.ToFloat64(in[i], a)
	}
	out := make([]float64, len(dst))
	r.op.eval(out, in, r.shapes)
	kernels.ToFloat32(dst, out)
	return nil
}
