package graphs

import (
	G "gorgonia.org/gorgonia"
)

// JVP returns Σ_i ∂out/∂wrt[i]·dirs[i], the derivative of out along the tangents dirs: forward mode. A tangent has the
// shape of its node; the result has out's, and is a structural zero if out does not depend on wrt. A structural zero as
// a tangent costs nothing.
func JVP(out *G.Node, wrt, dirs G.Nodes) (d *G.Node, err error) {
	err = try(func() {
		if out == nil || out.Graph() == nil {
			failf("JVP of no node")
		}
		if len(wrt) != len(dirs) {
			failf("JVP: %d tangents for %d nodes", len(dirs), len(wrt))
		}
		start := map[*G.Node]*G.Node{}
		for i, w := range wrt {
			t := dirs[i]
			if w == nil || w.Graph() != out.Graph() {
				failf("JVP with respect to node %d, which is missing or in another graph", i)
			}
			if t == nil || t.Graph() != out.Graph() || !sameShape(t, w) {
				failf("JVP: tangent %d must be a node of the graph and of shape %v", i, w.Shape())
			}
			if start[w] != nil {
				failf("JVP: node %d is given twice", i)
			}
			start[w] = t
		}
		if d = tangents(nil, out, start)[out]; d == nil {
			d = ZerosLike(out)
		}
		returned(d)
	})
	return d, err
}

// tangents carries the tangents of start forward to all nodes that out depends on; structural zeros have no entry.
// Nodes of from are treated as inputs.
func tangents(from G.Nodes, out *G.Node, start map[*G.Node]*G.Node) map[*G.Node]*G.Node {
	tan := map[*G.Node]*G.Node{}
	var wrt G.Nodes
	for w := range start {
		wrt = append(wrt, w)
	}
	derive(wrt, func() { forwardSweep(tan, from, out, start) })
	return tan
}

func forwardSweep(tan map[*G.Node]*G.Node, from G.Nodes, out *G.Node, start map[*G.Node]*G.Node) {
	order, in := topologicalFrom(from, out)
	for w, t := range start {
		if !isZero(t) {
			tan[w] = t
		}
	}
	for _, n := range order {
		if _, given := start[n]; given || len(in[n]) == 0 {
			continue
		}
		ts, any := tangentsOf(n, in[n], tan)
		if !any {
			continue
		}
		if t := forward(n, in[n], ts); t != nil && !isZero(t) {
			if !sameShape(t, n) {
				failf("the tangent of %v has shape %v where the node has %v", n.Op(), t.Shape(), n.Shape())
			}
			tan[n] = t
		}
	}
}

// tangentsOf gathers the tangents of n's operands; any is false if all are zero.
func tangentsOf(n *G.Node, in G.Nodes, tan map[*G.Node]*G.Node) (ts G.Nodes, any bool) {
	diff := differentiable(n, in)
	ts = make(G.Nodes, len(in))
	for i, c := range in {
		if diff[i] && tan[c] != nil {
			ts[i], any = tan[c], true
		}
	}
	return ts, any
}

// forward applies the forward rule of n; entries of t and the result may be nil.
func forward(n *G.Node, in G.Nodes, t G.Nodes) *G.Node {
	if o, ok := ownOp(n); ok {
		return o.jvp(in, n, t)
	}
	return builtinForward(n, in, t)
}
