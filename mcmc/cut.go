package mcmc

import (
	"errors"
	"sync"
	"sync/atomic"
	"time"

	"gonum.org/v1/gonum/mat"
)

// Apart is a target that gives each row the same bits whatever other rows are in the batch, so that batches may be cut
// anywhere. A [RowFunc] is one. A compiled energy is not: for a single row it may differ by rounding from the same row
// in a batch.
type Apart interface {
	Target
	Apart() bool
}

// Apart returns true: f does not depend on other rows.
func (f RowFunc) Apart() bool { return true }

// cutter divides batches among several targets, the first of which belongs to the calling goroutine, and has the parts
// computed concurrently where that pays off. Which goroutine computes a part does not change its bits; where the cuts
// are does not depend on the number of targets, unless they are Apart.
type cutter struct {
	targets []Target
	rows    int // rows per part; 0 means one part for every target
	views   []part
	cost    time.Duration // per row, the minimum seen
	seen    int
}

// part is a part of a batch.
type part struct {
	e    []float64
	g, x mat.Dense
	err  error
}

// worthwhile is the minimum time of a batch for which goroutines are started: they cost some microseconds.
const worthwhile = 100 * time.Microsecond

// newCutter returns a cutter, or the target if there is only one.
func newCutter(targets []Target, rows int) Target {
	if len(targets) == 1 && rows == 0 {
		return targets[0]
	}
	return &cutter{targets: targets, rows: rows}
}

// EnergyGrad computes the parts of the batch. The clock only decides whether that happens concurrently.
func (s *cutter) EnergyGrad(e []float64, grad, x *mat.Dense) error {
	n := len(e)
	const trials = 8
	apart := s.rows == 0
	if apart && (n == 1 || s.seen < trials || s.cost*time.Duration(n) < worthwhile) {
		begin := time.Now()
		err := s.targets[0].EnergyGrad(e, grad, x)
		s.note(time.Since(begin), n)
		return err
	}
	size := s.rows
	if apart {
		size = (n + len(s.targets) - 1) / len(s.targets)
	}
	parts := s.cut(e, grad, x, size)
	if len(s.targets) == 1 || len(parts) == 1 || s.seen < trials || s.cost*time.Duration(n) < worthwhile {
		begin := time.Now()
		for i := range parts {
			p := &parts[i]
			if err := s.targets[0].EnergyGrad(p.e, &p.g, &p.x); err != nil {
				return err
			}
		}
		s.note(time.Since(begin), n)
		return nil
	}
	return s.together(parts)
}

func (s *cutter) note(d time.Duration, n int) {
	if d /= time.Duration(n); s.seen == 0 || d < s.cost {
		s.cost = d
	}
	s.seen++
}

// cut divides the batch into parts of at most size rows.
func (s *cutter) cut(e []float64, grad, x *mat.Dense, size int) []part {
	n := len(e)
	d := len(x.RawMatrix().Data) / n
	gd, xd := grad.RawMatrix().Data, x.RawMatrix().Data
	count := (n + size - 1) / size
	for len(s.views) < count {
		s.views = append(s.views, part{})
	}
	for i := range s.views[:count] {
		lo, hi := i*size, min((i+1)*size, n)
		p := &s.views[i]
		p.e, p.err = e[lo:hi], nil
		view(&p.g, gd[lo*d:hi*d], hi-lo, d)
		view(&p.x, xd[lo*d:hi*d], hi-lo, d)
	}
	return s.views[:count]
}

// together computes the parts in one goroutine per target. A panic in one of them is passed on to the caller.
func (s *cutter) together(parts []part) error {
	var next atomic.Int64
	var wg sync.WaitGroup
	var panicked atomic.Pointer[Panic]
	work := func(t Target) {
		defer caught(&panicked, func(error) {})
		for {
			i := int(next.Add(1)) - 1
			if i >= len(parts) {
				return
			}
			p := &parts[i]
			p.err = t.EnergyGrad(p.e, &p.g, &p.x)
		}
	}
	for _, t := range s.targets[1:min(len(s.targets), len(parts))] {
		wg.Go(func() { work(t) })
	}
	work(s.targets[0])
	wg.Wait()
	if p := panicked.Load(); p != nil {
		panic(p)
	}
	var errs []error
	for i := range parts {
		errs = append(errs, parts[i].err)
	}
	return errors.Join(errs...)
}

// SetSigma sets the noise level of all targets.
func (s *cutter) SetSigma(sigma float64) error {
	for _, t := range s.targets {
		nt, ok := t.(NoiseTarget)
		if !ok {
			return errNoNoise(t)
		}
		if err := nt.SetSigma(sigma); err != nil {
			return err
		}
	}
	return nil
}
