package graphs

import (
	"fmt"
	"math"
	"math/rand/v2"
	"testing"

	G "gorgonia.org/gorgonia"
	"gorgonia.org/tensor"

	"github.com/stheno-ebm/stheno/graphs/internal/ir"
)

// builtinCase is one of Gorgonia's operations, made from a matrix x (4,6), a matrix w (6,4), vectors u (6) and v (4),
// a scalar s, all positive, and a tensor im (2,3,4,4).
type builtinCase struct {
	name  string
	build func(x, w, u, v, s, im *G.Node) (*G.Node, error)
}

func unaryCase(name string, f func(*G.Node) (*G.Node, error)) builtinCase {
	return builtinCase{name, func(x, _, _, _, _, _ *G.Node) (*G.Node, error) { return f(x) }}
}

func binaryCase(name string, f func(a, b *G.Node) (*G.Node, error)) []builtinCase {
	return []builtinCase{
		{name + "/tensors", func(x, w, _, _, _, _ *G.Node) (*G.Node, error) { return f(x, Must(G.Transpose(w))) }},
		{name + "/scalar", func(x, _, _, _, s, _ *G.Node) (*G.Node, error) { return f(x, s) }},
		{name + "/left", func(x, _, _, _, s, _ *G.Node) (*G.Node, error) { return f(s, x) }},
	}
}

