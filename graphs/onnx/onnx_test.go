package onnx_test

import (
	"fmt"
	"math"
	"math/rand/v2"
	"strings"
	"testing"

	G "gorgonia.org/gorgonia"
	"gorgonia.org/tensor"

	"github.com/stheno-ebm/stheno/graphs"
	"github.com/stheno-ebm/stheno/graphs/graphtest"
	"github.com/stheno-ebm/stheno/graphs/onnx"
	"github.com/stheno-ebm/stheno/internal/onnxtest"
)

// A formula makes outputs from x (n,3), w (4,3), b (4) and s (1).
type formula struct {
	name  string
	shape []int // shape of a row of x, if it is not (3)
	build func(x, w, b, s *G.Node) G.Nodes
	fixed bool // does not leave the number of rows open
}

func one(f func(x *G.Node) *G.Node) func(x, w, b, s *G.Node) G.Nodes {
	return func(x, _, _, _ *G.Node) G.Nodes { return G.Nodes{f(x)} }
}

// derivatives are f and the derivatives of Σf up to third order.
func derivatives(f func(*G.Node) *G.Node) func(x, w, b, s *G.Node) G.Nodes {
	return func(x, _, _, _ *G.Node) G.Nodes {
		out := G.Nodes{f(x)}
		for range 3 {
			y := out[len(out)-1]
			g, err := graphs.VJP(y, graphs.OnesLike(y), x)
			out = append(out, graphs.Must(g[0], err))
		}
		return out
	}
}

func mlp(act func(*G.Node) *G.Node) func(x, w, b, s *G.Node) G.Nodes {
	return func(x, w, b, s *G.Node) G.Nodes {
		h := act(graphs.Affine(x, w, b)) // (n,4)
		h = graphs.Add(h, act(graphs.Affine(graphs.MatMul(h, w, false, false), w, b)))
		e := graphs.RowSum(graphs.Mul(h, graphs.ExpandRows(b, x.Shape()[0])))
		g, err := graphs.VJP(e, graphs.OnesLike(e), x)
		trace := graphs.Must(graphs.HessianTrace(e, x))
		return G.Nodes{e, graphs.Must(g[0], err), trace}
	}
}

func positive(x *G.Node) *G.Node { return graphs.Shift(graphs.Square(x), 0.5) }

