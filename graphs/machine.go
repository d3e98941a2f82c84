package graphs

import (
	"errors"
	"fmt"
	"reflect"

	G "gorgonia.org/gorgonia"
	"gorgonia.org/tensor"

	"github.com/stheno-ebm/stheno/graphs/internal/exec"
	"github.com/stheno-ebm/stheno/graphs/internal/ir"
	"github.com/stheno-ebm/stheno/graphs/internal/kernels"
)

// Machine runs a whole graph of Gorgonia's in the place of gorgonia.NewTapeMachine:
//
//	m, err := graphs.NewMachine(g)
//	for … {
//		gorgonia.Let(x, batch)
//		err = m.RunAll()
//		err = solver.Step(gorgonia.NodesToValueGrads(weights))
//		m.Reset()
//	}
//
// It compiles the graph like Compile, runs operations that it knows by its own instructions and all others by their own
// Do, and binds the results: Node.Value holds after a run what the node's value is, for every node, and Node.Grad the
// value of the gradient that gorgonia.Grad (or gorgonia.SetDerivOf) gave the node. Values of inputs are fetched at each
// run, so that Let and solvers that change them in place work; they are not copied. Random nodes are drawn at each run.
// Read statements are served; Set statements are an error.
//
// The values bound to nodes are the machine's memory: the next run overwrites them. A machine is not for concurrent use.
type Machine struct {
	run     machineRun
	leaves  G.Nodes // the inputs, in the order of the program's
	results []*result
	reads   []read
	foreign map[*G.Node]*G.Value

	modes    []G.TrainModeOp // they belong to the graph, which may have other machines: their mode is set at every run
	training bool
}

var _ G.VM = (*Machine)(nil)

// result is a node whose value the program computes.
type result struct {
	n     *G.Node
	value G.Value
	out   int  // output of the program
	copy  bool // value has memory of its own
}

// read is a Read statement.
type read struct {
	into *G.Value
	from *G.Node
}

// machineRun hides the number type of a machine's program.
type machineRun interface {
	bind(i int, v G.Value) error
	value(r *result) error
	execute() error
	dump() string
	bytes() int
}

// Evaluation makes a Machine run operations that have a training mode, such as Dropout, without it.
func Evaluation() Option { return func(o *options) { o.evaluation = true } }

// Values makes a Machine keep the values of these nodes only, besides those of Read statements and of gradients that belong
// to nodes. Other nodes have no defined value after a run; in return the program may fuse them and use their memory again.
func Values(nodes ...*G.Node) Option {
	return func(o *options) { o.values = append(o.values, nodes...); o.few = true }
}

// NewMachine compiles the graph g. Nodes that are added to g later are not part of the machine.
func NewMachine(g *G.ExprGraph, opts ...Option) (m *Machine, err error) {
	var o options
	o.set(opts)
	if g == nil {
		return nil, errors.New("graphs: Machine of no graph")
	}
	if fail := try(func() { m, err = newMachine(g, &o) }); fail != nil {
		return nil, fail
	}
	return m, err
}

func newMachine(g *G.ExprGraph, o *options) (*Machine, error) {
	m := &Machine{foreign: map[*G.Node]*G.Value{}, training: !o.evaluation}
	l := &lowering{to: ir.New(), at: map[*G.Node]ir.ID{}}
	// The type in which the program computes: that of the first number.
	var all G.Nodes
	for _, n := range g.AllNodes() {
		switch typeName(n.Op()) {
		case "gorgonia.readOp":
			f, ok := fieldsOf(n.Op()).field("into", reflect.Pointer)
			if !ok {
				return nil, fmt.Errorf("graphs: NewMachine: the Read statement of this Gorgonia is not known")
			}
			m.reads = append(m.reads, read{(*G.Value)(f.UnsafePointer()), operands(n)[0]})
			continue
		case "gorgonia.letOp":
			return nil, fmt.Errorf("graphs: NewMachine: the graph has a Set statement, %v; use Let before the run", n.Name())
		}
		all = append(all, n)
		if dt := n.Dtype(); l.dt == (tensor.Dtype{}) && (dt == tensor.Float32 || dt == tensor.Float64) {
			l.dt = dt
		}
	}
	if l.dt == (tensor.Dtype{}) {
		l.dt = tensor.Float64
	}
	order, in := topological(all...)
	isRead := map[*G.Node]bool{}
	for _, r := range m.reads {
		isRead[r.from] = true
	}
	for _, n := range o.values {
		isRead[n] = true
	}
	for _, n := range order {
		if err := m.lower(l, n, in[n]); err != nil {
			return nil, err
		}
		keep := !o.few || isRead[n] || isGradient(n)
		if m.foreign[n] != nil {
			if keep {
				l.to.Outputs = append(l.to.Outputs, l.at[n]) // a token
			}
			continue
		}
		if len(in[n]) == 0 && n.Op() == nil {
			continue
		}
		if n.Op().Arity() == 0 && !volatile(n.Op()) || isConstantTensor(n) {
			continue // constants have their value
		}
		if keep {
			m.results = append(m.results, &result{n: n, out: len(l.to.Outputs)})
			l.to.Outputs = append(l.to.Outputs, l.at[n])
		}
	}
	if l.dt == tensor.Float32 {
		m.run = machineProgram[float32]{exec.New[float32](l.to, o.exec)}
	} else {
		m.run = machineProgram[float64]{exec.New[float64](l.to, o.exec)}
	}
	for _, r := range m.results {
		if err := m.run.value(r); err != nil {
			return nil, err
		}
	}
	return m, nil
}

