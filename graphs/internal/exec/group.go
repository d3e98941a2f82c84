package exec

import (
	"slices"

	"github.com/stheno-ebm/stheno/graphs/internal/ir"
	"github.com/stheno-ebm/stheno/graphs/internal/kernels"
)

// A group is a list of element-wise instructions over one shape, run block by block: what one leaves for the next stays in
// the first cache. Its operands are registers: a block of rows of a slot, or scratch.
type group struct {
	cols  int // elements of a row; 1 if rows do not matter
	unit  int // rows of the group per row of the segment: the real number of columns if cols is 1 for that reason
	rows  int // rows of the whole
	block int // rows per block
	regs  []reg
	first []micro // run once, before the blocks: rows that all blocks read repeated
	code  []micro
	temps int // scratch registers
}

type regKind uint8

const (
	mat regKind = iota // a row of the register per row of the group
	col                // an element per row
	row                // one row for all
	one                // one element for all
)

type reg struct {
	kind regKind
	ref  ref // slot none: scratch register number step
}

// A micro is an instruction of a group.
type micro struct {
	op         microOp
	fn         kernels.Func
	order      int16
	d, a, b, c int16
	e          int16
	k          float64
	outs       [4]int16
	in         *ir.Instr
}

type microOp uint8

const (
	mAdd microOp = iota
	mSub
	mMul
	mDiv
	mAddCol
	mSubCol
	mMulCol
	mDivCol
	mAddOne
	mSubOne
	mMulOne
	mDivOne
	mScale
	mShift
	mMulAdd    // a·b + c
	mMulSub    // a·b − c
	mNegMulAdd // c − a·b
	mMulMul    // a·b·c
	mMulMulAdd // a·b + c·e
	mScaleAdd  // k·a + b
	mUnary
	mMulti
	mPow
	mScalar
	mMax
	mMin
	mCmp
	mExpandCol
	mExpandRow
	mFill
	mRowSum
	mRowDot
	mColSum
	mSum
	mDot
)

var microNames = [...]string{
	mAdd:       "add",
	mSub:       "sub",
	mMul:       "mul",
	mDiv:       "div",
	mAddCol:    "add col",
	mSubCol:    "sub col",
	mMulCol:    "mul col",
	mDivCol:    "div col",
	mAddOne:    "add one",
	mSubOne:    "sub one",
	mMulOne:    "mul one",
	mDivOne:    "div one",
	mScale:     "scale",
	mShift:     "shift",
	mMulAdd:    "mul+add",
	mMulSub:    "mul-sub",
	mNegMulAdd: "sub-mul",
	mMulMul:    "mul·mul",
	mMulMulAdd: "mul+mul",
	mScaleAdd:  "scale+add",
	mUnary:     "unary",
	mMulti:     "multi",
	mPow:       "pow",
	mScalar:    "scalar",
	mMax:       "max",
	mMin:       "min",
	mCmp:       "cmp",
	mExpandCol: "expand col",
	mExpandRow: "expand row",
	mFill:      "fill",
	mRowSum:    "rowsum",
	mRowDot:    "rowdot",
	mColSum:    "colsum",
	mSum:       "sum",
	mDot:       "dot",
}

// arithmetic are the micros of an instruction on two matrices, a matrix and a column, a matrix and one number.
var arithmetic = map[ir.Op]struct{ mat, col, one microOp }{
	ir.Add: {mAdd, mAddCol, mAddOne},
	ir.Sub: {mSub, mSubCol, mSubOne},
	ir.Mul: {mMul, mMulCol, mMulOne},
	ir.Div: {mDiv, mDivCol, mDivOne},
}

func (m microOp) String() string { return microNames[m] }

// groupBuilder makes the micro code of one unit.
type groupBuilder struct {
	p     *planner
	seg   *segment
	now   int
	ids   []ir.ID
	in    map[ir.ID]bool
	left  map[ir.ID]int // uses inside the group still to come
	regOf map[ir.ID]int16
	slots map[reg]int16
	free  []int16
	g     *group
	done  map[ir.ID]bool
	live  map[ir.ID]bool // has code of its own
	flops float64
}

func (p *planner) groupStep(seg *segment, u unit, now int) step {
	b := &groupBuilder{p: p, seg: seg, now: now, ids: u.ids, in: map[ir.ID]bool{}, left: map[ir.ID]int{}, regOf: map[ir.ID]int16{},
		slots: map[reg]int16{}, done: map[ir.ID]bool{}, live: map[ir.ID]bool{}, g: &group{cols: u.cols, unit: 1, rows: u.rows}}
	b.build()
	p.regs = max(p.regs, len(b.g.regs))
	size := float64(u.rows * u.cols * p.elemSize)
	cost := 0.0
	for _, m := range b.g.code {
		switch m.op {
		case mUnary, mMulti, mPow, mScalar:
			cost += 0.12 * size
		default:
			cost += 0.012 * size
		}
	}
	return step{group: b.g, id: u.ids[len(u.ids)-1], flops: b.flops, cost: cost}
}

