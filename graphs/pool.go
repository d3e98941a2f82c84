package graphs

import (
	"fmt"
	"math"

	G "gorgonia.org/gorgonia"
	"gorgonia.org/tensor"

	"github.com/stheno-ebm/stheno/graphs/internal/conv"
)

// Pools over pictures in rows (n, h·w·c). A maximum is pick(x, x): the element of x where the key, x itself, is largest
// in each window. For a fixed key that is linear, and its adjoint, place, puts elements back there. See pickOp, which
// does the same for arrays of any rank.

// MaxPool is the largest element of every window of pictures x (n, h·w·c), channel by channel: (n, oh·ow·c). Padding is
// never the largest.
func MaxPool(x *G.Node, w Window) *G.Node {
	return apply(poolPickOp{w: w.pool("MaxPool")}, x, x)
}

// SumPool is the sum of every window of pictures x (n, h·w·c), channel by channel: (n, oh·ow·c).
func SumPool(x *G.Node, w Window) *G.Node {
	return pooledSum(poolSumOp{w: w.pool("SumPool")}, x)
}

// AvgPool is SumPool divided by the size of a window: padding counts as zeros.
func AvgPool(x *G.Node, w Window) *G.Node {
	return Scale(SumPool(x, w), 1/float64(w.KH*w.KW))
}

// Spread is the adjoint of SumPool: it adds every element of y (n, oh·ow·c) to all pixels of its window, (n, h·w·c).
func Spread(y *G.Node, w Window) *G.Node {
	return pooledSum(poolSumOp{w: w.pool("Spread"), spread: true}, y)
}

// Upsample repeats every pixel of pictures x (n, h·w·c) by times along the height and the width: (n, by·h·by·w·c).
func Upsample(x *G.Node, h, w, c, by int) *G.Node {
	return Spread(x, Window{H: h * by, W: w * by, C: c, KH: by, KW: by, Stride: [2]int{by, by}})
}

// pool is checked for a pool, whose windows must all overlap the picture.
func (w Window) pool(what string) conv.Window {
	o := w.checked(what)
	for i, k := range [2]int{o.KH, o.KW} {
		if o.OC != o.C || o.Groups != 1 || o.Pad[i] >= o.Dilation[i]*(k-1)+1 {
			failf("%s: windows %v: a pool keeps its channels, has no groups, and less padding than a window is wide", what, o)
		}
	}
	return o
}

// pooledSum applies o to x, unless that is a structural zero.
func pooledSum(o poolSumOp, x *G.Node) *G.Node {
	if !missing(x) {
		if c, ok := constantOf(x); ok && c == 0 {
			if s, err := o.shape([]tensor.Shape{x.Shape()}); err == nil {
				return constant(0, s, x)
			}
		}
	}
	return apply(o, x)
}

// batchOf returns the rows of in, all of which must be matrices of the given numbers of columns.
func batchOf(in []tensor.Shape, cols ...int) (int, error) {
	for i, c := range cols {
		if len(in[i]) != 2 || in[i][0] != in[0][0] || in[i][1] != c {
			return 0, fmt.Errorf("%w: want (n,%d) for operand %d", ErrShape, c, i)
		}
	}
	return in[0][0], nil
}

// poolPickOp is out[window] = x[argmax of the key over the window].
type poolPickOp struct {
	linear
	w conv.Window
}

func (o poolPickOp) String() string { return fmt.Sprint("pick in windows ", o.w) }
func (o poolPickOp) arity() int     { return 2 }
func (o poolPickOp) fixed() []bool  { return []bool{true, false} }

func (o poolPickOp) shape(in []tensor.Shape) (tensor.Shape, error) {
	n, err := batchOf(in, o.w.In(), o.w.In())
	if err != nil {
		return nil, err
	}
	return tensor.Shape{n, o.w.Out()}, nil
}