var formulas = []formula{
	{name: "silu", build: derivatives(graphs.SiLU)},
	{name: "tanh", build: derivatives(graphs.Tanh)},
	{name: "sigmoid", build: derivatives(graphs.Sigmoid)},
	{name: "softplus", build: derivatives(graphs.Softplus)},
	{name: "gelu", build: derivatives(graphs.GELU)},
	{name: "square", build: derivatives(graphs.Square)},
	{name: "exp", build: derivatives(graphs.Exp)},
	{name: "sin", build: derivatives(graphs.Sin)},
	{name: "cos", build: derivatives(graphs.Cos)},
	{name: "relu", build: derivatives(graphs.ReLU)},
	{name: "abs", build: derivatives(graphs.Abs)},
	{name: "log", build: derivatives(func(x *G.Node) *G.Node { return graphs.Log(positive(x)) })},
	{name: "sqrt", build: derivatives(func(x *G.Node) *G.Node { return graphs.Sqrt(positive(x)) })},
	{name: "reciprocal", build: derivatives(func(x *G.Node) *G.Node { return graphs.Reciprocal(positive(x)) })},
	{name: "pow", build: derivatives(func(x *G.Node) *G.Node { return graphs.Pow(positive(x), 1.5) })},
	{name: "pow3", build: derivatives(func(x *G.Node) *G.Node { return graphs.Pow(x, 3) })},
	{name: "arithmetic", build: one(func(x *G.Node) *G.Node {
		y := graphs.Sub(graphs.Neg(x), graphs.Scale(graphs.Sin(x), 2.5))
		return graphs.Div(graphs.Mul(graphs.Add(x, y), y), positive(x))
	})},
	{name: "repeats", build: func(x, w, b, s *G.Node) G.Nodes {
		n := x.Shape()[0]
		row, col := graphs.ExpandRows(b, n), graphs.ExpandCols(graphs.RowSum(x), 4)
		return G.Nodes{
			row, col, graphs.Fill(s, x), graphs.OnesLike(x), graphs.Add(row, col), graphs.Exp(row),
			graphs.ConcatCols(row, col), graphs.RowSum(graphs.Mul(row, col)),
			graphs.Mul(graphs.Fill(s, row), row), graphs.ColSum(graphs.Add(row, col)),
			graphs.MatMul(graphs.Add(row, col), w, false, false),
		}
	}},
	{name: "sums", build: func(x, w, b, s *G.Node) G.Nodes {
		return G.Nodes{graphs.RowSum(x), graphs.ColSum(x), graphs.Sum(x), graphs.Sum(graphs.Square(w)), graphs.ColSum(w)}
	}},
	{name: "means", build: func(x, w, b, s *G.Node) G.Nodes {
		mean := graphs.Mean(x)
		g, err := graphs.VJP(mean, graphs.OnesLike(mean), x)
		return G.Nodes{mean, graphs.Must(g[0], err), graphs.Scale(graphs.Sum(x), 0.37/float64(x.Shape()[0])),
			graphs.Shift(x, math.Sqrt(float64(x.Shape()[0])))}
	}},
	{name: "rows", build: func(x, w, b, s *G.Node) G.Nodes {
		return G.Nodes{graphs.RowLogSumExp(graphs.Scale(x, 300)), graphs.RowSoftmax(x), graphs.RowLogSumExp(w)}
	}},
	{name: "products", build: func(x, w, b, s *G.Node) G.Nodes {
		return G.Nodes{
			graphs.MatMul(x, w, false, true), graphs.MatMul(x, x, true, false), graphs.Affine(x, w, b),
			graphs.MatMul(graphs.MatMul(w, w, true, false), x, false, true),
			graphs.Add(graphs.MatMul(x, w, false, true), graphs.MatMul(graphs.Sin(x), w, false, true)),
			graphs.MatMul(graphs.RowSum(x), graphs.RowSum(w), false, true),
		}
	}},
	{name: "parts", build: func(x, w, b, s *G.Node) G.Nodes {
		return G.Nodes{
			graphs.SliceCols(x, 1, 3), graphs.PadCols(x, 2, 1), graphs.ConcatCols(x, graphs.Sin(x), graphs.SliceCols(x, 0, 1)),
			graphs.Transpose(x), graphs.Reshape(graphs.RowSum(x), x.Shape()[0]), graphs.SliceRows(w, 1, 3),
			graphs.PadRows(w, 1, 2), graphs.ConcatRows(w, w), graphs.Reshape(w, 12), graphs.Reshape(w, 2, 6),
			graphs.Reshape(x, 1, x.Shape().TotalSize()),
			graphs.RowLogSumExp(graphs.Reshape(x, 1, x.Shape().TotalSize())), graphs.ConcatRows(x, graphs.Sin(x)),
		}
	}},
	{name: "rows apart", fixed: true, build: func(x, w, b, s *G.Node) G.Nodes {
		return G.Nodes{graphs.SliceRows(x, 1, x.Shape()[0]), graphs.ConcatRows(x, w), graphs.PadRows(x, 1, 0)}
	}},
	{name: "gorgonia", build: func(x, w, b, s *G.Node) G.Nodes {
		var out G.Nodes
		for _, f := range []func(a, b *G.Node, r bool) (*G.Node, error){G.Lt, G.Lte, G.Gt, G.Gte, G.Eq, G.Ne} {
			out = append(out, graphs.Must(f(x, graphs.Square(x), true)))
		}
		return append(out,
			graphs.Must(G.MaxBetween(x, graphs.Sin(x))), graphs.Must(G.MinBetween(x, graphs.Sin(x))),
			graphs.Must(G.Max(x, 1)), graphs.Must(G.InverseSqrt(positive(x))), graphs.Must(G.Cube(x)),
			graphs.Must(G.Log2(positive(x))),
			graphs.Must(G.Log1p(positive(x))), graphs.Must(G.Expm1(x)), graphs.Must(G.Ceil(x)), graphs.Must(G.Floor(x)),
			graphs.Must(G.Mish(x)))
	}},
	{name: "inputs", build: func(x, w, b, s *G.Node) G.Nodes { return G.Nodes{x, b, s} }},
	{name: "mlp silu", build: mlp(graphs.SiLU)},
	{name: "mlp tanh", build: mlp(graphs.Tanh)},
	{name: "mlp softplus", build: mlp(graphs.Softplus)},
	{name: "mlp gelu", build: mlp(graphs.GELU)},
}

