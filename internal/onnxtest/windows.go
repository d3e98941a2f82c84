package onnxtest

import "math"

// windows evaluates what moves windows over pictures (n,c,h,w), two axes of them.
func (n *Node) windows(in []Tensor) Tensor {
	x, kernel, stride, pads := in[0], n.Ints["kernel_shape"], n.Ints["strides"], n.Ints["pads"]
	dilation := n.Ints["dilations"]
	if dilation == nil {
		dilation = []int{1, 1}
	}
	groups := n.attr("group", 1)
	reach := func(i int) int { return dilation[i]*(kernel[i]-1) + 1 }
	places := func(i int) int { return (x.Dims[2+i]+pads[i]+pads[2+i]-reach(i))/stride[i] + 1 }
	// each calls f with the places of x that a place of the smaller side sees, and the number of the tap.
	each := func(at []int, h, w int, f func(y, x, ky, kx int)) {
		for ky := range kernel[0] {
			for kx := range kernel[1] {
				i, j := at[2]*stride[0]-pads[0]+ky*dilation[0], at[3]*stride[1]-pads[1]+kx*dilation[1]
				if i >= 0 && i < h && j >= 0 && j < w {
					f(i, j, ky, kx)
				}
			}
		}
	}
	h, w := x.Dims[2], x.Dims[3]
	switch n.Op {
	case "MaxPool":
		return made([]int{x.Dims[0], x.Dims[1], places(0), places(1)}, func(at []int) float64 {
			best := math.Inf(-1)
			each(at, h, w, func(i, j, _, _ int) { best = math.Max(best, x.at([]int{at[0], at[1], i, j})) })
			return best
		})
	case "AveragePool":
		if n.attr("count_include_pad", 0) != 1 {
			panic("this AveragePool is not known")
		}
		return made([]int{x.Dims[0], x.Dims[1], places(0), places(1)}, func(at []int) float64 {
			sum := 0.0
			each(at, h, w, func(i, j, _, _ int) { sum += x.at([]int{at[0], at[1], i, j}) })
			return sum / float64(kernel[0]*kernel[1])
		})
	case "Conv": // filter (oc,c,kh,kw)
		f := in[1]
		outs, c := f.Dims[0], f.Dims[1]
		return made([]int{x.Dims[0], outs, places(0), places(1)}, func(at []int) float64 {
			sum, first := 0.0, at[1]/(outs/groups)*c
			for k := range c {
				each(at, h, w, func(i, j, ky, kx int) {
					sum += x.at([]int{at[0], first + k, i, j}) * f.at([]int{at[1], k, ky, kx})
				})
			}
			return sum
		})
	}
	f, rest := in[1], n.Ints["output_padding"] // a ConvTranspose, filter (c,oc/groups,kh,kw)
	c, outs := x.Dims[1]/groups, f.Dims[1]
	size := func(i int) int { return (x.Dims[2+i]-1)*stride[i] - pads[i] - pads[2+i] + reach(i) + rest[i] }
	out := made([]int{x.Dims[0], outs * groups, size(0), size(1)}, func([]int) float64 { return 0 })
	made(x.Dims, func(at []int) float64 {
		for o := range outs {
			each(at, out.Dims[2], out.Dims[3], func(i, j, ky, kx int) {
				out.Data[out.index([]int{at[0], at[1]/c*outs + o, i, j})] += x.at(at) * f.at([]int{at[1], o, ky, kx})
			})
		}
		return 0
	})
	return out
}
