package exec

import (
	"slices"

	"github.com/stheno-ebm/stheno/graphs/internal/ir"
)

// segment plans the instructions ids, which share a stage and a space of rows.
func (p *planner) segment(ids []ir.ID, space int, held bool) segment {
	seg := segment{rows: space}
	us := p.order(p.units(ids), space)
	unitOf := map[ir.ID]int{}
	for q, u := range us {
		for _, id := range u.ids {
			unitOf[id] = q
		}
	}
	// The number of units that must be told apart in time: all of a segment that is run once, none of a tiled one.
	base := p.clock
	when := func(q int) int {
		if space > 0 {
			return base
		}
		return base + q
	}
	first := len(p.slots)
	for q, u := range us {
		for _, id := range u.ids {
			in := &p.code[id]
			inside, local, last := true, true, q
			for _, c := range p.uses[id] {
				cq, here := unitOf[c]
				if !here {
					inside, local = false, false
					continue
				}
				last = max(last, cq)
				inside = inside && cq == q
				for _, x := range p.sources(&p.code[c]) {
					if x.id == id {
						local = local && x.aligned
						inside = inside && x.direct
					}
				}
			}
			if p.isOut[id] {
				inside, local = false, false
			}
			if u.cols > 0 && inside && !reduces(in) && in.Op != ir.RowSum {
				continue // a register of its group, or folded into its readers
			}
			alias, isMember := p.aliasOf[id]
			if isMember && p.slotOf[alias] != none {
				p.slotOf[id] = p.slotOf[alias]
				continue
			}
			if in.Op == ir.Reshape && p.sameNumbers(id, held) {
				continue
			}
			s := slot{rows: in.Rows, cols: in.Cols, size: in.Rows * in.Cols, held: held}
			switch {
			case in.Op == ir.Pack:
				s.kind, s.size = packed, p.set.packLen(in.Rows, in.Cols)
			case held:
				s.kind = persistent
			case space > 0 && local && !reduces(in):
				s.kind, s.from, s.to = tile, q, last
			default:
				s.kind, s.from, s.to = full, when(q), when(last)
			}
			p.slotOf[id] = p.newSlot(s)
			if isMember {
				p.slotOf[alias] = p.slotOf[id]
			}
		}
	}
	p.clock = base + 1
	if space == 0 {
		p.clock = base + len(us)
	}
	if space > 0 {
		p.split(&seg, p.slots[first:])
	}
	for q, u := range us {
		st := p.step(&seg, u, when(q))
		st.n = p.steps
		p.steps++
		seg.flops += st.flops
		seg.cost += st.cost
		seg.steps = append(seg.steps, st)
	}
	return seg
}

// sameNumbers gives the result of a Reshape the place of its argument, if that is one that keeps whole values.
func (p *planner) sameNumbers(id ir.ID, held bool) bool {
	n := p.slotOf[p.code[id].Args[0]]
	if n == none {
		return false
	}
	if s := &p.slots[n]; s.kind != full && s.kind != persistent || held && !s.held {
		return false
	}
	p.slotOf[id] = n
	return true
}

// tileBytes is what the tiles of one worker should take.
const tileBytes = 1 << 20

// split chooses tiles and stripes for a segment whose tiles are among slots. The choice depends on shapes alone.
func (p *planner) split(seg *segment, slots []slot) {
	peak := 0
	for i := range slots {
		if slots[i].kind != tile {
			continue
		}
		w := 0
		for _, t := range slots {
			if t.kind == tile && t.from <= slots[i].from && slots[i].from <= t.to {
				w += t.cols
			}
		}
		peak = max(peak, w)
	}
	up := func(a, b int) int { return (a + b - 1) / b }
	stripes := min(max(seg.rows/64, 1), 8)
	seg.stripe = up(up(seg.rows, stripes), 8) * 8
	if seg.tile = p.set.tileRows; seg.tile == 0 {
		// Products take 6 or 8 rows at a time, so tiles of multiples of 24 leave no rest. Up to 96 rows, a product over them, as weights'
		// gradients are, takes its operands where they lie (kernels.Product).
		most := min(max(tileBytes/(max(peak, 1)*p.elemSize), 24), 96)
		seg.tile = up(up(seg.stripe, up(seg.stripe, most)), 24) * 24
	}
	seg.tile = min(seg.tile, seg.stripe)
}

// touch extends the life of the slot of id to now.
func (p *planner) touch(id ir.ID, now int) {
	if s := &p.slots[p.slotOf[id]]; s.kind == full {
		s.to = max(s.to, now)
	}
}

func (p *planner) ref(id ir.ID, alignedUse bool, seg *segment, now int) ref {
	p.touch(id, now)
	n := p.slotOf[id]
	r := ref{slot: n}
	if s := &p.slots[n]; alignedUse && seg.rows > 0 && s.kind != tile {
		r.step = int32(p.code[id].Cols)
	}
	return r
}

