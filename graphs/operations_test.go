package graphs

import (
	"errors"
	"flag"
	"fmt"
	"math"
	"math/rand/v2"
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"

	G "gorgonia.org/gorgonia"
	"gorgonia.org/tensor"

	"github.com/stheno-ebm/stheno/graphs/internal/gorgonia"
)

var update = flag.Bool("update", false, "write the table of operations into doc.go and README.md")

// operationCase is a use of one of Gorgonia's functions.
type operationCase struct {
	name   string // the function, and after a comma what is special
	shapes [][]int
	build  func(x ...*G.Node) (*G.Node, error)
}

// shp is a list of shapes.
func shp(s ...[]int) [][]int { return s }

func one(f func(*G.Node) (*G.Node, error)) func(...*G.Node) (*G.Node, error) {
	return func(x ...*G.Node) (*G.Node, error) { return f(x[0]) }
}

func two(f func(a, b *G.Node) (*G.Node, error)) func(...*G.Node) (*G.Node, error) {
	return func(x ...*G.Node) (*G.Node, error) { return f(x[0], x[1]) }
}

// numberLike is a constant with the type of x.
func numberLike(x *G.Node, v float64) *G.Node {
	if x.Dtype() == tensor.Float32 {
		return G.NewConstant(float32(v))
	}
	return G.NewConstant(v)
}

// integers is an integer input with a value.
func integers(g *G.ExprGraph, name string, shape []int, v ...int) *G.Node {
	return G.NewTensor(g, tensor.Int, len(shape), G.WithShape(shape...), G.WithName(name),
		G.WithValue(tensor.New(tensor.WithShape(shape...), tensor.WithBacking(v))))
}

// operationCases are uses of every Gorgonia function that its tape machine runs. All inputs are positive.
func operationCases() []operationCase {
	m, v, s := []int{3, 4}, []int{5}, []int{}
	var cs []operationCase
	add := func(name string, shapes [][]int, build func(...*G.Node) (*G.Node, error)) {
		cs = append(cs, operationCase{name, shapes, build})
	}
	elementwiseCases(add)
	productCases(add)
	layerCases(add)
	reduce := map[string]func(*G.Node, ...int) (*G.Node, error){"Sum": G.Sum, "Mean": G.Mean, "Max": G.Max}
	for _, name := range []string{"Sum", "Mean", "Max"} {
		along := func(axes ...int) func(...*G.Node) (*G.Node, error) {
			return one(func(x *G.Node) (*G.Node, error) { return reduce[name](x, axes...) })
		}
		add(name, shp(m), along())
		add(name+", axis 0", shp(m), along(0))
		add(name+", axis 1", shp(m), along(1))
		// for (2,2,3,2) Gorgonia's tensors sum the wrong elements
		add(name+", axes 2 and 3 of 4", shp([]int{2, 2, 2, 3}), along(2, 3))
		add(name+", axis 1 of 3", shp([]int{2, 3, 2}), along(1))
		add(name+", vector", shp(v), along())
	}
	add("Norm, 2", shp(m), one(func(x *G.Node) (*G.Node, error) { return G.Norm(x, 1, 2) }))
	add("KeepDims, sum", shp(m), one(func(x *G.Node) (*G.Node, error) {
		return G.KeepDims(x, false, func(a *G.Node) (*G.Node, error) { return G.Sum(a, 1) })
	}))
	add("ReduceAdd", shp(m, m, m), func(x ...*G.Node) (*G.Node, error) { return G.ReduceAdd(G.Nodes(x)) })
	slice := func(t ...tensor.Slice) func(...*G.Node) (*G.Node, error) {
		return one(func(x *G.Node) (*G.Node, error) { return G.Slice(x, t...) })
	}
	add("At", shp(m), one(func(x *G.Node) (*G.Node, error) { return G.At(x, 1, 2) }))
	add("Slice, row", shp(m), slice(G.S(1)))
	add("Slice, column", shp(m), slice(nil, G.S(2)))
	add("Slice, two axes", shp(m), slice(G.S(0, 2), G.S(1, 3)))
	add("Slice, steps", shp([]int{4, 3}), slice(G.S(0, 4, 2)))
	add("Slice, of 3 axes", shp([]int{2, 3, 4}), slice(nil, G.S(1, 3)))
	add("Slice, element", shp(v), slice(G.S(2)))
	add("Transpose", shp(m), one(func(x *G.Node) (*G.Node, error) { return G.Transpose(x) }))
	add("Transpose, 4 axes", shp([]int{2, 3, 2, 2}), one(func(x *G.Node) (*G.Node, error) {
		return G.Transpose(x, 0, 2, 3, 1)
	}))
	concat := func(axis int) func(...*G.Node) (*G.Node, error) {
		return two(func(a, b *G.Node) (*G.Node, error) { return G.Concat(axis, a, b) })
	}
	add("Concat, 0", shp(m, []int{2, 4}), concat(0))
	add("Concat, 1", shp(m, []int{3, 2}), concat(1))
	add("Concat, 1 of 4", shp([]int{2, 1, 2, 2}, []int{2, 2, 2, 2}), concat(1))
	add("Concat, vectors", shp(v, []int{3}), concat(0))
	add("Reshape", shp(m), one(func(x *G.Node) (*G.Node, error) { return G.Reshape(x, tensor.Shape{2, 6}) }))
	add("Ravel", shp(m), one(G.Ravel))
	add("ByIndices", shp(m), one(func(x *G.Node) (*G.Node, error) {
		return G.ByIndices(x, integers(x.Graph(), "i", []int{3}, 2, 0, 2), 0)
	}))
	add("Log, scalar", shp(s), one(G.Log))
	return cs
}

