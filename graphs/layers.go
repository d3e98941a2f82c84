package graphs

import (
	"math"
	"slices"

	G "gorgonia.org/gorgonia"
	"gorgonia.org/tensor"

	"github.com/stheno-ebm/stheno/graphs/internal/gorgonia"
	"github.com/stheno-ebm/stheno/graphs/internal/strided"
)

// Layers of networks on arrays of any rank. Names and arguments are PyTorch's; each documents its shapes.

// shapeOf is the shape of an operand of a layer, which must have at least the given number of axes.
func shapeOf(layer string, x *G.Node, axes int) tensor.Shape {
	if missing(x) {
		failf("%s: an operand is missing or in no graph", layer)
	}
	s := x.Shape()
	if len(s) < axes {
		failf("%s: shape %v, want at least %d axes", layer, s, axes)
	}
	return s
}

// axisOf counts a negative axis from the end.
func axisOf(layer string, s tensor.Shape, axis int) int {
	if axis < 0 {
		axis += len(s)
	}
	if axis < 0 || axis >= len(s) {
		failf("%s: no axis %d in shape %v", layer, axis, s)
	}
	return axis
}

// Permute exchanges axes: axis i of the result is axis order[i] of x.
func Permute(x *G.Node, order ...int) *G.Node {
	s := shapeOf("Permute", x, 0)
	if sorted := slices.Sorted(slices.Values(order)); len(order) != len(s) || !identity(sorted) {
		failf("Permute: order %v of shape %v, want each axis once", order, s)
	}
	return permuted(x, order)
}

// SumAxes sums along axes, which the result lacks. Negative ones count from the end.
func SumAxes(x *G.Node, axes ...int) *G.Node {
	s := shapeOf("SumAxes", x, 1)
	var to tensor.Shape
	along := make([]int, len(axes))
	for i, a := range axes {
		along[i] = axisOf("SumAxes", s, a)
	}
	for i, d := range s {
		if !slices.Contains(along, i) {
			to = append(to, d)
		}
	}
	if len(to) == 0 {
		return Sum(x)
	}
	return scattered(x, strided.Reduction(s, along), to)
}

// Softmax is exp x / Σ exp x along an axis, counted from the end if negative.
func Softmax(x *G.Node, axis int) *G.Node {
	m, back := rowsOf(x, []int{axisOf("Softmax", shapeOf("Softmax", x, 1), axis)})
	return back(RowSoftmax(m))
}

// LogSoftmax is x - log Σ exp x along an axis, counted from the end if negative.
func LogSoftmax(x *G.Node, axis int) *G.Node {
	m, back := rowsOf(x, []int{axisOf("LogSoftmax", shapeOf("LogSoftmax", x, 1), axis)})
	return back(Sub(m, ExpandCols(RowLogSumExp(m), m.Shape()[1])))
}

// standard is (x-μ)/√(σ²+ε) with mean and variance of every row of x (n,m).
func standard(x *G.Node, epsilon float64) *G.Node {
	centred := Sub(x, ExpandCols(rowMean(x), x.Shape()[1]))
	return normalised(centred, rowMean(Square(centred)), epsilon)
}

// perChannel is x·scale + bias for x (b,c,…) and scale and bias (c).
func perChannel(layer string, x, scale, bias *G.Node) *G.Node {
	s := x.Shape()
	column := func(v *G.Node) *G.Node {
		if got := shapeOf(layer, v, 1); got.TotalSize() != s[1] {
			failf("%s: scale or bias of shape %v for %d channels", layer, got, s[1])
		}
		to := tensor.Shape{s[0], s[1], s[2:].TotalSize()}
		return Reshape(expanded(Reshape(v, s[1], 1), to), s...)
	}
	return Add(Mul(x, column(scale)), column(bias))
}

// LayerNorm normalises x (…,d) along its last axis, to x̂·scale + bias with scale and bias (d).
func LayerNorm(x, scale, bias *G.Node, epsilon float64) *G.Node {
	s := shapeOf("LayerNorm", x, 1)
	d := s[len(s)-1]
	n := s.TotalSize() / d
	y := standard(Reshape(x, n, d), epsilon)
	y = Add(Mul(y, ExpandRows(scale, n)), ExpandRows(bias, n))
	return Reshape(y, s...)
}

// GroupNorm normalises x (b,c,…) within groups of neighbouring channels, to x̂·scale + bias with scale and bias (c).
func GroupNorm(x *G.Node, groups int, scale, bias *G.Node, epsilon float64) *G.Node {
	s := shapeOf("GroupNorm", x, 2)
	if groups < 1 || s[1]%groups != 0 {
		failf("GroupNorm: %d groups of %d channels", groups, s[1])
	}
	rows := s[0] * groups
	y := standard(Reshape(x, rows, s.TotalSize()/rows), epsilon)
	return perChannel("GroupNorm", Reshape(y, s...), scale, bias)
}

