package graphs_test

import (
	"fmt"
	"math"
	"testing"

	"github.com/stheno-ebm/stheno/graphs"
	"github.com/stheno-ebm/stheno/graphs/graphtest"
	G "gorgonia.org/gorgonia"
	"gorgonia.org/tensor"
)

func must(t testing.TB) func(n *G.Node, err error) *G.Node {
	return func(n *G.Node, err error) *G.Node {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
		return n
	}
}

func grad(t testing.TB, cost *G.Node, wrt ...*G.Node) G.Nodes {
	t.Helper()
	gs, err := graphs.Grad(cost, wrt...)
	if err != nil {
		t.Fatal(err)
	}
	return gs
}

// network is an MLP energy with named inputs, and values for them.
type network struct {
	x, e  *G.Node
	theta G.Nodes
	feeds map[*G.Node][]float64
}

func (w *network) input(dt tensor.Dtype, g *G.ExprGraph, name string, shape ...int) *G.Node {
	n := graphs.NewInput(g, dt, name, shape...)
	w.feeds[n] = graphtest.Uniform(uint64(len(w.feeds)), -1, 1, shape...).Data
	return n
}

func mlp(dt tensor.Dtype, act func(*G.Node) *G.Node, n, d int, hidden ...int) *network {
	g := G.NewGraph()
	w := &network{feeds: map[*G.Node][]float64{}}
	w.x = w.input(dt, g, "x", n, d)
	h, in := w.x, d
	for l, width := range append(hidden, 1) {
		wn, b := w.input(dt, g, fmt.Sprint("w", l), width, in), w.input(dt, g, fmt.Sprint("b", l), width)
		w.theta = append(w.theta, wn, b)
		h = graphs.Affine(h, wn, b)
		if l < len(hidden) {
			h = act(h)
		}
		in = width
	}
	w.e = h
	return w
}

func (w *network) eval(t testing.TB, outs ...*G.Node) [][]float64 {
	t.Helper()
	v, err := graphtest.Eval(outs, w.feeds)
	if err != nil {
		t.Fatal(err)
	}
	return v
}

// hessians returns ∇²E of every row by differences of the gradient, (n,d,d).
func (w *network) hessians(t *testing.T) [][][]float64 {
	s := w.x.Shape()
	n, d := s[0], s[1]
	g := grad(t, graphs.Sum(w.e), w.x)[0]
	h := make([][][]float64, n)
	for i := range h {
		h[i] = make([][]float64, d)
	}
	x := w.feeds[w.x]
	const step = 1e-3
	for k := range d {
		at := func(dx float64) []float64 {
			for i := range n {
				x[i*d+k] += dx
			}
			v := w.eval(t, g)[0]
			for i := range n {
				x[i*d+k] -= dx
			}
			return v
		}
		p1, m1, p2, m2 := at(step), at(-step), at(2*step), at(-2*step)
		for i := range n {
			for j := range d {
				q := i*d + j
				h[i][k] = append(h[i][k], (8*(p1[q]-m1[q])-(p2[q]-m2[q]))/(12*step))
			}
		}
	}
	return h
}

