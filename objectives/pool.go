package objectives

import (
	"sync"

	"gonum.org/v1/gonum/mat"
)

// pool lends values of which every goroutine needs its own. It keeps as many as were ever lent at a time; sync.Pool
// drops them at a garbage collection, and a gradient would allocate.
type pool[T any] struct {
	fresh func() T // may be called while others are lent
	mu    sync.Mutex
	free  []T
}

func (p *pool[T]) get() T {
	p.mu.Lock()
	defer p.mu.Unlock()
	last := len(p.free) - 1
	if last < 0 {
		return p.fresh()
	}
	v := p.free[last]
	p.free = p.free[:last]
	return v
}

func (p *pool[T]) put(v T) {
	p.mu.Lock()
	p.free = append(p.free, v)
	p.mu.Unlock()
}

// scratch is what a call of a noise needs and the next one does not.
type scratch struct {
	v   []float64
	row mat.Dense
}

var scratches = pool[*scratch]{fresh: func() *scratch { return new(scratch) }}

// numbers returns room for n numbers.
func (s *scratch) numbers(n int) []float64 {
	if len(s.v) < n {
		s.v = make([]float64, n)
	}
	return s.v[:n]
}
