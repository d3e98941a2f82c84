// Package ir is the compiler's intermediate representation: a list of instructions in static single assignment form,
// each of which makes one matrix from matrices made before it.
//
// Everything is a row-major matrix of Rows × Cols numbers of one type. A vector (n) is the row (1,n), a scalar is (1,1), a
// tensor of more dimensions is the row of all its elements: the instructions that need its shape have it in a strided view.
//
// The constructors of Graph simplify while they build. They merge equal instructions, fold uniform constants and structural
// zeros, turn transpositions into flags of the products that read them, and move expansions behind the element-wise
// functions, so that a function of a column is computed once per row. x·0 is taken as 0 for every x, also for Inf and NaN:
// zeros in a derivative are structural.
package ir

import (
	"fmt"
	"math"

	"github.com/stheno-ebm/stheno/graphs/internal/kernels"
	"github.com/stheno-ebm/stheno/graphs/internal/strided"
)

// ID names an instruction and the value that it makes: its index in Graph.Code.
type ID int32

// Op is the kind of an instruction.
type Op uint8

// The instructions. a, b are the arguments; every element-wise instruction has arguments of its own shape.
const (
	Input       Op = iota // the Index-th argument of a call
	Const                 // C everywhere
	Data                  // Values, fixed
	Unary                 // Fn^(Order)(a), element-wise
	Add                   // a + b
	Sub                   // a − b
	Mul                   // a ∘ b
	Div                   // a / b
	Max                   // max(a, b)
	Min                   // min(a, b)
	Cmp                   // 1 where a (Index) b, else 0; Index is a Relation
	Scale                 // C·a
	Shift                 // a + C
	MatMul                // op(a)·op(b), op transposes where TA, TB
	RowSum                // (n,m) → (n,1)
	ColSum                // (n,m) → (1,m)
	Sum                   // (n,m) → (1,1)
	RowMax                // (n,m) → (n,1)
	RowLSE                // (n,m) → (n,1): log Σ exp
	RowSoftmax            // (n,m) → (n,m)
	ExpandCols            // (n,1) → (n,m)
	ExpandRows            // (1,m) → (n,m)
	Fill                  // (1,1) → (n,m)
	SliceCols             // columns Lo … Hi−1
	PadCols               // Lo zero columns before, the rest after
	ConcatCols            // side by side
	SliceRows             // rows Lo … Hi−1
	PadRows               // Lo zero rows before, the rest after
	ConcatRows            // one below the other
	Transpose             // aᵀ
	Reshape               // the same numbers in order, other Rows and Cols
	Pack                  // op(a) as the right operand of products, in the kernels' own layout
	Opaque                // Run on whole arguments
	BatchMatMul           // Batch products op(a)·op(b) of the parts of a and b, one below the other
	Gather                // the elements of View of a
	Put                   // the array whose View is a, C elsewhere
	Scatter               // the array of zeros to whose View a is added
	ArgMax                // the number of the largest element in each of Groups
	Pick                  // the element of b with the number of a, in each of Groups
	Place                 // zeros, and the elements of b added at those with the number of a, in each of Groups
)

// Class groups instructions that are scheduled alike.
type Class uint8

// The classes.
const (
	Source    Class = iota // without arguments
	Map                    // element by element
	Expansion              // repeats what its readers can repeat themselves
	Reduction              // sums that are fused with what they sum
	ByRow                  // makes a row of the result from a row of its first argument, and perhaps others whole
	Whole                  // needs its arguments whole
)

