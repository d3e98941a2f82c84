package graphtest

import (
	"fmt"

	G "gorgonia.org/gorgonia"
	"gorgonia.org/tensor"

	"github.com/stheno-ebm/stheno/graphs/internal/gorgonia"
)

// Eval evaluates the nodes outs by Op.Do, node by node, with feeds as the values of inputs. Every operand is cloned
// before it is passed on, so nothing depends on buffers being reused: it shares no code with any executor.
func Eval(outs G.Nodes, feeds map[*G.Node][]float64) ([][]float64, error) {
	values := map[*G.Node]G.Value{}
	var eval func(n *G.Node) error
	eval = func(n *G.Node) error {
		if values[n] != nil {
			return nil
		}
		in := gorgonia.Operands(n)
		if len(in) == 0 {
			v := n.Value()
			if x, ok := feeds[n]; ok {
				v = value(n.Dtype(), n.Shape(), x)
			}
			if v == nil {
				return fmt.Errorf("graphtest: input %v has no value", n)
			}
			values[n] = v
			return nil
		}
		args := make([]G.Value, len(in))
		for i, c := range in {
			if err := eval(c); err != nil {
				return err
			}
			v, err := G.CloneValue(values[c])
			if err != nil {
				return err
			}
			args[i] = v
		}
		v, err := n.Op().Do(args...)
		if err != nil {
			return fmt.Errorf("graphtest: %v: %w", n.Op(), err)
		}
		if v.Shape().TotalSize() != n.Shape().TotalSize() {
			return fmt.Errorf("graphtest: %v: value of shape %v, node of shape %v", n.Op(), v.Shape(), n.Shape())
		}
		if n.IsScalar() { // some of Gorgonia's return tensors of shape (1)
			v = value(n.Dtype(), nil, Floats(v))
		}
		values[n] = v
		return nil
	}
	res := make([][]float64, len(outs))
	for i, n := range outs {
		if err := eval(n); err != nil {
			return nil, err
		}
		res[i] = Floats(values[n])
	}
	return res, nil
}

func value(dt tensor.Dtype, shape tensor.Shape, x []float64) G.Value {
	if len(x) != shape.TotalSize() {
		panic(fmt.Sprintf("graphtest: %d elements for shape %v", len(x), shape))
	}
	if dt == tensor.Int {
		y := make([]int, len(x))
		for i := range x {
			y[i] = int(x[i])
		}
		return tensor.New(tensor.WithShape(shape...), tensor.WithBacking(y))
	}
	if dt == tensor.Float32 {
		if len(shape) == 0 {
			return G.NewF32(float32(x[0]))
		}
		y := make([]float32, len(x))
		for i := range x {
			y[i] = float32(x[i])
		}
		return tensor.New(tensor.WithShape(shape...), tensor.WithBacking(y))
	}
	if len(shape) == 0 {
		return G.NewF64(x[0])
	}
	return tensor.New(tensor.WithShape(shape...), tensor.WithBacking(append([]float64(nil), x...)))
}

// Floats returns the elements of v in row-major order.
func Floats(v G.Value) []float64 {
	if d, ok := v.(*tensor.Dense); ok && d.RequiresIterator() {
		v = d.Materialize().(*tensor.Dense)
	}
	switch d := v.Data().(type) {
	case float64:
		return []float64{d}
	case float32:
		return []float64{float64(d)}
	case []float64:
		return append([]float64(nil), d...)
	case []float32:
		r := make([]float64, len(d))
		for i, x := range d {
			r[i] = float64(x)
		}
		return r
	}
	panic(fmt.Sprintf("graphtest: value of type %T", v.Data()))
}
