package run

import (
	"github.com/stheno-ebm/stheno/graphs/internal/ir"
	"github.com/stheno-ebm/stheno/graphs/internal/kernels"
	"github.com/stheno-ebm/stheno/graphs/internal/plan"
)

// rowFunction is a function of whole rows.
func (w *worker[T]) rowFunction(st *plan.Step) kernel {
	x, dst := w.arg(st, 0), w.dst(st)
	m := x.cols
	switch st.Op.(type) {
	case ir.RowMax:
		return func(row, rows int, _ bool) {
			x := x.from(row, rows)
			for i, dst := 0, dst.from(row, rows); i < len(dst); i++ {
				dst[i] = kernels.Max(x[i*m : (i+1)*m])
			}
		}
	case ir.RowLSE:
		return func(row, rows int, _ bool) {
			kernels.RowLogSumExp(dst.from(row, rows), x.from(row, rows), m, w.work)
		}
	}
	return func(row, rows int, _ bool) { kernels.RowSoftmax(dst.from(row, rows), x.from(row, rows), m, w.work) }
}

// colMax is the largest element of every column.
func (w *worker[T]) colMax(st *plan.Step) kernel {
	x, dst := w.arg(st, 0), w.dst(st)
	m := x.cols
	return func(int, int, bool) {
		x, dst := x.all(), dst.all()
		kernels.Shift(dst, x[:m], 0) // no −0, as for rows
		for i := m; i < len(x); i += m {
			kernels.Larger(dst, dst, x[i:i+m])
		}
	}
}
