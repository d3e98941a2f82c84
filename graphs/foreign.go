package graphs

import (
	"fmt"
	"sync"

	G "gorgonia.org/gorgonia"
	"gorgonia.org/tensor"

	"github.com/stheno-ebm/stheno/graphs/internal/gorgonia"
	"github.com/stheno-ebm/stheno/graphs/internal/kernels"
)

// foreignRunner runs an operation without an instruction by its own code, by the first of Gorgonia's interfaces that
// works correctly:
//
//   - element-wise functions of one tensor: a copy of the operand, changed in place;
//   - operations that take a buffer: into the buffer, which is first filled with what the operation expects: zeros if
//     it accumulates, the operand if it modifies that;
//   - scalars and all others: Do, with the result copied.
//
// Operands and result are wrapped as tensors once, as long as their memory does not move. Third-party operations get
// copies of their operands, since they may write to them, as YOLOv3 does; but an operand that is Gorgonia's identity
// operation is meant to be written to. Programs that share an operation, such as clones, take turns.
type foreignRunner struct {
	op   G.Op
	kind gorgonia.Kind
	out  *G.Node
	in   G.Nodes

	mu   sync.Mutex
	args []G.Value
	buf  G.Value
	mode runMode
	form valueForm // of the last result
}

type runMode uint8

const (
	unprepared runMode = iota
	inPlace
	intoBuffer
	byDo
)

// valueForm is the kind of value that an operation returns, if it differs from its node's.
type valueForm struct {
	dense bool
	shape tensor.Shape
}

func newForeign(n *G.Node, in G.Nodes) *foreignRunner {
	return &foreignRunner{op: n.Op(), kind: gorgonia.KindOf(n.Op()), out: n, in: in}
}

func (r *foreignRunner) Label() string { return r.op.String() }

func (r *foreignRunner) Run32(dst []float32, args [][]float32) error { return runForeign(r, dst, args) }
func (r *foreignRunner) Run64(dst []float64, args [][]float64) error { return runForeign(r, dst, args) }

func runForeign[T kernels.Float](r *foreignRunner, dst []T, args [][]T) (err error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	defer func() {
		if p := recover(); p != nil {
			err = fmt.Errorf("%v panics: %v", r.op, p)
		}
	}()
	if r.args == nil {
		r.args = make([]G.Value, len(r.in))
	}
	for i := range r.in {
		if err := wrapArg(r, i, args[i]); err != nil {
			return err
		}
	}
	if r.mode == unprepared {
		r.prepare()
	}
	var v G.Value
	switch r.mode {
	case inPlace:
		wrapResult(r, dst)
		copy(dst, args[0])
		v, err = r.op.(G.UnsafeDoer).UnsafeDo(r.buf)
	case intoBuffer:
		wrapResult(r, dst)
		switch r.kind {
		case gorgonia.SliceGrad:
			clear(dst)
		case gorgonia.BatchNorm:
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
	case v == r.buf:
	default:
		if err := loadValue(dst, v); err != nil {
			return fmt.Errorf("%v gives a value that is not of shape %v: %w", r.op, r.out.Shape(), err)
		}
		if d, ok := v.(*tensor.Dense); ok && (r.out.Dims() == 0 || !d.Shape().Eq(r.out.Shape())) {
			r.form = valueForm{true, d.Shape().Clone()}
		}
	}
	for i, n := range r.in { // some operations reshape their operands
		if d, ok := r.args[i].(*tensor.Dense); ok && !sameDims(d.Shape(), n.Shape()) {
			r.args[i] = nil
		}
	}
	return nil
}

// wrapArg wraps the i-th operand as a Gorgonia value.
func wrapArg[T kernels.Float](r *foreignRunner, i int, x []T) error {
	n := r.in[i]
	size := max(n.Shape().TotalSize(), 1)
	share := r.kind != gorgonia.Unknown && r.kind != gorgonia.YOLO ||
		n.Op() != nil && gorgonia.KindOf(n.Op()) == gorgonia.Identity
	if d, ok := r.args[i].(*tensor.Dense); ok && share {
		if s, ok := elements[T](d); ok && len(s) > 0 && &s[0] == &x[0] {
			return nil
		}
	}
	if n.Dims() > 0 && share && n.Dtype() == dtypeOf[T]() {
		r.args[i] = tensor.New(tensor.WithShape(n.Shape()...), tensor.WithBacking(x[:size:size]))
		return nil
	}
	if r.args[i] == nil {
		r.args[i] = newValue(n.Dtype(), n.Shape())
	}
	return storeValue(r.args[i], x[:size])
}

// wrapResult makes dst the buffer of the operation.
func wrapResult[T kernels.Float](r *foreignRunner, dst []T) {
	if d, ok := r.buf.(*tensor.Dense); ok {
		if s, _ := elements[T](d); len(s) > 0 && &s[0] == &dst[0] {
			return
		}
	}
	r.buf = tensor.New(tensor.WithShape(r.out.Shape()...), tensor.WithBacking(dst))
}

func dtypeOf[T kernels.Float]() tensor.Dtype {
	var x T
	if _, ok := any(x).(float32); ok {
		return tensor.Float32
	}
	return tensor.Float64
}

func sameDims(a, b tensor.Shape) bool { return len(a) == len(b) && a.Eq(b) }

// prepare decides how to run the operation.
func (r *foreignRunner) prepare() {
	r.mode = byDo
	if r.out.Dims() == 0 || len(r.in) == 0 || r.kind == gorgonia.Unknown {
		return
	}
	for _, n := range append(G.Nodes{r.out}, r.in...) {
		if n.Dims() > 0 && n.Dtype() != r.out.Dtype() && isFloat(n.Dtype()) || !isFloat(r.out.Dtype()) {
			return
		}
	}
	_, unsafe := r.op.(G.UnsafeDoer)
	_, prealloc := r.op.(G.UsePreallocDoer)
	switch {
	case r.kind == gorgonia.Dropout: // whose UsePreallocDo takes a method for its data, and panics
	case unsafe && r.kind.Family() == gorgonia.Unary:
		r.mode = inPlace
	case prealloc:
		r.mode = intoBuffer
	}
}
