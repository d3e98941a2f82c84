package graphs

import (
	G "gorgonia.org/gorgonia"
	"gorgonia.org/tensor"

	"github.com/stheno-ebm/stheno/graphs/internal/gorgonia"
)

// translateLayer translates the layers of networks.
func translateLayer(o gorgonia.Op, n *G.Node, in G.Nodes) *G.Node {
	x := in[0]
	switch s := x.Shape(); o.Kind {
	case gorgonia.Softmax:
		return translateSoftmax(o, x)
	case gorgonia.Sparsemax:
		return translateSparsemax(o, x)
	case gorgonia.MaxPool:
		return maxPooled(x, o.Window, n.Shape())
	case gorgonia.AveragePool: // Gorgonia divides by the width of the image
		to := n.Shape()
		if w, ok := poolWindow(o.Window, s, to[2], to[3]); ok {
			return Pictures(Scale(pooledSum(poolSumOp{w: w}, Rows(x)), 1/float64(s[3])), to[2], to[3], to[1])
		}
		m := windowed(s, o.Window, to[2], to[3])
		v, groups := m.windows()
		sum := RowSum(gathered(m.bordered(x, 0), v, groups))
		return shaped(Scale(sum, 1/float64(s[3])), n.Shape())
	case gorgonia.GlobalAveragePool:
		size := s[2] * s[3]
		return shaped(Scale(RowSum(shaped(x, tensor.Shape{s[0] * s[1], size})), 1/float64(size)), n.Shape())
	case gorgonia.Upsample:
		return Upsample2D(x, o.Factor)
	case gorgonia.BatchNorm:
		return translateBatchNorm(o, n, x)
	case gorgonia.GroupNorm: // the groups are runs of channels
		rows := shaped(x, tensor.Shape{s[0] * o.Groups, s.TotalSize() / (s[0] * o.Groups)})
		centred := Sub(rows, ExpandCols(rowMean(rows), rows.Shape()[1]))
		return shaped(normalised(centred, rowMean(Square(centred)), o.Epsilon), s)
	case gorgonia.Dropout:
		return Mul(x, apply(maskOp{n.Op(), o.P}, x, n))
	case gorgonia.ByIndices:
		return shaped(apply(takenBy(o, in), x, in[1]), n.Shape())
	case gorgonia.CTCLoss:
		return apply(ctcOp{o.Mean}, in...)
	case gorgonia.YOLO:
		return translateBoxes(o.Boxes, n, x)
	}
	return nil
}

// takenBy returns what a ByIndices takes.
func takenBy(o gorgonia.Op, in G.Nodes) takeOp {
	s := in[0].Shape()
	return takeOp{before: s[:o.Axis].TotalSize(), size: s[o.Axis], after: s[o.Axis+1:].TotalSize(),
		k: in[1].Shape().TotalSize()}
}

// maxPooled is the largest element of every window of pictures x (b,c,h,w), in the given shape.
func maxPooled(x *G.Node, of gorgonia.Window, to tensor.Shape) *G.Node {
	s := x.Shape()
	if w, ok := poolWindow(of, s, to[2], to[3]); ok {
		r := Rows(x)
		return Pictures(apply(poolPickOp{w: w}, r, r), to[2], to[3], to[1])
	}
	return shaped(windowed(s, of, to[2], to[3]).pooled(x), to)
}

// rowMean is the mean of every row: (n,m) → (n,1).
func rowMean(x *G.Node) *G.Node { return Scale(RowSum(x), 1/float64(x.Shape()[1])) }

// normalised is x/√(v+ε) for every row of x (n,m) and element of v (n,1).
func normalised(x, v *G.Node, epsilon float64) *G.Node {
	return Mul(x, ExpandCols(Reciprocal(Sqrt(Shift(v, epsilon))), x.Shape()[1]))
}

// colMean is the mean of every column: (n,m) → (m).
func colMean(x *G.Node) *G.Node { return Scale(ColSum(x), 1/float64(x.Shape()[0])) }

// standardColumns is x/√(v+ε) for every column of x (n,m) and element of v (m).
func standardColumns(x, v *G.Node, epsilon float64) *G.Node {
	return Mul(x, ExpandRows(Reciprocal(Sqrt(Shift(v, epsilon))), x.Shape()[0]))
}

// softmaxAxis returns the axis of Gorgonia's softmax of a tensor of shape s: the last one by default, the first for a
// matrix of one column, -1 if there is none.
func softmaxAxis(o gorgonia.Op, s tensor.Shape) int {
	switch {
	case o.Axis >= len(s):
		return -1
	case o.Axis >= 0:
		return o.Axis
	case s.IsColVec():
		return 0
	}
	return len(s) - 1
}

func translateSoftmax(o gorgonia.Op, x *G.Node) *G.Node {
	axis := softmaxAxis(o, x.Shape())
	if axis < 0 {
		return nil
	}
	m, back := rowsOf(x, []int{axis})
	if o.Log {
		return back(Sub(m, ExpandCols(RowLogSumExp(m), m.Shape()[1])))
	}
	return back(RowSoftmax(m))
}

// translateSparsemax follows Gorgonia, which swaps the axes of a matrix for axis 0 but does not swap them back.
func translateSparsemax(o gorgonia.Op, x *G.Node) *G.Node {
	s := x.Shape()
	switch {
	case len(s) == 0 || o.Axis > 1 || o.Axis >= 0 && len(s) != 2:
		return nil
	case o.Axis == 0:
		x = apply(transposeOp{}, x)
	}
	last := x.Shape()[x.Dims()-1]
	return shaped(apply(rowSparsemaxOp{}, shaped(x, tensor.Shape{s.TotalSize() / last, last})), s)
}

// translateBatchNorm normalises every channel by mean and variance, of the batch in training and running ones in
// evaluation: μ = t μ_batch + (1-t) μ_running with t read when the program runs, and v likewise, where v_batch is the
// mean of (x-μ)², which only counts if μ is μ_batch.
func translateBatchNorm(o gorgonia.Op, y, x *G.Node) *G.Node {
	op, ok := y.Op().(*G.BatchNormOp)
	s := x.Shape()
	if !ok || len(s) < 2 {
		return nil
	}
	m, back := rowsOf(x, []int{1}) // a column for each channel
	n, c := m.Shape()[0], m.Shape()[1]
	stats := apply(statsOp{op, c}, y)
	row := func(i int) *G.Node { return Reshape(SliceRows(stats, i, i+1), c) }
	centred := Sub(m, ExpandRows(Add(Mul(row(0), colMean(m)), row(1)), n))
	variance := Add(Mul(row(0), colMean(Square(centred))), row(2))
	return back(standardColumns(centred, variance, o.Epsilon))
}
