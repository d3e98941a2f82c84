package graphs

import (
	"fmt"
	"slices"

	G "gorgonia.org/gorgonia"
	"gorgonia.org/tensor"
)

func matrix(s tensor.Shape) error {
	if len(s) != 2 {
		return fmt.Errorf("%w: want a matrix", ErrShape)
	}
	return nil
}

// rowSumOp sums every row: (n,m) → (n,1).
type rowSumOp struct{ linear }

func (rowSumOp) String() string { return "rowsum" }
func (rowSumOp) arity() int     { return 1 }

func (rowSumOp) shape(in []tensor.Shape) (tensor.Shape, error) {
	if err := matrix(in[0]); err != nil {
		return nil, err
	}
	return tensor.Shape{in[0][0], 1}, nil
}

func (rowSumOp) eval(dst []float64, in [][]float64, shape []tensor.Shape) {
	m := shape[0][1]
	for i := range dst {
		dst[i] = 0
		for _, x := range in[0][i*m : (i+1)*m] {
			dst[i] += x
		}
	}
}

func (rowSumOp) vjp(in G.Nodes, _, g *G.Node, _ []bool) G.Nodes {
	return G.Nodes{ExpandCols(g, in[0].Shape()[1])}
}

func (rowSumOp) jvp(_ G.Nodes, _ *G.Node, t G.Nodes) *G.Node { return mapTangent(t[0], RowSum) }

// RowSum sums every row: (n,m) → (n,1).
func RowSum(x *G.Node) *G.Node {
	need(rowSumOp{}, x)
	s := x.Shape()
	if len(s) != 2 {
		return apply(rowSumOp{}, x) // fails
	}
	n, m := s[0], s[1]
	if m == 1 {
		return x
	}
	if c, ok := constantOf(x); ok {
		return constant(c*float64(m), tensor.Shape{n, 1}, x)
	}
	if e, ok := expansionOf(x); ok {
		switch e.kind {
		case expandedRows:
			return fill(sum(e.x, false), n, 1)
		case expandedCols:
			return Scale(e.x, float64(m))
		case filled:
			return Scale(fill(e.x, n, 1), float64(m))
		}
	}
	if o, ok := inner(x); ok {
		if p, ok := o.(padOp); ok && p.axis == 1 {
			return RowSum(operands(x)[0])
		}
	}
	return apply(rowSumOp{}, x)
}

// colSumOp sums every column: (n,m) → (m).
type colSumOp struct{ linear }

func (colSumOp) String() string { return "colsum" }
func (colSumOp) arity() int     { return 1 }

func (colSumOp) shape(in []tensor.Shape) (tensor.Shape, error) {
	if err := matrix(in[0]); err != nil {
		return nil, err
	}
	return tensor.Shape{in[0][1]}, nil
}

func (colSumOp) eval(dst []float64, in [][]float64, shape []tensor.Shape) {
	clear(dst)
	for i, x := range in[0] {
		dst[i%shape[0][1]] += x
	}
}

func (colSumOp) vjp(in G.Nodes, _, g *G.Node, _ []bool) G.Nodes {
	return G.Nodes{ExpandRows(g, in[0].Shape()[0])}
}

func (colSumOp) jvp(_ G.Nodes, _ *G.Node, t G.Nodes) *G.Node { return mapTangent(t[0], ColSum) }

// ColSum sums every column: (n,m) → (m).
func ColSum(x *G.Node) *G.Node {
	need(colSumOp{}, x)
	s := x.Shape()
	if len(s) != 2 {
		return apply(colSumOp{}, x) // fails
	}
	n, m := s[0], s[1]
	if n == 1 {
		return Reshape(x, m)
	}
	if c, ok := constantOf(x); ok {
		return constant(c*float64(n), tensor.Shape{m}, x)
	}
	if e, ok := expansionOf(x); ok {
		switch e.kind {
		case expandedRows:
			return Scale(e.x, float64(n))
		case expandedCols:
			return fill(sum(e.x, false), m)
		case filled:
			return Scale(fill(e.x, m), float64(n))
		}
	}
	if o, ok := inner(x); ok {
		if p, ok := o.(padOp); ok && p.axis == 0 {
			return ColSum(operands(x)[0])
		}
	}
	return apply(colSumOp{}, x)
}

// sumOp sums all elements to shape (1) or, for Gorgonia's scalars, to shape ().
type sumOp struct {
	linear
	scalar bool
}

