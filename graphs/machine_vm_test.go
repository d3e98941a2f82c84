package graphs_test

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"log"
	"math"
	"slices"
	"strconv"
	"strings"
	"testing"

	G "gorgonia.org/gorgonia"
	"gorgonia.org/tensor"

	"github.com/stheno-ebm/stheno/graphs"
	"github.com/stheno-ebm/stheno/graphs/graphtest"
)

func vec(g *G.ExprGraph, name string, v ...float64) *G.Node {
	return G.NewVector(g, G.Float64, G.WithShape(len(v)), G.WithName(name),
		G.WithValue(tensor.New(tensor.WithShape(len(v)), tensor.WithBacking(v))))
}

func machine(t *testing.T, g *G.ExprGraph, opts ...graphs.MachineOption) *graphs.Machine {
	t.Helper()
	m, err := graphs.NewMachine(g, opts...)
	if err != nil {
		t.Fatal(err)
	}
	return m
}

func run(t *testing.T, m G.VM) {
	t.Helper()
	if err := m.RunAll(); err != nil {
		t.Fatal(err)
	}
}

// classifier is a network of two layers with a loss that gorgonia.Grad has differentiated.
type classifier struct{ product, hidden, logits, logs, loss, w *G.Node }

func newClassifier(t *testing.T) classifier {
	g := G.NewGraph()
	x := G.NewMatrix(g, G.Float64, G.WithShape(5, 3), G.WithName("x"), G.WithInit(G.RangedFromWithStep(-0.7, 0.1)))
	w := G.NewMatrix(g, G.Float64, G.WithShape(3, 4), G.WithName("w"), G.WithInit(G.RangedFromWithStep(0.5, -0.1)))
	v := G.NewMatrix(g, G.Float64, G.WithShape(4, 2), G.WithName("v"), G.WithInit(G.RangedFromWithStep(-0.5, 0.2)))
	c := classifier{product: must(t)(G.Mul(x, w)), w: w}
	c.hidden = must(t)(G.Tanh(c.product))
	c.logits = must(t)(G.Mul(c.hidden, v))
	c.logs = must(t)(G.LogSoftMax(c.logits))
	c.loss = must(t)(G.Neg(must(t)(G.Mean(c.logs))))
	if _, err := G.Grad(c.loss, w, v); err != nil {
		t.Fatal(err)
	}
	return c
}

// A machine keeps the values that a program may be expected to look at, and their gradients; others if it is told to.
func TestMachineKeeps(t *testing.T) {
	full := newClassifier(t)
	run(t, machine(t, full.loss.Graph(), graphs.AllValues()))
	all := G.Nodes{full.product, full.hidden, full.logits, full.logs, full.loss, full.w}
	check := func(what string, c classifier, kept ...int) {
		t.Helper()
		for i, n := range (G.Nodes{c.product, c.hidden, c.logits, c.logs, c.loss, c.w}) {
			d, err := n.Grad()
			if err != nil {
				t.Fatal(err)
			}
			if !slices.Contains(kept, i) {
				if n.Value() != nil || d != nil {
					t.Errorf("%s: %v has a value or a gradient", what, n)
				}
				continue
			}
			graphtest.Close(t, fmt.Sprintf("%s: %v", what, n), numbers(n.Value()), numbers(all[i].Value()), 1e-15)
			want, _ := all[i].Grad()
			graphtest.Close(t, fmt.Sprintf("%s: gradient of %v", what, n), numbers(d), numbers(want), 1e-15)
		}
	}
	c := newClassifier(t)
	run(t, machine(t, c.loss.Graph()))
	check("by default", c, 2, 3, 4, 5)
	c = newClassifier(t)
	run(t, machine(t, c.loss.Graph(), graphs.Values(c.hidden)))
	check("with Values", c, 1, 2, 3, 4, 5)
	c = newClassifier(t)
	G.WithName("h")(c.product)
	run(t, machine(t, c.loss.Graph()))
	check("with a name", c, 0, 2, 3, 4, 5)
	for i, o := range []graphs.MachineOption{graphs.Trace(), graphs.WatchNaN(), graphs.WatchInf(),
		graphs.LogValues(log.New(io.Discard, "", 0))} {
		c = newClassifier(t)
		run(t, machine(t, c.loss.Graph(), o))
		check(fmt.Sprint("option ", i), c, 0, 1, 2, 3, 4, 5)
	}
}

