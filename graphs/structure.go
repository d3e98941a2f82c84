package graphs

import (
	"fmt"
	"slices"

	G "gorgonia.org/gorgonia"
	"gorgonia.org/tensor"
)

// transposeOp exchanges the axes of a matrix: (n,m) → (m,n).
type transposeOp struct{}

func (transposeOp) String() string { return "transpose" }
func (transposeOp) arity() int     { return 1 }

func (transposeOp) shape(in []tensor.Shape) (tensor.Shape, error) {
	if err := matrix(in[0]); err != nil {
		return nil, err
	}
	return tensor.Shape{in[0][1], in[0][0]}, nil
}

func (transposeOp) eval(dst []float64, in [][]float64, shape []tensor.Shape) {
	n, m := shape[0][0], shape[0][1]
	for i := range n {
		for j := range m {
			dst[j*n+i] = in[0][i*m+j]
		}
	}
}

func (transposeOp) vjp(_ G.Nodes, _, g *G.Node, _ []bool) G.Nodes { return G.Nodes{Transpose(g)} }
func (transposeOp) jvp(_ G.Nodes, _ *G.Node, t G.Nodes) *G.Node   { return mapTangent(t[0], Transpose) }
func (transposeOp) curve(G.Nodes, *G.Node, []G.Nodes) *G.Node     { return nil }

// Transpose exchanges the axes of a matrix: (n,m) → (m,n). Products of transposed matrices cost nothing extra: MatMul
// reads them in place.
func Transpose(x *G.Node) *G.Node {
	need(transposeOp{}, x)
	s := x.Shape()
	if len(s) != 2 {
		return apply(transposeOp{}, x) // fails
	}
	n, m := s[0], s[1]
	if n == 1 || m == 1 {
		return Reshape(x, m, n)
	}
	if c, ok := constantOf(x); ok {
		return constant(c, tensor.Shape{m, n}, x)
	}
	switch o, _ := inner(x); o.(type) {
	case transposeOp:
		return operands(x)[0]
	case expandRowsOp:
		return ExpandCols(Reshape(operands(x)[0], m, 1), n)
	case expandColsOp:
		return ExpandRows(Reshape(operands(x)[0], n), m)
	case fillOp:
		return fill(operands(x)[0], m, n)
	}
	return apply(transposeOp{}, x)
}

// reshapeOp gives the elements, in row-major order, another shape.
type reshapeOp struct {
	linear
	s tensor.Shape
}

func (o reshapeOp) String() string { return fmt.Sprint("reshape", []int(o.s)) }
func (o reshapeOp) arity() int     { return 1 }

func (o reshapeOp) shape(in []tensor.Shape) (tensor.Shape, error) {
	if in[0].TotalSize() != o.s.TotalSize() || slices.ContainsFunc(o.s, func(d int) bool { return d <= 0 }) {
		return nil, fmt.Errorf("%w: cannot become %v", ErrShape, o.s)
	}
	return slices.Clone(o.s), nil
}

func (o reshapeOp) eval(dst []float64, in [][]float64, _ []tensor.Shape) { copy(dst, in[0]) }

func (o reshapeOp) vjp(in G.Nodes, _, g *G.Node, _ []bool) G.Nodes {
	return G.Nodes{Reshape(g, in[0].Shape()...)}
}

func (o reshapeOp) jvp(_ G.Nodes, _ *G.Node, t G.Nodes) *G.Node {
	return mapTangent(t[0], func(x *G.Node) *G.Node { return Reshape(x, o.s...) })
}

// Reshape gives the elements of x, in row-major order, another shape of the same size.
func Reshape(x *G.Node, shape ...int) *G.Node {
	to := tensor.Shape(slices.Clone(shape))
	need(reshapeOp{s: to}, x)
	from := x.Shape()
	if slices.Equal(from, to) {
		return x
	}
	if _, err := (reshapeOp{s: to}).shape([]tensor.Shape{from}); err == nil {
		if c, ok := constantOf(x); ok {
			return constant(c, to, x)
		}
		switch o, _ := inner(x); o.(type) {
		case reshapeOp:
			return Reshape(operands(x)[0], shape...)
		case fillOp:
			return fill(operands(x)[0], shape...)
		}
	}
	return apply(reshapeOp{s: to}, x)
}

// copyBlock copies between a tensor and its part [lo,hi) along an axis: 0 for the rows of a matrix or the elements of a
// vector, 1 for columns. It stores part in whole or loads it from there.
func copyBlock(part, whole []float64, shape tensor.Shape, axis, lo, hi int, store bool) {
	rows, cols := shape[0], 1
	if len(shape) == 2 {
		cols = shape[1]
	}
	r0, r1, c0, c1 := lo, hi, 0, cols
	if axis == 1 {
		r0, r1, c0, c1 = 0, rows, lo, hi
	}
	w := c1 - c0
	for i := r0; i < r1; i++ {
		p, q := part[(i-r0)*w:(i-r0+1)*w], whole[i*cols+c0:i*cols+c1]
		if store {
			copy(q, p)
		} else {
			copy(p, q)
		}
	}
}

