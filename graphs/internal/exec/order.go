package exec

import "github.com/stheno-ebm/stheno/graphs/internal/ir"

// order puts the units of a segment in the order in which their values live short: of the units that can run it takes, again
// and again, the one that frees most memory, or claims least. Sums over rows, which claim nothing in a tile, come as soon as
// their operands are there, while these are still in the cache.
func (p *planner) order(us []unit, space int) []unit {
	if space == 0 || len(us) < 3 || len(us) > 3000 { // the search takes quadratic time
		return us
	}
	unitOf := map[ir.ID]int{}
	for q, u := range us {
		for _, id := range u.ids {
			unitOf[id] = q
		}
	}
	// What each unit reads of this segment, and which units read each value.
	reads := make([][]ir.ID, len(us))
	readers := map[ir.ID]map[int]bool{}
	waits := make([]int, len(us)) // for so many units
	next := make([]map[int]bool, len(us))
	for q, u := range us {
		before := map[int]bool{}
		for _, id := range u.ids {
			for _, x := range p.sources(&p.code[id]) {
				from, here := unitOf[x.id]
				if !here || from == q {
					continue
				}
				before[from] = true
				if readers[x.id] == nil {
					readers[x.id] = map[int]bool{}
				}
				if !readers[x.id][q] {
					readers[x.id][q] = true
					reads[q] = append(reads[q], x.id)
				}
			}
		}
		waits[q] = len(before)
		for b := range before {
			if next[b] == nil {
				next[b] = map[int]bool{}
			}
			next[b][q] = true
		}
	}
	claim := make([]int, len(us)) // columns of the values that others read
	for q, u := range us {
		for _, id := range u.ids {
			if in := &p.code[id]; len(readers[id]) > 0 && !reduces(in) {
				claim[q] += in.Cols
			}
		}
	}
	left := map[ir.ID]int{}
	for id, r := range readers {
		left[id] = len(r)
	}
	var out []unit
	done := make([]bool, len(us))
	for len(out) < len(us) {
		best, least := -1, 0
		for q := range us {
			if done[q] || waits[q] > 0 {
				continue
			}
			c := claim[q]
			for _, id := range reads[q] {
				if left[id] == 1 && !reduces(&p.code[id]) {
					c -= p.code[id].Cols
				}
			}
			if best < 0 || c < least {
				best, least = q, c
			}
		}
		done[best] = true
		out = append(out, us[best])
		for _, id := range reads[best] {
			left[id]--
		}
		for q := range next[best] {
			waits[q]--
		}
	}
	return out
}
