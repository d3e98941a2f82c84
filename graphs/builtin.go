package graphs

import (
	G "gorgonia.org/gorgonia"
)

func builtinDifferentiable(n *G.Node, operands int) []bool { return make([]bool, operands) }

func builtinReverse(n *G.Node, in G.Nodes, g *G.Node, want []bool) G.Nodes {
	o, ok := n.Op().(G.SDOp)
	if !ok {
		failf("no derivative rule for %v (%T)", n.Op(), n.Op())
	}
	gs, err := o.SymDiff(in, n, g)
	must(err)
	return gs
}

func builtinForward(n *G.Node, in G.Nodes, t G.Nodes) *G.Node {
	failf("no forward rule for %v (%T)", n.Op(), n.Op())
	return nil
}

func translate(n *G.Node, in G.Nodes) (operation, bool) { return nil, false }
