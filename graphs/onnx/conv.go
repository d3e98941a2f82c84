package onnx

import (
	"math"

	"github.com/stheno-ebm/stheno/graphs/internal/conv"
	"github.com/stheno-ebm/stheno/graphs/internal/ir"
	"github.com/stheno-ebm/stheno/graphs/internal/strided"
)

// pictures are the input of a convolution or a pool: n rows (h,w,c), where n may be open, with a border of zeros.
type pictures struct {
	conv.Window
	n             int
	height, width int // with the border
}

func (e *emitter) pictures(w conv.Window, n int) *pictures {
	return &pictures{w, n, w.H + 2*w.Pad[0], w.W + 2*w.Pad[1]}
}

// size is the number of elements of all pictures with their border.
func (p *pictures) size() int { return p.n * p.height * p.width * p.C }

// inside views the pictures within their border.
func (p *pictures) inside() strided.View {
	row := p.width * p.C
	return strided.New(p.size(), p.Pad[0]*row+p.Pad[1]*p.C, []int{p.n, p.H, p.W * p.C}, []int{p.height * row, row, 1})
}

// patches views what the windows see: a matrix (n·oh·ow, kh·kw·c) for each group of channels.
func (p *pictures) patches() strided.View {
	row := p.width * p.C
	c := p.C / p.Groups
	return strided.New(p.size(), 0, []int{p.Groups, p.n, p.OH(), p.OW(), p.KH, p.KW, c},
		[]int{c, p.height * row, p.Stride[0] * row, p.Stride[1] * p.C, p.Dilation[0] * row, p.Dilation[1] * p.C, 1})
}

// windows views the windows of a pool, (n·oh·ow·c, kh·kw).
func (p *pictures) windows() strided.View {
	row := p.width * p.C
	return strided.New(p.size(), 0, []int{p.n, p.OH(), p.OW(), p.C, p.KH, p.KW},
		[]int{p.height * row, p.Stride[0] * row, p.Stride[1] * p.C, 1, p.Dilation[0] * row, p.Dilation[1] * p.C})
}

// bordered adds the border to pictures; cropped removes it.
func (e *emitter) bordered(p *pictures, x string, fill float64) string {
	if p.Pad == [2]int{} {
		return x
	}
	return e.reshape(e.put(x, p.inside(), fill), e.p.dim(p.size()))
}

func (e *emitter) cropped(p *pictures, x string) string {
	if p.Pad == [2]int{} {
		return x
	}
	return e.gather(x, p.inside())
}

// channelsFirst turns pictures (n, h·w·c) into (n,c,h,w); channelsLast is its inverse.
func (e *emitter) channelsFirst(x string, n dim, h, w, c int) string {
	return e.transpose(e.reshape(x, n, fixed(h), fixed(w), fixed(c)), 0, 3, 1, 2)
}

func (e *emitter) channelsLast(x string, n dim, h, w, c int) string {
	e.views[x] = view{of: x, dims: []dim{n, fixed(c), fixed(h), fixed(w)}}
	return e.transpose(x, 0, 2, 3, 1)
}

// geometry returns the attributes that Conv, ConvTranspose and the pools share.
func geometry(w conv.Window, dilations bool) []attribute {
	attrs := []attribute{
		integers("kernel_shape", w.KH, w.KW), integers("strides", w.Stride[0], w.Stride[1]),
		integers("pads", w.Pad[0], w.Pad[1], w.Pad[0], w.Pad[1]),
	}
	if dilations {
		attrs = append(attrs, integers("dilations", w.Dilation[0], w.Dilation[1]))
	}
	return attrs
}

// conv translates a convolution in one of its roles. ONNX Runtime has Conv and ConvTranspose for float only, and no
// derivative with respect to the filter: in those cases it becomes a matrix product.
func (e *emitter) conv(in *instruction, o ir.Conv) string {
	w, n := o.Window, e.p.code[in.args[0]].rows
	a, b := e.whole(in.args[0]), e.whole(in.args[1])
	if o.Role == conv.Filter || e.elem == double {
		return e.convByProducts(o.Role, e.pictures(w, n), a, b)
	}
	open, c := e.p.dim(n), w.C/w.Groups
	filter := e.transpose(e.reshape(b, fixed(w.KH), fixed(w.KW), fixed(c), fixed(w.OC)), 3, 2, 0, 1) // (oc,c,kh,kw)
	attrs := append(geometry(w, true), integer("group", w.Groups))
	if o.Role == conv.Out {
		y := e.with("Conv", attrs, e.channelsFirst(a, open, w.H, w.W, w.C), filter)
		return e.channelsLast(y, open, w.OH(), w.OW(), w.OC)
	}
	rest := func(i, size, windows, k int) int {
		return size - ((windows-1)*w.Stride[i] - 2*w.Pad[i] + w.Dilation[i]*(k-1) + 1)
	}
	attrs = append(attrs, integers("output_padding", rest(0, w.H, w.OH(), w.KH), rest(1, w.W, w.OW(), w.KW)))
	x := e.with("ConvTranspose", attrs, e.channelsFirst(a, open, w.OH(), w.OW(), w.OC), filter)
	return e.channelsLast(x, open, w.H, w.W, w.C)
}

