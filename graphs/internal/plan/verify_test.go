package plan

import (
	"errors"
	"fmt"

	"github.com/stheno-ebm/stheno/graphs/internal/ir"
)

// verify plans g as New does, and checks what holds after each pass.
func verify(g *ir.Graph, set Settings) error {
	if set.MinRows == 0 {
		set.MinRows = 64
	}
	s := assign(analyse(g), set.MinRows)
	stages := func(pass string, s schedule) error {
		if err := s.verifyStages(); err != nil {
			return fmt.Errorf("after %s: %w", pass, err)
		}
		return nil
	}
	errs := []error{stages("assign", s)}
	s = sink(s)
	errs = append(errs, stages("sink", s))
	s = merge(s)
	errs = append(errs, stages("merge", s))
	for _, pass := range []struct {
		name string
		run  func(schedule) schedule
	}{{"cut", cut}, {"fuse", fuse}, {"order", order}} {
		s = pass.run(s)
		if err := s.verifyParts(); err != nil {
			errs = append(errs, fmt.Errorf("after %s: %w", pass.name, err))
		}
	}
	l := split(house(s, set))
	if err := l.verify(); err != nil {
		errs = append(errs, fmt.Errorf("after house and split: %w", err))
	}
	if err := verifyPlan(pack(write(l))); err != nil {
		errs = append(errs, fmt.Errorf("after write and pack: %w", err))
	}
	return errors.Join(errs...)
}

// verifyStages checks that everything an instruction reads is there at its stage.
func (s schedule) verifyStages() error {
	for i := range s.Code {
		id := ir.ID(i)
		if !s.runs(id) || s.members[id] != nil || s.inner[id] {
			continue
		}
		for _, x := range s.sources(id) {
			switch {
			case s.isSource(x.id):
			case s.held[i] && !s.held[x.id]:
				return fmt.Errorf("%d is held and reads %d, which is not", id, x.id)
			case s.held[i] == s.held[x.id] && s.stage[x.id]+s.wait(id, x) > s.stage[i]:
				return fmt.Errorf("%d of stage %d reads %d of stage %d", id, s.stage[i], x.id, s.stage[x.id])
			}
		}
	}
	return nil
}

// verifyParts checks that every instruction is run exactly once, after everything it reads, and that in tiles it
// reads row by row.
func (s schedule) verifyParts() error {
	at := map[ir.ID]int{} // position among all instructions
	partOf := map[ir.ID]int{}
	for k, p := range s.parts {
		ids := p.ids
		if p.units != nil {
			ids = nil
			for _, u := range p.units {
				ids = append(ids, u.ids...)
			}
		}
		for _, id := range ids {
			if _, twice := at[id]; twice {
				return fmt.Errorf("%d is run twice", id)
			}
			for _, x := range s.sources(id) {
				if s.isSource(x.id) {
					continue
				}
				if _, ok := at[x.id]; !ok {
					return fmt.Errorf("%d is run before %d, which it reads", id, x.id)
				}
				if p.space > 0 && partOf[x.id] == k && (!x.aligned || s.reduces(x.id)) {
					return fmt.Errorf("%d needs more of %d than a tile", id, x.id)
				}
			}
			at[id], partOf[id] = len(at), k
		}
	}
	for i := range s.Code {
		id := ir.ID(i)
		if _, ok := at[id]; !ok && s.runs(id) && s.members[id] == nil && !s.inner[id] {
			return fmt.Errorf("%d is not run", id)
		}
	}
	return nil
}

// verify checks that values read from outside a group have a slot, and that tiles divide batches.
func (l layout) verify() error {
	for i := range l.blocks {
		b := &l.blocks[i]
		if b.space > 0 && (b.tile < 1 || b.stripe < b.tile) {
			return fmt.Errorf("tiles of %d rows in stripes of %d", b.tile, b.stripe)
		}
		at := unitOf(b.units)
		for q, u := range b.units {
			for _, id := range u.ids {
				for _, x := range append(l.sources(id), source{id: id}) {
					n := l.slotOf[x.id]
					if n == None {
						if from, here := at[x.id]; !here || from != q {
							return fmt.Errorf("%d reads %d, which has no place", id, x.id)
						}
						continue
					}
					now := q
					if l.slots[n].Kind == Full {
						now = b.when(q)
					}
					if s := l.slots[n]; (s.Kind == Full || s.Kind == Tile) && (now < s.From || s.To < now) {
						return fmt.Errorf("%d uses %d at time %d, but it lives from %d to %d", id, x.id, now, s.From, s.To)
					}
				}
			}
		}
	}
	for i, o := range l.Outputs {
		if l.slotOf[o] == None {
			return fmt.Errorf("output %d has no place", i)
		}
	}
	return nil
}

