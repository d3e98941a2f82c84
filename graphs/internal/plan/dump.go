package plan

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/stheno-ebm/stheno/graphs/internal/ir"
)

// Dump prints the program in readable form: every step with its shape, what is fused into it, its floating-point
// operations, the bytes that it reads and writes, and the memory that the program takes; and the times of the steps,
// if there are any.
func (p *Plan) Dump(times []time.Duration) string {
	d := dumper{Plan: p, times: times}
	d.program()
	return d.String()
}

type dumper struct {
	*Plan
	strings.Builder
	flops, bytes float64
	times        []time.Duration // by step, if they were measured
	total        time.Duration
}

func (d *dumper) printf(format string, args ...any) { fmt.Fprintf(d, format, args...) }

// name is the name of a value in the dump.
func (d *dumper) name(id ir.ID) string {
	in := d.Graph.At(id)
	switch o := in.Op.(type) {
	case ir.Input:
		if o.Label != "" {
			return o.Label
		}
		return fmt.Sprint("input", o.Index)
	case ir.Const:
		return fmt.Sprintf("%g", o.C)
	case ir.ExpandRows, ir.ExpandCols, ir.Fill:
		if d.SlotOf[id] == None {
			return in.Op.Text([]string{d.name(in.Args[0])})
		}
	}
	return fmt.Sprint("%", id)
}

// operand is the name of a value as its readers see it.
func (d *dumper) operand(id ir.ID) string {
	in := d.Graph.At(id)
	if o, ok := in.Op.(ir.Pack); ok {
		if o.TB {
			return d.name(in.Args[0]) + "ᵀ"
		}
		return d.name(in.Args[0])
	}
	return d.name(id)
}

func (d *dumper) program() {
	d.printf("float%d program: %d inputs, %d outputs\n", 8*d.ElemSize, len(d.Inputs), len(d.Outputs))
	for i := range d.Graph.Code {
		if in := d.Graph.At(ir.ID(i)); ir.Is[ir.Input](in) {
			held := ""
			if d.Slots[d.SlotOf[i]].Held {
				held = "  held"
			}
			d.printf("  input  %-18s (%d,%d)%s\n", d.name(ir.ID(i)), in.Rows, in.Cols, held)
		}
	}
	for i, o := range d.Graph.Outputs {
		d.printf("  output %-18s (%d,%d)\n", fmt.Sprint(i, " = ", d.name(o)), d.Graph.At(o).Rows, d.Graph.At(o).Cols)
	}
	if len(d.Held) > 0 {
		d.printf("\nwhen held inputs change\n")
		for i := range d.Held {
			d.segment(&d.Held[i])
		}
	}
	d.flops, d.bytes, d.total = 0, 0, 0
	d.printf("\nevery call\n")
	for i := range d.Main {
		d.segment(&d.Main[i])
	}
	d.printf("\ntotal: %s, %s moved; %d steps\n", flop(d.flops), size(d.bytes), d.Steps)
	if d.times != nil {
		d.printf("time of the steps, each at its best: %v\n", d.total)
	}
	s := d.ElemSize
	d.printf("memory: %s inputs and held, %s packed, %s whole values, %s partial sums; per thread %s tiles, %s scratch\n",
		size(float64(d.KeepLen*s)), size(float64(d.PackLen*s)), size(float64(d.FullLen*s)), size(float64(d.PartLen*s)),
		size(float64(d.TileLen*s)), size(float64((d.Scratch+d.WorkLen)*s)))
}

func (d *dumper) segment(seg *Segment) {
	indent := "  "
	if seg.Rows > 0 {
		d.printf("  for %d rows in %d stripes, tiles of %d:\n", seg.Rows, seg.Stripes(), seg.Tile)
		indent = "    "
	}
	for i := range seg.Steps {
		st := &seg.Steps[i]
		lines, bytes := d.step(st)
		d.flops += st.Flops
		d.bytes += bytes
		for j, l := range lines {
			d.printf("%s%-72s", indent, l)
			if j == 0 {
				d.printf(" %10s %9s", flop(st.Flops), size(bytes))
				d.time(seg, st)
			}
			d.printf("\n")
		}
	}
	for _, c := range seg.Sums {
		n := float64(c.N * (c.Stripes + 1) * d.ElemSize)
		d.bytes += n
		what := fmt.Sprintf("add the sums of %d stripes, %d elements", c.Stripes, c.N)
		d.printf("  %-74s %10s %9s\n", what, flop(float64(c.N*(c.Stripes-1))), size(n))
	}
}

// time prints how long all tiles of a step take.
func (d *dumper) time(seg *Segment, st *Step) {
	if d.times == nil {
		return
	}
	tiles := 1
	if seg.Rows > 0 {
		tiles = (seg.Rows + seg.Tile - 1) / seg.Tile
	}
	t := d.times[st.N] * time.Duration(tiles)
	d.total += t
	d.printf(" %9v", t)
}

// place says where the result of a step is stored.
func (d *dumper) place(id ir.ID) string {
	n := d.SlotOf[id]
	if n == None {
		return ""
	}
	s := &d.Slots[n]
	if s.Kind == Packed {
		return " [packed]"
	}
	return fmt.Sprintf(" [%v+%d]", s.Kind, s.Off*d.ElemSize)
}

// step returns the lines for one step, and the bytes that it moves to and from memory (or the outer caches).
func (d *dumper) step(st *Step) (lines []string, bytes float64) {
	if st.Group != nil {
		return d.group(st.Group)
	}
	var args []string
	for _, a := range st.Args {
		bytes += float64(d.Graph.At(a).Len() * d.ElemSize)
		args = append(args, d.operand(a))
	}
	bytes += float64(st.Len() * d.ElemSize)
	text := st.Op.Text(args)
	if st.Add {
		text += " + what is there"
	}
	if ir.Is[ir.Reshape](&st.Instr) && st.Dst.Slot == st.Refs[0].Slot {
		text, bytes = args[0]+" as it is", 0
	}
	return []string{fmt.Sprintf("%s (%d,%d) = %s%s", d.name(st.ID), st.Rows, st.Cols, text, d.place(st.ID))}, bytes
}

func (d *dumper) group(g *Group) (lines []string, bytes float64) {
	reg := func(n int16) string {
		r := &g.Regs[n]
		if r.Ref.Slot == None {
			return fmt.Sprint("t", r.Ref.Step)
		}
		if id := slices.Index(d.SlotOf, r.Ref.Slot); id >= 0 {
			return d.name(ir.ID(id))
		}
		return fmt.Sprint("sum", r.Ref.Slot)
	}
	for _, r := range g.Regs {
		if r.Ref.Slot == None {
			continue
		}
		switch r.Kind {
		case Mat:
			bytes += float64(g.Rows * g.Cols * g.Unit * d.ElemSize)
		case Col:
			bytes += float64(g.Rows * d.ElemSize)
		case Row:
			bytes += float64(g.Cols * d.ElemSize)
		}
	}
	lines = append(lines, fmt.Sprintf("fused (%d,%d), %d instructions, blocks of %d×%d",
		g.Rows, g.Cols*g.Unit, len(g.Code), g.Block, g.Cols))
	for _, m := range append(slices.Clone(g.First), g.Code...) {
		dst, s := m.text(reg)
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
	if n >= 1<<20 {
		return fmt.Sprintf("%.1f MB", n/(1<<20))
	}
	return fmt.Sprintf("%.1f KB", n/(1<<10))
}
