package graphs

import (
	"fmt"
	"image"
	"math"
	"slices"

	G "gorgonia.org/gorgonia"
	"gorgonia.org/tensor"

	"github.com/stheno-ebm/stheno/graphs/internal/gorgonia"
)

// translateBoxes is YOLOv3 outside training: for every box of a grid cell the position is a logistic function plus the
// cell's, the size an exponential times the anchor's, and the rest are logistic functions.
func translateBoxes(b gorgonia.Boxes, n, x *G.Node) *G.Node {
	s := x.Shape()
	if b.Training {
		return translateBoxLosses(b, n, x)
	}
	if s[3] != s[2] || s[1] != len(b.Masks)*(5+b.Classes) {
		return nil
	}
	return shaped(boxesOf(b, x, s), n.Shape())
}

// boxesOf is the boxes of x, seen as pictures of shape s: a row of each.
func boxesOf(b gorgonia.Boxes, x *G.Node, s tensor.Shape) *G.Node {
	grid, anchors, attrs := s[2], len(b.Masks), 5+b.Classes
	stride := float64(b.Size / grid)
	boxes := grid * grid * anchors
	rows := shaped(cells(x, s), tensor.Shape{s[0] * boxes, attrs})
	table := func(sizes bool) *G.Node { // of one picture, for all
		used := b.Anchors[:2*anchors] // Gorgonia takes the first ones, whatever the masks
		t := apply(boxOp{sizes, grid, fmt.Sprint(used), used}, x)
		return Reshape(ExpandRows(t, s[0]), s[0]*boxes, 2)
	}
	position := Scale(Add(Sigmoid(SliceCols(rows, 0, 2)), table(false)), stride)
	size := Mul(Exp(SliceCols(rows, 2, 4)), table(true))
	return ConcatCols(position, size, Sigmoid(SliceCols(rows, 4, attrs)))
}

// cells is x, seen as pictures of shape s, with the numbers of a cell side by side: (b,grid²,c).
func cells(x *G.Node, s tensor.Shape) *G.Node {
	return permuted(shaped(x, tensor.Shape{s[0], s[1], s[2] * s[3]}), []int{0, 2, 1})
}

// translateBoxLosses is YOLOv3 in training, of one picture whose last channel holds the targets. Of every element i it
// gives one of: nothing; a squared error w_i (t_i - x_i)²/2; -log y_p, the cross-entropy of the number p of a box that
// is there; or -log(1 - y_q) of one that is not. Which it is, and w, t, p and q, depend on the overlap of boxes and
// targets: they are piecewise constant, and have no derivative (boxTargetsOp).
//
// It follows Gorgonia, where a cell's numbers are brought side by side twice, and the number of a box is taken for
// where its numbers begin.
func translateBoxLosses(b gorgonia.Boxes, n, x *G.Node) *G.Node {
	s := x.Shape()
	channels, grid := len(b.Masks)*(5+b.Classes), s[2]
	if s[0] != 1 || s[3] != grid || s[1] != channels+1 || n.Dtype() != tensor.Float32 {
		return nil
	}
	size := channels * grid * grid
	flat := Reshape(x, size+grid*grid)
	picture := tensor.Shape{1, channels, grid, grid}
	numbers := cells(SliceRows(flat, 0, size), picture)
	y := Reshape(boxesOf(b, Reshape(numbers, picture...), picture), size)
	in := Reshape(numbers, 1, size)
	choice := apply(boxTargetsOp{b, fmt.Sprint(b)}, SliceRows(flat, size, size+grid*grid), y)
	row := func(i int) *G.Node { return SliceRows(choice, i, i+1) }
	// Two more numbers, whose cross-entropies are 0.
	ends := ConcatRows(constant(1, tensor.Shape{1}, y), constant(0, tensor.Shape{1}, y))
	all := Reshape(ConcatRows(y, ends), 1, size+2, 1)
	at := func(i int) *G.Node {
		return Reshape(apply(takeOp{1, size + 2, 1, size, true}, all, Reshape(row(i), size)), 1, size)
	}
	const tiny = 1e-16
	squares := Scale(Mul(row(0), Square(Sub(row(1), in))), 0.5)
	there := Log(Shift(at(2), tiny))
	missing := Log(Shift(Sub(OnesLike(in), at(3)), tiny))
	return shaped(Sub(squares, Add(there, missing)), n.Shape())
}

// boxTargetsOp is what translateBoxLosses calls w, t, p and q, a row of each, for targets (grid²) and boxes y.
type boxTargetsOp struct {
	b    gorgonia.Boxes
	name string
}

func (o boxTargetsOp) String() string { return "boxtargets " + o.name }
func (o boxTargetsOp) arity() int     { return 2 }
func (o boxTargetsOp) fixed() []bool  { return []bool{true, true} }

