package run

import (
	"github.com/stheno-ebm/stheno/graphs/internal/ir"
	"github.com/stheno-ebm/stheno/graphs/internal/kernels"
)

// compare stores 1 where the relation r holds between a and b, else 0.
func compare[T kernels.Float](r ir.Relation, dst, a, b []T) {
	switch r {
	case ir.Lt:
		kernels.Less(dst, a, b)
	case ir.Le:
		kernels.LessEqual(dst, a, b)
	case ir.Gt:
		kernels.Less(dst, b, a)
	case ir.Ge:
		kernels.LessEqual(dst, b, a)
	case ir.Eq:
		kernels.Equal(dst, a, b)
	default:
		kernels.NotEqual(dst, a, b)
	}
}