// Every form of trace, curvature and product agrees with finite differences of the gradient, for every activation.
func TestSecondDerivatives(t *testing.T) {
	for name, act := range map[string]func(*G.Node) *G.Node{"silu": graphs.SiLU, "tanh": graphs.Tanh,
		"softplus": graphs.Softplus, "gelu": graphs.GELU,
		"product": func(x *G.Node) *G.Node { return graphs.Mul(graphs.Sin(x), graphs.Sigmoid(x)) },
		"quotient": func(x *G.Node) *G.Node {
			return graphs.Div(graphs.Sin(x), graphs.Exp(x))
		},
		"roots":       func(x *G.Node) *G.Node { return graphs.Sqrt(graphs.Shift(graphs.Square(x), 0.5)) },
		"logs":        func(x *G.Node) *G.Node { return graphs.Log(graphs.Shift(graphs.Square(x), 0.5)) },
		"reciprocals": func(x *G.Node) *G.Node { return graphs.Reciprocal(graphs.Shift(graphs.Square(x), 0.5)) },
		"powers":      func(x *G.Node) *G.Node { return graphs.Pow(graphs.Shift(graphs.Square(x), 0.5), 1.3) },
		"waves":       func(x *G.Node) *G.Node { return graphs.Add(graphs.Sin(x), graphs.Cos(graphs.Scale(x, 2))) },
		"softmax":     graphs.RowSoftmax,
		"logsumexp": func(x *G.Node) *G.Node {
			return graphs.Sub(x, graphs.ExpandCols(graphs.RowLogSumExp(x), x.Shape()[1]))
		},
		"columns": func(x *G.Node) *G.Node {
			return graphs.ConcatCols(graphs.PadCols(graphs.Square(graphs.SliceCols(x, 1, 3)), 0, 1),
				graphs.Exp(graphs.SliceCols(x, 3, 5)))
		},
		"rows": func(x *G.Node) *G.Node { return graphs.Transpose(graphs.Tanh(graphs.Transpose(x))) },
	} {
		t.Run(name, func(t *testing.T) {
			const n, d = 4, 3
			w := mlp(tensor.Float64, act, n, d, 5, 5)
			v := w.input(tensor.Float64, w.x.Graph(), "v", n, d)
			h := w.hessians(t)
			var trace, quad, hv []float64
			for i := range n {
				vi := w.feeds[v][i*d : (i+1)*d]
				tr, q := 0.0, 0.0
				for j := range d {
					tr += h[i][j][j]
					s := 0.0
					for k := range d {
						s += h[i][j][k] * vi[k]
					}
					hv = append(hv, s)
					q += vi[j] * s
				}
				trace, quad = append(trace, tr), append(quad, q)
			}
			graphtest.Close(t, "HessianTrace", w.eval(t, must(t)(graphs.HessianTrace(w.e, w.x)))[0], trace, 1e-8)
			graphtest.Close(t, "DirectionalCurvature", w.eval(t, must(t)(graphs.DirectionalCurvature(w.e, w.x, v)))[0],
				quad, 1e-8)
			graphtest.Close(t, "HVP", w.eval(t, must(t)(graphs.HVP(graphs.Sum(w.e), w.x, v)))[0], hv, 1e-8)

			var axes G.Nodes
			for k := range d {
				axes = append(axes, graphs.Unit(w.x, k))
			}
			for _, f := range graphs.CurvatureTrials(w.e, w.x, axes) {
				if f.Err != nil {
					if name != "rows" || f.Name != "contracted" {
						t.Errorf("%s: %v", f.Name, f.Err)
					}
					continue
				}
				graphtest.Close(t, "trace, "+f.Name, w.eval(t, must(t)(f.Build(w.e, w.x, axes)))[0], trace, 1e-8)
				graphtest.Close(t, "curvature, "+f.Name, w.eval(t, must(t)(f.Build(w.e, w.x, G.Nodes{v})))[0], quad, 1e-8)
			}
			for _, f := range graphs.ProductTrials(graphs.Sum(w.e), w.x, v) {
				if f.Err != nil {
					t.Errorf("%s: %v", f.Name, f.Err)
					continue
				}
				graphtest.Close(t, "product, "+f.Name, w.eval(t, must(t)(f.Build(graphs.Sum(w.e), w.x, G.Nodes{v})))[0], hv, 1e-8)
			}
		})
	}
}

// For the quadratic energy ½ xᵀAx the trace is tr A and the curvature vᵀAv, exactly.
func TestQuadratic(t *testing.T) {
	defer graphs.Building()()
	g := G.NewGraph()
	w := &network{feeds: map[*G.Node][]float64{}}
	w.x = w.input(tensor.Float64, g, "x", 3, 2)
	v := w.input(tensor.Float64, g, "v", 3, 2)
	a := graphs.NewInput(g, tensor.Float64, "a", 2, 2)
	w.feeds[a] = []float64{2, 0.5, 0.5, 3}
	e := graphs.Scale(graphs.RowSum(graphs.Mul(w.x, graphs.MatMul(w.x, a, false, false))), 0.5)
	graphtest.Close(t, "trace", w.eval(t, must(t)(graphs.HessianTrace(e, w.x)))[0], []float64{5, 5, 5}, 1e-15)
	var want []float64
	for i := range 3 {
		p, q := w.feeds[v][2*i], w.feeds[v][2*i+1]
		want = append(want, 2*p*p+p*q+3*q*q)
	}
	graphtest.Close(t, "curvature", w.eval(t, must(t)(graphs.DirectionalCurvature(e, w.x, v)))[0], want, 1e-15)
}

// An energy linear in x has no curvature: it is a structural zero, and has no gradient.
func TestNoCurvature(t *testing.T) {
	defer graphs.Building()()
	w := mlp(tensor.Float32, graphs.SiLU, 3, 2)
	tr := must(t)(graphs.HessianTrace(w.e, w.x))
	if c := graphs.Cost(append(G.Nodes{tr}, grad(t, graphs.Sum(tr), w.theta...)...)...); c.Nodes != 0 {
		t.Errorf("got %v, want nothing to compute", c)
	}
}

