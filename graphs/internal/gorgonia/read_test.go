package gorgonia

import (
	"fmt"
	"reflect"
	"testing"

	G "gorgonia.org/gorgonia"
	"gorgonia.org/tensor"
)

// The type names and fields by which the operations of Gorgonia v0.9.18 are recognised: one operation of every kind,
// with its parameters.
func TestRead(t *testing.T) {
	g := G.NewGraph()
	tensorIn := func(g *G.ExprGraph, name string, shape ...int) *G.Node {
		return G.NewTensor(g, G.Float64, len(shape), G.WithShape(shape...), G.WithName(name))
	}
	tens := func(name string, shape ...int) *G.Node { return tensorIn(g, name, shape...) }
	whole := func(g *G.ExprGraph, name string, shape ...int) *G.Node {
		return G.NewTensor(g, tensor.Int, len(shape), G.WithShape(shape...), G.WithName(name))
	}
	x, w, u, v, im := tens("x", 3, 4), tens("w", 4, 2), tens("u", 4), tens("v", 3), tens("im", 1, 2, 4, 4)
	must := func(n *G.Node, err error) *G.Node {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
		return n
	}
	// gradient is the node that gorgonia.Grad derives directly from f.
	gradient := func(name string, f func(x *G.Node) *G.Node, shape ...int) *G.Node {
		x := tensorIn(G.NewGraph(), name, shape...) // gorgonia.Grad visits everything in a graph
		gs, err := G.Grad(G.Must(G.Sum(f(x))), x)
		if err != nil {
			t.Fatal(err)
		}
		return gs[0]
	}
	two := [2]int{2, 2}
	one := [2]int{1, 1}
	pool := Window{Kernel: two, Pad: [2]int{1, 0}, Stride: [2]int{2, 1}, Dilation: one}
	norm := func(x *G.Node) *G.Node { return find(must(first(G.BatchNorm(x, nil, nil, 0.9, 0.125))), BatchNorm) }
	group := func(x *G.Node) *G.Node {
		s := tensorIn(x.Graph(), x.Name()+"s", x.Shape()...)
		return find(must(G.GroupNorm(x, s, s, 2, 4, 0.25)), GroupNorm)
	}
	ctc := must(G.CTCLoss(tens("lr", 4, 1, 3), whole(g, "t", 2), whole(g, "il", 1), whole(g, "tl", 1), G.ReductionSum))
	ctcGrad, err := ctc.Op().(G.SDOp).SymDiff(Operands(ctc), ctc, G.NewScalar(g, G.Float64, G.WithName("c")))
	if err != nil {
		t.Fatal(err)
	}
	cases := []struct {
		n    *G.Node
		want Op
	}{
		{ctcGrad[0], Op{Kind: CTCLossGrad}},
		{must(G.Add(x, x)), Op{Kind: Add}},
		{must(G.Sub(x, x)), Op{Kind: Sub}},
		{must(G.HadamardProd(x, x)), Op{Kind: Mul}},
		{must(G.HadamardDiv(x, x)), Op{Kind: Div}},
		{must(G.Pow(x, x)), Op{Kind: Pow}},
		{must(G.Lt(x, x, true)), Op{Kind: Lt, Numbers: true}},
		{must(G.Gt(x, x, true)), Op{Kind: Gt, Numbers: true}},
		{must(G.Lte(x, x, false)), Op{Kind: Lte}},
		{must(G.Gte(x, x, true)), Op{Kind: Gte, Numbers: true}},
		{must(G.Eq(x, x, true)), Op{Kind: Eq, Numbers: true}},
		{must(G.Ne(x, x, true)), Op{Kind: Ne, Numbers: true}},
		{must(G.MaxBetween(x, x)), Op{Kind: MaxBetween}},
		{must(G.MinBetween(x, x)), Op{Kind: MinBetween}},
		{must(G.Mul(x, w)), Op{Kind: MatMul}},
		{must(G.Mul(x, u)), Op{Kind: MatVec}},
		{must(G.Mul(u, u)), Op{Kind: Dot}},
		{must(G.OuterProd(u, v)), Op{Kind: Outer}},
		{must(G.BatchedMatMul(tens("a3", 2, 3, 4), tens("b3", 2, 2, 4), false, true)), Op{Kind: BatchedMatMul, TransB: true}},
		{must(G.Tensordot([]int{1}, []int{0}, x, w)), Op{Kind: Tensordot, Axes: []int{1}, AxesB: []int{0}}},
		{must(G.Sum(x, 1)), Op{Kind: Sum, Axes: []int{1}}},
		{must(G.Max(x, 0)), Op{Kind: Max, Axes: []int{0}}},
		{find(must(G.BroadcastAdd(x, tens("c", 3, 1), nil, []byte{1})), Repeat), Op{Kind: Repeat, Axis: 1}},
		{must(G.SizeOf(1, x)), Op{Kind: Size, Axis: 1}},
		{must(G.Reshape(x, tensor.Shape{2, 6})), Op{Kind: Reshape}},
		{must(G.Transpose(im, 0, 2, 3, 1)), Op{Kind: Transpose, Axes: []int{0, 2, 3, 1}}},
		{must(G.Slice(x, nil, G.S(1, 3))), Op{Kind: Slice, Axis: 1, Range: Range{Lo: 1, Hi: 3, Step: 1}}},
		{gradient("xs", func(x *G.Node) *G.Node {
			return must(G.Slice(x, G.S(0, 4, 2)))
		}, 4, 3), Op{Kind: SliceGrad, Axis: 0, Range: Range{Lo: 0, Hi: 4, Step: 2}}},
		{must(G.At(x, 1, 2)), Op{Kind: At, Axes: []int{1, 2}}},
		{must(G.Concat(1, x, x)), Op{Kind: Concat, Axis: 1}},
		{must(G.ByIndices(x, whole(g, "i", 2), 1)), Op{Kind: ByIndices, Axis: 1}},
		{gradient("xi", func(x *G.Node) *G.Node {
			return must(G.ByIndices(x, whole(x.Graph(), "j", 2), 1))
		}, 3, 4), Op{Kind: ByIndicesGrad, Axis: 1}},
		{must(G.SoftMax(x, 1)), Op{Kind: Softmax, Axis: 1}},
		{must(G.LogSoftMax(tens("xl", 2, 3, 4))), Op{Kind: Softmax, Axis: -1, Log: true}},
		{gradient("xg", func(x *G.Node) *G.Node { return must(G.SoftMax(x, 1)) }, 3, 4), Op{Kind: SoftmaxGrad, Axis: 1}},
		{must(G.Sparsemax(x)), Op{Kind: Sparsemax, Axis: -1}},
		{gradient("xp", func(x *G.Node) *G.Node { return must(G.Sparsemax(x)) }, 3, 4), Op{Kind: SparsemaxGrad}},
		{must(G.Im2Col(im, tensor.Shape{2, 2}, tensor.Shape{1, 0}, tensor.Shape{1, 2}, tensor.Shape{1, 1})),
			Op{Kind: Im2Col, Window: Window{Kernel: two, Pad: [2]int{1, 0}, Stride: [2]int{1, 2}, Dilation: one}}},
		{gradient("ic", func(x *G.Node) *G.Node {
			return must(G.Im2Col(x, tensor.Shape{2, 2}, tensor.Shape{0, 0}, tensor.Shape{1, 1}, tensor.Shape{1, 1}))
		}, 1, 2, 4, 4), Op{Kind: Col2Im, Window: Window{Kernel: two, Stride: one, Dilation: one}}},
		{must(G.MaxPool2D(im, tensor.Shape{2, 2}, []int{1, 0}, []int{2, 1})), Op{Kind: MaxPool, Window: pool}},
		{must(G.MaxPool2D(im, tensor.Shape{2, 2}, []int{0, 1, 1, 0}, []int{2, 1})), Op{Kind: MaxPool, Window: pool}},
		{gradient("mp", func(x *G.Node) *G.Node {
			return must(G.MaxPool2D(x, tensor.Shape{2, 2}, []int{1, 0}, []int{2, 1}))
		}, 1, 2, 4, 4), Op{Kind: MaxPoolGrad, Window: pool}},
		{must(G.AveragePool2D(im, tensor.Shape{2, 2}, []int{1, 0}, []int{2, 1})), Op{Kind: AveragePool, Window: pool}},
		{gradient("ap", func(x *G.Node) *G.Node {
			return must(G.AveragePool2D(x, tensor.Shape{2, 2}, []int{1, 0}, []int{2, 1}))
		}, 1, 2, 4, 4), Op{Kind: AveragePoolGrad}},
		{must(G.GlobalAveragePool2D(im)), Op{Kind: GlobalAveragePool}},
		{must(G.Upsample2D(im, 3)), Op{Kind: Upsample, Factor: 3}},
		{gradient("up", func(x *G.Node) *G.Node {
			return must(G.Upsample2D(x, 3))
		}, 1, 2, 4, 4), Op{Kind: UpsampleGrad, Factor: 3}},
		{norm(im), Op{Kind: BatchNorm, Epsilon: 0.125, Momentum: 0.9}},
		{gradient("bn", norm, 3, 4), Op{Kind: BatchNormGrad, Epsilon: 0.125}},
		{group(tens("gn", 1, 4, 2, 2)), Op{Kind: GroupNorm, Groups: 2, Epsilon: 0.25}},
		{gradient("gg", group, 1, 4, 2, 2), Op{Kind: GroupNormGrad}},
		{must(G.Dropout(x, 0.25)), Op{Kind: Dropout, P: 0.25}},
		{gradient("dg", func(x *G.Node) *G.Node { return must(G.Dropout(x, 0.25)) }, 3, 4), Op{Kind: DropoutGrad, P: 0.25}},
		{must(G.CTCLoss(tens("lp", 4, 1, 3), whole(g, "t", 2), whole(g, "il", 1), whole(g, "tl", 1), G.ReductionMean)),
			Op{Kind: CTCLoss, Mean: true}},
		{must(G.CTCLoss(tens("lq", 4, 1, 3), whole(g, "t", 2), whole(g, "il", 1), whole(g, "tl", 1), G.ReductionSum)),
			Op{Kind: CTCLoss}},
		{must(G.YOLOv3(tens("yo", 1, 12, 2, 2), []float32{10, 13, 16, 30}, []int{0, 1}, 32, 1, 0.5)),
			Op{Kind: YOLO, Boxes: Boxes{Anchors: []float64{10, 13, 16, 30}, Masks: []int{0, 1}, Ignore: 0.5, Classes: 1,
				Size: 32}}},
		{G.UniformRandomNode(g, G.Float64, 0, 1, 3), Op{Kind: Random}},
		{g.Constant(G.NewF64(2)), Op{Kind: Constant}},
		{g.AddNode(G.NewConstant(tensor.New(tensor.WithBacking([]float64{1, 2})))), Op{Kind: ConstantTensor}},
		{G.Set(x, tens("y", 3, 4)), Op{Kind: SetStatement}},
		{G.Read(x, new(G.Value)), Op{Kind: ReadStatement}},
	}
	unary := map[Kind]func(*G.Node) (*G.Node, error){
		Abs: G.Abs, Sign: G.Sign, Ceil: G.Ceil, Floor: G.Floor, Sin: G.Sin, Cos: G.Cos, Exp: G.Exp, Log: G.Log,
		Log2: G.Log2, Neg: G.Neg, Square: G.Square, Sqrt: G.Sqrt, Inverse: G.Inverse, InverseSqrt: G.InverseSqrt,
		Cube: G.Cube, Tanh: G.Tanh, Sigmoid: G.Sigmoid, Log1p: G.Log1p, Expm1: G.Expm1, Softplus: G.Softplus,
	}
	for k, f := range unary {
		cases = append(cases, struct {
			n    *G.Node
			want Op
		}{must(f(x)), Op{Kind: k}})
	}
	axis := map[Kind]bool{Repeat: true, Size: true, Slice: true, SliceGrad: true, Concat: true, ByIndices: true,
		ByIndicesGrad: true, Softmax: true, SoftmaxGrad: true, Sparsemax: true}
	seen := map[Kind]bool{Unknown: true, Identity: true, DiagFlat: true} // no function makes the last two
	for _, c := range cases {
		if !axis[c.want.Kind] {
			c.want.Axis = -1
		}
		got := Read(c.n.Op())
		seen[got.Kind] = true
		if !reflect.DeepEqual(got, c.want) {
			t.Errorf("%v (%T):\ngot  %+v\nwant %+v", c.n.Op(), c.n.Op(), got, c.want)
		}
		if !Builtin(c.n.Op()) {
			t.Errorf("%T: not one of Gorgonia's", c.n.Op())
		}
	}
	for k := Unknown; k < kinds; k++ {
		if table[k].name == "" || k > Unknown && table[k].typ == "" {
			t.Errorf("kind %d has no entry in the table", k)
		}
		if !seen[k] {
			t.Errorf("%v is not tested", k)
		}
	}
}

