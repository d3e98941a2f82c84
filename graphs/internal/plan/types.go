package plan

import (
	"github.com/stheno-ebm/stheno/graphs/internal/ir"
)

// None marks an absent slot or register.
const None = -1

// Kind says how long a slot keeps its value, and for whom.
type Kind uint8

const (
	Persistent Kind = iota // inputs, constants, held results: keeps its value between calls
	Full                   // a whole value, for as long as it is needed
	Tile                   // the rows of one tile; every worker has its own
	Partial                // the sum of one stripe; every stripe has its own, unless there is a single worker
	Packed                 // a packed operand
)

var kindNames = [...]string{Persistent: "kept", Full: "whole", Tile: "tile", Partial: "partial", Packed: "packed"}

func (k Kind) String() string { return kindNames[k] }

// Slot is a place for one value.
type Slot struct {
	Kind       Kind
	Held       bool
	Rows, Cols int
	Size       int // elements; for a tile, per row
	Off        int // offset in the arena of its kind
	Stride     int // for a partial slot: distance from stripe to stripe; 0 if all share one place
	From, To   int // lifetime, both ends included: in steps of the segment for a tile, of the program for a whole value
}

// Ref is a use of a slot by a step: its offset advances by Step elements per row of the tile at which the program is.
type Ref struct {
	Slot int32
	Step int32 // the columns of a whole value that is read row by row; 0 for a tile, or a value that is read whole
}

// Step is one instruction of the finished program, or a group of element-wise ones.
type Step struct {
	ir.Instr
	ID    ir.ID
	N     int // number of the step in the program
	Dst   Ref
	Refs  []Ref // of the arguments
	Add   bool  // it reduces, and an earlier step of the same segment has begun the sum
	Group *Group
	Flops float64
	Cost  float64 // nanoseconds on one core, a rough estimate
}

// Segment is a list of steps that is run once (Rows == 0), or for one tile of rows after the other.
type Segment struct {
	Rows   int // 0: run once
	Tile   int // rows per tile
	Stripe int // rows per stripe
	Steps  []Step
	Sums   []Combine // sums left to do when all stripes are done
	Cost   float64
}

// Stripes is the number of stripes: independent pieces of work, each of which sums over its own rows.
func (s *Segment) Stripes() int { return (s.Rows + s.Stripe - 1) / s.Stripe }

// Combine adds the partial sums of all stripes, in order, to a whole value.
type Combine struct {
	Dst, Partial int32
	N, Stripes   int
}

// Constant is a value that is stored when the program is made.
type Constant struct {
	ID   ir.ID
	Slot int32
}

// Plan is a finished program. It holds no numbers and is shared by clones.
type Plan struct {
	Graph   *ir.Graph
	Held    []Segment // run when held inputs have changed
	Main    []Segment
	Slots   []Slot
	SlotOf  []int32 // by value; None: a register, or folded away
	Inputs  []int32 // slot by input number
	Outputs []int32 // slot by output number
	Consts  []Constant
	Steps   int // the number of steps

	// Lengths of the arenas, in elements.
	KeepLen int // persistent memory
	FullLen int // whole values
	TileLen int // a worker's tiles
	PartLen int // all partial sums
	PackLen int // packed operands
	Scratch int // a worker's scratch registers
	WorkLen int // a worker's workspace for products

	ElemSize int
	Alone    bool // there is a single worker: partial sums are added as they come
}

// Settings are what a plan depends on besides the graph. Whether there is a single worker changes where partial sums
// are stored, but no result.
type Settings struct {
	ElemSize int // bytes of a number
	Alone    bool
	MinRows  int // batches with fewer rows are run at once; 0 means 64
	TileRows int // rows per tile; 0: chosen from the shapes
	PackLen  func(k, n int) int
	WorkLen  func(m, n, k int) int
	ConvLen  func(o ir.Conv) int // elements of workspace for a convolution
}

// New plans g, the result of rules.Apply.
func New(g *ir.Graph, set Settings) *Plan {
	if set.MinRows == 0 {
		set.MinRows = 64
	}
	s := order(fuse(cut(merge(sink(assign(analyse(g), set.MinRows))))))
	return pack(write(split(house(s, set))))
}
