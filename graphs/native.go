package graphs

import (
	"math"
	"strings"

	G "gorgonia.org/gorgonia"
	"gorgonia.org/tensor"

	"github.com/stheno-ebm/stheno/graphs/internal/gorgonia"
	"github.com/stheno-ebm/stheno/graphs/internal/ir"
	"github.com/stheno-ebm/stheno/graphs/internal/kernels"
)

// builtinOp is a node with an operation of Gorgonia's, about to be lowered to instructions.
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
		return b.reduce(b.g.RowSum, b.g.ColSum, b.g.Sum)
	case gorgonia.Max:
		rowMax := func(x ir.ID) ir.ID { return b.g.RowFn(ir.RowMax, x) }
		return b.reduce(rowMax, nil, rowMax)
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
	}
	return 0, false
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
	gorgonia.Abs: kernels.Abs, gorgonia.Sign: kernels.Sign, gorgonia.Sin: kernels.Sin, gorgonia.Cos: kernels.Cos, gorgonia.Exp: kernels.Exp,
	gorgonia.Log: kernels.Log, gorgonia.Neg: kernels.Neg, gorgonia.Square: kernels.Square, gorgonia.Sqrt: kernels.Sqrt,
	gorgonia.Inverse: kernels.Reciprocal, gorgonia.Tanh: kernels.Tanh, gorgonia.Sigmoid: kernels.Sigmoid, gorgonia.Softplus: kernels.Softplus,
}

// scalars are those that are computed one by one.
var scalars = map[gorgonia.Kind]func(float64) float64{
	gorgonia.Ceil: math.Ceil, gorgonia.Floor: math.Floor, gorgonia.Log1p: math.Log1p, gorgonia.Expm1: math.Expm1,
}

// unary lowers element-wise functions.
func (b *builtinOp) unary() (ir.ID, bool) {
	g, a := b.g, b.args[0]
	if f, ok := functions[b.Kind]; ok {
		return g.Unary(f, 0, 0, "", nil, a), true
	}
	if f, ok := scalars[b.Kind]; ok {
		return g.Unary(ir.Scalar, 0, 0, strings.ToLower(b.Kind.String()), f, a), true
	}
	switch b.Kind {
	case gorgonia.Log2:
		return g.Scale(g.Unary(kernels.Log, 0, 0, "", nil, a), 1/math.Ln2), true
	case gorgonia.InverseSqrt:
		return g.Unary(kernels.Reciprocal, 0, 0, "", nil, g.Unary(kernels.Sqrt, 0, 0, "", nil, a)), true
	case gorgonia.Cube:
		return g.Unary(ir.Pow, 0, 3, "", nil, a), true
	}
	return 0, false
}

// relations are the comparisons.
var relations = map[gorgonia.Kind]ir.Relation{
	gorgonia.Lt: ir.Lt, gorgonia.Lte: ir.Le, gorgonia.Gt: ir.Gt, gorgonia.Gte: ir.Ge, gorgonia.Eq: ir.Eq, gorgonia.Ne: ir.Ne,
}

// binary lowers element-wise operations on two operands of one shape, or a tensor and a scalar.
func (b *builtinOp) binary() (ir.ID, bool) {
	g, x, y := b.g, b.args[0], b.args[1]
	switch dx, dy := b.in[0].Dims(), b.in[1].Dims(); {
	case dx == 0 && dy > 0:
		x = g.Fill(g.Reshape(x, 1, 1), b.rows, b.cols)
	case dy == 0 && dx > 0:
		if c := g.At(y); b.Kind == gorgonia.Pow && c.Op == ir.Const {
			return g.Unary(ir.Pow, 0, c.C, "", nil, x), true
		}
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
		return g.Binary(ir.Max, 0, x, y), true
	case gorgonia.MinBetween:
		return g.Binary(ir.Min, 0, x, y), true
	case gorgonia.Pow:
		return g.Opaque(powRunner{}, "pow", false, b.rows, b.cols, x, y), true
	}
	rel, ok := relations[b.Kind]
	if !ok {
		return 0, false
	}
	return g.Binary(ir.Cmp, rel, x, y), true
}

// powRunner is a^b for arrays of exponents.
type powRunner struct{}

func (powRunner) Label() string { return "pow" }

func (powRunner) Run64(dst []float64, args [][]float64) error {
	for i, a := range args[0] {
		dst[i] = math.Pow(a, args[1][i])
	}
	return nil
}

func (powRunner) Run32(dst []float32, args [][]float32) error {
	for i, a := range args[0] {
		dst[i] = float32(math.Pow(float64(a), float64(args[1][i])))
	}
	return nil
}

// product lowers products of matrices and vectors. Products whose operands do not fit, which gorgonia.Grad makes of an
// OuterProd, have no instruction: their own code says so when they are run.
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

