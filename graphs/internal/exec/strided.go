package exec

import (
	"github.com/stheno-ebm/stheno/graphs/internal/ir"
	"github.com/stheno-ebm/stheno/graphs/internal/strided"
)

// strided runs an instruction on whole arrays of any rank. It reports false if st is none.
func (w *worker[T]) strided(st *step) bool {
	in := st.in
	arg := func(i int) []T { return w.buf[st.args[i].slot] }
	dst := w.buf[st.dst.slot]
	switch st.op {
	case ir.BatchMatMul:
		w.batch(st, dst, arg(0), arg(1))
	case ir.Gather:
		strided.Gather(in.View, dst, arg(0))
	case ir.Put:
		strided.Put(in.View, dst, arg(0), T(in.C))
	case ir.Scatter:
		strided.Sum(in.View, dst, arg(0))
	case ir.ArgMax:
		strided.ArgMax(in.Groups, dst, arg(0))
	case ir.Pick:
		strided.Pick(in.Groups, dst, arg(0), arg(1))
	case ir.Place:
		strided.Place(in.Groups, dst, arg(0), arg(1))
	default:
		return false
	}
	return true
}

// batch runs one product for each part of a and b.
func (w *worker[T]) batch(st *step, c, a, b []T) {
	n := st.in.Batch
	na, nb, nc := len(a)/n, len(b)/n, len(c)/n
	p := &w.prods[st.n]
	for i := range n {
		p.A, p.B, p.C = a[i*na:(i+1)*na], b[i*nb:(i+1)*nb], c[i*nc:(i+1)*nc]
		p.Run(w.work)
	}
}
