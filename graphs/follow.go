package graphs

import (
	"fmt"

	G "gorgonia.org/gorgonia"
	"gorgonia.org/tensor"

	"github.com/stheno-ebm/stheno/graphs/internal/gorgonia"
	"github.com/stheno-ebm/stheno/graphs/internal/strided"
)

// slicing is a Gorgonia Slice, or its gradient, of arrays of a given shape. gorgonia.UnsafeLet may change its bounds
// later, which gradients then follow: the bounds are read when a program is made.
type slicing struct {
	op G.Op
	of tensor.Shape
}

// now returns what the slice currently takes.
func (s *slicing) now(was strided.View) strided.View {
	if s == nil {
		return was
	}
	v, _, ok := sliced(gorgonia.Read(s.op), s.of)
	if !ok || v.Len() != was.Len() {
		panic(fmt.Errorf("%w: a slice of %v takes %d elements, and took %d when its gradient was made",
			ErrShape, s.of, v.Len(), was.Len()))
	}
	return v
}

func (s *slicing) String() string {
	if s == nil {
		return ""
	}
	return fmt.Sprintf(" as %p", s.op)
}

// taken returns what a Slice takes of x, of shape to.
func (s *slicing) taken(x *G.Node, v strided.View, to tensor.Shape) *G.Node {
	return apply(gatherOp{v: v, to: to, as: s}, x)
}

// put is the adjoint of taken.
func (s *slicing) put(x *G.Node, v strided.View) *G.Node {
	return apply(scatterOp{v: v, to: s.of, as: s}, x)
}
