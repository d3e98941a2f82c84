package graphs

import (
	"fmt"

	G "gorgonia.org/gorgonia"
	"gorgonia.org/tensor"
)

// opRunner runs an operation that has no instruction, in the way that Gorgonia offers and that is right:
//
//   - element-wise functions of one tensor: a copy of the operand, changed in place;
//   - operations that take a buffer: into the buffer, which first gets what the operation expects there: zeros where it adds
//     up, the operand where it changes that;
//   - scalars and all others: Do, the result copied.
//
// Operands and result are wrapped as tensors once, as long as their memory stays where it is.
type opRunner struct {
	op      G.Op
	out     *G.Node
	in      G.Nodes
	foreign []*G.Value // operands that are no numbers of the program
	result  *G.Value   // the result, if it is none either

	args []G.Value
	buf  G.Value
	mode runMode
}

type runMode uint8

const (
	unprepared runMode = iota
	inPlace
	intoBuffer
	byDo
)

func (r *opRunner) Label() string { return r.op.String() }

func (r *opRunner) Run32(dst []float32, args [][]float32) error { return runOp(r, dst, args) }
func (r *opRunner) Run64(dst []float64, args [][]float64) error { return runOp(r, dst, args) }

func runOp[T float32 | float64](r *opRunner, dst []T, args [][]T) (err error) {
	defer func() {
		if p := recover(); p != nil {
			err = fmt.Errorf("%v panics: %v", r.op, p)
		}
	}()
	if r.args == nil {
		r.args = make([]G.Value, len(r.in))
	}
	for i, n := range r.in {
		switch {
		case r.foreign[i] != nil:
			if n.Op() == nil || len(operands(n)) == 0 {
				*r.foreign[i] = n.Value()
			}
			if r.args[i] = *r.foreign[i]; r.args[i] == nil {
				return fmt.Errorf("%v has no value", n)
			}
		case n.Dims() == 0:
			if r.args[i] == nil {
				r.args[i] = newValue(n.Dtype(), nil)
			}
			setScalar(r.args[i], float64(args[i][0]))
		default:
			d, _ := r.args[i].(*tensor.Dense)
			if d != nil {
				if s, _ := elements[T](d); len(s) == 0 || &s[0] != &args[i][0] {
					d = nil
				}
			}
			if d == nil {
				size := n.Shape().TotalSize()
				r.args[i] = tensor.New(tensor.WithShape(n.Shape()...), tensor.WithBacking(args[i][:size:size]))
			}
		}
	}
	if r.mode == unprepared {
		r.prepare(func() G.Value { return tensor.New(tensor.WithShape(r.out.Shape()...), tensor.WithBacking(dst)) })
	}
	var v G.Value
	switch r.mode {
	case inPlace:
		copy(dst, args[0])
		v, err = r.op.(G.UnsafeDoer).UnsafeDo(r.buf)
	case intoBuffer:
		switch typeName(r.op) {
		case "gorgonia.sliceIncrOp":
			clear(dst)
		case "*gorgonia.BatchNormOp":
			copy(dst, args[0])
		}
		v, err = r.op.(G.UsePreallocDoer).UsePreallocDo(r.buf, r.args...)
	default:
		v, err = r.op.Do(r.args...)
	}
	switch {
	case err != nil:
		return err
	case v == nil:
		return fmt.Errorf("%v gives no value", r.op)
	case r.result != nil:
		*r.result = v
		return nil
	case v == r.buf:
		return nil
	}
	switch s := v.(type) {
	case *G.F64:
		dst[0] = T(*s)
		return nil
	case *G.F32:
		dst[0] = T(*s)
		return nil
	}
	x, err := readValue(v)
	if err != nil {
		return err
	}
	if len(x) != len(dst) {
		return fmt.Errorf("%v gives %d elements for shape %v", r.op, len(x), r.out.Shape())
	}
	for i, e := range x {
		dst[i] = T(e)
	}
	return nil
}

func (r *opRunner) prepare(buffer func() G.Value) {
	r.mode = byDo
	if r.result != nil || r.out.Dims() == 0 {
		return
	}
	_, unsafe := r.op.(G.UnsafeDoer)
	_, prealloc := r.op.(G.UsePreallocDoer)
	switch {
	case typeName(r.op) == "*gorgonia.dropoutOp": // whose UsePreallocDo takes a method for its data, and panics
		return
	case unsafe && typeName(r.op) == "gorgonia.elemUnaryOp":
		r.mode = inPlace
	case prealloc:
		r.mode = intoBuffer
	default:
		return
	}
	r.buf = buffer()
}

func setScalar(v G.Value, x float64) {
	switch v := v.(type) {
	case *G.F64:
		*v = G.F64(x)
	case *G.F32:
		*v = G.F32(x)
	}
}
