package run

import (
	"github.com/stheno-ebm/stheno/graphs/internal/conv"
	"github.com/stheno-ebm/stheno/graphs/internal/ir"
	"github.com/stheno-ebm/stheno/graphs/internal/plan"
)

func (w *worker[T]) conv(st *plan.Step, o ir.Conv) kernel {
	a, b := w.arg(st, 0), w.arg(st, 1)
	r := conv.NewRunner[T](conv.New(o.Window, o.Role))
	if o.Role == conv.Filter {
		return func(row, rows int, first bool) {
			r.Gradient(a.count(rows), w.at(st.Dst, row), w.at(a.ref, row), w.at(b.ref, row), !first || st.Add, w.work)
		}
	}
	return func(row, rows int, _ bool) {
		var bias, mul []T
		if o.Bias > 0 {
			bias = w.buf[st.Refs[o.Bias].Slot]
		}
		if o.Factor > 0 {
			mul = w.at(st.Refs[o.Factor], row)
		}
		r.Run(a.count(rows), w.at(st.Dst, row), w.at(a.ref, row), w.p.filters[b.ref.Slot], bias, mul, w.work)
	}
}

// count is rows, or the number of rows of the whole operand if rows is 0.
func (o *operand[T]) count(rows int) int {
	if rows == 0 {
		return o.rows
	}
	return rows
}

func (w *worker[T]) convPack(st *plan.Step, o ir.ConvPack) kernel {
	a, n := w.arg(st, 0), st.Dst.Slot
	if w.p.filters[n] == nil { // made by the first worker
		w.p.filters[n] = conv.NewPacked[T](conv.New(o.Window, o.Role))
	}
	return func(int, int, bool) { w.p.filters[n].Pack(a.all()) }
}

// pool runs an instruction on the windows of a pool.
func (w *worker[T]) pool(st *plan.Step) kernel {
	x, dst := w.arg(st, 0), w.dst(st)
	one := func(of conv.Window, f func(p *conv.Pool, n int, dst, x []T)) kernel {
		p := conv.NewPool(of)
		return func(row, rows int, _ bool) { f(p, x.count(rows), dst.from(row, rows), x.from(row, rows)) }
	}
	two := func(of conv.Window, f func(p *conv.Pool, n int, dst, number, x []T)) kernel {
		p, y := conv.NewPool(of), w.arg(st, 1)
		return func(row, rows int, _ bool) {
			f(p, x.count(rows), dst.from(row, rows), x.from(row, rows), y.from(row, rows))
		}
	}
	switch o := st.Op.(type) {
	case ir.PoolArgMax:
		return one(o.Window, conv.ArgMax[T])
	case ir.PoolPick:
		return two(o.Window, conv.Pick[T])
	case ir.PoolPlace:
		return two(o.Window, conv.Place[T])
	case ir.PoolSum:
		return one(o.Window, conv.Sum[T])
	}
	return one(st.Op.(ir.Spread).Window, conv.Spread[T])
}

// patches writes the patches of whole pictures, or folds them back.
func (w *worker[T]) patches(st *plan.Step, of conv.Window, fold bool) kernel {
	x, dst := w.arg(st, 0), w.dst(st)
	r := conv.NewRunner[T](conv.New(of, conv.Filter))
	if fold {
		return func(int, int, bool) { r.Fold(dst.rows, dst.all(), x.all()) }
	}
	return func(int, int, bool) { r.Patches(x.rows, dst.all(), x.all()) }
}

// planePatches writes the patches of whole pictures in planes.
func (w *worker[T]) planePatches(st *plan.Step, of conv.Window) kernel {
	x, dst, p := w.arg(st, 0), w.dst(st), conv.NewPlanes(of)
	n := x.rows * x.cols / of.In()
	return func(int, int, bool) { conv.PlanePatches(p, n, dst.all(), x.all()) }
}
