package plan

import (
	"cmp"
	"maps"
	"slices"

	"github.com/stheno-ebm/stheno/graphs/internal/ir"
)

// schedule says when everything is run.
type schedule struct {
	facts
	space []int // by value: the number of batch rows that it walks over; 0: run once
	stage []int // by value

	// Sums of sums of products over the same rows: the products accumulate in one place, and the sum is an alias of
	// it.
	members map[ir.ID][]ir.ID // by alias
	aliasOf map[ir.ID]ir.ID   // by member
	inner   map[ir.ID]bool    // sums within an alias

	parts []part
}

// part is what becomes a segment.
type part struct {
	held  bool
	stage int
	space int
	ids   []ir.ID
	units []unit
}

// unit is a step under construction: one instruction, or a group of element-wise ones.
type unit struct {
	ids        []ir.ID
	rows, cols int // of a group; 0: not a group
}

// sources are the values that instruction id reads, with the members of an alias in its place.
func (s schedule) sources(id ir.ID) []source {
	var r []source
	for _, x := range s.facts.sources(id) {
		if s.members[x.id] == nil {
			r = append(r, x)
			continue
		}
		for _, m := range s.members[x.id] {
			r = append(r, source{m, x.aligned, false})
		}
	}
	return r
}

// runs reports whether id has to be run: it is neither there already nor repeated by its readers.
func (f facts) runs(id ir.ID) bool { return !f.isSource(id) && !f.clear[id] }

// assign determines the rows that each instruction walks over, and the first stage at which everything it reads is
// there. Batches are the rows of products, if they are at least minRows.
func assign(f facts, minRows int) schedule {
	n := len(f.Code)
	s := schedule{facts: f, space: make([]int, n), stage: make([]int, n)}
	batches := map[int]bool{}
	for i := range f.Code {
		in := &f.Code[i]
		if f.held[i] || !isProduct(in) {
			continue
		}
		if r := f.LoopRows(in); r >= minRows {
			batches[r] = true
		}
	}
	for i := range f.Code {
		id := ir.ID(i)
		if !f.runs(id) {
			continue
		}
		if r := f.LoopRows(&f.Code[i]); !f.held[i] && batches[r] {
			s.space[i] = r
		}
		for _, x := range s.sources(id) {
			if !f.runs(x.id) || f.held[x.id] != f.held[i] {
				continue
			}
			s.stage[i] = max(s.stage[i], s.stage[x.id]+s.wait(id, x))
		}
	}
	return s
}

// isProduct reports whether in is expensive enough for its rows to count as a batch.
func isProduct(in *ir.Instr) bool { return ir.Is[ir.MatMul](in) || ir.Is[ir.Conv](in) }

// wait is the number of stages by which id must come after x, which it reads.
func (s schedule) wait(id ir.ID, x source) int {
	switch r := s.space[x.id]; {
	case r == 0:
		return 0
	case r == s.space[id] && x.aligned && !s.reduces(x.id):
		return 0
	}
	return 1
}

// sink moves instructions to the latest stage at which their results are still in time, so that a batch need not be
// kept from one stage to the next. It does not move those whose operands would have to be kept instead.
func sink(s schedule) schedule {
	s.stage = slices.Clone(s.stage)
	for k := len(s.Code) - 1; k >= 0; k-- {
		id := ir.ID(k)
		if s.space[k] == 0 || s.out[k] || len(s.uses[k]) == 0 {
			continue
		}
		if latest := s.latest(id); latest > s.stage[k] && s.free(id, latest) {
			s.stage[k] = latest
		}
	}
	return s
}

// latest is the last stage at which id is in time for all its readers.
func (s schedule) latest(id ir.ID) int {
	latest := 1 << 30
	for _, c := range s.uses[id] {
		for _, x := range s.sources(c) {
			if x.id != id {
				continue
			}
			t := s.stage[c]
			if s.space[c] != s.space[id] || !x.aligned || s.reduces(id) {
				t--
			}
			latest = min(latest, t)
		}
	}
	return latest
}

// free reports whether nothing that id reads row by row would have to be kept for it until stage latest.
func (s schedule) free(id ir.ID, latest int) bool {
	for _, x := range s.sources(id) {
		if !x.aligned || s.isSource(x.id) || s.held[x.id] || s.space[x.id] != s.space[id] {
			continue
		}
		for _, c := range s.uses[x.id] {
			if c != id && s.stage[c] < latest {
				return false
			}
		}
	}
	return true
}