type addCase = func(name string, shapes [][]int, build func(...*G.Node) (*G.Node, error))

func elementwiseCases(add addCase) {
	m, s, image := []int{3, 4}, []int{}, []int{2, 1, 2, 3}
	for _, u := range []struct {
		name string
		f    func(*G.Node) (*G.Node, error)
	}{
		{"Abs", G.Abs}, {"Sign", G.Sign}, {"Ceil", G.Ceil}, {"Floor", G.Floor}, {"Sin", G.Sin}, {"Cos", G.Cos},
		{"Exp", G.Exp}, {"Log", G.Log}, {"Log2", G.Log2}, {"Neg", G.Neg}, {"Square", G.Square}, {"Sqrt", G.Sqrt},
		{"Inverse", G.Inverse}, {"InverseSqrt", G.InverseSqrt}, {"Cube", G.Cube}, {"Tanh", G.Tanh},
		{"Sigmoid", G.Sigmoid}, {"Log1p", G.Log1p}, {"Expm1", G.Expm1}, {"Softplus", G.Softplus},
		{"Rectify", G.Rectify}, {"Mish", G.Mish},
	} {
		add(u.name, shp(m), one(u.f))
	}
	add("LeakyRelu", shp(m), one(func(x *G.Node) (*G.Node, error) { return G.LeakyRelu(x, 0.1) }))
	add("Neg, scalar", shp(s), one(G.Neg))
	add("Neg, 4 axes", shp(image), one(G.Neg))
	add("Tanh, scalar", shp(s), one(G.Tanh))
	add("Tanh, 4 axes", shp(image), one(G.Tanh))
	for _, b := range []struct {
		name string
		f    func(a, b *G.Node) (*G.Node, error)
	}{{"Add", G.Add}, {"Sub", G.Sub}, {"HadamardProd", G.HadamardProd}, {"HadamardDiv", G.HadamardDiv}, {"Pow", G.Pow}} {
		add(b.name, shp(m, m), two(b.f))
		add(b.name+", scalar and matrix", shp(s, m), two(b.f))
		add(b.name+", matrix and scalar", shp(m, s), two(b.f))
		add(b.name+", scalars", shp(s, s), two(b.f))
	}
	for _, p := range []float64{3, 0.5, -2} {
		add(fmt.Sprintf("Pow, constant %g", p), shp(m), one(func(x *G.Node) (*G.Node, error) {
			return G.Pow(x, numberLike(x, p))
		}))
	}
	for _, c := range []struct {
		name string
		f    func(a, b *G.Node, same bool) (*G.Node, error)
	}{{"Lt", G.Lt}, {"Gt", G.Gt}, {"Lte", G.Lte}, {"Gte", G.Gte}, {"Eq", G.Eq}, {"Ne", G.Ne}} {
		add(c.name, shp(m, m), two(func(a, b *G.Node) (*G.Node, error) {
			mask, err := c.f(a, b, true)
			if err != nil {
				return nil, err
			}
			return G.HadamardProd(mask, a)
		}))
	}
	add("MinBetween", shp(m, m), two(G.MinBetween))
	add("MaxBetween", shp(m, m), two(G.MaxBetween))
	for _, b := range []struct {
		name string
		f    func(a, b *G.Node, l, r []byte) (*G.Node, error)
	}{{"BroadcastAdd", G.BroadcastAdd}, {"BroadcastSub", G.BroadcastSub},
		{"BroadcastHadamardProd", G.BroadcastHadamardProd},
		{"BroadcastHadamardDiv", G.BroadcastHadamardDiv}, {"BroadcastPow", G.BroadcastPow}} {
		add(b.name, shp(m, []int{1, 4}), two(func(x, y *G.Node) (*G.Node, error) { return b.f(x, y, nil, []byte{0}) }))
		add(b.name+", axis 1 of 3", shp([]int{2, 3, 4}, []int{2, 1, 4}), two(func(x, y *G.Node) (*G.Node, error) {
			return b.f(x, y, nil, []byte{1})
		}))
		add(b.name+", both sides", shp([]int{3, 1}, []int{1, 4}), two(func(x, y *G.Node) (*G.Node, error) {
			return b.f(x, y, []byte{1}, []byte{0})
		}))
	}
	add("BinaryXent", shp(m, m), two(func(a, b *G.Node) (*G.Node, error) {
		p, err := G.Sigmoid(a)
		if err != nil {
			return nil, err
		}
		return G.BinaryXent(p, b)
	}))
}

