package graphs

import (
	"math"
	"slices"
	"strings"

	G "gorgonia.org/gorgonia"
	"gorgonia.org/tensor"

	"github.com/stheno-ebm/stheno/graphs/internal/gorgonia"
	"github.com/stheno-ebm/stheno/graphs/internal/ir"
	"github.com/stheno-ebm/stheno/graphs/internal/kernels"
	"github.com/stheno-ebm/stheno/graphs/internal/strided"
)

// builtinOp is a node with a Gorgonia operation, to be lowered to instructions.
type builtinOp struct {
	gorgonia.Op
	g          *ir.Graph
	in         G.Nodes
	args       []ir.ID
	shape      tensor.Shape // of the result
	rows, cols int          // it as a matrix
}

// native lowers n to instructions. It reports false if there are none for it.
func (l *lowering) native(n *G.Node, in G.Nodes, args []ir.ID) (ir.ID, bool) {
	b := &builtinOp{Op: gorgonia.Read(n.Op()), g: l.to, in: in, args: args, shape: n.Shape()}
	b.rows, b.cols = flat(n.Shape())
	if b.Kind == gorgonia.ByIndices && isFloat(n.Dtype()) && in[1].Dtype() == tensor.Int {
		t := takenBy(b.Op, in)
		return l.to.Opaque(&evalRunner{op: t}, t.String(), false, b.rows, b.cols, args...), true
	}
	if !isFloat(n.Dtype()) && b.Kind.Family() != gorgonia.Compare {
		return 0, false
	}
	for _, c := range in {
		if !isFloat(c.Dtype()) {
			return 0, false
		}
	}
	switch b.Kind.Family() {
	case gorgonia.Unary:
		return b.unary()
	case gorgonia.Binary, gorgonia.Compare:
		return b.binary()
	case gorgonia.Product:
		return b.product()
	}
	switch b.Kind {
	case gorgonia.Sum:
		return b.sum()
	case gorgonia.Max:
		return b.max()
	case gorgonia.Transpose:
		return b.transpose()
	case gorgonia.Reshape:
		return b.reshaped(b.args[0])
	case gorgonia.Concat:
		return b.concat()
	case gorgonia.Slice:
		return b.slice()
	case gorgonia.SliceGrad:
		return b.sliceGrad()
	case gorgonia.Size:
		return b.size()
	case gorgonia.Repeat:
		return b.repeat()
	case gorgonia.Softmax:
		return b.softmax()
	case gorgonia.SoftmaxGrad:
		return b.softmaxGrad()
	case gorgonia.Sparsemax: // elsewhere its own code runs, whose rounding its tests know
		if l.still {
			return b.sparsemax()
		}
	}
	return b.layer()
}

// reshaped gives id the shape of the result.
func (b *builtinOp) reshaped(id ir.ID) (ir.ID, bool) {
	if b.g.At(id).Len() != b.rows*b.cols {
		return 0, false
	}
	return b.g.Reshape(id, b.rows, b.cols), true
}

// elements is the number of elements of operand i.
func (b *builtinOp) elements(i int) int { return b.in[i].Shape().TotalSize() }

// functions are the element-wise functions that have kernels.
var functions = map[gorgonia.Kind]kernels.Func{
	gorgonia.Abs: kernels.Abs, gorgonia.Sign: kernels.Sign, gorgonia.Sin: kernels.Sin, gorgonia.Cos: kernels.Cos,
	gorgonia.Exp: kernels.Exp, gorgonia.Log: kernels.Log, gorgonia.Neg: kernels.Neg, gorgonia.Square: kernels.Square,
	gorgonia.Sqrt: kernels.Sqrt, gorgonia.Inverse: kernels.Reciprocal, gorgonia.Tanh: kernels.Tanh,
	gorgonia.Sigmoid: kernels.Sigmoid, gorgonia.Softplus: kernels.Softplus,
}

// scalars are the functions computed element by element.
var scalars = map[gorgonia.Kind]func(float64) float64{
	gorgonia.Ceil: math.Ceil, gorgonia.Floor: math.Floor, gorgonia.Log1p: math.Log1p, gorgonia.Expm1: math.Expm1,
}

