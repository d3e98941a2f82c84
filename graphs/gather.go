package graphs

import (
	"fmt"
	"slices"
	"sync"

	G "gorgonia.org/gorgonia"
	"gorgonia.org/tensor"

	"github.com/stheno-ebm/stheno/graphs/internal/gorgonia"
	"github.com/stheno-ebm/stheno/graphs/internal/kernels"
)

// rearrangement says for every element of a tensor which element of another it is a copy of: axes exchanged, strided
// parts, the patches of an image. It is listed when it is first used.
type rearrangement struct {
	name     string // names the rearrangement in full, given the shapes
	from, to tensor.Shape
	list     func(add func(k int)) // calls add with the index into from, or -1 for zero, of every element of to in order

	once  sync.Once
	index []int32
}

func (r *rearrangement) indices() []int32 {
	r.once.Do(func() {
		r.index = make([]int32, 0, r.to.TotalSize())
		r.list(func(k int) { r.index = append(r.index, int32(k)) })
	})
	return r.index
}

func (r *rearrangement) String() string { return fmt.Sprint(r.name, []int(r.from), []int(r.to)) }

// gatherOp copies: out[i] = x[index[i]].
type gatherOp struct {
	linear
	r *rearrangement
}

func (o gatherOp) String() string { return fmt.Sprint("gather ", o.r) }
func (o gatherOp) arity() int     { return 1 }

func (o gatherOp) shape(in []tensor.Shape) (tensor.Shape, error) {
	if !slices.Equal(in[0], o.r.from) {
		return nil, ErrShape
	}
	return slices.Clone(o.r.to), nil
}

func (o gatherOp) eval(dst []float64, in [][]float64, _ []tensor.Shape) { gather(o.r, dst, in[0]) }

func (o gatherOp) run32(dst []float32, in [][]float32, _ []tensor.Shape) { gather(o.r, dst, in[0]) }

func gather[T kernels.Float](r *rearrangement, dst, x []T) {
	for i, k := range r.indices() {
		if k >= 0 {
			dst[i] = x[k]
		} else {
			dst[i] = 0
		}
	}
}

func (o gatherOp) vjp(_ G.Nodes, _, g *G.Node, _ []bool) G.Nodes {
	return G.Nodes{scattered(o.r, g)}
}

func (o gatherOp) jvp(_ G.Nodes, _ *G.Node, t G.Nodes) *G.Node {
	return mapTangent(t[0], func(x *G.Node) *G.Node { return gathered(o.r, x) })
}

// gathered is the rearranged x, which has the size of what the rearrangement is from.
func gathered(r *rearrangement, x *G.Node) *G.Node {
	return apply(gatherOp{r: r}, Reshape(x, r.from...))
}

// scattered is the adjoint of gathered.
func scattered(r *rearrangement, g *G.Node) *G.Node {
	return apply(scatterOp{r: r}, Reshape(g, r.to...))
}

// scatterOp is the adjoint of gatherOp: out[index[i]] += x[i].
type scatterOp struct {
	linear
	r *rearrangement
}

func (o scatterOp) String() string { return fmt.Sprint("scatter ", o.r) }
func (o scatterOp) arity() int     { return 1 }

func (o scatterOp) shape(in []tensor.Shape) (tensor.Shape, error) {
	if !slices.Equal(in[0], o.r.to) {
		return nil, ErrShape
	}
	return slices.Clone(o.r.from), nil
}

func (o scatterOp) eval(dst []float64, in [][]float64, _ []tensor.Shape) { scatter(o.r, dst, in[0]) }

func (o scatterOp) run32(dst []float32, in [][]float32, _ []tensor.Shape) {
	scatter(o.r, dst, in[0])
}

func scatter[T kernels.Float](r *rearrangement, dst, x []T) {
	clear(dst)
	for i, k := range r.indices() {
		if k >= 0 {
			dst[k] += x[i]
		}
	}
}

func (o scatterOp) vjp(_ G.Nodes, _, g *G.Node, _ []bool) G.Nodes {
	return G.Nodes{gathered(o.r, g)}
}

func (o scatterOp) jvp(_ G.Nodes, _ *G.Node, t G.Nodes) *G.Node {
	return mapTangent(t[0], func(x *G.Node) *G.Node { return scattered(o.r, x) })
}

// permutation exchanges axes: axis i of the result is axis pattern[i] of the operand.
func permutation(from tensor.Shape, pattern []int) *rearrangement {
	r := &rearrangement{name: fmt.Sprint("permute", pattern), from: slices.Clone(from)}
	stride := make([]int, len(from))
	for i, s := len(from)-1, 1; i >= 0; i-- {
		stride[i] = s
		s *= from[i]
	}
	for _, p := range pattern {
		r.to = append(r.to, from[p])
	}
	r.list = func(add func(int)) {
		at := make([]int, len(from))
		for range from.TotalSize() {
			k := 0
			for j, p := range pattern {
				k += at[j] * stride[p]
			}
			add(k)
			for j := len(at) - 1; j >= 0; j-- {
				if at[j]++; at[j] < r.to[j] {
					break
				}
				at[j] = 0
			}
		}
	}
	return r
}