// ops describes every instruction.
var ops = [...]struct {
	name  string
	class Class
}{
	Input:       {"input", Source},
	Const:       {"const", Source},
	Data:        {"data", Source},
	Unary:       {"unary", Map},
	Add:         {"add", Map},
	Sub:         {"sub", Map},
	Mul:         {"mul", Map},
	Div:         {"div", Map},
	Max:         {"max", Map},
	Min:         {"min", Map},
	Cmp:         {"cmp", Map},
	Scale:       {"scale", Map},
	Shift:       {"shift", Map},
	MatMul:      {"matmul", ByRow},
	RowSum:      {"rowsum", Reduction},
	ColSum:      {"colsum", Reduction},
	Sum:         {"sum", Reduction},
	RowMax:      {"rowmax", ByRow},
	RowLSE:      {"rowlse", ByRow},
	RowSoftmax:  {"rowsoftmax", ByRow},
	ExpandCols:  {"expandcols", Expansion},
	ExpandRows:  {"expandrows", Expansion},
	Fill:        {"fill", Expansion},
	SliceCols:   {"slicecols", ByRow},
	PadCols:     {"padcols", ByRow},
	ConcatCols:  {"concatcols", ByRow},
	SliceRows:   {"slicerows", Whole},
	PadRows:     {"padrows", Whole},
	ConcatRows:  {"concatrows", Whole},
	Transpose:   {"transpose", Whole},
	Reshape:     {"reshape", Whole},
	Pack:        {"pack", Whole},
	Opaque:      {"opaque", Whole},
	BatchMatMul: {"batchmatmul", Whole},
	Gather:      {"gather", Whole},
	Put:         {"put", Whole},
	Scatter:     {"scatter", Whole},
	ArgMax:      {"argmax", Whole},
	Pick:        {"pick", Whole},
	Place:       {"place", Whole},
}

func (o Op) String() string { return ops[o].name }

// Class is the class of o.
func (o Op) Class() Class { return ops[o].class }

// Elementwise reports whether every element of the result depends on the same element of the arguments only.
func (o Op) Elementwise() bool { return ops[o].class == Map }

// Relation is the comparison of a Cmp.
type Relation int

// The comparisons.
const (
	Lt Relation = iota
	Le
	Gt
	Ge
	Eq
	Ne
)

// Fn is an element-wise function of one variable.
type Fn = kernels.Func

// Functions that the kernels have under another roof.
const (
	Pow    Fn = 254 // a^C, and its derivatives
	Scalar Fn = 255 // the instruction's own Go function
)

// Runner is what an Opaque instruction does. dst and args are the whole values in the program's number type.
type Runner interface {
	// Label names the operation for people.
	Label() string
	// Run32 and Run64 compute dst from args. They must not keep or change args.
	Run32(dst []float32, args [][]float32) error
	Run64(dst []float64, args [][]float64) error
}

// Instr is one instruction.
type Instr struct {
	Op         Op
	Fn         Fn
	TA, TB     bool
	Volatile   bool // gives another result at each run: never merged, never held
	Order      int
	Lo, Hi     int
	Index      int
	Rows, Cols int
	C          float64
	Args       []ID
	Values     []float64
	Scalar     func(float64) float64
	Run        Runner
	Label      string
	Batch      int            // of a BatchMatMul: the number of products
	View       strided.View   // of a Gather, Put or Scatter
	Groups     strided.Groups // of an ArgMax, Pick or Place

	// What a product does besides, as indices of Args; 0: nothing. Set by Fuse.
	Bias   int // (1,Cols): start from this row
	Factor int // (Rows,Cols): multiply the result by this
}

// Len is the number of elements.
func (in *Instr) Len() int { return in.Rows * in.Cols }

// Graph is a program under construction, and the finished input of the executor.
type Graph struct {
	Code    []Instr
	Outputs []ID
	Held    []bool // by input number: changes only when told

	cse map[key]ID
}

type key struct {
	op         Op
	fn         Fn
	ta, tb     bool
	order      int
	lo, hi     int
	index      int
	batch      int
	rows, cols int
	c          uint64
	a, b       ID
	more       string
	label      string
}

// New returns an empty graph.
func New() *Graph { return &Graph{cse: map[key]ID{}} }

// At returns the instruction id.
func (g *Graph) At(id ID) *Instr { return &g.Code[id] }

func keyOf(in *Instr) key {
	k := key{in.Op, in.Fn, in.TA, in.TB, in.Order, in.Lo, in.Hi, in.Index, in.Batch, in.Rows, in.Cols, math.Float64bits(in.C), -1, -1, "", in.Label}
	switch len(in.Args) {
	case 0:
	case 1:
		k.a = in.Args[0]
	case 2:
		k.a, k.b = in.Args[0], in.Args[1]
	default:
		k.more = fmt.Sprint(in.Args)
	}
	return k
}

// emit appends in, or finds its equal.
func (g *Graph) emit(in Instr) ID {
	if !in.Volatile && in.Op != Data && (in.Op != Opaque || in.Label != "") {
		k := keyOf(&in)
		if id, ok := g.cse[k]; ok {
			return id
		}
		g.cse[k] = ID(len(g.Code))
	}
	g.Code = append(g.Code, in)
	return ID(len(g.Code) - 1)
}