// isGradient reports whether n is the gradient of another node.
func isGradient(n *G.Node) bool {
	v := reflect.ValueOf(n).Elem().FieldByName("derivOf")
	return !v.IsValid() || v.Kind() != reflect.Slice || v.Len() > 0
}

func isConstantTensor(n *G.Node) bool { return typeName(n.Op()) == "gorgonia.constantTensor" }

// lower adds n to the program.
func (m *Machine) lower(l *lowering, n *G.Node, in G.Nodes) error {
	if t, ok := n.Op().(G.TrainModeOp); ok {
		m.modes = append(m.modes, t)
	}
	float := n.Dtype() == l.dt
	for _, c := range in {
		float = float && c.Dtype() == l.dt && m.foreign[c] == nil
	}
	switch {
	case n.Op() == nil && float:
		r, c := flat(n.Shape())
		l.at[n] = l.to.Arg(r, c, n.Name(), false)
		m.leaves = append(m.leaves, n)
		return nil
	case len(in) == 0 && !float: // an input or constant of another type: fetched when it is used
		m.foreign[n] = new(G.Value)
		l.at[n] = l.to.Const(1, 1, 0)
		return nil
	case len(in) == 0 && !volatile(n.Op()):
		id, err := l.leaf(n)
		l.at[n] = id
		return err
	}
	if float {
		if own, ok := ownOp(n); ok {
			args := make([]ir.ID, len(in))
			for i, c := range in {
				args[i] = l.at[c]
			}
			l.at[n] = l.own(n, own, in, args)
			return nil
		}
		if id, ok := l.native(n, in); ok {
			l.at[n] = id
			return nil
		}
	}
	// By the operation's own Do.
	r := &opRunner{op: n.Op(), out: n, in: in, foreign: make([]*G.Value, len(in))}
	rows, cols := flat(n.Shape())
	if n.Dtype() != l.dt {
		r.result = new(G.Value)
		m.foreign[n] = r.result
		rows, cols = 1, 1 // a token that orders the steps
	}
	args := make([]ir.ID, len(in))
	for i, c := range in {
		args[i] = l.at[c]
		r.foreign[i] = m.foreign[c]
	}
	l.at[n] = l.to.Opaque(r, "", true, rows, cols, args...)
	return nil
}

// RunAll computes the value of every node.
func (m *Machine) RunAll() error {
	for i, n := range m.leaves {
		v := n.Value()
		if v == nil {
			return fmt.Errorf("graphs: Machine: input %q has no value; use Let", n.Name())
		}
		if err := m.run.bind(i, v); err != nil {
			return fmt.Errorf("graphs: Machine: input %q: %w", n.Name(), err)
		}
	}
	for _, t := range m.modes {
		if err := setTraining(t, m.training); err != nil {
			return fmt.Errorf("graphs: Machine: %w", err)
		}
	}
	if err := m.run.execute(); err != nil {
		return fmt.Errorf("graphs: Machine: %w", err)
	}
	for _, r := range m.results {
		if r.copy || r.n.Dims() == 0 {
			if err := m.run.value(r); err != nil {
				return err
			}
		}
		if r.n.Value() != r.value {
			if err := G.UnsafeLet(r.n, r.value); err != nil {
				return fmt.Errorf("graphs: Machine: %w", err)
			}
		}
	}
	for n, v := range m.foreign {
		if *v != nil && n.Op() != nil && n.Value() != *v {
			if err := G.UnsafeLet(n, *v); err != nil {
				return fmt.Errorf("graphs: Machine: %w", err)
			}
		}
	}
	for _, r := range m.reads {
		if err := serve(r); err != nil {
			return fmt.Errorf("graphs: Machine: Read: %w", err)
		}
	}
	return nil
}

