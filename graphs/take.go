package graphs

import (
	"fmt"
	"slices"

	G "gorgonia.org/gorgonia"
	"gorgonia.org/tensor"

	"github.com/stheno-ebm/stheno/graphs/internal/kernels"
)

// takeOp picks slices of x along an axis by indices known at run time: (before, size, after) and k indices give
// (before, k, after). An embedding is the case of axis 0. An out-of-range index counts as 0, as in Gorgonia.
type takeOp struct {
	before, size, after, k int
	floats                 bool // the indices are floats
}

func (o takeOp) String() string { return "take" + o.sizes() }

func (o takeOp) sizes() string {
	s := fmt.Sprintf("(%d,%d,%d;%d)", o.before, o.size, o.after, o.k)
	if o.floats {
		s += " by floats"
	}
	return s
}

func (o takeOp) arity() int    { return 2 }
func (o takeOp) fixed() []bool { return []bool{false, true} }
func (o takeOp) whole() []bool { return []bool{false, !o.floats} }

func (o takeOp) shape(in []tensor.Shape) (tensor.Shape, error) {
	if in[0].TotalSize() != o.before*o.size*o.after || in[1].TotalSize() != o.k {
		return nil, ErrShape
	}
	return tensor.Shape{o.before, o.k, o.after}, nil
}

func (o takeOp) eval(dst []float64, in [][]float64, _ []tensor.Shape) { take(o, dst, in[0], in[1]) }

func (o takeOp) run32(dst []float32, in [][]float32, _ []tensor.Shape) { take(o, dst, in[0], in[1]) }

func take[T kernels.Float](o takeOp, dst, x, index []T) {
	for i := range o.before {
		for j, at := range index {
			k := o.index(float64(at))
			copy(dst[(i*o.k+j)*o.after:][:o.after], x[(i*o.size+k)*o.after:])
		}
	}
}

// index returns x as an index.
func (o takeOp) index(x float64) int {
	if k := int(x); k > 0 && k < o.size {
		return k
	}
	return 0
}

func (o takeOp) vjp(in G.Nodes, _, g *G.Node, _ []bool) G.Nodes {
	return G.Nodes{Reshape(apply(putOp(o), g, in[1]), in[0].Shape()...), nil}
}

func (o takeOp) jvp(in G.Nodes, _ *G.Node, t G.Nodes) *G.Node {
	return mapTangent(t[0], func(x *G.Node) *G.Node { return apply(o, x, in[1]) })
}

func (takeOp) curve(G.Nodes, *G.Node, []G.Nodes) *G.Node { return nil }

// putOp is the adjoint of takeOp: it adds the slices of g where they were taken.
type putOp takeOp

func (o putOp) String() string { return "put" + takeOp(o).sizes() }
func (o putOp) arity() int     { return 2 }
func (o putOp) fixed() []bool  { return []bool{false, true} }
func (o putOp) whole() []bool  { return takeOp(o).whole() }

func (o putOp) shape(in []tensor.Shape) (tensor.Shape, error) {
	if !slices.Equal(in[0], tensor.Shape{o.before, o.k, o.after}) || in[1].TotalSize() != o.k {
		return nil, ErrShape
	}
	return tensor.Shape{o.before, o.size, o.after}, nil
}

func (o putOp) eval(dst []float64, in [][]float64, _ []tensor.Shape) { put(o, dst, in[0], in[1]) }

func (o putOp) run32(dst []float32, in [][]float32, _ []tensor.Shape) { put(o, dst, in[0], in[1]) }

func put[T kernels.Float](o putOp, dst, g, index []T) {
	clear(dst)
	for i := range o.before {
		for j, at := range index {
			k := takeOp(o).index(float64(at))
			to := dst[(i*o.size+k)*o.after:][:o.after]
			for l, e := range g[(i*o.k+j)*o.after:][:o.after] {
				to[l] += e
			}
		}
	}
}

func (o putOp) vjp(in G.Nodes, _, g *G.Node, _ []bool) G.Nodes {
	return G.Nodes{apply(takeOp(o), g, in[1]), nil}
}

func (o putOp) jvp(in G.Nodes, _ *G.Node, t G.Nodes) *G.Node {
	return mapTangent(t[0], func(x *G.Node) *G.Node { return apply(o, x, in[1]) })
}

func (putOp) curve(G.Nodes, *G.Node, []G.Nodes) *G.Node { return nil }