// unary lowers element-wise functions.
func (b *builtinOp) unary() (ir.ID, bool) {
	g, a := b.g, b.args[0]
	if f, ok := functions[b.Kind]; ok {
		return g.Unary(f, 0, a), true
	}
	if f, ok := scalars[b.Kind]; ok {
		return g.Func(strings.ToLower(b.Kind.String()), f, a), true
	}
	switch b.Kind {
	case gorgonia.Log2:
		return g.Scale(g.Unary(kernels.Log, 0, a), 1/math.Ln2), true
	case gorgonia.InverseSqrt:
		return g.Unary(kernels.Reciprocal, 0, g.Unary(kernels.Sqrt, 0, a)), true
	case gorgonia.Cube:
		return g.Pow(3, 0, a), true
	}
	return 0, false
}

// relations are the comparisons.
var relations = map[gorgonia.Kind]ir.Relation{
	gorgonia.Lt: ir.Lt, gorgonia.Lte: ir.Le, gorgonia.Gt: ir.Gt, gorgonia.Gte: ir.Ge, gorgonia.Eq: ir.Eq,
	gorgonia.Ne: ir.Ne,
}

// binary lowers element-wise operations on two operands of one shape, or a tensor and a scalar.
func (b *builtinOp) binary() (ir.ID, bool) {
	g, x, y := b.g, b.args[0], b.args[1]
	switch dx, dy := b.in[0].Dims(), b.in[1].Dims(); {
	case dx == 0 && dy > 0:
		x = g.Fill(g.Reshape(x, 1, 1), b.rows, b.cols)
	case dy == 0 && dx > 0:
		y = g.Fill(g.Reshape(y, 1, 1), b.rows, b.cols)
	}
	x, ok1 := b.reshaped(x)
	y, ok2 := b.reshaped(y)
	if !ok1 || !ok2 {
		return 0, false
	}
	switch b.Kind {
	case gorgonia.Add:
		return g.Add(x, y), true
	case gorgonia.Sub:
		return g.Sub(x, y), true
	case gorgonia.Mul:
		return g.Mul(x, y), true
	case gorgonia.Div:
		return g.Div(x, y), true
	case gorgonia.MaxBetween:
		return g.Max(x, y), true
	case gorgonia.MinBetween:
		return g.Min(x, y), true
	case gorgonia.Pow:
		return g.Power(x, y), true
	}
	rel, ok := relations[b.Kind]
	if !ok {
		return 0, false
	}
	return g.Compare(rel, x, y), true
}

// product lowers products of matrices and vectors. Products with mismatched operands, which gorgonia.Grad makes of an
// OuterProd, have no instruction: their own code reports the error at run time.
func (b *builtinOp) product() (ir.ID, bool) {
	g, x, y := b.g, b.args[0], b.args[1]
	dx, dy := b.in[0].Dims(), b.in[1].Dims()
	switch n := b.elements(0); {
	case b.Kind == gorgonia.MatMul && dx == 2 && dy == 2: // A × B
		return b.matmul(x, y, b.TransA, b.TransB)
	case b.Kind == gorgonia.MatVec && dx == 2 && dy == 1: // A × b
		return b.matmul(x, y, b.TransA, true)
	case b.Kind == gorgonia.Dot && n == b.elements(1): // a ⋅ b
		return b.reshaped(g.Sum(g.Mul(g.Reshape(x, 1, n), g.Reshape(y, 1, n))))
	case b.Kind == gorgonia.Outer && dx == 1 && dy == 1: // a ⊗ b
		return b.matmul(g.Reshape(x, n, 1), y, false, false)
	case b.Kind == gorgonia.BatchedMatMul && dx > 2 && dx == dy:
		return b.batched()
	case b.Kind == gorgonia.Tensordot:
		return b.tensordot()
	}
	return 0, false
}

func (b *builtinOp) matmul(x, y ir.ID, tx, ty bool) (ir.ID, bool) {
	size := func(a ir.ID, t bool) tensor.Shape {
		if in := b.g.At(a); !t {
			return tensor.Shape{in.Rows, in.Cols}
		}
		in := b.g.At(a)
		return tensor.Shape{in.Cols, in.Rows}
	}
	if sx, sy := size(x, tx), size(y, ty); sx[1] != sy[0] || sx[0]*sy[1] != b.rows*b.cols {
		return 0, false
	}
	return b.reshaped(b.g.MatMul(x, y, tx, ty))
}

// axes reports whether what is reduced along are axes of operand 0, which has some.
func (b *builtinOp) axes() bool {
	d := b.in[0].Dims()
	return d > 0 && len(b.Axes) > 0 && !slices.ContainsFunc(b.Axes, func(a int) bool { return a < 0 || a >= d })
}

