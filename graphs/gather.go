package graphs

import (
	"fmt"
	"slices"

	G "gorgonia.org/gorgonia"
	"gorgonia.org/tensor"
)

// rearrangement says for every element of a tensor which element of another it is a copy of: axes exchanged, strided
// parts, the patches of an image. Negative indices stand for zero.
type rearrangement struct {
	name     string // names the rearrangement in full, given the shapes
	from, to tensor.Shape
	index    []int // len to.TotalSize(): indices into from
}

// gatherOp copies: out[i] = x[index[i]].
type gatherOp struct {
	linear
	r *rearrangement
}

func (o gatherOp) String() string {
	return fmt.Sprint("gather ", o.r.name, []int(o.r.from), []int(o.r.to))
}
func (o gatherOp) arity() int { return 1 }

func (o gatherOp) shape(in []tensor.Shape) (tensor.Shape, error) {
	if !slices.Equal(in[0], o.r.from) {
		return nil, ErrShape
	}
	return slices.Clone(o.r.to), nil
}

func (o gatherOp) eval(dst []float64, in [][]float64, _ []tensor.Shape) {
	for i, k := range o.r.index {
		dst[i] = 0
		if k >= 0 {
			dst[i] = in[0][k]
		}
	}
}

func (o gatherOp) vjp(_ G.Nodes, _, g *G.Node, _ []bool) G.Nodes {
	return G.Nodes{apply(scatterOp{r: o.r}, g)}
}

func (o gatherOp) jvp(_ G.Nodes, _ *G.Node, t G.Nodes) *G.Node {
	return mapTangent(t[0], func(x *G.Node) *G.Node { return apply(o, x) })
}

// scatterOp is the adjoint of gatherOp: out[index[i]] += x[i].
type scatterOp struct {
	linear
	r *rearrangement
}

func (o scatterOp) String() string {
	return fmt.Sprint("scatter ", o.r.name, []int(o.r.from), []int(o.r.to))
}
func (o scatterOp) arity() int { return 1 }

func (o scatterOp) shape(in []tensor.Shape) (tensor.Shape, error) {
	if !slices.Equal(in[0], o.r.to) {
		return nil, ErrShape
	}
	return slices.Clone(o.r.from), nil
}

func (o scatterOp) eval(dst []float64, in [][]float64, _ []tensor.Shape) {
	clear(dst)
	for i, k := range o.r.index {
		if k >= 0 {
			dst[k] += in[0][i]
		}
	}
}

func (o scatterOp) vjp(_ G.Nodes, _, g *G.Node, _ []bool) G.Nodes {
	return G.Nodes{apply(gatherOp{r: o.r}, g)}
}

func (o scatterOp) jvp(_ G.Nodes, _ *G.Node, t G.Nodes) *G.Node {
	return mapTangent(t[0], func(x *G.Node) *G.Node { return apply(o, x) })
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
	r.index = make([]int, from.TotalSize())
	at := make([]int, len(from))
	for i := range r.index {
		k := 0
		for j, p := range pattern {
			k += at[j] * stride[p]
		}
		r.index[i] = k
		for j := len(at) - 1; j >= 0; j-- {
			if at[j]++; at[j] < r.to[j] {
				break
			}
			at[j] = 0
		}
	}
	return r
}

// strided takes lo, lo+step, … below hi along an axis. The result keeps the axis.
func strided(from tensor.Shape, axis, lo, hi, step int) *rearrangement {
	r := &rearrangement{name: fmt.Sprintf("slice(%d,%d:%d:%d)", axis, lo, hi, step), from: slices.Clone(from), to: slices.Clone(from)}
	r.to[axis] = (hi - lo + step - 1) / step
	before, after := from[:axis].TotalSize(), from[axis+1:].TotalSize()
	for i := range before {
		for k := lo; k < hi; k += step {
			for j := range after {
				r.index = append(r.index, (i*from[axis]+k)*after+j)
			}
		}
	}
	return r
}

// patches lists the patches of images, (b,c,h,w) → (b,h',w',c·kh·kw), as Gorgonia's im2col does.
func patches(from tensor.Shape, kernel, pad, stride, dilation [2]int) *rearrangement {
	b, c, h, w := from[0], from[1], from[2], from[3]
	oh := (h+2*pad[0]-(dilation[0]*(kernel[0]-1)+1))/stride[0] + 1
	ow := (w+2*pad[1]-(dilation[1]*(kernel[1]-1)+1))/stride[1] + 1
	r := &rearrangement{
		name: fmt.Sprint("patches", kernel, pad, stride, dilation),
		from: slices.Clone(from),
		to:   tensor.Shape{b, oh, ow, c * kernel[0] * kernel[1]},
	}
	for i := range b {
		for y := range oh {
			for x := range ow {
				for ch := range c {
					for ky := range kernel[0] {
						for kx := range kernel[1] {
							iy, ix := y*stride[0]-pad[0]+ky*dilation[0], x*stride[1]-pad[1]+kx*dilation[1]
							k := -1
							if iy >= 0 && iy < h && ix >= 0 && ix < w {
								k = ((i*c+ch)*h+iy)*w + ix
							}
							r.index = append(r.index, k)
						}
					}
				}
			}
		}
	}
	return r
}
