package graphs

import (
	"slices"

	G "gorgonia.org/gorgonia"
)

// Grad returns the gradient of cost, a node of one element, with respect to each node of wrt, as new nodes of the same
// graph. Every gradient has the shape of its node; if cost does not depend on a node it is a structural zero.
//
// Nothing is stored on the nodes, so Grad may be applied to its own results, for derivatives of any order. wrt may
// contain any node from which cost was computed, not only inputs.
//
// Our own operations are differentiated by their rules, Gorgonia's by translation to ours (see the package
// documentation); for one without a rule, the error ErrNoRule names it. For third-party operations their SymDiff is
// used.
func Grad(cost *G.Node, wrt ...*G.Node) (gs G.Nodes, err error) {
	err = try(func() {
		checkCost(cost, wrt)
		gs = vjp(cost, OnesLike(cost), wrt)
		returned(gs...)
	})
	return gs, err
}

// StoreGrads is Grad in the manner of gorgonia.Grad: besides returning the gradients it attaches them to their nodes,
// those of wrt and all between them and cost. After a run of a Machine, Node.Grad returns the value of a node's
// gradient. Unlike gorgonia.Grad it may be called again, for other costs and for gradients of gradients; a node keeps
// the gradient of the last call.
func StoreGrads(cost *G.Node, wrt ...*G.Node) (gs G.Nodes, err error) {
	err = try(func() {
		checkCost(cost, wrt)
		adj := adjoints(nil, cost, OnesLike(cost), wrt)
		for _, w := range wrt {
			if adj[w] == nil {
				adj[w] = ZerosLike(w)
			}
			gs = append(gs, adj[w])
		}
		order, _ := topological(append(slices.Clone(wrt), cost)...)
		for _, n := range order {
			if d := adj[n]; d != nil {
				G.SetDerivOf(d, n)
			}
		}
		returned(gs...)
	})
	return gs, err
}

func checkCost(cost *G.Node, wrt G.Nodes) {
	if missing(cost) {
		failf("Grad of no node")
	}
	if n := cost.Shape().TotalSize(); n != 1 {
		failf("Grad of a node of shape %v, want one element; add them up with Sum", cost.Shape())
	}
	for i, w := range wrt {
		if w == nil || w.Graph() != cost.Graph() {
			failf("gradient with respect to node %d, which is missing or in another graph", i)
		}
	}
}

// VJP returns, for each node w of wrt, seedᵀ·∂out/∂w: reverse mode with a given seed, which has out's shape.
func VJP(out, seed *G.Node, wrt ...*G.Node) (gs G.Nodes, err error) {
	err = try(func() {
		if out == nil || out.Graph() == nil {
			failf("VJP of no node")
		}
		if seed == nil || seed.Graph() != out.Graph() || !sameShape(seed, out) {
			failf("VJP: the seed must be a node of out's graph and shape %v", out.Shape())
		}
		gs = vjp(out, seed, wrt)
		returned(gs...)
	})
	return gs, err
}

// returned marks nodes as derivatives that were asked for: a Machine keeps their values.
func returned(ds ...*G.Node) {
	for _, d := range ds {
		if o, ok := d.Op().(*op); ok {
			o.returned = true
		}
	}
}

func vjp(out, seed *G.Node, wrt G.Nodes) G.Nodes {
	for i, w := range wrt {
		if w == nil || w.Graph() != out.Graph() {
			failf("gradient with respect to node %d, which is missing or in another graph", i)
		}
	}
	adj := adjoints(nil, out, seed, wrt)
	gs := make(G.Nodes, len(wrt))
	for i, w := range wrt {
		if gs[i] = adj[w]; gs[i] == nil {
			gs[i] = ZerosLike(w)
		}
	}
	return gs
}

// active returns the nodes of order whose value depends on one of wrt, including wrt.
func active(order G.Nodes, in map[*G.Node]G.Nodes, wrt G.Nodes) map[*G.Node]bool {
	act := map[*G.Node]bool{}
	for _, w := range wrt {
		act[w] = true
	}
	for _, n := range order {
		if act[n] || len(in[n]) == 0 {
			continue
		}
		diff := differentiable(n, in[n])
		for i, c := range in[n] {
			if act[c] && diff[i] {
				act[n] = true
				break
			}
		}
	}
	return act
}

// adjoints returns seedᵀ·∂out/∂n for every node n between wrt and out; structural zeros have no entry. Nodes of from
// are treated as inputs.
func adjoints(from G.Nodes, out, seed *G.Node, wrt G.Nodes) map[*G.Node]*G.Node {
	adj := map[*G.Node]*G.Node{}
	derive(wrt, func() { reverseSweep(adj, from, out, seed, wrt) })
	return adj
}

func reverseSweep(adj map[*G.Node]*G.Node, from G.Nodes, out, seed *G.Node, wrt G.Nodes) {
	order, in := topologicalFrom(from, out)
	act := active(order, in, wrt)
	if !act[out] || isZero(seed) {
		return
	}
	adj[out] = seed
	for i := len(order) - 1; i >= 0; i-- {
		n := order[i]
		g := adj[n]
		if g == nil || !act[n] {
			continue
		}
		want := differentiable(n, in[n])
		any := false
		for j, c := range in[n] {
			want[j] = want[j] && act[c]
			any = any || want[j]
		}
		if !any {
			continue
		}
		for j, d := range reverse(n, in[n], g, want) {
			if c := in[n][j]; want[j] && d != nil && !isZero(d) {
				if !sameShape(d, c) {
					failf("the gradient of %v has shape %v where its operand has %v", n.Op(), d.Shape(), c.Shape())
				}
				adj[c] = plus(adj[c], d)
			}
		}
	}
}

func isZero(n *G.Node) bool {
	c, ok := constantOf(n)
	return ok && c == 0
}

// differentiable says which operands of n have a derivative.
func differentiable(n *G.Node, in G.Nodes) []bool {
	if len(in) == 0 {
		return nil
	}
	if o, ok := n.Op().(*op); ok {
		return o.DiffWRT(len(in))
	}
	return builtinDifferentiable(n, in)
}

// reverse applies the reverse rule of n: gᵀ·∂n/∂in[i] for i in want.
func reverse(n *G.Node, in G.Nodes, g *G.Node, want []bool) G.Nodes {
	if o, ok := ownOp(n); ok {
		return o.vjp(in, n, g, want)
	}
	return builtinReverse(n, in, g, want)
}