func checkAxis(s tensor.Shape, axis int) error {
	if len(s) != 1 && len(s) != 2 || axis >= len(s) {
		return fmt.Errorf("%w: want a matrix (or a vector, by rows)", ErrShape)
	}
	return nil
}

// sliceOp takes [lo,hi) of an axis.
type sliceOp struct {
	linear
	axis, lo, hi int
}

func (o sliceOp) String() string { return fmt.Sprintf("slice(%d,%d:%d)", o.axis, o.lo, o.hi) }
func (o sliceOp) arity() int     { return 1 }

func (o sliceOp) shape(in []tensor.Shape) (tensor.Shape, error) {
	if err := checkAxis(in[0], o.axis); err != nil {
		return nil, err
	}
	if o.lo < 0 || o.lo >= o.hi || o.hi > in[0][o.axis] {
		return nil, fmt.Errorf("%w: no range %d:%d", ErrShape, o.lo, o.hi)
	}
	s := in[0].Clone()
	s[o.axis] = o.hi - o.lo
	return s, nil
}

func (o sliceOp) eval(dst []float64, in [][]float64, shape []tensor.Shape) {
	copyBlock(dst, in[0], shape[0], o.axis, o.lo, o.hi, false)
}

func (o sliceOp) vjp(in G.Nodes, _, g *G.Node, _ []bool) G.Nodes {
	return G.Nodes{pad(g, o.axis, o.lo, in[0].Shape()[o.axis]-o.hi)}
}

func (o sliceOp) jvp(_ G.Nodes, _ *G.Node, t G.Nodes) *G.Node {
	return mapTangent(t[0], func(x *G.Node) *G.Node { return slice(x, o.axis, o.lo, o.hi) })
}

// SliceCols takes the columns [lo,hi) of a matrix.
func SliceCols(x *G.Node, lo, hi int) *G.Node { return slice(x, 1, lo, hi) }

// SliceRows takes the rows [lo,hi) of a matrix, or those elements of a vector.
func SliceRows(x *G.Node, lo, hi int) *G.Node { return slice(x, 0, lo, hi) }

func slice(x *G.Node, axis, lo, hi int) *G.Node {
	o := sliceOp{axis: axis, lo: lo, hi: hi}
	need(o, x)
	s := x.Shape()
	to, err := o.shape([]tensor.Shape{s})
	if err != nil {
		return apply(o, x) // fails
	}
	if slices.Equal(s, to) {
		return x
	}
	if c, ok := constantOf(x); ok {
		return constant(c, to, x)
	}
	own, _ := inner(x)
	switch p := own.(type) {
	case sliceOp:
		if p.axis == axis {
			return slice(operands(x)[0], axis, p.lo+lo, p.lo+hi)
		}
	case padOp:
		if p.axis != axis {
			break
		}
		in := operands(x)[0]
		switch w := in.Shape()[axis]; {
		case lo >= p.before && hi <= p.before+w:
			return slice(in, axis, lo-p.before, hi-p.before)
		case hi <= p.before || lo >= p.before+w:
			return constant(0, to, x)
		}
	case concatOp:
		if p.axis != axis {
			break
		}
		at := 0
		for _, in := range operands(x) {
			w := in.Shape()[axis]
			if lo >= at && hi <= at+w {
				return slice(in, axis, lo-at, hi-at)
			}
			at += w
		}
	case unitOp:
		switch {
		case axis == 0:
			return apply(unitOp{hi - lo, p.d, p.k}, operands(x)[0])
		case p.k < lo || p.k >= hi:
			return constant(0, to, x)
		case hi-lo == 1:
			return constant(1, to, x)
		default:
			return apply(unitOp{p.n, hi - lo, p.k - lo}, operands(x)[0])
		}
	case fillOp:
		return fill(operands(x)[0], to...)
	case expandRowsOp:
		if axis == 0 {
			return ExpandRows(operands(x)[0], hi-lo)
		}
		return ExpandRows(slice(operands(x)[0], 0, lo, hi), p.n)
	case expandColsOp:
		if axis == 0 {
			return ExpandCols(slice(operands(x)[0], 0, lo, hi), p.m)
		}
		return ExpandCols(operands(x)[0], hi-lo)
	}
	return apply(o, x)
}

