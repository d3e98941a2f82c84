package exec

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/stheno-ebm/stheno/graphs/internal/ir"
)

// Dump prints the program for people: every step with its shape, what is fused in it, its floating-point operations and
// the bytes that it reads and writes, and the memory that all of it takes.
func (p *plan) Dump() string {
	d := dumper{plan: p}
	d.program()
	return d.String()
}

type dumper struct {
	*plan
	strings.Builder
	flops, bytes float64
	times        []time.Duration // by step, if they were measured
	total        time.Duration
}

func (d *dumper) printf(format string, args ...any) { fmt.Fprintf(d, format, args...) }

// name is how a value is called.
func (d *dumper) name(id ir.ID) string {
	in := &d.code[id]
	switch in.Op {
	case ir.Input:
		if in.Label != "" {
			return in.Label
		}
		return fmt.Sprint("input", in.Index)
	case ir.Const:
		return fmt.Sprintf("%g", in.C)
	case ir.ExpandRows, ir.ExpandCols, ir.Fill:
		if d.at(id) == none {
			return in.Op.String() + "(" + d.name(in.Args[0]) + ")"
		}
	}
	return fmt.Sprint("%", id)
}

func (d *dumper) at(id ir.ID) int32 { return d.slotOf[id] }

func (d *dumper) program() {
	d.printf("float%d program: %d inputs, %d outputs\n", 8*d.elemSize, len(d.inputs), len(d.outputs))
	for i := range d.code {
		if in := &d.code[i]; in.Op == ir.Input {
			held := ""
			if d.slots[d.slotOf[i]].held {
				held = "  held"
			}
			d.printf("  input  %-18s (%d,%d)%s\n", d.name(ir.ID(i)), in.Rows, in.Cols, held)
		}
	}
	for i, o := range d.g.Outputs {
		d.printf("  output %-18s (%d,%d)\n", fmt.Sprint(i, " = ", d.name(o)), d.code[o].Rows, d.code[o].Cols)
	}
	if len(d.held) > 0 {
		d.printf("\nwhen held inputs change\n")
		for i := range d.held {
			d.segment(&d.held[i])
		}
	}
	d.flops, d.bytes, d.total = 0, 0, 0
	d.printf("\nevery call\n")
	for i := range d.main {
		d.segment(&d.main[i])
	}
	d.printf("\ntotal: %s, %s moved; %d steps\n", flop(d.flops), size(d.bytes), d.steps)
	if d.times != nil {
		d.printf("time of the steps, each at its best: %v\n", d.total)
	}
	s := d.elemSize
	d.printf("memory: %s inputs and held, %s packed, %s whole values, %s partial sums; per thread %s tiles, %s scratch\n",
		size(float64(d.keepLen*s)), size(float64(d.packLen*s)), size(float64(d.fullLen*s)), size(float64(d.partLen*s)),
		size(float64(d.tileLen*s)), size(float64((d.scratch+d.workLen)*s)))
}

func (d *dumper) segment(seg *segment) {
	indent := "  "
	if seg.rows > 0 {
		d.printf("  for %d rows in %d stripes, tiles of %d:\n", seg.rows, seg.stripes(), seg.tile)
		indent = "    "
	}
	for i := range seg.steps {
		st := &seg.steps[i]
		lines, bytes := d.step(st)
		d.flops += st.flops
		d.bytes += bytes
		for j, l := range lines {
			d.printf("%s%-72s", indent, l)
			if j == 0 {
				d.printf(" %10s %9s", flop(st.flops), size(bytes))
				if d.times != nil {
					tiles := 1
					if seg.rows > 0 {
						tiles = (seg.rows + seg.tile - 1) / seg.tile
					}
					t := d.times[st.n] * time.Duration(tiles)
					d.total += t
					d.printf(" %9v", t)
				}
			}
			d.printf("\n")
		}
	}
	for _, c := range seg.sums {
		n := float64(c.n * (c.stripes + 1) * d.elemSize)
		d.bytes += n
		d.printf("  %-74s %10s %9s\n", fmt.Sprintf("add the sums of %d stripes, %d elements", c.stripes, c.n), flop(float64(c.n*(c.stripes-1))), size(n))
	}
}

// place says where the result of a step is kept.
func (d *dumper) place(id ir.ID) string {
	n := d.slotOf[id]
	if n == none {
		return ""
	}
	s := &d.slots[n]
	switch s.kind {
	case packed:
		return " [packed]"
	default:
		return fmt.Sprintf(" [%v+%d]", s.kind, s.off*d.elemSize)
	}
}