func productCases(add addCase) {
	add("Mul, matrices", shp([]int{3, 4}, []int{4, 2}), two(G.Mul))
	add("Mul, matrix and vector", shp([]int{3, 4}, []int{4}), two(G.Mul))
	add("Mul, vectors", shp([]int{4}, []int{4}), two(G.Mul))
	add("Mul, scalar and matrix", shp([]int{}, []int{3, 4}), two(G.Mul))
	add("OuterProd", shp([]int{4}, []int{3}), two(G.OuterProd))
	batched := func(t ...bool) func(...*G.Node) (*G.Node, error) {
		return two(func(a, b *G.Node) (*G.Node, error) { return G.BatchedMatMul(a, b, t...) })
	}
	add("BatchedMatMul", shp([]int{2, 3, 4}, []int{2, 4, 2}), batched())
	add("BatchedMatMul, second transposed", shp([]int{2, 3, 4}, []int{2, 2, 4}), batched(false, true))
	add("BatchedMatMul, first transposed", shp([]int{2, 4, 3}, []int{2, 4, 2}), batched(true))
	add("BatchedMatMul, 4 axes", shp([]int{2, 1, 3, 2}, []int{2, 1, 2, 2}), batched())
	dot := func(a, b []int) func(...*G.Node) (*G.Node, error) {
		return two(func(x, y *G.Node) (*G.Node, error) { return G.Tensordot(a, b, x, y) })
	}
	add("Tensordot", shp([]int{2, 3, 4}, []int{4, 2}), dot([]int{2}, []int{0}))
	add("Tensordot, two axes", shp([]int{2, 3, 4}, []int{3, 4, 2}), dot([]int{1, 2}, []int{0, 1}))
	add("Tensordot, vectors", shp([]int{4}, []int{4}), dot([]int{0}, []int{0}))
}

