package ir

import "strings"

// Op is what an instruction does.
type Op interface {
	// Name is the name used in dumps.
	Name() string
	// Class says how it is scheduled.
	Class() Class
	// Reduces reports whether it sums over the rows of its first argument. If so, it may be run on one range of these
	// rows after the other, each time adding to the result so far.
	Reduces() bool
	// Aligned reports whether, of argument j, it needs only the rows it is working on: the rows of the result that it
	// computes or, if it reduces, the rows that it sums. Otherwise it needs the whole argument.
	Aligned(j int) bool
	// Text is a readable form of the instruction, given the names of its arguments.
	Text(args []string) string
}

// All holds one instruction of every type.
var All = []Op{
	Input{}, Const{}, Data{},
	Unary{}, Pow{}, Func{}, Add{}, Sub{}, Mul{}, Div{}, Max{}, Min{}, Power{}, Compare{}, Scale{}, Shift{},
	MatMul{}, BatchMatMul{}, Pack{},
	RowSum{}, ColSum{}, Sum{}, RowMax{}, ColMax{}, RowLSE{}, RowSoftmax{},
	ExpandCols{}, ExpandRows{}, Fill{},
	SliceCols{}, PadCols{}, ConcatCols{}, SliceRows{}, PadRows{}, ConcatRows{}, Transpose{}, Reshape{},
	Gather{}, Put{}, Scatter{}, ArgMax{}, Pick{}, Place{},
	Conv{}, ConvPack{}, PoolArgMax{}, PoolPick{}, PoolPlace{}, PoolSum{}, Spread{}, Patches{}, Fold{},
	Opaque{},
}

// Class groups instructions that are scheduled alike.
type Class uint8

// The classes.
const (
	Source    Class = iota // without arguments
	Map                    // element by element
	Expansion              // a broadcast, which its readers can do themselves
	Reduction              // a sum, fused with the computation of its summands
	ByRow                  // can be run on a range of rows: of its result or, if it reduces, of its first argument
	Whole                  // needs its whole arguments
)

var classNames = [...]string{
	Source: "source", Map: "map", Expansion: "expansion", Reduction: "reduction", ByRow: "by row", Whole: "whole",
}

func (c Class) String() string { return classNames[c] }

// The methods that the instructions of a class share; each instruction type embeds its class.
type (
	source    struct{}
	mapped    struct{}
	expansion struct{}
	reduction struct{}
	byRow     struct{}
	whole     struct{}
)

func (source) Class() Class    { return Source }
func (mapped) Class() Class    { return Map }
func (expansion) Class() Class { return Expansion }
func (reduction) Class() Class { return Reduction }
func (byRow) Class() Class     { return ByRow }
func (whole) Class() Class     { return Whole }

func (source) Reduces() bool    { return false }
func (mapped) Reduces() bool    { return false }
func (expansion) Reduces() bool { return false }
func (reduction) Reduces() bool { return true }
func (byRow) Reduces() bool     { return false }
func (whole) Reduces() bool     { return false }

func (source) Aligned(int) bool    { return true }
func (mapped) Aligned(int) bool    { return true }
func (expansion) Aligned(int) bool { return false }
func (reduction) Aligned(int) bool { return true }
func (byRow) Aligned(int) bool     { return true }
func (whole) Aligned(int) bool     { return true }

// plain is the default Text.
func plain(name string, args []string) string { return name + " " + strings.Join(args, ", ") }

// transposed is the name of an operand, marked as transposed if on.
func transposed(name string, on bool) string {
	if on {
		return name + "ᵀ"
	}
	return name
}

// Is reports whether in is an instruction of type T.
func Is[T Op](in *Instr) bool {
	_, ok := in.Op.(T)
	return ok
}

// LoopRows is the number of rows that a loop over instruction in can split into ranges, or 0 if it needs its whole
// arguments.
func (g *Graph) LoopRows(in *Instr) int {
	switch c := in.Op.Class(); {
	case c == Source || c == Whole:
		return 0
	case in.Op.Reduces():
		return g.At(in.Args[0]).Rows
	}
	return in.Rows
}
