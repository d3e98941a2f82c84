package graphs

import (
	"fmt"

	G "gorgonia.org/gorgonia"
	"gorgonia.org/tensor"

	"github.com/stheno-ebm/stheno/graphs/internal/conv"
)

// Window describes how the windows of a convolution or a pool move over pictures.
//
// Pictures are rows (n, h·w·c), one sample each, with the channel varying fastest. A filter is (kh·kw·c/groups, oc):
// its rows are (ky, kx, channel within the group), its columns the output channels. [Rows] and [Pictures] convert from
// PyTorch's layout (n,c,h,w) and back, [FilterRows] from (oc,c,kh,kw).
type Window struct {
	H, W, C  int    // height, width and channels of a picture; required
	KH, KW   int    // size of the window; required
	OC       int    // channels of the result; 0 means C, the only choice for a pool
	Stride   [2]int // steps of the window along height and width; 0 means 1
	Pad      [2]int // zeros around the picture, on each side; default none
	Dilation [2]int // distance between neighbours within a window; 0 means 1
	Groups   int    // channel groups: each group of outputs sees only its group of inputs; 0 means 1
}

// OutShape returns height, width and channels of the result for a picture.
func (w Window) OutShape() (h, wd, c int) {
	o := w.complete()
	return o.OH(), o.OW(), o.OC
}

// Validate says what is wrong with w.
func (w Window) Validate() error {
	if err := w.complete().Validate(); err != nil {
		return fmt.Errorf("graphs: %w", err)
	}
	return nil
}

// complete fills in the defaults.
func (w Window) complete() conv.Window {
	one := func(v *int) {
		if *v == 0 {
			*v = 1
		}
	}
	for i := range 2 {
		one(&w.Stride[i])
		one(&w.Dilation[i])
	}
	one(&w.Groups)
	if w.OC == 0 {
		w.OC = w.C
	}
	return conv.Window(w)
}

// checked returns complete, or fails if the window is invalid.
func (w Window) checked(what string) conv.Window {
	o := w.complete()
	if err := o.Validate(); err != nil {
		failf("%s: %w", what, err)
	}
	return o
}

// Convolve returns the convolution of pictures x (n, h·w·c) with filter f (kh·kw·c/groups, oc): (n, oh·ow·oc).
//
//	y[n, oy, ox, o] = Σ_{ky,kx,c} x[n, oy·stride - pad + ky·dilation, ox·stride - pad + kx·dilation, c] · f[ky, kx, c, o]
func Convolve(x, f *G.Node, w Window) *G.Node {
	return convolved(convOp{w.checked("Convolve"), conv.Out}, x, f)
}

// ConvolveTransposed is the adjoint of [Convolve] in x: it maps y (n, oh·ow·oc) to (n, h·w·c). PyTorch's transposed
// convolution from C' to O' channels has OC = C' and C = O' here.
func ConvolveTransposed(y, f *G.Node, w Window) *G.Node {
	return convolved(convOp{w.checked("ConvolveTransposed"), conv.In}, y, f)
}

// ConvolveFilter is the adjoint of [Convolve] in f: it maps x (n, h·w·c) and y (n, oh·ow·oc) to (kh·kw·c/groups, oc).
func ConvolveFilter(x, y *G.Node, w Window) *G.Node {
	return convolved(convOp{w.checked("ConvolveFilter"), conv.Filter}, x, y)
}

// convOp is one role of a convolution. Its operands are the other two of x, f, y: (x, f), (y, f) or (x, y).
type convOp struct {
	w    conv.Window
	role conv.Role
}

func (o convOp) String() string { return fmt.Sprintf("convolution %v of %v", o.role, o.w) }
func (o convOp) arity() int     { return 2 }

func (o convOp) shape(in []tensor.Shape) (tensor.Shape, error) {
	if len(in[0]) != 2 || len(in[1]) != 2 {
		return nil, fmt.Errorf("%w: want two matrices", ErrShape)
	}
	w, n := o.w, in[0][0]
	x, y, f := tensor.Shape{n, w.In()}, tensor.Shape{n, w.Out()}, tensor.Shape{w.Taps(), w.OC}
	to, a, b := y, x, f
	switch o.role {
	case conv.In:
		to, a, b = x, y, f
	case conv.Filter:
		to, a, b = f, x, y
	}
	if in[0][1] != a[1] || in[1][0] != b[0] || in[1][1] != b[1] {
		return nil, fmt.Errorf("%w: want %v and %v", ErrShape, a, b)
	}
	return to, nil
}

func (o convOp) eval(dst []float64, in [][]float64, shape []tensor.Shape) {
	clear(dst)
	n := shape[0][0]
	switch o.role {
	case conv.Out:
		o.w.Terms(n, func(x, f, y int) { dst[y] += in[0][x] * in[1][f] })
	case conv.In:
		o.w.Terms(n, func(x, f, y int) { dst[x] += in[0][y] * in[1][f] })
	default:
		o.w.Terms(n, func(x, f, y int) { dst[f] += in[0][x] * in[1][y] })
	}
}

func (o convOp) vjp(in G.Nodes, _, g *G.Node, want []bool) G.Nodes {
	gs := make(G.Nodes, 2)
	a, b := in[0], in[1]
	as := func(r conv.Role, p, q *G.Node) *G.Node { return convolved(convOp{o.w, r}, p, q) }
	switch o.role {
	case conv.Out: // of x, f
		if want[0] {
			gs[0] = as(conv.In, g, b)
		}
		if want[1] {
			gs[1] = as(conv.Filter, a, g)
		}
	case conv.In: // of y, f
		if want[0] {
			gs[0] = as(conv.Out, g, b)
		}
		if want[1] {
			gs[1] = as(conv.Filter, g, a)
		}
	default: // of x, y
		if want[0] {
			gs[0] = as(conv.In, b, g)
		}
		if want[1] {
			gs[1] = as(conv.Out, a, g)
		}
	}
	return gs
}

func (o convOp) jvp(in G.Nodes, _ *G.Node, t G.Nodes) *G.Node {
	var sum *G.Node
	if t[0] != nil {
		sum = convolved(o, t[0], in[1])
	}
	if t[1] != nil {
		sum = plus(sum, convolved(o, in[0], t[1]))
	}
	return sum
}

func (o convOp) curve(_ G.Nodes, _ *G.Node, dirs []G.Nodes) *G.Node {
	var sum *G.Node
	for _, t := range dirs {
		if t[0] != nil && t[1] != nil {
			sum = plus(sum, convolved(o, t[0], t[1]))
		}
	}
	return mapTangent(sum, func(x *G.Node) *G.Node { return Scale(x, 2) })
}

// convolved applies o, unless an operand is a structural zero.
func convolved(o convOp, a, b *G.Node) *G.Node {
	for _, x := range []*G.Node{a, b} {
		if missing(x) {
			break
		}
		if c, ok := constantOf(x); ok && c == 0 && a != nil && b != nil {
			if s, err := o.shape([]tensor.Shape{a.Shape(), b.Shape()}); err == nil {
				return constant(0, s, a)
			}
		}
	}
	return apply(o, a, b)
}