// reduce lowers reductions along axes that are a run at the end (rows), at the beginning (cols), or all; nil is none such.
func (b *builtinOp) reduce(rows, cols, all func(ir.ID) ir.ID) (ir.ID, bool) {
	along, s := b.Axes, b.in[0].Shape()
	if len(s) == 0 {
		return b.reshaped(b.args[0])
	}
	on := make([]bool, len(s))
	for _, a := range along {
		if a < 0 || a >= len(s) {
			return 0, false
		}
		on[a] = true
	}
	cut, cuts := 0, 0 // where axes change from kept to summed or back
	for i := 1; i < len(on); i++ {
		if on[i] != on[i-1] {
			cut, cuts = i, cuts+1
		}
	}
	if len(along) == 0 || cuts > 1 {
		return 0, false
	}
	reduced := rows
	switch {
	case cuts == 0:
		reduced = all
	case on[0]:
		reduced = cols
	}
	if reduced == nil {
		return 0, false
	}
	return b.reshaped(reduced(b.g.Reshape(b.args[0], s[:cut].TotalSize(), s[cut:].TotalSize())))
}

func (b *builtinOp) transpose() (ir.ID, bool) {
	if identity(b.Axes) {
		return b.args[0], true
	}
	if len(b.Axes) != 2 {
		return 0, false
	}
	return b.g.Transpose(b.args[0]), true
}

func (b *builtinOp) concat() (ir.ID, bool) {
	axis, d := b.Axis, len(b.shape)
	if d > 2 && axis != 0 || d == 0 {
		return 0, false
	}
	for _, c := range b.in {
		if c.Dims() != d {
			return 0, false
		}
	}
	if d == 2 && axis == 0 {
		return b.g.Concat(ir.ConcatRows, b.args...), true
	}
	return b.g.Concat(ir.ConcatCols, b.args...), true
}

// cut returns the part of operand 0 that a slice takes, and whether it is of its rows.
func (b *builtinOp) cut() (lo, hi int, byRow, ok bool) {
	s := b.in[0].Shape()
	if b.Axis < 0 || b.Axis >= len(s) || len(s) > 2 {
		return 0, 0, false, false
	}
	hi = s[b.Axis]
	if r := b.Range; !r.All {
		if lo, hi = r.Lo, r.Hi; r.Step > 1 {
			return 0, 0, false, false
		}
	}
	return lo, hi, len(s) == 2 && b.Axis == 0, 0 <= lo && lo < hi && hi <= s[b.Axis]
}

func (b *builtinOp) slice() (ir.ID, bool) {
	lo, hi, byRow, ok := b.cut()
	switch {
	case !ok:
		return 0, false
	case byRow:
		return b.reshaped(b.g.SliceRows(b.args[0], lo, hi))
	}
	return b.reshaped(b.g.SliceCols(b.args[0], lo, hi))
}

// sliceGrad lowers the gradient of a slice: zeros around operand 1.
func (b *builtinOp) sliceGrad() (ir.ID, bool) {
	lo, hi, byRow, ok := b.cut()
	r, c := flat(b.in[0].Shape())
	switch {
	case !ok:
		return 0, false
	case byRow:
		return b.g.PadRows(b.g.Reshape(b.args[1], hi-lo, c), lo, r-hi), true
	}
	return b.g.PadCols(b.g.Reshape(b.args[1], r, hi-lo), lo, c-hi), true
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
	g, x, s, along := b.g, b.args[0], b.in[0].Shape(), b.Axis
	switch n := s.TotalSize(); {
	case n == b.rows*b.cols:
		return b.reshaped(x)
	case n == 1:
		return g.Fill(g.Reshape(x, 1, 1), b.rows, b.cols), true
	case along < len(s) && s[along] != 1:
		return 0, false
	}
	// One element along the axis: the block after it is repeated for each index before it.
	before, after := 1, 1
	for i, d := range s {
		if i < along {
			before *= d
		} else {
			after *= d
		}
	}
	times := b.rows * b.cols / (before * after)
	switch {
	case before == 1:
		return b.reshaped(g.ExpandRows(g.Reshape(x, 1, after), times))
	case after == 1:
		return b.reshaped(g.ExpandCols(g.Reshape(x, before, 1), times))
	}
	return 0, false
}

// alongRows reports whether a softmax is along the last of at most two axes.
func (b *builtinOp) alongRows() bool {
	d := len(b.shape)
	return (d == 1 || d == 2) && softmaxAxis(b.Op, b.shape) == d-1
}

func (b *builtinOp) softmax() (ir.ID, bool) {
	g, x := b.g, b.args[0]
	ok := b.alongRows()
	switch {
	case !ok:
		return 0, false
	case b.Log:
		return g.Sub(x, g.ExpandCols(g.RowFn(ir.RowLSE, x), b.cols)), true
	}
	return g.RowFn(ir.RowSoftmax, x), true
}

// softmaxGrad lowers the gradient of a softmax, of its operand, its result y and the gradient in y.
func (b *builtinOp) softmaxGrad() (ir.ID, bool) {
	ok := b.alongRows()
	if !ok {
		return 0, false
	}
	g, y, grad := b.g, b.args[1], b.args[2]
	if b.Log { // grad − e^y Σ grad
		return g.Sub(grad, g.Mul(g.Unary(kernels.Exp, 0, 0, "", nil, y), g.ExpandCols(g.RowSum(grad), b.cols))), true
	}
	return g.Mul(y, g.Sub(grad, g.ExpandCols(g.RowSum(g.Mul(y, grad)), b.cols))), true // y ∘ (grad − Σ y grad)
}