// Arg declares the next input. held says that its value changes only when the caller says so.
func (g *Graph) Arg(rows, cols int, name string, held bool) ID {
	g.Held = append(g.Held, held)
	return g.emit(Instr{Op: Input, Index: len(g.Held) - 1, Rows: rows, Cols: cols, Label: name})
}

// Const is the matrix with c everywhere.
func (g *Graph) Const(rows, cols int, c float64) ID {
	return g.emit(Instr{Op: Const, Rows: rows, Cols: cols, C: c})
}

// Data is a matrix of fixed numbers.
func (g *Graph) Data(rows, cols int, v []float64) ID {
	if len(v) > 0 {
		same := true
		for _, x := range v {
			if x != v[0] {
				same = false
				break
			}
		}
		if same {
			return g.Const(rows, cols, v[0])
		}
	}
	return g.emit(Instr{Op: Data, Rows: rows, Cols: cols, Values: v})
}

func (g *Graph) constant(id ID) (float64, bool) {
	in := g.At(id)
	return in.C, in.Op == Const
}

func (g *Graph) isZero(id ID) bool {
	c, ok := g.constant(id)
	return ok && c == 0
}

// Unary is fn^(order)(a); c is the exponent of a Pow. A Scalar needs the function itself, and a label that names it in full.
func (g *Graph) Unary(fn Fn, order int, c float64, label string, scalar func(float64) float64, a ID) ID {
	in := *g.At(a)
	konst := func(c float64) ID { return g.Const(in.Rows, in.Cols, c) }
	switch fn {
	case kernels.Neg:
		switch order {
		case 0:
			return g.Scale(a, -1)
		case 1:
			return konst(-1)
		}
		return konst(0)
	case kernels.Square:
		switch order {
		case 0:
		case 1:
			return g.Scale(a, 2)
		case 2:
			return konst(2)
		default:
			return konst(0)
		}
	case kernels.Exp:
		order = 0
	case kernels.ReLU, kernels.Abs, kernels.Sign:
		switch {
		case order > 1, fn == kernels.Sign && order > 0:
			return konst(0)
		case fn == kernels.Abs && order == 1:
			fn, order = kernels.Sign, 0
		}
	case kernels.Sin, kernels.Cos: // all are sin and its first derivative, which are computed together
		k := order
		if fn == kernels.Cos {
			k++
		}
		if fn == kernels.Cos || k > 1 {
			r := g.Unary(kernels.Sin, k%2, 0, "", nil, a)
			if k%4 >= 2 {
				r = g.Scale(r, -1)
			}
			return r
		}
	}
	if in.Op == Const {
		var y [1]float64
		switch fn {
		case Scalar:
			y[0] = scalar(in.C)
		case Pow:
			kernels.Pow(c, order, y[:], []float64{in.C})
		default:
			kernels.Unary(fn, order, y[:], []float64{in.C})
		}
		return konst(y[0])
	}
	if r, ok := g.lift(in, func(x ID) ID { return g.Unary(fn, order, c, label, scalar, x) }); ok {
		return r
	}
	return g.emit(Instr{Op: Unary, Fn: fn, Order: order, C: c, Scalar: scalar, Label: label, Rows: in.Rows, Cols: in.Cols, Args: []ID{a}})
}

// lift applies f below the expansion in, if in is one.
func (g *Graph) lift(in Instr, f func(ID) ID) (ID, bool) {
	switch in.Op {
	case ExpandCols:
		return g.ExpandCols(f(in.Args[0]), in.Cols), true
	case ExpandRows:
		return g.ExpandRows(f(in.Args[0]), in.Rows), true
	case Fill:
		return g.Fill(f(in.Args[0]), in.Rows, in.Cols), true
	}
	return 0, false
}

// lift2 applies f below two expansions of one kind.
func (g *Graph) lift2(a, b Instr, f func(a, b ID) ID) (ID, bool) {
	if a.Op != b.Op || a.Rows != b.Rows || a.Cols != b.Cols {
		return 0, false
	}
	switch a.Op {
	case ExpandCols:
		return g.ExpandCols(f(a.Args[0], b.Args[0]), a.Cols), true
	case ExpandRows:
		return g.ExpandRows(f(a.Args[0], b.Args[0]), a.Rows), true
	case Fill:
		return g.Fill(f(a.Args[0], b.Args[0]), a.Rows, a.Cols), true
	}
	return 0, false
}

