package run

import (
	"time"

	"github.com/stheno-ebm/stheno/graphs/internal/kernels"
	"github.com/stheno-ebm/stheno/graphs/internal/plan"
)

// worker is everything that one thread needs to run tiles.
type worker[T kernels.Float] struct {
	p       *Program[T]
	buf     [][]T // by slot
	kernels []kernel
	tiles   []T
	scratch []T
	work    []T
	err     error           // from an opaque step
	times   []time.Duration // by step, when measuring: the shortest run so far
}

func newWorker[T kernels.Float](p *Program[T]) *worker[T] {
	pl := p.plan
	w := &worker[T]{p: p, buf: make([][]T, len(pl.Slots)), kernels: make([]kernel, pl.Steps)}
	w.tiles = aligned64[T](pl.TileLen)
	w.scratch = aligned64[T](pl.Scratch)
	w.work = aligned64[T](pl.WorkLen)
	for i := range pl.Slots {
		s := &pl.Slots[i]
		switch s.Kind {
		case plan.Persistent:
			w.buf[i] = p.keep[s.Off : s.Off+s.Size : s.Off+s.Size]
		case plan.Full:
			w.buf[i] = p.whole[s.Off : s.Off+s.Size : s.Off+s.Size]
		}
	}
	for _, segs := range [2][]plan.Segment{pl.Held, pl.Main} {
		for i := range segs {
			seg := &segs[i]
			for j := range seg.Steps {
				st := &seg.Steps[j]
				w.bindTiles(seg, st)
				w.kernels[st.N] = newKernel(w, st)
			}
		}
	}
	return w
}

// bindTiles gives the tile slots that a step uses their memory.
func (w *worker[T]) bindTiles(seg *plan.Segment, st *plan.Step) {
	bind := func(n int32) {
		if n < 0 {
			return
		}
		if s := &w.p.plan.Slots[n]; s.Kind == plan.Tile {
			w.buf[n] = w.tiles[s.Off : s.Off+seg.Tile*s.Cols]
		}
	}
	if st.Group == nil {
		bind(st.Dst.Slot)
		return
	}
	for _, r := range st.Group.Regs {
		bind(r.Ref.Slot)
	}
}

// at is the memory of a use r of a slot, at a row of the batch.
func (w *worker[T]) at(r plan.Ref, row int) []T {
	return w.buf[r.Slot][row*int(r.Step):]
}

// stripe runs the tiles of one stripe, where there are several workers.
func (w *worker[T]) stripe(seg *plan.Segment, n int) {
	for i := range seg.Sums {
		w.bindPart(&seg.Sums[i], n)
	}
	w.runTiles(seg, n)
}

// bindPart makes the slot of a partial sum the place of that of stripe n.
func (w *worker[T]) bindPart(c *plan.Combine, n int) {
	s := &w.p.plan.Slots[c.Partial]
	o := s.Off + n*s.Stride
	w.buf[c.Partial] = w.p.parts[o : o+s.Size]
}

// inTurn runs one stripe after the other, for a single worker: the sums of the first stripe in place, those of the
// others beside it, to be added while they are still in the cache. The additions are those of combine, in the same
// order.
func (w *worker[T]) inTurn(seg *plan.Segment) {
	for i := range seg.Sums {
		c := &seg.Sums[i]
		w.buf[c.Partial] = w.buf[c.Dst]
	}
	w.runTiles(seg, 0)
	for n := 1; n < seg.Stripes(); n++ {
		for i := range seg.Sums {
			w.bindPart(&seg.Sums[i], n)
		}
		w.runTiles(seg, n)
		for i := range seg.Sums {
			c := &seg.Sums[i]
			dst := w.buf[c.Dst][:c.N]
			kernels.Add(dst, dst, w.buf[c.Partial])
		}
	}
}

// runTiles runs the tiles of stripe n.
func (w *worker[T]) runTiles(seg *plan.Segment, n int) {
	lo := n * seg.Stripe
	hi := min(lo+seg.Stripe, seg.Rows)
	for r := lo; r < hi; r += seg.Tile {
		rows := min(seg.Tile, hi-r)
		if w.times != nil {
			for i := range seg.Steps {
				w.measure(&seg.Steps[i], r, rows, r == lo, rows == seg.Tile)
			}
			continue
		}
		for _, run := range w.of(seg) {
			run(r, rows, r == lo)
		}
	}
}

// of returns the kernels of the steps of a segment, which are numbered consecutively.
func (w *worker[T]) of(seg *plan.Segment) []kernel {
	return w.kernels[seg.Steps[0].N:][:len(seg.Steps)]
}

// once runs a segment that is not split into tiles.
func (w *worker[T]) once(seg *plan.Segment) error {
	for i, run := range w.of(seg) {
		if w.times != nil {
			w.measure(&seg.Steps[i], 0, 0, true, true)
		} else {
			run(0, 0, true)
		}
		if w.err != nil {
			err := w.err
			w.err = nil
			return err
		}
	}
	return nil
}

// measure runs a step and records how long it takes, if it has full size.
func (w *worker[T]) measure(st *plan.Step, row, rows int, first, full bool) {
	start := time.Now()
	w.kernels[st.N](row, rows, first)
	if t := time.Since(start); full && (w.times[st.N] == 0 || t < w.times[st.N]) {
		w.times[st.N] = t
	}
}