func builtinCases() []builtinCase {
	cs := []builtinCase{
		unaryCase("abs", G.Abs), unaryCase("sign", G.Sign), unaryCase("ceil", G.Ceil), unaryCase("floor", G.Floor),
		unaryCase("sin", G.Sin), unaryCase("cos", G.Cos), unaryCase("exp", G.Exp), unaryCase("log", G.Log),
		unaryCase("log2", G.Log2), unaryCase("neg", G.Neg), unaryCase("square", G.Square), unaryCase("sqrt", G.Sqrt),
		unaryCase("inverse", G.Inverse), unaryCase("inversesqrt", G.InverseSqrt), unaryCase("cube", G.Cube),
		unaryCase("tanh", G.Tanh), unaryCase("sigmoid", G.Sigmoid), unaryCase("log1p", G.Log1p),
		unaryCase("expm1", G.Expm1), unaryCase("softplus", G.Softplus), unaryCase("rectify", G.Rectify),
		{"pow", func(x, _, _, _, _, _ *G.Node) (*G.Node, error) {
			var c *G.Node
			if x.Dtype() == tensor.Float32 {
				c = G.NewConstant(float32(3))
			} else {
				c = G.NewConstant(3.0)
			}
			return G.Pow(x, c)
		}},
		{"mul", func(x, w, _, _, _, _ *G.Node) (*G.Node, error) { return G.Mul(x, w) }},
		{"mul/vector", func(x, _, u, _, _, _ *G.Node) (*G.Node, error) { return G.Mul(x, u) }},
		{"mul/vectorT", func(_, w, _, v, _, _ *G.Node) (*G.Node, error) { return G.Mul(w, v) }},
		{"dot", func(_, _, u, _, _, _ *G.Node) (*G.Node, error) { return G.Mul(u, Must(G.Square(u))) }},
		{"outer", func(_, _, u, v, _, _ *G.Node) (*G.Node, error) { return G.OuterProd(u, v) }},
		{"sum", func(x, _, _, _, _, _ *G.Node) (*G.Node, error) { return G.Sum(x) }},
		{"sum/0", func(x, _, _, _, _, _ *G.Node) (*G.Node, error) { return G.Sum(x, 0) }},
		{"sum/1", func(x, _, _, _, _, _ *G.Node) (*G.Node, error) { return G.Sum(x, 1) }},
		{"sum/image/0", func(_, _, _, _, _, im *G.Node) (*G.Node, error) { return G.Sum(im, 0) }},
		{"sum/image/3", func(_, _, _, _, _, im *G.Node) (*G.Node, error) { return G.Sum(im, 3) }},
		{"mean", func(x, _, _, _, _, _ *G.Node) (*G.Node, error) { return G.Mean(x) }},
		{"mean/1", func(x, _, _, _, _, _ *G.Node) (*G.Node, error) { return G.Mean(x, 1) }},
		{"max", func(x, _, _, _, _, _ *G.Node) (*G.Node, error) { return G.Max(x) }},
		{"max/1", func(x, _, _, _, _, _ *G.Node) (*G.Node, error) { return G.Max(x, 1) }},
		{"max/0", func(x, _, _, _, _, _ *G.Node) (*G.Node, error) { return G.Max(x, 0) }},
		{"transpose", func(x, _, _, _, _, _ *G.Node) (*G.Node, error) { return G.Transpose(x) }},
		{"transpose/image", func(_, _, _, _, _, im *G.Node) (*G.Node, error) { return G.Transpose(im, 0, 2, 3, 1) }},
		{"reshape", func(x, _, _, _, _, _ *G.Node) (*G.Node, error) { return G.Reshape(x, tensor.Shape{3, 8}) }},
		{"reshape/image", func(_, _, _, _, _, im *G.Node) (*G.Node, error) { return G.Reshape(im, tensor.Shape{2, 48}) }},
		{"concat/0", func(x, w, _, _, _, _ *G.Node) (*G.Node, error) { return G.Concat(0, x, Must(G.Transpose(w))) }},
		{"concat/1", func(x, w, _, _, _, _ *G.Node) (*G.Node, error) { return G.Concat(1, x, Must(G.Transpose(w))) }},
		{"concat/vectors", func(_, _, u, v, _, _ *G.Node) (*G.Node, error) { return G.Concat(0, u, v) }},
		{"slice/rows", func(x, _, _, _, _, _ *G.Node) (*G.Node, error) { return G.Slice(x, G.S(1, 3)) }},
		{"slice/columns", func(x, _, _, _, _, _ *G.Node) (*G.Node, error) { return G.Slice(x, nil, G.S(2, 5)) }},
		{"slice/row", func(x, _, _, _, _, _ *G.Node) (*G.Node, error) { return G.Slice(x, G.S(1)) }},
		{"slice/vector", func(_, _, u, _, _, _ *G.Node) (*G.Node, error) { return G.Slice(u, G.S(1, 4)) }},
		{"softmax", func(x, _, _, _, _, _ *G.Node) (*G.Node, error) { return G.SoftMax(x, 1) }},
		{"logsoftmax", func(x, _, _, _, _, _ *G.Node) (*G.Node, error) { return G.LogSoftMax(x, 1) }},
		{"softmax/gradient", func(x, w, _, _, _, _ *G.Node) (*G.Node, error) {
			gs, err := G.Grad(Must(G.Sum(Must(G.HadamardProd(Must(G.SoftMax(x, 1)), Must(G.Transpose(w)))))), x)
			return gs[0], err
		}},
		{"logsoftmax/gradient", func(x, w, _, _, _, _ *G.Node) (*G.Node, error) {
			gs, err := G.Grad(Must(G.Sum(Must(G.HadamardProd(Must(G.LogSoftMax(x, 1)), Must(G.Transpose(w)))))), x)
			return gs[0], err
		}},
		{"softmax/0", func(x, _, _, _, _, _ *G.Node) (*G.Node, error) { return G.SoftMax(x, 0) }},
		{"maxbetween", func(x, w, _, _, _, _ *G.Node) (*G.Node, error) { return G.MaxBetween(x, Must(G.Transpose(w))) }},
		{"minbetween", func(x, w, _, _, _, _ *G.Node) (*G.Node, error) { return G.MinBetween(x, Must(G.Transpose(w))) }},
		{"broadcast/left", func(x, _, _, v, _, _ *G.Node) (*G.Node, error) {
			return G.BroadcastAdd(x, Must(G.Reshape(v, tensor.Shape{4, 1})), nil, []byte{1})
		}},
		{"broadcast/rows", func(x, _, u, _, _, _ *G.Node) (*G.Node, error) {
			return G.BroadcastHadamardProd(x, Must(G.Reshape(u, tensor.Shape{1, 6})), nil, []byte{0})
		}},
		{"conv", func(_, _, _, _, _, im *G.Node) (*G.Node, error) {
			f := Must(G.Reshape(Must(G.Slice(im, nil, nil, nil, G.S(0, 3))), tensor.Shape{2, 3, 4, 3}))
			return G.Conv2d(im, f, tensor.Shape{4, 3}, []int{1, 1}, []int{1, 1}, []int{1, 1})
		}},
		{"maxpool", func(_, _, _, _, _, im *G.Node) (*G.Node, error) {
			return G.MaxPool2D(im, tensor.Shape{2, 2}, []int{0, 0}, []int{2, 2})
		}},
		{"norm", func(x, _, _, _, _, _ *G.Node) (*G.Node, error) { return G.Norm(x, 0, 2) }},
	}
	cs = append(cs, binaryCase("add", G.Add)...)
	cs = append(cs, binaryCase("sub", G.Sub)...)
	cs = append(cs, binaryCase("hadamard", G.HadamardProd)...)
	cs = append(cs, binaryCase("div", G.HadamardDiv)...)
	cs = append(cs, binaryCase("power", G.Pow)...)
	for name, f := range map[string]func(a, b *G.Node, same bool) (*G.Node, error){
		"lt": G.Lt, "lte": G.Lte, "gt": G.Gt, "gte": G.Gte, "eq": G.Eq, "ne": G.Ne,
	} {
		cs = append(cs, binaryCase(name, func(a, b *G.Node) (*G.Node, error) { return f(a, b, true) })...)
	}
	return cs
}

