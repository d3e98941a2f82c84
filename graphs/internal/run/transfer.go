package run

import (
	"github.com/stheno-ebm/stheno/graphs/internal/kernels"
	"github.com/stheno-ebm/stheno/graphs/internal/team"
)

// transfer is the task of converting between a caller's slices and the inputs or outputs of a program.
type transfer[T kernels.Float] struct {
	w     *worker[T]
	slots []int32
	store bool        // to the caller, else from it
	far   [][]float64 // the caller's, during a transfer; nil: not wanted
	job   team.Job
}

func newTransfer[T kernels.Float](p *Program[T], slots []int32, store bool) *transfer[T] {
	t, total := &transfer[T]{w: p.workers[0], slots: slots, store: store}, 0
	for _, n := range slots {
		total += p.plan.Slots[n].Size
	}
	n := len(p.workers)
	t.job = team.Job{Task: t, Parts: team.Parts(total, n), Workers: n}
	return t
}

func (t *transfer[T]) run(far [][]float64) {
	t.far = far
	t.job.Run()
	t.far = nil
}

// Part converts a part of every slice.
func (t *transfer[T]) Part(_, part int) {
	for i, far := range t.far {
		if far == nil {
			continue
		}
		lo, hi := team.Cut(len(far), part, t.job.Parts)
		if own := t.w.buf[t.slots[i]][lo:hi]; t.store {
			store(far[lo:hi], own)
		} else {
			load(own, far[lo:hi])
		}
	}
}

// Load sets the i-th input to args[i], unless that is nil.
func (p *Program[T]) Load(args [][]float64) { p.loads.run(args) }

// Store stores the i-th output in dst[i], unless that is nil.
func (p *Program[T]) Store(dst [][]float64) { p.stores.run(dst) }

func load[T kernels.Float](own []T, x []float64) {
	switch own := any(own).(type) {
	case []float64:
		copy(own, x)
	case []float32:
		kernels.ToFloat32(own, x)
	}
}

func store[T kernels.Float](dst []float64, own []T) {
	switch own := any(own).(type) {
	case []float64:
		copy(dst, own)
	case []float32:
		kernels.ToFloat64(dst, own)
	}
}
