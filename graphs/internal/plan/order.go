package plan

import (
	"slices"

	"github.com/stheno-ebm/stheno/graphs/internal/ir"
)

// order arranges the units of every part such that values live briefly: of the units that can run, it repeatedly
// takes the one that frees the most memory, or claims the least. Sums over rows, which claim nothing in a tile, run
// as soon as their operands are there, while these are still in the cache.
func order(s schedule) schedule {
	s.parts = slices.Clone(s.parts)
	for i := range s.parts {
		p := &s.parts[i]
		if n := len(p.units); p.space > 0 && n >= 3 && n <= 3000 { // the search takes quadratic time
			p.units = newQueue(s, p.units).all()
		}
	}
	return s
}

// queue holds the units waiting to run.
type queue struct {
	s     schedule
	units []unit
	reads [][]ir.ID      // by unit: the values it reads from other units
	waits []int          // by unit: the number of units it waits for
	next  []map[int]bool // by unit: the units waiting for it
	claim []int          // by unit: columns of its values that others read
	left  map[ir.ID]int  // by value: the number of units that will read it
	done  []bool
}

func newQueue(s schedule, us []unit) *queue {
	n := len(us)
	q := &queue{s: s, units: us, reads: make([][]ir.ID, n), waits: make([]int, n), next: make([]map[int]bool, n),
		claim: make([]int, n), left: map[ir.ID]int{}, done: make([]bool, n)}
	at := unitOf(us)
	for i, u := range us {
		before, read := map[int]bool{}, map[ir.ID]bool{}
		for _, id := range u.ids {
			for _, x := range s.sources(id) {
				from, here := at[x.id]
				if !here || from == i {
					continue
				}
				before[from] = true
				if !read[x.id] {
					read[x.id] = true
					q.reads[i] = append(q.reads[i], x.id)
					q.left[x.id]++
				}
			}
		}
		q.waits[i] = len(before)
		for b := range before {
			if q.next[b] == nil {
				q.next[b] = map[int]bool{}
			}
			q.next[b][i] = true
		}
	}
	for i, u := range us {
		for _, id := range u.ids {
			if q.left[id] > 0 && !s.reduces(id) {
				q.claim[i] += s.Code[id].Cols
			}
		}
	}
	return q
}

// all takes one unit after the other.
func (q *queue) all() []unit {
	var out []unit
	for len(out) < len(q.units) {
		best := q.best()
		q.done[best] = true
		out = append(out, q.units[best])
		for _, id := range q.reads[best] {
			q.left[id]--
		}
		for i := range q.next[best] {
			q.waits[i]--
		}
	}
	return out
}

// best is the unit that claims the least, among those that wait for none.
func (q *queue) best() int {
	best, least := -1, 0
	for i := range q.units {
		if q.done[i] || q.waits[i] > 0 {
			continue
		}
		c := q.claim[i]
		for _, id := range q.reads[i] {
			if q.left[id] == 1 && !q.s.reduces(id) {
				c -= q.s.Code[id].Cols
			}
		}
		if best < 0 || c < least {
			best, least = i, c
		}
	}
	return best
}
