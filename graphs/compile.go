package graphs

import (
	"errors"
	"fmt"
	"slices"

	G "gorgonia.org/gorgonia"
	"gorgonia.org/tensor"

	"github.com/stheno-ebm/stheno/graphs/internal/bridge"
	"github.com/stheno-ebm/stheno/graphs/internal/ir"
	"github.com/stheno-ebm/stheno/graphs/internal/rules"
)

func init() {
	bridge.Lower = func(inputs, outputs G.Nodes) (*ir.Graph, error) {
		_, l, err := lowerGraph(inputs, outputs, &options{still: true})
		if err != nil {
			return nil, err
		}
		return rules.Simplify(l.to), nil
	}
}

// Compile compiles the part of a graph on which outputs depend into a Function of the inputs.
//
// Inputs are leaves of the graph: nodes made by NewInput or gorgonia.NewTensor and the like. Every input on which the
// outputs depend must be among them; values bound to the nodes are not used. All nodes have the same type, float32 or
// float64, in which the function computes, except for integers and booleans, such as indices: Function.Call takes them
// as floats.
//
// Compile only reads the graph. Like everything else that reads a graph which another goroutine may extend, it needs
// the lock of Building.
func Compile(inputs, outputs G.Nodes, opts ...CompileOption) (*Function, error) {
	var o options
	for _, opt := range opts {
		if opt != nil {
			opt.compile(&o)
		}
	}
	if err := o.check(); err != nil {
		return nil, err
	}
	f, l, err := lowerGraph(inputs, outputs, &o)
	if err != nil {
		return nil, err
	}
	f.run = newEngine(l.dt, rules.Apply(l.to), o.run)
	return f, nil
}

// lowerGraph lowers the part of a graph on which outputs depend. The function it returns has ports but no engine.
func lowerGraph(inputs, outputs G.Nodes, o *options) (f *Function, l *lowering, err error) {
	if err = guard(func() error {
		if err := checkPorts(inputs, outputs); err != nil {
			return err
		}
		dt, err := oneType(outputs)
		if err != nil {
			return err
		}
		f, l = &Function{fresh: true, alone: o.free}, newLowering(dt)
		l.still, l.rows = o.still, true
		if order, _ := topological(outputs...); !normGradients(order) && !o.still {
			l.norms = asSet
		}
		l.input = func(n *G.Node) (ir.ID, error) {
			return 0, fmt.Errorf("the outputs depend on input %q, which is not among the inputs", n.Name())
		}
		if err := f.lowerInputs(l, inputs, o.held); err != nil {
			return err
		}
		if err := l.all(outputs...); err != nil {
			return err
		}
		for _, n := range outputs {
			l.to.Outputs = append(l.to.Outputs, l.at[n])
			f.out = append(f.out, port{name: n.Name(), size: max(n.Shape().TotalSize(), 1)})
		}
		l.to.Outputs = append(l.to.Outputs, l.effects...)
		return nil
	}); err != nil {
		return nil, nil, fmt.Errorf("graphs: Compile: %w", err)
	}
	return f, l, nil
}

// guard returns the error of f, or its panic as an error.
func guard(f func() error) (err error) {
	defer func() {
		switch p := recover().(type) {
		case nil:
		case error:
			err = p
		default:
			err = fmt.Errorf("%v", p)
		}
	}()
	return f()
}

func checkPorts(inputs, outputs G.Nodes) error {
	if len(outputs) == 0 {
		return errors.New("no outputs")
	}
	for i, n := range outputs {
		if missing(n) {
			return fmt.Errorf("output %d is missing or in no graph", i)
		}
	}
	for _, n := range append(slices.Clone(inputs), outputs...) {
		if n == nil || n.Graph() != outputs[0].Graph() {
			return fmt.Errorf("node %v is missing or in another graph than output 0", n)
		}
	}
	return nil
}

// oneType returns the float type of outputs and their dependencies, and fails if there are two.
func oneType(outputs G.Nodes) (tensor.Dtype, error) {
	var first *G.Node
	order, _ := topological(outputs...)
	for _, n := range order {
		switch dt := n.Dtype(); {
		case !isFloat(dt):
		case first == nil:
			first = n
		case dt != first.Dtype():
			return dt, fmt.Errorf("%v has type %v, %v has %v; one type of floats per graph", n, dt, first, first.Dtype())
		}
	}
	if first == nil {
		return tensor.Float64, nil
	}
	return first.Dtype(), nil
}

// lowerInputs makes the inputs ports.
func (f *Function) lowerInputs(l *lowering, inputs, held G.Nodes) error {
	for i, n := range inputs {
		if n.Op() != nil {
			return fmt.Errorf("input %d is %v, want a leaf of the graph", i, n)
		}
		if _, dup := l.at[n]; dup {
			return fmt.Errorf("input %d (%s) is given twice", i, n.Name())
		}
		if err := checkType(n); err != nil {
			return err
		}
		if isFloat(n.Dtype()) && n.Dtype() != l.dt {
			return fmt.Errorf("input %d (%s) has type %v, the outputs have %v; one type of floats per graph", i,
				n.Name(), n.Dtype(), l.dt)
		}
		isHeld := slices.Contains(held, n)
		rows, cols := flat(n.Shape())
		l.at[n] = l.to.Arg(rows, cols, n.Name(), isHeld)
		f.in = append(f.in, port{name: n.Name(), size: rows * cols, held: isHeld})
	}
	for _, n := range held {
		if _, ok := l.at[n]; !ok {
			return fmt.Errorf("Held names %v, which is not among the inputs", n)
		}
	}
	return nil
}

// isConstant reports whether the operand of o only provides its graph and type.
func isConstant(o operation) bool {
	_, ok := o.(interface{ constant() })
	return ok
}
