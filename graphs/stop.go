package graphs

import (
	G "gorgonia.org/gorgonia"
	"gorgonia.org/tensor"
)

// stopOp is the identity, whose derivatives are taken to be zero.
type stopOp struct{ linear }

func (stopOp) String() string { return "stopgradient" }
func (stopOp) arity() int     { return 1 }
func (stopOp) fixed() []bool  { return []bool{true} }

func (stopOp) shape(in []tensor.Shape) (tensor.Shape, error)        { return in[0].Clone(), nil }
func (stopOp) eval(dst []float64, in [][]float64, _ []tensor.Shape) { copy(dst, in[0]) }
func (stopOp) vjp(G.Nodes, *G.Node, *G.Node, []bool) G.Nodes        { return G.Nodes{nil} }
func (stopOp) jvp(G.Nodes, *G.Node, G.Nodes) *G.Node                { return nil }

// StopGradient returns x, but constant for all derivatives, of any order and in either mode: for quantities to be held
// fixed, such as the weights of an importance-weighted loss. It costs nothing at run time.
func StopGradient(x *G.Node) *G.Node {
	need(stopOp{}, x)
	return apply(stopOp{}, x)
}
