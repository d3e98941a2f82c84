package graphs

import (
	"slices"

	G "gorgonia.org/gorgonia"

	"github.com/stheno-ebm/stheno/graphs/internal/gorgonia"
)

// kept returns the nodes whose values a machine keeps if it does not keep all, see Machine.
func (m *Machine) kept() map[*G.Node]bool {
	k := map[*G.Node]bool{}
	for _, r := range m.reads {
		k[r.from] = true
	}
	for _, s := range m.sets {
		k[s.from] = true
	}
	for _, n := range slices.Concat(m.o.values, m.o.logged) {
		k[n] = true
	}
	for _, n := range m.nodes {
		if n.Op() != nil && gorgonia.Named(n) {
			k[n] = true
		}
	}
	m.keepEnds(k)
	gradients := G.Nodes{}
	for _, n := range m.nodes {
		if slices.ContainsFunc(gorgonia.DerivativeOf(n), func(of *G.Node) bool { return of.Op() == nil || k[of] }) {
			gradients = append(gradients, n)
		}
	}
	for _, n := range gradients {
		k[n] = true
	}
	return k
}

// keepEnds adds the ends of the graph and what they are made of. An end is a node that no other uses, or no other than
// its own derivatives, as the last node that has one. Gradients that nobody asked for are none.
func (m *Machine) keepEnds(k map[*G.Node]bool) {
	used, differentiated := map[*G.Node]bool{}, map[*G.Node]bool{}
	for _, n := range m.nodes {
		if own, ok := ownOp(n); ok && isConstant(own) || derived(n) { // the operand of a constant is an anchor
			continue
		}
		for _, c := range operands(n) {
			used[c] = true
			differentiated[c] = differentiated[c] || n.Deriv() != nil
		}
	}
	seen := map[*G.Node]bool{}
	var back func(n *G.Node)
	back = func(n *G.Node) {
		if n.Op() == nil || seen[n] || auxiliary(n) {
			return
		}
		seen[n], k[n] = true, true
		if simple(n) && !derived(n) {
			for _, c := range operands(n) {
				back(c)
			}
		}
	}
	for _, n := range m.nodes {
		if len(gorgonia.DerivativeOf(n)) == 0 && !gorgonia.Derived(n) &&
			(!used[n] || n.Deriv() != nil && !differentiated[n]) {
			back(n)
		}
	}
}

// derived reports whether n was made while differentiating by this package.
func derived(n *G.Node) bool {
	o, ok := n.Op().(*op)
	return ok && o.derived
}

// auxiliary reports whether n is derived, but no derivative that anyone asked for.
func auxiliary(n *G.Node) bool { return derived(n) && !n.Op().(*op).returned }

// simple reports whether n is an operation of losses: element by element, a sum or maximum, a softmax, or a change of
// shape.
func simple(n *G.Node) bool {
	if own, ok := ownOp(n); ok {
		switch own.(type) {
		case binaryOp, unaryOp, scaleOp, shiftOp, rowSumOp, colSumOp, sumOp, reshapeOp, rowLogSumExpOp, rowSoftmaxOp:
			return true
		}
		return false
	}
	kind := gorgonia.KindOf(n.Op())
	switch kind.Family() {
	case gorgonia.Unary, gorgonia.Binary, gorgonia.Compare, gorgonia.Reduction:
		return true
	}
	return slices.Contains([]gorgonia.Kind{gorgonia.Reshape, gorgonia.Transpose, gorgonia.Slice, gorgonia.Concat,
		gorgonia.Softmax, gorgonia.Sparsemax}, kind)
}
