package graphs_test

import (
	"fmt"
	"math"
	"math/rand/v2"
	"testing"

	G "gorgonia.org/gorgonia"
	"gorgonia.org/tensor"

	"github.com/stheno-ebm/stheno/graphs"
	"github.com/stheno-ebm/stheno/graphs/graphtest"
)

// randomGraph makes a random graph over a batch of n rows, with weights, and the gradients of a cost.
func randomGraph(rng *rand.Rand, dt tensor.Dtype, n, steps int) (in, out G.Nodes, err error) {
	g := G.NewGraph()
	input := func(shape ...int) *G.Node {
		x := graphs.NewInput(g, dt, fmt.Sprint("in", len(in)), shape...)
		in = append(in, x)
		return x
	}
	_, err = graphs.Try(func() *G.Node {
		pool := G.Nodes{input(n, 1), input(n, 2), input(n, 5), input(1), input(5), input(3, 5), input(5, 5), input(2, 3)}
		pick := func(ok func(s tensor.Shape) bool) *G.Node {
			for range 40 {
				// Recent nodes are more likely, so that graphs are deep.
				k := len(pool) - 1 - int(float64(len(pool))*rng.Float64()*rng.Float64())
				if x := pool[max(k, 0)]; ok(x.Shape()) {
					return x
				}
			}
			for _, x := range pool {
				if ok(x.Shape()) {
					return x
				}
			}
			return nil
		}
		any := func(tensor.Shape) bool { return true }
		matrix := func(s tensor.Shape) bool { return len(s) == 2 }
		like := func(x *G.Node) func(tensor.Shape) bool {
			return func(s tensor.Shape) bool { return s.Eq(x.Shape()) && len(s) == x.Dims() }
		}
		// bounded keeps values moderate.
		bounded := func(x *G.Node) *G.Node { return graphs.Tanh(graphs.Scale(x, 0.5)) }
		unary := []func(*G.Node) *G.Node{graphs.SiLU, graphs.Tanh, graphs.Softplus, graphs.GELU, graphs.Sigmoid,
			graphs.Sin, graphs.Cos,
			func(x *G.Node) *G.Node { return graphs.Square(bounded(x)) },
			func(x *G.Node) *G.Node { return graphs.Exp(bounded(x)) },
			func(x *G.Node) *G.Node { return graphs.Log(graphs.Shift(graphs.Square(x), 1)) },
			func(x *G.Node) *G.Node { return graphs.Sqrt(graphs.Shift(graphs.Square(x), 0.5)) },
			func(x *G.Node) *G.Node { return graphs.Reciprocal(graphs.Shift(graphs.Square(x), 0.5)) },
			func(x *G.Node) *G.Node { return graphs.Pow(graphs.Shift(graphs.Square(x), 0.5), 1.5) },
		}
		for len(pool) < steps {
			var y *G.Node
			switch rng.IntN(22) {
			case 0, 1, 2:
				y = unary[rng.IntN(len(unary))](pick(any))
			case 3, 4, 5, 6:
				a := pick(any)
				b := pick(like(a))
				switch rng.IntN(4) {
				case 0:
					y = graphs.Add(a, b)
				case 1:
					y = graphs.Sub(a, b)
				case 2:
					y = graphs.Mul(bounded(a), b)
				case 3:
					y = graphs.Div(a, graphs.Shift(graphs.Square(b), 0.7))
				}
			case 7:
				y = graphs.Scale(pick(any), []float64{-1, 0.5, 2, -0.3}[rng.IntN(4)])
			case 8:
				y = graphs.Shift(pick(any), rng.NormFloat64())
			case 9, 10, 11:
				a := pick(matrix)
				ta, tb := rng.IntN(2) == 0, rng.IntN(2) == 0
				k := a.Shape()[1]
				if ta {
					k = a.Shape()[0]
				}
				b := pick(func(s tensor.Shape) bool { return len(s) == 2 && (tb && s[1] == k || !tb && s[0] == k) })
				if b != nil {
					y = bounded(graphs.MatMul(bounded(a), bounded(b), ta, tb))
				}
			case 12:
				x := pick(matrix)
				w := pick(func(s tensor.Shape) bool { return len(s) == 2 && s[1] == x.Shape()[1] })
				if b := pick(func(s tensor.Shape) bool { return len(s) == 1 && s[0] == w.Shape()[0] }); b != nil {
					y = graphs.Affine(x, w, b)
				}
			case 13:
				y = graphs.RowSum(pick(matrix))
			case 14:
				y = graphs.ColSum(pick(matrix))
			case 15:
				y = graphs.ExpandCols(pick(func(s tensor.Shape) bool { return len(s) == 2 && s[1] == 1 }), 5)
			case 16:
				y = graphs.ExpandRows(pick(func(s tensor.Shape) bool { return len(s) == 1 }), n)
			case 17:
				y = graphs.Fill(pick(func(s tensor.Shape) bool { return s.TotalSize() == 1 }), pick(any))
			case 18:
				y = graphs.Scale(graphs.Sum(pick(any)), 0.01)
			case 19:
				x := pick(matrix)
				if m := x.Shape()[1]; m > 1 {
					y = graphs.ConcatCols(graphs.SliceCols(x, 1, m), x)
					y = graphs.SliceCols(graphs.PadCols(y, 1, 2), 0, m)
				}
			case 20:
				x := pick(matrix)
				if m := x.Shape()[0]; m > 1 {
					y = graphs.ConcatRows(x, graphs.SliceRows(x, 1, m))
					y = graphs.SliceRows(graphs.PadRows(y, 2, 1), 1, 1+m)
				}
			case 21:
				if x := pick(matrix); rng.IntN(2) == 0 {
					y = graphs.RowSoftmax(x)
				} else {
					y = graphs.RowLogSumExp(x)
				}
			}
			if y != nil && y.Shape().TotalSize() <= n*n {
				pool = append(pool, y)
			}
		}
		for range 3 {
			out = append(out, pick(any))
		}
		var cost *G.Node
		for _, x := range append(G.Nodes{}, out...) {
			c := graphs.Sum(graphs.SiLU(x))
			if cost == nil {
				cost = c
			} else {
				cost = graphs.Add(cost, c)
			}
		}
		gs, err := graphs.Grad(cost, in...)
		graphs.Must(cost, err)
		out = append(append(out, cost), gs...)
		if rng.IntN(2) == 0 { // second order
			s := graphs.Sum(graphs.Square(gs[1]))
			hs, err := graphs.Grad(s, in[1], in[5])
			graphs.Must(s, err)
			out = append(out, hs...)
		}
		return nil
	})
	return in, out, err
}

