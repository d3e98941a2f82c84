package plan

import "slices"

// pack gives every slot its offset.
func pack(p *Plan) *Plan {
	var full []int
	for i := range p.Slots {
		s := &p.Slots[i]
		switch s.Kind {
		case Persistent:
			s.Off = p.KeepLen
			p.KeepLen += Align(s.Size, p.ElemSize)
		case Full:
			full = append(full, i)
		case Packed:
			p.PackLen += s.Size
		}
	}
	p.FullLen = place(p.Slots, full, p.ElemSize, func(s *Slot) int { return s.Size })
	for _, segs := range [2][]Segment{p.Held, p.Main} {
		for i := range segs {
			seg := &segs[i]
			if seg.Rows == 0 {
				continue
			}
			rows := func(s *Slot) int { return seg.Tile * s.Cols }
			p.TileLen = max(p.TileLen, place(p.Slots, p.tiles(seg), p.ElemSize, rows))
			p.PartLen = max(p.PartLen, p.partials(seg))
		}
	}
	return p
}

// tiles are the slots of the tiles that a segment writes to, in order.
func (p *Plan) tiles(seg *Segment) []int {
	var list []int
	note := func(r Ref) {
		if r.Slot >= 0 && p.Slots[r.Slot].Kind == Tile {
			list = append(list, int(r.Slot))
		}
	}
	for _, st := range seg.Steps {
		if st.Group == nil {
			note(st.Dst)
			continue
		}
		for _, r := range st.Group.Regs {
			note(r.Ref)
		}
	}
	slices.Sort(list)
	return slices.Compact(list)
}

// partials places the partial sums of a segment, and returns their total length.
func (p *Plan) partials(seg *Segment) int {
	length := 0
	for _, c := range seg.Sums {
		s := &p.Slots[c.Partial]
		s.Off = length
		room := Align(s.Size, p.ElemSize)
		if p.Alone {
			length += room
			continue
		}
		s.Stride = room
		length += room * seg.Stripes()
	}
	return length
}

// place gives the slots in list, in order, offsets such that no two with overlapping lifetimes share memory, and
// returns the length of the arena.
func place(slots []Slot, list []int, elemSize int, size func(*Slot) int) int {
	length := 0
	var done []int
	type hole struct{ lo, hi int }
	var taken []hole
	for _, i := range list {
		s := &slots[i]
		n := Align(size(s), elemSize)
		taken = taken[:0]
		for _, j := range done {
			t := &slots[j]
			if t.From <= s.To && s.From <= t.To {
				taken = append(taken, hole{t.Off, t.Off + Align(size(t), elemSize)})
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
		s.Off = at
		length = max(length, at+n)
		done = append(done, i)
	}
	return length
}

// Align rounds n elements up to whole cache lines, and skew lines more. Neighbours of equal size, a multiple of 4096
// bytes, would share the sets of the cache; with just one more line, loads from one would hit lines, modulo 4096, to
// which stores to the other have just gone, which processors take for the same lines.
func Align(n, elemSize int) int {
	const skew = 9
	line := 64 / elemSize
	return (n+line-1)/line*line + skew*line
}