func (o boxTargetsOp) shape(in []tensor.Shape) (tensor.Shape, error) {
	return tensor.Shape{4, in[1].TotalSize()}, nil
}

func (o boxTargetsOp) eval(dst []float64, in [][]float64, _ []tensor.Shape) {
	cells, size := in[0], len(in[1])
	weight, target, there, missing := dst[:size], dst[size:2*size], dst[2*size:3*size], dst[3*size:]
	for i := range size {
		weight[i], target[i], there[i], missing[i] = 0, 0, float64(size), float64(size+1)
	}
	count := int(cells[0])
	if count < 0 || count >= len(cells) {
		panic(fmt.Sprintf("%d numbers of targets in %d cells", count, len(cells)))
	}
	targets := make([]float32, count/5*5)
	for i := range targets {
		targets[i] = float32(cells[i+1])
	}
	attrs := 5 + o.b.Classes
	for i := 0; i < size; i += attrs {
		if o.overlap(in[1][i:], targets) <= float32(o.b.Ignore) {
			missing[i+4] = float64(i + 4)
		}
	}
	grid := int(math.Round(math.Sqrt(float64(len(cells)))))
	for i := 0; i < len(targets); i += 5 {
		t := targets[i : i+5]
		anchor := o.anchor(t)
		if anchor < 0 {
			continue
		}
		gi, gj := int(t[1]*float32(grid)), int(t[2]*float32(grid))
		scale := float64(2 - t[3]*t[4])
		at := (gj*grid+gi)*len(o.b.Masks) + anchor
		if at+attrs > size {
			panic("a target lies outside of the picture")
		}
		for k, v := range []float64{
			logit(t[1]*float32(grid) - float32(gi)), logit(t[2]*float32(grid) - float32(gj)),
			math.Log(float64(t[3])/o.b.Anchors[anchor] + 1e-16), math.Log(float64(t[4])/o.b.Anchors[anchor+1] + 1e-16),
		} {
			weight[at+k], target[at+k] = scale*scale, v
			there[at+k], missing[at+k] = float64(size), float64(size+1)
		}
		class := int(targets[i/5]) // not t[0], in Gorgonia
		for k := 4; k < attrs; k++ {
			weight[at+k], there[at+k], missing[at+k] = 0, float64(size), float64(size+1)
			if k == 4 || k-5 == class {
				there[at+k] = float64(at + 4)
			} else {
				missing[at+k] = float64(at + 4)
			}
		}
	}
}

func logit(p float32) float64 {
	return math.Log(float64(p)+1e-16) - math.Log(float64(1-p)+1e-16)
}

// overlap is the greatest one of a box with the targets: the area of the intersection over that of the union.
func (o boxTargetsOp) overlap(box []float64, targets []float32) float32 {
	best, size := float32(0), float32(o.b.Size)
	r := o.rectangle(float32(box[0]), float32(box[1]), float32(box[2]), float32(box[3]))
	for i := 0; i < len(targets); i += 5 {
		t := targets[i : i+5]
		if v := shared(r, o.rectangle(t[1]*size, t[2]*size, t[3]*size, t[4]*size)); v > best {
			best = v
		}
	}
	return best
}

// anchor is the mask of the anchor that has the form of a target, -1 if there is none.
func (o boxTargetsOp) anchor(t []float32) int {
	best, at, size := float32(0), 0, float32(o.b.Size)
	r := o.rectangle(0, 0, t[3]*size, t[4]*size)
	for i := 0; i < len(o.b.Anchors); i += 2 {
		if v := shared(o.rectangle(0, 0, float32(o.b.Anchors[i]), float32(o.b.Anchors[i+1])), r); v >= best {
			best, at = v, i
		}
	}
	return slices.Index(o.b.Masks, at/2)
}

// rectangle is a box in whole pixels, within the picture.
func (o boxTargetsOp) rectangle(x, y, h, w float32) image.Rectangle {
	return image.Rect(max(int(x-w/2), 0), max(int(y-h/2), 0), min(int(x+w/2+1), o.b.Size), min(int(y+h/2+1), o.b.Size))
}

func shared(a, b image.Rectangle) float32 {
	area := func(r image.Rectangle) int { return r.Dx() * r.Dy() }
	both := area(a.Intersect(b))
	return float32(both) / float32(area(a)+area(b)-both)
}

func (boxTargetsOp) vjp(G.Nodes, *G.Node, *G.Node, []bool) G.Nodes { return make(G.Nodes, 2) }
func (boxTargetsOp) jvp(G.Nodes, *G.Node, G.Nodes) *G.Node         { return nil }
func (boxTargetsOp) curve(G.Nodes, *G.Node, []G.Nodes) *G.Node     { return nil }

// boxOp is a table for YOLOv3, two numbers for each box: the cell that it belongs to, or the size of its anchor. The
// operand is an anchor in the other sense.
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
