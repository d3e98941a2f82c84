package plan

import (
	"github.com/stheno-ebm/stheno/graphs/internal/ir"
	"github.com/stheno-ebm/stheno/graphs/internal/kernels"
)

// write turns the units of a layout into steps.
func write(l layout) *Plan {
	w := &writer{layout: l, begun: map[int32]bool{}}
	w.plan = &Plan{Graph: l.Graph, Consts: l.consts, ElemSize: l.set.ElemSize, Alone: l.set.Alone}
	for i := range l.blocks {
		b := &l.blocks[i]
		seg := w.segment(b)
		if b.held {
			w.plan.Held = append(w.plan.Held, seg)
		} else {
			w.plan.Main = append(w.plan.Main, seg)
		}
	}
	for i := range l.Code {
		if o, ok := l.Code[i].Op.(ir.Input); ok {
			for len(w.plan.Inputs) <= o.Index {
				w.plan.Inputs = append(w.plan.Inputs, None)
			}
			w.plan.Inputs[o.Index] = l.slotOf[i]
		}
	}
	for _, o := range l.Outputs {
		w.plan.Outputs = append(w.plan.Outputs, l.slotOf[o])
	}
	w.plan.Slots, w.plan.SlotOf = w.slots, w.slotOf
	return w.plan
}

// writer makes a plan from a layout. It adds the slots of partial sums.
type writer struct {
	layout
	plan  *Plan
	begun map[int32]bool // slots in which a sum has been begun
}

func (w *writer) segment(b *block) Segment {
	seg := Segment{Rows: b.space, Tile: b.tile, Stripe: b.stripe}
	for _, u := range b.units {
		var st Step
		if u.cols > 0 {
			st = w.groupStep(&seg, u)
		} else {
			st = w.step(&seg, u.ids[0])
		}
		st.N = w.plan.Steps
		w.plan.Steps++
		seg.Cost += st.Cost
		seg.Steps = append(seg.Steps, st)
	}
	return seg
}

func (w *writer) ref(seg *Segment, id ir.ID, aligned bool) Ref {
	r := Ref{Slot: w.slotOf[id]}
	if aligned && seg.Rows > 0 && w.slots[r.Slot].Kind != Tile {
		r.Step = int32(w.Code[id].Cols)
	}
	return r
}

// target is where the result of id goes. In a segment of several stripes, a sum over rows goes to a partial slot
// first.
func (w *writer) target(seg *Segment, id ir.ID) Ref {
	in := &w.Code[id]
	if !in.Op.Reduces() || seg.Rows == 0 || seg.Stripes() == 1 {
		return w.ref(seg, id, !in.Op.Reduces())
	}
	dst := w.slotOf[id]
	for _, c := range seg.Sums {
		if c.Dst == dst {
			return Ref{Slot: c.Partial}
		}
	}
	part := w.slot(Slot{Kind: Partial, Rows: in.Rows, Cols: in.Cols, Size: in.Len()})
	seg.Sums = append(seg.Sums, Combine{Dst: dst, Partial: part, N: in.Len(), Stripes: seg.Stripes()})
	return Ref{Slot: part}
}

// step writes an instruction that is not element-wise.
func (w *writer) step(seg *Segment, id ir.ID) Step {
	in := w.Code[id]
	st := Step{Instr: in, ID: id}
	for j, a := range in.Args {
		st.Refs = append(st.Refs, w.ref(seg, a, in.Op.Aligned(j)))
	}
	st.Dst = w.target(seg, id)
	if in.Op.Reduces() {
		st.Add = w.begun[w.slotOf[id]]
		w.begun[w.slotOf[id]] = true
	}
	need := w.demand(&in)
	st.Flops = need.flops
	st.Cost = 0.02*float64(in.Len()*w.set.ElemSize) + need.flops*float64(w.set.ElemSize)/350
	w.plan.WorkLen = max(w.plan.WorkLen, need.work)
	return st
}

// demand is the cost and the workspace of an instruction that is not element-wise.
type demand struct {
	flops float64
	work  int // elements of workspace
}

func (w *writer) demand(in *ir.Instr) demand {
	first := func() *ir.Instr { return w.At(in.Args[0]) }
	product := func(k int) float64 { return 2 * float64(in.Rows) * float64(in.Cols) * float64(k) }
	switch o := in.Op.(type) {
	case ir.MatMul:
		return demand{product(o.K), w.set.WorkLen(in.Rows, in.Cols, max(o.K, first().Rows))}
	case ir.Conv:
		return demand{float64(first().Rows) * o.Window.Flops(), w.set.ConvLen(o)}
	case ir.BatchMatMul:
		return demand{product(o.K), w.set.WorkLen(in.Rows/o.Batch, in.Cols, o.K)}
	case ir.RowLSE, ir.RowSoftmax:
		return demand{0, kernels.RowWork(first().Rows, first().Cols)}
	}
	return demand{}
}
