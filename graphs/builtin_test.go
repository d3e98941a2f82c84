package graphs_test

import (
	"errors"
	"math"
	"strings"
	"testing"

	"github.com/chewxy/hm"
	"github.com/stheno-ebm/stheno/graphs"
	"github.com/stheno-ebm/stheno/graphs/graphtest"
	G "gorgonia.org/gorgonia"
	"gorgonia.org/tensor"
)

// builtins are functions made of Gorgonia's own operations that can be differentiated: their value and derivatives of
// order one to three are right, in both modes and types.
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
		{"Pow/scalar, matrix", f2(G.Pow), nil, ins(pos(), pos2(3, 2))},
		{"Pow/matrix, scalar", f2(G.Pow), nil, ins(pos(3, 2), pos2())},
		{"Pow/scalars", f2(G.Pow), nil, ins(pos(), pos2())},
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
		{"LeakyRelu", f1(func(x *G.Node) (*G.Node, error) { return G.LeakyRelu(x, 0.25) }),
			each(func(x float64) float64 { return math.Max(x, x/4) }), ins(m(3, 2))},
		{"Mish", f1(G.Mish), each(func(x float64) float64 { return x * math.Tanh(math.Log1p(math.Exp(x))) }), ins(m(3, 2))},
		{"MaxBetween", f2(G.MaxBetween), nil, ins(m(3, 2), m2(3, 2))},
		{"MinBetween", f2(G.MinBetween), nil, ins(m(3, 2), m2(3, 2))},
		{"Mul", f2(G.Mul), nil, ins(m(2, 3), m2(3, 2))},
		{"Mul/vector", f2(G.Mul), nil, ins(m(2, 3), m2(3))},
		{"Mul/square·vector", f2(G.Mul), nil, ins(m(3, 3), m2(3))},
		{"Mul/dot", f2(G.Mul), nil, ins(m(3), m2(3))},
		{"OuterProd", f2(G.OuterProd), nil, ins(m(3), m2(2))},
		{"OuterProd/equal", f2(G.OuterProd), nil, ins(m(3), m2(3))},
		{"BatchedMatMul", f2(func(a, b *G.Node) (*G.Node, error) {
			return G.BatchedMatMul(a, b)
		}), nil, ins(m(2, 2, 3), m2(2, 3, 2))},
		{"BatchedMatMul/T", f2(func(a, b *G.Node) (*G.Node, error) {
			return G.BatchedMatMul(a, b, true, true)
		}), nil, ins(m(2, 3, 2), m2(2, 2, 3))},
		{"Tensordot", f2(func(a, b *G.Node) (*G.Node, error) {
			return G.Tensordot([]int{0}, []int{1}, a, b)
		}), nil, ins(m(3, 2), m2(2, 3))},
		{"Tensordot/all", f2(func(a, b *G.Node) (*G.Node, error) {
			return G.Tensordot([]int{0, 1}, []int{0, 1}, a, b)
		}), nil, ins(m(3, 2), m2(3, 2))},
		{"Tensordot/3", f2(func(a, b *G.Node) (*G.Node, error) {
			return G.Tensordot([]int{2}, []int{0}, a, b)
		}), nil, ins(m(2, 2, 3), m2(3, 2))},
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
		{"Max", f1(func(x *G.Node) (*G.Node, error) { return G.Max(x) }), nil, ins(m(3, 2))},
		{"Max/0", f1(func(x *G.Node) (*G.Node, error) { return G.Max(x, 0) }), nil, ins(m(3, 2))},
		{"Max/vector", f1(func(x *G.Node) (*G.Node, error) { return G.Max(x) }), nil, ins(m(5))},
		{"Max/1 of 3", f1(func(x *G.Node) (*G.Node, error) { return G.Max(x, 1) }), nil, ins(m(2, 3, 2))},
		{"Max/2 3 of 4", f1(func(x *G.Node) (*G.Node, error) { return G.Max(x, 2, 3) }), nil, ins(m(1, 2, 2, 3))},
		{"Norm/2", f1(func(x *G.Node) (*G.Node, error) { return G.Norm(x, 1, 2) }), nil, ins(m(3, 2))},
		{"BroadcastAdd", f2(func(a, b *G.Node) (*G.Node, error) {
			return G.BroadcastAdd(a, b, nil, []byte{0})
		}), nil, ins(m(3, 2), m2(1, 2))},
		{"BroadcastHadamardProd", f2(func(a, b *G.Node) (*G.Node, error) {
			return G.BroadcastHadamardProd(a, b, []byte{1}, nil)
		}), nil, ins(m(3, 1), m2(3, 2))},
		{"BroadcastSub/both", f2(func(a, b *G.Node) (*G.Node, error) {
			return G.BroadcastSub(a, b, []byte{1}, []byte{0})
		}), nil, ins(m(3, 1), m2(1, 2))},
		{"BroadcastHadamardDiv", f2(func(a, b *G.Node) (*G.Node, error) {
			return G.BroadcastHadamardDiv(a, b, nil, []byte{1})
		}), nil, ins(m(3, 2), pos2(3, 1))},
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
		{"SoftMax/column", f1(func(x *G.Node) (*G.Node, error) { return G.SoftMax(x) }), nil, ins(m(3, 1))},
		{"SoftMax/3", f1(func(x *G.Node) (*G.Node, error) { return G.SoftMax(x) }), nil, ins(m(2, 2, 3))},
		{"SoftMax/1 of 3", f1(func(x *G.Node) (*G.Node, error) { return G.SoftMax(x, 1) }), nil, ins(m(2, 3, 2))},
		{"SoftMax/0 of 4", f1(func(x *G.Node) (*G.Node, error) { return G.SoftMax(x, 0) }), nil, ins(m(3, 1, 2, 1))},
		{"SoftMax/3 of 4", f1(func(x *G.Node) (*G.Node, error) { return G.SoftMax(x, 3) }), nil, ins(m(1, 2, 1, 3))},
		{"LogSoftMax/0", f1(func(x *G.Node) (*G.Node, error) { return G.LogSoftMax(x, 0) }), nil, ins(m(3, 2))},
		{"LogSoftMax/2 of 3", f1(func(x *G.Node) (*G.Node, error) { return G.LogSoftMax(x, 2) }), nil, ins(m(2, 2, 3))},
		{"LogSoftMax/1 of 4", f1(func(x *G.Node) (*G.Node, error) { return G.LogSoftMax(x, 1) }), nil, ins(m(1, 3, 2, 1))},
		{"Sparsemax", f1(func(x *G.Node) (*G.Node, error) { return G.Sparsemax(x) }), nil, ins(m(3, 4))},
		{"Sparsemax/0", f1(func(x *G.Node) (*G.Node, error) { return G.Sparsemax(x, 0) }), nil, ins(m(3, 2))},
		{"Sparsemax/vector", f1(func(x *G.Node) (*G.Node, error) { return G.Sparsemax(x) }), nil, ins(m(5))},
		{"MaxPool2D", f1(pool(G.MaxPool2D, 2, 2, 0, 0, 2, 2)), nil, ins(m(1, 2, 4, 4))},
		{"MaxPool2D/odd", f1(pool(G.MaxPool2D, 2, 3, 0, 0, 2, 2)), nil, ins(m(2, 1, 5, 5))},
		{"MaxPool2D/overlapping", f1(pool(G.MaxPool2D, 2, 2, 0, 0, 1, 1)), nil, ins(m(1, 1, 3, 4))},
		{"MaxPool2D/padded", f1(pool(G.MaxPool2D, 3, 3, 1, 1, 2, 2)), nil, ins(m(1, 1, 4, 5))},
		{"MaxPool2D/stride 3", f1(pool(G.MaxPool2D, 2, 2, 0, 0, 3, 3)), nil, ins(m(1, 1, 5, 5))},
		{"MaxPool2D/whole", f1(pool(G.MaxPool2D, 3, 3, 0, 0, 1, 1)), nil, ins(m(1, 1, 3, 3))},
		{"MaxPool2D/1", f1(pool(G.MaxPool2D, 1, 1, 0, 0, 1, 1)), nil, ins(m(1, 1, 1, 1))},
		{"MaxPool2D/four pads", f1(func(x *G.Node) (*G.Node, error) {
			return G.MaxPool2D(x, tensor.Shape{2, 2}, []int{1, 0, 0, 1}, []int{2, 2})
		}), nil, ins(m(1, 1, 3, 3))},
		{"MaxPool1D", f1(func(x *G.Node) (*G.Node, error) { return G.MaxPool1D(x, 2, 0, 2) }), nil, ins(m(1, 1, 2, 6))},
		{"AveragePool2D", f1(pool(G.AveragePool2D, 2, 2, 0, 0, 2, 2)), nil, ins(m(1, 2, 4, 4))},
		{"AveragePool2D/padded", f1(pool(G.AveragePool2D, 3, 2, 1, 1, 2, 1)), nil, ins(m(1, 1, 4, 3))},
		{"GlobalAveragePool2D", f1(G.GlobalAveragePool2D), nil, ins(m(2, 2, 2, 3))},
		{"Upsample2D", f1(func(x *G.Node) (*G.Node, error) { return G.Upsample2D(x, 2) }), nil, ins(m(1, 2, 2, 3))},
		{"Upsample2D/3", f1(func(x *G.Node) (*G.Node, error) { return G.Upsample2D(x, 3) }), nil, ins(m(1, 1, 1, 2))},
		{"BatchNorm/4", batchNorm(true), nil, ins(m(2, 2, 2, 1), pos(2, 2, 2, 1), m2(2, 2, 2, 1))},
		{"BatchNorm/2", batchNorm(true), nil, ins(m(4, 2), pos(4, 2), m2(4, 2))},
		{"BatchNorm/one channel", batchNorm(true), nil, ins(m(1, 1, 2, 3), pos(1, 1, 2, 3), m2(1, 1, 2, 3))},
		{"BatchNorm/evaluation", batchNorm(false), nil, ins(m(2, 2, 2, 1), pos(2, 2, 2, 1), m2(2, 2, 2, 1))},
		{"GroupNorm", func(x ...*G.Node) *G.Node {
			return graphs.Must(G.GroupNorm(x[0], x[1], x[2], 2, 4, 0.1))
		}, nil, ins(m(1, 4, 2, 1), pos(1, 4, 2, 1), m2(1, 4, 2, 1))},
		{"Dropout/0", f1(func(x *G.Node) (*G.Node, error) { return G.Dropout(x, 0) }), nil, ins(m(3, 2))},
		{"ByIndices", f1(byIndices(0, 2, 0, 2)), nil, ins(m(3, 2))},
		{"ByIndices/1", f1(byIndices(1, 1, 1)), nil, ins(m(2, 2, 2))},
		{"ByIndices/last", f1(byIndices(1, 2, 0)), nil, ins(m(2, 3))},
		{"BinaryXent", f2(G.BinaryXent), nil,
			ins(graphtest.Uniform(1, 0.2, 0.8, 3, 2), graphtest.Uniform(2, 0.2, 0.8, 3, 2))},
		{"Conv2d/batch", f2(func(a, b *G.Node) (*G.Node, error) {
			return G.Conv2d(a, b, tensor.Shape{3, 3}, []int{1, 1}, []int{1, 1}, []int{1, 1})
		}), nil, ins(m(2, 1, 3, 3), m2(2, 1, 3, 3))},

		// Sizes of 1, and odd sizes.
		{"Add/1", f2(G.Add), nil, ins(m(1, 1), m2(1, 1))},
		{"HadamardProd/5", f2(G.HadamardProd), nil, ins(m(5, 7), m2(5, 7))},
		{"Mul/1", f2(G.Mul), nil, ins(m(1, 1), m2(1, 1))},
		{"Mul/row·column", f2(G.Mul), nil, ins(m(1, 5), m2(5, 1))},
		{"Mul/column·row", f2(G.Mul), nil, ins(m(3, 1), m2(1, 5))},
		{"BatchedMatMul/1", f2(func(a, b *G.Node) (*G.Node, error) {
			return G.BatchedMatMul(a, b)
		}), nil, ins(m(1, 1, 3), m2(1, 3, 1))},
		{"BatchedMatMul/3", f2(func(a, b *G.Node) (*G.Node, error) {
			return G.BatchedMatMul(a, b)
		}), nil, ins(m(3, 1, 1), m2(3, 1, 5))},
		{"Sum/1 of (3,1,2)", f1(func(x *G.Node) (*G.Node, error) { return G.Sum(x, 1) }), nil, ins(m(3, 1, 2))},
		{"Sum/one", f1(func(x *G.Node) (*G.Node, error) { return G.Sum(x) }), nil, ins(m(1, 1))},
		{"Max/one", f1(func(x *G.Node) (*G.Node, error) { return G.Max(x, 1) }), nil, ins(m(3, 1))},
		{"Transpose/ones", f1(func(x *G.Node) (*G.Node, error) { return G.Transpose(x, 2, 0, 1) }), nil, ins(m(1, 3, 1))},
		{"SoftMax/1", f1(func(x *G.Node) (*G.Node, error) { return G.SoftMax(x, 1) }), nil, ins(m(3, 1))},
		{"SoftMax/1 of (3,1,5)", f1(func(x *G.Node) (*G.Node, error) { return G.SoftMax(x, 1) }), nil, ins(m(3, 1, 5))},
		{"SoftMax/2 of (3,1,5)", f1(func(x *G.Node) (*G.Node, error) { return G.SoftMax(x, 2) }), nil, ins(m(3, 1, 5))},
		{"LogSoftMax/1", f1(func(x *G.Node) (*G.Node, error) { return G.LogSoftMax(x, 1) }), nil, ins(m(3, 1))},
		{"Sparsemax/1", f1(func(x *G.Node) (*G.Node, error) { return G.Sparsemax(x) }), nil, ins(m(5, 1))},
		{"Conv2d/1", f2(func(a, b *G.Node) (*G.Node, error) {
			return G.Conv2d(a, b, tensor.Shape{1, 1}, []int{0, 0}, []int{1, 1}, []int{1, 1})
		}), nil, ins(m(1, 1, 1, 1), m2(1, 1, 1, 1))},
		{"Conv2d/stride 3", f2(func(a, b *G.Node) (*G.Node, error) {
			return G.Conv2d(a, b, tensor.Shape{3, 2}, []int{1, 0}, []int{3, 3}, []int{1, 1})
		}), nil, ins(m(1, 1, 7, 5), m2(1, 1, 3, 2))},
		{"AveragePool2D/1", f1(pool(G.AveragePool2D, 1, 1, 0, 0, 1, 1)), nil, ins(m(1, 1, 1, 1))},
		{"AveragePool2D/overlapping", f1(pool(G.AveragePool2D, 3, 2, 0, 0, 1, 1)), nil, ins(m(1, 1, 5, 3))},
		{"GlobalAveragePool2D/1", f1(G.GlobalAveragePool2D), nil, ins(m(3, 1, 1, 1))},
		{"BatchNorm/channel of five", batchNorm(true), nil, ins(m(5, 1), pos(5, 1), m2(5, 1))},
		{"BatchNorm/3x3x1x1", batchNorm(true), nil, ins(m(3, 3, 1, 1), pos(3, 3, 1, 1), m2(3, 3, 1, 1))},
		{"GroupNorm/1", func(x ...*G.Node) *G.Node {
			return graphs.Must(G.GroupNorm(x[0], x[1], x[2], 1, 3, 0.1))
		}, nil, ins(m(1, 3, 1, 1), pos(1, 3, 1, 1), m2(1, 3, 1, 1))},
		{"Concat/ones", f2(func(a, b *G.Node) (*G.Node, error) { return G.Concat(1, a, b) }), nil, ins(m(1, 1), m2(1, 1))},
		{"Slice/1 of 1", f1(func(x *G.Node) (*G.Node, error) { return G.Slice(x, nil, G.S(0, 1)) }), nil, ins(m(3, 1))},
		{"Slice/steps", f1(func(x *G.Node) (*G.Node, error) { return G.Slice(x, G.S(0, 6, 2)) }), nil, ins(m(7, 3))},
		{"ByIndices/1", f1(byIndices(0, 0)), nil, ins(m(1, 3))},
		{"BroadcastAdd/1", f2(func(a, b *G.Node) (*G.Node, error) {
			return G.BroadcastAdd(a, b, nil, []byte{0})
		}), nil, ins(m(5, 1), m2(1, 1))},
	} {
		t.Run(tc.name, func(t *testing.T) { graphtest.CheckOp(t, tc.f, tc.ref, tc.in...) })
	}
}

