package onnx

import (
	"slices"

	"github.com/stheno-ebm/stheno/graphs/internal/ir"
	"github.com/stheno-ebm/stheno/graphs/internal/strided"
)

// instruction is one of the compiler's: what the writer knows of it.
type instruction struct {
	op             ir.Op
	args           []int // indices of the code
	rows, cols     int
	fn             string // of a unary: the name of the function
	order          int
	transA, transB bool
	lo, hi, index  int // of a slice: bounds; of a padding: zeros before and after
	c              float64
	exponent       float64 // what c is to be multiplied by is the open number of rows to this power
	values         []float64
	name           string
	batch          int // of a batched product
	view           strided.View
	groups         strided.Groups
}

// read lists the instructions that the outputs of g depend on, and all inputs.
func read(g *ir.Graph) (code []instruction, outputs []int) {
	live := make([]bool, len(g.Code))
	for _, id := range g.Outputs {
		live[id] = true
	}
	for id := len(g.Code) - 1; id >= 0; id-- {
		live[id] = live[id] || g.Code[id].Op == ir.Input
		if live[id] {
			for _, a := range g.Code[id].Args {
				live[a] = true
			}
		}
	}
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

func readOne(in *ir.Instr, at []int) instruction {
	out := instruction{
		op: in.Op, rows: in.Rows, cols: in.Cols, order: in.Order, transA: in.TA, transB: in.TB, lo: in.Lo, hi: in.Hi, index: in.Index,
		c: in.C, values: slices.Clip(in.Values), name: in.Label, batch: in.Batch, view: in.View, groups: in.Groups,
	}
	for _, a := range in.Args {
		out.args = append(out.args, at[a])
	}
	switch in.Op {
	case ir.Unary:
		switch in.Fn {
		case ir.Pow:
			out.fn = "pow"
		case ir.Scalar:
			out.fn = in.Label
		default:
			out.fn = in.Fn.String()
		}
	case ir.Opaque:
		out.name = in.Run.Label()
	case ir.PadCols:
		out.hi = in.Cols - in.Hi
	case ir.PadRows:
		out.hi = in.Rows - in.Hi
	}
	return out
}