// largest is the position of the first largest element of the key in every window.
func (o poolPickOp) largest(key []float64, n int) []int {
	best := make([]float64, n*o.w.Out())
	at := make([]int, len(best))
	for i := range best {
		best[i], at[i] = math.Inf(-1), -1
	}
	o.w.Pairs(n, func(x, y, _ int) {
		if at[y] < 0 || key[x] > best[y] {
			best[y], at[y] = key[x], x
		}
	})
	return at
}

func (o poolPickOp) eval(dst []float64, in [][]float64, shape []tensor.Shape) {
	for i, at := range o.largest(in[0], shape[0][0]) {
		dst[i] = in[1][at]
	}
}

func (o poolPickOp) vjp(in G.Nodes, _, g *G.Node, _ []bool) G.Nodes {
	return G.Nodes{nil, apply(poolPlaceOp(o), in[0], g)}
}

func (o poolPickOp) jvp(in G.Nodes, _ *G.Node, t G.Nodes) *G.Node {
	return mapTangent(t[1], func(x *G.Node) *G.Node { return apply(o, in[0], x) })
}

// poolPlaceOp is the adjoint of poolPickOp in x: out[argmax of the key over the window] += g[window].
type poolPlaceOp struct {
	linear
	w conv.Window
}

func (o poolPlaceOp) String() string { return fmt.Sprint("place in windows ", o.w) }
func (o poolPlaceOp) arity() int     { return 2 }
func (o poolPlaceOp) fixed() []bool  { return []bool{true, false} }

func (o poolPlaceOp) shape(in []tensor.Shape) (tensor.Shape, error) {
	n, err := batchOf(in, o.w.In(), o.w.Out())
	if err != nil {
		return nil, err
	}
	return tensor.Shape{n, o.w.In()}, nil
}

func (o poolPlaceOp) eval(dst []float64, in [][]float64, shape []tensor.Shape) {
	clear(dst)
	for i, at := range poolPickOp(o).largest(in[0], shape[0][0]) {
		dst[at] += in[1][i]
	}
}

func (o poolPlaceOp) vjp(in G.Nodes, _, g *G.Node, _ []bool) G.Nodes {
	return G.Nodes{nil, apply(poolPickOp(o), in[0], g)}
}

func (o poolPlaceOp) jvp(in G.Nodes, _ *G.Node, t G.Nodes) *G.Node {
	return mapTangent(t[1], func(x *G.Node) *G.Node { return apply(o, in[0], x) })
}

// poolSumOp adds up windows or, as the adjoint of that, spreads every element over its window.
type poolSumOp struct {
	linear
	w      conv.Window
	spread bool
}

func (o poolSumOp) String() string {
	if o.spread {
		return fmt.Sprint("spread over windows ", o.w)
	}
	return fmt.Sprint("sum of windows ", o.w)
}

func (o poolSumOp) arity() int { return 1 }

func (o poolSumOp) shape(in []tensor.Shape) (tensor.Shape, error) {
	from, to := o.w.In(), o.w.Out()
	if o.spread {
		from, to = to, from
	}
	n, err := batchOf(in, from)
	if err != nil {
		return nil, err
	}
	return tensor.Shape{n, to}, nil
}

func (o poolSumOp) eval(dst []float64, in [][]float64, shape []tensor.Shape) {
	clear(dst)
	o.w.Pairs(shape[0][0], func(x, y, _ int) {
		if o.spread {
			x, y = y, x
		}
		dst[y] += in[0][x]
	})
}

func (o poolSumOp) vjp(_ G.Nodes, _, g *G.Node, _ []bool) G.Nodes {
	o.spread = !o.spread
	return G.Nodes{pooledSum(o, g)}
}

func (o poolSumOp) jvp(_ G.Nodes, _ *G.Node, t G.Nodes) *G.Node {
	return mapTangent(t[0], func(x *G.Node) *G.Node { return pooledSum(o, x) })
}