func layerCases(add addCase) {
	image := []int{2, 2, 4, 4}
	soft := func(f func(*G.Node, ...int) (*G.Node, error), axes ...int) func(...*G.Node) (*G.Node, error) {
		return one(func(x *G.Node) (*G.Node, error) { return f(x, axes...) })
	}
	add("SoftMax", shp([]int{3, 4}), soft(G.SoftMax, 1))
	add("SoftMax, axis 0", shp([]int{3, 4}), soft(G.SoftMax, 0))
	add("SoftMax, vector", shp([]int{5}), soft(G.SoftMax))
	add("SoftMax, column", shp([]int{5, 1}), soft(G.SoftMax))
	add("SoftMax, 3 axes", shp([]int{2, 3, 4}), soft(G.SoftMax))
	add("SoftMax, axis 3 of 4", shp(image), soft(G.SoftMax, 3))
	add("SoftMax, axis 1 of 4", shp(image), soft(G.SoftMax, 1))
	add("LogSoftMax", shp([]int{3, 4}), soft(G.LogSoftMax, 1))
	add("LogSoftMax, axis 2 of 3", shp([]int{2, 3, 4}), soft(G.LogSoftMax, 2))
	add("Sparsemax", shp([]int{3, 4}), soft(G.Sparsemax))
	add("Dropout, p = 0", shp([]int{3, 4}), one(func(x *G.Node) (*G.Node, error) { return G.Dropout(x, 0) }))
	add("Im2Col", shp(image), one(func(x *G.Node) (*G.Node, error) {
		return G.Im2Col(x, tensor.Shape{2, 2}, tensor.Shape{0, 0}, tensor.Shape{1, 1}, tensor.Shape{1, 1})
	}))
	conv := func(kernel tensor.Shape, pad, stride, dilation int) func(...*G.Node) (*G.Node, error) {
		return two(func(x, w *G.Node) (*G.Node, error) {
			return G.Conv2d(x, w, kernel, []int{pad, pad}, []int{stride, stride}, []int{dilation, dilation})
		})
	}
	add("Conv2d, padded", shp(image, []int{3, 2, 3, 3}), conv(tensor.Shape{3, 3}, 1, 1, 1))
	add("Conv2d, stride 2", shp(image, []int{3, 2, 2, 2}), conv(tensor.Shape{2, 2}, 0, 2, 1))
	add("Conv2d, dilation 2", shp(image, []int{3, 2, 2, 2}), conv(tensor.Shape{2, 2}, 0, 1, 2))
	add("Conv1d", shp([]int{2, 2, 1, 5}, []int{3, 2, 1, 3}), two(func(x, w *G.Node) (*G.Node, error) {
		return G.Conv1d(x, w, 3, 1, 1, 1)
	}))
	pool := func(f func(*G.Node, tensor.Shape, []int, []int) (*G.Node, error), k, pad,
		stride int) func(...*G.Node) (*G.Node, error) {
		return one(func(x *G.Node) (*G.Node, error) {
			return f(x, tensor.Shape{k, k}, []int{pad, pad}, []int{stride, stride})
		})
	}
	add("MaxPool2D", shp(image), pool(G.MaxPool2D, 2, 0, 2))
	add("MaxPool2D, overlapping", shp(image), pool(G.MaxPool2D, 2, 0, 1))
	add("MaxPool2D, padded", shp(image), pool(G.MaxPool2D, 3, 1, 2))
	add("MaxPool1D", shp(image), one(func(x *G.Node) (*G.Node, error) { return G.MaxPool1D(x, 2, 0, 2) }))
	add("AveragePool2D", shp(image), pool(G.AveragePool2D, 2, 0, 2))
	add("GlobalAveragePool2D", shp(image), one(G.GlobalAveragePool2D))
	add("Upsample2D", shp(image), one(func(x *G.Node) (*G.Node, error) { return G.Upsample2D(x, 2) }))
	norm := func(x ...*G.Node) (*G.Node, error) {
		y, _, _, _, err := G.BatchNorm(x[0], x[1], x[2], 0.9, 1e-3)
		return y, err
	}
	add("BatchNorm, images", shp(image, image, image), norm)
	add("BatchNorm", shp([]int{4, 3}, []int{4, 3}, []int{4, 3}), norm)
	add("GroupNorm", shp([]int{2, 4, 2, 2}, []int{2, 4, 2, 2}, []int{2, 4, 2, 2}), func(x ...*G.Node) (*G.Node, error) {
		return G.GroupNorm(x[0], x[1], x[2], 2, 4, 1e-3)
	})
	add("CTCLoss", shp([]int{4, 2, 3}), one(func(x *G.Node) (*G.Node, error) {
		g := x.Graph()
		lp, err := G.LogSoftMax(x, 2)
		if err != nil {
			return nil, err
		}
		return G.CTCLoss(lp, integers(g, "t", []int{2, 2}, 1, 2, 2, 1), integers(g, "n", []int{2}, 4, 4),
			integers(g, "l", []int{2}, 2, 1), G.ReductionSum)
	}))
	add("YOLOv3", shp([]int{1, 14, 2, 2}), one(func(x *G.Node) (*G.Node, error) {
		return G.YOLOv3(x, []float32{10, 13, 16, 30}, []int{0, 1}, 32, 2, 0.5)
	}))
	add("YOLOv3, training", shp([]int{1, 14, 3, 3}), one(func(x *G.Node) (*G.Node, error) {
		v := tensor.New(tensor.WithShape(1, 1, 3, 3), tensor.WithBacking([]float32{5, 1, 0.5, 0.8, 0.3, 0.4, 0, 0, 0}))
		targets := G.NewTensor(x.Graph(), tensor.Float32, 4, G.WithShape(1, 1, 3, 3), G.WithName("targets"), G.WithValue(v))
		return G.YOLOv3(x, []float32{10, 13, 16, 30}, []int{0, 1}, 32, 2, 0.5, targets)
	}))
}