func (g *Graph) same(what Op, a, b ID) (Instr, Instr) {
	x, y := *g.At(a), *g.At(b)
	if x.Rows != y.Rows || x.Cols != y.Cols {
		panic(fmt.Sprintf("ir: %v of (%d,%d) and (%d,%d)", what, x.Rows, x.Cols, y.Rows, y.Cols))
	}
	return x, y
}

// Add is a + b.
func (g *Graph) Add(a, b ID) ID {
	x, y := g.same(Add, a, b)
	switch {
	case x.Op == Const && y.Op == Const:
		return g.Const(x.Rows, x.Cols, x.C+y.C)
	case x.Op == Const:
		return g.Shift(b, x.C)
	case y.Op == Const:
		return g.Shift(a, y.C)
	case a == b:
		return g.Scale(a, 2)
	case y.Op == Scale && y.C == -1:
		return g.Sub(a, y.Args[0])
	case x.Op == Scale && x.C == -1:
		return g.Sub(b, x.Args[0])
	}
	if r, ok := g.lift2(x, y, g.Add); ok {
		return r
	}
	if x.Op == y.Op && (x.Op == RowSum || x.Op == ColSum || x.Op == Sum) { // one sum of the sum
		u, v := g.At(x.Args[0]), g.At(y.Args[0])
		if u.Rows == v.Rows && u.Cols == v.Cols {
			r := g.Add(x.Args[0], y.Args[0])
			switch x.Op {
			case RowSum:
				return g.RowSum(r)
			case ColSum:
				return g.ColSum(r)
			}
			return g.Sum(r)
		}
	}
	if a > b { // one order, so that a+b and b+a are one
		a, b = b, a
	}
	return g.emit(Instr{Op: Add, Rows: x.Rows, Cols: x.Cols, Args: []ID{a, b}})
}

// Sub is a − b.
func (g *Graph) Sub(a, b ID) ID {
	x, y := g.same(Sub, a, b)
	switch {
	case x.Op == Const && y.Op == Const:
		return g.Const(x.Rows, x.Cols, x.C-y.C)
	case y.Op == Const:
		return g.Shift(a, -y.C)
	case x.Op == Const:
		return g.Shift(g.Scale(b, -1), x.C)
	case a == b:
		return g.Const(x.Rows, x.Cols, 0)
	case y.Op == Scale && y.C == -1:
		return g.Add(a, y.Args[0])
	case y.Op == MatMul && y.TA:
		return g.Add(a, g.Scale(b, -1))
	}
	if r, ok := g.lift2(x, y, g.Sub); ok {
		return r
	}
	return g.emit(Instr{Op: Sub, Rows: x.Rows, Cols: x.Cols, Args: []ID{a, b}})
}

// Mul is a ∘ b.
func (g *Graph) Mul(a, b ID) ID {
	x, y := g.same(Mul, a, b)
	switch {
	case x.Op == Const:
		return g.Scale(b, x.C)
	case y.Op == Const:
		return g.Scale(a, y.C)
	case x.Op == Scale && !y.expands():
		return g.Scale(g.Mul(x.Args[0], b), x.C)
	case y.Op == Scale && !x.expands():
		return g.Scale(g.Mul(a, y.Args[0]), y.C)
	case x.Op == Scale: // scale the repeated row or column instead
		return g.Mul(x.Args[0], g.Scale(b, x.C))
	case y.Op == Scale:
		return g.Mul(g.Scale(a, y.C), y.Args[0])
	case a == b:
		return g.Unary(kernels.Square, 0, 0, "", nil, a)
	}
	if r, ok := g.lift2(x, y, g.Mul); ok {
		return r
	}
	if a > b {
		a, b = b, a
	}
	return g.emit(Instr{Op: Mul, Rows: x.Rows, Cols: x.Cols, Args: []ID{a, b}})
}

// Div is a / b.
func (g *Graph) Div(a, b ID) ID {
	x, y := g.same(Div, a, b)
	switch {
	case x.Op == Const && y.Op == Const:
		return g.Const(x.Rows, x.Cols, x.C/y.C)
	case y.Op == Const && powerOfTwo(y.C): // exact
		return g.Scale(a, 1/y.C)
	case x.Op == Const:
		return g.Scale(g.Unary(kernels.Reciprocal, 0, 0, "", nil, b), x.C)
	}
	if r, ok := g.lift2(x, y, g.Div); ok {
		return r
	}
	return g.emit(Instr{Op: Div, Rows: x.Rows, Cols: x.Cols, Args: []ID{a, b}})
}

