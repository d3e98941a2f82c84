package graphs_test

import (
	"math"
	"testing"

	G "gorgonia.org/gorgonia"

	"github.com/stheno-ebm/stheno/graphs"
)

// StopGradient is its operand, and constant for derivatives in either mode and of the second order: with s =
// StopGradient(x), f = s·x² has ∂f/∂x = 2sx, ∂²f/∂x² = 2s, not 3x² and 6x. Compiled and on the machine.
func TestStopGradient(t *testing.T) {
	g := G.NewGraph()
	var x, f, plain *G.Node
	build := func(make func() *G.Node) *G.Node {
		n, err := graphs.Try(make)
		if err != nil {
			t.Fatal(err)
		}
		return n
	}
	f = build(func() *G.Node {
		x = graphs.NewInput(g, G.Float64, "x", 3, 1)
		s := graphs.StopGradient(x)
		return graphs.Sum(graphs.Mul(s, graphs.Square(x)))
	})
	first, err := graphs.Grad(f, x)
	if err != nil {
		t.Fatal(err)
	}
	one := build(func() *G.Node { return graphs.OnesLike(x) })
	forward, err := graphs.JVP(f, G.Nodes{x}, G.Nodes{one})
	if err != nil {
		t.Fatal(err)
	}
	second, err := graphs.HVP(f, x, one)
	if err != nil {
		t.Fatal(err)
	}
	plain = build(func() *G.Node { return graphs.Sum(graphs.StopGradient(graphs.Square(x))) })
	none, err := graphs.Grad(plain, x)
	if err != nil {
		t.Fatal(err)
	}
	fn, err := graphs.Compile(G.Nodes{x}, G.Nodes{f, first[0], forward, second, none[0]})
	if err != nil {
		t.Fatal(err)
	}
	at := []float64{-1, 0.5, 2}
	dst := [][]float64{{0}, make([]float64, 3), {0}, make([]float64, 3), make([]float64, 3)}
	if err := fn.Call(dst, at); err != nil {
		t.Fatal(err)
	}
	var value, slope float64
	for i, v := range at {
		value += v * v * v
		slope += 2 * v * v
		if dst[1][i] != 2*v*v || dst[3][i] != 2*v || dst[4][i] != 0 {
			t.Errorf("at %g: derivatives %g, %g and %g, want %g, %g and 0", v, dst[1][i], dst[3][i], dst[4][i], 2*v*v, 2*v)
		}
	}
	if math.Abs(dst[0][0]-value) > 1e-14 || math.Abs(dst[2][0]-slope) > 1e-14 {
		t.Errorf("value %g and slope %g, want %g and %g", dst[0][0], dst[2][0], value, slope)
	}
}