// pool is a pool with window (kh,kw), padding and strides.
func pool(f func(*G.Node, tensor.Shape, []int, []int) (*G.Node, error), kh, kw, ph, pw,
	sh, sw int) func(*G.Node) (*G.Node, error) {
	return func(x *G.Node) (*G.Node, error) { return f(x, tensor.Shape{kh, kw}, []int{ph, pw}, []int{sh, sw}) }
}

// batchNorm is a BatchNorm in training, or in evaluation with running statistics that are neither 0 nor 1.
func batchNorm(training bool) graphtest.Func {
	return func(x ...*G.Node) *G.Node {
		y, _, _, op, err := G.BatchNorm(x[0], x[1], x[2], 0.9, 0.1)
		graphs.Must(y, err)
		mean, variance := op.Stats()
		for i := range mean.Shape().TotalSize() {
			if x[0].Dtype() == tensor.Float32 {
				mean.Data().([]float32)[i], variance.Data().([]float32)[i] = 0.25, float32(i+2)
			} else {
				mean.Data().([]float64)[i], variance.Data().([]float64)[i] = 0.25, float64(i+2)
			}
		}
		if !training {
			graphs.Must(y, op.SetTraining(false))
		}
		return y
	}
}

func byIndices(axis int, indices ...int) func(*G.Node) (*G.Node, error) {
	return func(x *G.Node) (*G.Node, error) {
		i := x.Graph().AddNode(G.NewConstant(tensor.New(tensor.WithBacking(indices)), G.WithName("indices")))
		return G.ByIndices(x, i, axis)
	}
}