// Binary is Max, Min or (with a relation) Cmp of a and b.
func (g *Graph) Binary(op Op, rel Relation, a, b ID) ID {
	x, _ := g.same(op, a, b)
	return g.emit(Instr{Op: op, Index: int(rel), Rows: x.Rows, Cols: x.Cols, Args: []ID{a, b}})
}

// Scale is c·a.
func (g *Graph) Scale(a ID, c float64) ID {
	in := *g.At(a)
	switch {
	case c == 1:
		return a
	case c == 0:
		return g.Const(in.Rows, in.Cols, 0)
	case in.Op == Const:
		return g.Const(in.Rows, in.Cols, c*in.C)
	case in.Op == Scale:
		return g.Scale(in.Args[0], c*in.C)
	case in.Op == Sub && c == -1:
		return g.Sub(in.Args[1], in.Args[0])
	case in.Op == MatMul && in.TA: // sums over rows stay free of factors, so that they can be added up in one place
		a, b := in.Args[0], in.Args[1]
		if g.scaled(b, c) || !g.scaled(a, c) && g.At(b).Cols < g.At(a).Cols {
			return g.MatMul(a, g.Scale(b, c), true, false)
		}
		return g.MatMul(g.Scale(a, c), b, true, false)
	case in.Op == Mul: // scale a repeated row or column instead
		for i := range 2 {
			x := *g.At(in.Args[i])
			if x.expands() {
				return g.Mul(g.Scale(in.Args[i], c), in.Args[1-i])
			}
			if x.Op == Mul && (g.At(x.Args[0]).expands() || g.At(x.Args[1]).expands()) {
				return g.Mul(g.Scale(in.Args[i], c), in.Args[1-i])
			}
		}
	}
	if r, ok := g.lift(in, func(x ID) ID { return g.Scale(x, c) }); ok {
		return r
	}
	return g.emit(Instr{Op: Scale, C: c, Rows: in.Rows, Cols: in.Cols, Args: []ID{a}})
}

// expands reports whether in repeats the elements of its argument.
func (in *Instr) expands() bool { return in.Op == ExpandCols || in.Op == ExpandRows || in.Op == Fill }

// scaled reports whether c·a is there already.
func (g *Graph) scaled(a ID, c float64) bool {
	in := g.At(a)
	_, ok := g.cse[keyOf(&Instr{Op: Scale, C: c, Rows: in.Rows, Cols: in.Cols, Args: []ID{a}})]
	return ok
}

// Shift is a + c.
func (g *Graph) Shift(a ID, c float64) ID {
	in := *g.At(a)
	switch {
	case c == 0:
		return a
	case in.Op == Const:
		return g.Const(in.Rows, in.Cols, c+in.C)
	case in.Op == Shift:
		return g.Shift(in.Args[0], c+in.C)
	}
	if r, ok := g.lift(in, func(x ID) ID { return g.Shift(x, c) }); ok {
		return r
	}
	return g.emit(Instr{Op: Shift, C: c, Rows: in.Rows, Cols: in.Cols, Args: []ID{a}})
}

// MatMul is op(a)·op(b).
func (g *Graph) MatMul(a, b ID, ta, tb bool) ID {
	x, y := *g.At(a), *g.At(b)
	for x.Op == Transpose {
		a, ta = x.Args[0], !ta
		x = *g.At(a)
	}
	for y.Op == Transpose {
		b, tb = y.Args[0], !tb
		y = *g.At(b)
	}
	m, k := x.Rows, x.Cols
	if ta {
		m, k = k, m
	}
	k2, n := y.Rows, y.Cols
	if tb {
		k2, n = n, k2
	}
	if k != k2 {
		panic(fmt.Sprintf("ir: product of (%d,%d) and (%d,%d)", m, k, k2, n))
	}
	switch {
	case x.Op == Const && x.C == 0, y.Op == Const && y.C == 0:
		return g.Const(m, n, 0)
	case x.Op == Scale && !ta && m*n < x.Len(): // scale the smaller matrix
		return g.Scale(g.MatMul(x.Args[0], b, ta, tb), x.C)
	case x.Op == Const: // every row is c times the column sums of op(b)
		s := g.ColSum(b)
		if tb {
			s = g.Reshape(g.RowSum(b), 1, n)
		}
		return g.ExpandRows(g.Scale(s, x.C), m)
	case y.Op == Const:
		s := g.RowSum(a)
		if ta {
			s = g.Reshape(g.ColSum(a), m, 1)
		}
		return g.ExpandCols(g.Scale(s, y.C), n)
	case x.Op == ExpandRows && !ta && m > 1: // every row of the product is the same
		return g.ExpandRows(g.MatMul(x.Args[0], b, false, tb), m)
	case ta && tb:
		return g.Transpose(g.MatMul(b, a, false, false))
	}
	if k == 1 { // an outer product; a transposed row or column is the same numbers
		return g.Mul(g.ExpandCols(g.Reshape(a, m, 1), n), g.ExpandRows(g.Reshape(b, 1, n), m))
	}
	return g.emit(Instr{Op: MatMul, TA: ta, TB: tb, Rows: m, Cols: n, Lo: k, Args: []ID{a, b}})
}

