package graphs

import (
	"fmt"
	"slices"

	G "gorgonia.org/gorgonia"
	"gorgonia.org/tensor"

	"github.com/stheno-ebm/stheno/graphs/internal/kernels"
)

// A maximum over groups of elements (along axes, in the windows of a pool) is, wherever it can be differentiated, a linear map
// that stands still: it picks one element of each group. pickOp picks from x where the key has its largest elements, so that
// max x = pick(x, x); the adjoint, placeOp, puts the elements back there. The two are closed under differentiation to any
// order. Of equal elements the first is picked: a subgradient, and what a pool of PyTorch's does.
//
// The groups are the rows of a rearrangement to (groups, elements).

// pickOp is out[i] = x[argmax of the key over group i]; a group without elements gives 0.
type pickOp struct{ r *rearrangement }

func (o pickOp) String() string { return fmt.Sprint("pick ", o.r) }
func (o pickOp) arity() int     { return 2 }
func (o pickOp) fixed() []bool  { return []bool{true, false} }

func (o pickOp) shape(in []tensor.Shape) (tensor.Shape, error) {
	if !slices.Equal(in[0], o.r.from) || !slices.Equal(in[1], o.r.from) {
		return nil, ErrShape
	}
	return tensor.Shape{o.r.to[0]}, nil
}

func (o pickOp) eval(dst []float64, in [][]float64, _ []tensor.Shape) { pick(o.r, dst, in[0], in[1]) }

func (o pickOp) run32(dst []float32, in [][]float32, _ []tensor.Shape) {
	pick(o.r, dst, in[0], in[1])
}

// largest returns the index of the first largest element of the key among group, -1 if there is none.
func largest[T kernels.Float](group []int32, key []T) int32 {
	best := int32(-1)
	for _, k := range group {
		if k >= 0 && (best < 0 || key[k] > key[best]) {
			best = k
		}
	}
	return best
}

func pick[T kernels.Float](r *rearrangement, dst, key, x []T) {
	index, n := r.indices(), r.to[1]
	for i := range dst {
		dst[i] = 0
		if k := largest(index[i*n:(i+1)*n], key); k >= 0 {
			dst[i] = x[k]
		}
	}
}

func (o pickOp) vjp(in G.Nodes, _, g *G.Node, _ []bool) G.Nodes {
	return G.Nodes{nil, apply(placeOp{r: o.r}, in[0], g)}
}

func (o pickOp) jvp(in G.Nodes, _ *G.Node, t G.Nodes) *G.Node {
	return mapTangent(t[1], func(x *G.Node) *G.Node { return apply(o, in[0], x) })
}

func (pickOp) curve(G.Nodes, *G.Node, []G.Nodes) *G.Node { return nil }

// placeOp is the adjoint of pickOp in x: out[argmax of the key over group i] += g[i].
type placeOp struct{ r *rearrangement }

func (o placeOp) String() string { return fmt.Sprint("place ", o.r) }
func (o placeOp) arity() int     { return 2 }
func (o placeOp) fixed() []bool  { return []bool{true, false} }

func (o placeOp) shape(in []tensor.Shape) (tensor.Shape, error) {
	if !slices.Equal(in[0], o.r.from) || !slices.Equal(in[1], tensor.Shape{o.r.to[0]}) {
		return nil, ErrShape
	}
	return slices.Clone(o.r.from), nil
}

func (o placeOp) eval(dst []float64, in [][]float64, _ []tensor.Shape) {
	place(o.r, dst, in[0], in[1])
}

func (o placeOp) run32(dst []float32, in [][]float32, _ []tensor.Shape) {
	place(o.r, dst, in[0], in[1])
}

func place[T kernels.Float](r *rearrangement, dst, key, g []T) {
	clear(dst)
	index, n := r.indices(), r.to[1]
	for i, e := range g {
		if k := largest(index[i*n:(i+1)*n], key); k >= 0 {
			dst[k] += e
		}
	}
}

func (o placeOp) vjp(in G.Nodes, _, g *G.Node, _ []bool) G.Nodes {
	return G.Nodes{nil, apply(pickOp{r: o.r}, in[0], g)}
}

func (o placeOp) jvp(in G.Nodes, _ *G.Node, t G.Nodes) *G.Node {
	return mapTangent(t[1], func(x *G.Node) *G.Node { return apply(o, in[0], x) })
}

func (placeOp) curve(G.Nodes, *G.Node, []G.Nodes) *G.Node { return nil }

// picked is the largest element of every group of x, as a vector.
func picked(r *rearrangement, x *G.Node) *G.Node { return apply(pickOp{r: r}, x, x) }

// groups are the groups of a reduction of a tensor of shape s along axes.
func groups(s tensor.Shape, axes []int) *rearrangement {
	pattern, before, of := axesLast(s, axes)
	r := permutation(s, pattern)
	return &rearrangement{name: "groups " + r.name, from: r.from, to: tensor.Shape{before, of}, list: r.list}
}