var rng = rand.New(rand.NewPCG(1, 2))

func normal(n int) []float64 {
	v := make([]float64, n)
	for i := range v {
		v[i] = float64(float32(rng.NormFloat64())) // the same in both types
	}
	return v
}

var weights = [][]float64{normal(12), normal(4), normal(1)}

// graph builds f with the given number of rows.
func (f formula) graph(dt tensor.Dtype, rows int) (onnx.Graph, error) {
	g := G.NewGraph()
	var m onnx.Graph
	var outs G.Nodes
	_, err := graphs.Try(func() *G.Node {
		x := graphs.NewInput(g, dt, "x", append([]int{rows}, f.width()...)...)
		w, b, s := graphs.NewInput(g, dt, "w", 4, 3), graphs.NewInput(g, dt, "b", 4), graphs.NewInput(g, dt, "s", 1)
		m.Inputs = []onnx.Value{{Name: "x", Node: x}}
		for i, n := range []*G.Node{w, b, s} {
			m.Weights = append(m.Weights, onnx.Weight{Value: onnx.Value{Name: n.Name(), Node: n}, Data: weights[i]})
		}
		outs = f.build(x, w, b, s)
		return x
	})
	for _, n := range g.AllNodes() {
		if n.Op() == nil && n.Dtype() == tensor.Int {
			m.Inputs = append(m.Inputs, onnx.Value{Name: n.Name(), Node: n})
		}
	}
	for i, n := range outs {
		m.Outputs = append(m.Outputs, onnx.Value{Name: fmt.Sprint("out", i), Node: n})
	}
	return m, err
}

// narrow reports which are written in float32 only.
func (f formula) narrow() bool { return strings.Contains(f.name, "gelu") }

func (f formula) width() []int {
	if f.shape == nil {
		return []int{3}
	}
	return f.shape
}

// indices are the values of integer inputs: one index occurs twice, two are out of range.
var indices = []float64{2, 0, 2, 9, -1}

// inputs draws rows of x.
func (f formula) inputs(m onnx.Graph, rows int) map[string]onnxtest.Tensor {
	dims := append([]int{rows}, f.width()...)
	in := map[string]onnxtest.Tensor{"x": {Dims: dims, Data: normal(tensor.Shape(dims).TotalSize())}}
	for _, v := range m.Inputs[1:] {
		in[v.Name] = onnxtest.Tensor{Dims: []int{len(indices)}, Data: indices, Whole: true}
	}
	return in
}

// want evaluates the graph operation by operation.
func want(t *testing.T, m onnx.Graph, in map[string]onnxtest.Tensor) [][]float64 {
	t.Helper()
	feeds := map[*G.Node][]float64{}
	for _, v := range m.Inputs {
		feeds[v.Node] = in[v.Name].Data
	}
	for _, w := range m.Weights {
		feeds[w.Node] = w.Data
	}
	var outs G.Nodes
	for _, v := range m.Outputs {
		outs = append(outs, v.Node)
	}
	v, err := graphtest.Eval(outs, feeds)
	if err != nil {
		t.Fatal(err)
	}
	return v
}

// compare checks values and dimensions; the tolerance is relative to the largest number of an output, the slack is
// for every number.
func compare(t *testing.T, m onnx.Graph, got map[string]onnxtest.Tensor, want [][]float64, tol float64,
	slack ...float64) {
	t.Helper()
	for i, v := range m.Outputs {
		y, ok := got[v.Name]
		if !ok || fmt.Sprint(y.Dims) != fmt.Sprint([]int(v.Node.Shape())) || len(y.Data) != len(want[i]) {
			t.Errorf("%s: dimensions %v, want %v", v.Name, y.Dims, v.Node.Shape())
			continue
		}
		top := 1.0
		for _, x := range want[i] {
			top = math.Max(top, math.Abs(x))
		}
		for k := range want[i] {
			bound := tol * top
			if slack != nil {
				bound += slack[i]
			}
			if !(math.Abs(y.Data[k]-want[i][k]) <= bound) {
				t.Errorf("%s[%d]: got %g, want %g", v.Name, k, y.Data[k], want[i][k])
				break
			}
		}
	}
}

