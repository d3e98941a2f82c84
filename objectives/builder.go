package objectives

import (
	"fmt"

	"gonum.org/v1/gonum/blas/blas64"
	"gonum.org/v1/gonum/mat"
	G "gorgonia.org/gorgonia"

	"github.com/stheno-ebm/stheno/energy"
	"github.com/stheno-ebm/stheno/graphs"
)

// Builder is what a Form builds its loss from.
type Builder struct {
	N, D  int     // rows and dimension of the batch
	X     *G.Node // the batch (N, D)
	Theta G.Nodes // θ
	Own   G.Nodes // parameters of a [Learner]

	e        energy.Energy
	in       map[string]*G.Node
	points   *G.Node
	negative *G.Node
	ownLoss  *G.Node
	names    []string // yields, in order
	yields   G.Nodes
}

// Energy returns the energy the loss is for.
func (b *Builder) Energy() energy.Energy { return b.e }

// E builds the energies (m, 1) of the rows of x (m, D).
func (b *Builder) E(x *G.Node) *G.Node { return graphs.Must(b.e.Build(x, b.Theta)) }

// Gradient builds ∇E (m, D) from energies u (m, 1) of the rows of x.
func (b *Builder) Gradient(u, x *G.Node) *G.Node {
	g, err := graphs.VJP(u, graphs.OnesLike(u), x)
	return graphs.Must(first(g), err)
}

func first(n G.Nodes) *G.Node {
	if len(n) == 0 {
		return nil
	}
	return n[0]
}

// In returns the auxiliary input with this name.
func (b *Builder) In(name string) *G.Node {
	n := b.in[name]
	if n == nil {
		return graphs.Must(nil, fmt.Errorf("objectives: the loss asks for an input %q that it did not declare", name))
	}
	return n
}

// Yield makes a node an output of the compiled function, for Report and Update.
func (b *Builder) Yield(name string, n *G.Node) {
	b.names = append(b.names, name)
	b.yields = append(b.yields, n)
}

// SetPoints sets the points to which the model's density is fitted if not the batch: regularisers act there.
func (b *Builder) SetPoints(x *G.Node) { b.points = x }

// Points returns those points.
func (b *Builder) Points() *G.Node {
	if b.points == nil {
		return b.X
	}
	return b.points
}

// SetNegatives sets the points at which the loss raises the energy.
func (b *Builder) SetNegatives(x *G.Node) { b.negative = x }

// Negatives returns those points, or nil.
func (b *Builder) Negatives() *G.Node { return b.negative }

// SetOwnLoss sets the loss that a [Learner]'s own parameters minimise.
func (b *Builder) SetOwnLoss(n *G.Node) { b.ownLoss = n }

// halfSquare builds ½|r_i|² (n, 1).
func halfSquare(r *G.Node) *G.Node { return graphs.Scale(graphs.RowSum(graphs.Square(r)), 0.5) }

// rowDot builds a_i·b_i (n, 1).
func rowDot(a, b *G.Node) *G.Node { return graphs.RowSum(graphs.Mul(a, b)) }

// view makes m show data as n rows of width d, without allocation.
func view(m *mat.Dense, data []float64, n, d int) *mat.Dense {
	m.SetRawMatrix(blas64.General{Rows: n, Cols: d, Stride: d, Data: data[:n*d]})
	return m
}
