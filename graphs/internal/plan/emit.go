package plan

import "github.com/stheno-ebm/stheno/graphs/internal/ir"

// emit writes the code of one instruction of a group.
func (b *groupWriter) emit(id ir.ID) {
	b.flops += float64(b.g.Rows * b.g.Cols)
	in, args := &b.Code[id], b.args[id]
	if m, ok := b.fused[id]; ok {
		b.operands(&m, args)
		b.finish(m, id, args)
		return
	}
	switch o := in.Op.(type) {
	case ir.ExpandCols, ir.ExpandRows, ir.Fill:
		m := Micro{}
		m.Op, m.A = b.expand(id)
		b.finish(m, id, nil)
	case ir.Unary:
		if !b.multi(id, o) {
			b.simple(Micro{Op: Unary, Of: o}, id, args)
		}
	case ir.Add:
		b.arithmetic(Add, AddCol, AddOne, true, id, args)
	case ir.Sub:
		b.arithmetic(Sub, SubCol, SubOne, false, id, args)
	case ir.Mul:
		b.arithmetic(Mul, MulCol, MulOne, true, id, args)
	case ir.Div:
		b.arithmetic(Div, DivCol, DivOne, false, id, args)
	default:
		b.simple(microOf(in.Op), id, args)
	}
}

// microOf is the micro for an instruction that maps to a single one.
func microOf(op ir.Op) Micro {
	switch o := op.(type) {
	case ir.Pow:
		return Micro{Op: Pow, Of: o}
	case ir.Func:
		return Micro{Op: Func, Of: o}
	case ir.Max:
		return Micro{Op: Max}
	case ir.Min:
		return Micro{Op: Min}
	case ir.Power:
		return Micro{Op: Power}
	case ir.Compare:
		return Micro{Op: Compare, Of: o}
	case ir.Scale:
		return Micro{Op: Scale, K: o.C}
	case ir.Shift:
		return Micro{Op: Shift, K: o.C}
	case ir.RowSum:
		return Micro{Op: RowSum}
	case ir.ColSum:
		return Micro{Op: ColSum}
	case ir.Sum:
		return Micro{Op: Sum}
	}
	panic("plan: no micro for " + op.Name())
}

func (b *groupWriter) simple(m Micro, id ir.ID, args []ir.ID) {
	b.operands(&m, args)
	b.finish(m, id, args)
}

// operands sets the registers of m to those of whole operands.
func (b *groupWriter) operands(m *Micro, args []ir.ID) {
	regs := [4]*int16{&m.A, &m.B, &m.C, &m.E}
	for i, a := range args {
		*regs[i] = b.operand(a)
	}
}

// finish appends m, which computes id from args.
func (b *groupWriter) finish(m Micro, id ir.ID, args []ir.ID) {
	kind := Mat
	switch b.Code[id].Op.(type) {
	case ir.RowSum:
		kind = Col
	case ir.ColSum:
		kind = Row
	case ir.Sum:
		kind = One
	}
	if kind != Mat {
		m.D = b.intern(Reg{Kind: kind, Ref: b.target(b.seg, id)})
	}
	for _, a := range args {
		b.release(a)
	}
	if kind == Mat {
		m.D = b.dest(id)
	}
	b.g.Code = append(b.g.Code, m)
	b.done[id] = true
}

// arithmetic writes an operation on two matrices, a matrix and a column, or a matrix and one number.
func (b *groupWriter) arithmetic(mat, col, one MicroOp, commutes bool, id ir.ID, args []ir.ID) {
	x, y := args[0], args[1]
	if commutes && !b.whole(x) && b.whole(y) {
		x, y = y, x
	}
	m := Micro{Op: mat}
	if _, written := b.regOf[y]; b.whole(y) || written {
		m.A, m.B = b.operand(x), b.operand(y)
	} else {
		op, src := b.expand(y)
		m.A, m.B = b.operand(x), src
		switch op {
		case ExpandCol:
			m.Op = col
		case Fill:
			m.Op = one
		}
	}
	b.finish(m, id, args)
}

// multi writes id together with the other derivatives of the same function at the same argument. It reports false if
// there are none.
func (b *groupWriter) multi(id ir.ID, o ir.Unary) bool {
	a := b.Code[id].Args[0]
	outs := [4]ir.ID{None, None, None, None}
	n := 0
	for _, other := range b.ids {
		x, ok := b.Code[other].Op.(ir.Unary)
		if ok && x.Fn == o.Fn && b.Code[other].Args[0] == a && x.Order < len(outs) && !b.done[other] && b.args[other] != nil {
			outs[x.Order] = other
			n++
		}
	}
	if n < 2 || o.Order >= len(outs) {
		return false
	}
	m := Micro{Op: Multi, Of: o, A: b.operand(a)}
	for k, other := range outs {
		m.Outs[k] = None
		if other != None {
			m.Outs[k] = b.dest(other)
			b.done[other] = true
			b.flops += float64(b.g.Rows * b.g.Cols)
		}
	}
	for range n {
		b.release(a)
	}
	b.g.Code = append(b.g.Code, m)
	return true
}
