package graphs

import (
	"fmt"

	G "gorgonia.org/gorgonia"
	"gorgonia.org/tensor"

	"github.com/stheno-ebm/stheno/graphs/internal/ir"
	"github.com/stheno-ebm/stheno/graphs/internal/kernels"
)

// builtin lowers an operation of Gorgonia or of a third party: by an instruction if there is one, else by its Do.
func (l *lowering) builtin(n *G.Node, in G.Nodes) (ir.ID, error) {
	if id, ok := l.native(n, in); ok {
		return id, nil
	}
	rows, cols := flat(n.Shape())
	r := &doRunner{op: n.Op(), dt: l.dt, shape: n.Shape().Clone()}
	args := make([]ir.ID, len(in))
	for i, c := range in {
		if c.Dtype() != l.dt {
			return 0, fmt.Errorf("graphs: Compile: %v has an operand of type %v, want %v", n.Op(), c.Dtype(), l.dt)
		}
		args[i] = l.at[c]
		r.shapes = append(r.shapes, c.Shape().Clone())
	}
	return l.to.Opaque(r, "", volatile(n.Op()), rows, cols, args...), nil
}

// volatile reports whether op gives another result at each run, or changes its own state.
func volatile(op G.Op) bool {
	switch typeName(op) {
	case "gorgonia.randomOp", "*gorgonia.dropoutOp", "*gorgonia.BatchNormOp":
		return true
	}
	return false
}

// doRunner runs an operation by its Do, on copies of the operands.
type doRunner struct {
	op     G.Op
	dt     tensor.Dtype
	shapes []tensor.Shape
	shape  tensor.Shape
}

func (r *doRunner) Label() string { return r.op.String() }

func (r *doRunner) Run64(dst []float64, args [][]float64) error {
	return r.do(func(v G.Value, i int) { _ = writeValue(v, args[i]) }, func(v G.Value) error {
		x, err := readValue(v)
		if err == nil && len(x) != len(dst) {
			return fmt.Errorf("value of %d elements for shape %v", len(x), r.shape)
		}
		copy(dst, x)
		return err
	})
}

func (r *doRunner) Run32(dst []float32, args [][]float32) error {
	wide := make([][]float64, len(args))
	for i, a := range args {
		wide[i] = make([]float64, len(a))
		kernels.ToFloat64(wide[i], a)
	}
	out := make([]float64, len(dst))
	if err := r.Run64(out, wide); err != nil {
		return err
	}
	kernels.ToFloat32(dst, out)
	return nil
}

func (r *doRunner) do(set func(v G.Value, i int), get func(G.Value) error) (err error) {
	defer func() {
		if p := recover(); p != nil {
			err = fmt.Errorf("%v panics: %v", r.op, p)
		}
	}()
	in := make([]G.Value, len(r.shapes))
	for i, s := range r.shapes {
		in[i] = newValue(r.dt, s)
		set(in[i], i)
	}
	v, err := r.op.Do(in...)
	if err != nil {
		return err
	}
	return get(v)
}
