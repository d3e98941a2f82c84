package graphtest_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/chewxy/hm"
	"github.com/stheno-ebm/stheno/graphs"
	"github.com/stheno-ebm/stheno/graphs/graphtest"
	G "gorgonia.org/gorgonia"
)

// recorder records failures instead of failing.
type recorder struct {
	testing.TB
	failures []string
}

func (r *recorder) Helper() {}
func (r *recorder) Errorf(format string, args ...any) {
	r.failures = append(r.failures, fmt.Sprintf(format, args...))
}

// square is x² with a derivative of the given factor times x; 2 is right.
type square struct {
	G.Op
	factor float64
}

func (square) Type() hm.Type      { a := hm.TypeVariable('a'); return hm.NewFnType(a, a) }
func (square) DiffWRT(int) []bool { return []bool{true} }
func (s square) SymDiff(in G.Nodes, _, g *G.Node) (G.Nodes, error) {
	return G.Nodes{graphs.Scale(graphs.Mul(in[0], g), s.factor)}, nil
}

// The kit accepts what is right and rejects what is wrong: a value or a derivative, off by a hundredth.
func TestCheckOpFails(t *testing.T) {
	squares := func(x ...[]float64) []float64 {
		y := make([]float64, len(x[0]))
		for i, v := range x[0] {
			y[i] = v * v
		}
		return y
	}
	apply := func(factor float64) graphtest.Func {
		return func(x ...*G.Node) *G.Node {
			// Gorgonia's operation is taken from a graph of its own: in x's graph it would be merged with ours.
			theirs := graphs.Must(G.Square(G.NewMatrix(G.NewGraph(), x[0].Dtype(), G.WithShape(2, 2), G.WithName("x"))))
			return graphs.Must(G.ApplyOp(square{theirs.Op(), factor}, x[0]))
		}
	}
	for _, c := range []struct {
		name string
		f    graphtest.Func
		want string // expected in the first failure; empty for none
	}{
		{"right", apply(2), ""},
		{"wrong derivative", apply(2.02), "float64 derivative of order 1"},
		{"wrong value", func(x ...*G.Node) *G.Node { return graphs.Scale(graphs.Square(x[0]), 1.01) }, "float64 value"},
	} {
		r := &recorder{TB: t}
		graphtest.CheckOp(r, c.f, squares, graphtest.Uniform(1, 0.5, 1, 2, 2))
		switch {
		case c.want == "" && len(r.failures) > 0:
			t.Errorf("%s: failed with %q", c.name, r.failures)
		case c.want != "" && (len(r.failures) == 0 || !strings.HasPrefix(r.failures[0], c.want)):
			t.Errorf("%s: got %q, want a failure of the %s", c.name, r.failures, c.want)
		}
	}
}
