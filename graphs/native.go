package graphs

import (
	"math"
	"reflect"
	"strings"

	G "gorgonia.org/gorgonia"
	"gorgonia.org/tensor"

	"github.com/stheno-ebm/stheno/graphs/internal/ir"
	"github.com/stheno-ebm/stheno/graphs/internal/kernels"
)

// builtinOp is a node with an operation of Gorgonia's, about to be lowered to instructions.
type builtinOp struct {
	fields     // of the operation
	g          *ir.Graph
	op         G.Op
	in         G.Nodes
	args       []ir.ID
	shape      tensor.Shape // of the result
	rows, cols int          // it as a matrix
}

// native lowers n to instructions. It reports false if there are none for it.
func (l *lowering) native(n *G.Node, in G.Nodes) (ir.ID, bool) {
	lower, ok := natives[typeName(n.Op())]
	if !ok || n.Dtype() != l.dt {
		return 0, false
	}
	b := &builtinOp{fields: fieldsOf(n.Op()), g: l.to, op: n.Op(), in: in, shape: n.Shape()}
	b.rows, b.cols = flat(n.Shape())
	for _, c := range in {
		if c.Dtype() != l.dt {
			return 0, false
		}
		b.args = append(b.args, l.at[c])
	}
	return lower(b)
}