// With derivatives by this package a machine keeps losses, even those whose derivatives are made of them, and the
// derivatives that were returned, but nothing of what these are made of.
func TestMachineKeepsDerivatives(t *testing.T) {
	g := G.NewGraph()
	x := G.NewMatrix(g, G.Float64, G.WithShape(5, 3), G.WithName("x"), G.WithInit(G.RangedFromWithStep(-0.7, 0.1)))
	w := G.NewMatrix(g, G.Float64, G.WithShape(3, 1), G.WithName("w"), G.WithInit(G.RangedFromWithStep(0.5, -0.1)))
	hidden := must(t)(G.Rectify(must(t)(G.Mul(x, w))))
	product := must(t)(G.Mul(must(t)(G.Transpose(hidden)), hidden))
	loss := must(t)(G.Exp(product))
	want := G.Nodes{product, loss}
	gs, err := graphs.Grad(loss, w)
	if err != nil {
		t.Fatal(err)
	}
	h, err := graphs.HVP(loss, w, gs[0])
	if err != nil {
		t.Fatal(err)
	}
	want = append(want, gs[0], h)
	run(t, machine(t, g))
	for _, n := range g.AllNodes() {
		if n.Op() == nil || strings.HasPrefix(n.Op().String(), "const") {
			continue
		}
		if kept := n.Value() != nil; kept != slices.Contains(want, n) {
			t.Errorf("%v has a value: %v", n, kept)
		}
	}
	y := numbers(loss.Value())[0]
	step := 1e-6
	for i, d := range numbers(gs[0].Value()) {
		v := w.Value().Data().([]float64)
		v[i] += step
		run(t, machine(t, g))
		if got := (numbers(loss.Value())[0] - y) / step; math.Abs(got-d) > 1e-4*(1+math.Abs(d)) {
			t.Errorf("the derivative is %g, differences give %g", d, got)
		}
		v[i] -= step
	}
}

// Why a machine need not keep them all: the tape machine does not. It leaves a gradient in the hidden layer.
func TestTapeOverwrites(t *testing.T) {
	c, full := newClassifier(t), newClassifier(t)
	run(t, G.NewTapeMachine(c.loss.Graph()))
	run(t, machine(t, full.loss.Graph(), graphs.AllValues()))
	graphtest.Close(t, "the hidden layer", numbers(c.hidden.Value()), numbers(full.product.Deriv().Value()), 1e-15)
}

// A slice may be replaced between runs; its value and the gradient made by gorgonia.Grad follow.
func TestMachineUnsafeLetSlice(t *testing.T) {
	g := G.NewGraph()
	x := vec(g, "x", 1, 2, 3, 4, 5)
	part := must(t)(G.Slice(x, G.S(0, 2)))
	cost := must(t)(G.Sum(must(t)(G.Square(part))))
	gs, err := G.Grad(cost, x)
	if err != nil {
		t.Fatal(err)
	}
	m := machine(t, g)
	run(t, m)
	if got := numbers(part.Value()); !slices.Equal(got, []float64{1, 2}) {
		t.Errorf("got %v, want 1 and 2", got)
	}
	for _, n := range (G.Nodes{part, gs[0]}) {
		if err := G.UnsafeLet(n, G.S(3, 5)); err != nil {
			t.Fatal(err)
		}
	}
	for range 2 {
		run(t, m)
		if got := numbers(part.Value()); !slices.Equal(got, []float64{4, 5}) {
			t.Errorf("after UnsafeLet: got %v, want 4 and 5", got)
		}
		if got := numbers(cost.Value())[0]; got != 41 {
			t.Errorf("after UnsafeLet: cost %v, want 41", got)
		}
		if got := numbers(gs[0].Value()); !slices.Equal(got, []float64{0, 0, 0, 8, 10}) {
			t.Errorf("after UnsafeLet: gradient %v, want 0 0 0 8 10", got)
		}
	}
	if err := G.UnsafeLet(part, G.S(1, 5)); err != nil {
		t.Fatal(err)
	}
	if err := m.RunAll(); err == nil {
		t.Error("no error for a slice of another length")
	}
}

// Set gives an input the value that a node has at the end of a run.
func TestMachineSet(t *testing.T) {
	g := G.NewGraph()
	x := vec(g, "x", 1, 2)
	next := must(t)(G.Add(x, x))
	G.Set(x, next)
	m := machine(t, g)
	for i := range 3 {
		run(t, m)
		if got, want := numbers(x.Value()), math.Ldexp(1, i+1); got[0] != want || got[1] != 2*want {
			t.Errorf("run %d: got %v, want %g and %g", i, got, want, 2*want)
		}
	}
	if got := numbers(next.Value()); got[0] != 8 {
		t.Errorf("the node has %v, want 8", got)
	}
	h := G.NewGraph()
	a := vec(h, "a", 1)
	G.Set(must(t)(G.Neg(a)), a)
	if _, err := graphs.NewMachine(h); err == nil {
		t.Error("no error for setting what is no input")
	}
}

