package graphs

import (
	"slices"
	"strconv"

	G "gorgonia.org/gorgonia"
	"gorgonia.org/tensor"
)

// binaryOp is an element-wise operation on two operands of the same shape. Nothing is broadcast: ExpandRows, ExpandCols
// and Fill make repetitions explicit.
type binaryOp struct{ kind binary }

type binary int

const (
	add binary = iota
	sub
	mul
	div
)

func (o binaryOp) String() string { return [...]string{"add", "sub", "mul", "div"}[o.kind] }
func (o binaryOp) arity() int     { return 2 }

func (o binaryOp) shape(in []tensor.Shape) (tensor.Shape, error) {
	if !slices.Equal(in[0], in[1]) {
		return nil, ErrShape
	}
	return in[0].Clone(), nil
}

func (o binaryOp) eval(dst []float64, in [][]float64, _ []tensor.Shape) {
	a, b := in[0], in[1]
	for i := range dst {
		switch o.kind {
		case add:
			dst[i] = a[i] + b[i]
		case sub:
			dst[i] = a[i] - b[i]
		case mul:
			dst[i] = a[i] * b[i]
		case div:
			dst[i] = a[i] / b[i]
		}
	}
}

func (o binaryOp) vjp(in G.Nodes, out, g *G.Node, want []bool) G.Nodes {
	gs := make(G.Nodes, 2)
	a, b := in[0], in[1]
	switch o.kind {
	case add:
		gs[0], gs[1] = g, g
	case sub:
		gs[0] = g
		if want[1] {
			gs[1] = Neg(g)
		}
	case mul:
		if want[0] {
			gs[0] = Mul(g, b)
		}
		if want[1] {
			gs[1] = Mul(g, a)
		}
	case div:
		q := Div(g, b)
		gs[0] = q
		if want[1] {
			gs[1] = Neg(Mul(q, out))
		}
	}
	return gs
}

func (o binaryOp) jvp(in G.Nodes, out *G.Node, t G.Nodes) *G.Node {
	switch o.kind {
	case add:
		return plus(t[0], t[1])
	case sub:
		return minus(t[0], t[1])
	case mul:
		return plus(times(t[0], in[1]), times(in[0], t[1]))
	default:
		num := minus(t[0], times(out, t[1]))
		if num == nil {
			return nil
		}
		return Div(num, in[1])
	}
}

// curve is 2ṫ_a ⊙ ṫ_b for a product; for o = a/b it follows from o·b = a: ö = -2 ḃ ȯ / b.
func (o binaryOp) curve(in G.Nodes, out *G.Node, dirs []G.Nodes) *G.Node {
	var sum *G.Node
	for _, t := range dirs {
		switch o.kind {
		case mul:
			sum = plus(sum, times(t[0], t[1]))
		case div:
			sum = plus(sum, times(t[1], o.jvp(in, out, t)))
		}
	}
	switch {
	case sum == nil:
		return nil
	case o.kind == div:
		return Scale(Div(sum, in[1]), -2)
	}
	return Scale(sum, 2)
}

// Sums and products in which nil is a structural zero.

func plus(a, b *G.Node) *G.Node {
	switch {
	case a == nil:
		return b
	case b == nil:
		return a
	}
	return Add(a, b)
}

func minus(a, b *G.Node) *G.Node {
	switch {
	case b == nil:
		return a
	case a == nil:
		return Neg(b)
	}
	return Sub(a, b)
}

func times(a, b *G.Node) *G.Node {
	if a == nil || b == nil {
		return nil
	}
	return Mul(a, b)
}

// Add is a + b.
func Add(a, b *G.Node) *G.Node { return elementwise(binaryOp{add}, a, b) }

// Sub is a - b.
func Sub(a, b *G.Node) *G.Node { return elementwise(binaryOp{sub}, a, b) }

// Mul is the element-wise product a ⊙ b.
func Mul(a, b *G.Node) *G.Node { return elementwise(binaryOp{mul}, a, b) }

// Div is the element-wise quotient a / b.
func Div(a, b *G.Node) *G.Node { return elementwise(binaryOp{div}, a, b) }