// padOp puts zeros before and after along an axis: the adjoint of sliceOp.
type padOp struct {
	linear
	axis, before, after int
}

func (o padOp) String() string { return fmt.Sprintf("pad(%d,%d,%d)", o.axis, o.before, o.after) }
func (o padOp) arity() int     { return 1 }

func (o padOp) shape(in []tensor.Shape) (tensor.Shape, error) {
	if err := checkAxis(in[0], o.axis); err != nil {
		return nil, err
	}
	if o.before < 0 || o.after < 0 {
		return nil, fmt.Errorf("%w: negative padding %d, %d", ErrShape, o.before, o.after)
	}
	s := in[0].Clone()
	s[o.axis] += o.before + o.after
	return s, nil
}

func (o padOp) eval(dst []float64, in [][]float64, shape []tensor.Shape) {
	clear(dst)
	s, _ := o.shape(shape)
	copyBlock(in[0], dst, s, o.axis, o.before, s[o.axis]-o.after, true)
}

func (o padOp) vjp(in G.Nodes, _, g *G.Node, _ []bool) G.Nodes {
	return G.Nodes{slice(g, o.axis, o.before, o.before+in[0].Shape()[o.axis])}
}

func (o padOp) jvp(_ G.Nodes, _ *G.Node, t G.Nodes) *G.Node {
	return mapTangent(t[0], func(x *G.Node) *G.Node { return pad(x, o.axis, o.before, o.after) })
}

// PadCols puts columns of zeros before and after those of x.
func PadCols(x *G.Node, before, after int) *G.Node { return pad(x, 1, before, after) }

// PadRows puts rows of zeros before and after those of x (elements, if x is a vector).
func PadRows(x *G.Node, before, after int) *G.Node { return pad(x, 0, before, after) }

func pad(x *G.Node, axis, before, after int) *G.Node {
	o := padOp{axis: axis, before: before, after: after}
	need(o, x)
	to, err := o.shape([]tensor.Shape{x.Shape()})
	if err != nil {
		return apply(o, x) // fails
	}
	if before == 0 && after == 0 {
		return x
	}
	if c, ok := constantOf(x); ok && c == 0 {
		return constant(0, to, x)
	}
	return apply(o, x)
}

// concatOp joins n operands along an axis.
type concatOp struct{ axis, n int }

func (o concatOp) String() string { return fmt.Sprintf("concat(%d,%d)", o.axis, o.n) }
func (o concatOp) arity() int     { return o.n }

func (o concatOp) shape(in []tensor.Shape) (tensor.Shape, error) {
	for _, s := range in {
		if err := checkAxis(s, o.axis); err != nil {
			return nil, err
		}
	}
	to := in[0].Clone()
	for _, s := range in[1:] {
		if len(s) != len(to) || len(s) == 2 && s[1-o.axis] != to[1-o.axis] {
			return nil, fmt.Errorf("%w: the other axis must agree", ErrShape)
		}
		to[o.axis] += s[o.axis]
	}
	return to, nil
}

func (o concatOp) eval(dst []float64, in [][]float64, shape []tensor.Shape) {
	s, _ := o.shape(shape)
	at := 0
	for i, x := range in {
		w := shape[i][o.axis]
		copyBlock(x, dst, s, o.axis, at, at+w, true)
		at += w
	}
}

func (o concatOp) vjp(in G.Nodes, _, g *G.Node, want []bool) G.Nodes {
	gs := make(G.Nodes, len(in))
	at := 0
	for i, x := range in {
		w := x.Shape()[o.axis]
		if want[i] {
			gs[i] = slice(g, o.axis, at, at+w)
		}
		at += w
	}
	return gs
}

func (o concatOp) jvp(in G.Nodes, _ *G.Node, t G.Nodes) *G.Node {
	parts := make(G.Nodes, len(in))
	active := false
	for i, x := range in {
		if parts[i] = t[i]; t[i] == nil {
			parts[i] = ZerosLike(x)
		} else {
			active = true
		}
	}
	if !active {
		return nil
	}
	return concat(o.axis, parts)
}

func (concatOp) curve(G.Nodes, *G.Node, []G.Nodes) *G.Node { return nil }

// ConcatCols joins matrices of equal height side by side.
func ConcatCols(x ...*G.Node) *G.Node { return concat(1, x) }

// ConcatRows stacks matrices of equal width, or vectors.
func ConcatRows(x ...*G.Node) *G.Node { return concat(0, x) }

func concat(axis int, x G.Nodes) *G.Node {
	need(concatOp{axis, len(x)}, x...)
	switch len(x) {
	case 0:
		failf("concat of nothing")
	case 1:
		return x[0]
	}
	return apply(concatOp{axis, len(x)}, x...)
}