// stored reports whether id has a place in memory.
func (b *groupBuilder) stored(id ir.ID) bool { return b.p.slotOf[id] != none }

// expansion reports whether id is an expansion without a place of its own: its readers read what it expands.
func (b *groupBuilder) expansion(id ir.ID) bool { return b.p.clear[id] }

// whole reports whether id is best read as a matrix: it is one, or a row that is repeated once for all blocks.
func (b *groupBuilder) whole(id ir.ID) bool {
	return !b.expansion(id) || b.p.code[id].Op == ir.ExpandRows
}

// lone reports whether id is made in this group and read once, here.
func (b *groupBuilder) lone(id ir.ID) bool {
	return b.in[id] && !b.stored(id) && len(b.p.uses[id]) == 1 && !b.p.isOut[id]
}

func (b *groupBuilder) build() {
	p, g := b.p, b.g
	for _, id := range b.ids {
		b.in[id] = true
	}
	// What a fused instruction draws in has no code of its own.
	drawn := map[ir.ID]bool{}
	fused := map[ir.ID]micro{}
	args := map[ir.ID][]ir.ID{}
	for k := len(b.ids) - 1; k >= 0; k-- {
		id := b.ids[k]
		if drawn[id] || b.expansion(id) {
			continue
		}
		if m, a, d, ok := b.peephole(id, drawn); ok {
			fused[id], args[id] = m, a
			for _, x := range d {
				drawn[x] = true
			}
			continue
		}
		args[id] = p.code[id].Args
	}
	var live []ir.ID
	for _, id := range b.ids {
		if args[id] != nil {
			live = append(live, id)
			b.live[id] = true
			for _, a := range args[id] {
				if b.in[a] && !b.expansion(a) {
					b.left[a]++
				}
			}
		}
	}
	for _, id := range live {
		if b.done[id] {
			continue
		}
		b.emit(id, args[id], fused)
	}

	// Blocks.
	matter := false
	scratch := 0
	for _, r := range g.regs {
		switch r.kind {
		case col, row:
			matter = true
		}
		if r.ref.slot == none {
			scratch++
		}
	}
	for _, m := range append(slices.Clone(g.first), g.code...) {
		if m.op == mColSum || m.op == mRowSum || m.op == mRowDot || m.op == mExpandCol || m.op == mExpandRow {
			matter = true
		}
	}
	if !matter {
		g.unit, g.cols = g.cols, 1
	}
	g.temps = scratch
	mats := 0
	for _, r := range g.regs {
		if r.kind == mat {
			mats++
		}
	}
	size := groupBytes / (max(mats, 1) * p.elemSize) // elements per block
	g.block = max(size/g.cols, 1)
	if g.cols == 1 {
		g.block = max(size/64*64, 64)
	}
	rows := g.rows
	if b.seg.rows > 0 {
		rows = b.seg.tile
	}
	total := rows * g.unit
	if len(g.code) == 1 || total <= g.block*5/4 {
		g.block = max(total, 1)
	}
	p.scratch = max(p.scratch, scratch*align(min(g.block, total)*g.cols, p.elemSize))
}

// groupBytes is what the registers of a group may take of the first cache.
const groupBytes = 48 << 10

// mem returns the register of a stored value.
func (b *groupBuilder) mem(id ir.ID, kind regKind) int16 {
	alignedUse := kind == mat || kind == col
	r := reg{kind: kind, ref: b.p.ref(id, alignedUse, b.seg, b.now)}
	return b.intern(r)
}

func (b *groupBuilder) intern(r reg) int16 {
	if n, ok := b.slots[r]; ok {
		return n
	}
	n := int16(len(b.g.regs))
	b.g.regs = append(b.g.regs, r)
	b.slots[r] = n
	return n
}

// operand returns the register of a whole (n,m) operand. An expansion is written out.
func (b *groupBuilder) operand(id ir.ID) int16 {
	if n, ok := b.regOf[id]; ok {
		return n
	}
	if !b.expansion(id) {
		return b.mem(id, mat)
	}
	// An expansion that has to be written out: once for all blocks, unless every row has its own.
	m := micro{}
	m.op, m.a = b.expand(id)
	if m.op == mExpandCol {
		m.d = b.temp()
		b.g.code = append(b.g.code, m)
	} else {
		m.d = b.newTemp()
		b.g.first = append(b.g.first, m)
	}
	b.regOf[id] = m.d
	return m.d
}