// BatchNorm normalises every channel of x (b,c,…) over the batch, to x̂·scale + bias with scale and bias (c). It keeps
// no running averages: it is what a training step computes.
func BatchNorm(x, scale, bias *G.Node, epsilon float64) *G.Node {
	shapeOf("BatchNorm", x, 2)
	m, back := rowsOf(x, []int{1}) // a column for each channel
	n, c := m.Shape()[0], m.Shape()[1]
	for _, v := range []*G.Node{scale, bias} {
		if got := shapeOf("BatchNorm", v, 1); got.TotalSize() != c {
			failf("BatchNorm: scale or bias of shape %v for %d channels", got, c)
		}
	}
	centred := Sub(m, ExpandRows(colMean(m), n))
	y := standardColumns(centred, colMean(Square(centred)), epsilon)
	return back(Add(Mul(y, ExpandRows(Reshape(scale, c), n)), ExpandRows(Reshape(bias, c), n)))
}

// Embedding looks rows of weight (n,d) up: for whole numbers index (of type int, any shape s) the result is (s…,d). An
// out-of-range index counts as 0.
func Embedding(weight, index *G.Node) *G.Node {
	w, s := shapeOf("Embedding", weight, 2), shapeOf("Embedding", index, 1)
	if len(w) != 2 || index.Dtype() != tensor.Int {
		failf("Embedding: weight of shape %v and index of type %v, want a matrix and int", w, index.Dtype())
	}
	o := takeOp{before: 1, size: w[0], after: w[1], k: s.TotalSize()}
	return Reshape(apply(o, weight, index), append(s.Clone(), w[1])...)
}

// Attention is softmax(q·kᵀ/√d + mask)·v for q (…,t,d), k (…,s,d), v (…,s,e): (…,t,e). The mask is added to the scores
// and repeated to their shape (…,t,s); nil is none.
func Attention(q, k, v, mask *G.Node) *G.Node {
	s := shapeOf("Attention", q, 2)
	scores := Scale(BatchMatMul(q, k, false, true), 1/math.Sqrt(float64(s[len(s)-1])))
	if mask != nil {
		to, ok := broadcast(scores.Shape(), shapeOf("Attention", mask, 1))
		if !ok || !slices.Equal(to, scores.Shape()) {
			failf("Attention: mask of shape %v for scores of shape %v", mask.Shape(), scores.Shape())
		}
		scores = Add(scores, expanded(mask, to))
	}
	return BatchMatMul(Softmax(scores, -1), v, false, false)
}

// Dropout makes elements 0 with probability p, drawn anew at each run, and divides the others by 1-p. It is
// Gorgonia's operation of that name.
func Dropout(x *G.Node, p float64) *G.Node {
	shapeOf("Dropout", x, 0)
	return Must(G.Dropout(x, p))
}

// pool returns the windows of a pool over pictures (b,c,h,w).
func pool(layer string, x *G.Node, kernel, stride, pad int) images {
	s := shapeOf(layer, x, 4)
	w := gorgonia.Window{Kernel: [2]int{kernel, kernel}, Stride: [2]int{stride, stride}, Pad: [2]int{pad, pad},
		Dilation: [2]int{1, 1}}
	if len(s) != 4 || kernel < 1 || stride < 1 || pad < 0 || 2*pad > kernel || min(s[2], s[3])+2*pad < kernel {
		failf("%s: windows of %d, stride %d, padding %d over shape %v", layer, kernel, stride, pad, s)
	}
	h, wd := outputs(w, s[2:])
	return windowed(s, w, h, wd)
}

// MaxPool2D is the largest element of square windows over pictures (b,c,h,w); padding is never the largest.
func MaxPool2D(x *G.Node, kernel, stride, padding int) *G.Node {
	m := pool("MaxPool2D", x, kernel, stride, padding)
	return maxPooled(x, m.win, tensor.Shape{m.from[0], m.from[1], m.oh, m.ow})
}

// AvgPool2D is the mean of square windows over pictures (b,c,h,w); padding counts as zeros.
func AvgPool2D(x *G.Node, kernel, stride, padding int) *G.Node {
	m := pool("AvgPool2D", x, kernel, stride, padding)
	to := tensor.Shape{m.from[0], m.from[1], m.oh, m.ow}
	w, ok := poolWindow(m.win, m.from, m.oh, m.ow)
	if !ok {
		failf("AvgPool2D: windows of %d with padding %d", kernel, padding)
	}
	return Scale(Pictures(pooledSum(poolSumOp{w: w}, Rows(x)), to[2], to[3], to[1]), 1/float64(kernel*kernel))
}