func TestMachineWatches(t *testing.T) {
	g := G.NewGraph()
	x := vec(g, "x", 1, 0)
	y := must(t)(G.Log(x))
	z := must(t)(G.Sqrt(must(t)(G.Sub(y, x))))
	run(t, machine(t, g))
	var bad *graphs.NonFiniteError
	err := machine(t, g, graphs.WatchNaN()).RunAll()
	if !errors.As(err, &bad) || bad.Node != z || !math.IsNaN(bad.Value) {
		t.Errorf("WatchNaN: got %v, want NaN in %v", err, z)
	}
	err = machine(t, g, graphs.WatchInf()).RunAll()
	if !errors.As(err, &bad) || bad.Node != y || !math.IsInf(bad.Value, -1) {
		t.Errorf("WatchInf: got %v, want -Inf in %v", err, y)
	}
}

func TestMachineTraceAndLog(t *testing.T) {
	g := G.NewGraph()
	x := vec(g, "x", 1, 2)
	y := must(t)(G.Square(x))
	z := must(t)(G.Neg(y))
	var text bytes.Buffer
	m := machine(t, g, graphs.Trace(), graphs.LogValues(log.New(&text, "", 0), z))
	run(t, m)
	first := y.Value()
	if err := G.Let(x, tensor.New(tensor.WithBacking([]float64{3, 4}))); err != nil {
		t.Fatal(err)
	}
	run(t, m)
	if got := numbers(first); !slices.Equal(got, []float64{1, 4}) {
		t.Errorf("the traced value became %v", got)
	}
	if got := numbers(y.Value()); !slices.Equal(got, []float64{9, 16}) {
		t.Errorf("got %v, want 9 and 16", got)
	}
	if s := text.String(); strings.Count(s, "\n") != 2 || !strings.Contains(s, "-16") ||
		strings.Contains(s, "square") && !strings.Contains(s, "neg") {
		t.Errorf("logged %q", s)
	}
}

// With DualValues a solver that clears a gradient leaves the value of the gradient's node.
func TestMachineDualValues(t *testing.T) {
	g := G.NewGraph()
	x := vec(g, "x", 1, 2)
	cost := must(t)(G.Sum(must(t)(G.Square(x))))
	gs, err := graphs.StoreGrads(cost, x)
	if err != nil {
		t.Fatal(err)
	}
	m := machine(t, g, graphs.DualValues())
	for range 2 {
		run(t, m)
		d, err := x.Grad()
		if err != nil {
			t.Fatal(err)
		}
		if got := numbers(d); !slices.Equal(got, []float64{2, 4}) {
			t.Errorf("gradient %v, want 2 and 4", got)
		}
		clear(d.Data().([]float64))
		if got := numbers(gs[0].Value()); !slices.Equal(got, []float64{2, 4}) {
			t.Errorf("the gradient's node has %v, want 2 and 4", got)
		}
	}
}

// StoreGrads gives every node between the inputs and the cost its gradient, as gorgonia.Grad does, and does so again
// at the next run.
func TestStoreGrads(t *testing.T) {
	build := func(grad func(*G.Node, ...*G.Node) (G.Nodes, error)) (nodes G.Nodes) {
		g := G.NewGraph()
		x, w := vec(g, "x", 1, 2), vec(g, "w", 3, -1)
		y := must(t)(G.HadamardProd(x, w))
		z := must(t)(G.Square(y))
		cost := must(t)(G.Sum(z))
		if _, err := grad(cost, x, w); err != nil {
			t.Fatal(err)
		}
		return G.Nodes{x, w, y, z, cost}
	}
	theirs, ours := build(G.Grad), build(graphs.StoreGrads)
	run(t, G.NewTapeMachine(theirs[0].Graph()))
	run(t, machine(t, ours[0].Graph()))
	for i, n := range ours {
		want, err := theirs[i].Grad()
		if err != nil {
			t.Fatal(err)
		}
		got, err := n.Grad()
		if err != nil {
			t.Fatalf("%v: %v", n, err)
		}
		if err := same(numbers(got), numbers(want), 1e-12); err != nil {
			t.Errorf("%v: %v", n, err)
		}
	}
	second, err := graphs.StoreGrads(graphs.Sum(graphs.Square(ours[0].Deriv())), ours[0])
	if err != nil || ours[0].Deriv() != second[0] {
		t.Errorf("the second call: %v, gradient %v", err, ours[0].Deriv())
	}
}

// What panics elsewhere is an error here: products with wrong shapes built by gorgonia.Grad, operations that panic.
func TestMachineErrors(t *testing.T) {
	g := G.NewGraph()
	y := must(t)(G.OuterProd(vec(g, "u", 1, 2, 3, 4), vec(g, "v", 1, 2, 3)))
	if _, err := G.Grad(must(t)(G.Sum(y)), g.AllNodes()[0]); err != nil {
		t.Skip(err)
	}
	m, err := graphs.NewMachine(g, graphs.AllValues())
	if err == nil {
		err = m.RunAll()
	}
	if err == nil {
		t.Error("no error for a product of operands that do not fit")
	}
}