// target is the place that the result of id goes to. In a segment of several stripes, a sum over rows goes to a partial slot first.
func (p *planner) target(id ir.ID, seg *segment, now int) ref {
	in := &p.code[id]
	if !reduces(in) || seg.rows == 0 || seg.stripes() == 1 {
		return p.ref(id, !reduces(in), seg, now)
	}
	dst := p.slotOf[id]
	p.touch(id, now)
	for _, c := range seg.sums {
		if c.dst == dst {
			return ref{slot: c.partial}
		}
	}
	part := p.newSlot(slot{kind: partial, rows: in.Rows, cols: in.Cols, size: in.Rows * in.Cols})
	seg.sums = append(seg.sums, combine{dst: dst, partial: part, n: in.Rows * in.Cols, stripes: seg.stripes()})
	return ref{slot: part}
}

func (p *planner) step(seg *segment, u unit, now int) step {
	if u.cols > 0 {
		return p.groupStep(seg, u, now)
	}
	id := u.ids[0]
	in := &p.code[id]
	st := step{op: in.Op, id: id, in: in, cost: 0.02 * float64(in.Len()*p.elemSize)}
	for j, a := range in.Args {
		st.args = append(st.args, p.ref(a, aligned(in, j), seg, now))
	}
	st.dst = p.target(id, seg, now)
	switch in.Op {
	case ir.BatchMatMul:
		m := in.Rows / in.Batch
		p.workLen = max(p.workLen, p.set.workLen(m, in.Cols, in.Lo))
		st.flops = 2 * float64(in.Rows) * float64(in.Cols) * float64(in.Lo)
		st.cost += st.flops * float64(p.elemSize) / 350
	case ir.RowLSE:
		p.workLen = max(p.workLen, p.code[in.Args[0]].Cols)
	case ir.MatMul:
		p.workLen = max(p.workLen, p.set.workLen(in.Rows, in.Cols, max(in.Lo, p.code[in.Args[0]].Rows)))
		st.flops = 2 * float64(in.Rows) * float64(in.Cols) * float64(in.Lo)
		st.cost += st.flops * float64(p.elemSize) / 350
		if in.TA {
			st.add = p.begun[p.slotOf[id]]
			p.begun[p.slotOf[id]] = true
		}
	}
	return st
}

// memory gives every slot its place.
func (p *planner) memory() {
	for _, o := range p.g.Outputs {
		p.touch(o, p.clock)
	}
	var fulls []int
	for i := range p.slots {
		s := &p.slots[i]
		switch s.kind {
		case persistent:
			s.size = s.rows * s.cols
			s.off = p.keepLen
			p.keepLen += align(s.size, p.elemSize)
		case full:
			fulls = append(fulls, i)
		case packed:
			p.packLen += s.size
		}
	}
	p.fullLen = place(p.slots, fulls, p.elemSize, func(s *slot) int { return s.size })
	for _, segs := range [2][]segment{p.held, p.main} {
		for i := range segs {
			seg := &segs[i]
			if seg.rows == 0 {
				continue
			}
			tiles := map[int32]bool{}
			parts := 0
			note := func(n int32) {
				if n >= 0 && p.slots[n].kind == tile {
					tiles[n] = true
				}
			}
			for _, st := range seg.steps {
				note(st.dst.slot)
				if st.group != nil {
					for _, r := range st.group.regs {
						note(r.ref.slot)
					}
				}
			}
			var list []int
			for n := range tiles {
				list = append(list, int(n))
			}
			slices.Sort(list)
			p.tileLen = max(p.tileLen, place(p.slots, list, p.elemSize, func(s *slot) int { return seg.tile * s.cols }))
			for _, c := range seg.sums {
				s := &p.slots[c.partial]
				s.off = parts
				room := align(s.size, p.elemSize)
				if p.alone {
					parts += room
					continue
				}
				s.stride = room
				parts += room * seg.stripes()
			}
			p.partLen = max(p.partLen, parts)
		}
	}
}

// place gives the slots of list offsets such that no two whose lives overlap share memory, in order, and returns the length of the arena.
func place(slots []slot, list []int, elemSize int, size func(*slot) int) int {
	length := 0
	var done []int
	for _, i := range list {
		s := &slots[i]
		n := align(size(s), elemSize)
		type hole struct{ lo, hi int }
		var taken []hole
		for _, j := range done {
			t := &slots[j]
			if t.from <= s.to && s.from <= t.to {
				taken = append(taken, hole{t.off, t.off + align(size(t), elemSize)})
			}
		}
		slices.SortFunc(taken, func(a, b hole) int { return a.lo - b.lo })
		at := 0
		for _, h := range taken {
			if at+n <= h.lo {
				break
			}
			at = max(at, h.hi)
		}
		s.off = at
		length = max(length, at+n)
		done = append(done, i)
	}
	return length
}

// align rounds n elements up to whole cache lines, and skew lines more. Neighbours of equal size, a multiple of 4096 bytes, would
// share the sets of the cache; with one line more, the loads from one would fall on the lines to which the stores to the other have
// just gone, modulo 4096, which processors take for the same lines.
func align(n, elemSize int) int {
	const skew = 9
	line := 64 / elemSize
	return (n+line-1)/line*line + skew*line
}
