package graphs

import (
	"slices"

	G "gorgonia.org/gorgonia"
	"gorgonia.org/tensor"

	"github.com/stheno-ebm/stheno/graphs/internal/strided"
)

// broadcast returns the common shape of a and b: counted from the last axis, sizes must agree, or one be 1 or missing.
func broadcast(a, b tensor.Shape) (tensor.Shape, bool) {
	if len(a) < len(b) {
		a, b = b, a
	}
	s := slices.Clone(a)
	for i, d := range b {
		switch k := len(a) - len(b) + i; {
		case s[k] == 1:
			s[k] = d
		case d != s[k] && d != 1:
			return nil, false
		}
	}
	return s, true
}

// expanded repeats x to shape to along axes that it lacks or that have one element.
func expanded(x *G.Node, to tensor.Shape) *G.Node {
	s := x.Shape()
	if slices.Equal(s, to) {
		return x
	}
	if c, ok := constantOf(x); ok {
		return constant(c, to, x)
	}
	strides := make([]int, len(to))
	for i, d := range stridesOf(s) {
		if s[i] > 1 {
			strides[len(to)-len(s)+i] = d
		}
	}
	return gathered(x, strided.New(s.TotalSize(), 0, to, strides), slices.Clone(to))
}