func (b *builtinOp) sum() (ir.ID, bool) {
	switch {
	case b.in[0].Dims() == 0:
		return b.reshaped(b.args[0])
	case !b.axes():
		return 0, false
	}
	v := strided.Reduction(b.in[0].Shape(), b.Axes)
	if v.Size != b.rows*b.cols {
		return 0, false
	}
	return b.g.Scatter(b.args[0], v, b.rows, b.cols), true
}

func (b *builtinOp) max() (ir.ID, bool) {
	s := b.in[0].Shape()
	switch {
	case len(s) == 0:
		return b.reshaped(b.args[0])
	case !b.axes():
		return 0, false
	}
	pattern, before, of := axesLast(s, b.Axes)
	return b.reshaped(b.g.RowMax(b.g.Reshape(b.permuted(b.args[0], s, pattern), before, of)))
}

// permuted exchanges the axes of an array of shape s: axis i of the result is axis pattern[i].
func (b *builtinOp) permuted(x ir.ID, s tensor.Shape, pattern []int) ir.ID {
	v, to := permutation(s, pattern)
	rows, cols := flat(to)
	return b.g.Gather(x, v, rows, cols)
}

func (b *builtinOp) transpose() (ir.ID, bool) {
	if len(b.Axes) != b.in[0].Dims() {
		return 0, false
	}
	return b.reshaped(b.permuted(b.args[0], b.in[0].Shape(), b.Axes))
}

// batched lowers products of the matrices on the last two axes.
func (b *builtinOp) batched() (ir.ID, bool) {
	rows := func(i int) ir.ID {
		s := b.in[i].Shape()
		last := s[len(s)-1]
		return b.g.Reshape(b.args[i], s.TotalSize()/last, last)
	}
	sa, sb := b.in[0].Shape(), b.in[1].Shape()
	d := len(sa) - 2
	s, err := matmulOp{b.TransA, b.TransB}.shape([]tensor.Shape{sa[d:], sb[d:]})
	if n := sa[:d].TotalSize(); err == nil && slices.Equal(sa[:d], sb[:d]) && n*s.TotalSize() == b.rows*b.cols {
		return b.reshaped(b.g.BatchMatMul(rows(0), rows(1), n, b.TransA, b.TransB))
	}
	return 0, false
}

// tensordot lowers a contraction: contracted axes moved last in a and first in b, then a matrix product.
func (b *builtinOp) tensordot() (ir.ID, bool) {
	sa, sb := b.in[0].Shape(), b.in[1].Shape()
	// a scalar comes as an array there
	if len(b.Axes) != len(b.AxesB) || len(sa) == 0 || len(sb) == 0 || len(b.shape) == 0 {
		return 0, false
	}
	k := 1
	for i, a := range b.Axes {
		if a < 0 || a >= len(sa) || b.AxesB[i] < 0 || b.AxesB[i] >= len(sb) || sa[a] != sb[b.AxesB[i]] {
			return 0, false
		}
		k *= sa[a]
	}
	m, n := sa.TotalSize()/k, sb.TotalSize()/k
	if m*n != b.rows*b.cols {
		return 0, false
	}
	x := b.permuted(b.args[0], sa, append(free(sa, b.Axes), b.Axes...))
	y := b.permuted(b.args[1], sb, append(slices.Clone(b.AxesB), free(sb, b.AxesB)...))
	return b.matmul(b.g.Reshape(x, m, k), b.g.Reshape(y, k, n), false, false)
}

func (b *builtinOp) concat() (ir.ID, bool) {
	axis, d := b.Axis, len(b.shape)
	if d == 0 || axis < 0 || axis >= d {
		return 0, false
	}
	before := b.shape[:axis].TotalSize()
	parts := make([]ir.ID, len(b.in))
	for i, c := range b.in {
		if c.Dims() != d {
			return 0, false
		}
		parts[i] = b.g.Reshape(b.args[i], before, c.Shape().TotalSize()/before)
	}
	if d == 2 && axis == 0 {
		return b.g.ConcatRows(b.args...), true
	}
	return b.reshaped(b.g.ConcatCols(parts...))
}

func (b *builtinOp) slice() (ir.ID, bool) {
	s := b.in[0].Shape()
	v, to, ok := sliced(b.Op, s)
	switch {
	case !ok || to.TotalSize() != b.rows*b.cols:
		return 0, false
	case len(s) > 2 || b.Range.Step > 1:
		return b.g.Gather(b.args[0], v, b.rows, b.cols), true
	case len(s) == 2 && b.Axis == 0:
		return b.reshaped(b.g.SliceRows(b.args[0], v.Offset/s[1], v.Offset/s[1]+to[0]))
	}
	return b.reshaped(b.g.SliceCols(b.args[0], v.Offset, v.Offset+to[b.Axis]))
}

