package graphs_test

import (
	"fmt"
	"math"
	"reflect"
	"strings"
	"testing"

	"github.com/chewxy/hm"
	"github.com/stheno-ebm/stheno/graphs"
	"github.com/stheno-ebm/stheno/graphs/graphtest"
	G "gorgonia.org/gorgonia"
	"gorgonia.org/tensor"
)

// builtins are functions of Gorgonia's own operations that are differentiated: value and derivatives of order one to
// three are right, in both modes and types.
func TestBuiltins(t *testing.T) {
	m := func(shape ...int) graphtest.Input { return graphtest.Uniform(1, -1.5, 1.5, shape...) }
	m2 := func(shape ...int) graphtest.Input { return graphtest.Uniform(2, -1.5, 1.5, shape...) }
	pos := func(shape ...int) graphtest.Input { return graphtest.Uniform(1, 0.5, 2, shape...) }
	pos2 := func(shape ...int) graphtest.Input { return graphtest.Uniform(2, 0.5, 2, shape...) }
	ins := func(in ...graphtest.Input) []graphtest.Input { return in }
	f1 := func(f func(*G.Node) (*G.Node, error)) graphtest.Func {
		return func(x ...*G.Node) *G.Node { return graphs.Must(f(x[0])) }
	}
	f2 := func(f func(a, b *G.Node) (*G.Node, error)) graphtest.Func {
		return func(x ...*G.Node) *G.Node { return graphs.Must(f(x[0], x[1])) }
	}
	c := func(x *G.Node, v float64) *G.Node {
		if x.Dtype() == tensor.Float32 {
			return G.NewConstant(float32(v))
		}
		return G.NewConstant(v)
	}
	scaled := func(f func(a, b *G.Node) (*G.Node, error), v float64, left bool) graphtest.Func {
		return func(x ...*G.Node) *G.Node {
			k := x[0].Graph().AddNode(c(x[0], v))
			if left {
				return graphs.Must(f(k, x[0]))
			}
			return graphs.Must(f(x[0], k))
		}
	}
	for _, tc := range []struct {
		name string
		f    graphtest.Func
		ref  graphtest.Reference
		in   []graphtest.Input
	}{
		{"Add", f2(G.Add), nil, ins(m(3, 2), m2(3, 2))},
		{"Sub", f2(G.Sub), nil, ins(m(3, 2), m2(3, 2))},
		{"HadamardProd", f2(G.HadamardProd), nil, ins(m(3, 2), m2(3, 2))},
		{"HadamardDiv", f2(G.HadamardDiv), nil, ins(m(3, 2), pos2(3, 2))},
		{"Pow", f2(G.Pow), nil, ins(pos(3, 2), pos2(3, 2))},
		{"Pow/2", scaled(G.Pow, 2, false), each(func(x float64) float64 { return x * x }), ins(m(3, 2))},
		{"Pow/3", scaled(G.Pow, 3, false), each(func(x float64) float64 { return x * x * x }), ins(m(3, 2))},
		{"Add/constant", scaled(G.Add, 2, false), each(func(x float64) float64 { return x + 2 }), ins(m(3, 2))},
		{"Sub/constant", scaled(G.Sub, 2, true), each(func(x float64) float64 { return 2 - x }), ins(m(3, 2))},
		{"Div/constant", scaled(G.HadamardDiv, 2, true), each(func(x float64) float64 { return 2 / x }), ins(pos(3, 2))},
		{"Add/scalar", f2(G.Add), nil, ins(m(3, 2), m2())},
		{"HadamardProd/scalar", f2(G.HadamardProd), nil, ins(m(), m2(3, 2))},
		{"HadamardDiv/scalar", f2(G.HadamardDiv), nil, ins(m(3, 2), pos2())},
		{"scalars", f2(G.HadamardProd), nil, ins(m(), m2())},
		{"Abs", f1(G.Abs), each(math.Abs), ins(m(3, 2))},
		{"Sin", f1(G.Sin), each(math.Sin), ins(m(3, 2))},
		{"Cos", f1(G.Cos), each(math.Cos), ins(m(3, 2))},
		{"Exp", f1(G.Exp), each(math.Exp), ins(m(3, 2))},
		{"Log", f1(G.Log), each(math.Log), ins(pos(3, 2))},
		{"Log2", f1(G.Log2), each(math.Log2), ins(pos(3, 2))},
		{"Neg", f1(G.Neg), each(func(x float64) float64 { return -x }), ins(m(3, 2))},
		{"Square", f1(G.Square), each(func(x float64) float64 { return x * x }), ins(m(3, 2))},
		{"Sqrt", f1(G.Sqrt), each(math.Sqrt), ins(pos(3, 2))},
		{"Inverse", f1(G.Inverse), each(func(x float64) float64 { return 1 / x }), ins(pos(3, 2))},
		{"InverseSqrt", f1(G.InverseSqrt), each(func(x float64) float64 { return 1 / math.Sqrt(x) }), ins(pos(3, 2))},
		{"Cube", f1(G.Cube), each(func(x float64) float64 { return x * x * x }), ins(m(3, 2))},
		{"Tanh", f1(G.Tanh), each(math.Tanh), ins(m(3, 2))},
		{"Sigmoid", f1(G.Sigmoid), each(sigmoid), ins(m(3, 2))},
		{"Log1p", f1(G.Log1p), each(math.Log1p), ins(pos(3, 2))},
		{"Expm1", f1(G.Expm1), each(math.Expm1), ins(m(3, 2))},
		{"Softplus", f1(G.Softplus), each(func(x float64) float64 { return math.Log1p(math.Exp(x)) }), ins(m(3, 2))},
		{"Rectify", f1(G.Rectify), each(func(x float64) float64 { return math.Max(x, 0) }), ins(m(3, 2))},
		{"LeakyRelu", f1(func(x *G.Node) (*G.Node, error) { return G.LeakyRelu(x, 0.25) }), each(func(x float64) float64 { return math.Max(x, x/4) }), ins(m(3, 2))},
		{"Mish", f1(G.Mish), each(func(x float64) float64 { return x * math.Tanh(math.Log1p(math.Exp(x))) }), ins(m(3, 2))},
		{"MaxBetween", f2(G.MaxBetween), nil, ins(m(3, 2), m2(3, 2))},
		{"MinBetween", f2(G.MinBetween), nil, ins(m(3, 2), m2(3, 2))},
		{"Mul", f2(G.Mul), nil, ins(m(2, 3), m2(3, 2))},
		{"Mul/vector", f2(G.Mul), nil, ins(m(2, 3), m2(3))},
		{"Mul/square·vector", f2(G.Mul), nil, ins(m(3, 3), m2(3))},
		{"Mul/dot", f2(G.Mul), nil, ins(m(3), m2(3))},
		{"OuterProd", f2(G.OuterProd), nil, ins(m(3), m2(2))},
		{"OuterProd/equal", f2(G.OuterProd), nil, ins(m(3), m2(3))},
		{"BatchedMatMul", f2(func(a, b *G.Node) (*G.Node, error) { return G.BatchedMatMul(a, b) }), nil, ins(m(2, 2, 3), m2(2, 3, 2))},
		{"BatchedMatMul/T", f2(func(a, b *G.Node) (*G.Node, error) { return G.BatchedMatMul(a, b, true, true) }), nil, ins(m(2, 3, 2), m2(2, 2, 3))},
		{"Tensordot", f2(func(a, b *G.Node) (*G.Node, error) { return G.Tensordot([]int{0}, []int{1}, a, b) }), nil, ins(m(3, 2), m2(2, 3))},
		{"Tensordot/all", f2(func(a, b *G.Node) (*G.Node, error) { return G.Tensordot([]int{0, 1}, []int{0, 1}, a, b) }), nil, ins(m(3, 2), m2(3, 2))},
		{"Tensordot/3", f2(func(a, b *G.Node) (*G.Node, error) { return G.Tensordot([]int{2}, []int{0}, a, b) }), nil, ins(m(2, 2, 3), m2(3, 2))},
		{"Sum", f1(func(x *G.Node) (*G.Node, error) { return G.Sum(x) }), nil, ins(m(3, 2))},
		{"Sum/0", f1(func(x *G.Node) (*G.Node, error) { return G.Sum(x, 0) }), nil, ins(m(3, 2))},
		{"Sum/1", f1(func(x *G.Node) (*G.Node, error) { return G.Sum(x, 1) }), nil, ins(m(3, 2))},
		{"Sum/1 of 3", f1(func(x *G.Node) (*G.Node, error) { return G.Sum(x, 1) }), nil, ins(m(2, 3, 2))},
		{"Sum/0 2 of 3", f1(func(x *G.Node) (*G.Node, error) { return G.Sum(x, 0, 2) }), nil, ins(m(2, 3, 2))},
		{"Sum/1 2 of 3", f1(func(x *G.Node) (*G.Node, error) { return G.Sum(x, 1, 2) }), nil, ins(m(2, 3, 2))},
		{"Sum/vector", f1(func(x *G.Node) (*G.Node, error) { return G.Sum(x) }), nil, ins(m(4))},
		{"Sum/column", f1(func(x *G.Node) (*G.Node, error) { return G.Sum(x, 0) }), nil, ins(m(3, 1))},
		{"Sum/row", f1(func(x *G.Node) (*G.Node, error) { return G.Sum(x, 1) }), nil, ins(m(1, 3))},
		{"Mean", f1(func(x *G.Node) (*G.Node, error) { return G.Mean(x) }), nil, ins(m(3, 2))},
		{"Mean/1", f1(func(x *G.Node) (*G.Node, error) { return G.Mean(x, 1) }), nil, ins(m(3, 2))},
		{"Max/1", f1(func(x *G.Node) (*G.Node, error) { return G.Max(x, 1) }), nil, ins(m(3, 2))},
		{"Norm/2", f1(func(x *G.Node) (*G.Node, error) { return G.Norm(x, 1, 2) }), nil, ins(m(3, 2))},
		{"BroadcastAdd", f2(func(a, b *G.Node) (*G.Node, error) { return G.BroadcastAdd(a, b, nil, []byte{0}) }), nil, ins(m(3, 2), m2(1, 2))},
		{"BroadcastHadamardProd", f2(func(a, b *G.Node) (*G.Node, error) { return G.BroadcastHadamardProd(a, b, []byte{1}, nil) }), nil, ins(m(3, 1), m2(3, 2))},
		{"BroadcastSub/both", f2(func(a, b *G.Node) (*G.Node, error) { return G.BroadcastSub(a, b, []byte{1}, []byte{0}) }), nil, ins(m(3, 1), m2(1, 2))},
		{"BroadcastHadamardDiv", f2(func(a, b *G.Node) (*G.Node, error) { return G.BroadcastHadamardDiv(a, b, nil, []byte{1}) }), nil, ins(m(3, 2), pos2(3, 1))},
		{"Slice/twice", f1(func(x *G.Node) (*G.Node, error) { return G.Slice(x, G.S(1), G.S(0, 2)) }), nil, ins(m(3, 3))},
		{"Slice/element", f1(func(x *G.Node) (*G.Node, error) { return G.Slice(x, G.S(2)) }), nil, ins(m(4))},
		{"Slice", f1(func(x *G.Node) (*G.Node, error) { return G.Slice(x, G.S(1, 3)) }), nil, ins(m(3, 2))},
		{"Slice/columns", f1(func(x *G.Node) (*G.Node, error) { return G.Slice(x, nil, G.S(1)) }), nil, ins(m(3, 2))},
		{"At", f1(func(x *G.Node) (*G.Node, error) { return G.At(x, 1, 1) }), nil, ins(m(3, 2))},
		{"Concat", f2(func(a, b *G.Node) (*G.Node, error) { return G.Concat(1, a, b) }), nil, ins(m(3, 2), m2(3, 1))},
		{"Concat/0", f2(func(a, b *G.Node) (*G.Node, error) { return G.Concat(0, a, b) }), nil, ins(m(1, 2), m2(2, 2))},
		{"Concat/vectors", f2(func(a, b *G.Node) (*G.Node, error) { return G.Concat(0, a, b) }), nil, ins(m(2), m2(3))},
		{"Concat/3", f2(func(a, b *G.Node) (*G.Node, error) { return G.Concat(1, a, b) }), nil, ins(m(2, 1, 2), m2(2, 2, 2))},
		{"Ravel", f1(G.Ravel), nil, ins(m(3, 2))},
		{"Reshape/scalar", f1(func(x *G.Node) (*G.Node, error) { return G.Reshape(x, tensor.Shape{1, 1}) }), nil, ins(m())},
		{"Reshape", f1(func(x *G.Node) (*G.Node, error) { return G.Reshape(x, tensor.Shape{2, 3}) }), nil, ins(m(3, 2))},
		{"Transpose", f1(func(x *G.Node) (*G.Node, error) { return G.Transpose(x) }), nil, ins(m(3, 2))},
		{"Transpose/3", f1(func(x *G.Node) (*G.Node, error) { return G.Transpose(x, 2, 0, 1) }), nil, ins(m(3, 2, 2))},
		{"SoftMax", f1(func(x *G.Node) (*G.Node, error) { return G.SoftMax(x, 1) }), nil, ins(m(3, 2))},
		{"SoftMax/0", f1(func(x *G.Node) (*G.Node, error) { return G.SoftMax(x, 0) }), nil, ins(m(3, 2))},
		{"SoftMax/vector", f1(func(x *G.Node) (*G.Node, error) { return G.SoftMax(x) }), nil, ins(m(4))},
		{"LogSoftMax", f1(func(x *G.Node) (*G.Node, error) { return G.LogSoftMax(x, 1) }), nil, ins(m(3, 2))},
		{"Conv2d", f2(func(a, b *G.Node) (*G.Node, error) {
			return G.Conv2d(a, b, tensor.Shape{2, 2}, []int{1, 1}, []int{2, 1}, []int{1, 1})
		}), nil, ins(m(1, 2, 3, 3), m2(2, 2, 2, 2))},
		{"Conv2d/batch", f2(func(a, b *G.Node) (*G.Node, error) {
			return G.Conv2d(a, b, tensor.Shape{3, 3}, []int{1, 1}, []int{1, 1}, []int{1, 1})
		}), nil, ins(m(2, 1, 3, 3), m2(2, 1, 3, 3))},
	} {
		t.Run(tc.name, func(t *testing.T) { graphtest.CheckOp(t, tc.f, tc.ref, tc.in...) })
	}
}

