package graphs

import (
	"fmt"
	"math"
	"slices"

	G "gorgonia.org/gorgonia"
	"gorgonia.org/tensor"

	"github.com/stheno-ebm/stheno/graphs/internal/conv"
	"github.com/stheno-ebm/stheno/graphs/internal/gorgonia"
	"github.com/stheno-ebm/stheno/graphs/internal/strided"
)

// gatherOp copies the elements of a view: axes exchanged, strided parts, repetitions, the patches of an image.
type gatherOp struct {
	linear
	v  strided.View
	to tensor.Shape
	as *slicing // the slice that the view belongs to, if any
}

func (o gatherOp) String() string { return fmt.Sprint("gather ", o.v, []int(o.to), o.as) }
func (o gatherOp) arity() int     { return 1 }

func (o gatherOp) shape(in []tensor.Shape) (tensor.Shape, error) {
	if in[0].TotalSize() != o.v.Size {
		return nil, ErrShape
	}
	return slices.Clone(o.to), nil
}

func (o gatherOp) eval(dst []float64, in [][]float64, _ []tensor.Shape) {
	o.as.now(o.v).Each(func(i, at int) { dst[i] = in[0][at] })
}

func (o gatherOp) vjp(in G.Nodes, _, g *G.Node, _ []bool) G.Nodes {
	return G.Nodes{apply(scatterOp{v: o.v, to: in[0].Shape().Clone(), as: o.as}, g)}
}

func (o gatherOp) jvp(_ G.Nodes, _ *G.Node, t G.Nodes) *G.Node {
	return mapTangent(t[0], func(x *G.Node) *G.Node { return apply(o, x) })
}

// gathered returns the elements of the view v of x, as an array of shape to.
func gathered(x *G.Node, v strided.View, to tensor.Shape) *G.Node {
	if v.Identity() {
		return Reshape(x, to...)
	}
	return apply(gatherOp{v: v, to: to}, x)
}

// scattered is the adjoint of gathered: zeros of shape to, with x added where the view has its elements.
func scattered(x *G.Node, v strided.View, to tensor.Shape) *G.Node {
	if v.Identity() {
		return Reshape(x, to...)
	}
	return apply(scatterOp{v: v, to: to}, x)
}

// scatterOp is the adjoint of gatherOp. A view that covers every element once may have values other than zero around
// it.
type scatterOp struct {
	linear
	v    strided.View
	to   tensor.Shape
	fill float64
	as   *slicing // as for gatherOp
}

func (o scatterOp) String() string { return fmt.Sprint("scatter ", o.v, []int(o.to), o.fill, o.as) }
func (o scatterOp) arity() int     { return 1 }

func (o scatterOp) shape(in []tensor.Shape) (tensor.Shape, error) {
	if in[0].TotalSize() != o.v.Len() {
		return nil, ErrShape
	}
	return slices.Clone(o.to), nil
}

func (o scatterOp) eval(dst []float64, in [][]float64, _ []tensor.Shape) {
	clear(dst)
	v := o.as.now(o.v)
	if o.fill != 0 {
		for i := range dst {
			dst[i] = o.fill
		}
		v.Each(func(_, at int) { dst[at] = 0 })
	}
	v.Each(func(i, at int) { dst[at] += in[0][i] })
}

func (o scatterOp) vjp(in G.Nodes, _, g *G.Node, _ []bool) G.Nodes {
	return G.Nodes{apply(gatherOp{v: o.v, to: in[0].Shape().Clone(), as: o.as}, g)}
}

func (o scatterOp) jvp(_ G.Nodes, _ *G.Node, t G.Nodes) *G.Node {
	o.fill = 0
	return mapTangent(t[0], func(x *G.Node) *G.Node { return apply(o, x) })
}

// stridesOf returns the strides of an array of shape s.
func stridesOf(s tensor.Shape) []int {
	strides := make([]int, len(s))
	for i, size := len(s)-1, 1; i >= 0; i-- {
		strides[i] = size
		size *= s[i]
	}
	return strides
}

// permutation exchanges axes: axis i of the result is axis pattern[i] of the operand.
func permutation(from tensor.Shape, pattern []int) (v strided.View, to tensor.Shape) {
	all, strides := stridesOf(from), make([]int, len(pattern))
	to = make(tensor.Shape, len(pattern))
	for i, p := range pattern {
		to[i], strides[i] = from[p], all[p]
	}
	return strided.New(from.TotalSize(), 0, to, strides), to
}

// identity reports whether a pattern leaves the axes in order.
func identity(pattern []int) bool {
	for i, p := range pattern {
		if i != p {
			return false
		}
	}
	return true
}

