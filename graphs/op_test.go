package graphs_test

import (
	"errors"
	"math"
	"strings"
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
		{"Softplus", unary(graphs.Softplus), each(func(x float64) float64 {
			return math.Log1p(math.Exp(x))
		}), []graphtest.Input{m(1, 3, 2)}},
		{"GELU", unary(graphs.GELU), each(func(x float64) float64 {
			return x * (1 + math.Erf(x/math.Sqrt2)) / 2
		}), []graphtest.Input{m(1, 3, 2)}},
		{"Sigmoid", unary(graphs.Sigmoid), each(sigmoid), []graphtest.Input{m(1, 3, 2)}},
		{"ReLU", unary(graphs.ReLU), each(func(x float64) float64 { return math.Max(x, 0) }), []graphtest.Input{m(1, 3, 2)}},
		{"Abs", unary(graphs.Abs), each(math.Abs), []graphtest.Input{m(1, 3, 2)}},
		{"Square", unary(graphs.Square), each(func(x float64) float64 { return x * x }), []graphtest.Input{m(1, 3, 2)}},
		{"Exp", unary(graphs.Exp), each(math.Exp), []graphtest.Input{m(1, 3, 2)}},
		{"Log", unary(graphs.Log), each(math.Log), []graphtest.Input{pos(1, 3, 2)}},
		{"Sqrt", unary(graphs.Sqrt), each(math.Sqrt), []graphtest.Input{pos(1, 3, 2)}},
		{"Reciprocal", unary(graphs.Reciprocal), each(func(x float64) float64 {
			return 1 / x
		}), []graphtest.Input{pos(1, 3, 2)}},
		{"Sin", unary(graphs.Sin), each(math.Sin), []graphtest.Input{m(1, 3, 2)}},
		{"Cos", unary(graphs.Cos), each(math.Cos), []graphtest.Input{m(1, 3, 2)}},
		{"Pow3", pow(3), each(func(x float64) float64 { return x * x * x }), []graphtest.Input{m(1, 3, 2)}},
		{"Pow2.5", pow(2.5), each(func(x float64) float64 { return math.Pow(x, 2.5) }), []graphtest.Input{pos(1, 3, 2)}},
		{"Pow-2", pow(-2), each(func(x float64) float64 { return 1 / (x * x) }), []graphtest.Input{pos(1, 4)}},
		{"Add", binary(graphs.Add), zip(func(a, b float64) float64 {
			return a + b
		}), []graphtest.Input{m(1, 3, 2), m(2, 3, 2)}},
		{"Sub", binary(graphs.Sub), zip(func(a, b float64) float64 {
			return a - b
		}), []graphtest.Input{m(1, 3, 2), m(2, 3, 2)}},
		{"Mul", binary(graphs.Mul), zip(func(a, b float64) float64 {
			return a * b
		}), []graphtest.Input{m(1, 3, 2), m(2, 3, 2)}},
		{"Div", binary(graphs.Div), zip(func(a, b float64) float64 {
			return a / b
		}), []graphtest.Input{m(1, 3, 2), pos(2, 3, 2)}},
		{"MatMulNN", matmul(false, false), product(false, false, 2, 3, 2), []graphtest.Input{m(1, 2, 3), m(2, 3, 2)}},
		{"MatMulTN", matmul(true, false), product(true, false, 2, 3, 2), []graphtest.Input{m(1, 3, 2), m(2, 3, 2)}},
		{"MatMulNT", matmul(false, true), product(false, true, 2, 3, 2), []graphtest.Input{m(1, 2, 3), m(2, 2, 3)}},
		{"MatMulTT", matmul(true, true), product(true, true, 2, 3, 2), []graphtest.Input{m(1, 3, 2), m(2, 2, 3)}},
		{"Scale", unary(func(x *G.Node) *G.Node { return graphs.Scale(x, -1.5) }),
			each(func(x float64) float64 { return -1.5 * x }), []graphtest.Input{m(1, 3, 2)}},
		{"Neg", unary(graphs.Neg), each(func(x float64) float64 { return -x }), []graphtest.Input{m(1, 5)}},
		{"Shift", unary(func(x *G.Node) *G.Node { return graphs.Shift(x, 0.25) }),
			each(func(x float64) float64 { return x + 0.25 }), []graphtest.Input{m(1, 3, 2)}},
		{"Affine", func(x ...*G.Node) *G.Node { return graphs.Affine(x[0], x[1], x[2]) }, func(x ...[]float64) []float64 {
			y := product(false, true, 3, 2, 2)(x[0], x[1])
			for i := range y {
				y[i] += x[2][i%2]
			}
			return y
		}, []graphtest.Input{m(1, 3, 2), m(2, 2, 2), m(3, 2)}},
		{"RowSum", unary(graphs.RowSum), func(x ...[]float64) []float64 {
			return []float64{x[0][0] + x[0][1], x[0][2] + x[0][3]}
		}, []graphtest.Input{m(1, 2, 2)}},
		{"ColSum", unary(graphs.ColSum), func(x ...[]float64) []float64 {
			return []float64{x[0][0] + x[0][2], x[0][1] + x[0][3]}
		}, []graphtest.Input{m(1, 2, 2)}},
		{"Sum", unary(graphs.Sum), func(x ...[]float64) []float64 {
			return []float64{x[0][0] + x[0][1] + x[0][2] + x[0][3]}
		}, []graphtest.Input{m(1, 2, 2)}},
		{"Mean", unary(graphs.Mean), func(x ...[]float64) []float64 {
			return []float64{(x[0][0] + x[0][1] + x[0][2]) / 3}
		}, []graphtest.Input{m(1, 3)}},
		{"RowLogSumExp", unary(graphs.RowLogSumExp), func(x ...[]float64) []float64 {
			return []float64{math.Log(math.Exp(x[0][0]) + math.Exp(x[0][1])), math.Log(math.Exp(x[0][2]) + math.Exp(x[0][3]))}
		}, []graphtest.Input{m(1, 2, 2)}},
		{"RowSoftmax", unary(graphs.RowSoftmax), func(x ...[]float64) []float64 {
			return []float64{sigmoid(x[0][0] - x[0][1]), sigmoid(x[0][1] - x[0][0]), sigmoid(x[0][2] - x[0][3]),
				sigmoid(x[0][3] - x[0][2])}
		}, []graphtest.Input{m(1, 2, 2)}},
		{"ExpandCols", unary(func(x *G.Node) *G.Node {
			return graphs.ExpandCols(x, 2)
		}), func(x ...[]float64) []float64 {
			return []float64{x[0][0], x[0][0], x[0][1], x[0][1]}
		}, []graphtest.Input{m(1, 2, 1)}},
		{"ExpandRows", unary(func(x *G.Node) *G.Node { return graphs.ExpandRows(x, 2) }),
			func(x ...[]float64) []float64 { return []float64{x[0][0], x[0][1], x[0][0], x[0][1]} }, []graphtest.Input{m(1, 2)}},
		{"Fill", binary(graphs.Fill), func(x ...[]float64) []float64 {
			return []float64{x[0][0], x[0][0], x[0][0], x[0][0]}
		}, []graphtest.Input{m(1, 1), m(2, 2, 2)}},
		{"ZerosLike", unary(graphs.ZerosLike), func(x ...[]float64) []float64 {
			return make([]float64, 4)
		}, []graphtest.Input{m(1, 2, 2)}},
		{"OnesLike", unary(graphs.OnesLike), func(x ...[]float64) []float64 {
			return []float64{1, 1, 1}
		}, []graphtest.Input{m(1, 3)}},
		{"ConcatCols", binary(func(a, b *G.Node) *G.Node { return graphs.ConcatCols(a, b) }), func(x ...[]float64) []float64 {
			return []float64{x[0][0], x[0][1], x[1][0], x[0][2], x[0][3], x[1][1]}
		}, []graphtest.Input{m(1, 2, 2), m(2, 2, 1)}},
		{"ConcatRows", binary(func(a, b *G.Node) *G.Node {
			return graphs.ConcatRows(a, b)
		}), func(x ...[]float64) []float64 {
			return append(append([]float64{}, x[0]...), x[1]...)
		}, []graphtest.Input{m(1, 2, 2), m(2, 1, 2)}},
		{"ConcatRows/vectors", binary(func(a, b *G.Node) *G.Node {
			return graphs.ConcatRows(a, b)
		}), func(x ...[]float64) []float64 {
			return append(append([]float64{}, x[0]...), x[1]...)
		}, []graphtest.Input{m(1, 2), m(2, 3)}},
		{"SliceCols", unary(func(x *G.Node) *G.Node {
			return graphs.SliceCols(x, 1, 3)
		}), func(x ...[]float64) []float64 {
			return []float64{x[0][1], x[0][2], x[0][5], x[0][6]}
		}, []graphtest.Input{m(1, 2, 4)}},
		{"SliceRows", unary(func(x *G.Node) *G.Node { return graphs.SliceRows(x, 1, 3) }),
			func(x ...[]float64) []float64 { return x[0][2:6] }, []graphtest.Input{m(1, 4, 2)}},
		{"SliceRows/vector", unary(func(x *G.Node) *G.Node { return graphs.SliceRows(x, 1, 3) }),
			func(x ...[]float64) []float64 { return x[0][1:3] }, []graphtest.Input{m(1, 4)}},
		{"PadCols", unary(func(x *G.Node) *G.Node {
			return graphs.PadCols(x, 1, 2)
		}), func(x ...[]float64) []float64 {
			return []float64{0, x[0][0], 0, 0, 0, x[0][1], 0, 0}
		}, []graphtest.Input{m(1, 2, 1)}},
		{"PadRows", unary(func(x *G.Node) *G.Node { return graphs.PadRows(x, 1, 1) }),
			func(x ...[]float64) []float64 { return []float64{0, 0, x[0][0], x[0][1], 0, 0} }, []graphtest.Input{m(1, 1, 2)}},
		{"PadRows/vector", unary(func(x *G.Node) *G.Node { return graphs.PadRows(x, 1, 0) }),
			func(x ...[]float64) []float64 { return []float64{0, x[0][0], x[0][1]} }, []graphtest.Input{m(1, 2)}},
		{"Transpose", unary(graphs.Transpose), func(x ...[]float64) []float64 {
			return []float64{x[0][0], x[0][2], x[0][4], x[0][1], x[0][3], x[0][5]}
		}, []graphtest.Input{m(1, 3, 2)}},
		{"Reshape", unary(func(x *G.Node) *G.Node { return graphs.Reshape(x, 2, 3) }),
			func(x ...[]float64) []float64 { return x[0] }, []graphtest.Input{m(1, 6)}},
	} {
		t.Run(c.name, func(t *testing.T) { graphtest.CheckOp(t, c.f, c.ref, c.in...) })
	}
}

