package onnx

import (
	"slices"

	"github.com/stheno-ebm/stheno/graphs/internal/ir"
	"github.com/stheno-ebm/stheno/graphs/internal/strided"
)

// instruction is what the writer knows of an instruction of the compiler's.
type instruction struct {
	op             ir.Op
	args           []int // indices of the code
	rows, cols     int
	fn             string // of a unary: the name of the function
	order          int
	transA, transB bool
	lo, hi, index  int // of a slice: bounds; of padding: zeros before and after
	c              float64
	exponent       float64 // c is to be multiplied by the open number of rows to this power
	values         []float64
	name           string
	batch          int // of a batched product
	view           strided.View
	groups         strided.Groups
}

// read lists the instructions that the outputs of g depend on, and all inputs.
func read(g *ir.Graph) (code []instruction, outputs []int) {
	live := g.Live()
	at := make([]int, len(g.Code))
	for id := range g.Code {
		if live[id] {
			at[id] = len(code)
			code = append(code, readOne(&g.Code[id], at))
		}
	}
	for _, id := range g.Outputs {
		outputs = append(outputs, at[id])
	}
	return code, outputs
}

// is reports whether in is an instruction of type T.
func is[T ir.Op](in *instruction) bool {
	_, ok := in.op.(T)
	return ok
}

func readOne(in *ir.Instr, at []int) instruction {
	out := instruction{op: in.Op, rows: in.Rows, cols: in.Cols}
	for _, a := range in.Args {
		out.args = append(out.args, at[a])
	}
	switch o := in.Op.(type) {
	case ir.Input:
		out.index, out.name = o.Index, o.Label
	case ir.Const:
		out.c = o.C
	case ir.Data:
		out.values = slices.Clip(o.Values)
	case ir.Unary:
		out.fn, out.order = o.Fn.String(), o.Order
	case ir.Pow:
		out.fn, out.order, out.c = "pow", o.Order, o.P
	case ir.Func:
		out.fn = o.Label
	case ir.Compare:
		out.index = int(o.Relation)
	case ir.Scale:
		out.c = o.C
	case ir.Shift:
		out.c = o.C
	case ir.MatMul:
		out.transA, out.transB = o.TA, o.TB
	case ir.BatchMatMul:
		out.transA, out.transB, out.batch = o.TA, o.TB, o.Batch
	case ir.SliceCols:
		out.lo, out.hi = o.Lo, o.Hi
	case ir.SliceRows:
		out.lo, out.hi = o.Lo, o.Hi
	case ir.PadCols:
		out.lo, out.hi = o.Lo, in.Cols-o.Hi
	case ir.PadRows:
		out.lo, out.hi = o.Lo, in.Rows-o.Hi
	case ir.Gather:
		out.view = o.View
	case ir.Put:
		out.view, out.c = o.View, o.Fill
	case ir.Scatter:
		out.view = o.View
	case ir.ArgMax:
		out.groups = o.Groups
	case ir.Pick:
		out.groups = o.Groups
	case ir.Place:
		out.groups = o.Groups
	case ir.Opaque:
		out.name = o.Run.Label()
	}
	return out
}
