package plan

import (
	"github.com/stheno-ebm/stheno/graphs/internal/ir"
	"github.com/stheno-ebm/stheno/graphs/internal/kernels"
)

// fusion is a micro that does the work of several instructions, with its operands and the instructions fused into it.
type fusion struct {
	micro       Micro
	args, drawn []ir.ID
}

// drawable is an operand of an instruction that may be fused into it.
type drawable struct {
	id ir.ID // None: it may not be fused
	ir.Instr
}

// drawable returns argument k of id if nothing else needs it and everything it reads is best read as matrices.
func (b *groupWriter) drawable(id ir.ID, k int, drawn map[ir.ID]bool) drawable {
	a := b.Code[id].Args[k]
	x := b.Code[a]
	if !b.lone(a) || drawn[a] {
		return drawable{id: None}
	}
	for _, q := range x.Args {
		if !b.whole(q) {
			return drawable{id: None}
		}
	}
	return drawable{a, x}
}

// product reports whether d is x ∘ y.
func (d drawable) product() bool { return d.id != None && ir.Is[ir.Mul](&d.Instr) }

// scale reports whether d is c·x.
func (d drawable) scale() (c float64, ok bool) {
	if d.id == None {
		return 0, false
	}
	o, ok := d.Op.(ir.Scale)
	return o.C, ok
}

// square reports whether d is x².
func (d drawable) square() bool {
	if d.id == None {
		return false
	}
	o, ok := d.Op.(ir.Unary)
	return ok && o.Fn == kernels.Square && o.Order == 0
}

// peephole finds a micro that does the work of id and of instructions that it reads.
func (b *groupWriter) peephole(id ir.ID, drawn map[ir.ID]bool) (fusion, bool) {
	inner := func(k int) drawable { return b.drawable(id, k, drawn) }
	in := &b.Code[id]
	switch in.Op.(type) {
	case ir.Add:
		return b.fuseAdd(in, inner)
	case ir.Sub:
		return b.fuseSub(in, inner)
	case ir.Mul:
		for k := range 2 {
			if x := inner(k); x.product() && b.whole(in.Args[1-k]) {
				return fusion{Micro{Op: MulMul}, []ir.ID{x.Args[0], x.Args[1], in.Args[1-k]}, []ir.ID{x.id}}, true
			}
		}
	case ir.RowSum:
		return fuseSum(RowDot, inner(0))
	case ir.Sum:
		return fuseSum(Dot, inner(0))
	}
	return fusion{}, false
}

func (b *groupWriter) fuseAdd(in *ir.Instr, inner func(k int) drawable) (fusion, bool) {
	if x, y := inner(0), inner(1); x.product() && y.product() && x.id != y.id {
		return fusion{Micro{Op: MulMulAdd}, []ir.ID{x.Args[0], x.Args[1], y.Args[0], y.Args[1]}, []ir.ID{x.id, y.id}}, true
	}
	for k := range 2 {
		other := in.Args[1-k]
		if !b.whole(other) {
			continue
		}
		x := inner(k)
		if x.product() {
			return fusion{Micro{Op: MulAdd}, []ir.ID{x.Args[0], x.Args[1], other}, []ir.ID{x.id}}, true
		}
		if c, ok := x.scale(); ok {
			return fusion{Micro{Op: ScaleAdd, K: c}, []ir.ID{x.Args[0], other}, []ir.ID{x.id}}, true
		}
	}
	return fusion{}, false
}

func (b *groupWriter) fuseSub(in *ir.Instr, inner func(k int) drawable) (fusion, bool) {
	if x := inner(0); x.product() && b.whole(in.Args[1]) {
		return fusion{Micro{Op: MulSub}, []ir.ID{x.Args[0], x.Args[1], in.Args[1]}, []ir.ID{x.id}}, true
	}
	if !b.whole(in.Args[0]) {
		return fusion{}, false
	}
	x := inner(1)
	if x.product() {
		return fusion{Micro{Op: NegMulAdd}, []ir.ID{x.Args[0], x.Args[1], in.Args[0]}, []ir.ID{x.id}}, true
	}
	if c, ok := x.scale(); ok {
		return fusion{Micro{Op: ScaleAdd, K: -c}, []ir.ID{x.Args[0], in.Args[0]}, []ir.ID{x.id}}, true
	}
	return fusion{}, false
}

func fuseSum(op MicroOp, x drawable) (fusion, bool) {
	switch {
	case x.product():
		return fusion{Micro{Op: op}, x.Args, []ir.ID{x.id}}, true
	case x.square():
		return fusion{Micro{Op: op}, []ir.ID{x.Args[0], x.Args[0]}, []ir.ID{x.id}}, true
	}
	return fusion{}, false
}
