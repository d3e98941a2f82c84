package plan

import (
	"slices"

	"github.com/stheno-ebm/stheno/graphs/internal/ir"
)

// layout is a schedule with a slot for every value that needs one.
type layout struct {
	schedule
	set    Settings
	slots  []Slot
	slotOf []int32 // by value
	consts []Constant
	blocks []block // by part
	clock  int     // the time at the end of the program
}

// block is a part with its tiles.
type block struct {
	part
	begin        int // the time of its first step; all steps of a tiled part share one time
	tile, stripe int // rows; 0: run once
}

// when is the time of unit q.
func (b *block) when(q int) int {
	if b.space > 0 {
		return b.begin
	}
	return b.begin + q
}

func (l *layout) slot(s Slot) int32 {
	l.slots = append(l.slots, s)
	return int32(len(l.slots) - 1)
}

// house gives a slot to every value that is not in a register of its group, and determines its lifetime.
func house(s schedule, set Settings) layout {
	l := layout{schedule: s, set: set, slotOf: make([]int32, len(s.Code))}
	for i := range s.Code {
		in := &s.Code[i]
		l.slotOf[i] = None
		if !s.isSource(ir.ID(i)) {
			continue
		}
		l.slotOf[i] = l.slot(Slot{Kind: Persistent, Rows: in.Rows, Cols: in.Cols, Size: in.Len(), Held: s.held[i]})
		if !ir.Is[ir.Input](in) {
			l.consts = append(l.consts, Constant{ir.ID(i), l.slotOf[i]})
		}
	}
	for _, p := range s.parts {
		b := block{part: p, begin: l.clock}
		l.clock++
		if b.space == 0 {
			l.clock = b.begin + len(b.units)
		}
		at := unitOf(b.units)
		for q, u := range b.units {
			for _, id := range u.ids {
				l.place(&b, id, q, l.readers(id, q, at))
			}
		}
		l.blocks = append(l.blocks, b)
	}
	l.live()
	return l
}

// readers says who reads a value of a part.
type readers struct {
	group bool // only its own group, element by element
	part  bool // only its part, row by row
	last  int  // the last unit
}

func (l *layout) readers(id ir.ID, q int, at map[ir.ID]int) readers {
	r := readers{group: !l.out[id], part: !l.out[id], last: q}
	for _, c := range l.uses[id] {
		to, here := at[c]
		if !here {
			r.group, r.part = false, false
			continue
		}
		r.last = max(r.last, to)
		r.group = r.group && to == q
		for _, x := range l.sources(c) {
			if x.id == id {
				r.part = r.part && x.aligned
				r.group = r.group && x.direct
			}
		}
	}
	return r
}

// place gives id a slot, if it needs one.
func (l *layout) place(b *block, id ir.ID, q int, r readers) {
	in := &l.Code[id]
	if b.units[q].cols > 0 && r.group && in.Op.Class() != ir.Reduction {
		return // in a register of its group, or folded into its readers
	}
	alias, isMember := l.aliasOf[id]
	if isMember && l.slotOf[alias] != None {
		l.slotOf[id] = l.slotOf[alias]
		return
	}
	if ir.Is[ir.Reshape](in) && l.sameNumbers(id, b.held) {
		return
	}
	s := Slot{Rows: in.Rows, Cols: in.Cols, Size: in.Len(), Held: b.held}
	switch {
	case ir.Is[ir.Pack](in), ir.Is[ir.ConvPack](in):
		s.Kind, s.Size = Packed, l.set.PackLen(in.Rows, in.Cols)
	case b.held:
		s.Kind = Persistent
	case b.space > 0 && r.part && !l.reduces(id):
		s.Kind, s.From, s.To = Tile, q, r.last
	default:
		s.Kind, s.From, s.To = Full, b.when(q), b.when(q)
	}
	l.slotOf[id] = l.slot(s)
	if isMember {
		l.slotOf[alias] = l.slotOf[id]
	}
}

// sameNumbers lets the result of a Reshape share the slot of its argument, if that is kept whole.
func (l *layout) sameNumbers(id ir.ID, held bool) bool {
	n := l.slotOf[l.Code[id].Args[0]]
	if n == None {
		return false
	}
	if s := &l.slots[n]; s.Kind != Full && s.Kind != Persistent || held && !s.Held {
		return false
	}
	l.slotOf[id] = n
	return true
}

// live extends the lifetime of whole values to their last use, and that of outputs to the end.
func (l *layout) live() {
	touch := func(id ir.ID, now int) {
		if n := l.slotOf[id]; n != None && l.slots[n].Kind == Full {
			l.slots[n].To = max(l.slots[n].To, now)
		}
	}
	for i := range l.blocks {
		b := &l.blocks[i]
		for q, u := range b.units {
			for _, id := range u.ids {
				touch(id, b.when(q))
				for _, x := range l.sources(id) {
					touch(x.id, b.when(q))
				}
			}
		}
	}
	for _, o := range l.Outputs {
		touch(o, l.clock)
	}
}

// tileBytes is the size that the tiles of one worker should take together.
const tileBytes = 1 << 20

// split chooses the tiles and stripes of the parts that walk over a batch. The choice depends on shapes alone.
func split(l layout) layout {
	l.blocks = slices.Clone(l.blocks)
	for i := range l.blocks {
		b := &l.blocks[i]
		if b.space == 0 {
			continue
		}
		up := func(a, b int) int { return (a + b - 1) / b }
		stripes := min(max(b.space/64, 1), 8)
		b.stripe = up(up(b.space, stripes), 8) * 8
		if b.tile = l.set.TileRows; b.tile == 0 {
			// Products take 6 or 8 rows at a time, so tiles of multiples of 24 leave no remainder. Up to 96 rows, a
			// product over them, such as the gradient of weights, reads its operands in place (kernels.Product).
			most := min(max(tileBytes/(max(l.width(b), 1)*l.set.ElemSize), 24), 96)
			rest := 24
			if l.convolves(b) { // so many columns that the second-level cache holds fewer rows
				most, rest = min(max(tileBytes/(max(l.width(b), 1)*l.set.ElemSize)/8*8, 16), 96), 8
			}
			b.tile = up(up(b.stripe, up(b.stripe, most)), rest) * rest
		}
		b.tile = min(b.tile, b.stripe)
	}
	return l
}

// convolves reports whether a part contains a convolution.
func (l *layout) convolves(b *block) bool {
	for _, u := range b.units {
		for _, id := range u.ids {
			if ir.Is[ir.Conv](&l.Code[id]) {
				return true
			}
		}
	}
	return false
}

// tiles are the slots of the tiles of a part, in order.
func (l *layout) tiles(b *block) []int {
	var list []int
	for _, u := range b.units {
		for _, id := range u.ids {
			if n := l.slotOf[id]; n != None && l.slots[n].Kind == Tile {
				list = append(list, int(n))
			}
		}
	}
	slices.Sort(list)
	return slices.Compact(list)
}

// width is the largest number of columns of tiles that live at the same time.
func (l *layout) width(b *block) int {
	tiles := l.tiles(b)
	peak := 0
	for _, i := range tiles {
		w := 0
		for _, j := range tiles {
			if s, t := &l.slots[i], &l.slots[j]; t.From <= s.From && s.From <= t.To {
				w += t.Cols
			}
		}
		peak = max(peak, w)
	}
	return peak
}
