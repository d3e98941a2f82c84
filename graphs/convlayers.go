package graphs

import (
	G "gorgonia.org/gorgonia"
)

// Layers of convolutional networks, on pictures in rows (n, h·w·c) and, with PyTorch's names, arguments and shapes, on
// (n,c,h,w). Between two of the latter the compiler leaves the pictures in rows.

// Rows converts pictures (n,c,h,w) to rows (n, h·w·c).
func Rows(x *G.Node) *G.Node {
	s := shapeOf("Rows", x, 3)
	return Reshape(channelsLast(x), s[0], s[1:].TotalSize())
}

// channelsLast moves axis 1 of (n,c,…) to the end.
func channelsLast(x *G.Node) *G.Node {
	var order []int
	for i := range x.Dims() {
		if i != 1 {
			order = append(order, i)
		}
	}
	return permuted(x, append(order, 1))
}

// Pictures converts rows (n, h·w·c) to pictures (n,c,h,w).
func Pictures(x *G.Node, h, w, c int) *G.Node {
	s := shapeOf("Pictures", x, 2)
	if len(s) != 2 || s[1] != h*w*c {
		failf("Pictures: rows of shape %v are not pictures of %d×%d with %d channels", s, h, w, c)
	}
	return permuted(Reshape(x, s[0], h, w, c), []int{0, 3, 1, 2})
}

// FilterRows converts a filter (oc,c,kh,kw) to the matrix (kh·kw·c, oc) that [Convolve] takes.
func FilterRows(f *G.Node) *G.Node {
	s := shapeOf("FilterRows", f, 4)
	if len(s) != 4 {
		failf("FilterRows: shape %v, want (oc,c,kh,kw)", s)
	}
	return Reshape(permuted(f, []int{2, 3, 1, 0}), s.TotalSize()/s[0], s[0])
}

// AddChannels adds bias (c) to every pixel of x (n, p·c).
func AddChannels(x, bias *G.Node) *G.Node { return Add(x, channels("AddChannels", x, bias)) }

// MulChannels multiplies every pixel of x (n, p·c) by scale (c).
func MulChannels(x, scale *G.Node) *G.Node { return Mul(x, channels("MulChannels", x, scale)) }

// channels repeats v (c) for every pixel of x (n, p·c).
func channels(what string, x, v *G.Node) *G.Node {
	s, c := shapeOf(what, x, 2), shapeOf(what, v, 1).TotalSize()
	if len(s) != 2 || s[1]%c != 0 {
		failf("%s: %d channels for rows of shape %v", what, c, s)
	}
	return ExpandRows(Reshape(ExpandRows(Reshape(v, c), s[1]/c), s[1]), s[0])
}

// ChannelNorm normalises every channel of x (n, p·c) over the batch and the pixels, to x̂·scale + bias with scale and
// bias (c): the batch normalisation of a training step, without running averages.
func ChannelNorm(x, scale, bias *G.Node, epsilon float64) *G.Node {
	s, c := shapeOf("ChannelNorm", x, 2), shapeOf("ChannelNorm", scale, 1).TotalSize()
	mean := func(y *G.Node) *G.Node {
		return Scale(ColSum(Reshape(ColSum(y), s[1]/c, c)), float64(c)/float64(s.TotalSize()))
	}
	if len(s) != 2 || s[1]%c != 0 {
		failf("ChannelNorm: %d channels for rows of shape %v", c, s)
	}
	centred := Sub(x, channels("ChannelNorm", x, mean(x)))
	factor := Mul(Reshape(scale, c), Reciprocal(Sqrt(Shift(mean(Square(centred)), epsilon))))
	return AddChannels(MulChannels(centred, factor), bias)
}

// square returns the window of a layer that treats both directions alike.
func square(kh, kw, stride, padding, dilation, groups int) Window {
	return Window{KH: kh, KW: kw, Stride: [2]int{stride, stride}, Pad: [2]int{padding, padding},
		Dilation: [2]int{dilation, dilation}, Groups: groups}
}