// Values other than float64 keep their types: booleans, integers, and both float types in one graph.
func TestMachineTypes(t *testing.T) {
	g := G.NewGraph()
	x := vec(g, "x", 1, 3)
	above := must(t)(G.Gt(x, vec(g, "y", 2, 2), false))
	z := G.NewVector(g, G.Float32, G.WithShape(2), G.WithName("z"),
		G.WithValue(tensor.New(tensor.WithBacking([]float32{1, 2}))))
	zz := must(t)(G.Square(z))
	const great = 1 << (strconv.IntSize - 24)
	i := G.NewVector(g, G.Int, G.WithShape(2), G.WithName("i"),
		G.WithValue(tensor.New(tensor.WithBacking([]int{4, great}))))
	ii := must(t)(G.Add(i, i))
	run(t, machine(t, g))
	if got, ok := above.Value().Data().([]bool); !ok || got[0] || !got[1] {
		t.Errorf("comparison: got %v", above.Value().Data())
	}
	if got, ok := zz.Value().Data().([]float32); !ok || got[1] != 4 {
		t.Errorf("float32: got %v", zz.Value().Data())
	}
	if got, ok := ii.Value().Data().([]int); !ok || got[1] != 2*great {
		t.Errorf("whole numbers: got %v", ii.Value().Data())
	}
	h := G.NewGraph()
	x32 := G.NewVector(h, G.Float32, G.WithShape(2), G.WithName("x"),
		G.WithValue(tensor.New(tensor.WithBacking([]float32{1, 2}))))
	must(t)(G.Neg(x32))
	G.NewVector(h, G.Int, G.WithShape(1), G.WithName("i"),
		G.WithValue(tensor.New(tensor.WithShape(1), tensor.WithBacking([]int{1<<24 + 1}))))
	if err := machine(t, h).RunAll(); err == nil || !strings.Contains(err.Error(), "too large") {
		t.Errorf("a whole number that float32 does not hold: got %v", err)
	}
}

// Profile shows how much time an operation takes that runs by Gorgonia's code.
func TestProfileOfForeignCode(t *testing.T) {
	g := G.NewGraph()
	x := graphs.NewInput(g, tensor.Float32, "x", 4, 4, 32, 32)
	y := must(t)(G.MaxPool2D(x, tensor.Shape{2, 2}, []int{0, 0}, []int{2, 2}))
	f, err := graphs.Compile(G.Nodes{x}, G.Nodes{y})
	if err != nil {
		t.Fatal(err)
	}
	if err := f.Call([][]float64{nil}, make([]float64, x.Shape().TotalSize())); err != nil {
		t.Fatal(err)
	}
	p, err := f.Profile(2)
	if err != nil {
		t.Fatal(err)
	}
	for _, line := range strings.Split(p, "\n") {
		if strings.Contains(line, "MaxPool") && (strings.Contains(line, " 0s") ||
			!strings.Contains(line, "µs") && !strings.Contains(line, "ms")) {
			t.Errorf("no time for the pool: %q", line)
		}
	}
}

// Nodes that only change a shape share the value of their operand; a gradient shares its value with nobody, because a
// solver clears it.
func TestSharedValues(t *testing.T) {
	g := G.NewGraph()
	v := tensor.New(tensor.WithShape(2, 3), tensor.WithBacking([]float64{1, 2, 3, 4, 5, 6}))
	w := G.NewMatrix(g, G.Float64, G.WithShape(2, 3), G.WithName("w"), G.WithValue(v))
	y := G.Must(G.Tanh(w))
	flat := G.Must(G.Reshape(y, tensor.Shape{6}))
	gs, err := G.Grad(G.Must(G.Sum(G.Must(G.Square(w)))), w)
	if err != nil {
		t.Fatal(err)
	}
	flatGradient := G.Must(G.Reshape(gs[0], tensor.Shape{6}))
	vm, err := graphs.NewMachine(g)
	if err != nil {
		t.Fatal(err)
	}
	data := func(n *G.Node) []float64 { return n.Value().Data().([]float64) }
	for range 2 {
		if err := vm.RunAll(); err != nil {
			t.Fatal(err)
		}
		if &data(y)[0] != &data(flat)[0] {
			t.Error("a reshaped value is a copy")
		}
		want := 2 * data(w)[4]
		if err := G.NewVanillaSolver().Step(G.NodesToValueGrads(G.Nodes{w})); err != nil {
			t.Fatal(err)
		}
		if got := data(flatGradient)[4]; got != want {
			t.Errorf("a reshaped gradient after the solver's step: got %v, want %v", got, want)
		}
		vm.Reset()
	}
}
