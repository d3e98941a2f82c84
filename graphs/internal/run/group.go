package run

import (
	"math"

	"github.com/stheno-ebm/stheno/graphs/internal/ir"
	"github.com/stheno-ebm/stheno/graphs/internal/kernels"
	"github.com/stheno-ebm/stheno/graphs/internal/plan"
)

// group runs the micros of g block by block.
func (w *worker[T]) group(g *plan.Group) kernel {
	return func(row, rows int, first bool) {
		if rows == 0 {
			rows = g.Rows
		}
		rows *= g.Unit
		w.bases(g, row)
		cur := w.cur[:len(g.Regs)]
		for lo := 0; lo < rows; lo += g.Block {
			w.show(g, lo, min(g.Block, rows-lo))
			if lo == 0 {
				for i := range g.First {
					m := &g.First[i]
					w.p.micros[m.Op](m, cur, g.Cols, true)
				}
			}
			for i := range g.Code {
				m := &g.Code[i]
				w.p.micros[m.Op](m, cur, g.Cols, first && lo == 0)
			}
		}
	}
}

// bases finds the registers of a group that stands at row.
func (w *worker[T]) bases(g *plan.Group, row int) {
	base := w.base[:len(g.Regs)]
	for i := range g.Regs {
		r := &g.Regs[i]
		if r.Ref.Slot != plan.None {
			base[i] = w.at(r.Ref, row)
			continue
		}
		n := plan.Align(g.Block*g.Cols, w.p.plan.ElemSize)
		base[i] = w.scratch[int(r.Ref.Step)*n:][:n]
	}
}

// show points the registers of a group at the block of n rows from lo on.
func (w *worker[T]) show(g *plan.Group, lo, n int) {
	base, cur, cols := w.base[:len(g.Regs)], w.cur[:len(g.Regs)], g.Cols
	for i := range g.Regs {
		switch r := &g.Regs[i]; {
		case r.Kind == plan.Mat && r.Ref.Slot == plan.None:
			cur[i] = base[i][:n*cols]
		case r.Kind == plan.Mat:
			cur[i] = base[i][lo*cols : (lo+n)*cols]
		case r.Kind == plan.Col:
			cur[i] = base[i][lo : lo+n]
		case r.Kind == plan.One:
			cur[i] = base[i][:1]
		default:
			cur[i] = base[i][:cols]
		}
	}
}

// A micro runs m on one block of cols columns, whose registers are r. begin says that sums begin.
type micro[T kernels.Float] func(m *plan.Micro, r [][]T, cols int, begin bool)