// convByProducts is conv by matrix products, one for each group.
func (e *emitter) convByProducts(role conv.Role, p *pictures, a, b string) string {
	groups, taps, out := fixed(p.Groups), fixed(p.Taps()), fixed(p.OC/p.Groups)
	places := e.p.dim(p.n * p.OH() * p.OW())
	v := p.patches()
	patches := func(x string) string { return e.reshape(e.gather(e.bordered(p, x, 0), v), groups, places, taps) }
	results := func(y string) string { return e.transpose(e.reshape(y, places, groups, out), 1, 0, 2) }
	filter := func(perm ...int) string { return e.transpose(e.reshape(b, taps, groups, out), perm...) }
	switch role {
	case conv.Out:
		y := e.op("MatMul", patches(a), filter(1, 0, 2))
		e.views[y] = view{of: y, dims: []dim{groups, places, out}}
		return e.transpose(y, 1, 0, 2)
	case conv.In:
		x := e.op("MatMul", results(a), filter(1, 2, 0))
		return e.cropped(p, e.scatter(x, v))
	}
	f := e.op("MatMul", e.transpose(patches(a), 0, 2, 1), results(b))
	e.views[f] = view{of: f, dims: []dim{groups, taps, out}}
	return e.transpose(f, 1, 0, 2)
}

// patches returns what the windows over n pictures see; fold sums patches at the places they were taken from.
func (e *emitter) patches(x string, w conv.Window, n int) string {
	p := e.pictures(w, n)
	return e.gather(e.bordered(p, x, 0), p.patches())
}

func (e *emitter) fold(x string, w conv.Window, n int) string {
	p := e.pictures(w, n)
	return e.cropped(p, e.scatter(x, p.patches()))
}

// pool translates a pooling instruction.
func (e *emitter) pool(in *instruction) string {
	w := pooling(in.op)
	last := in.args[len(in.args)-1] // pictures, or what is placed in them
	p := e.pictures(w, in.rows)
	x, k := e.whole(last), fixed(w.KH*w.KW)
	windows := e.p.dim(in.rows * w.OH() * w.OW() * w.C)
	seen := func(fill float64) string { return e.reshape(e.gather(e.bordered(p, x, fill), p.windows()), windows, k) }
	number := func() string { return e.integers(e.whole(in.args[0]), windows, fixed(1)) }
	switch in.op.(type) {
	case ir.PoolArgMax:
		n := e.with("ArgMax", []attribute{integer("axis", 1)}, seen(math.Inf(-1)))
		y := e.cast(n)
		e.views[y] = view{of: y, dims: []dim{windows, fixed(1)}}
		e.indices[y] = n
		return y
	case ir.PoolPick:
		if max := &e.p.code[in.args[0]]; is[ir.PoolArgMax](max) && max.args[0] == last && narrowBorder(w) {
			y := e.with("MaxPool", geometry(w, true), e.channelsFirst(x, e.p.dim(in.rows), w.H, w.W, w.C))
			return e.channelsLast(y, e.p.dim(in.rows), w.OH(), w.OW(), w.C)
		}
		return e.with("GatherElements", []attribute{integer("axis", 1)}, seen(0), number())
	case ir.PoolPlace:
		chosen := e.cast(e.op("Equal", number(), e.intArray([]int{1, k.k}, counted(k.k))))
		return e.cropped(p, e.scatter(e.op("Mul", chosen, e.reshape(x, windows, fixed(1))), p.windows()))
	case ir.PoolSum:
		if e.elem == float && w.Dilation == [2]int{1, 1} && narrowBorder(w) {
			attrs := append(geometry(w, false), integer("count_include_pad", 1))
			y := e.with("AveragePool", attrs, e.channelsFirst(x, e.p.dim(in.rows), w.H, w.W, w.C))
			return e.channelsLast(e.scale(y, float64(k.k)), e.p.dim(in.rows), w.OH(), w.OW(), w.C)
		}
		return e.op("ReduceSum", seen(0), e.ints(1))
	}
	all := e.expand(e.reshape(x, windows, fixed(1)), windows, k) // a Spread
	return e.cropped(p, e.scatter(all, p.windows()))
}

// narrowBorder reports whether every window sees part of the picture, which ONNX Runtime's pools require.
func narrowBorder(w conv.Window) bool { return w.Pad[0] < w.KH && w.Pad[1] < w.KW }

// pooling returns the window of a pool.
func pooling(op ir.Op) conv.Window {
	switch o := op.(type) {
	case ir.PoolArgMax:
		return o.Window
	case ir.PoolPick:
		return o.Window
	case ir.PoolPlace:
		return o.Window
	case ir.PoolSum:
		return o.Window
	}
	return op.(ir.Spread).Window
}
