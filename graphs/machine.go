package graphs

import (
	"errors"
	"fmt"
	"slices"

	G "gorgonia.org/gorgonia"
	"gorgonia.org/tensor"

	"github.com/stheno-ebm/stheno/graphs/internal/gorgonia"
	"github.com/stheno-ebm/stheno/graphs/internal/ir"
	"github.com/stheno-ebm/stheno/graphs/internal/rules"
	"github.com/stheno-ebm/stheno/graphs/internal/run"
)

// Machine runs a whole Gorgonia graph as a replacement for gorgonia.NewTapeMachine:
//
//	m, err := graphs.NewMachine(g)
//	for … {
//		gorgonia.Let(x, batch)
//		err = m.RunAll()
//		err = solver.Step(gorgonia.NodesToValueGrads(weights))
//		m.Reset()
//	}
//
// It compiles the graph like Compile, runs known operations by its own instructions and all others by their own Do.
// Values of inputs are fetched at each run, so Let, and solvers that change them in place, work; they are not copied.
// Random nodes are drawn at each run. Read and Set statements take effect at the end of a run. A slice of a node may be
// replaced by gorgonia.UnsafeLet.
//
// # Values of nodes
//
// After a run these nodes have their values, with the types of Gorgonia's operations:
//
//   - nodes of Read and Set statements, nodes with a name (gorgonia.WithName), nodes given to Values or LogValues;
//   - losses and other nodes on which nothing depends, and what they are made of, back to the last product or layer:
//     predictions, logits;
//   - the gradients that gorgonia.Grad (or gorgonia.SetDerivOf) has attached to inputs and to any of these nodes, which
//     Node.Grad returns;
//   - the derivatives that Grad, HVP and the like have returned, unless something else is made of them.
//
// What lies in between is fused and stays in the cache: Node.Value is nil, unless something else has set it. AllValues
// keeps every value, at up to three times the time.
//
// The tape machine promises less. It binds a value to every node, but operations may overwrite their operands: after a
// step of training, the node of a hidden Tanh holds a gradient. Gorgonia has Read for what is to be kept.
//
// The values bound to nodes are the machine's memory: the next run overwrites them. A machine is not for concurrent
// use.
type Machine struct {
	o     options
	nodes G.Nodes // the nodes that were in the graph
	reads []read
	sets  []set

	gradients map[*G.Node]G.Value // bound to nodes, see DualValues

	run     machineRun
	leaves  G.Nodes // the inputs, in the order of the program's
	results []*result
	ranges  map[*G.Node]gorgonia.Range // ranges of slices as compiled
	// operations of the graph, which other machines may share: their mode is set at every run
	modes []G.TrainModeOp
}

var _ G.VM = (*Machine)(nil)

// result is a node whose value the program computes.
type result struct {
	n       *G.Node
	foreign *foreignRunner // runs the operation, if not an instruction
	value   G.Value
	out     int  // output of the program
	shares  bool // value may be the program's memory
	copy    bool // value has its own memory
}

// read is a Read statement.
type read struct {
	into *G.Value
	from *G.Node
}

// set is a Set statement.
type set struct{ to, from *G.Node }

// NewMachine compiles the graph g. Nodes that are added to g later are not part of the machine.
//
// Operations with a training mode are put into the mode of the machine; for BatchNorm in training this resets the
// running statistics, as with gorgonia.NewTapeMachine.
func NewMachine(g *G.ExprGraph, opts ...MachineOption) (*Machine, error) {
	m := &Machine{gradients: map[*G.Node]G.Value{}}
	for _, opt := range opts {
		if opt != nil {
			opt.machine(&m.o)
		}
	}
	if err := m.o.check(); err != nil {
		return nil, err
	}
	if g == nil {
		return nil, errors.New("graphs: NewMachine: no graph")
	}
	if err := guard(func() error {
		if err := m.statements(g); err != nil {
			return err
		}
		if err := m.build(); err != nil {
			return err
		}
		for _, t := range m.modes {
			if err := t.SetTraining(!m.o.evaluation); err != nil {
				return err
			}
		}
		for _, n := range m.nodes {
			if d, ok := n.Value().(*tensor.Dense); ok {
				tensor.WithEngine(standardEngine)(d)
			}
		}
		return nil
	}); err != nil {
		return nil, fmt.Errorf("graphs: NewMachine: %w", err)
	}
	return m, nil
}

