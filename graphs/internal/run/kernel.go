package run

import (
	"github.com/stheno-ebm/stheno/graphs/internal/ir"
	"github.com/stheno-ebm/stheno/graphs/internal/kernels"
	"github.com/stheno-ebm/stheno/graphs/internal/plan"
)

// A kernel runs a step on rows rows from row on, or on whole values if rows is 0. first says that a sum begins;
// otherwise it adds to what is there.
type kernel func(row, rows int, first bool)

// newKernel makes the kernel of a step for a worker. It allocates everything that the kernel needs besides its
// operands, so that running does not allocate.
func newKernel[T kernels.Float](w *worker[T], st *plan.Step) kernel {
	if st.Group != nil {
		return w.group(st.Group)
	}
	switch o := st.Op.(type) {
	case ir.MatMul:
		return w.matmul(st, o)
	case ir.BatchMatMul:
		return w.batchMatmul(st, o)
	case ir.Pack:
		return w.pack(st, o)
	case ir.Conv:
		return w.conv(st, o)
	case ir.ConvPack:
		return w.convPack(st, o)
	case ir.Patches:
		if o.Planes {
			return w.planePatches(st, o.Window)
		}
		return w.patches(st, o.Window, false)
	case ir.Fold:
		return w.patches(st, o.Window, true)
	case ir.PoolArgMax, ir.PoolPick, ir.PoolPlace, ir.PoolSum, ir.Spread:
		return w.pool(st)
	case ir.RowMax, ir.RowLSE, ir.RowSoftmax:
		return w.rowFunction(st)
	case ir.ColMax:
		return w.colMax(st)
	case ir.SliceCols, ir.PadCols, ir.ConcatCols:
		return w.columns(st)
	case ir.SliceRows, ir.PadRows, ir.ConcatRows, ir.Transpose, ir.Reshape:
		return w.block(st)
	case ir.Gather, ir.Put, ir.Scatter, ir.ArgMax, ir.Pick, ir.Place:
		return w.strided(st)
	case ir.Opaque:
		return w.opaque(st, o)
	}
	panic("run: no kernel for " + st.Op.Name())
}

// operand is argument j of a step, and where it is found.
type operand[T kernels.Float] struct {
	w          *worker[T]
	ref        plan.Ref
	rows, cols int // of the whole operand
}

func (w *worker[T]) arg(st *plan.Step, j int) operand[T] {
	in := w.p.plan.Graph.At(st.Args[j])
	return operand[T]{w, st.Refs[j], in.Rows, in.Cols}
}

func (w *worker[T]) dst(st *plan.Step) operand[T] { return operand[T]{w, st.Dst, st.Rows, st.Cols} }

// all is the whole operand.
func (o *operand[T]) all() []T { return o.w.buf[o.ref.Slot][:o.rows*o.cols] }

// from is the operand from a row of the batch on, for rows rows; 0: all.
func (o *operand[T]) from(row, rows int) []T {
	if rows == 0 {
		rows = o.rows
	}
	return o.w.at(o.ref, row)[:rows*o.cols]
}