// expand returns the micro and the source of an expansion.
func (b *groupBuilder) expand(id ir.ID) (microOp, int16) {
	in := &b.p.code[id]
	switch in.Op {
	case ir.ExpandCols:
		return mExpandCol, b.mem(in.Args[0], col)
	case ir.ExpandRows:
		return mExpandRow, b.mem(in.Args[0], row)
	}
	return mFill, b.mem(in.Args[0], one)
}

func (b *groupBuilder) temp() int16 {
	if k := len(b.free); k > 0 {
		n := b.free[k-1]
		b.free = b.free[:k-1]
		return n
	}
	return b.newTemp()
}

func (b *groupBuilder) newTemp() int16 {
	n := int16(len(b.g.regs))
	b.g.regs = append(b.g.regs, reg{kind: mat, ref: ref{slot: none, step: int32(b.g.temps)}})
	b.g.temps++
	return n
}

// release notes one use of id less, and frees its scratch register after the last.
func (b *groupBuilder) release(id ir.ID) {
	if b.expansion(id) {
		return // may be read again: expansions written out live as long as the group
	}
	if !b.in[id] {
		return
	}
	b.left[id]--
	if b.left[id] == 0 && !b.stored(id) {
		b.free = append(b.free, b.regOf[id])
	}
}

// dest returns the register that id is made in.
func (b *groupBuilder) dest(id ir.ID) int16 {
	var n int16
	if b.stored(id) {
		n = b.mem(id, mat)
	} else {
		n = b.temp()
	}
	b.regOf[id] = n
	return n
}

// peephole finds the micros that do the work of several instructions. It returns their operands and what is drawn in.
func (b *groupBuilder) peephole(id ir.ID, drawn map[ir.ID]bool) (m micro, args, d []ir.ID, ok bool) {
	in := &b.p.code[id]
	inner := func(k int, op ir.Op) *ir.Instr {
		a := in.Args[k]
		x := &b.p.code[a]
		if x.Op != op || !b.lone(a) || drawn[a] {
			return nil
		}
		for _, q := range x.Args {
			if !b.whole(q) {
				return nil
			}
		}
		return x
	}
	plain := func(k int) bool { return b.whole(in.Args[k]) }
	switch in.Op {
	case ir.Add:
		x, y := inner(0, ir.Mul), inner(1, ir.Mul)
		if x != nil && y != nil && in.Args[0] != in.Args[1] {
			return micro{op: mMulMulAdd}, []ir.ID{x.Args[0], x.Args[1], y.Args[0], y.Args[1]}, []ir.ID{in.Args[0], in.Args[1]}, true
		}
		for k := range 2 {
			if !plain(1 - k) {
				continue
			}
			if x := inner(k, ir.Mul); x != nil {
				return micro{op: mMulAdd}, []ir.ID{x.Args[0], x.Args[1], in.Args[1-k]}, []ir.ID{in.Args[k]}, true
			}
			if x := inner(k, ir.Scale); x != nil {
				return micro{op: mScaleAdd, k: x.C}, []ir.ID{x.Args[0], in.Args[1-k]}, []ir.ID{in.Args[k]}, true
			}
		}
	case ir.Sub:
		if plain(1) {
			if x := inner(0, ir.Mul); x != nil {
				return micro{op: mMulSub}, []ir.ID{x.Args[0], x.Args[1], in.Args[1]}, []ir.ID{in.Args[0]}, true
			}
		}
		if plain(0) {
			if x := inner(1, ir.Mul); x != nil {
				return micro{op: mNegMulAdd}, []ir.ID{x.Args[0], x.Args[1], in.Args[0]}, []ir.ID{in.Args[1]}, true
			}
			if x := inner(1, ir.Scale); x != nil {
				return micro{op: mScaleAdd, k: -x.C}, []ir.ID{x.Args[0], in.Args[0]}, []ir.ID{in.Args[1]}, true
			}
		}
	case ir.Mul:
		for k := range 2 {
			if x := inner(k, ir.Mul); x != nil && plain(1-k) {
				return micro{op: mMulMul}, []ir.ID{x.Args[0], x.Args[1], in.Args[1-k]}, []ir.ID{in.Args[k]}, true
			}
		}
	case ir.RowSum, ir.Sum:
		op := mRowDot
		if in.Op == ir.Sum {
			op = mDot
		}
		if x := inner(0, ir.Mul); x != nil {
			return micro{op: op}, x.Args, in.Args[:1], true
		}
		if x := inner(0, ir.Unary); x != nil && x.Fn == kernels.Square && x.Order == 0 {
			return micro{op: op}, []ir.ID{x.Args[0], x.Args[0]}, in.Args[:1], true
		}
	}
	return micro{}, nil, nil, false
}

