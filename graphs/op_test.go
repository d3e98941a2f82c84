package graphs_test

import (
	"math"
	"testing"

	"github.com/stheno-ebm/stheno/graphs"
	"github.com/stheno-ebm/stheno/graphs/graphtest"
	G "gorgonia.org/gorgonia"
)

func each(f func(float64) float64) graphtest.Reference {
	return func(x ...[]float64) []float64 {
		y := make([]float64, len(x[0]))
		for i, v := range x[0] {
			y[i] = f(v)
		}
		return y
	}
}

func sigmoid(x float64) float64 { return 1 / (1 + math.Exp(-x)) }

// Every operation, by the kit.
func TestOperations(t *testing.T) {
	m := func(seed uint64, shape ...int) graphtest.Input { return graphtest.Uniform(seed, -1.5, 1.5, shape...) }
	pos := func(seed uint64, shape ...int) graphtest.Input { return graphtest.Uniform(seed, 0.5, 2, shape...) }
	unary := func(f func(*G.Node) *G.Node) graphtest.Func { return func(x ...*G.Node) *G.Node { return f(x[0]) } }
	binary := func(f func(a, b *G.Node) *G.Node) graphtest.Func {
		return func(x ...*G.Node) *G.Node { return f(x[0], x[1]) }
	}
	zip := func(f func(a, b float64) float64) graphtest.Reference {
		return func(x ...[]float64) []float64 {
			y := make([]float64, len(x[0]))
			for i := range y {
				y[i] = f(x[0][i], x[1][i])
			}
			return y
		}
	}
	pow := func(p float64) graphtest.Func { return unary(func(x *G.Node) *G.Node { return graphs.Pow(x, p) }) }
	matmul := func(ta, tb bool) graphtest.Func {
		return binary(func(a, b *G.Node) *G.Node { return graphs.MatMul(a, b, ta, tb) })
	}
	product := func(ta, tb bool, m, k, n int) graphtest.Reference {
		return func(x ...[]float64) []float64 {
			y := make([]float64, m*n)
			for i := range m {
				for j := range n {
					for l := range k {
						ai, bi := i*k+l, l*n+j
						if ta {
							ai = l*m + i
						}
						if tb {
							bi = j*k + l
						}
						y[i*n+j] += x[0][ai] * x[1][bi]
					}
				}
			}
			return y
		}
	}
	for _, c := range []struct {
		name string
		f    graphtest.Func
		ref  graphtest.Reference
		in   []graphtest.Input
	}{
		{"SiLU", unary(graphs.SiLU), each(func(x float64) float64 { return x * sigmoid(x) }), []graphtest.Input{m(1, 3, 2)}},
		{"Tanh", unary(graphs.Tanh), each(math.Tanh), []graphtest.Input{m(1, 3, 2)}},
		{"Softplus", unary(graphs.Softplus), each(func(x float64) float64 { return math.Log1p(math.Exp(x)) }), []graphtest.Input{m(1, 3, 2)}},
		{"GELU", unary(graphs.GELU), each(func(x float64) float64 { return x * (1 + math.Erf(x/math.Sqrt2)) / 2 }), []graphtest.Input{m(1, 3, 2)}},
		{"Sigmoid", unary(graphs.Sigmoid), each(sigmoid), []graphtest.Input{m(1, 3, 2)}},
		{"ReLU", unary(graphs.ReLU), each(func(x float64) float64 { return math.Max(x, 0) }), []graphtest.Input{m(1, 3, 2)}},
		{"Abs", unary(graphs.Abs), each(math.Abs), []graphtest.Input{m(1, 3, 2)}},
		{"Square", unary(graphs.Square), each(func(x float64) float64 { return x * x }), []graphtest.Input{m(1, 3, 2)}},
		{"Exp", unary(graphs.Exp), each(math.Exp), []graphtest.Input{m(1, 3, 2)}},
		{"Log", unary(graphs.Log), each(math.Log), []graphtest.Input{pos(1, 3, 2)}},
		{"Sqrt", unary(graphs.Sqrt), each(math.Sqrt), []graphtest.Input{pos(1, 3, 2)}},
		{"Reciprocal", unary(graphs.Reciprocal), each(func(x float64) float64 { return 1 / x }), []graphtest.Input{pos(1, 3, 2)}},
		{"Sin", unary(graphs.Sin), each(math.Sin), []graphtest.Input{m(1, 3, 2)}},
		{"Cos", unary(graphs.Cos), each(math.Cos), []graphtest.Input{m(1, 3, 2)}},
		{"Pow3", pow(3), each(func(x float64) float64 { return x * x * x }), []graphtest.Input{m(1, 3, 2)}},
		{"Pow2.5", pow(2.5), each(func(x float64) float64 { return math.Pow(x, 2.5) }), []graphtest.Input{pos(1, 3, 2)}},
		{"Pow-2", pow(-2), each(func(x float64) float64 { return 1 / (x * x) }), []graphtest.Input{pos(1, 4)}},
		{"Add", binary(graphs.Add), zip(func(a, b float64) float64 { return a + b }), []graphtest.Input{m(1, 3, 2), m(2, 3, 2)}},
		{"Sub", binary(graphs.Sub), zip(func(a, b float64) float64 { return a - b }), []graphtest.Input{m(1, 3, 2), m(2, 3, 2)}},
		{"Mul", binary(graphs.Mul), zip(func(a, b float64) float64 { return a * b }), []graphtest.Input{m(1, 3, 2), m(2, 3, 2)}},
		{"Div", binary(graphs.Div), zip(func(a, b float64) float64 { return a / b }), []graphtest.Input{m(1, 3, 2), pos(2, 3, 2)}},
		{"MatMulNN", matmul(false, false), product(false, false, 2, 3, 2), []graphtest.Input{m(1, 2, 3), m(2, 3, 2)}},
		{"MatMulTN", matmul(true, false), product(true, false, 2, 3, 2), []graphtest.Input{m(1, 3, 2), m(2, 3, 2)}},
		{"MatMulNT", matmul(false, true), product(false, true, 2, 3, 2), []graphtest.Input{m(1, 2, 3), m(2, 2, 3)}},
		{"MatMulTT", matmul(true, true), product(true, true, 2, 3, 2), []graphtest.Input{m(1, 3, 2), m(2, 2, 3)}},
	} {
		t.Run(c.name, func(t *testing.T) { graphtest.CheckOp(t, c.f, c.ref, c.in...) })
	}
}
