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
			x := x.from(row, rows)
			for i, dst := 0, dst.from(row, rows); i < len(dst); i++ { // row by row: the workspace is a row
				kernels.RowLogSumExp(dst[i:i+1], x[i*m:(i+1)*m], m, w.work)
			}
		}
	}
	return func(row, rows int, _ bool) { kernels.RowSoftmax(dst.from(row, rows), x.from(row, rows), m) }
}