func first(n, _, _ *G.Node, _ *G.BatchNormOp, err error) (*G.Node, error) { return n, err }

// find returns the node of the given kind that n depends on.
func find(n *G.Node, k Kind) *G.Node {
	if n.Op() != nil && KindOf(n.Op()) == k {
		return n
	}
	for _, c := range Operands(n) {
		if m := find(c, k); m != nil {
			return m
		}
	}
	return nil
}

// stranger is a third party's operation.
type stranger struct{ G.Op }

func TestUnknown(t *testing.T) {
	x := G.NewMatrix(G.NewGraph(), G.Float64, G.WithShape(3, 4), G.WithName("x"))
	op := stranger{G.Must(G.Abs(x)).Op()}
	if Read(op).Kind != Unknown || Builtin(op) {
		t.Errorf("got %v, builtin %v for somebody else's operation", Read(op).Kind, Builtin(op))
	}
}

// The operands of a node are in order, even if Gorgonia has removed one of them from its graph.
func TestOperands(t *testing.T) {
	g := G.NewGraph()
	x := G.NewMatrix(g, G.Float64, G.WithShape(2, 2), G.WithName("x"))
	y := G.NewMatrix(g, G.Float64, G.WithShape(2, 2), G.WithName("y"))
	d := G.Must(G.Sub(y, x))
	if got := fmt.Sprint(Operands(d)); got != fmt.Sprint(G.Nodes{y, x}) {
		t.Errorf("got %v, want y and x", got)
	}
	g.RemoveNode(d)
	if got := Operands(d); len(got) != 2 || got[0] != y || got[1] != x {
		t.Errorf("removed: got %v, want y and x", got)
	}
	if len(Operands(x)) != 0 {
		t.Error("an input has operands")
	}
	cost := G.Must(G.Sum(G.Must(G.Square(x))))
	gs, err := G.Grad(cost, x)
	if err != nil {
		t.Fatal(err)
	}
	if of := DerivativeOf(gs[0]); len(of) != 1 || of[0] != x {
		t.Errorf("the gradient is one of %v, want x", of)
	}
}

func TestTraining(t *testing.T) {
	x := G.NewMatrix(G.NewGraph(), G.Float64, G.WithShape(3, 4), G.WithName("x"))
	_, _, _, op, err := G.BatchNorm(x, nil, nil, 0.9, 1e-3)
	if err != nil {
		t.Fatal(err)
	}
	for _, want := range []bool{false, true} {
		for _, op := range []G.Op{op, G.Must(G.Dropout(x, 0.5)).Op()} {
			if err := op.(G.TrainModeOp).SetTraining(want); err != nil {
				t.Fatal(err)
			}
			if got, ok := Training(op); !ok || got != want {
				t.Errorf("%T: got training %v (%v), want %v", op, got, ok, want)
			}
		}
	}
	if _, ok := Training(G.Must(G.Abs(x)).Op()); ok {
		t.Error("an absolute value has a training mode")
	}
}
