package exec

import (
	"cmp"
	"slices"

	"github.com/stheno-ebm/stheno/graphs/internal/ir"
)

// none marks an absent slot or register.
const none = -1

// A slot is a place for one value.
type slotKind uint8

const (
	persistent slotKind = iota // inputs, constants, held results: keeps its value between calls
	full                       // a whole value, for as long as it is needed
	tile                       // the rows of one tile; every worker has its own
	partial                    // the sum of one stripe; every stripe has its own, but that of a worker who is alone
	packed                     // a packed operand
)

var kindNames = [...]string{"kept", "whole", "tile", "partial", "packed"}

func (k slotKind) String() string { return kindNames[k] }

type slot struct {
	kind       slotKind
	held       bool
	rows, cols int
	size       int // elements
	off        int // in the arena of its kind
	stride     int // of a partial slot: from stripe to stripe; 0 where all are in one place
	from, to   int // life time, both ends included: in steps of the segment for a tile, of the program for a whole value
}

// A ref is a use of a slot by a step: the row of a tile at which the program stands is multiplied by step.
type ref struct {
	slot int32
	step int32 // cols of a whole value that is read row by row; 0 of a tile, or of a value that is read whole
}

// A step is one instruction of the finished program.
type step struct {
	op    ir.Op
	in    *ir.Instr
	id    ir.ID
	n     int // number of the step in the program
	dst   ref
	args  []ref
	add   bool // a product that reduces: an earlier step of the same segment has begun the sum
	group *group
	flops float64
	cost  float64 // nanoseconds on one core, a rough estimate
}

// A segment is a list of steps that is run once (rows == 0), or for one tile of rows after the other.
type segment struct {
	rows   int // 0: once
	tile   int // rows per tile
	stripe int // rows per stripe
	steps  []step
	sums   []combine // what is left to do when all stripes are done
	flops  float64
	cost   float64
}

// stripes is the number of stripes: independent pieces of work, each of which sums over its rows on its own.
func (s *segment) stripes() int { return (s.rows + s.stripe - 1) / s.stripe }

// A combine adds the partial sums of all stripes, in order, to a whole value.
type combine struct {
	dst, partial int32
	n, stripes   int
}

// plan is a finished program. It holds no numbers and is shared by clones.
type plan struct {
	g        *ir.Graph
	code     []ir.Instr
	held     []segment // run when held inputs changed
	main     []segment
	slots    []slot
	slotOf   []int32 // by value; none: a register, or folded away
	inputs   []int32 // slot by input number
	outputs  []int32 // slot by output number
	consts   []ir.ID // constants, stored at construction
	constAt  []int32
	steps    int
	clock    int
	keepLen  int // elements of persistent memory
	fullLen  int // of whole values
	tileLen  int // of a worker's tiles
	partLen  int // of all partial sums
	packLen  int // of packed operands
	scratch  int // of a worker's scratch registers
	workLen  int // of a worker's workspace for products
	regs     int // registers of the largest group
	elemSize int
	alone    bool // there is one worker: partial sums are added as they come
}

// settings of the planner.
type settings struct {
	elemSize int
	alone    bool // see plan
	minRows  int  // below this many rows a space is run at once
	tileRows int  // 0: chosen, see split
	packLen  func(k, n int) int
	workLen  func(m, n, k int) int
}

type planner struct {
	*plan
	set    settings
	uses   [][]ir.ID // consumers by value; those of a clear value are consumers of what it expands
	clear  []bool    // expansions that have no place of their own: their readers repeat the elements
	isOut  []bool
	isHeld []bool
	space  []int
	stage  []int
	spaces map[int]bool
	// Sums of products that reduce over the same rows: the products add to one place, and the Add is an alias of it.
	members map[ir.ID][]ir.ID // of an alias
	aliasOf map[ir.ID]ir.ID   // of a member
	inner   map[ir.ID]bool    // Adds within an alias
	begun   map[int32]bool    // slots that a product has written to
}

// loopRows is the number of rows that an instruction can walk over, or 0 if it needs its arguments whole.
func (p *planner) loopRows(in *ir.Instr) int {
	if c := in.Op.Class(); c == ir.Source || c == ir.Whole {
		return 0
	}
	switch in.Op {
	case ir.ColSum, ir.Sum:
		return p.code[in.Args[0]].Rows
	case ir.MatMul:
		if in.TA {
			return p.code[in.Args[0]].Rows
		}
	}
	return in.Rows
}

// reduces reports whether the rows that in walks over are summed.
func reduces(in *ir.Instr) bool {
	return in.Op == ir.ColSum || in.Op == ir.Sum || in.Op == ir.MatMul && in.TA
}

// aligned reports whether the row i of in needs the row i of argument j only.
func aligned(in *ir.Instr, j int) bool {
	switch in.Op {
	case ir.MatMul:
		return j == 0 || in.TA || j == in.Factor
	case ir.ExpandRows, ir.Fill:
		return false
	}
	return true
}

// A source is a value that an instruction reads, directly or through a clear expansion.
type source struct {
	id      ir.ID
	aligned bool // row by row
	direct  bool
	arg     int
}