// setTraining gives t a mode, if it has the other one. BatchNormOp forgets its running statistics when it is put back to
// training; they are kept.
func setTraining(t G.TrainModeOp, training bool) error {
	for _, name := range []string{"training", "isTraining"} {
		if now, ok := fieldsOf(t).bool(name); ok && now == training {
			return nil
		}
	}
	b, ok := t.(*G.BatchNormOp)
	if !ok {
		return t.SetTraining(training)
	}
	mean, variance := b.Stats()
	mean, variance = mean.Clone().(tensor.Tensor), variance.Clone().(tensor.Tensor)
	if err := b.SetTraining(training); err != nil {
		return err
	}
	return b.SetStats(mean, variance)
}

// serve stores the value of a node for a Read statement: a clone the first time, then into the same memory.
func serve(r read) error {
	v := r.from.Value()
	if v == nil {
		return fmt.Errorf("%v has no value", r.from)
	}
	if dst, ok := (*r.into).(*tensor.Dense); ok {
		if src, ok := v.(*tensor.Dense); ok && dst.Dtype() == src.Dtype() && dst.Shape().Eq(src.Shape()) && !src.RequiresIterator() && !dst.RequiresIterator() {
			switch dst.Dtype() {
			case tensor.Float32:
				copy(dst.Float32s(), src.Float32s())
				return nil
			case tensor.Float64:
				copy(dst.Float64s(), src.Float64s())
				return nil
			}
		}
	}
	var err error
	if *r.into == nil {
		*r.into, err = G.CloneValue(v)
	} else {
		*r.into, err = G.Copy(*r.into, v)
	}
	return err
}

// Reset does nothing: every run starts anew. It is there for gorgonia.VM.
func (m *Machine) Reset() {}

// Close does nothing. It is there for gorgonia.VM.
func (m *Machine) Close() error { return nil }

// String prints the program.
func (m *Machine) String() string { return m.run.dump() }

// MemoryBytes is the size of the machine's own memory for numbers.
func (m *Machine) MemoryBytes() int { return m.run.bytes() }

// machineProgram is a machineRun of number type T.
type machineProgram[T kernels.Float] struct{ *exec.Program[T] }

func (p machineProgram[T]) execute() error { return p.Run() }
func (p machineProgram[T]) dump() string   { return p.Dump() }
func (p machineProgram[T]) bytes() int     { return p.Bytes() }

// bind makes v the value of input i: in place where its elements lie in order, else by a copy.
func (p machineProgram[T]) bind(i int, v G.Value) error {
	if d, ok := v.(*tensor.Dense); ok && !d.RequiresIterator() && !d.DataOrder().IsColMajor() {
		if s, ok := elements[T](d); ok {
			if !p.Bind(i, s) {
				return fmt.Errorf("%w: value of shape %v", ErrShape, d.Shape())
			}
			return nil
		}
	}
	if s, ok := v.(*G.F64); ok {
		p.Own(i)[0] = T(*s)
		return nil
	}
	if s, ok := v.(*G.F32); ok {
		p.Own(i)[0] = T(*s)
		return nil
	}
	x, err := readValue(v)
	if err != nil {
		return err
	}
	dst := p.Own(i)
	if len(x) != len(dst) {
		return fmt.Errorf("%w: value of shape %v", ErrShape, v.Shape())
	}
	for j, e := range x {
		dst[j] = T(e)
	}
	return nil
}

// elements returns the numbers of d without allocating.
func elements[T kernels.Float](d *tensor.Dense) ([]T, bool) {
	var s []T
	switch p := any(&s).(type) {
	case *[]float32:
		if d.Dtype() != tensor.Float32 {
			return nil, false
		}
		*p = d.Float32s()
	case *[]float64:
		if d.Dtype() != tensor.Float64 {
			return nil, false
		}
		*p = d.Float64s()
	}
	return s, true
}

// value makes r's value, or brings it up to date. It is the program's memory if nobody else has that as its value: a solver
// clears gradients after it has used them.
func (p machineProgram[T]) value(r *result) error {
	src := p.Output(r.out)
	if r.value == nil {
		r.value = newValue(r.n.Dtype(), r.n.Shape())
		if d, ok := r.value.(*tensor.Dense); ok {
			if r.copy = !p.Exclusive(r.out); !r.copy {
				r.value = tensor.New(tensor.WithShape(r.n.Shape()...), tensor.WithBacking(src))
			} else if s, ok := elements[T](d); !ok || len(s) != len(src) {
				return fmt.Errorf("graphs: NewMachine: %v of shape %v has %d elements", r.n.Op(), r.n.Shape(), len(src))
			}
		}
		return nil
	}
	switch v := r.value.(type) {
	case *G.F64:
		*v = G.F64(src[0])
	case *G.F32:
		*v = G.F32(src[0])
	case *tensor.Dense:
		s, _ := elements[T](v)
		copy(s, src)
	}
	return nil
}
