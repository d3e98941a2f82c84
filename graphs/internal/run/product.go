package run

import (
	"github.com/stheno-ebm/stheno/graphs/internal/ir"
	"github.com/stheno-ebm/stheno/graphs/internal/kernels"
	"github.com/stheno-ebm/stheno/graphs/internal/plan"
	"github.com/stheno-ebm/stheno/graphs/internal/team"
)

func (w *worker[T]) matmul(st *plan.Step, o ir.MatMul) kernel {
	if o.TA {
		return w.matmulOverRows(st, o)
	}
	a, dst := w.arg(st, 0), st.Dst
	p := &kernels.Product[T]{N: st.Cols, K: o.K, LdA: a.cols, LdC: st.Cols, LdMul: st.Cols}
	b := st.Refs[1]
	if o.Packed {
		p.Packed = &w.p.packs[b.Slot]
	} else {
		p.TransB, p.LdB = o.TB, w.arg(st, 1).cols
	}
	return func(row, rows int, _ bool) {
		p.M = rows
		if rows == 0 {
			p.M = st.Rows
		}
		p.A, p.C = w.at(a.ref, row), w.at(dst, row)
		if !o.Packed {
			p.B = w.at(b, row)
		}
		if o.Bias > 0 {
			p.Bias = w.buf[st.Refs[o.Bias].Slot]
		}
		if o.Factor > 0 {
			p.Mul = w.at(st.Refs[o.Factor], row)
		}
		p.Run(w.work)
	}
}

// matmulOverRows is aᵀ·b, a sum over the rows of both.
func (w *worker[T]) matmulOverRows(st *plan.Step, o ir.MatMul) kernel {
	a, b := w.arg(st, 0), w.arg(st, 1)
	p := &kernels.Product[T]{M: st.Rows, N: st.Cols, TransA: true, TransB: o.TB,
		LdA: a.cols, LdB: b.cols, LdC: st.Cols, LdMul: st.Cols}
	return func(row, rows int, first bool) {
		p.K = rows
		if rows == 0 {
			p.K = o.K
		}
		p.A, p.B, p.C = w.at(a.ref, row), w.at(b.ref, row), w.at(st.Dst, row)
		p.Acc = !first || st.Add
		p.Run(w.work)
	}
}

func (w *worker[T]) batchMatmul(st *plan.Step, o ir.BatchMatMul) kernel {
	a, b, dst, n := w.arg(st, 0), w.arg(st, 1), w.dst(st), o.Batch
	p := &kernels.Product[T]{M: st.Rows / n, N: st.Cols, K: o.K, TransA: o.TA, TransB: o.TB,
		LdA: a.cols, LdB: b.cols, LdC: st.Cols}
	return func(int, int, bool) {
		x, y, z := a.all(), b.all(), dst.all()
		nx, ny, nz := len(x)/n, len(y)/n, len(z)/n
		for i := range n {
			p.A, p.B, p.C = x[i*nx:(i+1)*nx], y[i*ny:(i+1)*ny], z[i*nz:(i+1)*nz]
			p.Run(w.work)
		}
	}
}

func (w *worker[T]) pack(st *plan.Step, o ir.Pack) kernel {
	a, p := w.arg(st, 0), &w.p.packs[st.Dst.Slot]
	parts := team.Parts(st.Rows*st.Cols, w.p.opt.Threads)
	if parts == 1 {
		return func(int, int, bool) { p.Pack(a.all(), a.cols, o.TB, st.Rows, st.Cols) }
	}
	panels := 0
	shared := w.share(parts, func(i int) {
		if lo, hi := panels*i/parts, panels*(i+1)/parts; lo < hi {
			p.PackPanels(a.all(), a.cols, o.TB, lo, hi)
		}
	})
	return func(row, rows int, first bool) {
		panels = p.Reserve(st.Rows, st.Cols)
		shared(row, rows, first)
	}
}
