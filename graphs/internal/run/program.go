package run

import (
	"slices"
	"time"
	"unsafe"

	"github.com/stheno-ebm/stheno/graphs/internal/conv"
	"github.com/stheno-ebm/stheno/graphs/internal/ir"
	"github.com/stheno-ebm/stheno/graphs/internal/kernels"
	"github.com/stheno-ebm/stheno/graphs/internal/plan"
	"github.com/stheno-ebm/stheno/graphs/internal/team"
)

// Options of a program.
type Options struct {
	Threads  int // workers; 0 and 1: the caller alone
	TileRows int // rows per tile, for tests; segments of any size are then shared; 0: chosen from the shapes
	MinRows  int // rows from which on a batch is split into tiles; 0 means 64
}

// Program is a compiled graph with its memory. It is not for concurrent use; clones are independent.
type Program[T kernels.Float] struct {
	plan    *plan.Plan
	opt     Options
	keep    []T
	whole   []T
	parts   []T
	packs   []kernels.Packed[T] // by slot
	filters []*conv.Packed[T]   // by slot
	workers []*worker[T]
	micros  []micro[T] // by plan.MicroOp
	jobs    []team.Job // two per segment of the plan: its stripes, and the sums over stripes
	stale   bool       // held inputs have changed

	loads, stores *transfer[T]
}

// New plans g, the result of rules.Apply, and reserves its memory.
func New[T kernels.Float](g *ir.Graph, opt Options) *Program[T] {
	var z T
	pl := plan.New(g, plan.Settings{
		ElemSize: int(unsafe.Sizeof(z)), Alone: opt.Threads <= 1, MinRows: opt.MinRows, TileRows: opt.TileRows,
		PackLen: func(k, n int) int { return (n + 15) / 16 * 16 * k }, WorkLen: kernels.Workspace[T],
		ConvLen: func(o ir.Conv) int { return conv.Workspace[T](conv.New(o.Window, o.Role)) },
	})
	return instantiate[T](pl, opt)
}

// aligned64 returns n zeros that start on a cache line.
func aligned64[T kernels.Float](n int) []T {
	const line = 64
	s := make([]T, n+line)
	skip := int(-uintptr(unsafe.Pointer(&s[0]))%line) / int(unsafe.Sizeof(s[0]))
	return s[skip : skip+n : skip+n]
}

func instantiate[T kernels.Float](pl *plan.Plan, opt Options) *Program[T] {
	p := &Program[T]{plan: pl, opt: opt, stale: true, micros: micros[T]()}
	p.keep = aligned64[T](pl.KeepLen)
	p.whole = aligned64[T](pl.FullLen)
	p.parts = aligned64[T](pl.PartLen)
	p.packs = make([]kernels.Packed[T], len(pl.Slots))
	p.filters = make([]*conv.Packed[T], len(pl.Slots))
	for range max(opt.Threads, 1) {
		p.workers = append(p.workers, newWorker(p))
	}
	p.makeJobs()
	p.loads, p.stores = newTransfer(p, pl.Inputs, false), newTransfer(p, pl.Outputs, true)
	for _, c := range pl.Consts {
		dst := p.workers[0].buf[c.Slot]
		switch o := pl.Graph.At(c.ID).Op.(type) {
		case ir.Const:
			kernels.Fill(dst, T(o.C))
		case ir.Data:
			for j, v := range o.Values {
				dst[j] = T(v)
			}
		}
	}
	return p
}

// Input is the memory from which the i-th input is read.
func (p *Program[T]) Input(i int) []T { return p.workers[0].buf[p.plan.Inputs[i]] }

// Bind makes x the memory of the i-th input, which must not be held. It reports whether x has the right length.
func (p *Program[T]) Bind(i int, x []T) bool {
	n := p.plan.Inputs[i]
	if len(x) != p.plan.Slots[n].Size {
		return false
	}
	for _, w := range p.workers {
		w.buf[n] = x
	}
	return true
}

// Own lets the i-th input use its own memory again, and returns it.
func (p *Program[T]) Own(i int) []T {
	s := &p.plan.Slots[p.plan.Inputs[i]]
	p.Bind(i, p.keep[s.Off:s.Off+s.Size])
	return p.Input(i)
}

// Place identifies the memory of the i-th output: two outputs with the same place share it. It reports false if it is
// also the memory of an input or a constant.
func (p *Program[T]) Place(i int) (n int, ok bool) {
	n = int(p.plan.Outputs[i])
	return n, p.plan.Slots[n].Kind == plan.Full
}

// Output is the memory of the i-th output after Run.
func (p *Program[T]) Output(i int) []T { return p.workers[0].buf[p.plan.Outputs[i]] }

// Touch tells the program that held inputs have changed.
func (p *Program[T]) Touch() { p.stale = true }

// Clone returns a program with memory of its own and the inputs of p.
func (p *Program[T]) Clone() *Program[T] {
	q := p.Blank()
	for i := range p.plan.Inputs {
		copy(q.Input(i), p.Input(i))
	}
	return q
}

// Blank returns a program with memory of its own. It reads only those parts of p that never change.
func (p *Program[T]) Blank() *Program[T] { return instantiate[T](p.plan, p.opt) }

// Bytes is the memory that the program uses for numbers.
func (p *Program[T]) Bytes() int {
	pl := p.plan
	n := pl.KeepLen + pl.FullLen + pl.PartLen + pl.PackLen + max(p.opt.Threads, 1)*(pl.TileLen+pl.Scratch+pl.WorkLen)
	return n * pl.ElemSize
}

// Run computes the outputs. The only errors are those of opaque steps.
func (p *Program[T]) Run() error {
	w := p.workers[0]
	if p.stale {
		for i := range p.plan.Held {
			if err := w.once(&p.plan.Held[i]); err != nil {
				return err
			}
		}
		p.stale = false
	}
	for i := range p.plan.Main {
		seg := &p.plan.Main[i]
		switch {
		case seg.Rows == 0:
			if err := w.once(seg); err != nil {
				return err
			}
		case p.plan.Alone:
			w.inTurn(seg)
		default:
			p.jobs[2*i].Run()
			p.jobs[2*i+1].Run()
		}
	}
	return nil
}

// Dump prints the program in readable form.
func (p *Program[T]) Dump() string { return p.plan.Dump(nil) }

// Measure runs the program n times on one thread, and returns what Dump returns with the shortest time of each step.
func (p *Program[T]) Measure(n int) (string, error) {
	w := p.workers[0]
	w.times = make([]time.Duration, p.plan.Steps)
	defer func() { w.times = nil }()
	jobs := p.jobs
	p.jobs = slices.Clone(jobs)
	for i := range p.jobs {
		p.jobs[i].Workers = 1
	}
	defer func() { p.jobs = jobs }()
	for range n {
		if err := p.Run(); err != nil {
			return "", err
		}
	}
	return p.plan.Dump(w.times), nil
}