// RowSum is (n,m) → (n,1).
func (g *Graph) RowSum(a ID) ID {
	in := *g.At(a)
	switch {
	case in.Cols == 1:
		return a
	case in.Op == Const:
		return g.Const(in.Rows, 1, in.C*float64(in.Cols))
	case in.Op == Scale:
		return g.Scale(g.RowSum(in.Args[0]), in.C)
	case in.Op == ExpandCols:
		return g.Scale(in.Args[0], float64(in.Cols))
	case in.Op == ExpandRows:
		return g.ExpandRows(g.RowSum(in.Args[0]), in.Rows)
	case in.Op == Fill:
		return g.Fill(g.Scale(in.Args[0], float64(in.Cols)), in.Rows, 1)
	case in.Op == PadCols:
		return g.RowSum(in.Args[0])
	case in.Op == Mul: // a factor that is the same along the row leaves the sum
		for i := range 2 {
			if e := *g.At(in.Args[i]); e.Op == ExpandCols {
				return g.Mul(e.Args[0], g.RowSum(in.Args[1-i]))
			}
		}
	}
	return g.emit(Instr{Op: RowSum, Rows: in.Rows, Cols: 1, Args: []ID{a}})
}

// ColSum is (n,m) → (1,m).
func (g *Graph) ColSum(a ID) ID {
	in := *g.At(a)
	switch {
	case in.Rows == 1:
		return a
	case in.Op == Const:
		return g.Const(1, in.Cols, in.C*float64(in.Rows))
	case in.Op == Scale:
		return g.Scale(g.ColSum(in.Args[0]), in.C)
	case in.Op == ExpandRows:
		return g.Scale(in.Args[0], float64(in.Rows))
	case in.Op == ExpandCols:
		return g.ExpandCols(g.ColSum(in.Args[0]), in.Cols)
	case in.Op == Fill:
		return g.Fill(g.Scale(in.Args[0], float64(in.Rows)), 1, in.Cols)
	case in.Op == Mul && in.Cols > 1:
		for i := range 2 {
			e, o := *g.At(in.Args[i]), *g.At(in.Args[1-i])
			switch {
			case e.Op == ExpandRows: // a factor that is the same along the column leaves the sum
				return g.Mul(e.Args[0], g.ColSum(in.Args[1-i]))
			case e.Op == ExpandCols && o.Op != ExpandCols && o.Op != ExpandRows: // Σ_i s_i o_ij = sᵀ o
				return g.MatMul(e.Args[0], in.Args[1-i], true, false)
			}
		}
	}
	return g.emit(Instr{Op: ColSum, Rows: 1, Cols: in.Cols, Args: []ID{a}})
}

// Sum is the total.
func (g *Graph) Sum(a ID) ID {
	in := *g.At(a)
	switch {
	case in.Rows == 1 && in.Cols == 1:
		return a
	case in.Op == Const:
		return g.Const(1, 1, in.C*float64(in.Len()))
	case in.Op == Scale:
		return g.Scale(g.Sum(in.Args[0]), in.C)
	case in.Op == RowSum, in.Op == ColSum, in.Op == Reshape, in.Op == Transpose, in.Op == PadCols, in.Op == PadRows:
		return g.Sum(in.Args[0])
	case in.Op == ExpandCols:
		return g.Scale(g.Sum(in.Args[0]), float64(in.Cols))
	case in.Op == ExpandRows:
		return g.Scale(g.Sum(in.Args[0]), float64(in.Rows))
	case in.Op == Fill:
		return g.Scale(in.Args[0], float64(in.Len()))
	}
	return g.emit(Instr{Op: Sum, Rows: 1, Cols: 1, Args: []ID{a}})
}

