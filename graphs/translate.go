package graphs

import (
	"math"
	"slices"

	G "gorgonia.org/gorgonia"
	"gorgonia.org/tensor"

	"github.com/stheno-ebm/stheno/graphs/internal/gorgonia"
	"github.com/stheno-ebm/stheno/graphs/internal/strided"
)

// translate writes the built-in operation n with our operations, or returns nil if it cannot. The builders do not look
// through the operands: the result depends on them, and on nothing below.
func translate(n *G.Node, in G.Nodes) (e *G.Node) {
	if !gorgonia.Builtin(n.Op()) || !isFloat(n.Dtype()) {
		return nil
	}
	o := gorgonia.Read(n.Op())
	for i, c := range in {
		index := i > 0 && (o.Kind == gorgonia.ByIndices || o.Kind == gorgonia.CTCLoss)
		if index && c.Dtype() != tensor.Int || !index && c.Dtype() != n.Dtype() {
			return nil
		}
	}
	derive(below(n, in), func() { e = translation(o, n, in) })
	return e
}

// translation is translate by kind; o is n's operation.
func translation(o gorgonia.Op, n *G.Node, in G.Nodes) *G.Node {
	switch o.Kind.Family() {
	case gorgonia.Binary:
		return translateBinary(o, n, in)
	case gorgonia.Unary:
		return translateUnary(o.Kind, in[0])
	case gorgonia.Product:
		return translateProduct(o, n, in)
	}
	switch o.Kind {
	case gorgonia.Sum:
		return translateSum(o, n, in[0])
	case gorgonia.Max:
		if len(o.Axes) == 0 || in[0].Dims() == 0 {
			return nil
		}
		return shaped(apply(pickOp{groups(in[0].Shape(), o.Axes)}, in[0], in[0]), n.Shape())
	case gorgonia.Repeat:
		return translateRepeat(o, n, in[0])
	case gorgonia.Reshape:
		return shaped(in[0], n.Shape())
	case gorgonia.Transpose:
		return permuted(in[0], o.Axes)
	case gorgonia.Slice:
		if v, to, ok := sliced(o, in[0].Shape()); ok {
			as := &slicing{n.Op(), in[0].Shape().Clone()}
			return shaped(as.taken(in[0], v, to), n.Shape())
		}
	case gorgonia.SliceGrad: // zeros with the second operand in the slice of the first's shape
		if v, to, ok := sliced(o, in[0].Shape()); ok {
			as := &slicing{n.Op(), in[0].Shape().Clone()}
			return as.put(expandTo(in[1], to), v)
		}
	case gorgonia.At:
		if len(o.Axes) == in[0].Dims() {
			return gathered(in[0], element(in[0].Shape(), o.Axes), n.Shape())
		}
	case gorgonia.Concat:
		return translateConcat(o, n, in)
	case gorgonia.Im2Col:
		return im2col(in[0], patchWindow(o.Window, in[0].Shape()))
	case gorgonia.Col2Im:
		return col2im(in[0], patchWindow(o.Window, n.Shape()))
	}
	return translateLayer(o, n, in)
}

// shaped is reshape to s, x itself if it has that shape.
func shaped(x *G.Node, s tensor.Shape) *G.Node {
	if len(x.Shape()) == len(s) && x.Shape().Eq(s) {
		return x
	}
	return apply(reshapeOp{s: s.Clone()}, x)
}

// expandTo gives x the shape s: by reshaping, or by repeating its only element.
func expandTo(x *G.Node, s tensor.Shape) *G.Node {
	if x.Shape().TotalSize() == 1 && s.TotalSize() != 1 {
		return fill(x, s...)
	}
	return shaped(x, s)
}

// permuted exchanges axes: axis i of the result is axis pattern[i] of x.
func permuted(x *G.Node, pattern []int) *G.Node {
	switch {
	case len(pattern) != x.Dims():
		return nil
	case identity(pattern):
		return x
	case len(pattern) == 2:
		return apply(transposeOp{}, x)
	}
	v, to := permutation(x.Shape(), pattern)
	return gathered(x, v, to)
}

// rowsOf moves axes to the end and flattens to a matrix whose rows run along these axes. back undoes it for a result of
// the same shape.
func rowsOf(x *G.Node, axes []int) (m *G.Node, back func(*G.Node) *G.Node) {
	s := x.Shape()
	pattern, before, of := axesLast(s, axes)
	inverse := make([]int, len(pattern))
	moved := make(tensor.Shape, len(pattern))
	for i, p := range pattern {
		inverse[p], moved[i] = i, s[p]
	}
	m = shaped(permuted(x, pattern), tensor.Shape{before, of})
	return m, func(y *G.Node) *G.Node { return permuted(shaped(y, moved), inverse) }
}

