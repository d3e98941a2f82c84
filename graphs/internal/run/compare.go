package run

import (
	"github.com/stheno-ebm/stheno/graphs/internal/ir"
	"github.com/stheno-ebm/stheno/graphs/internal/kernels"
)

// compare stores 1 where a is in relation r to b, else 0.
func compare[T kernels.Float](r ir.Relation, dst, a, b []T) {
	switch r {
	case ir.Lt:
		less(dst, a, b)
	case ir.Le:
		lessEqual(dst, a, b)
	case ir.Gt:
		less(dst, b, a)
	case ir.Ge:
		lessEqual(dst, b, a)
	case ir.Eq:
		equal(dst, a, b, 1, 0)
	default:
		equal(dst, a, b, 0, 1)
	}
}

// The loops look their result up instead of branching, which would be mispredicted half of the time.

func less[T kernels.Float](dst, a, b []T) {
	bit := [2]T{0, 1}
	b, dst = b[:len(a)], dst[:len(a)]
	for i, v := range a {
		n := 0
		if v < b[i] {
			n = 1
		}
		dst[i] = bit[n&1]
	}
}

func lessEqual[T kernels.Float](dst, a, b []T) {
	bit := [2]T{0, 1}
	b, dst = b[:len(a)], dst[:len(a)]
	for i, v := range a {
		n := 0
		if v <= b[i] {
			n = 1
		}
		dst[i] = bit[n&1]
	}
}

func equal[T kernels.Float](dst, a, b []T, yes, no T) {
	bit := [2]T{no, yes}
	b, dst = b[:len(a)], dst[:len(a)]
	for i, v := range a {
		n := 0
		if v == b[i] {
			n = 1
		}
		dst[i] = bit[n&1]
	}
}