func (o sumOp) String() string {
	if o.scalar {
		return "sum()"
	}
	return "sum"
}

func (o sumOp) arity() int { return 1 }

func (o sumOp) shape([]tensor.Shape) (tensor.Shape, error) {
	if o.scalar {
		return tensor.Shape{}, nil
	}
	return tensor.Shape{1}, nil
}

func (o sumOp) eval(dst []float64, in [][]float64, _ []tensor.Shape) {
	dst[0] = 0
	for _, x := range in[0] {
		dst[0] += x
	}
}

func (o sumOp) vjp(in G.Nodes, _, g *G.Node, _ []bool) G.Nodes {
	return G.Nodes{fill(g, in[0].Shape()...)}
}

func (o sumOp) jvp(_ G.Nodes, _ *G.Node, t G.Nodes) *G.Node {
	return mapTangent(t[0], func(x *G.Node) *G.Node { return sum(x, o.scalar) })
}

// Sum adds up all elements of x, of any shape, to shape (1).
func Sum(x *G.Node) *G.Node { return sum(x, false) }

func sum(x *G.Node, scalar bool) *G.Node {
	need(sumOp{scalar: scalar}, x)
	s := x.Shape()
	to := tensor.Shape{1}
	if scalar {
		to = tensor.Shape{}
	}
	if s.TotalSize() == 1 {
		return Reshape(x, to...)
	}
	if c, ok := constantOf(x); ok {
		return constant(c*float64(s.TotalSize()), to, x)
	}
	if e, ok := expansionOf(x); ok {
		return Scale(sum(e.x, scalar), float64(s.TotalSize()/e.x.Shape().TotalSize()))
	}
	switch o, _ := inner(x); o.(type) {
	case rowSumOp, colSumOp, padOp, reshapeOp, transposeOp:
		return sum(operands(x)[0], scalar)
	}
	return apply(sumOp{scalar: scalar}, x)
}

// Mean is the mean of all elements of x, as shape (1).
func Mean(x *G.Node) *G.Node { return Scale(Sum(x), 1/float64(x.Shape().TotalSize())) }

// expandColsOp repeats a column m times: (n,1) → (n,m).
type expandColsOp struct {
	linear
	m int
}

func (o expandColsOp) String() string { return fmt.Sprintf("expandcols(%d)", o.m) }
func (o expandColsOp) arity() int     { return 1 }

func (o expandColsOp) shape(in []tensor.Shape) (tensor.Shape, error) {
	if len(in[0]) != 2 || in[0][1] != 1 || o.m < 1 {
		return nil, fmt.Errorf("%w: want (n,1) and at least one column", ErrShape)
	}
	return tensor.Shape{in[0][0], o.m}, nil
}

func (o expandColsOp) eval(dst []float64, in [][]float64, _ []tensor.Shape) {
	for i := range dst {
		dst[i] = in[0][i/o.m]
	}
}

func (o expandColsOp) vjp(_ G.Nodes, _, g *G.Node, _ []bool) G.Nodes { return G.Nodes{RowSum(g)} }

func (o expandColsOp) jvp(_ G.Nodes, _ *G.Node, t G.Nodes) *G.Node {
	return mapTangent(t[0], func(x *G.Node) *G.Node { return ExpandCols(x, o.m) })
}

// ExpandCols repeats the column x m times: (n,1) → (n,m).
func ExpandCols(x *G.Node, m int) *G.Node {
	need(expandColsOp{m: m}, x)
	if s := x.Shape(); len(s) == 2 && s[1] == 1 && m >= 1 {
		if m == 1 {
			return x
		}
		if c, ok := constantOf(x); ok {
			return constant(c, tensor.Shape{s[0], m}, x)
		}
		if e, ok := expansionOf(x); ok {
			if e.kind == filled {
				return fill(e.x, s[0], m)
			}
			if e.kind == expandedRows { // of one element
				return fill(e.x, s[0], m)
			}
		}
	}
	return apply(expandColsOp{m: m}, x)
}

// expandRowsOp repeats a vector as n rows: (m) → (n,m).
type expandRowsOp struct {
	linear
	n int
}

func (o expandRowsOp) String() string { return fmt.Sprintf("expandrows(%d)", o.n) }
func (o expandRowsOp) arity() int     { return 1 }