// scalarConstant returns the value of a node that is a single known number.
func scalarConstant(n *G.Node) (float64, bool) {
	if c, ok := constantOf(n); ok {
		return c, true
	}
	if n.Op() == nil || n.Shape().TotalSize() != 1 {
		return 0, false
	}
	switch gorgonia.KindOf(n.Op()) {
	case gorgonia.Constant:
		x, err := readValue(n.Value())
		if err != nil {
			return 0, false
		}
		return x[0], true
	case gorgonia.Size:
		s, axis := operands(n)[0].Shape(), gorgonia.Read(n.Op()).Axis
		if axis >= 0 && axis < len(s) {
			return float64(s[axis]), true
		}
		return 1, len(s) == 0
	}
	return 0, false
}

func translateBinary(o gorgonia.Op, n *G.Node, in G.Nodes) *G.Node {
	s := n.Shape()
	if c, ok := scalarConstant(in[1]); ok {
		if e := withConstant(o.Kind, expandTo(in[0], s), c); e != nil {
			return e
		}
	}
	if c, ok := scalarConstant(in[0]); ok {
		if e := constantWith(o.Kind, c, expandTo(in[1], s)); e != nil {
			return e
		}
	}
	a, b := expandTo(in[0], s), expandTo(in[1], s)
	switch o.Kind {
	case gorgonia.Add:
		return apply(binaryOp{add}, a, b)
	case gorgonia.Sub:
		return apply(binaryOp{sub}, a, b)
	case gorgonia.Mul:
		return apply(binaryOp{mul}, a, b)
	case gorgonia.Div:
		return apply(binaryOp{div}, a, b)
	case gorgonia.Pow: // for positive a
		return apply(unaryOp{fn: fnExp}, apply(binaryOp{mul}, b, apply(unaryOp{fn: fnLog}, a)))
	case gorgonia.MaxBetween: // ((a+b) + |a-b|)/2: where they are equal both get half
		return Scale(Add(Add(a, b), Abs(Sub(a, b))), 0.5)
	case gorgonia.MinBetween:
		return Scale(Sub(Add(a, b), Abs(Sub(a, b))), 0.5)
	}
	return nil
}

// withConstant is the operation on a tensor and a constant.
func withConstant(kind gorgonia.Kind, a *G.Node, c float64) *G.Node {
	switch kind {
	case gorgonia.Add:
		return apply(shiftOp{c}, a)
	case gorgonia.Sub:
		return apply(shiftOp{-c}, a)
	case gorgonia.Mul:
		return apply(scaleOp{c}, a)
	case gorgonia.Div:
		return apply(scaleOp{1 / c}, a)
	case gorgonia.Pow:
		switch c {
		case 0, 1:
			return apply(shiftOp{1 - c}, apply(scaleOp{c}, a))
		case 2:
			return apply(unaryOp{fn: fnSquare}, a)
		}
		return apply(unaryOp{fn: fnPow, p: c}, a)
	}
	return nil
}

// constantWith is the operation on a constant and a tensor.
func constantWith(kind gorgonia.Kind, c float64, b *G.Node) *G.Node {
	switch kind {
	case gorgonia.Add:
		return apply(shiftOp{c}, b)
	case gorgonia.Sub:
		return apply(shiftOp{c}, apply(scaleOp{-1}, b))
	case gorgonia.Mul:
		return apply(scaleOp{c}, b)
	case gorgonia.Div:
		return apply(scaleOp{c}, apply(unaryOp{fn: fnReciprocal}, b))
	}
	return nil
}

// sameFunctions maps Gorgonia's element-wise functions to ours.
var sameFunctions = map[gorgonia.Kind]fn{
	gorgonia.Abs: fnAbs, gorgonia.Sign: fnSign, gorgonia.Sin: fnSin, gorgonia.Cos: fnCos, gorgonia.Exp: fnExp,
	gorgonia.Log: fnLog, gorgonia.Square: fnSquare, gorgonia.Sqrt: fnSqrt, gorgonia.Inverse: fnReciprocal,
	gorgonia.Tanh: fnTanh, gorgonia.Sigmoid: fnSigmoid,
	gorgonia.Softplus: fnSoftplus,
}

func translateUnary(kind gorgonia.Kind, x *G.Node) *G.Node {
	u := func(f fn, x *G.Node) *G.Node { return apply(unaryOp{fn: f}, x) }
	if f, ok := sameFunctions[kind]; ok {
		return u(f, x)
	}
	switch kind {
	case gorgonia.Identity:
		return x
	case gorgonia.Log2:
		return apply(scaleOp{1 / math.Ln2}, u(fnLog, x))
	case gorgonia.Neg:
		return apply(scaleOp{-1}, x)
	case gorgonia.InverseSqrt:
		return u(fnReciprocal, u(fnSqrt, x))
	case gorgonia.Cube:
		return apply(unaryOp{fn: fnPow, p: 3}, x)
	case gorgonia.Log1p:
		return u(fnLog, apply(shiftOp{1}, x))
	case gorgonia.Expm1:
		return apply(shiftOp{-1}, u(fnExp, x))
	}
	return nil
}

