package run

import (
	"github.com/stheno-ebm/stheno/graphs/internal/ir"
	"github.com/stheno-ebm/stheno/graphs/internal/kernels"
	"github.com/stheno-ebm/stheno/graphs/internal/plan"
)

// columns slices rows, or joins them.
func (w *worker[T]) columns(st *plan.Step) kernel {
	x, dst := w.arg(st, 0), w.dst(st)
	m, k := x.cols, st.Cols
	switch o := st.Op.(type) {
	case ir.SliceCols:
		return func(row, rows int, _ bool) {
			x, dst := x.from(row, rows), dst.from(row, rows)
			for i := range len(dst) / k {
				copy(dst[i*k:(i+1)*k], x[i*m+o.Lo:])
			}
		}
	case ir.PadCols:
		return func(row, rows int, _ bool) {
			x, dst := x.from(row, rows), dst.from(row, rows)
			for i := range len(dst) / k {
				d := dst[i*k : (i+1)*k]
				clear(d[:o.Lo])
				copy(d[o.Lo:o.Hi], x[i*m:])
				clear(d[o.Hi:])
			}
		}
	}
	parts := make([]operand[T], len(st.Args))
	for j := range parts {
		parts[j] = w.arg(st, j)
	}
	return func(row, rows int, _ bool) {
		dst, at := dst.from(row, rows), 0
		for j := range parts {
			x, m := parts[j].from(row, rows), parts[j].cols
			for i := range len(dst) / k {
				copy(dst[i*k+at:i*k+at+m], x[i*m:])
			}
			at += m
		}
	}
}

// block moves whole matrices.
func (w *worker[T]) block(st *plan.Step) kernel {
	x, dst := w.arg(st, 0), w.dst(st)
	m := x.cols
	switch o := st.Op.(type) {
	case ir.SliceRows:
		return func(int, int, bool) { copy(dst.all(), x.all()[o.Lo*m:]) }
	case ir.PadRows:
		return func(int, int, bool) {
			d := dst.all()
			clear(d[:o.Lo*m])
			copy(d[o.Lo*m:o.Hi*m], x.all())
			clear(d[o.Hi*m:])
		}
	case ir.Transpose:
		return func(int, int, bool) { kernels.Transpose(dst.all(), x.all(), x.rows, m) }
	case ir.Reshape:
		if dst.ref.Slot == x.ref.Slot {
			return func(int, int, bool) {}
		}
		return func(int, int, bool) { copy(dst.all(), x.all()) }
	}
	parts := make([]operand[T], len(st.Args))
	for j := range parts {
		parts[j] = w.arg(st, j)
	}
	return func(int, int, bool) {
		d, at := dst.all(), 0
		for j := range parts {
			at += copy(d[at:], parts[j].all())
		}
	}
}