// Operations without a rule are refused by name, at the derivative that is missing, and the error does not recommend
// gorgonia.Grad for them.
func TestRefused(t *testing.T) {
	for name, c := range map[string]struct {
		f     func(x *G.Node) (*G.Node, error)
		named string
	}{
		"a gradient made by gorgonia.Grad": {func(x *G.Node) (*G.Node, error) {
			gs, err := G.Grad(G.Must(G.Sum(G.Must(G.SoftMax(x)))), x)
			return gs[0], err
		}, "gradient of SoftMax"},
		"CTCLoss twice": {func(x *G.Node) (*G.Node, error) {
			g := x.Graph()
			whole := func(name string, v ...int) *G.Node {
				return G.NewTensor(g, tensor.Int, 1, G.WithShape(len(v)), G.WithName(name),
					G.WithValue(tensor.New(tensor.WithShape(len(v)), tensor.WithBacking(v))))
			}
			y, err := G.CTCLoss(G.Must(G.Reshape(x, tensor.Shape{4, 1, 4})), whole("t", 1, 2), whole("i", 4),
				whole("l", 2), G.ReductionSum)
			if err != nil {
				return nil, err
			}
			gs, err := graphs.Grad(y, x)
			return gs[0], err
		}, "CTCLoss"},
	} {
		t.Run(name, func(t *testing.T) {
			g := G.NewGraph()
			x := graphs.NewInput(g, tensor.Float64, "x", 4, 4)
			y := must(t)(c.f(x))
			_, err := graphs.Grad(graphs.Sum(y), x)
			if !errors.Is(err, graphs.ErrNoRule) || !strings.Contains(err.Error(), c.named) ||
				strings.Contains(err.Error(), "by gorgonia.Grad, which") {
				t.Errorf("got error %v, want ErrNoRule with %q", err, c.named)
			}
		})
	}
}

// thirdParty is a third party's operation, x², with a SymDiff.
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
		// Gorgonia's operation is taken from a graph of its own: in x's graph it would be merged with this one.
		theirs := graphs.Must(G.Square(G.NewMatrix(G.NewGraph(), x[0].Dtype(), G.WithShape(3, 2), G.WithName("x"))))
		return graphs.Must(G.ApplyOp(thirdParty{theirs.Op()}, x[0]))
	}, each(func(x float64) float64 { return x * x }), graphtest.Uniform(1, -1, 1, 3, 2))
}
