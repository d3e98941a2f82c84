package graphs

import (
	"fmt"
	"slices"

	G "gorgonia.org/gorgonia"
	"gorgonia.org/tensor"

	"github.com/stheno-ebm/stheno/graphs/internal/exec"
	"github.com/stheno-ebm/stheno/graphs/internal/ir"
)

// Option changes how Compile and NewMachine translate a graph. A nil Option changes nothing.
type Option func(*options)

type options struct {
	exec       exec.Options
	held       G.Nodes // Compile
	values     G.Nodes // NewMachine
	few        bool    // keep only values
	evaluation bool
}

func (o *options) set(opts []Option) {
	for _, f := range opts {
		if f != nil {
			f(o)
		}
	}
}

// Held says that the values of these inputs stand still from call to call, as weights do while a sampler runs. They are
// read at the first call only; everything that depends on them alone is computed then. After a change call
// Function.Touch.
func Held(inputs ...*G.Node) Option {
	return func(o *options) { o.held = append(o.held, inputs...) }
}

// Threads lets the function use up to n threads, the caller's included; the default is 1. The results do not depend on n,
// bit for bit. Parts too small to be worth sharing are run by the caller alone, as is everything while another function
// has the helpers. Helpers are goroutines of the process: they look for work for some 200 µs after they had some, then
// sleep, and end after two idle seconds.
func Threads(n int) Option { return func(o *options) { o.exec.Threads = n } }

// Compile translates the part of a graph that outputs depend on to a Function of the inputs.
//
// Inputs are leaves of the graph: nodes made by NewInput or gorgonia.NewTensor and the like. Every input that the outputs
// depend on must be among them; values bound to the nodes are not used. All nodes have one type, float32 or float64, in
// which the function computes.
//
// Compile only reads the graph. It needs the lock of Building like everything else that looks at a graph which another
// goroutine may extend.
func Compile(inputs, outputs G.Nodes, opts ...Option) (*Function, error) {
	var o options
	o.set(opts)
	f, l, err := lowerGraph(inputs, outputs, &o)
	if err != nil {
		return nil, err
	}
	f.run = newEngine(l.dt, l.to, o.exec)
	return f, nil
}

// lowerGraph lowers the part of a graph that outputs depend on. The function it returns has its ports but no engine.
func lowerGraph(inputs, outputs G.Nodes, o *options) (*Function, *lowering, error) {
	if len(outputs) == 0 {
		return nil, nil, fmt.Errorf("graphs: Compile: no outputs")
	}
	for i, n := range outputs {
		if n == nil || n.Graph() == nil {
			return nil, nil, fmt.Errorf("graphs: Compile: output %d is missing or in no graph", i)
		}
	}
	l := &lowering{to: ir.New(), at: map[*G.Node]ir.ID{}, dt: outputs[0].Dtype()}
	if l.dt != tensor.Float32 && l.dt != tensor.Float64 {
		return nil, nil, fmt.Errorf("graphs: Compile: output 0 has type %v, want float32 or float64", l.dt)
	}
	f := &Function{fresh: true}
	for _, n := range append(slices.Clone(inputs), outputs...) {
		switch {
		case n == nil || n.Graph() != outputs[0].Graph():
			return nil, nil, fmt.Errorf("graphs: Compile: node %v is missing or in another graph than output 0", n)
		case n.Dtype() != l.dt:
			return nil, nil, fmt.Errorf("graphs: Compile: %v has type %v, output 0 has %v; one type per graph", n, n.Dtype(), l.dt)
		}
	}
	for i, n := range inputs {
		if n.Op() != nil {
			return nil, nil, fmt.Errorf("graphs: Compile: input %d is %v, want a leaf of the graph", i, n)
		}
		if _, dup := l.at[n]; dup {
			return nil, nil, fmt.Errorf("graphs: Compile: input %d (%s) is given twice", i, n.Name())
		}
		held := slices.Contains(o.held, n)
		rows, cols := flat(n.Shape())
		l.at[n] = l.to.Arg(rows, cols, n.Name(), held)
		f.in = append(f.in, port{name: n.Name(), size: rows * cols, held: held})
	}
	for _, n := range o.held {
		if _, ok := l.at[n]; !ok {
			return nil, nil, fmt.Errorf("graphs: Compile: Held names %v, which is not among the inputs", n)
		}
	}
	var err error
	if fail := try(func() { err = l.all(outputs) }); fail != nil {
		return nil, nil, fail
	}
	if err != nil {
		return nil, nil, err
	}
	for _, n := range outputs {
		l.to.Outputs = append(l.to.Outputs, l.at[n])
		f.out = append(f.out, port{name: n.Name(), size: max(n.Shape().TotalSize(), 1)})
	}
	return f, l, nil
}

// all lowers outs and everything they depend on. The operand of a constant is an anchor, not a dependence.
func (l *lowering) all(outs G.Nodes) error {
	var visit func(*G.Node) error
	visit = func(n *G.Node) error {
		if _, ok := l.at[n]; ok {
			return nil
		}
		in := operands(n)
		if own, ok := ownOp(n); !ok || !isConstant(own) {
			for _, c := range in {
				if err := visit(c); err != nil {
					return err
				}
			}
		}
		if n.Dtype() != l.dt {
			return fmt.Errorf("graphs: Compile: %v has type %v, want %v; one type per graph", n, n.Dtype(), l.dt)
		}
		id, err := l.node(n, in)
		if err != nil {
			return err
		}
		rows, cols := flat(n.Shape())
		if got := l.to.At(id); got.Rows != rows || got.Cols != cols {
			return fmt.Errorf("graphs: Compile: %v of shape %v became (%d,%d)", n.Op(), n.Shape(), got.Rows, got.Cols)
		}
		l.at[n] = id
		return nil
	}
	for _, n := range outs {
		if err := visit(n); err != nil {
			return err
		}
	}
	return nil
}

// isConstant reports whether the operand of o lends its graph and type only.
func isConstant(o operation) bool {
	_, ok := o.(interface{ constant() })
	return ok
}
