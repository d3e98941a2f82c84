package graphs

import (
	"errors"
	"fmt"
	"slices"
	"sync"

	G "gorgonia.org/gorgonia"
	"gorgonia.org/tensor"

	"github.com/stheno-ebm/stheno/graphs/internal/gorgonia"
)

// ErrShape is wrapped by every error that reports operands of unsuitable shape.
var ErrShape = errors.New("shape mismatch")

// ErrNoRule is wrapped by every error about an operation that has no derivative of the required order.
var ErrNoRule = errors.New("no derivative rule")

// buildError is the value with which node builders panic and which Try turns into an error. It is itself an error, so
// that a panic not caught by Try says what is wrong.
type buildError struct{ err error }

func (e buildError) Error() string { return e.err.Error() }
func (e buildError) Unwrap() error { return e.err }

// Try runs build, which makes nodes with the builders of this package or with Must, and returns its result. The first
// failure of a builder ends build and becomes the error. Other panics pass through.
func Try(build func() *G.Node) (n *G.Node, err error) {
	err = try(func() { n = build() })
	if err != nil {
		n = nil
	}
	return n, err
}

func try(build func()) (err error) {
	defer func() {
		switch r := recover().(type) {
		case nil:
		case buildError:
			err = r.err
		default:
			panic(r)
		}
	}()
	build()
	return nil
}

// Must returns n, or ends the enclosing Try with err. It lets Gorgonia's own functions be used among the builders:
//
//	h := graphs.Must(gorgonia.Tanh(z))
func Must(n *G.Node, err error) *G.Node {
	if err != nil {
		panic(buildError{err})
	}
	return n
}

func failf(format string, args ...any) {
	panic(buildError{fmt.Errorf("graphs: "+format, args...)})
}

// building is the state of building, guarded by its lock: derive lets the builders simplify.
var building = struct {
	sync.Mutex
	deriving  int             // nesting of derive
	protected map[*G.Node]int // nodes that derive must keep
}{protected: map[*G.Node]int{}}

// Building locks graph building and returns the function that unlocks it:
//
//	defer graphs.Building()()
//
// Gorgonia keeps package-wide state while a graph is built, so two graphs, even unrelated ones, must not be extended
// concurrently. Everything in this package that makes nodes, including Grad, expects its caller to hold the lock if
// more than one goroutine builds graphs. Running compiled functions needs no lock.
func Building() (unlock func()) {
	building.Lock()
	return building.Unlock
}

// NewInput adds an input of the given type (float32 or float64), name and shape to g. An empty shape makes a Gorgonia
// scalar. Gorgonia merges inputs of equal name, so an empty name, or one already in use, panics (inside Try: becomes
// the error).
func NewInput(g *G.ExprGraph, dt tensor.Dtype, name string, shape ...int) *G.Node {
	switch {
	case g == nil:
		failf("input %q needs a graph", name)
	case name == "":
		failf("an input needs a name")
	case dt != tensor.Float32 && dt != tensor.Float64:
		failf("input %q has type %v, want float32 or float64", name, dt)
	case slices.ContainsFunc(shape, func(d int) bool { return d <= 0 }):
		failf("input %q has shape %v, want positive dimensions", name, shape)
	}
	for _, n := range g.AllNodes() {
		if n.Op() == nil && n.Name() == name {
			failf("input %q exists already; Gorgonia would merge the two", name)
		}
	}
	if len(shape) == 0 {
		return G.NewScalar(g, dt, G.WithName(name))
	}
	return G.NewTensor(g, dt, len(shape), G.WithShape(shape...), G.WithName(name))
}