func buffers(nodes G.Nodes) [][]float64 {
	b := make([][]float64, len(nodes))
	for i, n := range nodes {
		b[i] = make([]float64, max(n.Shape().TotalSize(), 1))
	}
	return b
}

func normal(rng *rand.Rand, nodes G.Nodes) [][]float64 {
	b := buffers(nodes)
	for i := range b {
		for j := range b[i] {
			b[i][j] = float64(float32(rng.NormFloat64()))
		}
	}
	return b
}

// same compares with a tolerance relative to the largest element.
func same(got, want []float64, tol float64) error {
	top := 1e-2
	for _, w := range want {
		if !math.IsInf(w, 0) && !math.IsNaN(w) {
			top = math.Max(top, math.Abs(w))
		}
	}
	for i, w := range want {
		if d := math.Abs(got[i] - w); !(d <= tol*top) && !(math.IsNaN(w) && math.IsNaN(got[i])) && got[i] != w {
			return fmt.Errorf("element %d of %d: got %v, want %v", i, len(want), got[i], w)
		}
	}
	return nil
}

func TestCompileRandomGraphs(t *testing.T) {
	seeds := 150
	if testing.Short() {
		seeds = 30
	}
	for seed := range seeds {
		for _, dt := range []tensor.Dtype{tensor.Float64, tensor.Float32} {
			if err := compareRandom(uint64(seed), dt); err != nil {
				t.Fatalf("seed %d, %v: %v", seed, dt, err)
			}
		}
	}
}

func FuzzCompile(f *testing.F) {
	f.Add(uint64(1), false)
	f.Fuzz(func(t *testing.T, seed uint64, single bool) {
		dt := tensor.Float64
		if single {
			dt = tensor.Float32
		}
		if err := compareRandom(seed, dt); err != nil {
			t.Fatal(err)
		}
	})
}

// compareRandom compiles a random graph in several ways and compares with the interpreter.
func compareRandom(seed uint64, dt tensor.Dtype) error {
	rng := rand.New(rand.NewPCG(seed, 1))
	n := []int{3, 7, 19, 33}[rng.IntN(4)]
	in, out, err := randomGraph(rng, dt, n, 12+rng.IntN(40))
	if err != nil {
		return err
	}
	args := normal(rng, in)
	feeds := map[*G.Node][]float64{}
	for i, x := range in {
		feeds[x] = args[i]
	}
	want, err := graphtest.Eval(out, feeds)
	if err != nil {
		return err
	}
	tol := 1e-10
	if dt == tensor.Float32 {
		tol = 2e-3 // float32 with another order of operations, up to a hundred of them in a row
	}
	variants := map[string][]graphs.CompileOption{
		"plain":  nil,
		"tiled":  {graphs.Tiles(4, 6)},
		"tiles":  {graphs.Tiles(8, 3), graphs.Held(in[5], in[6])},
		"held":   {graphs.Held(in[3], in[4], in[5], in[7])},
		"thread": {graphs.Tiles(4, 3), graphs.Threads(3)},
	}
	for name, opts := range variants {
		f, err := graphs.Compile(in, out, opts...)
		if err != nil {
			return fmt.Errorf("%s: %w", name, err)
		}
		got := buffers(out)
		for range 2 {
			if err := f.Call(got, args...); err != nil {
				return fmt.Errorf("%s: %w", name, err)
			}
			for i := range out {
				if err := same(got[i], want[i], tol); err != nil {
					return fmt.Errorf("%s: output %d of shape %v: %w\n%v", name, i, out[i].Shape(), err, f)
				}
			}
		}
	}
	return nil
}
