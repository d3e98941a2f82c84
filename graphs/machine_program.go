package graphs

import (
	"fmt"

	G "gorgonia.org/gorgonia"
	"gorgonia.org/tensor"

	"github.com/stheno-ebm/stheno/graphs/internal/kernels"
	"github.com/stheno-ebm/stheno/graphs/internal/run"
)

// machineRun hides the number type of a machine's program.
type machineRun interface {
	place(i int) (int, bool)
	bind(i int, v G.Value) error
	value(r *result) error
	execute() error
	dump() string
	bytes() int
}

// machineProgram is a machineRun of number type T.
type machineProgram[T kernels.Float] struct{ *run.Program[T] }

func (p machineProgram[T]) execute() error { return p.Run() }
func (p machineProgram[T]) dump() string   { return p.Dump() }
func (p machineProgram[T]) bytes() int     { return p.Bytes() }

// bind makes v the value of input i: in place if its elements are contiguous, else by copying.
func (p machineProgram[T]) bind(i int, v G.Value) error {
	if d, ok := v.(*tensor.Dense); ok && !d.RequiresIterator() && !d.DataOrder().IsColMajor() {
		if s, ok := elements[T](d); ok {
			if !p.Bind(i, s) {
				return fmt.Errorf("%w: value of shape %v", ErrShape, d.Shape())
			}
			return nil
		}
	}
	return loadValue(p.Own(i), v)
}

func (p machineProgram[T]) place(i int) (int, bool) { return p.Place(i) }

// value makes r's value, or brings it up to date: the program's memory where r may share it.
func (p machineProgram[T]) value(r *result) error {
	src := p.Output(r.out)
	if r.foreign != nil && r.foreign.form.dense { // the operation's own form, whatever its node says
		if d, ok := r.value.(*tensor.Dense); !ok || !sameDims(d.Shape(), r.foreign.form.shape) {
			r.value, r.copy = tensor.New(tensor.Of(r.n.Dtype()), tensor.WithShape(r.foreign.form.shape...),
				tensor.WithEngine(standardEngine)), true
		}
	}
	if r.value != nil {
		return storeValue(r.value, src)
	}
	if size := max(r.n.Shape().TotalSize(), 1); size != len(src) {
		return fmt.Errorf("%v of shape %v has %d elements", r.n.Op(), r.n.Shape(), len(src))
	}
	r.copy = r.n.Dims() == 0 || r.n.Dtype() != dtypeOf[T]() || !r.shares
	if r.copy {
		r.value = newValue(r.n.Dtype(), r.n.Shape())
		return nil
	}
	r.value = tensor.New(tensor.WithShape(r.n.Shape()...), tensor.WithBacking(src), tensor.WithEngine(standardEngine))
	return nil
}