func elementwise(o binaryOp, a, b *G.Node) *G.Node {
	if a == nil || b == nil || !sameShape(a, b) || a.Graph() != b.Graph() {
		return apply(o, a, b) // fails, and says why
	}
	ca, constA := constantOf(a)
	cb, constB := constantOf(b)
	switch o.kind {
	case add:
		switch {
		case constA:
			return Shift(b, ca)
		case constB:
			return Shift(a, cb)
		case a == b:
			return Scale(a, 2)
		}
	case sub:
		switch {
		case constA:
			return Shift(Neg(b), ca)
		case constB:
			return Shift(a, -cb)
		case a == b:
			return ZerosLike(a)
		}
		if o, ok := inner(b); ok && o == (scaleOp{-1}) {
			return Add(a, operands(b)[0])
		}
	case mul:
		switch {
		case constA:
			return Scale(b, ca)
		case constB:
			return Scale(a, cb)
		case a == b:
			return Square(a)
		}
	case div:
		switch {
		case constA && ca == 0:
			return ZerosLike(a)
		case constA:
			return Scale(Reciprocal(b), ca)
		case constB:
			return Scale(a, 1/cb)
		}
	}
	if ea, ok := expansionOf(a); ok {
		if eb, ok := expansionOf(b); ok && ea.kind == eb.kind {
			return ea.expand(elementwise(o, ea.x, eb.x))
		}
	}
	return apply(o, a, b)
}

// scaleOp is y = c x.
type scaleOp struct{ c float64 }

func (o scaleOp) String() string {
	return "scale(" + strconv.FormatFloat(o.c, 'g', -1, 64) + ")"
}
func (o scaleOp) arity() int                                    { return 1 }
func (o scaleOp) shape(in []tensor.Shape) (tensor.Shape, error) { return in[0].Clone(), nil }

func (o scaleOp) eval(dst []float64, in [][]float64, _ []tensor.Shape) {
	for i, x := range in[0] {
		dst[i] = o.c * x
	}
}

func (o scaleOp) vjp(_ G.Nodes, _, g *G.Node, _ []bool) G.Nodes { return G.Nodes{Scale(g, o.c)} }

func (o scaleOp) jvp(_ G.Nodes, _ *G.Node, t G.Nodes) *G.Node {
	return mapTangent(t[0], func(x *G.Node) *G.Node { return Scale(x, o.c) })
}

func (scaleOp) curve(G.Nodes, *G.Node, []G.Nodes) *G.Node { return nil }

// mapTangent applies a linear map to a tangent that may be a structural zero.
func mapTangent(t *G.Node, f func(*G.Node) *G.Node) *G.Node {
	if t == nil {
		return nil
	}
	return f(t)
}

// Scale is c x. A factor of 0 yields a structural zero, whatever x.
func Scale(x *G.Node, c float64) *G.Node {
	need(scaleOp{c}, x)
	switch {
	case c == 1:
		return x
	case c == 0:
		return ZerosLike(x)
	}
	if k, ok := constantOf(x); ok {
		return constant(c*k, x.Shape(), x)
	}
	if e, ok := expansionOf(x); ok {
		return e.expand(Scale(e.x, c))
	}
	if o, ok := inner(x); ok {
		if s, ok := o.(scaleOp); ok {
			return Scale(operands(x)[0], c*s.c)
		}
	}
	return apply(scaleOp{c}, x)
}

// Neg is -x.
func Neg(x *G.Node) *G.Node { return Scale(x, -1) }

// shiftOp is y = x + c.
type shiftOp struct{ c float64 }

func (o shiftOp) String() string {
	return "shift(" + strconv.FormatFloat(o.c, 'g', -1, 64) + ")"
}
func (o shiftOp) arity() int                                    { return 1 }
func (o shiftOp) shape(in []tensor.Shape) (tensor.Shape, error) { return in[0].Clone(), nil }

func (o shiftOp) eval(dst []float64, in [][]float64, _ []tensor.Shape) {
	for i, x := range in[0] {
		dst[i] = x + o.c
	}
}

func (o shiftOp) vjp(_ G.Nodes, _, g *G.Node, _ []bool) G.Nodes { return G.Nodes{g} }
func (o shiftOp) jvp(_ G.Nodes, _ *G.Node, t G.Nodes) *G.Node   { return t[0] }

func (shiftOp) curve(G.Nodes, *G.Node, []G.Nodes) *G.Node { return nil }

// Shift is x + c.
func Shift(x *G.Node, c float64) *G.Node {
	need(shiftOp{c}, x)
	if c == 0 {
		return x
	}
	if k, ok := constantOf(x); ok {
		return constant(c+k, x.Shape(), x)
	}
	if e, ok := expansionOf(x); ok {
		return e.expand(Shift(e.x, c))
	}
	if o, ok := inner(x); ok {
		if s, ok := o.(shiftOp); ok {
			return Shift(operands(x)[0], c+s.c)
		}
	}
	return apply(shiftOp{c}, x)
}