// builtinInputs makes the operands of a builtinCase with their values.
func builtinInputs(dt tensor.Dtype) (in G.Nodes, values [][]float64) {
	g := G.NewGraph()
	rng := rand.New(rand.NewPCG(5, 6))
	for i, s := range []tensor.Shape{{4, 6}, {6, 4}, {6}, {4}, {}, {2, 3, 4, 4}} {
		in = append(in, NewInput(g, dt, fmt.Sprint("i", i), s...))
		v := make([]float64, s.TotalSize())
		for j := range v {
			v[j] = float64(float32(0.2 + 2*rng.Float64()))
		}
		values = append(values, v)
	}
	copy(values[1][3:], values[0][5:7]) // for the comparisons
	return in, values
}

func TestBuiltinOperations(t *testing.T) {
	for _, c := range builtinCases() {
		for _, dt := range []tensor.Dtype{tensor.Float64, tensor.Float32} {
			t.Run(fmt.Sprint(c.name, "/", dt), func(t *testing.T) {
				in, values := builtinInputs(dt)
				out, err := Try(func() *G.Node { return Must(c.build(in[0], in[1], in[2], in[3], in[4], in[5])) })
				if err != nil {
					t.Fatal(err)
				}
				bound := map[*G.Node]G.Value{}
				for i, n := range in {
					bound[n] = newValue(dt, n.Shape())
					if err := writeValue(bound[n], values[i]); err != nil {
						t.Fatal(err)
					}
				}
				v, err := interpret(out, bound)
				if err != nil {
					t.Fatal(err)
				}
				want, err := readValue(v)
				if err != nil {
					t.Fatal(err)
				}
				l := newLowering(dt)
				for _, n := range in {
					r, c := flat(n.Shape())
					l.at[n] = l.to.Arg(r, c, n.Name(), false)
				}
				if err := l.all(out); err != nil {
					t.Fatal(err)
				}
				for _, x := range l.to.Code {
					if o, ok := x.Op.(ir.Opaque); ok {
						if _, ok := o.Run.(*foreignRunner); ok {
							t.Errorf("%T %v runs by Gorgonia's code", out.Op(), out.Op())
						}
					}
				}
				f, err := Compile(in, G.Nodes{out})
				if err != nil {
					t.Fatal(err)
				}
				got := make([]float64, len(want))
				if err := f.Call([][]float64{got}, values...); err != nil {
					t.Fatal(err)
				}
				tol := 1e-13
				if dt == tensor.Float32 {
					tol = 2e-6
				}
				for i := range want {
					if math.Abs(got[i]-want[i]) > tol*(1+math.Abs(want[i])) {
						t.Fatalf("element %d: got %v, want %v", i, got[i], want[i])
					}
				}
			})
		}
	}
}
