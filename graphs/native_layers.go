package graphs

import (
	"math"

	"github.com/stheno-ebm/stheno/graphs/internal/gorgonia"
	"github.com/stheno-ebm/stheno/graphs/internal/ir"
	"github.com/stheno-ebm/stheno/graphs/internal/strided"
)

// layer lowers what networks of pictures are made of, and the gradients that gorgonia.Grad has for it.
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
		m := b.images(s, outputsOf(b.Window, s))
		v, _ := m.patches()
		return g.Gather(b.bordered(x, m, 0), v, b.rows, b.cols), true
	case gorgonia.Col2Im:
		m := b.images(b.shape, outputsOf(b.Window, b.shape))
		v, _ := m.patches()
		return b.cropped(g.Scatter(x, v, 1, m.size()), m), true
	case gorgonia.MaxPool:
		m := b.images(s, b.shape[2:])
		return g.Pick(b.bordered(x, m, math.Inf(-1)), b.bordered(x, m, 0), m.groups(), b.rows, b.cols), true
	case gorgonia.MaxPoolGrad: // of x, the result, the gradient in it
		m := b.images(s, b.in[1].Shape()[2:])
		return b.cropped(g.Place(b.bordered(x, m, math.Inf(-1)), b.args[2], m.groups(), 1, m.size()), m), true
	case gorgonia.AveragePool: // Gorgonia divides by the width of the image
		m := b.images(s, b.shape[2:])
		v, to := m.windows()
		sum := g.RowSum(g.Gather(b.bordered(x, m, 0), v, to[0], to[1]))
		return g.Reshape(g.Scale(sum, 1/float64(s[3])), b.rows, b.cols), true
	case gorgonia.GlobalAveragePool:
		size := s[2] * s[3]
		return g.Reshape(g.Scale(g.RowSum(g.Reshape(x, s[0]*s[1], size)), 1/float64(size)), b.rows, b.cols), true
	case gorgonia.Upsample:
		v, _ := upsampled(s, b.Factor)
		return g.Gather(x, v, b.rows, b.cols), true
	case gorgonia.UpsampleGrad: // of x, the result, the gradient in it
		v, _ := upsampled(s, b.Factor)
		return g.Scatter(b.args[2], v, b.rows, b.cols), true
	}
	return 0, false
}

// outputsOf is the size of what windows leave of pictures (b,c,h,w).
func outputsOf(w gorgonia.Window, s []int) []int {
	oh, ow := outputs(w, s[2:])
	return []int{oh, ow}
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