// apply adds the node op(in...) to the graph of in, or finds an equal one that exists.
func apply(o operation, in ...*G.Node) *G.Node {
	if len(in) != o.arity() {
		failf("%v: %d operands, want %d", o, len(in), o.arity())
	}
	shapes := make([]tensor.Shape, len(in))
	dims := make([]int, len(in))
	need(o, in...)
	var whole []bool
	if w, ok := o.(interface{ whole() []bool }); ok {
		whole = w.whole()
	}
	for i, n := range in {
		if n.Graph() != in[0].Graph() {
			failf("%v: operand %d is in another graph", o, i)
		}
		want := in[0].Dtype()
		if whole != nil && whole[i] {
			want = tensor.Int
		}
		if n.Dtype() != want {
			failf("%v: operand %d has type %v, want %v", o, i, n.Dtype(), want)
		}
		shapes[i] = n.Shape()
		dims[i] = n.Dims()
	}
	dt := in[0].Dtype()
	if dt != tensor.Float32 && dt != tensor.Float64 {
		failf("%v: operand of type %v, want float32 or float64", o, dt)
	}
	shape, err := o.shape(shapes)
	if err != nil {
		failf("%v of shapes %v: %w", o, shapes, err)
	}
	name := o.String()
	for salt := range uint32(16) {
		w := &op{operation: o, name: name, in: dims, whole: whole, out: len(shape), salt: salt,
			derived: building.deriving > 0}
		n := G.NewUniqueNode(G.WithType(typeOf(dt, len(shape))), G.WithOp(w), G.WithChildren(slices.Clone(in)),
			G.In(in[0].Graph()), G.WithShape(shape...))
		if v, ok := n.Op().(*op); ok && v.name == name && slices.Equal(operands(n), in) {
			v.derived = v.derived && w.derived
			return n
		}
		// Two different expressions have the same 32-bit hash, and Gorgonia returned the other one. Retry with an
		// operation that differs only in its hash.
	}
	failf("%v: Gorgonia merges it with other nodes of equal hash", o)
	return nil
}

// operands returns the operands of n in order; they must not be modified.
func operands(n *G.Node) G.Nodes { return gorgonia.Operands(n) }

// The builders simplify: scale(scale(x)) becomes one scale, the product with a repeated row a product with the row.
// Such a simplification looks through an operand to its operands, and the result no longer depends on the operand
// itself. That must not happen to a node in which a derivative may be taken. Therefore only the differentiator does
// this, and only for nodes that it has made itself and does not differentiate in. (Constants are different: they have
// no derivative and are always folded.)

// derive runs build as part of differentiation with respect to wrt.
func derive(wrt G.Nodes, build func()) {
	building.deriving++
	for _, w := range wrt {
		building.protected[w]++
	}
	defer func() {
		building.deriving--
		for _, w := range wrt {
			if building.protected[w]--; building.protected[w] == 0 {
				delete(building.protected, w)
			}
		}
	}()
	build()
}

// inner returns the operation of n if it is one of ours that may be looked through.
func inner(n *G.Node) (operation, bool) {
	o, ok := n.Op().(*op)
	if !ok {
		return nil, false
	}
	switch o.operation.(type) {
	case constOp, unitOp:
		return o.operation, true
	}
	if building.deriving == 0 || !o.derived || building.protected[n] > 0 {
		return nil, false
	}
	return o.operation, true
}

// need fails unless all operands of o are nodes of a graph.
func need(o operation, in ...*G.Node) {
	for i, n := range in {
		if missing(n) {
			failf("%v: operand %d is missing or in no graph", o, i)
		}
	}
}

// missing reports that n cannot be an operand.
func missing(n *G.Node) bool { return n == nil || n.Graph() == nil }

// sameShape reports exact equality; tensor.Shape.Eq equates a vector and a matrix of one column.
func sameShape(a, b *G.Node) bool { return slices.Equal(a.Shape(), b.Shape()) }

// topological lists the nodes on which outs depend, operands before results.
func topological(outs ...*G.Node) (order G.Nodes, in map[*G.Node]G.Nodes) {
	return topologicalFrom(nil, outs...)
}

// topologicalFrom treats the nodes of from as inputs and does not go below them.
func topologicalFrom(from G.Nodes, outs ...*G.Node) (order G.Nodes, in map[*G.Node]G.Nodes) {
	in = map[*G.Node]G.Nodes{}
	var visit func(*G.Node)
	visit = func(n *G.Node) {
		if _, ok := in[n]; ok {
			return
		}
		var children G.Nodes
		if !slices.Contains(from, n) {
			children = operands(n)
		}
		in[n] = children
		for _, c := range children {
			visit(c)
		}
		order = append(order, n)
	}
	for _, n := range outs {
		visit(n)
	}
	return order, in
}