// merge turns sums of two sums of products into aliases where the products can accumulate in one place.
func merge(s schedule) schedule {
	s.members, s.aliasOf, s.inner = map[ir.ID][]ir.ID{}, map[ir.ID]ir.ID{}, map[ir.ID]bool{}
	for i := range s.Code {
		id := ir.ID(i)
		in := &s.Code[i]
		if !ir.Is[ir.Add](in) || !s.runs(id) {
			continue
		}
		left, right := s.summands(in.Args[0], s.held[i]), s.summands(in.Args[1], s.held[i])
		if left == nil || right == nil {
			continue
		}
		all := append(left, right...)
		first := all[0]
		if slices.ContainsFunc(all,
			func(m ir.ID) bool { return s.space[m] != s.space[first] || s.stage[m] != s.stage[first] }) {
			continue
		}
		for _, a := range in.Args {
			if s.members[a] != nil {
				delete(s.members, a)
				s.inner[a] = true
			}
		}
		s.members[id] = all
		for _, m := range all {
			s.aliasOf[m] = id
		}
	}
	return s
}

// summands are the products that a is the sum of, if they may accumulate in a place other than a's own.
func (s schedule) summands(a ir.ID, held bool) []ir.ID {
	if len(s.uses[a]) != 1 || s.out[a] || s.held[a] != held {
		return nil
	}
	if m := s.members[a]; m != nil {
		return slices.Clone(m)
	}
	if o := s.Code[a].Op; o.Class() == ir.ByRow && o.Reduces() {
		return []ir.ID{a}
	}
	return nil
}

// cut divides the instructions by stage and rows. Within a stage the part that runs once comes first.
func cut(s schedule) schedule {
	type key struct {
		held         bool
		stage, space int
	}
	parts := map[key]*part{}
	for i := range s.Code {
		id := ir.ID(i)
		if !s.runs(id) || s.members[id] != nil || s.inner[id] {
			continue
		}
		k := key{s.held[i], s.stage[i], s.space[i]}
		if parts[k] == nil {
			parts[k] = &part{held: k.held, stage: k.stage, space: k.space}
		}
		parts[k].ids = append(parts[k].ids, id)
	}
	s.parts = nil
	for _, p := range slices.SortedFunc(maps.Values(parts), func(a, b *part) int {
		if a.held != b.held {
			if a.held {
				return -1
			}
			return 1
		}
		return cmp.Or(cmp.Compare(a.stage, b.stage), cmp.Compare(a.space, b.space))
	}) {
		s.parts = append(s.parts, *p)
	}
	return s
}

// fuse groups the element-wise instructions of every part: each joins the first group of its shape that comes after
// everything it needs.
func fuse(s schedule) schedule {
	s.parts = slices.Clone(s.parts)
	for i := range s.parts {
		s.parts[i].units = s.units(s.parts[i].ids)
	}
	return s
}

// groupShape is the shape of the groups that id may be in, if it may be in one: that of what it sums, otherwise its
// own.
func (f facts) groupShape(id ir.ID) (rows, cols int, ok bool) {
	in := &f.Code[id]
	switch in.Op.Class() {
	case ir.Map, ir.Expansion:
		return in.Rows, in.Cols, true
	case ir.Reduction:
		a := &f.Code[in.Args[0]]
		return a.Rows, a.Cols, true
	}
	return 0, 0, false
}

func (s schedule) units(ids []ir.ID) []unit {
	var us []unit
	at := map[ir.ID]int{}
	for _, id := range ids {
		rows, cols, ok := s.groupShape(id)
		if !ok {
			at[id] = len(us)
			us = append(us, unit{ids: []ir.ID{id}})
			continue
		}
		earliest := 0
		for _, x := range s.sources(id) {
			q, here := at[x.id]
			if !here {
				continue
			}
			within := us[q].cols == cols && us[q].rows == rows && x.aligned && x.direct &&
				!ir.Is[ir.ExpandCols](&s.Code[id]) && s.Code[x.id].Op.Class() != ir.Reduction
			if !within {
				q++
			}
			earliest = max(earliest, q)
		}
		q := earliest
		for q < len(us) && (us[q].cols != cols || us[q].rows != rows) {
			q++
		}
		if q == len(us) {
			us = append(us, unit{rows: rows, cols: cols})
		}
		us[q].ids = append(us[q].ids, id)
		at[id] = q
	}
	return us
}

// unitOf maps every instruction of a part to its unit.
func unitOf(us []unit) map[ir.ID]int {
	at := map[ir.ID]int{}
	for q, u := range us {
		for _, id := range u.ids {
			at[id] = q
		}
	}
	return at
}
