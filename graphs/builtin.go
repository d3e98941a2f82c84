package graphs

import (
	"fmt"

	G "gorgonia.org/gorgonia"
	"gorgonia.org/tensor"

	"github.com/stheno-ebm/stheno/graphs/internal/gorgonia"
)

// Gorgonia's own operations are differentiated by translation: they are replaced by an expression of our operations
// with the same value, and our rules give derivatives of every order in both modes. Operations without a translation
// are rejected by name, because Gorgonia's rules are wrong, missing, or panic at some order. For third-party operations
// their SymDiff is used.

// builtinDifferentiable says which operands of n have a derivative. Operations without a rule count as differentiable,
// so that they are rejected rather than treated as constants.
func builtinDifferentiable(n *G.Node, in G.Nodes) []bool {
	d := make([]bool, len(in))
	kind := gorgonia.KindOf(n.Op())
	if !isFloat(n.Dtype()) || kind.Family() == gorgonia.Compare || kind.Family() == gorgonia.Statement {
		return d
	}
	if o, ok := n.Op().(G.SDOp); ok && !gorgonia.Builtin(n.Op()) {
		if w := o.DiffWRT(len(in)); len(w) == len(in) {
			return w
		}
	}
	for i, c := range in {
		d[i] = isFloat(c.Dtype())
	}
	switch kind {
	case gorgonia.Size, gorgonia.Random, gorgonia.Sign, gorgonia.Ceil, gorgonia.Floor:
		clear(d)
	case gorgonia.SliceGrad: // (like, x): the first only provides its shape
		d[0] = false
	case gorgonia.ByIndices, gorgonia.CTCLoss, gorgonia.Repeat:
		clear(d[1:])
	}
	return d
}

// below returns where the expression that replaces n ends: at its operands, and at n itself, whose value it may use.
func below(n *G.Node, in G.Nodes) G.Nodes { return append(in[:len(in):len(in)], n) }

func builtinReverse(n *G.Node, in G.Nodes, g *G.Node, want []bool) G.Nodes {
	gs := make(G.Nodes, len(in))
	if e := translate(n, in); e != nil {
		var wrt G.Nodes
		for i, w := range want {
			if w {
				wrt = append(wrt, in[i])
			}
		}
		adj := adjoints(below(n, in), e, g, wrt)
		for i, w := range want {
			if w {
				gs[i] = adj[in[i]]
				delete(adj, in[i]) // an operand that appears twice gets its whole adjoint once
			}
		}
		return gs
	}
	o := symDiffer(n)
	ds, err := o.SymDiff(in, n, g)
	if err != nil {
		failf("differentiate %v: %w", n.Op(), err)
	}
	for i, w := range want {
		if !w {
			continue
		}
		if i >= len(ds) || ds[i] == nil {
			failf("%v (%T) returned no derivative for operand %d", n.Op(), n.Op(), i)
		}
		if ds[i].Shape().TotalSize() != in[i].Shape().TotalSize() {
			failf("%v (%T) returned a derivative of shape %v for an operand of shape %v", n.Op(), n.Op(), ds[i].Shape(),
				in[i].Shape())
		}
		gs[i] = Reshape(ds[i], in[i].Shape()...)
	}
	return gs
}

// symDiffer returns the operation of n if it is a third party's that knows its derivative.
func symDiffer(n *G.Node) G.SDOp {
	if gorgonia.Builtin(n.Op()) {
		switch kind := gorgonia.KindOf(n.Op()); {
		case kind.Family() == gorgonia.Gradient:
			failf("%w for the %v that gorgonia.Grad has made: take the first derivative by graphs.Grad as well", ErrNoRule, kind)
		case kind == gorgonia.Unknown:
			failf("%w for Gorgonia's %v (%T); write it with the operations of this package", ErrNoRule, n.Op(), n.Op())
		default:
			failf("%w for Gorgonia's %v as it is used here (%v, to shape %v); write it with the operations of this package",
				ErrNoRule, kind, n.Op(), n.Shape())
		}
	}
	o, ok := n.Op().(G.SDOp)
	if !ok {
		failf("%w for %v (%T): it is not a gorgonia.SDOp", ErrNoRule, n.Op(), n.Op())
	}
	return o
}

// builtinForward is the forward rule. If an operation has only a reverse rule u ↦ Jᵀu, that is differentiated in u, in
// which it is linear: J t = ∂⟨Jᵀu, t⟩/∂u, for any u.
func builtinForward(n *G.Node, in G.Nodes, t G.Nodes) *G.Node {
	if e := translate(n, in); e != nil {
		start := map[*G.Node]*G.Node{}
		for i, c := range in {
			if t[i] != nil {
				start[c] = t[i]
			}
		}
		return tangents(below(n, in), e, start)[e]
	}
	u := apply(probeOp{n.Shape()}, n)
	want := make([]bool, len(in))
	for i := range in {
		want[i] = t[i] != nil
	}
	var inner *G.Node
	for i, d := range builtinReverse(n, in, u, want) {
		if d != nil {
			inner = plus(inner, Sum(Mul(d, t[i])))
		}
	}
	if inner == nil {
		return nil
	}
	return adjoints(nil, inner, OnesLike(inner), G.Nodes{u})[u]
}

// builtinCurve returns Σ_k n″[t_k, t_k].
func builtinCurve(n *G.Node, in G.Nodes, dirs []G.Nodes) *G.Node {
	e := translate(n, in)
	if e == nil {
		failf("%w of second order for %v (%T)", ErrNoRule, n.Op(), n.Op())
	}
	var tans []map[*G.Node]*G.Node
	for _, t := range dirs {
		start := map[*G.Node]*G.Node{}
		for i, c := range in {
			if t[i] != nil {
				start[c] = t[i]
			}
		}
		tans = append(tans, tangents(below(n, in), e, start))
	}
	return secondCoefficient(below(n, in), e, tans)
}

func builtinRowwise(n *G.Node, in G.Nodes, act map[*G.Node]bool) bool {
	e := translate(n, in)
	if e == nil {
		return false
	}
	order, args := topologicalFrom(below(n, in), e)
	var wrt G.Nodes
	for _, c := range in {
		if act[c] {
			wrt = append(wrt, c)
		}
	}
	local := active(order, args, wrt)
	for _, m := range order {
		if local[m] && len(args[m]) > 0 && !rowwise(m, args[m], local) {
			return false
		}
	}
	return true
}

// probeOp is a node of ones that is not recognised as constant: the variable in which a reverse rule is differentiated.
type probeOp struct{ s tensor.Shape }

func (o probeOp) String() string                             { return fmt.Sprint("probe", []int(o.s)) }
func (o probeOp) arity() int                                 { return 1 }
func (o probeOp) shape([]tensor.Shape) (tensor.Shape, error) { return o.s.Clone(), nil }
func (probeOp) constant()                                    {}

func (o probeOp) eval(dst []float64, _ [][]float64, _ []tensor.Shape) {
	for i := range dst {
		dst[i] = 1
	}
}

func (probeOp) vjp(G.Nodes, *G.Node, *G.Node, []bool) G.Nodes { return G.Nodes{nil} }
func (probeOp) jvp(G.Nodes, *G.Node, G.Nodes) *G.Node         { return nil }
func (probeOp) curve(G.Nodes, *G.Node, []G.Nodes) *G.Node     { return nil }