// float32Only are the operations that Gorgonia has for float32 only.
func float32Only(name string) bool { return strings.HasPrefix(name, "YOLO") }

// operationGraph builds a case with values in (0.2, 1.2).
func operationGraph(c operationCase, dt tensor.Dtype) (in G.Nodes, y *G.Node, err error) {
	g := G.NewGraph()
	rng := rand.New(rand.NewPCG(11, 12))
	for i, s := range c.shapes {
		n := NewInput(g, dt, fmt.Sprint("x", i), s...)
		v := newValue(dt, s)
		x := make([]float64, max(tensor.Shape(s).TotalSize(), 1))
		for j := range x {
			x[j] = float64(float32(0.2 + rng.Float64()))
		}
		if err := errors.Join(writeValue(v, x), G.Let(n, v)); err != nil {
			return nil, nil, err
		}
		in = append(in, n)
	}
	y, err = c.build(in...)
	if y != nil {
		for _, n := range g.AllNodes() {
			if n.Op() == nil && !slices.Contains(in, n) { // whole numbers
				in = append(in, n)
			}
		}
	}
	return in, y, err
}

// On a Machine, at the first and at later runs, and compiled, every operation gives what it gives on the tape
// machine: the type, the shape and the numbers of the value.
func TestOperationsAsOnTape(t *testing.T) {
	for _, c := range operationCases() {
		for _, dt := range []tensor.Dtype{tensor.Float64, tensor.Float32} {
			if dt == tensor.Float64 && float32Only(c.name) {
				continue
			}
			t.Run(fmt.Sprint(c.name, "/", dt), func(t *testing.T) {
				tol := 1e-12
				if dt == tensor.Float32 {
					tol = 3e-6
				}
				_, theirs, err := operationGraph(c, dt)
				if err != nil {
					t.Fatal(err)
				}
				tape := G.NewTapeMachine(theirs.Graph())
				defer tape.Close()
				if err := tape.RunAll(); err != nil {
					t.Fatal(err)
				}
				in, y, err := operationGraph(c, dt)
				if err != nil {
					t.Fatal(err)
				}
				if c.name == "At" { // which has no result on the tape, and whose reference is Do
					v, err := y.Op().Do(in[0].Value())
					if err != nil {
						t.Fatal(err)
					}
					gorgonia.Bind(theirs, v)
				}
				want, err := readValue(theirs.Value())
				if err != nil {
					t.Fatal(err)
				}
				m, err := NewMachine(y.Graph())
				if err != nil {
					t.Fatal(err)
				}
				for run := range 2 {
					if err := m.RunAll(); err != nil {
						t.Fatalf("run %d: %v", run, err)
					}
					got := y.Value()
					if a, b := fmt.Sprintf("%T %v %v", got, got.Dtype(), got.Shape()),
						fmt.Sprintf("%T %v %v", theirs.Value(), theirs.Value().Dtype(), theirs.Value().Shape()); a != b {
						t.Errorf("run %d: got a %s, want a %s", run, a, b)
					}
					compareNumbers(t, fmt.Sprint("run ", run), got, want, tol)
				}
				f, err := Compile(in, G.Nodes{y})
				if err != nil {
					t.Fatal(err)
				}
				var args [][]float64
				for _, n := range in {
					x, err := readValue(n.Value())
					if err != nil {
						t.Fatal(err)
					}
					args = append(args, x)
				}
				got := make([]float64, len(want))
				if err := f.Call([][]float64{got}, args...); err != nil {
					t.Fatal(err)
				}
				v := tensor.New(tensor.WithShape(len(got)), tensor.WithBacking(got))
				compareNumbers(t, "compiled", v, want, tol)
			})
		}
	}
}

