package mcmc

import (
	"errors"
	"fmt"
	"runtime/debug"
	"sync/atomic"
)

// Panic is the value with which [Sample] panics if a worker panicked, for any number of workers: a panic left in a
// worker's goroutine could not be recovered by the caller and would end the program.
type Panic struct {
	Value any    // of the worker's panic
	Stack []byte // of the worker, where it panicked
}

var _ error = (*Panic)(nil)

// Error returns the value and the stack.
func (p *Panic) Error() string {
	return fmt.Sprintf("mcmc: panic in a worker of Sample: %v\n\n%s", p.Value, p.Stack)
}

// Unwrap returns Value if it is an error.
func (p *Panic) Unwrap() error {
	err, _ := p.Value.(error)
	return err
}

// caught records the panic of the goroutine that defers it, unless one is already recorded, and stops the others.
func caught(first *atomic.Pointer[Panic], stop func(error)) {
	if v := recover(); v != nil {
		p, ok := v.(*Panic) // from a goroutine that this one waited for
		if !ok {
			p = &Panic{Value: v, Stack: debug.Stack()}
		}
		first.CompareAndSwap(nil, p)
		stop(errPanicked)
	}
}

var errPanicked = errors.New("mcmc: a worker panicked")