// A node that is nil, or belongs to no graph like those of gorgonia.NewConstant, gives an error that names the
// operation.
func TestMissingNodes(t *testing.T) {
	g := G.NewGraph()
	x := graphs.NewInput(g, G.Float64, "x", 3, 2)
	builders := map[string]func(n *G.Node) *G.Node{
		"abs": graphs.Abs, "colsum": graphs.ColSum, "cos": graphs.Cos, "exp": graphs.Exp, "gelu": graphs.GELU,
		"log": graphs.Log, "mean": graphs.Mean, "neg": graphs.Neg, "oneslike": graphs.OnesLike, "relu": graphs.ReLU,
		"reciprocal": graphs.Reciprocal, "rowlogsumexp": graphs.RowLogSumExp, "rowsoftmax": graphs.RowSoftmax,
		"rowsum": graphs.RowSum, "silu": graphs.SiLU, "sigmoid": graphs.Sigmoid, "sin": graphs.Sin,
		"softplus": graphs.Softplus, "sqrt": graphs.Sqrt, "square": graphs.Square, "sum": graphs.Sum,
		"tanh": graphs.Tanh, "transpose": graphs.Transpose, "zeroslike": graphs.ZerosLike,
		"add":        func(n *G.Node) *G.Node { return graphs.Add(n, x) },
		"affine":     func(n *G.Node) *G.Node { return graphs.Affine(x, n, n) },
		"concat 1":   func(n *G.Node) *G.Node { return graphs.ConcatCols(n) },
		"concat 2":   func(n *G.Node) *G.Node { return graphs.ConcatRows(x, n) },
		"expandcols": func(n *G.Node) *G.Node { return graphs.ExpandCols(n, 3) },
		"expandrows": func(n *G.Node) *G.Node { return graphs.ExpandRows(n, 3) },
		"fill":       func(n *G.Node) *G.Node { return graphs.Fill(n, x) },
		"matmul":     func(n *G.Node) *G.Node { return graphs.MatMul(x, n, false, false) },
		"padcols":    func(n *G.Node) *G.Node { return graphs.PadCols(n, 0, 0) },
		"padrows":    func(n *G.Node) *G.Node { return graphs.PadRows(n, 1, 0) },
		"pow 0":      func(n *G.Node) *G.Node { return graphs.Pow(n, 0) },
		"pow 1":      func(n *G.Node) *G.Node { return graphs.Pow(n, 1) },
		"pow 3":      func(n *G.Node) *G.Node { return graphs.Pow(n, 3) },
		"reshape":    func(n *G.Node) *G.Node { return graphs.Reshape(n, 1) },
		"scale 0":    func(n *G.Node) *G.Node { return graphs.Scale(n, 0) },
		"scale 1":    func(n *G.Node) *G.Node { return graphs.Scale(n, 1) },
		"scale 2":    func(n *G.Node) *G.Node { return graphs.Scale(n, 2) },
		"shift 0":    func(n *G.Node) *G.Node { return graphs.Shift(n, 0) },
		"shift 2":    func(n *G.Node) *G.Node { return graphs.Shift(n, 2) },
		"slicecols":  func(n *G.Node) *G.Node { return graphs.SliceCols(n, 0, 1) },
		"slicerows":  func(n *G.Node) *G.Node { return graphs.SliceRows(n, 0, 1) },
		"fill like":  func(n *G.Node) *G.Node { return graphs.Fill(graphs.Sum(x), n) },
	}
	for name, build := range builders {
		for of, n := range map[string]*G.Node{"nil": nil, "constant": G.NewConstant(2.0)} {
			_, err := graphs.Try(func() *G.Node { return build(n) })
			if err == nil || !strings.Contains(err.Error(), "missing or in no graph") {
				t.Errorf("%s of %s: got error %v, want one of a missing node", name, of, err)
			}
		}
	}
	if _, err := graphs.Try(func() *G.Node { return graphs.NewInput(nil, G.Float64, "y", 2) }); err == nil {
		t.Error("an input of no graph: got no error")
	}
	if _, err := graphs.NewMachine(nil); err == nil {
		t.Error("a machine of no graph: got no error")
	}
	if _, err := graphs.Try(func() *G.Node { graphs.Cost(nil); return x }); err == nil {
		t.Error("the cost of no node: got no error")
	}
	if _, err := graphs.Compile(G.Nodes{x}, G.Nodes{x}, nil); err != nil {
		t.Errorf("a nil Option: got %v", err)
	}
}

// A builder called outside Try panics with an error that says what is wrong, not with an address.
func TestPanicIsAnError(t *testing.T) {
	defer func() {
		err, ok := recover().(error)
		if !ok || !errors.Is(err, graphs.ErrShape) || err.Error() != "graphs: add of shapes [(3) (4)]: shape mismatch" {
			t.Errorf("got a panic with %v, want the error of the shapes", err)
		}
	}()
	g := G.NewGraph()
	graphs.Add(graphs.NewInput(g, G.Float64, "a", 3), graphs.NewInput(g, G.Float64, "b", 4))
}