func compareNumbers(t *testing.T, what string, v G.Value, want []float64, tol float64) {
	t.Helper()
	got, err := readValue(v)
	if err != nil || len(got) != len(want) {
		t.Fatalf("%s: %d numbers, want %d (%v)", what, len(got), len(want), err)
	}
	for i := range want {
		if math.Abs(got[i]-want[i]) > tol*math.Max(1, math.Abs(want[i])) {
			t.Fatalf("%s: element %d: got %v, want %v", what, i, got[i], want[i])
		}
	}
}

// ordersOf is the order, up to three, to which a case can be differentiated.
func ordersOf(t *testing.T, c operationCase) int {
	t.Helper()
	dt := tensor.Float64
	if float32Only(c.name) {
		dt = tensor.Float32
	}
	in, y, err := operationGraph(c, dt)
	if err != nil {
		t.Fatal(err)
	}
	in = slices.DeleteFunc(in, func(n *G.Node) bool { return !isFloat(n.Dtype()) })
	loss := Sum(Mul(y, Square(y)))
	for order := range 3 {
		gs, err := Grad(loss, in...)
		if err != nil {
			if !errors.Is(err, ErrNoRule) {
				t.Errorf("%s: order %d: %v", c.name, order+1, err)
			}
			return order
		}
		loss = nil
		for _, g := range gs {
			loss = plus(loss, Sum(Square(g)))
		}
	}
	return 3
}

// foreignKinds are the kinds in a case that run by Gorgonia's own code.
func foreignKinds(t *testing.T, c operationCase) []string {
	t.Helper()
	dt := tensor.Float64
	if float32Only(c.name) {
		dt = tensor.Float32
	}
	in, y, err := operationGraph(c, dt)
	if err != nil {
		t.Fatal(err)
	}
	_, l, err := lowerGraph(in, G.Nodes{y}, &options{})
	if err != nil {
		t.Fatal(err)
	}
	var kinds []string
	for n := range l.foreign {
		kinds = append(kinds, gorgonia.KindOf(n.Op()).String())
	}
	slices.Sort(kinds)
	return slices.Compact(kinds)
}