// axesLast returns the permutation that moves axes to the end, preserving order, and the sizes of the axes before and
// of the moved ones.
func axesLast(s tensor.Shape, axes []int) (pattern []int, before, of int) {
	before, of = 1, 1
	for i, d := range s {
		if !slices.Contains(axes, i) {
			pattern, before = append(pattern, i), before*d
		}
	}
	for i, d := range s {
		if slices.Contains(axes, i) {
			pattern, of = append(pattern, i), of*d
		}
	}
	return pattern, before, of
}

// part takes lo, lo+step, … below hi along an axis. The result keeps the axis.
func part(from tensor.Shape, axis, lo, hi, step int) (v strided.View, to tensor.Shape) {
	strides := stridesOf(from)
	offset := lo * strides[axis]
	strides[axis] *= step
	to = slices.Clone(from)
	to[axis] = (hi - lo + step - 1) / step
	return strided.New(from.TotalSize(), offset, to, strides), to
}

// repeated repeats every element along an axis: (before, axis, after) → (before, axis·times, after).
func repeated(to tensor.Shape, axis, times int) strided.View {
	before, length, after := to[:axis].TotalSize(), to[axis]/times, to[axis+1:].TotalSize()
	return strided.New(before*length*after, 0, []int{before * length, times, after}, []int{after, 0, 1})
}

// element takes one element.
func element(from tensor.Shape, at []int) strided.View {
	k := 0
	for i, c := range at {
		k = k*from[i] + c
	}
	return strided.New(from.TotalSize(), k, nil, nil)
}

// upsampling is the window of the adjoint of a sum: every pixel of pictures (b,c,h,w) by times in both directions.
func upsampling(s tensor.Shape, by int) conv.Window {
	return conv.Window{H: s[2] * by, W: s[3] * by, C: s[1], KH: by, KW: by, OC: s[1], Stride: [2]int{by, by},
		Dilation: [2]int{1, 1}, Groups: 1}
}

// images describes pictures (b,c,h,w) over which windows move, with a border wide enough for them: (b,c,height,width).
type images struct {
	from          tensor.Shape
	win           gorgonia.Window
	oh, ow        int // windows
	height, width int
}

// windowed returns the images for windows with a result of size (oh,ow). Gorgonia's may begin and end outside the
// pictures.
func windowed(from tensor.Shape, win gorgonia.Window, oh, ow int) images {
	reach := func(i, n int) int {
		return max(from[i+2]+win.Pad[i], (n-1)*win.Stride[i]+(win.Kernel[i]-1)*win.Dilation[i]+1)
	}
	return images{from, win, oh, ow, reach(0, oh), reach(1, ow)}
}

// outputs returns the size of the result of windows w on an image (h,w).
func outputs(w gorgonia.Window, image tensor.Shape) (h, wd int) {
	size := func(i int) int { return (image[i]+2*w.Pad[i]-(w.Dilation[i]*(w.Kernel[i]-1)+1))/w.Stride[i] + 1 }
	return size(0), size(1)
}

// size returns the number of elements including the border.
func (m images) size() int { return m.from[0] * m.from[1] * m.height * m.width }

// inside views the pictures within their border.
func (m images) inside() strided.View {
	b, c, h, w := m.from[0], m.from[1], m.from[2], m.from[3]
	return strided.New(m.size(), m.win.Pad[0]*m.width+m.win.Pad[1], []int{b * c, h, w},
		[]int{m.height * m.width, m.width, 1})
}

// bordered puts the border around pictures.
func (m images) bordered(x *G.Node, fill float64) *G.Node {
	v := m.inside()
	if v.Identity() {
		return x
	}
	return apply(scatterOp{v: v, to: tensor.Shape{m.from[0], m.from[1], m.height, m.width}, fill: fill}, x)
}

// axes returns the axes of the windows over bordered pictures: batch, channel, start, and position within the window.
func (m images) axes() (dims, strides []int) {
	w := m.win
	image := m.height * m.width
	dims = []int{m.from[0], m.from[1], m.oh, m.ow, w.Kernel[0], w.Kernel[1]}
	strides = []int{m.from[1] * image, image, w.Stride[0] * m.width, w.Stride[1], w.Dilation[0] * m.width, w.Dilation[1]}
	return dims, strides
}

// windows views what belongs to each output of a pool of the bordered pictures, as (b·c·h'·w', kh·kw).
func (m images) windows() (v strided.View, to tensor.Shape) {
	d, s := m.axes()
	return strided.New(m.size(), 0, d, s), tensor.Shape{d[0] * d[1] * d[2] * d[3], d[4] * d[5]}
}

// groups are the windows of a pool of the bordered pictures.
func (m images) groups() strided.Groups {
	d, s := m.axes()
	return strided.NewGroups(m.size(), 0, d, s, 4)
}

// pooled returns the largest element of every window.
func (m images) pooled(x *G.Node) *G.Node {
	return apply(pickOp{m.groups()}, m.bordered(x, math.Inf(-1)), m.bordered(x, 0))
}