func (o expandRowsOp) shape(in []tensor.Shape) (tensor.Shape, error) {
	if len(in[0]) != 1 || o.n < 1 {
		return nil, fmt.Errorf("%w: want a vector and at least one row", ErrShape)
	}
	return tensor.Shape{o.n, in[0][0]}, nil
}

func (o expandRowsOp) eval(dst []float64, in [][]float64, _ []tensor.Shape) {
	for i := range dst {
		dst[i] = in[0][i%len(in[0])]
	}
}

func (o expandRowsOp) vjp(_ G.Nodes, _, g *G.Node, _ []bool) G.Nodes { return G.Nodes{ColSum(g)} }

func (o expandRowsOp) jvp(_ G.Nodes, _ *G.Node, t G.Nodes) *G.Node {
	return mapTangent(t[0], func(x *G.Node) *G.Node { return ExpandRows(x, o.n) })
}

// ExpandRows repeats the vector v as n rows: (m) → (n,m).
func ExpandRows(v *G.Node, n int) *G.Node {
	need(expandRowsOp{n: n}, v)
	if s := v.Shape(); len(s) == 1 && n >= 1 {
		if c, ok := constantOf(v); ok {
			return constant(c, tensor.Shape{n, s[0]}, v)
		}
		if e, ok := expansionOf(v); ok && e.kind == filled {
			return fill(e.x, n, s[0])
		}
		if n == 1 {
			return Reshape(v, 1, s[0])
		}
	}
	return apply(expandRowsOp{n: n}, v)
}

// fillOp gives every element of a tensor the value of its one-element operand.
type fillOp struct {
	linear
	s tensor.Shape
}

func (o fillOp) String() string { return fmt.Sprint("fill", []int(o.s)) }
func (o fillOp) arity() int     { return 1 }

func (o fillOp) shape(in []tensor.Shape) (tensor.Shape, error) {
	if in[0].TotalSize() != 1 {
		return nil, fmt.Errorf("%w: want one element", ErrShape)
	}
	return slices.Clone(o.s), nil
}

func (o fillOp) eval(dst []float64, in [][]float64, _ []tensor.Shape) {
	for i := range dst {
		dst[i] = in[0][0]
	}
}

func (o fillOp) vjp(in G.Nodes, _, g *G.Node, _ []bool) G.Nodes {
	return G.Nodes{Reshape(Sum(g), in[0].Shape()...)}
}

func (o fillOp) jvp(_ G.Nodes, _ *G.Node, t G.Nodes) *G.Node {
	return mapTangent(t[0], func(x *G.Node) *G.Node { return fill(x, o.s...) })
}

// Fill gives every element of a tensor of like's shape the value of s, which has one element. The value of like is not
// used.
func Fill(s, like *G.Node) *G.Node {
	if missing(like) {
		failf("fill: the node of its shape is missing or in no graph")
	}
	return fill(s, like.Shape()...)
}

func fill(s *G.Node, shape ...int) *G.Node {
	need(fillOp{s: shape}, s)
	if from := s.Shape(); from.TotalSize() == 1 {
		if tensor.Shape(shape).TotalSize() == 1 {
			return Reshape(s, shape...)
		}
		if c, ok := constantOf(s); ok {
			return constant(c, shape, s)
		}
		if len(from) != 1 { // equal ones are then added up as they are
			s = Reshape(s, 1)
		}
	}
	return apply(fillOp{s: slices.Clone(tensor.Shape(shape))}, s)
}

// expansion describes a node that repeats the elements of another.
type expansion struct {
	kind  expansionKind
	x     *G.Node // what is repeated
	shape tensor.Shape
}

type expansionKind int

const (
	expandedRows expansionKind = iota // x (m) as every row
	expandedCols                      // x (n,1) as every column
	filled                            // x (1) as every element
)

func expansionOf(n *G.Node) (expansion, bool) {
	o, ok := inner(n)
	if !ok {
		return expansion{}, false
	}
	e := expansion{shape: n.Shape()}
	switch o.(type) {
	case expandRowsOp:
		e.kind = expandedRows
	case expandColsOp:
		e.kind = expandedCols
	case fillOp:
		e.kind = filled
	default:
		return expansion{}, false
	}
	e.x = operands(n)[0]
	return e, true
}

// expand repeats y as e repeats e.x.
func (e expansion) expand(y *G.Node) *G.Node {
	switch e.kind {
	case expandedRows:
		return ExpandRows(y, e.shape[0])
	case expandedCols:
		return ExpandCols(y, e.shape[1])
	}
	return fill(y, e.shape...)
}
