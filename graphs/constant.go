package graphs

import (
	"fmt"
	"slices"
	"strconv"

	G "gorgonia.org/gorgonia"
	"gorgonia.org/tensor"
)

// constOp is a tensor whose elements are all c. Gorgonia requires every node to depend on another, so constOp has an
// operand, an anchor that provides the graph and the type, but neither value nor shape. Its zeros are structural: the
// builders recognise them and drop them from sums and products.
type constOp struct {
	c float64
	s tensor.Shape
}

func (o constOp) String() string {
	return "const(" + strconv.FormatFloat(o.c, 'g', -1, 64) + ")" + fmt.Sprint([]int(o.s))
}
func (o constOp) arity() int                                 { return 1 }
func (o constOp) shape([]tensor.Shape) (tensor.Shape, error) { return o.s.Clone(), nil }
func (constOp) constant()                                    {}

func (o constOp) eval(dst []float64, _ [][]float64, _ []tensor.Shape) {
	for i := range dst {
		dst[i] = o.c
	}
}

func (constOp) vjp(G.Nodes, *G.Node, *G.Node, []bool) G.Nodes { return G.Nodes{nil} }
func (constOp) jvp(G.Nodes, *G.Node, G.Nodes) *G.Node         { return nil }
func (constOp) curve(G.Nodes, *G.Node, []G.Nodes) *G.Node     { return nil }

// constant returns a node of the given shape with all elements c, in the graph and of the type of near.
func constant(c float64, shape tensor.Shape, near *G.Node) *G.Node {
	// The anchor is the leaf found by always taking the first operand: equal constants more often get equal anchors,
	// and a constant never keeps a computation alive.
	for {
		in := operands(near)
		if len(in) == 0 {
			break
		}
		near = in[0]
	}
	return apply(constOp{c, slices.Clone(shape)}, near)
}

// constantOf returns the value of n if it is a constOp.
func constantOf(n *G.Node) (float64, bool) {
	if o, ok := ownOp(n); ok {
		if c, ok := o.(constOp); ok {
			return c.c, true
		}
	}
	return 0, false
}

// ZerosLike returns a structural zero of like's shape: sums, products and derivatives that involve it are simplified as
// they are built. The value of like is not used.
func ZerosLike(like *G.Node) *G.Node { return constantLike(0, like) }

// OnesLike returns a node of ones of like's shape. The value of like is not used.
func OnesLike(like *G.Node) *G.Node { return constantLike(1, like) }

func constantLike(c float64, like *G.Node) *G.Node {
	if missing(like) {
		failf("constant %g: the node of its shape is missing or in no graph", c)
	}
	return constant(c, like.Shape(), like)
}

// unitOp is an (n,d) matrix whose rows are all the unit vector e_k; its operand is an anchor like that of constOp.
type unitOp struct{ n, d, k int }

func (o unitOp) String() string                             { return fmt.Sprintf("unit(%d,%d,%d)", o.n, o.d, o.k) }
func (o unitOp) arity() int                                 { return 1 }
func (o unitOp) shape([]tensor.Shape) (tensor.Shape, error) { return tensor.Shape{o.n, o.d}, nil }
func (unitOp) constant()                                    {}

func (o unitOp) eval(dst []float64, _ [][]float64, _ []tensor.Shape) {
	clear(dst)
	for i := range o.n {
		dst[i*o.d+o.k] = 1
	}
}

func (unitOp) vjp(G.Nodes, *G.Node, *G.Node, []bool) G.Nodes { return G.Nodes{nil} }
func (unitOp) jvp(G.Nodes, *G.Node, G.Nodes) *G.Node         { return nil }
func (unitOp) curve(G.Nodes, *G.Node, []G.Nodes) *G.Node     { return nil }

// unit returns (n,d) rows e_k.
func unit(x *G.Node, k int) *G.Node {
	s := x.Shape()
	if s[1] == 1 {
		return OnesLike(x)
	}
	for {
		in := operands(x)
		if len(in) == 0 {
			break
		}
		x = in[0]
	}
	return apply(unitOp{s[0], s[1], k}, x)
}