// identity reports that a pattern leaves the axes in order.
func identity(pattern []int) bool {
	for i, p := range pattern {
		if i != p {
			return false
		}
	}
	return true
}

// axesLast is the permutation that brings axes last, both in order, and the sizes before and of them.
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

// strided takes lo, lo+step, … below hi along an axis. The result keeps the axis.
func strided(from tensor.Shape, axis, lo, hi, step int) *rearrangement {
	r := &rearrangement{name: fmt.Sprintf("slice(%d,%d:%d:%d)", axis, lo, hi, step), from: slices.Clone(from), to: slices.Clone(from)}
	r.to[axis] = (hi - lo + step - 1) / step
	before, after := from[:axis].TotalSize(), from[axis+1:].TotalSize()
	r.list = func(add func(int)) {
		for i := range before {
			for k := lo; k < hi; k += step {
				for j := range after {
					add((i*from[axis]+k)*after + j)
				}
			}
		}
	}
	return r
}

// repeated repeats every element along an axis: (before, axis, after) → (before, axis·times, after).
func repeated(from, to tensor.Shape, axis, times int) *rearrangement {
	length := to[axis] / times
	before, after := to[:axis].TotalSize(), to[axis+1:].TotalSize()
	r := &rearrangement{name: fmt.Sprintf("repeat(%d,%d)", axis, times), from: slices.Clone(from), to: slices.Clone(to)}
	r.list = func(add func(int)) {
		for i := range before * length {
			for range times {
				for j := range after {
					add(i*after + j)
				}
			}
		}
	}
	return r
}

// element takes one element, as shape (1).
func element(from tensor.Shape, at []int) *rearrangement {
	k := 0
	for i, c := range at {
		k = k*from[i] + c
	}
	return &rearrangement{name: fmt.Sprint("at", at), from: slices.Clone(from), to: tensor.Shape{1}, list: func(add func(int)) { add(k) }}
}

// upsampled repeats every pixel of images (b,c,h,w) in both directions.
func upsampled(from tensor.Shape, by int) *rearrangement {
	b, c, h, w := from[0], from[1], from[2], from[3]
	r := &rearrangement{name: fmt.Sprintf("upsample(%d)", by), from: slices.Clone(from), to: tensor.Shape{b, c, h * by, w * by}}
	r.list = func(add func(int)) {
		for i := range b * c {
			for y := range h * by {
				for x := range w * by {
					add((i*h+y/by)*w + x/by)
				}
			}
		}
	}
	return r
}

// outputs is the size of what windows w leave of an image (h,w).
func outputs(w gorgonia.Window, image tensor.Shape) (h, wd int) {
	size := func(i int) int { return (image[i]+2*w.Pad[i]-(w.Dilation[i]*(w.Kernel[i]-1)+1))/w.Stride[i] + 1 }
	return size(0), size(1)
}

// patches lists the patches of images, (b,c,h,w) → (b,h',w',c·kh·kw), as Gorgonia's im2col does.
func patches(from tensor.Shape, win gorgonia.Window) *rearrangement {
	b, c, h, w := from[0], from[1], from[2], from[3]
	oh, ow := outputs(win, from[2:])
	r := &rearrangement{
		name: fmt.Sprint("patches", win),
		from: slices.Clone(from),
		to:   tensor.Shape{b, oh, ow, c * win.Kernel[0] * win.Kernel[1]},
	}
	r.list = func(add func(int)) {
		for i := range b {
			for p := range oh * ow {
				for ch := range c {
					pixels(win, p/ow, p%ow, h, w, (i*c+ch)*h*w, add)
				}
			}
		}
	}
	return r
}

// windows lists what belongs to each output of a pool, (b,c,h,w) → (b·c·h'·w', kh·kw). Gorgonia's windows end with the image
// below and to the right, so the size of the result is given.
func windows(from tensor.Shape, win gorgonia.Window, oh, ow int) *rearrangement {
	b, c, h, w := from[0], from[1], from[2], from[3]
	r := &rearrangement{
		name: fmt.Sprint("windows", win),
		from: slices.Clone(from),
		to:   tensor.Shape{b * c * oh * ow, win.Kernel[0] * win.Kernel[1]},
	}
	r.list = func(add func(int)) {
		for i := range b * c {
			for p := range oh * ow {
				pixels(win, p/ow, p%ow, h, w, i*h*w, add)
			}
		}
	}
	return r
}

// pixels lists the window of output (y,x) in an image (h,w) that starts at index base.
func pixels(win gorgonia.Window, y, x, h, w, base int, add func(int)) {
	for ky := range win.Kernel[0] {
		iy := y*win.Stride[0] - win.Pad[0] + ky*win.Dilation[0]
		for kx := range win.Kernel[1] {
			ix := x*win.Stride[1] - win.Pad[1] + kx*win.Dilation[1]
			if iy >= 0 && iy < h && ix >= 0 && ix < w {
				add(base + iy*w + ix)
			} else {
				add(-1)
			}
		}
	}
}