func (p *planner) sources(in *ir.Instr) []source {
	s := make([]source, 0, len(in.Args))
	for j, a := range in.Args {
		if x := &p.code[a]; p.clear[a] {
			s = p.expandAlias(s, source{x.Args[0], x.Op == ir.ExpandCols, false, j})
			continue
		}
		s = p.expandAlias(s, source{a, aligned(in, j), true, j})
	}
	return s
}

// expandAlias appends x, or the members of x if it is an alias.
func (p *planner) expandAlias(s []source, x source) []source {
	if p.members[x.id] == nil {
		return append(s, x)
	}
	for _, m := range p.members[x.id] {
		s = append(s, source{m, x.aligned, false, x.arg})
	}
	return s
}

// merge makes an alias of id, if that is the sum of two sums of products that may go to one place.
func (p *planner) merge(id ir.ID, inList map[ir.ID]bool) {
	in := &p.code[id]
	if in.Op != ir.Add {
		return
	}
	var all []ir.ID
	for _, a := range in.Args {
		m := p.members[a]
		if m == nil {
			if x := &p.code[a]; x.Op != ir.MatMul || !x.TA || !inList[a] {
				return
			}
			m = []ir.ID{a}
		}
		if len(p.uses[a]) != 1 || p.isOut[a] {
			return
		}
		all = append(all, m...)
	}
	for _, m := range all[1:] {
		if p.space[m] != p.space[all[0]] || p.stage[m] != p.stage[all[0]] {
			return
		}
	}
	for _, a := range in.Args {
		if p.members[a] != nil {
			delete(p.members, a)
			p.inner[a] = true
		}
	}
	p.members[id] = all
	for _, m := range all {
		p.aliasOf[m] = id
	}
}

func newPlan(src *ir.Graph, set settings) *plan {
	g := ir.Fuse(ir.Fold(src), func(in *ir.Instr) bool { return !in.TA && in.Rows > 8 })
	n := len(g.Code)
	pl := &plan{g: g, code: g.Code, elemSize: set.elemSize, alone: set.alone, slotOf: make([]int32, n)}
	p := &planner{plan: pl, set: set, uses: make([][]ir.ID, n), clear: make([]bool, n), isOut: make([]bool, n), isHeld: make([]bool, n),
		space: make([]int, n), stage: make([]int, n), spaces: map[int]bool{},
		members: map[ir.ID][]ir.ID{}, aliasOf: map[ir.ID]ir.ID{}, inner: map[ir.ID]bool{}, begun: map[int32]bool{}}
	for _, o := range g.Outputs {
		p.isOut[o] = true
	}
	for i := range p.code {
		p.slotOf[i] = none
		switch p.code[i].Op {
		case ir.ExpandCols, ir.ExpandRows, ir.Fill:
			p.clear[i] = !p.isOut[i]
		}
		if in := &p.code[i]; !in.Op.Elementwise() && in.Op != ir.RowSum && in.Op != ir.ColSum && in.Op != ir.Sum {
			for _, a := range in.Args {
				p.clear[a] = false
			}
		}
	}
	for i := range p.code {
		if p.clear[i] {
			continue
		}
		for _, s := range p.sources(&p.code[i]) {
			p.uses[s.id] = append(p.uses[s.id], ir.ID(i))
		}
	}

	// What depends on held inputs and constants only is computed when they change. Expansions are not: they are cheap
	// where they are used, and large; but what is made of one and of held numbers of its size is.
	for i, still := range g.StandStill() {
		in := &p.code[i]
		switch in.Op {
		case ir.ExpandRows, ir.ExpandCols, ir.Fill:
			continue
		}
		some := len(in.Args) == 0
		for _, s := range p.sources(in) {
			some = some || s.direct
			still = still && p.isHeld[s.id]
		}
		p.isHeld[i] = still && some
	}
	for i := range p.code {
		in := &p.code[i]
		switch in.Op {
		case ir.Input:
			p.slotOf[i] = p.newSlot(slot{kind: persistent, rows: in.Rows, cols: in.Cols, held: p.isHeld[i]})
			for len(p.inputs) <= in.Index {
				p.inputs = append(p.inputs, none)
			}
			p.inputs[in.Index] = p.slotOf[i]
		case ir.Const, ir.Data:
			p.slotOf[i] = p.newSlot(slot{kind: persistent, rows: in.Rows, cols: in.Cols, held: true})
			p.consts = append(p.consts, ir.ID(i))
			p.constAt = append(p.constAt, p.slotOf[i])
		}
	}

	var held, rest []ir.ID
	for i := range p.code {
		switch {
		case p.slotOf[i] != none, p.clear[i]:
		case p.isHeld[i]:
			held = append(held, ir.ID(i))
		default:
			rest = append(rest, ir.ID(i))
		}
	}
	// The batch: rows of products' left operands.
	for i := range p.code {
		in := &p.code[i]
		if in.Op == ir.MatMul && !p.isHeld[i] {
			if r := p.loopRows(in); r >= set.minRows {
				p.spaces[r] = true
			}
		}
	}
	p.held = p.schedule(held, true)
	p.main = p.schedule(rest, false)
	for _, o := range g.Outputs {
		p.outputs = append(p.outputs, p.slotOf[o])
	}
	p.memory()
	return pl
}

