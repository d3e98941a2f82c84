package plan

import (
	"fmt"
	"strings"

	"github.com/stheno-ebm/stheno/graphs/internal/ir"
)

// Group is a list of element-wise instructions over one shape, run block by block: what one leaves for the next stays
// in the first-level cache. Its operands are registers: a block of rows of a slot, or scratch.
type Group struct {
	Cols int // elements of a row; 1 if rows do not matter
	// Unit is the number of rows of the group per row of the segment: the actual number of columns where Cols is 1
	// because rows do not matter.
	Unit  int
	Rows  int // rows of the whole
	Block int // rows per block
	Regs  []Reg
	First []Micro // run once, before the blocks: rows that are repeated for all blocks
	Code  []Micro
	Temps int // scratch registers
}

// RegKind says which part of a slot a register is.
type RegKind uint8

const (
	Mat RegKind = iota // a row of the register per row of the group
	Col                // one element per row
	Row                // one row for all
	One                // one element for all
)

// Reg is an operand of a group.
type Reg struct {
	Kind RegKind
	Ref  Ref // slot None: scratch register number Step
}

// Micro is an instruction of a group. D is the register of the result, A to E are those of the operands.
type Micro struct {
	Op            MicroOp
	D, A, B, C, E int16
	K             float64
	Of            ir.Op    // the instruction that it comes from, if there is one
	Outs          [4]int16 // of Multi: the registers of the derivatives, by order; None: not wanted
}

// MicroOp is the kind of a Micro.
type MicroOp uint8

const (
	Add MicroOp = iota
	Sub
	Mul
	Div
	AddCol
	SubCol
	MulCol
	DivCol
	AddOne
	SubOne
	MulOne
	DivOne
	Scale
	Shift
	MulAdd
	MulSub
	NegMulAdd
	MulMul
	MulMulAdd
	ScaleAdd
	Unary
	Multi
	Pow
	Func
	Max
	Min
	Power
	Compare
	ExpandCol
	ExpandRow
	Fill
	RowSum
	RowDot
	ColSum
	Sum
	Dot
	microOps
)

// micros describes every MicroOp. In the text a, b, c, e stand for operands, k for the number.
var micros = [microOps]struct {
	name, text string
	operands   int
	heavy      bool // costs as much as ten additions
	rows       bool // needs to know where rows end
}{
	Add:       {name: "add", operands: 2, text: "a + b"},
	Sub:       {name: "sub", operands: 2, text: "a - b"},
	Mul:       {name: "mul", operands: 2, text: "a ∘ b"},
	Div:       {name: "div", operands: 2, text: "a / b"},
	AddCol:    {name: "add col", operands: 2, text: "a + b"},
	SubCol:    {name: "sub col", operands: 2, text: "a - b"},
	MulCol:    {name: "mul col", operands: 2, text: "a ∘ b"},
	DivCol:    {name: "div col", operands: 2, text: "a / b"},
	AddOne:    {name: "add one", operands: 2, text: "a + b"},
	SubOne:    {name: "sub one", operands: 2, text: "a - b"},
	MulOne:    {name: "mul one", operands: 2, text: "a ∘ b"},
	DivOne:    {name: "div one", operands: 2, text: "a / b"},
	Scale:     {name: "scale", operands: 1, text: "k a"},
	Shift:     {name: "shift", operands: 1, text: "a + k"},
	MulAdd:    {name: "mul+add", operands: 3, text: "a ∘ b + c"},
	MulSub:    {name: "mul-sub", operands: 3, text: "a ∘ b - c"},
	NegMulAdd: {name: "sub-mul", operands: 3, text: "c - a ∘ b"},
	MulMul:    {name: "mul·mul", operands: 3, text: "a ∘ b ∘ c"},
	MulMulAdd: {name: "mul+mul", operands: 4, text: "a ∘ b + c ∘ e"},
	ScaleAdd:  {name: "scale+add", operands: 2, text: "k a + b"},
	Unary:     {name: "unary", operands: 1, heavy: true},
	Multi:     {name: "multi", operands: 1, heavy: true},
	Pow:       {name: "pow", operands: 1, heavy: true},
	Func:      {name: "scalar", operands: 1, heavy: true},
	Max:       {name: "max", operands: 2, text: "max(a, b)"},
	Min:       {name: "min", operands: 2, text: "min(a, b)"},
	Power:     {name: "power", operands: 2, text: "a^b", heavy: true},
	Compare:   {name: "cmp", operands: 2},
	ExpandCol: {name: "expand col", operands: 1, text: "expand col(a)", rows: true},
	ExpandRow: {name: "expand row", operands: 1, text: "expand row(a)", rows: true},
	Fill:      {name: "fill", operands: 1, text: "fill(a)"},
	RowSum:    {name: "rowsum", operands: 1, text: "rowsum(a)", rows: true},
	RowDot:    {name: "rowdot", operands: 2, text: "rowdot(a, b)", rows: true},
	ColSum:    {name: "colsum", operands: 1, text: "colsum(a)", rows: true},
	Sum:       {name: "sum", operands: 1, text: "sum(a)"},
	Dot:       {name: "dot", operands: 2, text: "dot(a, b)"},
}

func (m MicroOp) String() string { return micros[m].name }

// text is m in readable form; reg names registers.
func (m *Micro) text(reg func(int16) string) (dst, s string) {
	if m.Op == Multi {
		o := m.Of.(ir.Unary)
		var outs, fns []string
		for k, out := range m.Outs {
			if out != None {
				outs = append(outs, reg(out))
				fns = append(fns, fmt.Sprint(o.Fn, strings.Repeat("′", k)))
			}
		}
		return strings.Join(outs, ", "), strings.Join(fns, ", ") + " (" + reg(m.A) + ")"
	}
	t := micros[m.Op].text
	if t == "" {
		return reg(m.D), m.Of.Text([]string{reg(m.A), reg(m.B)})
	}
	names := map[string]string{"a": reg(m.A), "b": reg(m.B), "c": reg(m.C), "e": reg(m.E), "k": fmt.Sprintf("%g", m.K)}
	var b strings.Builder
	word := ""
	flush := func() {
		if n, ok := names[word]; ok {
			word = n
		}
		b.WriteString(word)
		word = ""
	}
	for _, r := range t {
		if r >= 'a' && r <= 'z' {
			word += string(r)
			continue
		}
		flush()
		b.WriteRune(r)
	}
	flush()
	return reg(m.D), b.String()
}
