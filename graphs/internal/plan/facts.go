package plan

import "github.com/stheno-ebm/stheno/graphs/internal/ir"

// facts is what is known about the values of a graph before they are scheduled.
type facts struct {
	*ir.Graph
	out   []bool
	clear []bool    // broadcasts that are not stored: their readers repeat the elements themselves
	held  []bool    // computed when held inputs change
	uses  [][]ir.ID // readers by value; those of a clear value are readers of what it expands
}

func analyse(g *ir.Graph) facts {
	n := len(g.Code)
	f := facts{Graph: g, out: make([]bool, n), clear: make([]bool, n), held: make([]bool, n), uses: make([][]ir.ID, n)}
	for _, o := range g.Outputs {
		f.out[o] = true
	}
	for i := range g.Code {
		in := &g.Code[i]
		switch in.Op.Class() {
		case ir.Expansion:
			f.clear[i] = !f.out[i]
		case ir.Map, ir.Reduction: // these read through broadcasts
			continue
		}
		for _, a := range in.Args {
			f.clear[a] = false
		}
	}
	for i := range g.Code {
		if f.clear[i] {
			continue
		}
		for _, s := range f.sources(ir.ID(i)) {
			f.uses[s.id] = append(f.uses[s.id], ir.ID(i))
		}
	}
	// Broadcasts are not held: they are cheap to redo and large. But values computed from them and from held values
	// of their size are.
	for i, still := range g.StandStill() {
		if g.Code[i].Expands() {
			continue
		}
		some := len(g.Code[i].Args) == 0
		for _, s := range f.sources(ir.ID(i)) {
			some = some || s.direct
			still = still && f.held[s.id]
		}
		f.held[i] = still && some
	}
	return f
}

// isSource reports whether id exists before the program runs.
func (f facts) isSource(id ir.ID) bool { return f.Code[id].Op.Class() == ir.Source }

// source is a value that an instruction reads, directly or through a clear broadcast.
type source struct {
	id      ir.ID
	aligned bool // row by row
	direct  bool
}

// sources are the values that instruction id reads.
func (f facts) sources(id ir.ID) []source {
	in := &f.Code[id]
	s := make([]source, 0, len(in.Args))
	for j, a := range in.Args {
		if x := &f.Code[a]; f.clear[a] {
			s = append(s, source{x.Args[0], x.Op.Aligned(0), false})
			continue
		}
		s = append(s, source{a, in.Op.Aligned(j), true})
	}
	return s
}

// reduces reports whether id sums over the rows that it walks over.
func (f facts) reduces(id ir.ID) bool { return f.Code[id].Op.Reduces() }