// RowFn applies a function of whole rows: RowMax, RowLSE or RowSoftmax.
func (g *Graph) RowFn(op Op, a ID) ID {
	in := *g.At(a)
	cols := 1
	if op == RowSoftmax {
		cols = in.Cols
	}
	if in.Cols == 1 {
		if op == RowSoftmax {
			return g.Const(in.Rows, 1, 1)
		}
		return a
	}
	return g.emit(Instr{Op: op, Rows: in.Rows, Cols: cols, Args: []ID{a}})
}

// ExpandCols repeats the column a m times.
func (g *Graph) ExpandCols(a ID, m int) ID {
	in := *g.At(a)
	switch {
	case m == 1:
		return a
	case in.Op == Const:
		return g.Const(in.Rows, m, in.C)
	case in.Op == Fill:
		return g.Fill(in.Args[0], in.Rows, m)
	case in.Op == ExpandRows, in.Rows == 1: // (1,1) → (n,1) → (n,m)
		x := a
		if in.Op == ExpandRows {
			x = in.Args[0]
		}
		return g.Fill(x, in.Rows, m)
	}
	return g.emit(Instr{Op: ExpandCols, Rows: in.Rows, Cols: m, Args: []ID{a}})
}

// ExpandRows repeats the row a n times.
func (g *Graph) ExpandRows(a ID, n int) ID {
	in := *g.At(a)
	switch {
	case n == 1:
		return a
	case in.Op == Const:
		return g.Const(n, in.Cols, in.C)
	case in.Op == Fill:
		return g.Fill(in.Args[0], n, in.Cols)
	case in.Cols == 1:
		return g.Fill(a, n, 1)
	}
	return g.emit(Instr{Op: ExpandRows, Rows: n, Cols: in.Cols, Args: []ID{a}})
}

// Fill is the matrix with the (1,1) value a everywhere.
func (g *Graph) Fill(a ID, rows, cols int) ID {
	in := *g.At(a)
	switch {
	case rows == 1 && cols == 1:
		return a
	case in.Op == Const:
		return g.Const(rows, cols, in.C)
	}
	return g.emit(Instr{Op: Fill, Rows: rows, Cols: cols, Args: []ID{a}})
}

// SliceCols is the columns lo … hi−1.
func (g *Graph) SliceCols(a ID, lo, hi int) ID {
	in := *g.At(a)
	switch {
	case lo == 0 && hi == in.Cols:
		return a
	case in.Op == Const:
		return g.Const(in.Rows, hi-lo, in.C)
	case in.Op == ExpandCols:
		return g.ExpandCols(in.Args[0], hi-lo)
	case in.Op == Fill:
		return g.Fill(in.Args[0], in.Rows, hi-lo)
	case in.Op == SliceCols:
		return g.SliceCols(in.Args[0], in.Lo+lo, in.Lo+hi)
	case in.Op == ConcatCols:
		at := 0
		for _, p := range in.Args {
			w := g.At(p).Cols
			if lo >= at && hi <= at+w {
				return g.SliceCols(p, lo-at, hi-at)
			}
			at += w
		}
	case in.Op == PadCols:
		w := g.At(in.Args[0]).Cols
		if lo >= in.Lo && hi <= in.Lo+w {
			return g.SliceCols(in.Args[0], lo-in.Lo, hi-in.Lo)
		}
		if hi <= in.Lo || lo >= in.Lo+w {
			return g.Const(in.Rows, hi-lo, 0)
		}
	}
	return g.emit(Instr{Op: SliceCols, Lo: lo, Hi: hi, Rows: in.Rows, Cols: hi - lo, Args: []ID{a}})
}

// PadCols puts before zero columns to the left and after to the right.
func (g *Graph) PadCols(a ID, before, after int) ID {
	in := *g.At(a)
	switch {
	case before == 0 && after == 0:
		return a
	case g.isZero(a):
		return g.Const(in.Rows, before+in.Cols+after, 0)
	}
	return g.emit(Instr{Op: PadCols, Lo: before, Hi: before + in.Cols, Rows: in.Rows, Cols: before + in.Cols + after, Args: []ID{a}})
}

