package graphs

import (
	"fmt"
	"sync/atomic"

	"gorgonia.org/tensor"

	"github.com/stheno-ebm/stheno/graphs/internal/ir"
	"github.com/stheno-ebm/stheno/graphs/internal/kernels"
	"github.com/stheno-ebm/stheno/graphs/internal/run"
)

// Function is a compiled graph: a flat program with its own memory, for fixed shapes of inputs and outputs.
//
// A Function computes in the type of its graph; Call converts arguments and results. It does not allocate while it
// runs. It must not be called by several goroutines at once, and panics if it is: give each its own Clone.
type Function struct {
	in, out []port
	run     engine
	fresh   bool        // held inputs must be read at the next call
	slices  [][]float64 // what a call reads or stores, by port; kept here so that its arguments do not escape
	busy    atomic.Bool
	alone   bool // its owner guarantees exclusive use
}

const errBusy = "graphs: a Function is called by two goroutines at a time: give each of them its own, made by Clone"

// use claims f for the calling goroutine until free.
func (f *Function) use() {
	if !f.alone && !f.busy.CompareAndSwap(false, true) {
		panic(errBusy)
	}
}

func (f *Function) free() {
	if !f.alone {
		f.busy.Store(false)
	}
}

// port is an input or output.
type port struct {
	name string
	size int
	held bool
	set  bool // an input that has been given a value
}

// engine hides the number type of a program.
type engine interface {
	load(args [][]float64) // nil: the input keeps its value
	store(dst [][]float64) // nil: the output is not wanted
	touch()
	execute() error
	clone(inputs bool) engine // with the values of the inputs, or without
	bytes() int
	dump() string
	measure(n int) (string, error)
}

// Call evaluates the function: args[i] is the value of the i-th input, row-major; dst[i] receives the i-th output.
// Their lengths must be those of the nodes.
//
// args[i] may be nil: the input keeps its value from the previous call. dst[i] may be nil, and dst may be shorter, for
// outputs that are not wanted. Held inputs (see Held) are read only at the first call and at the first call after
// Touch.
//
// Non-finite numbers are treated like any others. On error dst is unchanged.
func (f *Function) Call(dst [][]float64, args ...[]float64) error {
	f.use()
	defer f.free()
	if len(args) > len(f.in) || len(dst) > len(f.out) {
		return fmt.Errorf("graphs: Call with %d inputs and %d outputs, the function has %d and %d", len(args), len(dst),
			len(f.in), len(f.out))
	}
	for i := range dst {
		if dst[i] != nil && len(dst[i]) != f.out[i].size {
			return fmt.Errorf("graphs: Call: %w: output %d (%s) has %d elements, the slice for it %d", ErrShape, i,
				f.out[i].name, f.out[i].size, len(dst[i]))
		}
	}
	for i := range f.in {
		p := &f.in[i]
		if p.held && p.set && !f.fresh {
			continue
		}
		if i >= len(args) || args[i] == nil {
			if !p.set {
				return fmt.Errorf("graphs: Call: input %d (%s) has no value yet", i, p.name)
			}
			continue
		}
		if len(args[i]) != p.size {
			return fmt.Errorf("graphs: Call: %w: input %d (%s) has %d elements, its argument %d", ErrShape, i, p.name,
				p.size, len(args[i]))
		}
	}
	f.load(args)
	if f.fresh {
		f.run.touch()
		f.fresh = false
	}
	if err := f.run.execute(); err != nil {
		return fmt.Errorf("graphs: %w", err)
	}
	f.slices = append(f.slices[:0], dst...)
	f.run.store(f.slices)
	clear(f.slices)
	return nil
}

// load reads the arguments, except those of held inputs that are known.
func (f *Function) load(args [][]float64) {
	f.slices = append(f.slices[:0], args...)
	for i, a := range args {
		p := &f.in[i]
		if p.held && p.set && !f.fresh {
			f.slices[i] = nil
		}
		p.set = p.set || a != nil
	}
	f.run.load(f.slices)
	clear(f.slices)
}

// Touch marks held inputs as changed: the next Call reads, converts and packs them again.
func (f *Function) Touch() { f.fresh = true }

// Clone returns a function with the same program and its own memory. Its inputs have the values of f's, which must not
// be called in the meantime; see Blank.
func (f *Function) Clone() *Function {
	if f.busy.Load() {
		panic(errBusy)
	}
	return &Function{in: append([]port(nil), f.in...), out: f.out, run: f.run.clone(true), fresh: true, alone: f.alone}
}

// Blank returns a Clone whose inputs have no values yet. It may be called while another goroutine calls f.
func (f *Function) Blank() *Function {
	in := make([]port, len(f.in))
	for i := range in {
		p := &f.in[i] // a copy of all would read what a call is setting
		in[i] = port{name: p.name, size: p.size, held: p.held}
	}
	return &Function{in: in, out: f.out, run: f.run.clone(false), fresh: true, alone: f.alone}
}

// MemoryBytes returns the size of the function's own memory for numbers: inputs, intermediate and packed values. Every
// clone needs the same amount again.
func (f *Function) MemoryBytes() int { return f.run.bytes() }

// String prints the program: what runs, in which order and shape, what is fused, and its cost.
func (f *Function) String() string { return f.run.dump() }

// Profile runs the function n times on one thread, with the arguments of the previous call, and returns the output of
// String with the shortest time of each step.
func (f *Function) Profile(n int) (string, error) {
	f.use()
	defer f.free()
	for i := range f.in {
		if p := &f.in[i]; !p.set {
			return "", fmt.Errorf("graphs: Profile: input %d (%s) has no value yet", i, p.name)
		}
	}
	return f.run.measure(n)
}

// program is an engine of number type T.
type program[T kernels.Float] struct{ *run.Program[T] }

func newEngine(dt tensor.Dtype, g *ir.Graph, opt run.Options) engine {
	if dt == tensor.Float32 {
		return program[float32]{run.New[float32](g, opt)}
	}
	return program[float64]{run.New[float64](g, opt)}
}

func (p program[T]) load(args [][]float64) { p.Load(args) }
func (p program[T]) store(dst [][]float64) { p.Store(dst) }
func (p program[T]) touch()                { p.Touch() }
func (p program[T]) execute() error        { return p.Run() }
func (p program[T]) bytes() int            { return p.Bytes() }
func (p program[T]) dump() string          { return p.Dump() }

func (p program[T]) clone(inputs bool) engine {
	if inputs {
		return program[T]{p.Clone()}
	}
	return program[T]{p.Blank()}
}

func (p program[T]) measure(n int) (string, error) { return p.Measure(n) }