// verifyPlan checks that slots with overlapping lifetimes do not overlap in memory, that nothing is read before it is
// written, and that sums are begun exactly once.
func verifyPlan(p *Plan) error {
	if err := p.verifyMemory(); err != nil {
		return err
	}
	written := map[int32]bool{}
	for i := range p.Slots {
		written[int32(i)] = p.Slots[i].Kind == Persistent && p.isSource(int32(i))
	}
	for _, segs := range [2][]Segment{p.Held, p.Main} {
		for i := range segs {
			if err := p.verifySegment(&segs[i], written); err != nil {
				return err
			}
		}
	}
	for i, o := range p.Outputs {
		if !written[o] {
			return fmt.Errorf("output %d is not written", i)
		}
	}
	return nil
}

// isSource reports whether slot n is that of an input or a constant.
func (p *Plan) isSource(n int32) bool {
	for id, m := range p.SlotOf {
		if m == n && p.Graph.Code[id].Op.Class() == ir.Source {
			return true
		}
	}
	return false
}

func (p *Plan) verifyMemory() error {
	for i := range p.Slots {
		for j := range i {
			s, t := &p.Slots[i], &p.Slots[j]
			together := s.Kind == Persistent || s.From <= t.To && t.From <= s.To
			if s.Kind != t.Kind || s.Kind != Persistent && s.Kind != Full || !together {
				continue
			}
			if s.Off < t.Off+t.Size && t.Off < s.Off+s.Size {
				return fmt.Errorf("slots %d and %d live and lie together: %+v %+v", i, j, *s, *t)
			}
		}
	}
	return nil
}

func (p *Plan) verifySegment(seg *Segment, written map[int32]bool) error {
	tiles := p.tiles(seg)
	for i, n := range tiles {
		written[int32(n)] = false
		for _, m := range tiles[:i] {
			s, t := &p.Slots[n], &p.Slots[m]
			if s.From <= t.To && t.From <= s.To && s.Off < t.Off+seg.Tile*t.Cols && t.Off < s.Off+seg.Tile*s.Cols {
				return fmt.Errorf("tiles %d and %d live and lie together: %+v %+v", n, m, *s, *t)
			}
		}
	}
	begun := map[int32]bool{}
	write := func(r Ref, sum, add bool) error {
		if r.Slot < 0 {
			return nil
		}
		if sum && begun[r.Slot] != add {
			return fmt.Errorf("slot %d: a sum goes on %v, but it has been begun %v", r.Slot, add, begun[r.Slot])
		}
		begun[r.Slot] = begun[r.Slot] || sum
		written[r.Slot] = true
		return nil
	}
	for k := range seg.Steps {
		st := &seg.Steps[k]
		if st.Group != nil {
			if err := verifyGroup(st.Group, written, write); err != nil {
				return err
			}
			continue
		}
		for j, r := range st.Refs {
			if !written[r.Slot] {
				return fmt.Errorf("step %d reads %d before it is written", st.N, st.Args[j])
			}
		}
		if err := write(st.Dst, st.Op.Reduces(), st.Add); err != nil {
			return err
		}
	}
	for _, c := range seg.Sums {
		if !written[c.Partial] {
			return fmt.Errorf("a sum of stripes that nobody makes: slot %d", c.Partial)
		}
		written[c.Dst] = true
	}
	return nil
}

// verifyGroup checks that registers are written before they are read.
func verifyGroup(g *Group, written map[int32]bool, write func(r Ref, sum, add bool) error) error {
	there := make([]bool, len(g.Regs))
	for i, r := range g.Regs {
		there[i] = r.Ref.Slot >= 0 && written[r.Ref.Slot]
	}
	code := append(append([]Micro{}, g.First...), g.Code...)
	for i := range code {
		m := &code[i]
		for k, r := range []int16{m.A, m.B, m.C, m.E}[:micros[m.Op].operands] {
			if !there[r] {
				return fmt.Errorf("operand %d of %v is read before it is written", k, m.Op)
			}
		}
		outs := []int16{m.D}
		if m.Op == Multi {
			outs = m.Outs[:]
		}
		for _, d := range outs {
			if d == None {
				continue
			}
			there[d] = true
			if err := write(g.Regs[d].Ref, m.Op == ColSum || m.Op == Sum || m.Op == Dot, false); err != nil {
				return err
			}
			for i, r := range g.Regs { // the same place with another kind of use
				there[i] = there[i] || r.Ref.Slot >= 0 && r.Ref.Slot == g.Regs[d].Ref.Slot
			}
		}
	}
	return nil
}