// statements sorts the nodes of g into those that have values and those that say what to do with them.
func (m *Machine) statements(g *G.ExprGraph) error {
	for _, n := range g.AllNodes() {
		kind := gorgonia.Unknown
		if n.Op() != nil {
			kind = gorgonia.KindOf(n.Op())
		}
		in := operands(n)
		switch kind {
		case gorgonia.ReadStatement:
			into, ok := gorgonia.Into(n.Op())
			if !ok || len(in) != 1 {
				return errors.New("the Read statement of this Gorgonia is not known")
			}
			m.reads = append(m.reads, read{into, in[0]})
		case gorgonia.SetStatement:
			if len(in) != 2 || in[0].Op() != nil {
				return fmt.Errorf("%v: want an input to set and a node to take the value of", n.Name())
			}
			m.sets = append(m.sets, set{in[0], in[1]})
		default:
			m.nodes = append(m.nodes, n)
		}
	}
	return nil
}

// typeOfProgram is float32 if all floats are, else float64, which can hold both.
func typeOfProgram(nodes G.Nodes) tensor.Dtype {
	any32 := false
	for _, n := range nodes {
		switch n.Dtype() {
		case tensor.Float64:
			return tensor.Float64
		case tensor.Float32:
			any32 = true
		}
	}
	if any32 {
		return tensor.Float32
	}
	return tensor.Float64
}

// build compiles the graph as it is now.
func (m *Machine) build() error {
	m.leaves, m.results, m.ranges = nil, nil, map[*G.Node]gorgonia.Range{}
	order, _ := topological(m.nodes...)
	l := newLowering(typeOfProgram(order))
	l.byBLAS, l.rows = m.o.byBLAS, !m.o.keepsAll()
	switch {
	case !m.o.evaluation:
		l.norms = training
	case !normGradients(order):
		l.norms = evaluating
	}
	l.input = func(n *G.Node) (ir.ID, error) {
		r, c := flat(n.Shape())
		m.leaves = append(m.leaves, n)
		return l.to.Arg(r, c, n.Name(), false), nil
	}
	if err := l.all(order...); err != nil {
		return err
	}
	m.modes = l.modes
	kept := m.kept()
	for _, n := range order {
		if n.Op() == nil {
			continue
		}
		kind := gorgonia.KindOf(n.Op())
		switch {
		case kind == gorgonia.Constant || kind == gorgonia.ConstantTensor: // they have their value
			continue
		case kind == gorgonia.Slice || kind == gorgonia.SliceGrad:
			m.ranges[n] = gorgonia.Read(n.Op()).Range
		}
		if !m.o.keepsAll() && !kept[n] {
			if kind == gorgonia.BatchNorm && l.foreign[n] != nil { // its statistics continue
				l.to.Outputs = append(l.to.Outputs, l.at[n])
			}
			continue
		}
		m.results = append(m.results, &result{n: n, foreign: l.foreign[n], out: len(l.to.Outputs)})
		l.to.Outputs = append(l.to.Outputs, l.at[n])
	}
	l.to.Outputs = append(l.to.Outputs, l.effects...)
	if g := rules.Apply(l.to); l.dt == tensor.Float32 {
		m.run = machineProgram[float32]{run.New[float32](g, m.o.run)}
	} else {
		m.run = machineProgram[float64]{run.New[float64](g, m.o.run)}
	}
	m.share()
	for _, r := range m.results {
		if err := m.run.value(r); err != nil {
			return err
		}
	}
	return nil
}

// share finds the results whose values may be the program's memory: those of operations that only give a shape are in
// one place with what they are of. Not where a gradient is among them: a solver clears gradients after it has used
// them.
func (m *Machine) share() {
	users, gradient := map[int]int{}, map[int]bool{}
	for _, r := range m.results {
		n, _ := m.run.place(r.out)
		users[n]++
		gradient[n] = gradient[n] || len(gorgonia.DerivativeOf(r.n)) > 0
	}
	for _, r := range m.results {
		n, ok := m.run.place(r.out)
		r.shares = ok && (users[n] == 1 || !gradient[n])
	}
}

