package run

import (
	"github.com/stheno-ebm/stheno/graphs/internal/kernels"
	"github.com/stheno-ebm/stheno/graphs/internal/plan"
	"github.com/stheno-ebm/stheno/graphs/internal/team"
)

// sharedCost is the estimated time of a segment, in nanoseconds, from which on it is shared with helpers.
const sharedCost = 15000

// stripes is the task of running a segment's stripes.
type stripes[T kernels.Float] struct {
	p   *Program[T]
	seg *plan.Segment
}

func (t *stripes[T]) Part(w, i int) { t.p.workers[w].stripe(t.seg, i) }

// sums is the task of adding up the partial sums of a segment, piece by piece.
type sums[T kernels.Float] struct {
	p      *Program[T]
	seg    *plan.Segment
	pieces int // per sum
}

func (t *sums[T]) Part(_, i int) {
	for k := range t.seg.Sums {
		c := &t.seg.Sums[k]
		n := (c.N + t.pieces - 1) / t.pieces
		if lo, hi := i*n, min((i+1)*n, c.N); lo < hi {
			t.p.combine(c, lo, hi)
		}
	}
}

// share is the kernel of a step that runs once, in parts for all workers.
func (w *worker[T]) share(parts int, part team.Pieces) kernel {
	j := &team.Job{Task: part, Parts: parts, Workers: w.p.opt.Threads}
	return func(int, int, bool) {
		if w.times != nil { // measuring, on one thread
			for i := range parts {
				part(i)
			}
			return
		}
		j.Run()
	}
}

// makeJobs prepares the work that may be shared.
func (p *Program[T]) makeJobs() {
	p.jobs = make([]team.Job, 2*len(p.plan.Main))
	for i := range p.plan.Main {
		seg := &p.plan.Main[i]
		if seg.Rows == 0 {
			continue
		}
		n := len(p.workers)
		if seg.Cost < sharedCost && p.opt.TileRows == 0 {
			n = 1
		}
		p.jobs[2*i] = team.Job{Task: &stripes[T]{p, seg}, Parts: seg.Stripes(), Workers: n}
		total := 0
		for _, c := range seg.Sums {
			total += c.N * c.Stripes
		}
		pieces := 1
		if n > 1 && total > 1<<16 {
			pieces = 2 * n
		}
		parts := pieces
		if len(seg.Sums) == 0 {
			parts = 0
		}
		p.jobs[2*i+1] = team.Job{Task: &sums[T]{p, seg, pieces}, Parts: parts, Workers: n}
	}
}

// combine adds the elements lo … hi−1 of the partial sums, a block of the first-level cache at a time.
func (p *Program[T]) combine(c *plan.Combine, lo, hi int) {
	const block = 2048
	s := &p.plan.Slots[c.Partial]
	for ; lo < hi; lo += block {
		end := min(lo+block, hi)
		dst := p.workers[0].buf[c.Dst][lo:end]
		kernels.Add(dst, p.parts[s.Off+lo:s.Off+end], p.parts[s.Off+s.Stride+lo:s.Off+s.Stride+end])
		for k := 2; k < c.Stripes; k++ {
			o := s.Off + k*s.Stride
			kernels.Add(dst, dst, p.parts[o+lo:o+end])
		}
	}
}