// micros are what all of them compute, by MicroOp.
func micros[T kernels.Float]() []micro[T] {
	return []micro[T]{
		plan.Add:       func(m *plan.Micro, r [][]T, _ int, _ bool) { kernels.Add(r[m.D], r[m.A], r[m.B]) },
		plan.Sub:       func(m *plan.Micro, r [][]T, _ int, _ bool) { kernels.Sub(r[m.D], r[m.A], r[m.B]) },
		plan.Mul:       func(m *plan.Micro, r [][]T, _ int, _ bool) { kernels.Mul(r[m.D], r[m.A], r[m.B]) },
		plan.Div:       func(m *plan.Micro, r [][]T, _ int, _ bool) { kernels.Div(r[m.D], r[m.A], r[m.B]) },
		plan.AddCol:    func(m *plan.Micro, r [][]T, _ int, _ bool) { kernels.AddCol(r[m.D], r[m.A], r[m.B]) },
		plan.SubCol:    func(m *plan.Micro, r [][]T, _ int, _ bool) { kernels.SubCol(r[m.D], r[m.A], r[m.B]) },
		plan.MulCol:    func(m *plan.Micro, r [][]T, _ int, _ bool) { kernels.MulCol(r[m.D], r[m.A], r[m.B]) },
		plan.DivCol:    func(m *plan.Micro, r [][]T, _ int, _ bool) { kernels.DivCol(r[m.D], r[m.A], r[m.B]) },
		plan.AddOne:    func(m *plan.Micro, r [][]T, _ int, _ bool) { kernels.Shift(r[m.D], r[m.A], r[m.B][0]) },
		plan.SubOne:    func(m *plan.Micro, r [][]T, _ int, _ bool) { kernels.Shift(r[m.D], r[m.A], -r[m.B][0]) },
		plan.MulOne:    func(m *plan.Micro, r [][]T, _ int, _ bool) { kernels.Scale(r[m.D], r[m.B][0], r[m.A]) },
		plan.DivOne:    func(m *plan.Micro, r [][]T, _ int, _ bool) { kernels.Scale(r[m.D], 1/r[m.B][0], r[m.A]) },
		plan.Scale:     func(m *plan.Micro, r [][]T, _ int, _ bool) { kernels.Scale(r[m.D], T(m.K), r[m.A]) },
		plan.Shift:     func(m *plan.Micro, r [][]T, _ int, _ bool) { kernels.Shift(r[m.D], r[m.A], T(m.K)) },
		plan.MulAdd:    func(m *plan.Micro, r [][]T, _ int, _ bool) { kernels.MulAdd(r[m.D], r[m.A], r[m.B], r[m.C]) },
		plan.MulSub:    func(m *plan.Micro, r [][]T, _ int, _ bool) { kernels.MulSub(r[m.D], r[m.A], r[m.B], r[m.C]) },
		plan.NegMulAdd: func(m *plan.Micro, r [][]T, _ int, _ bool) { kernels.NegMulAdd(r[m.D], r[m.A], r[m.B], r[m.C]) },
		plan.MulMul:    func(m *plan.Micro, r [][]T, _ int, _ bool) { kernels.MulMul(r[m.D], r[m.A], r[m.B], r[m.C]) },
		plan.MulMulAdd: func(m *plan.Micro, r [][]T, _ int, _ bool) {
			kernels.MulMulAdd(r[m.D], r[m.A], r[m.B], r[m.C], r[m.E])
		},
		plan.ScaleAdd:  func(m *plan.Micro, r [][]T, _ int, _ bool) { kernels.ScaleAdd(r[m.D], T(m.K), r[m.A], r[m.B]) },
		plan.Unary:     unary[T],
		plan.Multi:     multi[T],
		plan.Pow:       pow[T],
		plan.Func:      function[T],
		plan.Max:       func(m *plan.Micro, r [][]T, _ int, _ bool) { kernels.Larger(r[m.D], r[m.A], r[m.B]) },
		plan.Min:       func(m *plan.Micro, r [][]T, _ int, _ bool) { kernels.Smaller(r[m.D], r[m.A], r[m.B]) },
		plan.Power:     power[T],
		plan.Compare:   relation[T],
		plan.ExpandCol: func(m *plan.Micro, r [][]T, _ int, _ bool) { kernels.ExpandCol(r[m.D], r[m.A]) },
		plan.ExpandRow: func(m *plan.Micro, r [][]T, _ int, _ bool) { kernels.ExpandRow(r[m.D], r[m.A]) },
		plan.Fill:      func(m *plan.Micro, r [][]T, _ int, _ bool) { kernels.Fill(r[m.D], r[m.A][0]) },
		plan.RowSum:    func(m *plan.Micro, r [][]T, cols int, _ bool) { kernels.RowSum(r[m.D], r[m.A], cols, false) },
		plan.RowDot:    func(m *plan.Micro, r [][]T, cols int, _ bool) { kernels.RowDot(r[m.D], r[m.A], r[m.B], cols, false) },
		plan.ColSum:    func(m *plan.Micro, r [][]T, _ int, begin bool) { kernels.ColSum(r[m.D], r[m.A], !begin) },
		plan.Sum:       func(m *plan.Micro, r [][]T, _ int, begin bool) { addTo(r[m.D], kernels.Sum(r[m.A]), begin) },
		plan.Dot:       func(m *plan.Micro, r [][]T, _ int, begin bool) { addTo(r[m.D], kernels.Dot(r[m.A], r[m.B]), begin) },
	}
}

// addTo makes s the sum, or adds it to what is there.
func addTo[T kernels.Float](dst []T, s T, begin bool) {
	if !begin {
		s += dst[0]
	}
	dst[0] = s
}

func unary[T kernels.Float](m *plan.Micro, r [][]T, _ int, _ bool) {
	o := m.Of.(ir.Unary)
	kernels.Unary(o.Fn, o.Order, r[m.D], r[m.A])
}

// multi computes several derivatives of a function together.
func multi[T kernels.Float](m *plan.Micro, r [][]T, _ int, _ bool) {
	var d [4][]T
	for k, o := range m.Outs {
		if o != plan.None {
			d[k] = r[o]
		}
	}
	kernels.UnaryMulti(m.Of.(ir.Unary).Fn, d[0], d[1], d[2], d[3], r[m.A])
}

func pow[T kernels.Float](m *plan.Micro, r [][]T, _ int, _ bool) {
	o := m.Of.(ir.Pow)
	kernels.Pow(o.P, o.Order, r[m.D], r[m.A])
}

func function[T kernels.Float](m *plan.Micro, r [][]T, _ int, _ bool) {
	f, d := m.Of.(ir.Func).F, r[m.D]
	for i, v := range r[m.A] {
		d[i] = T(f(float64(v)))
	}
}

func power[T kernels.Float](m *plan.Micro, r [][]T, _ int, _ bool) {
	d, b := r[m.D], r[m.B]
	for i, v := range r[m.A] {
		d[i] = T(math.Pow(float64(v), float64(b[i])))
	}
}

func relation[T kernels.Float](m *plan.Micro, r [][]T, _ int, _ bool) {
	compare(m.Of.(ir.Compare).Relation, r[m.D], r[m.A], r[m.B])
}