// The least numbers of (batch,width,width) products of a training gradient, for two hidden layers. They are 3 for each
// product of the value: one forward, and one for each of its operands in reverse.
func TestProducts(t *testing.T) {
	const n, width = 32, 16
	count := func(w *network, outs ...*G.Node) int { return graphs.Cost(outs...).Count(n, width, width) }
	train := func(w *network, d int, loss func(g *G.Node) *G.Node) int {
		g := grad(t, graphs.Sum(w.e), w.x)[0]
		l := graphs.Mean(loss(g))
		return count(w, append(grad(t, l, w.theta...), l)...)
	}
	half := func(g *G.Node) *G.Node { return graphs.Scale(graphs.RowSum(graphs.Square(g)), 0.5) }
	for _, c := range []struct {
		name string
		want int
		got  func() int
	}{
		{"Langevin", 2, func() int {
			w := mlp(tensor.Float32, graphs.SiLU, n, 2, width, width)
			return count(w, w.e, grad(t, graphs.Sum(w.e), w.x)[0])
		}},
		{"dsm", 6, func() int {
			w := mlp(tensor.Float32, graphs.SiLU, n, 2, width, width)
			target := w.input(tensor.Float32, w.x.Graph(), "target", n, 2)
			return train(w, 2, func(g *G.Node) *G.Node { return half(graphs.Add(g, target)) })
		}},
		{"sm-hutchinson", 9, func() int {
			w := mlp(tensor.Float32, graphs.SiLU, n, 2, width, width)
			v := w.input(tensor.Float32, w.x.Graph(), "v", n, 2)
			return train(w, 2, func(g *G.Node) *G.Node {
				return graphs.Sub(half(g), must(t)(graphs.DirectionalCurvature(w.e, w.x, v)))
			})
		}},
		{"ssm", 9, func() int {
			w := mlp(tensor.Float32, graphs.SiLU, n, 2, width, width)
			v := w.input(tensor.Float32, w.x.Graph(), "v", n, 2)
			return train(w, 2, func(g *G.Node) *G.Node {
				return graphs.Sub(graphs.Scale(graphs.Square(graphs.RowSum(graphs.Mul(g, v))), 0.5),
					must(t)(graphs.DirectionalCurvature(w.e, w.x, v)))
			})
		}},
		{"sm, d=2", 12, func() int {
			w := mlp(tensor.Float32, graphs.SiLU, n, 2, width, width)
			return train(w, 2, func(g *G.Node) *G.Node { return graphs.Sub(half(g), must(t)(graphs.HessianTrace(w.e, w.x))) })
		}},
		{"sm, d=3", 15, func() int {
			w := mlp(tensor.Float32, graphs.SiLU, n, 3, width, width)
			return train(w, 3, func(g *G.Node) *G.Node { return graphs.Sub(half(g), must(t)(graphs.HessianTrace(w.e, w.x))) })
		}},
		{"nce", 3, func() int {
			w := mlp(tensor.Float32, graphs.SiLU, n, 2, width, width)
			l := graphs.Mean(graphs.Softplus(w.e))
			return count(w, append(grad(t, l, w.theta...), l)...)
		}},
	} {
		t.Run(c.name, func(t *testing.T) {
			if got := c.got(); got != c.want {
				t.Errorf("got %d products of (%d,%d,%d), want %d", got, n, width, width, c.want)
			}
		})
	}
}

// Counted costs decide: the form chosen is the cheapest of all that apply.
func TestChoice(t *testing.T) {
	defer graphs.Building()()
	w := mlp(tensor.Float32, graphs.SiLU, 32, 2, 16, 16)
	v := w.input(tensor.Float32, w.x.Graph(), "v", 32, 2)
	best, name := math.Inf(1), ""
	for _, f := range graphs.CurvatureTrials(w.e, w.x, G.Nodes{v}) {
		t.Logf("%-21s %2d large products, total %.3g", f.Name, f.Costs.Count(32, 16, 16), f.Costs.Total())
		if c := f.Costs.Total(); c < best {
			best, name = c, f.Name
		}
	}
	if name != "contracted" {
		t.Errorf("cheapest is %q, want contracted", name)
	}
	before := len(w.x.Graph().AllNodes())
	tr := must(t)(graphs.DirectionalCurvature(w.e, w.x, v))
	again := must(t)(graphs.DirectionalCurvature(w.e, w.x, v))
	if tr != again {
		t.Error("the same curvature is built twice")
	}
	if grown := len(w.x.Graph().AllNodes()) - before; grown > 40 {
		t.Errorf("the graph has grown by %d nodes; do trials stay behind?", grown)
	}
}