// Everything else of Gorgonia's is refused by name, at the first derivative.
func TestRefused(t *testing.T) {
	for name, f := range map[string]func(x *G.Node) (*G.Node, error){
		"Max":       func(x *G.Node) (*G.Node, error) { return G.Max(x) },
		"Sparsemax": func(x *G.Node) (*G.Node, error) { return G.Sparsemax(x) },
		"Dropout":   func(x *G.Node) (*G.Node, error) { return G.Dropout(x, 0.5) },
		"MaxPool2D": func(x *G.Node) (*G.Node, error) {
			return G.MaxPool2D(G.Must(G.Reshape(x, tensor.Shape{1, 1, 4, 4})), tensor.Shape{2, 2}, []int{0, 0}, []int{2, 2})
		},
		"AveragePool2D": func(x *G.Node) (*G.Node, error) {
			return G.AveragePool2D(G.Must(G.Reshape(x, tensor.Shape{1, 1, 4, 4})), tensor.Shape{2, 2}, []int{0, 0}, []int{2, 2})
		},
		"Upsample2D": func(x *G.Node) (*G.Node, error) {
			return G.Upsample2D(G.Must(G.Reshape(x, tensor.Shape{1, 1, 4, 4})), 2)
		},
		"BatchNorm": func(x *G.Node) (*G.Node, error) {
			y, _, _, _, err := G.BatchNorm(x, nil, nil, 0.9, 1e-5)
			return y, err
		},
	} {
		t.Run(name, func(t *testing.T) {
			g := G.NewGraph()
			x := graphs.NewInput(g, tensor.Float64, "x", 4, 4)
			_, err := graphs.Grad(graphs.Sum(must(t)(f(x))), x)
			if err == nil || !strings.Contains(err.Error(), "no derivative rule for Gorgonia's") {
				t.Errorf("got error %v, want one that names the operation", err)
			}
		})
	}
}