func translateProduct(o gorgonia.Op, n *G.Node, in G.Nodes) *G.Node {
	a, b, s := in[0], in[1], n.Shape()
	size := func(x *G.Node) int { return x.Shape().TotalSize() }
	product := matmulOp{o.TransA, o.TransB}
	switch o.Kind {
	case gorgonia.MatMul:
		return apply(product, a, b)
	case gorgonia.MatVec:
		return shaped(apply(matmulOp{ta: o.TransA}, a, shaped(b, tensor.Shape{size(b), 1})), s)
	case gorgonia.Dot:
		k := tensor.Shape{size(a)}
		return shaped(apply(sumOp{scalar: true}, apply(binaryOp{mul}, shaped(a, k), shaped(b, k))), s)
	case gorgonia.Outer:
		return shaped(apply(matmulOp{}, shaped(a, tensor.Shape{size(a), 1}), shaped(b, tensor.Shape{1, size(b)})), s)
	case gorgonia.BatchedMatMul:
		return shaped(BatchMatMul(a, b, o.TransA, o.TransB), s)
	case gorgonia.Tensordot: // the contracted axes of a last, those of b first, and a product of matrices
		return shaped(apply(matmulOp{}, joined(a, o.Axes, true), joined(b, o.AxesB, false)), s)
	}
	return nil
}

// joined is x as a matrix with the given axes, in the given order, as its columns (last) or rows.
func joined(x *G.Node, axes []int, last bool) *G.Node {
	s := x.Shape()
	k := 1
	for _, a := range axes {
		k *= s[a]
	}
	if last {
		return shaped(permuted(x, append(free(s, axes), axes...)), tensor.Shape{s.TotalSize() / k, k})
	}
	return shaped(permuted(x, append(slices.Clone(axes), free(s, axes)...)), tensor.Shape{k, s.TotalSize() / k})
}

// free returns the axes of an array of shape s other than the given ones.
func free(s tensor.Shape, axes []int) []int {
	var others []int
	for i := range s {
		if !slices.Contains(axes, i) {
			others = append(others, i)
		}
	}
	return others
}

func translateSum(o gorgonia.Op, n, x *G.Node) *G.Node {
	s := x.Shape()
	axes := map[int]bool{}
	for _, a := range o.Axes {
		axes[a] = true
	}
	switch {
	case len(axes) == len(s):
		return shaped(apply(sumOp{scalar: true}, x), n.Shape())
	case len(s) == 2 && axes[0]:
		return shaped(apply(colSumOp{}, x), n.Shape())
	}
	return scattered(x, strided.Reduction(s, o.Axes), n.Shape())
}

func translateRepeat(o gorgonia.Op, n, x *G.Node) *G.Node {
	s, to, axis := x.Shape(), n.Shape(), o.Axis
	if s.TotalSize() == 1 {
		return expandTo(x, to)
	}
	length := 1 // of the axis in x, which may lack it
	if axis < len(s) {
		length = s[axis]
	}
	times := to[axis] / length
	before, after := to[:axis].TotalSize(), to[axis+1:].TotalSize()
	switch {
	case len(to) == 2 && length == 1 && axis == 1:
		return apply(expandColsOp{m: times}, shaped(x, tensor.Shape{before, 1}))
	case len(to) == 2 && length == 1 && axis == 0:
		return apply(expandRowsOp{n: times}, shaped(x, tensor.Shape{after}))
	}
	return gathered(x, repeated(to, axis, times), to)
}

// sliced returns what a Slice takes of a tensor of shape s, and the shape that it has with all its axes.
func sliced(o gorgonia.Op, s tensor.Shape) (v strided.View, to tensor.Shape, ok bool) {
	if o.Axis < 0 || o.Axis >= len(s) {
		return v, nil, false
	}
	lo, hi, step := 0, s[o.Axis], 1
	if r := o.Range; !r.All && r.Hi > r.Lo {
		lo, hi, step = r.Lo, r.Hi, r.Step
	}
	if lo < 0 || hi > s[o.Axis] {
		return v, nil, false
	}
	v, to = part(s, o.Axis, lo, hi, step)
	return v, to, true
}

func translateConcat(o gorgonia.Op, n *G.Node, in G.Nodes) *G.Node {
	parts := make(G.Nodes, len(in))
	for i, x := range in {
		s := x.Shape()
		before := s[:o.Axis].TotalSize()
		parts[i] = shaped(x, tensor.Shape{before, s.TotalSize() / before})
	}
	if len(parts) == 1 {
		return shaped(parts[0], n.Shape())
	}
	return shaped(apply(concatOp{1, len(in)}, parts...), n.Shape())
}