func (p *planner) newSlot(s slot) int32 {
	p.slots = append(p.slots, s)
	return int32(len(p.slots) - 1)
}

// unit is a step under construction: one instruction, or a group of element-wise ones.
type unit struct {
	ids  []ir.ID
	cols int // of a group's rows; 0: not a group
	rows int
}

func fusable(in *ir.Instr) bool {
	c := in.Op.Class()
	return c == ir.Map || c == ir.Expansion || c == ir.Reduction
}

// schedule turns the instructions ids, in order, into segments.
func (p *planner) schedule(ids []ir.ID, held bool) []segment {
	inList := make(map[ir.ID]bool, len(ids))
	for _, id := range ids {
		inList[id] = true
	}
	// Space and stage.
	for _, id := range ids {
		in := &p.code[id]
		r := p.loopRows(in)
		if held || !p.spaces[r] {
			r = 0
		}
		p.space[id] = r
		s := 0
		for _, x := range p.sources(in) {
			if !inList[x.id] {
				continue
			}
			t := p.stage[x.id]
			switch {
			case p.space[x.id] == 0:
			case p.space[x.id] == r && x.aligned && !reduces(&p.code[x.id]):
			default:
				t++
			}
			s = max(s, t)
		}
		p.stage[id] = s
	}
	p.sink(ids)
	for _, id := range ids {
		p.merge(id, inList)
	}
	type where struct{ stage, space int }
	at := map[where][]ir.ID{}
	var keys []where
	for _, id := range ids {
		if p.members[id] != nil || p.inner[id] {
			continue
		}
		w := where{p.stage[id], p.space[id]}
		if at[w] == nil {
			keys = append(keys, w)
		}
		at[w] = append(at[w], id)
	}
	slices.SortFunc(keys, func(a, b where) int { return cmp.Or(cmp.Compare(a.stage, b.stage), cmp.Compare(a.space, b.space)) })
	var segs []segment
	for _, k := range keys {
		segs = append(segs, p.segment(at[k], k.space, held))
	}
	return segs
}

// sink moves instructions to the latest stage at which their results are in time, so that a batch does not have to be kept
// from one stage to another. It leaves those alone whose operands would have to be kept instead.
func (p *planner) sink(ids []ir.ID) {
	for k := len(ids) - 1; k >= 0; k-- {
		id := ids[k]
		r := p.space[id]
		if r == 0 || p.isOut[id] || len(p.uses[id]) == 0 {
			continue
		}
		latest := 1 << 30
		for _, c := range p.uses[id] {
			for _, x := range p.sources(&p.code[c]) {
				if x.id != id {
					continue
				}
				s := p.stage[c]
				if p.space[c] != r || !x.aligned || reduces(&p.code[id]) {
					s--
				}
				latest = min(latest, s)
			}
		}
		if latest <= p.stage[id] {
			continue
		}
		free := true
		for _, x := range p.sources(&p.code[id]) {
			if !x.aligned || p.slotOf[x.id] != none || p.space[x.id] != r {
				continue
			}
			for _, c := range p.uses[x.id] {
				free = free && (c == id || p.stage[c] >= latest)
			}
		}
		if free {
			p.stage[id] = latest
		}
	}
}

// units groups the element-wise instructions of a segment: each joins the first group of its shape that comes after
// everything it needs.
func (p *planner) units(ids []ir.ID) []unit {
	var us []unit
	pos := map[ir.ID]int{}
	for _, id := range ids {
		in := &p.code[id]
		rows, cols := in.Rows, in.Cols
		switch in.Op {
		case ir.RowSum, ir.ColSum, ir.Sum:
			a := &p.code[in.Args[0]]
			rows, cols = a.Rows, a.Cols
		}
		fuse := fusable(in)
		earliest := 0
		for _, x := range p.sources(in) {
			q, ok := pos[x.id]
			if !ok {
				continue
			}
			u := &us[q]
			within := fuse && u.cols == cols && u.rows == rows && x.aligned && x.direct && in.Op != ir.ExpandCols
			switch p.code[x.id].Op {
			case ir.RowSum, ir.ColSum, ir.Sum:
				within = false
			}
			if !within {
				q++
			}
			earliest = max(earliest, q)
		}
		if fuse {
			found := false
			for q := earliest; q < len(us); q++ {
				if us[q].cols == cols && us[q].rows == rows {
					us[q].ids = append(us[q].ids, id)
					pos[id] = q
					found = true
					break
				}
			}
			if !found {
				pos[id] = len(us)
				us = append(us, unit{ids: []ir.ID{id}, rows: rows, cols: cols})
			}
			continue
		}
		pos[id] = len(us)
		us = append(us, unit{ids: []ir.ID{id}})
	}
	return us
}
