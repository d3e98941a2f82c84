package graphs

import (
	"math"

	"gorgonia.org/tensor"

	"github.com/stheno-ebm/stheno/graphs/internal/gorgonia"
	"github.com/stheno-ebm/stheno/graphs/internal/ir"
	"github.com/stheno-ebm/stheno/graphs/internal/strided"
)

// layer lowers the operations of convolutional networks and their gradients from gorgonia.Grad.
func (b *builtinOp) layer() (ir.ID, bool) {
	if len(b.in) == 0 {
		return 0, false
	}
	g, x, s := b.g, b.args[0], b.in[0].Shape()
	switch b.Kind {
	case gorgonia.At:
		if len(b.Axes) == len(s) {
			return g.Gather(x, element(s, b.Axes), b.rows, b.cols), true
		}
	case gorgonia.DropoutGrad: // of x, the result, the gradient in it, by 1/p where the result is not 0
		if b.P == 0 {
			return g.Const(b.rows, b.cols, 0), true
		}
		kept := g.Compare(ir.Ne, b.args[1], g.Const(b.rows, b.cols, 0))
		return g.Mul(kept, g.Div(b.args[2], g.Const(b.rows, b.cols, b.P))), true
	case gorgonia.DiagFlat:
		n := s.TotalSize()
		if b.rows == n && b.cols == n {
			return g.Put(x, strided.New(n*n, 0, []int{n}, []int{n + 1}), 0, n, n), true
		}
	case gorgonia.Im2Col:
		w := patchWindow(b.Window, s)
		p := g.Patches(w, b.toRows(x, s))
		return g.Swap(p, g.At(p).Rows, w.KH*w.KW, w.C, b.rows, b.cols), true
	case gorgonia.Col2Im:
		w := patchWindow(b.Window, b.shape)
		n := b.elements(0) / w.Taps()
		return b.toPictures(g.Fold(w, g.Swap(x, n, w.C, w.KH*w.KW, n, w.Taps())), b.shape), true
	case gorgonia.MaxPool:
		if w, ok := poolWindow(b.Window, s, b.shape[2], b.shape[3]); ok {
			r := b.toRows(x, s)
			return b.toPictures(g.PoolPick(w, r, r), b.shape), true
		}
		m := b.images(s, b.shape[2:])
		return g.Pick(b.bordered(x, m, math.Inf(-1)), b.bordered(x, m, 0), m.groups(), b.rows, b.cols), true
	case gorgonia.MaxPoolGrad: // of x, the result, the gradient in it
		out := b.in[1].Shape()
		if w, ok := poolWindow(b.Window, s, out[2], out[3]); ok {
			return b.toPictures(g.PoolPlace(w, b.toRows(x, s), b.toRows(b.args[2], out)), b.shape), true
		}
		m := b.images(s, out[2:])
		return b.cropped(g.Place(b.bordered(x, m, math.Inf(-1)), b.args[2], m.groups(), 1, m.size()), m), true
	case gorgonia.AveragePool: // Gorgonia divides by the width of the image
		if w, ok := poolWindow(b.Window, s, b.shape[2], b.shape[3]); ok {
			return b.toPictures(g.Scale(g.PoolSum(w, b.toRows(x, s)), 1/float64(s[3])), b.shape), true
		}
		m := b.images(s, b.shape[2:])
		v, to := m.windows()
		sum := g.RowSum(g.Gather(b.bordered(x, m, 0), v, to[0], to[1]))
		return g.Reshape(g.Scale(sum, 1/float64(s[3])), b.rows, b.cols), true
	case gorgonia.GlobalAveragePool:
		size := s[2] * s[3]
		return g.Reshape(g.Scale(g.RowSum(g.Reshape(x, s[0]*s[1], size)), 1/float64(size)), b.rows, b.cols), true
	case gorgonia.Upsample:
		return b.toPictures(g.Spread(upsampling(s, b.Factor), b.toRows(x, s)), b.shape), true
	case gorgonia.UpsampleGrad: // of x, the result, the gradient in it
		return b.toPictures(g.PoolSum(upsampling(s, b.Factor), b.toRows(b.args[2], b.in[1].Shape())), b.shape), true
	}
	return 0, false
}

// toRows takes pictures of shape (b,c,h,w) to rows (b, h·w·c), as instructions on pictures want them.
func (b *builtinOp) toRows(x ir.ID, s tensor.Shape) ir.ID {
	return b.g.Swap(x, s[0], s[1], s[2]*s[3], s[0], s[1:].TotalSize())
}

// toPictures takes rows to pictures of shape (b,c,h,w).
func (b *builtinOp) toPictures(x ir.ID, s tensor.Shape) ir.ID {
	return b.g.Swap(x, s[0], s[2]*s[3], s[1], b.rows, b.cols)
}

// images are pictures of shape s, of which windows leave those of size out.
func (b *builtinOp) images(s, out []int) images { return windowed(s, b.Window, out[0], out[1]) }

// bordered puts a border around pictures.
func (b *builtinOp) bordered(x ir.ID, m images, fill float64) ir.ID {
	return b.g.Put(x, m.inside(), fill, 1, m.size())
}

// cropped takes the border away.
func (b *builtinOp) cropped(x ir.ID, m images) ir.ID {
	return b.g.Gather(x, m.inside(), b.rows, b.cols)
}
