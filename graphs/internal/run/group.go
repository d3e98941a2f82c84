package run

import (
	"math"

	"github.com/stheno-ebm/stheno/graphs/internal/ir"
	"github.com/stheno-ebm/stheno/graphs/internal/kernels"
	"github.com/stheno-ebm/stheno/graphs/internal/plan"
)

// A register is where a group finds an operand: for n rows of the group from lo on, in the tile at row of the batch,
// it is the n·each + fixed elements of from that begin at row·step + lo·next.
type register[T kernels.Float] struct {
	from                    *[]T
	step, next, each, fixed int
}

// A bound micro is one that has been looked up.
type bound[T kernels.Float] struct {
	run micro[T]
	m   *plan.Micro
}

// group runs the micros of g block by block.
func (w *worker[T]) group(g *plan.Group) kernel {
	regs, first, code := w.registers(g), w.bind(g.First), w.bind(g.Code)
	cur, cols, block := make([][]T, len(regs)), g.Cols, g.Block
	return func(row, rows int, begin bool) {
		if rows == 0 {
			rows = g.Rows
		}
		rows *= g.Unit
		for lo := 0; lo < rows; lo += block {
			n := min(block, rows-lo)
			for i := range regs {
				r := &regs[i]
				at := row*r.step + lo*r.next
				cur[i] = (*r.from)[at : at+n*r.each+r.fixed]
			}
			if lo == 0 {
				for i := range first {
					first[i].run(first[i].m, cur, cols, true)
				}
			}
			for i := range code {
				code[i].run(code[i].m, cur, cols, begin && lo == 0)
			}
		}
	}
}

// registers returns the registers of g.
func (w *worker[T]) registers(g *plan.Group) []register[T] {
	regs := make([]register[T], len(g.Regs))
	for i, r := range g.Regs {
		if r.Ref.Slot == plan.None {
			n := plan.Align(g.Block*g.Cols, w.p.plan.ElemSize)
			own := w.scratch[int(r.Ref.Step)*n:][:n]
			regs[i] = register[T]{from: &own, each: g.Cols}
			continue
		}
		regs[i] = register[T]{from: &w.buf[r.Ref.Slot], step: int(r.Ref.Step)}
		switch r.Kind {
		case plan.Mat:
			regs[i].next, regs[i].each = g.Cols, g.Cols
		case plan.Col:
			regs[i].next, regs[i].each = 1, 1
		case plan.Row:
			regs[i].fixed = g.Cols
		case plan.One:
			regs[i].fixed = 1
		}
	}
	return regs
}

// bind looks up the functions of micros.
func (w *worker[T]) bind(code []plan.Micro) []bound[T] {
	b := make([]bound[T], len(code))
	for i := range code {
		b[i] = bound[T]{w.p.micros[code[i].Op], &code[i]}
	}
	return b
}

// A micro runs m on one block of cols columns, with registers r. begin says that sums begin.
type micro[T kernels.Float] func(m *plan.Micro, r [][]T, cols int, begin bool)

// micros are the functions of all micros, by MicroOp.
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
		plan.RowDot: func(m *plan.Micro, r [][]T, cols int, _ bool) {
			kernels.RowDot(r[m.D], r[m.A], r[m.B], cols, false)
		},
		plan.ColSum: func(m *plan.Micro, r [][]T, _ int, begin bool) { kernels.ColSum(r[m.D], r[m.A], !begin) },
		plan.Sum:    func(m *plan.Micro, r [][]T, _ int, begin bool) { addTo(r[m.D], kernels.Sum(r[m.A]), begin) },
		plan.Dot:    func(m *plan.Micro, r [][]T, _ int, begin bool) { addTo(r[m.D], kernels.Dot(r[m.A], r[m.B]), begin) },
	}
}

// addTo sets the sum to s, or adds s to it.
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

// multi computes several derivatives of a function at once.
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
