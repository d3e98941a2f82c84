package graphs

import (
	G "gorgonia.org/gorgonia"
)

// HVP returns ∇²cost(x)·v, of x's shape, for a cost of one element.
func HVP(cost, x, v *G.Node) (*G.Node, error) {
	gs, err := Grad(cost, x)
	if err != nil {
		return nil, err
	}
	return JVP(gs[0], G.Nodes{x}, G.Nodes{v})
}
