package graphs

import (
	"fmt"

	G "gorgonia.org/gorgonia"
	"gorgonia.org/tensor"

	"github.com/stheno-ebm/stheno/graphs/internal/strided"
)

// A maximum over groups of elements (along axes, in the windows of a pool) is, wherever it is differentiable, locally a
// constant linear map: it picks one element of each group. pickOp picks from x where the key is largest, so that max x
// = pick(x, x); the adjoint, placeOp, puts the elements back there. The two are closed under differentiation to any
// order. Among equal elements the first is picked: a subgradient, and what PyTorch's pooling does.

// pickOp is out[i] = x[argmax of the key over group i].
type pickOp struct{ of strided.Groups }

func (o pickOp) String() string { return fmt.Sprint("pick ", o.of) }
func (o pickOp) arity() int     { return 2 }
func (o pickOp) fixed() []bool  { return []bool{true, false} }

func (o pickOp) shape(in []tensor.Shape) (tensor.Shape, error) {
	if size := o.of.At.Size; in[0].TotalSize() != size || in[1].TotalSize() != size {
		return nil, ErrShape
	}
	return tensor.Shape{o.of.At.Len()}, nil
}

// largest calls f with every group and the index of the first largest element of the key in it.
func (o pickOp) largest(key []float64, f func(i, at int)) {
	o.of.At.Each(func(i, at int) {
		best := at
		for _, d := range o.of.Offsets {
			if key[at+d] > key[best] {
				best = at + d
			}
		}
		f(i, best)
	})
}

func (o pickOp) eval(dst []float64, in [][]float64, _ []tensor.Shape) {
	o.largest(in[0], func(i, at int) { dst[i] = in[1][at] })
}

func (o pickOp) vjp(in G.Nodes, _, g *G.Node, _ []bool) G.Nodes {
	return G.Nodes{nil, apply(placeOp{o.of, in[1].Shape()}, in[0], g)}
}

func (o pickOp) jvp(in G.Nodes, _ *G.Node, t G.Nodes) *G.Node {
	return mapTangent(t[1], func(x *G.Node) *G.Node { return apply(o, in[0], x) })
}

func (pickOp) curve(G.Nodes, *G.Node, []G.Nodes) *G.Node { return nil }

// placeOp is the adjoint of pickOp in x: out[argmax of the key over group i] += g[i].
type placeOp struct {
	of strided.Groups
	to tensor.Shape
}

func (o placeOp) String() string { return fmt.Sprint("place ", o.of, []int(o.to)) }
func (o placeOp) arity() int     { return 2 }
func (o placeOp) fixed() []bool  { return []bool{true, false} }

func (o placeOp) shape(in []tensor.Shape) (tensor.Shape, error) {
	if in[0].TotalSize() != o.of.At.Size || in[1].TotalSize() != o.of.At.Len() {
		return nil, ErrShape
	}
	return o.to.Clone(), nil
}

func (o placeOp) eval(dst []float64, in [][]float64, _ []tensor.Shape) {
	clear(dst)
	pickOp{o.of}.largest(in[0], func(i, at int) { dst[at] += in[1][i] })
}

func (o placeOp) vjp(in G.Nodes, _, g *G.Node, _ []bool) G.Nodes {
	return G.Nodes{nil, apply(pickOp{o.of}, in[0], g)}
}

func (o placeOp) jvp(in G.Nodes, _ *G.Node, t G.Nodes) *G.Node {
	return mapTangent(t[1], func(x *G.Node) *G.Node { return apply(o, in[0], x) })
}

func (placeOp) curve(G.Nodes, *G.Node, []G.Nodes) *G.Node { return nil }

// groups returns the groups of a reduction of an array of shape s along axes.
func groups(s tensor.Shape, axes []int) strided.Groups {
	pattern, _, _ := axesLast(s, axes)
	strides := stridesOf(s)
	dims, steps := make([]int, len(s)), make([]int, len(s))
	for i, p := range pattern {
		dims[i], steps[i] = s[p], strides[p]
	}
	return strided.NewGroups(s.TotalSize(), 0, dims, steps, len(s)-len(axes))
}
