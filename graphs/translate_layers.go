package graphs

import (
	"fmt"

	G "gorgonia.org/gorgonia"
	"gorgonia.org/tensor"

	"github.com/stheno-ebm/stheno/graphs/internal/gorgonia"
)

// translateLayer translates what networks are made of.
func translateLayer(o gorgonia.Op, n *G.Node, in G.Nodes) *G.Node {
	x := in[0]
	switch s := x.Shape(); o.Kind {
	case gorgonia.Softmax:
		return translateSoftmax(o, x)
	case gorgonia.Sparsemax:
		return translateSparsemax(o, x)
	case gorgonia.MaxPool:
		return shaped(windowed(s, o.Window, n.Shape()[2], n.Shape()[3]).pooled(x), n.Shape())
	case gorgonia.AveragePool: // Gorgonia divides by the width of the image
		m := windowed(s, o.Window, n.Shape()[2], n.Shape()[3])
		v, to := m.windows()
		sum := RowSum(gathered(m.bordered(x, 0), v, to))
		return shaped(Scale(sum, 1/float64(s[3])), n.Shape())
	case gorgonia.GlobalAveragePool:
		size := s[2] * s[3]
		return shaped(Scale(RowSum(shaped(x, tensor.Shape{s[0] * s[1], size})), 1/float64(size)), n.Shape())
	case gorgonia.Upsample:
		v, to := upsampled(s, o.Factor)
		return gathered(x, v, to)
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

// takenBy is what a ByIndices takes.
func takenBy(o gorgonia.Op, in G.Nodes) takeOp {
	s := in[0].Shape()
	return takeOp{s[:o.Axis].TotalSize(), s[o.Axis], s[o.Axis+1:].TotalSize(), in[1].Shape().TotalSize()}
}

// rowMean is the mean of every row: (n,m) → (n,1).
func rowMean(x *G.Node) *G.Node { return Scale(RowSum(x), 1/float64(x.Shape()[1])) }

// normalised is x/√(v+ε) for every row of x (n,m) and element of v (n,1).
func normalised(x, v *G.Node, epsilon float64) *G.Node {
	return Mul(x, ExpandCols(Reciprocal(Sqrt(Shift(v, epsilon))), x.Shape()[1]))
}

// softmaxAxis is the axis that Gorgonia's softmax of a tensor of shape s runs along: the last one by default, the first of a
// matrix of one column. It is -1 if there is none.
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

// translateSparsemax follows Gorgonia, which exchanges the axes of a matrix for axis 0 but does not change them back.
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

// translateBatchNorm normalises every channel by mean and variance, of the batch in training and running ones in evaluation:
// μ = t μ_batch + (1-t) μ_running with t read when the program runs, and v likewise.
func translateBatchNorm(o gorgonia.Op, n, x *G.Node) *G.Node {
	op, ok := n.Op().(*G.BatchNormOp)
	s := x.Shape()
	if !ok || len(s) < 2 {
		return nil
	}
	axes := []int{0}
	for i := range s[2:] {
		axes = append(axes, i+2)
	}
	m, back := rowsOf(x, axes) // a row for each channel
	c, size := m.Shape()[0], m.Shape()[1]
	stats := apply(statsOp{op, c}, n)
	row := func(i int) *G.Node { return Reshape(SliceRows(stats, i, i+1), c, 1) }
	mean := rowMean(m)
	batch := Sub(m, ExpandCols(mean, size))
	variance := Add(Mul(row(0), rowMean(Square(batch))), row(2))
	centred := Sub(m, ExpandCols(Add(Mul(row(0), mean), row(1)), size))
	return back(normalised(centred, variance, o.Epsilon))
}

// translateBoxes is YOLOv3 outside of training: of every box of a cell of the grid the position is a logistic function of the
// numbers plus the cell's, the size an exponential one times the anchor's, the rest are logistic functions.
func translateBoxes(b gorgonia.Boxes, n, x *G.Node) *G.Node {
	if b.Training {
		return nil
	}
	s := x.Shape()
	grid, anchors, attrs := s[2], len(b.Anchors)/2, 5+b.Classes
	if s[3] != grid || s[1] != anchors*attrs {
		return nil
	}
	stride := float64(b.Size / grid)
	boxes := grid * grid * anchors
	rows := shaped(permuted(shaped(x, tensor.Shape{s[0], s[1], grid * grid}), []int{0, 2, 1}), tensor.Shape{s[0] * boxes, attrs})
	table := func(sizes bool) *G.Node { // of one picture, for all
		t := apply(boxOp{sizes, grid, fmt.Sprint(b.Anchors), b.Anchors}, x)
		return Reshape(ExpandRows(t, s[0]), s[0]*boxes, 2)
	}
	position := Scale(Add(Sigmoid(SliceCols(rows, 0, 2)), table(false)), stride)
	size := Mul(Exp(SliceCols(rows, 2, 4)), table(true))
	return shaped(ConcatCols(position, size, Sigmoid(SliceCols(rows, 4, attrs))), n.Shape())
}

// boxOp is a table for YOLOv3, two numbers for each box: the cell that it belongs to, or the size of its anchor. The operand
// is an anchor in the other sense.
type boxOp struct {
	sizes   bool
	grid    int
	name    string // of the anchors
	anchors []float64
}

func (o boxOp) String() string { return fmt.Sprintf("boxes(%v,%d,%s)", o.sizes, o.grid, o.name) }
func (o boxOp) arity() int     { return 1 }
func (boxOp) constant()        {}

func (o boxOp) shape([]tensor.Shape) (tensor.Shape, error) {
	return tensor.Shape{o.grid * o.grid * len(o.anchors)}, nil
}

func (o boxOp) eval(dst []float64, _ [][]float64, _ []tensor.Shape) {
	n := len(o.anchors) / 2
	for i := range len(dst) / 2 {
		if cell := i / n; o.sizes {
			copy(dst[2*i:], o.anchors[2*(i%n):2*(i%n)+2])
		} else {
			dst[2*i], dst[2*i+1] = float64(cell%o.grid), float64(cell/o.grid)
		}
	}
}

func (boxOp) vjp(G.Nodes, *G.Node, *G.Node, []bool) G.Nodes { return G.Nodes{nil} }
func (boxOp) jvp(G.Nodes, *G.Node, G.Nodes) *G.Node         { return nil }
func (boxOp) curve(G.Nodes, *G.Node, []G.Nodes) *G.Node     { return nil }