// RunAll runs the graph.
func (m *Machine) RunAll() error {
	if err := m.runAll(); err != nil {
		return fmt.Errorf("graphs: Machine: %w", err)
	}
	return nil
}

func (m *Machine) runAll() error {
	for n, was := range m.ranges {
		if gorgonia.Read(n.Op()).Range != was {
			if err := guard(m.build); err != nil {
				return err
			}
			break
		}
	}
	for i, n := range m.leaves {
		v := n.Value()
		if v == nil {
			return fmt.Errorf("input %q has no value; use Let", n.Name())
		}
		if err := m.run.bind(i, v); err != nil {
			return fmt.Errorf("input %q: %w", n.Name(), err)
		}
	}
	for _, t := range m.modes {
		if err := setTraining(t, !m.o.evaluation); err != nil {
			return err
		}
	}
	if err := m.run.execute(); err != nil {
		return err
	}
	if err := m.bindResults(); err != nil {
		return err
	}
	for _, r := range m.reads {
		if err := serve(r.into, r.from.Value()); err != nil {
			return fmt.Errorf("graphs: Read of %v: %w", r.from, err)
		}
	}
	for _, s := range m.sets {
		v := s.to.Value()
		if err := serve(&v, s.from.Value()); err != nil {
			return fmt.Errorf("graphs: Set of %v: %w", s.to, err)
		}
		if err := G.Let(s.to, v); err != nil {
			return err
		}
	}
	return m.inspect()
}

// bindResults binds the results to their nodes.
func (m *Machine) bindResults() error {
	for _, r := range m.results {
		if m.o.trace {
			r.value = newValue(r.n.Dtype(), r.n.Shape())
		}
		if r.copy || r.n.Dims() == 0 || m.o.trace {
			if err := m.run.value(r); err != nil {
				return err
			}
		}
		switch {
		case r.n.Value() == r.value:
		case r.foreign != nil && r.foreign.form.dense:
			gorgonia.Bind(r.n, r.value)
		default:
			if err := G.UnsafeLet(r.n, r.value); err != nil {
				return err
			}
		}
	}
	return m.bindDuals()
}

// bindDuals copies gradients to their nodes.
func (m *Machine) bindDuals() error {
	if !m.o.duals {
		return nil
	}
	for _, r := range m.results {
		for _, of := range gorgonia.DerivativeOf(r.n) {
			if of.Op() != nil || of.Value() == nil || len(m.o.dual) > 0 && !slices.Contains(m.o.dual, of) {
				continue
			}
			into := m.gradients[of]
			if err := serve(&into, r.value); err != nil {
				return err
			}
			if m.gradients[of] == nil {
				m.gradients[of] = into
				G.WithGrad(into)(of)
			}
		}
	}
	return nil
}

// setTraining sets the mode of t if it differs. BatchNormOp would lose its running statistics when put back into
// training mode; they are preserved.
func setTraining(t G.TrainModeOp, training bool) error {
	if op, ok := t.(G.Op); ok {
		if now, ok := gorgonia.Training(op); ok && now == training {
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

// serve stores v: as a clone the first time, then in the same memory.
func serve(into *G.Value, v G.Value) error {
	if v == nil {
		return errors.New("it has no value")
	}
	if dst, ok := (*into).(*tensor.Dense); ok {
		if src, ok := v.(*tensor.Dense); ok && dst.Dtype() == src.Dtype() && dst.Shape().Eq(src.Shape()) &&
			!src.RequiresIterator() && !dst.RequiresIterator() {
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
	if *into == nil {
		*into, err = G.CloneValue(v)
	} else {
		*into, err = G.Copy(*into, v)
	}
	return err
}

// Reset does nothing, since every run starts afresh. It is required by gorgonia.VM.
func (m *Machine) Reset() {}

// Close does nothing. It is required by gorgonia.VM.
func (m *Machine) Close() error { return nil }

// Let is gorgonia.Let, as the tape machine has it.
func (m *Machine) Let(n *G.Node, be any) error { return G.Let(n, be) }

// String prints the program.
func (m *Machine) String() string { return m.run.dump() }

// MemoryBytes returns the size of the machine's own memory for numbers.
func (m *Machine) MemoryBytes() int { return m.run.bytes() }
