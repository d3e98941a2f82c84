package mcmc

import (
	"errors"
	"sync"
	"sync/atomic"
	"time"

	"gonum.org/v1/gonum/mat"
)

// Apart is a target whose rows have the same bits whichever other rows they are computed with, so that a batch may
// be cut anywhere. A [RowFunc] is one. A compiled energy is not: of a single row it may differ from itself in a
// batch by rounding.
type Apart interface {
	Target
	Apart() bool
}

// Apart says that f knows nothing of other rows.
func (f RowFunc) Apart() bool { return true }

// cutter cuts batches among several targets, the first of which is that of the calling goroutine, and has the parts
// computed at the same time where that pays. Which goroutine computes a part changes no bit of it; where the cuts
// are does not depend on how many there are, unless the targets are Apart.
type cutter struct {
	targets []Target
	rows    int // of a part; 0 means one part for every target
	views   []part
	cost    time.Duration // of a row, the least seen
	seen    int
}

// part is a cut of a batch.
type part struct {
	e    []float64
	g, x mat.Dense
	err  error
}

// worthwhile is how long a batch must take before goroutines are started for it: they cost some microseconds.
const worthwhile = 100 * time.Microsecond

// newCutter returns a target that cuts as said, or the only one there is.
func newCutter(targets []Target, rows int) Target {
	if len(targets) == 1 && rows == 0 {
		return targets[0]
	}
	return &cutter{targets: targets, rows: rows}
}

// EnergyGrad computes the parts of the batch. The clock decides only whether that is done at the same time.
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

// cut makes the parts of at most size rows.
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

// together computes the parts by as many goroutines as there are targets. A panic in one of them is that of the
// caller.
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