// sliceGrad lowers the gradient of a slice: zeros around operand 1.
func (b *builtinOp) sliceGrad() (ir.ID, bool) {
	s := b.in[0].Shape()
	v, to, ok := sliced(b.Op, s)
	r, c := flat(s)
	switch x := b.args[1]; {
	case !ok || b.elements(1) != to.TotalSize():
		return 0, false
	case len(s) > 2 || b.Range.Step > 1:
		return b.g.Put(x, v, 0, r, c), true
	case len(s) == 2 && b.Axis == 0:
		lo := v.Offset / c
		return b.g.PadRows(b.g.Reshape(x, to[0], c), lo, r-lo-to[0]), true
	default:
		w := to[b.Axis]
		return b.g.PadCols(b.g.Reshape(x, r, w), v.Offset, c-v.Offset-w), true
	}
}

// size lowers the length of an axis.
func (b *builtinOp) size() (ir.ID, bool) {
	axis, s := b.Axis, b.in[0].Shape()
	switch {
	case axis < 0 || len(s) > 0 && axis >= len(s):
		return 0, false
	case len(s) == 0:
		return b.g.Const(1, 1, 1), true
	}
	return b.g.Const(1, 1, float64(s[axis])), true
}

func (b *builtinOp) repeat() (ir.ID, bool) {
	x, s, to, axis := b.args[0], b.in[0].Shape(), b.shape, b.Axis
	switch n := s.TotalSize(); {
	case n == b.rows*b.cols:
		return b.reshaped(x)
	case n == 1:
		return b.g.Fill(b.g.Reshape(x, 1, 1), b.rows, b.cols), true
	case axis < 0 || axis >= len(to):
		return 0, false
	}
	length := 1 // of the axis in x, which may lack it
	if axis < len(s) {
		length = s[axis]
	}
	if to[axis]%length != 0 || s.TotalSize()*(to[axis]/length) != b.rows*b.cols {
		return 0, false
	}
	return b.g.Gather(x, repeated(to, axis, to[axis]/length), b.rows, b.cols), true
}

// softmaxRows moves the axis of a softmax to the end: operand i as a matrix whose rows run along it.
func (b *builtinOp) softmaxRows(i, axis int) ir.ID {
	pattern, before, of := axesLast(b.shape, []int{axis})
	return b.g.Reshape(b.permuted(b.args[i], b.shape, pattern), before, of)
}

// softmaxBack undoes softmaxRows.
func (b *builtinOp) softmaxBack(y ir.ID, axis int) (ir.ID, bool) {
	pattern, _, _ := axesLast(b.shape, []int{axis})
	inverse, moved := make([]int, len(pattern)), make(tensor.Shape, len(pattern))
	for i, p := range pattern {
		inverse[p], moved[i] = i, b.shape[p]
	}
	return b.reshaped(b.permuted(y, moved, inverse))
}

func (b *builtinOp) softmax() (ir.ID, bool) {
	axis := softmaxAxis(b.Op, b.shape)
	if axis < 0 {
		return 0, false
	}
	g, x := b.g, b.softmaxRows(0, axis)
	if !b.Log {
		return b.softmaxBack(g.RowSoftmax(x), axis)
	}
	return b.softmaxBack(g.Sub(x, g.ExpandCols(g.RowLSE(x), g.At(x).Cols)), axis)
}

// softmaxGrad lowers the gradient of a softmax, of its operand, its result y and the gradient in y.
func (b *builtinOp) softmaxGrad() (ir.ID, bool) {
	axis := softmaxAxis(b.Op, b.shape)
	if axis < 0 {
		return 0, false
	}
	g, y, grad := b.g, b.softmaxRows(1, axis), b.softmaxRows(2, axis)
	cols := g.At(y).Cols
	if b.Log { // grad − e^y Σ grad
		return b.softmaxBack(g.Sub(grad, g.Mul(g.Unary(kernels.Exp, 0, y), g.ExpandCols(g.RowSum(grad), cols))), axis)
	}
	sum := g.ExpandCols(g.RowSum(g.Mul(y, grad)), cols)
	return b.softmaxBack(g.Mul(y, g.Sub(grad, sum)), axis) // y ∘ (grad − Σ y grad)
}