// model exports f, with an open number of rows if it allows it.
func (f formula) model(t *testing.T, dt tensor.Dtype, rows int) []byte {
	t.Helper()
	info := onnx.Info{Name: f.name, Doc: "a test", Metadata: map[string]string{"k": "v"}}
	if !f.fixed {
		b, err := onnx.MarshalBatch(func(rows int) (onnx.Graph, error) { return f.graph(dt, rows) }, info)
		if err != nil {
			t.Fatal(err)
		}
		return b
	}
	m, err := f.graph(dt, rows)
	if err != nil {
		t.Fatal(err)
	}
	b, err := onnx.Marshal(m, info)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func TestFormulas(t *testing.T) {
	for _, f := range formulas {
		t.Run(f.name, func(t *testing.T) {
			for _, rows := range []int{5, 1} {
				if rows == 1 && f.name == "rows apart" {
					continue
				}
				m, err := f.graph(tensor.Float64, rows)
				if err != nil {
					t.Fatal(err)
				}
				dt, tol := tensor.Float64, 1e-12
				if f.narrow() { // because of the constants of the model
					dt, tol = tensor.Float32, 1e-6
				}
				model, err := onnxtest.Read(f.model(t, dt, rows))
				if err != nil {
					t.Fatal(err)
				}
				if model.Opset != 17 || model.Metadata["k"] != "v" {
					t.Errorf("opset %d, metadata %v", model.Opset, model.Metadata)
				}
				x := f.inputs(m, rows)
				got, err := model.Run(x)
				if err != nil {
					t.Fatal(err)
				}
				compare(t, m, got, want(t, m, x), tol)
			}
		})
	}
}

// ONNX Runtime computes what we compute, for any number of rows. It has no Erf for double.
func TestRuntime(t *testing.T) {
	type check struct {
		m     onnx.Graph
		want  [][]float64
		slack []float64
		name  string
	}
	for _, dt := range []tensor.Dtype{tensor.Float32, tensor.Float64} {
		t.Run(dt.Name(), func(t *testing.T) {
			var jobs []onnxtest.Job
			var checks []check
			for _, f := range formulas {
				if dt == tensor.Float64 && f.narrow() {
					continue
				}
				model := f.model(t, dt, 7)
				var slack []float64
				if dt == tensor.Float32 {
					slack = f.rounding(t)
				}
				for _, rows := range []int{1, 7, 64} {
					if f.fixed && rows != 7 || testing.Short() && rows != 7 {
						continue
					}
					m, err := f.graph(tensor.Float64, rows)
					if err != nil {
						t.Fatal(err)
					}
					x := f.inputs(m, rows)
					jobs = append(jobs, onnxtest.Job{Model: model, Double: dt == tensor.Float64, Inputs: x})
					checks = append(checks, check{m, want(t, m, x), slack, fmt.Sprint(f.name, ", ", rows, " rows")})
				}
			}
			tol := 1e-12
			if dt == tensor.Float32 {
				tol = 1e-6
			}
			for i, got := range onnxtest.Runtime(t, jobs) {
				t.Run(checks[i].name, func(t *testing.T) { compare(t, checks[i].m, got, checks[i].want, tol, checks[i].slack...) })
			}
		})
	}
}

// rounding is what float32 may cost in addition: 64 times what it costs our own functions. ONNX Runtime's Sigmoid and
// Tanh are less accurate, and the trace of a Hessian shows it. That the operations are the right ones is checked in
// float64.
func (f formula) rounding(t *testing.T) []float64 {
	t.Helper()
	rows := 64
	if f.fixed {
		rows = 7
	}
	exact, err := f.graph(tensor.Float64, rows)
	if err != nil {
		t.Fatal(err)
	}
	m, err := f.graph(tensor.Float32, rows)
	if err != nil {
		t.Fatal(err)
	}
	in := f.inputs(m, rows)
	want := want(t, exact, in)
	var ins, outs G.Nodes
	var args, got [][]float64
	for _, v := range m.Inputs {
		ins, args = append(ins, v.Node), append(args, in[v.Name].Data)
	}
	for _, w := range m.Weights {
		ins, args = append(ins, w.Node), append(args, w.Data)
	}
	for i, v := range m.Outputs {
		outs, got = append(outs, v.Node), append(got, make([]float64, len(want[i])))
	}
	fn, err := graphs.Compile(ins, outs)
	if err != nil {
		t.Fatal(err)
	}
	if err := fn.Call(got, args...); err != nil {
		t.Fatal(err)
	}
	slack := make([]float64, len(want))
	for i := range want {
		for k, x := range want[i] {
			slack[i] = math.Max(slack[i], 64*math.Abs(got[i][k]-x))
		}
	}
	return slack
}

// Far out, where a derivative is a small difference of large numbers if written carelessly.
func TestTails(t *testing.T) {
	for _, f := range formulas[:4] {
		m, err := f.graph(tensor.Float64, 4)
		if err != nil {
			t.Fatal(err)
		}
		x := []float64{-40, -30, -20, -10, -7, -5, 5, 7, 10, 20, 30, 40}
		model, err := onnxtest.Read(f.model(t, tensor.Float64, 4))
		if err != nil {
			t.Fatal(err)
		}
		in := map[string]onnxtest.Tensor{"x": {Dims: []int{4, 3}, Data: x}}
		got, err := model.Run(in)
		if err != nil {
			t.Fatal(err)
		}
		w := want(t, m, in)
		for k := 1; k < 4; k++ {
			for j, y := range got[fmt.Sprint("out", k)].Data {
				if d := math.Abs(y - w[k][j]); d > 1e-12*math.Abs(w[k][j])+1e-15 {
					t.Errorf("%s, derivative %d at %g: got %g, want %g", f.name, k, x[j], y, w[k][j])
				}
			}
		}
	}
}

func TestRefuses(t *testing.T) {
	rowsOf := func(f func(x *G.Node) *G.Node) func() error {
		return func() error {
			_, err := onnx.MarshalBatch(formula{build: one(f)}.batch, onnx.Info{})
			return err
		}
	}
	for _, c := range []struct {
		says string
		try  func() error
	}{
		{"factor", rowsOf(func(x *G.Node) *G.Node { return graphs.Scale(x, math.Exp(float64(x.Shape()[0])/1e7)) })},
		{"other operations", rowsOf(func(x *G.Node) *G.Node {
			if x.Shape()[0]%5 == 3 {
				return graphs.Scale(x, math.Pi)
			}
			return graphs.Scale(graphs.Sin(x), math.Pi)
		})},
		{"gelu in float64", rowsOf(graphs.GELU)},
		{"a dimension of output 0", rowsOf(func(x *G.Node) *G.Node { return graphs.SliceRows(x, 0, x.Shape()[0]-1) })},
		{"the height of padrows", rowsOf(func(x *G.Node) *G.Node {
			return graphs.ColSum(graphs.Sin(graphs.PadRows(x, 1, 1)))
		})},
		{"a bound of slicerows", rowsOf(func(x *G.Node) *G.Node {
			return graphs.SliceRows(x, x.Shape()[0]-1, x.Shape()[0])
		})},
		{"Dropout", rowsOf(func(x *G.Node) *G.Node { return graphs.Dropout(x, 0.5) })},
		{"want unique names", func() error {
			m, _ := formulas[0].graph(tensor.Float64, 2)
			m.Outputs[0].Name = "x"
			_, err := onnx.Marshal(m, onnx.Info{})
			return err
		}},
		{"no outputs", func() error { _, err := onnx.Marshal(onnx.Graph{}, onnx.Info{}); return err }},
		{"weight w has 11 numbers, its node 12", func() error {
			m, _ := formulas[0].graph(tensor.Float64, 2)
			m.Weights[0].Data = m.Weights[0].Data[:11]
			_, err := onnx.Marshal(m, onnx.Info{})
			return err
		}},
	} {
		if err := c.try(); err == nil || !strings.Contains(err.Error(), c.says) {
			t.Errorf("got %v, want an error with %q", err, c.says)
		}
	}
}

func (f formula) batch(rows int) (onnx.Graph, error) { return f.graph(tensor.Float64, rows) }
