package graphs

import (
	"slices"

	G "gorgonia.org/gorgonia"

	"github.com/stheno-ebm/stheno/graphs/internal/ir"
)

// Program is a graph as a list of instructions: what Compile makes of it before it is fused and scheduled. It is for
// those who run graphs elsewhere; package graphs/onnx writes one down for other programs.
//
// Everything in it is a row-major matrix. A scalar is (1,1), a vector (m) the row (1,m), a tensor of more than two
// dimensions the row of all its elements. Dead code, equal expressions, constants and structural zeros are gone.
type Program struct {
	Code    []Instruction // operands before results; every input is there, used or not
	Outputs []int         // indices of Code, one per output
}

// Instruction makes one matrix. With a, b for the operands, Op is one of
//
//	input                       the Index-th input, called Name
//	const, data                 C everywhere; Values
//	unary                       Fn^(Order)(a), element-wise; the Order-th derivative of a^C if Fn is "pow"
//	add sub mul div max min     element-wise, on operands of one shape
//	cmp                         1 where a < b, a <= b, a > b, a >= b, a == b, a != b (Index 0 … 5), else 0
//	scale, shift                C·a; a + C
//	matmul                      a·b, a transposed before where TransA, b where TransB
//	rowsum rowmax rowlse        of every row: (n,m) → (n,1); rowlse is log Σ exp
//	rowsoftmax                  (n,m) → (n,m)
//	colsum, sum                 (n,m) → (1,m); → (1,1)
//	expandcols expandrows fill  repeat a column (n,1), a row (1,m), one number (1,1)
//	slicecols, slicerows        columns or rows Lo … Hi-1
//	padcols, padrows            zeros around a, which becomes columns or rows Lo … Hi-1
//	concatcols, concatrows      the operands side by side, below each other
//	transpose, reshape
//	gather put scatter          the elements of a strided view; an array with them; zeros to which they are added
//	argmax pick place           of groups of elements: the number of the largest; the elements with given numbers; their adjoint
//	batchmatmul                 products of the parts of a and b
//	opaque                      something that only this package can run, called Name
type Instruction struct {
	Op             string
	Args           []int // indices of Code
	Rows, Cols     int
	Fn             string // silu, tanh, sigmoid, softplus, gelu, relu, abs, sign, square, exp, log, sqrt, reciprocal, sin, cos, pow; else a Go function called Name
	Order          int
	TransA, TransB bool
	Lo, Hi, Index  int
	C              float64
	Values         []float64 // not to be written to
	Name           string
}

// Lower translates the part of a graph that outputs depend on to instructions. The conditions are those of Compile.
func Lower(inputs, outputs G.Nodes) (*Program, error) {
	_, l, err := lowerGraph(inputs, outputs, new(options))
	if err != nil {
		return nil, err
	}
	code := l.to.Code
	live := make([]bool, len(code))
	for _, id := range l.to.Outputs {
		live[id] = true
	}
	for id := len(code) - 1; id >= 0; id-- {
		live[id] = live[id] || code[id].Op == ir.Input
		if live[id] {
			for _, a := range code[id].Args {
				live[a] = true
			}
		}
	}
	p := &Program{}
	at := make([]int, len(code))
	for id := range code {
		if live[id] {
			at[id] = len(p.Code)
			p.Code = append(p.Code, instruction(&code[id], at))
		}
	}
	for _, id := range l.to.Outputs {
		p.Outputs = append(p.Outputs, at[id])
	}
	return p, nil
}

func instruction(in *ir.Instr, at []int) Instruction {
	out := Instruction{
		Op: in.Op.String(), Rows: in.Rows, Cols: in.Cols, Order: in.Order, TransA: in.TA, TransB: in.TB,
		Lo: in.Lo, Hi: in.Hi, Index: in.Index, C: in.C, Values: slices.Clip(in.Values), Name: in.Label,
	}
	for _, a := range in.Args {
		out.Args = append(out.Args, at[a])
	}
	switch in.Op {
	case ir.Unary:
		switch in.Fn {
		case ir.Pow:
			out.Fn = "pow"
		case ir.Scalar:
			out.Fn = "scalar"
		default:
			out.Fn = in.Fn.String()
		}
	case ir.Opaque:
		out.Name = in.Run.Label()
	case ir.MatMul:
		out.Lo = 0 // the inner dimension
	}
	return out
}