// thirdParty is an operation of somebody else, x², with a SymDiff.
type thirdParty struct{ G.Op }

func (thirdParty) DiffWRT(int) []bool { return []bool{true} }
func (thirdParty) SymDiff(in G.Nodes, _, g *G.Node) (G.Nodes, error) {
	d, err := G.HadamardProd(in[0], g)
	if err != nil {
		return nil, err
	}
	d, err = G.Add(d, d)
	return G.Nodes{d}, err
}
func (thirdParty) Type() hm.Type { a := hm.TypeVariable('a'); return hm.NewFnType(a, a) }

func TestThirdParty(t *testing.T) {
	graphtest.CheckOp(t, func(x ...*G.Node) *G.Node {
		// Gorgonia's operation comes from a graph of its own: in x's it would be merged with this one.
		theirs := graphs.Must(G.Square(G.NewMatrix(G.NewGraph(), x[0].Dtype(), G.WithShape(3, 2), G.WithName("x"))))
		return graphs.Must(G.ApplyOp(thirdParty{theirs.Op()}, x[0]))
	}, each(func(x float64) float64 { return x * x }), graphtest.Uniform(1, -1, 1, 3, 2))
}

// The names and fields of Gorgonia v0.9.18 by which its operations are recognised.
func TestBuiltinFields(t *testing.T) {
	g := G.NewGraph()
	x := G.NewMatrix(g, G.Float64, G.WithShape(3, 4), G.WithName("x"))
	w := G.NewMatrix(g, G.Float64, G.WithShape(4, 2), G.WithName("w"))
	im := G.NewTensor(g, G.Float64, 4, G.WithShape(1, 1, 4, 4), G.WithName("im"))
	must := must(t)
	for _, c := range []struct {
		n      *G.Node
		typ    string
		str    string
		fields string
	}{
		{must(G.Add(x, x)), "gorgonia.elemBinOp", "+ false", ""},
		{must(G.Sub(x, x)), "gorgonia.elemBinOp", "- false", ""},
		{must(G.HadamardProd(x, x)), "gorgonia.elemBinOp", "⊙ false", ""},
		{must(G.HadamardDiv(x, x)), "gorgonia.elemBinOp", "÷ false", ""},
		{must(G.Pow(x, x)), "gorgonia.elemBinOp", "^ false", ""},
		{must(G.Gt(x, x, true)), "gorgonia.elemBinOp", "> true", ""},
		{must(G.InverseSqrt(x)), "gorgonia.elemUnaryOp", "invSqrt", ""},
		{must(G.Log(x)), "gorgonia.elemUnaryOp", "ln", ""},
		{must(G.Mul(x, w)), "gorgonia.linAlgBinOp", "A × B", "āBinaryOperator transA transB"},
		{must(G.Tensordot([]int{1}, []int{0}, x, w)), "gorgonia.tensordotOp", "", "aAxes bAxes"},
		{must(G.Sum(x, 1)), "gorgonia.sumOp", "", "along"},
		{must(G.Max(x, 1)), "*gorgonia.maxOp", "", "along"},
		{must(G.Transpose(x)), "gorgonia.transposeOp", "", "pattern"},
		{must(G.Concat(1, x, x)), "gorgonia.concatOp", "", "axis"},
		{must(G.Reshape(x, tensor.Shape{2, 6})), "gorgonia.reshapeOp", "", "to"},
		{must(G.Slice(x, nil, G.S(1, 3))), "*gorgonia.sliceOp", "", "Slice along"},
		{must(G.At(x, 1, 2)), "gorgonia.atOp", "", "coordinates"},
		{must(G.SizeOf(1, x)), "gorgonia.sizeOp", "", "axis"},
		{must(G.SoftMax(x, 1)), "*gorgonia.softmaxOp", "", "axis isLog"},
		{must(G.Im2Col(im, tensor.Shape{2, 2}, tensor.Shape{1, 1}, tensor.Shape{1, 1}, tensor.Shape{1, 1})), "gorgonia.im2colOp", "", "h w padH padW strideH strideW dilationH dilationW"},
		{g.Constant(G.NewF64(2)), "gorgonia.constantScalar", "", ""},
	} {
		o := c.n.Op()
		if got := fmt.Sprintf("%T", o); got != c.typ {
			t.Errorf("got type %s, want %s", got, c.typ)
		}
		if c.str != "" && o.String() != c.str {
			t.Errorf("%s: got String %q, want %q", c.typ, o.String(), c.str)
		}
		for _, f := range strings.Fields(c.fields) {
			if !reflect.Indirect(reflect.ValueOf(o)).FieldByName(f).IsValid() {
				t.Errorf("%s has no field %q", c.typ, f)
			}
		}
	}
}