func (b *groupBuilder) emit(id ir.ID, args []ir.ID, fused map[ir.ID]micro) {
	p := b.p
	in := &p.code[id]
	size := float64(b.g.rows * b.g.cols)
	m, isFused := fused[id]
	m.in = in
	finish := func(red bool) {
		for _, a := range args {
			b.release(a)
		}
		if !red {
			m.d = b.dest(id)
		}
		b.g.code = append(b.g.code, m)
		b.done[id] = true
	}
	reduce := func(kind regKind) {
		r := p.target(id, b.seg, b.now)
		m.d = b.intern(reg{kind: kind, ref: r})
		finish(true)
	}
	b.flops += size
	if isFused {
		switch m.op {
		case mRowDot:
			m.a, m.b = b.operand(args[0]), b.operand(args[1])
			reduce(col)
			return
		case mDot:
			m.a, m.b = b.operand(args[0]), b.operand(args[1])
			reduce(one)
			return
		}
		regs := [4]*int16{&m.a, &m.b, &m.c, &m.e}
		for i, a := range args {
			*regs[i] = b.operand(a)
		}
		finish(false)
		return
	}
	switch in.Op {
	case ir.RowSum:
		m.op, m.a = mRowSum, b.operand(args[0])
		reduce(col)
	case ir.ColSum:
		m.op, m.a = mColSum, b.operand(args[0])
		reduce(row)
	case ir.Sum:
		m.op, m.a = mSum, b.operand(args[0])
		reduce(one)
	case ir.ExpandCols, ir.ExpandRows, ir.Fill:
		m.op, m.a = b.expand(id)
		m.d = b.dest(id)
		b.g.code = append(b.g.code, m)
		b.done[id] = true
	case ir.Scale, ir.Shift:
		m.op, m.k, m.a = mScale, in.C, b.operand(args[0])
		if in.Op == ir.Shift {
			m.op = mShift
		}
		finish(false)
	case ir.Unary:
		b.unary(id, in, m)
	case ir.Max, ir.Min, ir.Cmp:
		m.op = map[ir.Op]microOp{ir.Max: mMax, ir.Min: mMin, ir.Cmp: mCmp}[in.Op]
		m.a, m.b = b.operand(args[0]), b.operand(args[1])
		finish(false)
	case ir.Add, ir.Sub, ir.Mul, ir.Div:
		m.op = arithmetic[in.Op].mat
		x, y := args[0], args[1]
		if (in.Op == ir.Add || in.Op == ir.Mul) && !b.whole(x) && b.whole(y) {
			x, y = y, x
		}
		_, written := b.regOf[y]
		if !b.whole(y) && !written {
			op, src := b.expand(y)
			m.a, m.b = b.operand(x), src
			switch op {
			case mExpandCol:
				m.op = arithmetic[in.Op].col
			case mFill:
				m.op = arithmetic[in.Op].one
			}
		} else {
			m.a, m.b = b.operand(x), b.operand(y)
		}
		finish(false)
	}
}

// unary emits id, together with the other derivatives of the same function at the same place.
func (b *groupBuilder) unary(id ir.ID, in *ir.Instr, m micro) {
	p := b.p
	a := in.Args[0]
	m.a = b.operand(a)
	m.fn, m.order, m.k = in.Fn, int16(in.Order), in.C
	switch {
	case in.Fn == ir.Pow:
		m.op = mPow
	case in.Fn == ir.Scalar:
		m.op = mScalar
	default:
		m.op = mUnary
		outs := [4]ir.ID{none, none, none, none}
		n := 0
		for _, o := range b.ids {
			x := &p.code[o]
			if x.Op == ir.Unary && x.Fn == in.Fn && x.Args[0] == a && x.Order < 4 && !b.done[o] && b.live[o] {
				outs[x.Order] = o
				n++
			}
		}
		if n > 1 && in.Order < 4 {
			m.op = mMulti
			for k, o := range outs {
				m.outs[k] = none
				if o != none {
					m.outs[k] = b.dest(o)
					b.done[o] = true
					b.flops += float64(b.g.rows * b.g.cols)
				}
			}
			for range n {
				b.release(a)
			}
			b.g.code = append(b.g.code, m)
			return
		}
	}
	b.release(a)
	m.d = b.dest(id)
	b.g.code = append(b.g.code, m)
	b.done[id] = true
}