// SliceRows is the rows lo … hi−1.
func (g *Graph) SliceRows(a ID, lo, hi int) ID {
	in := *g.At(a)
	switch {
	case lo == 0 && hi == in.Rows:
		return a
	case in.Op == Const:
		return g.Const(hi-lo, in.Cols, in.C)
	case in.Op == ExpandRows:
		return g.ExpandRows(in.Args[0], hi-lo)
	case in.Op == Fill:
		return g.Fill(in.Args[0], hi-lo, in.Cols)
	case in.Op == SliceRows:
		return g.SliceRows(in.Args[0], in.Lo+lo, in.Lo+hi)
	case in.Op == ConcatRows:
		at := 0
		for _, p := range in.Args {
			w := g.At(p).Rows
			if lo >= at && hi <= at+w {
				return g.SliceRows(p, lo-at, hi-at)
			}
			at += w
		}
	}
	return g.emit(Instr{Op: SliceRows, Lo: lo, Hi: hi, Rows: hi - lo, Cols: in.Cols, Args: []ID{a}})
}

// PadRows puts before zero rows above and after below.
func (g *Graph) PadRows(a ID, before, after int) ID {
	in := *g.At(a)
	switch {
	case before == 0 && after == 0:
		return a
	case g.isZero(a):
		return g.Const(before+in.Rows+after, in.Cols, 0)
	}
	return g.emit(Instr{Op: PadRows, Lo: before, Hi: before + in.Rows, Rows: before + in.Rows + after, Cols: in.Cols, Args: []ID{a}})
}

// Concat joins parts side by side (ConcatCols) or below each other (ConcatRows).
func (g *Graph) Concat(op Op, parts ...ID) ID {
	if len(parts) == 1 {
		return parts[0]
	}
	in := Instr{Op: op, Args: append([]ID(nil), parts...)}
	for _, p := range parts {
		x := g.At(p)
		if op == ConcatCols {
			in.Rows, in.Cols = x.Rows, in.Cols+x.Cols
		} else {
			in.Rows, in.Cols = in.Rows+x.Rows, x.Cols
		}
	}
	return g.emit(in)
}

// Transpose is aᵀ.
func (g *Graph) Transpose(a ID) ID {
	in := *g.At(a)
	switch {
	case in.Rows == 1 || in.Cols == 1:
		return g.Reshape(a, in.Cols, in.Rows)
	case in.Op == Transpose:
		return in.Args[0]
	case in.Op == Const:
		return g.Const(in.Cols, in.Rows, in.C)
	case in.Op == Fill:
		return g.Fill(in.Args[0], in.Cols, in.Rows)
	case in.Op == ExpandRows:
		return g.ExpandCols(g.Reshape(in.Args[0], in.Cols, 1), in.Rows)
	case in.Op == ExpandCols:
		return g.ExpandRows(g.Reshape(in.Args[0], 1, in.Rows), in.Cols)
	case in.Op == MatMul: // (op(a)·op(b))ᵀ = op(b)ᵀ·op(a)ᵀ
		if in.TA || in.TB {
			return g.MatMul(in.Args[1], in.Args[0], !in.TB, !in.TA)
		}
	}
	return g.emit(Instr{Op: Transpose, Rows: in.Cols, Cols: in.Rows, Args: []ID{a}})
}

// Reshape gives the numbers of a, in order, other rows and columns.
func (g *Graph) Reshape(a ID, rows, cols int) ID {
	in := *g.At(a)
	switch {
	case in.Rows == rows && in.Cols == cols:
		return a
	case in.Op == Const:
		return g.Const(rows, cols, in.C)
	case in.Op == Fill:
		return g.Fill(in.Args[0], rows, cols)
	case in.Op == Reshape:
		return g.Reshape(in.Args[0], rows, cols)
	}
	return g.emit(Instr{Op: Reshape, Rows: rows, Cols: cols, Args: []ID{a}})
}

// Opaque is whatever run does. A label that is not empty names the function in full: equal labels and arguments are merged.
func (g *Graph) Opaque(run Runner, label string, volatile bool, rows, cols int, args ...ID) ID {
	return g.emit(Instr{Op: Opaque, Run: run, Label: label, Volatile: volatile, Rows: rows, Cols: cols, Args: append([]ID(nil), args...)})
}

func powerOfTwo(c float64) bool {
	f, e := math.Frexp(c)
	return math.Abs(f) == 0.5 && e > -1000 && e < 1000
}