// step returns the lines for one step and the bytes that it moves to and from memory (or the outer caches).
func (d *dumper) step(st *step) (lines []string, bytes float64) {
	if st.group == nil {
		in := st.in
		for _, a := range in.Args {
			bytes += float64(d.code[a].Len() * d.elemSize)
		}
		bytes += float64(in.Len() * d.elemSize)
		var args []string
		for _, a := range in.Args {
			args = append(args, d.name(a))
		}
		t := func(s string, on bool) string {
			if on {
				return s + "ᵀ"
			}
			return s
		}
		text := in.Op.String() + " " + strings.Join(args, ", ")
		switch in.Op {
		case ir.MatMul:
			b := args[1]
			if x := &d.code[in.Args[1]]; x.Op == ir.Pack {
				b = t(d.name(x.Args[0]), x.TB)
			} else {
				b = t(b, in.TB)
			}
			text = t(args[0], in.TA) + " · " + b
			if in.Bias > 0 {
				text += " + " + args[in.Bias]
			}
			if in.Factor > 0 {
				text = "(" + text + ") ∘ " + args[in.Factor]
			}
			if st.add {
				text += " + what is there"
			}
		case ir.Pack:
			text = "pack " + t(args[0], in.TB)
		case ir.SliceCols, ir.SliceRows, ir.PadCols, ir.PadRows:
			text += fmt.Sprintf(" [%d,%d)", in.Lo, in.Hi)
		case ir.BatchMatMul:
			text = fmt.Sprintf("%d of %s · %s", in.Batch, t(args[0], in.TA), t(args[1], in.TB))
		case ir.Gather, ir.Put, ir.Scatter, ir.ArgMax, ir.Pick, ir.Place:
			text += " by " + in.Label
		case ir.Reshape:
			if st.dst.slot == st.args[0].slot {
				text, bytes = args[0]+" as it is", 0
			}
		case ir.Opaque:
			text = in.Run.Label() + " " + strings.Join(args, ", ")
		}
		return []string{fmt.Sprintf("%s (%d,%d) = %s%s", d.name(st.id), in.Rows, in.Cols, text, d.place(st.id))}, bytes
	}
	g := st.group
	reg := func(n int16) string {
		r := &g.regs[n]
		if r.ref.slot == none {
			return fmt.Sprint("t", r.ref.step)
		}
		for id, s := range d.slotOf {
			if s == r.ref.slot {
				return d.name(ir.ID(id))
			}
		}
		return fmt.Sprint("sum", r.ref.slot)
	}
	for _, r := range g.regs {
		if r.ref.slot == none {
			continue
		}
		switch r.kind {
		case mat:
			bytes += float64(g.rows * g.cols * g.unit * d.elemSize)
		case col:
			bytes += float64(g.rows * d.elemSize)
		case row:
			bytes += float64(g.cols * d.elemSize)
		}
	}
	lines = append(lines, fmt.Sprintf("fused (%d,%d), %d instructions, blocks of %d×%d", g.rows, g.cols*g.unit, len(g.code), g.block, g.cols))
	for _, m := range append(slices.Clone(g.first), g.code...) {
		a, b, c, e, dst := reg(m.a), reg(m.b), reg(m.c), reg(m.e), reg(m.d)
		var s string
		switch m.op {
		case mAdd, mAddCol, mAddOne:
			s = a + " + " + b
		case mSub, mSubCol, mSubOne:
			s = a + " - " + b
		case mMul, mMulCol, mMulOne:
			s = a + " ∘ " + b
		case mDiv, mDivCol, mDivOne:
			s = a + " / " + b
		case mScale:
			s = fmt.Sprintf("%g %s", m.k, a)
		case mShift:
			s = fmt.Sprintf("%s + %g", a, m.k)
		case mMulAdd:
			s = a + " ∘ " + b + " + " + c
		case mMulSub:
			s = a + " ∘ " + b + " - " + c
		case mNegMulAdd:
			s = c + " - " + a + " ∘ " + b
		case mMulMul:
			s = a + " ∘ " + b + " ∘ " + c
		case mMulMulAdd:
			s = a + " ∘ " + b + " + " + c + " ∘ " + e
		case mScaleAdd:
			s = fmt.Sprintf("%g %s + %s", m.k, a, b)
		case mUnary:
			s = fmt.Sprint(m.fn, strings.Repeat("′", int(m.order)), "(", a, ")")
		case mMulti:
			var outs, fns []string
			for k, o := range m.outs {
				if o != none {
					outs = append(outs, reg(o))
					fns = append(fns, fmt.Sprint(m.fn, strings.Repeat("′", k)))
				}
			}
			dst = strings.Join(outs, ", ")
			s = strings.Join(fns, ", ") + " (" + a + ")"
		case mPow:
			s = fmt.Sprintf("pow(%s, %g) order %d", a, m.k, m.order)
		case mScalar:
			s = m.in.Label + "(" + a + ")"
		case mRowDot, mDot, mMax, mMin, mCmp:
			s = fmt.Sprint(m.op, "(", a, ", ", b, ")")
		default:
			s = fmt.Sprint(m.op, "(", a, ")")
		}
		lines = append(lines, "  "+dst+" = "+s)
	}
	return lines, bytes
}

func flop(n float64) string {
	switch {
	case n >= 1e9:
		return fmt.Sprintf("%.2f GFLOP", n/1e9)
	case n >= 1e6:
		return fmt.Sprintf("%.2f MFLOP", n/1e6)
	}
	return fmt.Sprintf("%.1f kFLOP", n/1e3)
}

func size(n float64) string {
	switch {
	case n >= 1<<20:
		return fmt.Sprintf("%.1f MB", n/(1<<20))
	}
	return fmt.Sprintf("%.1f KB", n/(1<<10))
}
