package graphs

import (
	"fmt"

	G "gorgonia.org/gorgonia"
	"gorgonia.org/tensor"

	"github.com/stheno-ebm/stheno/graphs/internal/conv"
	"github.com/stheno-ebm/stheno/graphs/internal/gorgonia"
)

// Gorgonia writes convolutions as products with patches. In the compiler, patches that are multiplied become
// convolutions.

// patchesOp is what every window of pictures (n, h·w·c) sees: (n·oh·ow, kh·kw·c).
type patchesOp struct {
	linear
	w conv.Window
}

func (o patchesOp) String() string { return fmt.Sprint("patches ", o.w) }
func (o patchesOp) arity() int     { return 1 }

func (o patchesOp) shape(in []tensor.Shape) (tensor.Shape, error) {
	n, err := batchOf(in, o.w.In())
	if err != nil {
		return nil, err
	}
	return tensor.Shape{n * o.w.OH() * o.w.OW(), o.w.Taps()}, nil
}

func (o patchesOp) eval(dst []float64, in [][]float64, shape []tensor.Shape) {
	clear(dst)
	o.w.Terms(shape[0][0], func(x, f, y int) { dst[y*o.w.Taps()+f] = in[0][x] })
}

func (o patchesOp) vjp(_ G.Nodes, _, g *G.Node, _ []bool) G.Nodes {
	return G.Nodes{apply(foldOp{w: o.w}, g)}
}

func (o patchesOp) jvp(_ G.Nodes, _ *G.Node, t G.Nodes) *G.Node {
	return mapTangent(t[0], func(x *G.Node) *G.Node { return apply(o, x) })
}

// foldOp is the adjoint of patchesOp: it adds patches up where they were taken.
type foldOp struct {
	linear
	w conv.Window
}

func (o foldOp) String() string { return fmt.Sprint("fold ", o.w) }
func (o foldOp) arity() int     { return 1 }

func (o foldOp) shape(in []tensor.Shape) (tensor.Shape, error) {
	pixels := o.w.OH() * o.w.OW()
	if len(in[0]) != 2 || in[0][0]%pixels != 0 || in[0][1] != o.w.Taps() {
		return nil, ErrShape
	}
	return tensor.Shape{in[0][0] / pixels, o.w.In()}, nil
}

func (o foldOp) eval(dst []float64, in [][]float64, shape []tensor.Shape) {
	clear(dst)
	o.w.Terms(shape[0][0]/(o.w.OH()*o.w.OW()), func(x, f, y int) { dst[x] += in[0][y*o.w.Taps()+f] })
}

func (o foldOp) vjp(_ G.Nodes, _, g *G.Node, _ []bool) G.Nodes {
	return G.Nodes{apply(patchesOp{w: o.w}, g)}
}

func (o foldOp) jvp(_ G.Nodes, _ *G.Node, t G.Nodes) *G.Node {
	return mapTangent(t[0], func(x *G.Node) *G.Node { return apply(o, x) })
}

// patchWindow is a window of Gorgonia's over pictures (b,c,h,w), with one output channel.
func patchWindow(w gorgonia.Window, s tensor.Shape) conv.Window {
	return conv.Window{H: s[2], W: s[3], C: s[1], KH: w.Kernel[0], KW: w.Kernel[1], OC: 1, Stride: w.Stride, Pad: w.Pad,
		Dilation: w.Dilation, Groups: 1}
}

// poolWindow is the same for a pool that leaves (oh,ow) of them, if windows of package conv are what Gorgonia's are.
func poolWindow(w gorgonia.Window, s tensor.Shape, oh, ow int) (conv.Window, bool) {
	p := patchWindow(w, s)
	p.OC = p.C
	for i, k := range [2]int{p.KH, p.KW} {
		p.Dilation[i] = max(p.Dilation[i], 1)
		if p.Pad[i] >= p.Dilation[i]*(k-1)+1 {
			return p, false
		}
	}
	return p, p.Validate() == nil && p.OH() == oh && p.OW() == ow
}

// im2col is Gorgonia's: patches of pictures (b,c,h,w) as (b,oh,ow,c·kh·kw).
func im2col(x *G.Node, w conv.Window) *G.Node {
	b, k := x.Shape()[0], w.KH*w.KW
	p := apply(patchesOp{w: w}, Rows(x)) // (b·oh·ow, kh·kw·c)
	n := p.Shape()[0]
	return Reshape(permuted(Reshape(p, n, k, w.C), []int{0, 2, 1}), b, w.OH(), w.OW(), w.C*k)
}

// col2im is the adjoint of im2col.
func col2im(x *G.Node, w conv.Window) *G.Node {
	k := w.KH * w.KW
	n := x.Shape().TotalSize() / (w.C * k)
	p := Reshape(permuted(Reshape(x, n, w.C, k), []int{0, 2, 1}), n, w.C*k)
	return Pictures(apply(foldOp{w: w}, p), w.H, w.W, w.C)
}