// natives are the operations that have instructions, by the names of their types.
var natives = map[string]func(*builtinOp) (ir.ID, bool){
	"gorgonia.elemUnaryOp":    (*builtinOp).unary,
	"gorgonia.elemBinOp":      (*builtinOp).binary,
	"gorgonia.maxBetween":     func(b *builtinOp) (ir.ID, bool) { return b.between(ir.Max) },
	"gorgonia.minBetween":     func(b *builtinOp) (ir.ID, bool) { return b.between(ir.Min) },
	"gorgonia.linAlgBinOp":    (*builtinOp).product,
	"gorgonia.sumOp":          func(b *builtinOp) (ir.ID, bool) { return b.reduce(b.g.RowSum, b.g.ColSum, b.g.Sum) },
	"*gorgonia.maxOp":         (*builtinOp).max,
	"gorgonia.transposeOp":    (*builtinOp).transpose,
	"gorgonia.reshapeOp":      func(b *builtinOp) (ir.ID, bool) { return b.reshaped(b.args[0]) },
	"gorgonia.concatOp":       (*builtinOp).concat,
	"gorgonia.sliceOp":        (*builtinOp).slice,
	"*gorgonia.sliceOp":       (*builtinOp).slice,
	"gorgonia.sliceIncrOp":    (*builtinOp).sliceGrad,
	"*gorgonia.sliceIncrOp":   (*builtinOp).sliceGrad,
	"gorgonia.sizeOp":         (*builtinOp).size,
	"gorgonia.repeatOp":       (*builtinOp).repeat,
	"*gorgonia.repeatOp":      (*builtinOp).repeat,
	"*gorgonia.softmaxOp":     (*builtinOp).softmax,
	"*gorgonia.softmaxDiffOp": (*builtinOp).softmaxGrad,
	"gorgonia.Iop":            func(b *builtinOp) (ir.ID, bool) { return b.args[0], true },
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

// unary lowers element-wise functions, known by the names that Gorgonia gives them.
func (b *builtinOp) unary() (ir.ID, bool) {
	g, a, name := b.g, b.args[0], b.op.String()
	known := map[string]kernels.Func{"abs": kernels.Abs, "sign": kernels.Sign, "sin": kernels.Sin, "cos": kernels.Cos, "exp": kernels.Exp,
		"ln": kernels.Log, "neg": kernels.Neg, "square": kernels.Square, "sqrt": kernels.Sqrt, "inv": kernels.Reciprocal, "tanh": kernels.Tanh,
		"sigmoid": kernels.Sigmoid, "softplus": kernels.Softplus}
	if f, ok := known[name]; ok {
		return g.Unary(f, 0, 0, "", nil, a), true
	}
	scalar := map[string]func(float64) float64{"ceil": math.Ceil, "floor": math.Floor, "log1p": math.Log1p, "expm1": math.Expm1}
	if f, ok := scalar[name]; ok {
		return g.Unary(ir.Scalar, 0, 0, name, f, a), true
	}
	switch name {
	case "log2":
		return g.Scale(g.Unary(kernels.Log, 0, 0, "", nil, a), 1/math.Ln2), true
	case "invSqrt":
		return g.Unary(kernels.Reciprocal, 0, 0, "", nil, g.Unary(kernels.Sqrt, 0, 0, "", nil, a)), true
	case "cube":
		return g.Unary(ir.Pow, 0, 3, "", nil, a), true
	}
	return 0, false
}

// binary lowers element-wise operations on two operands of one shape, or a tensor and a scalar.
func (b *builtinOp) binary() (ir.ID, bool) {
	g, x, y := b.g, b.args[0], b.args[1]
	kind, _, _ := strings.Cut(b.op.String(), " ")
	switch dx, dy := b.in[0].Dims(), b.in[1].Dims(); {
	case dx == 0 && dy > 0:
		x = g.Fill(g.Reshape(x, 1, 1), b.rows, b.cols)
	case dy == 0 && dx > 0:
		if c := g.At(y); kind == "^" && c.Op == ir.Const {
			return g.Unary(ir.Pow, 0, c.C, "", nil, x), true
		}
		y = g.Fill(g.Reshape(y, 1, 1), b.rows, b.cols)
	}
	x, ok1 := b.reshaped(x)
	y, ok2 := b.reshaped(y)
	if !ok1 || !ok2 {
		return 0, false
	}
	switch kind {
	case "+":
		return g.Add(x, y), true
	case "-":
		return g.Sub(x, y), true
	case "⊙":
		return g.Mul(x, y), true
	case "÷":
		return g.Div(x, y), true
	case "^":
		return g.Opaque(powRunner{}, "pow", false, b.rows, b.cols, x, y), true
	}
	rel, ok := map[string]ir.Relation{"<": ir.Lt, "<=": ir.Le, ">": ir.Gt, ">=": ir.Ge, "==": ir.Eq, "!=": ir.Ne}[kind]
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

func (b *builtinOp) between(op ir.Op) (ir.ID, bool) {
	if b.elements(0) != b.elements(1) {
		return 0, false
	}
	return b.g.Binary(op, 0, b.args[0], b.args[1]), true
}

// product lowers products of matrices and vectors.
func (b *builtinOp) product() (ir.ID, bool) {
	g, x, y := b.g, b.args[0], b.args[1]
	kind, ok1 := b.int("āBinaryOperator")
	tx, ok2 := b.bool("transA")
	ty, ok3 := b.bool("transB")
	if !ok1 || !ok2 || !ok3 {
		return 0, false
	}
	dx, dy := b.in[0].Dims(), b.in[1].Dims()
	switch n := b.elements(0); {
	case kind == 0 && dx == 2 && dy == 2: // A × B
		return b.reshaped(g.MatMul(x, y, tx, ty))
	case kind == 1 && dx == 2 && dy == 1: // A × b
		return b.reshaped(g.MatMul(x, y, tx, true))
	case kind == 2 && n == b.elements(1): // a ⋅ b
		return b.reshaped(g.Sum(g.Mul(g.Reshape(x, 1, n), g.Reshape(y, 1, n))))
	case kind == 3 && dx == 1 && dy == 1: // a ⊗ b
		return b.reshaped(g.MatMul(g.Reshape(x, n, 1), y, false, false))
	}
	return 0, false
}

func (b *builtinOp) max() (ir.ID, bool) {
	rowMax := func(x ir.ID) ir.ID { return b.g.RowFn(ir.RowMax, x) }
	return b.reduce(rowMax, nil, rowMax)
}

// reduce lowers reductions along axes that are a run at the end (rows), at the beginning (cols), or all; nil is none such.
func (b *builtinOp) reduce(rows, cols, all func(ir.ID) ir.ID) (ir.ID, bool) {
	along, ok := b.ints("along")
	if !ok {
		return 0, false
	}
	s := b.in[0].Shape()
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
	p, ok := b.ints("pattern")
	if !ok || len(p) != 2 || p[0] != 1 || p[1] != 0 {
		return 0, false
	}
	return b.g.Transpose(b.args[0]), true
}

func (b *builtinOp) concat() (ir.ID, bool) {
	axis, ok := b.int("axis")
	d := len(b.shape)
	if !ok || d > 2 && axis != 0 || d == 0 {
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
	along, ok := b.int("along")
	s := b.in[0].Shape()
	if !ok || len(s) == 0 || len(s) > 2 || along >= len(s) {
		return 0, 0, false, false
	}
	hi = s[along]
	sl, ok := b.field("Slice", reflect.Interface)
	if !ok {
		return 0, 0, false, false
	}
	if !sl.IsNil() {
		ts := b.op.(tensor.Slice)
		if lo, hi = ts.Start(), ts.End(); ts.Step() > 1 {
			return 0, 0, false, false
		}
	}
	return lo, hi, len(s) == 2 && along == 0, 0 <= lo && lo < hi && hi <= s[along]
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
	axis, ok := b.int("axis")
	s := b.in[0].Shape()
	switch {
	case !ok || len(s) > 0 && axis >= len(s):
		return 0, false
	case len(s) == 0:
		return b.g.Const(1, 1, 1), true
	}
	return b.g.Const(1, 1, float64(s[axis])), true
}

func (b *builtinOp) repeat() (ir.ID, bool) {
	along, ok := b.int("along")
	g, x, s := b.g, b.args[0], b.in[0].Shape()
	switch n := s.TotalSize(); {
	case !ok:
		return 0, false
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

// alongRows reads the parameters of a softmax; ok if it is along the last of at most two axes.
func (b *builtinOp) alongRows() (isLog, ok bool) {
	axis, ok1 := b.int("axis")
	isLog, ok2 := b.bool("isLog")
	d := len(b.shape)
	return isLog, ok1 && ok2 && (d == 1 || d == 2) && (axis == d-1 || axis == -1)
}

func (b *builtinOp) softmax() (ir.ID, bool) {
	g, x := b.g, b.args[0]
	isLog, ok := b.alongRows()
	switch {
	case !ok:
		return 0, false
	case isLog:
		return g.Sub(x, g.ExpandCols(g.RowFn(ir.RowLSE, x), b.cols)), true
	}
	return g.RowFn(ir.RowSoftmax, x), true
}

// softmaxGrad lowers the gradient of a softmax, of its operand, its result y and the gradient in y.
func (b *builtinOp) softmaxGrad() (ir.ID, bool) {
	isLog, ok := b.alongRows()
	if !ok {
		return 0, false
	}
	g, y, grad := b.g, b.args[1], b.args[2]
	if isLog { // grad − e^y Σ grad
		return g.Sub(grad, g.Mul(g.Unary(kernels.Exp, 0, 0, "", nil, y), g.ExpandCols(g.RowSum(grad), b.cols))), true
	}
	return g.Mul(y, g.Sub(grad, g.ExpandCols(g.RowSum(g.Mul(y, grad)), b.cols))), true // y ∘ (grad − Σ y grad)
}