// The table of operations in README.md and doc.go is correct.
func TestTableOfOperations(t *testing.T) {
	type row struct{ orders, by string }
	rows := map[row][]string{}
	orders := map[string]int{}
	var order []row
	foreign := 0
	cases := operationCases()
	for _, c := range cases {
		r := row{"every order", "this package"}
		n := ordersOf(t, c)
		orders[c.name] = n
		switch n {
		case 3:
		case 1:
			r.orders = "first order"
		default:
			r.orders = fmt.Sprint(n)
		}
		if k := foreignKinds(t, c); len(k) > 0 {
			foreign++
			r.by = "Gorgonia's code"
		}
		if rows[r] == nil {
			order = append(order, r)
		}
		rows[r] = append(rows[r], c.name)
	}
	if n := orders["CTCLoss"]; n != 1 {
		t.Errorf("CTCLoss is differentiated %d times", n)
	}
	for name, n := range orders {
		if n != 3 && name != "CTCLoss" {
			t.Errorf("%s is differentiated %d times, want 3", name, n)
		}
	}
	t.Logf("%d of %d uses run Gorgonia's code in part", foreign, len(cases))

	var md, doc strings.Builder
	fmt.Fprintf(&md, "| derivatives | run by | %d uses of Gorgonia's functions |\n|---|---|---|\n", len(cases))
	for _, r := range order {
		fmt.Fprintf(&md, "| %s | %s | %s |\n", r.orders, r.by, strings.Join(join(rows[r]), "; "))
		fmt.Fprintf(&doc, "// Derivatives of %s, run by %s:\n//\n", r.orders, r.by)
		line := "//\t"
		for i, name := range join(rows[r]) {
			if i > 0 {
				line += ";"
			}
			if len(line)+len(name) > 112 {
				doc.WriteString(line + "\n")
				line = "//\t" + name
				continue
			}
			if i > 0 {
				line += " "
			}
			line += name
		}
		doc.WriteString(line + "\n//\n")
	}
	marked(t, "../graphs/doc.go", "// # Table of operations\n//\n", "// # Compiled functions", doc.String())
	marked(t, "../README.md", "<!-- operations: written by go test ./graphs -run TableOfOperations -update -->\n",
		"<!-- end of operations -->", md.String())
}

// join writes the uses of one function one after the other.
func join(names []string) []string {
	var out []string
	uses := map[string][]string{}
	for _, n := range names {
		f, use, _ := strings.Cut(n, ", ")
		if uses[f] == nil {
			out = append(out, f)
			uses[f] = []string{}
		}
		if use == "" {
			use = "plain"
		}
		uses[f] = append(uses[f], use)
	}
	for i, f := range out {
		if u := uses[f]; len(u) > 1 || u[0] != "plain" {
			out[i] = fmt.Sprintf("%s (%s)", f, strings.Join(u, ", "))
		}
	}
	return out
}

// marked compares the text between two marks in a file.
func marked(t *testing.T, file, begin, end, want string) {
	t.Helper()
	b, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	m := regexp.MustCompile("(?s)" + regexp.QuoteMeta(begin) + "(.*?)" + regexp.QuoteMeta(end)).FindSubmatchIndex(b)
	switch {
	case m == nil:
		t.Errorf("%s has no marks for the table of operations", file)
	case string(b[m[2]:m[3]]) == want:
	case !*update:
		t.Errorf("%s: the table of operations is out of date: go test ./graphs -run TableOfOperations -update", file)
	default:
		text := string(b[:m[2]]) + want + string(b[m[3]:])
		if err := os.WriteFile(file, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
}