// Conv2D is the convolution of pictures x (n,c,h,w) with weight (oc,c/groups,kh,kw), plus bias (oc), if that is not
// nil: (n,oc,oh,ow).
func Conv2D(x, weight, bias *G.Node, stride, padding, dilation, groups int) *G.Node {
	s, k := shapeOf("Conv2D", x, 4), shapeOf("Conv2D", weight, 4)
	if len(s) != 4 || len(k) != 4 || groups < 1 || k[1]*groups != s[1] {
		failf("Conv2D: pictures of shape %v and weight of shape %v in %d groups, "+
			"want (n,c,h,w) and (oc,c/groups,kh,kw)", s, k, groups)
	}
	w := square(k[2], k[3], stride, padding, dilation, groups)
	w.H, w.W, w.C, w.OC = s[2], s[3], s[1], k[0]
	y := Convolve(Rows(x), FilterRows(weight), w)
	if bias != nil {
		y = AddChannels(y, bias)
	}
	h, wd, c := w.OutShape()
	return Pictures(y, h, wd, c)
}

// Conv1D is Conv2D of x (n,c,l) with weight (oc,c/groups,k): (n,oc,ol).
func Conv1D(x, weight, bias *G.Node, stride, padding, dilation, groups int) *G.Node {
	s, k := shapeOf("Conv1D", x, 3), shapeOf("Conv1D", weight, 3)
	if len(s) != 3 || len(k) != 3 || groups < 1 || k[1]*groups != s[1] {
		failf("Conv1D: x of shape %v and weight of shape %v in %d groups, want (n,c,l) and (oc,c/groups,k)", s, k, groups)
	}
	w := Window{H: 1, W: s[2], C: s[1], KH: 1, KW: k[2], OC: k[0], Stride: [2]int{1, stride}, Pad: [2]int{0, padding},
		Dilation: [2]int{1, dilation}, Groups: groups}
	y := Convolve(Rows(x), FilterRows(Reshape(weight, k[0], k[1], 1, k[2])), w)
	if bias != nil {
		y = AddChannels(y, bias)
	}
	_, l, c := w.OutShape()
	return Reshape(Pictures(y, 1, l, c), s[0], c, l)
}

// ConvTranspose2D is the transposed convolution of pictures x (n,c,h,w) with weight (c,oc/groups,kh,kw), plus bias
// (oc), if that is not nil: (n,oc,oh,ow) with oh = (h-1)·stride - 2·padding + dilation·(kh-1) + 1 + outputPadding.
func ConvTranspose2D(x, weight, bias *G.Node, stride, padding, outputPadding, groups, dilation int) *G.Node {
	s, k := shapeOf("ConvTranspose2D", x, 4), shapeOf("ConvTranspose2D", weight, 4)
	if len(s) != 4 || len(k) != 4 || groups < 1 || k[0] != s[1] || outputPadding < 0 ||
		outputPadding >= max(stride, dilation) {
		failf("ConvTranspose2D: pictures of shape %v, weight of shape %v, %d groups, output padding %d; want "+
			"(n,c,h,w), (c,oc/groups,kh,kw), and padding below the stride or the dilation", s, k, groups, outputPadding)
	}
	size := func(n, k int) int { return (n-1)*stride - 2*padding + dilation*(k-1) + 1 + outputPadding }
	w := square(k[2], k[3], stride, padding, dilation, groups)
	w.H, w.W, w.C, w.OC = size(s[2], k[2]), size(s[3], k[3]), k[1]*groups, k[0]
	y := ConvolveTransposed(Rows(x), FilterRows(weight), w)
	if bias != nil {
		y = AddChannels(y, bias)
	}
	return Pictures(y, w.H, w.W, w.C)
}

// Upsample2D repeats every pixel of pictures x (n,c,h,w) by times in both directions: (n,c,by·h,by·w).
func Upsample2D(x *G.Node, by int) *G.Node {
	s := shapeOf("Upsample2D", x, 4)
	if len(s) != 4 || by < 1 {
		failf("Upsample2D: pictures of shape %v, %d times", s, by)
	}
	if by == 1 {
		return x
	}
	return Pictures(Upsample(Rows(x), s[2], s[3], s[1], by), s[2]*by, s[3]*by, s[1])
}
