package plan

import (
	"slices"

	"github.com/stheno-ebm/stheno/graphs/internal/ir"
)

// groupWriter writes the micro code of one group.
type groupWriter struct {
	*writer
	seg   *Segment
	ids   []ir.ID
	in    map[ir.ID]bool
	args  map[ir.ID][]ir.ID // what the code of an instruction reads; nil: it has no code of its own
	fused map[ir.ID]Micro   // by instruction that does the work of others as well
	left  map[ir.ID]int     // uses inside the group still to come
	regOf map[ir.ID]int16
	known map[Reg]int16
	free  []int16
	g     *Group
	done  map[ir.ID]bool
	flops float64
}

// groupStep writes a group of element-wise instructions.
func (w *writer) groupStep(seg *Segment, u unit) Step {
	b := &groupWriter{writer: w, seg: seg, ids: u.ids, in: map[ir.ID]bool{},
		args: map[ir.ID][]ir.ID{}, fused: map[ir.ID]Micro{}, left: map[ir.ID]int{}, regOf: map[ir.ID]int16{},
		known: map[Reg]int16{}, done: map[ir.ID]bool{},
		g: &Group{Cols: u.cols, Unit: 1, Rows: u.rows}}
	for _, id := range b.ids {
		b.in[id] = true
	}
	b.draw()
	for _, id := range b.ids {
		for _, a := range b.args[id] {
			if b.in[a] && !b.clear[a] {
				b.left[a]++
			}
		}
	}
	for _, id := range b.ids {
		if b.args[id] != nil && !b.done[id] {
			b.emit(id)
		}
	}
	b.blocks()
	cost, size := 0.0, float64(u.rows*u.cols*w.set.ElemSize)
	for _, m := range b.g.Code {
		if micros[m.Op].heavy {
			cost += 0.12 * size
		} else {
			cost += 0.012 * size
		}
	}
	return Step{Group: b.g, ID: u.ids[len(u.ids)-1], Flops: b.flops, Cost: cost}
}

// draw finds the instructions that can do the work of others as well, from the last to the first. Instructions that
// are fused in this way have no code of their own.
func (b *groupWriter) draw() {
	drawn := map[ir.ID]bool{}
	for k := len(b.ids) - 1; k >= 0; k-- {
		id := b.ids[k]
		if drawn[id] || b.clear[id] {
			continue
		}
		if f, ok := b.peephole(id, drawn); ok {
			b.fused[id], b.args[id] = f.micro, f.args
			for _, x := range f.drawn {
				drawn[x] = true
			}
			continue
		}
		b.args[id] = b.Code[id].Args
	}
}

// groupBytes is the size that the registers of a group may take in the first-level cache.
const groupBytes = 48 << 10

// leastBlock is the number of elements from which on calling a kernel takes little of its time, even if the registers
// are then in the second-level cache. Groups with a sum over blocks ignore it: their blocks are part of the order of
// summation.
const leastBlock = 1024

// blocks chooses the rows per block.
func (b *groupWriter) blocks() {
	g := b.g
	matter, sums, scratch, mats := false, false, 0, 0
	for _, r := range g.Regs {
		if r.Kind == Col || r.Kind == Row {
			matter = true
		}
		if r.Ref.Slot == None {
			scratch++
		}
		if r.Kind == Mat {
			mats++
		}
	}
	for _, m := range append(slices.Clone(g.First), g.Code...) {
		matter = matter || micros[m.Op].rows
		sums = sums || m.Op == Sum || m.Op == Dot
	}
	if !matter {
		g.Unit, g.Cols = g.Cols, 1
	}
	g.Temps = scratch
	size := groupBytes / (max(mats, 1) * b.set.ElemSize) // elements per block
	if !sums {
		size = max(size, leastBlock)
	}
	g.Block = max(size/g.Cols, 1)
	if g.Cols == 1 {
		g.Block = max(size/64*64, 64)
	}
	rows := g.Rows
	if b.seg.Rows > 0 {
		rows = b.seg.Tile
	}
	total := rows * g.Unit
	if len(g.Code) == 1 || total <= g.Block*5/4 {
		g.Block = max(total, 1)
	}
	b.plan.Scratch = max(b.plan.Scratch, scratch*Align(min(g.Block, total)*g.Cols, b.set.ElemSize))
}

// stored reports whether id is stored in memory.
func (b *groupWriter) stored(id ir.ID) bool { return b.slotOf[id] != None }

// whole reports whether id is best read as a matrix: it is one, or is a row that is repeated once for all blocks.
func (b *groupWriter) whole(id ir.ID) bool { return !b.clear[id] || ir.Is[ir.ExpandRows](&b.Code[id]) }

// lone reports whether id is computed in this group and read only once, here.
func (b *groupWriter) lone(id ir.ID) bool {
	return b.in[id] && !b.stored(id) && len(b.uses[id]) == 1 && !b.out[id]
}

// mem returns the register of a stored value.
func (b *groupWriter) mem(id ir.ID, kind RegKind) int16 {
	return b.intern(Reg{Kind: kind, Ref: b.ref(b.seg, id, kind == Mat || kind == Col)})
}

func (b *groupWriter) intern(r Reg) int16 {
	if n, ok := b.known[r]; ok {
		return n
	}
	n := int16(len(b.g.Regs))
	b.g.Regs = append(b.g.Regs, r)
	b.known[r] = n
	return n
}

// operand returns the register of a whole (n,m) operand, writing out a broadcast.
func (b *groupWriter) operand(id ir.ID) int16 {
	if n, ok := b.regOf[id]; ok {
		return n
	}
	if !b.clear[id] {
		return b.mem(id, Mat)
	}
	// A broadcast that has to be written out: once for all blocks, unless every row is different.
	m := Micro{}
	m.Op, m.A = b.expand(id)
	if m.Op == ExpandCol {
		m.D = b.temp()
		b.g.Code = append(b.g.Code, m)
	} else {
		m.D = b.newTemp()
		b.g.First = append(b.g.First, m)
	}
	b.regOf[id] = m.D
	return m.D
}

// expand returns the micro and the source for writing out a broadcast.
func (b *groupWriter) expand(id ir.ID) (MicroOp, int16) {
	in := &b.Code[id]
	switch in.Op.(type) {
	case ir.ExpandCols:
		return ExpandCol, b.mem(in.Args[0], Col)
	case ir.ExpandRows:
		return ExpandRow, b.mem(in.Args[0], Row)
	}
	return Fill, b.mem(in.Args[0], One)
}

func (b *groupWriter) temp() int16 {
	if k := len(b.free); k > 0 {
		n := b.free[k-1]
		b.free = b.free[:k-1]
		return n
	}
	return b.newTemp()
}

func (b *groupWriter) newTemp() int16 {
	n := int16(len(b.g.Regs))
	b.g.Regs = append(b.g.Regs, Reg{Kind: Mat, Ref: Ref{Slot: None, Step: int32(b.g.Temps)}})
	b.g.Temps++
	return n
}

// release counts one use of id down, and frees its scratch register after the last. Broadcasts that are written out
// live as long as the group.
func (b *groupWriter) release(id ir.ID) {
	if b.clear[id] || !b.in[id] {
		return
	}
	b.left[id]--
	if b.left[id] == 0 && !b.stored(id) {
		b.free = append(b.free, b.regOf[id])
	}
}

// dest returns the register that id is computed in.
func (b *groupWriter) dest(id ir.ID) int16 {
	n := int16(0)
	if b.stored(id) {
		n = b.mem(id, Mat)
	} else {
		n = b.temp()
	}
	b.regOf[id] = n
	return n
}
