package graphs_test

import (
	"errors"
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"gonum.org/v1/gonum/blas"
	G "gorgonia.org/gorgonia"
	"gorgonia.org/tensor"

	"github.com/stheno-ebm/stheno/graphs"
	"github.com/stheno-ebm/stheno/graphs/graphtest"
)

// The programs below follow the topics of Gorgonia's examples. Each is built twice from the same numbers, and run on
// Gorgonia's tape machine and on ours.

func dense(rng *rand.Rand, dt tensor.Dtype, scale float64, shape ...int) *tensor.Dense {
	n := tensor.Shape(shape).TotalSize()
	if dt == tensor.Float32 {
		b := make([]float32, n)
		for i := range b {
			b[i] = float32(scale * rng.NormFloat64())
		}
		return tensor.New(tensor.WithShape(shape...), tensor.WithBacking(b))
	}
	b := make([]float64, n)
	for i := range b {
		b[i] = scale * rng.NormFloat64()
	}
	return tensor.New(tensor.WithShape(shape...), tensor.WithBacking(b))
}

func numbers(v G.Value) []float64 {
	switch d := v.Data().(type) {
	case float64:
		return []float64{d}
	case float32:
		return []float64{float64(d)}
	case []float64:
		return append([]float64(nil), d...)
	case []float32:
		r := make([]float64, len(d))
		for i, x := range d {
			r[i] = float64(x)
		}
		return r
	case []bool:
		r := make([]float64, len(d))
		for i, x := range d {
			if x {
				r[i] = 1
			}
		}
		return r
	}
	panic(fmt.Sprintf("value of type %T", v.Data()))
}

// A program is a graph, with what happens between runs.
type vmProgram struct {
	g      *G.ExprGraph
	before func(step int) // sets inputs
	after  func() error   // steps the solver
	read   []*G.Value     // what is compared
}

func constant(dt tensor.Dtype, x float64) *G.Node {
	if dt == tensor.Float32 {
		return G.NewConstant(float32(x))
	}
	return G.NewConstant(x)
}

func linearRegression(dt tensor.Dtype) vmProgram {
	rng := rand.New(rand.NewPCG(1, 1))
	g := G.NewGraph()
	n := 40
	x := G.NewVector(g, dt, G.WithShape(n), G.WithName("x"), G.WithValue(dense(rng, dt, 1, n)))
	y := G.NewVector(g, dt, G.WithShape(n), G.WithName("y"), G.WithValue(dense(rng, dt, 1, n)))
	scalar := func(name string, v float64) *G.Node {
		if dt == tensor.Float32 {
			return G.NewScalar(g, dt, G.WithName(name), G.WithValue(float32(v)))
		}
		return G.NewScalar(g, dt, G.WithName(name), G.WithValue(v))
	}
	m, c := scalar("m", 0.3), scalar("c", -0.2)
	pred := G.Must(G.Add(G.Must(G.Mul(x, m)), c))
	cost := G.Must(G.Mean(G.Must(G.Square(G.Must(G.Sub(pred, y))))))
	if _, err := G.Grad(cost, m, c); err != nil {
		panic(err)
	}
	p := vmProgram{g: g, read: make([]*G.Value, 2)}
	for i, n := range (G.Nodes{cost, pred}) {
		p.read[i] = new(G.Value)
		G.Read(n, p.read[i])
	}
	model := []G.ValueGrad{m, c}
	solver := G.NewVanillaSolver(G.WithLearnRate(0.05))
	p.after = func() error { return solver.Step(model) }
	return p
}

// digits classifies synthetic images with a two-layer softmax network.
func digits(dt tensor.Dtype) vmProgram {
	rng := rand.New(rand.NewPCG(2, 1))
	g := G.NewGraph()
	batch, in, hidden, classes := 32, 64, 24, 10
	x := G.NewMatrix(g, dt, G.WithShape(batch, in), G.WithName("x"))
	y := G.NewMatrix(g, dt, G.WithShape(batch, classes), G.WithName("y"))
	w0 := G.NewMatrix(g, dt, G.WithShape(in, hidden), G.WithName("w0"), G.WithValue(dense(rng, dt, 0.2, in, hidden)))
	b0 := G.NewMatrix(g, dt, G.WithShape(1, hidden), G.WithName("b0"), G.WithValue(dense(rng, dt, 0.1, 1, hidden)))
	w1 := G.NewMatrix(g, dt, G.WithShape(hidden, classes), G.WithName("w1"),
		G.WithValue(dense(rng, dt, 0.3, hidden, classes)))
	h := G.Must(G.Rectify(G.Must(G.BroadcastAdd(G.Must(G.Mul(x, w0)), b0, nil, []byte{0}))))
	out := G.Must(G.SoftMax(G.Must(G.Mul(h, w1)), 1))
	cost := G.Must(G.Neg(G.Must(G.Mean(G.Must(G.Sum(G.Must(G.HadamardProd(y, G.Must(G.Log(out)))), 1))))))
	if _, err := G.Grad(cost, w0, b0, w1); err != nil {
		panic(err)
	}
	p := vmProgram{g: g}
	for _, n := range (G.Nodes{cost, out}) {
		v := new(G.Value)
		p.read = append(p.read, v)
		G.Read(n, v)
	}
	p.before = func(step int) {
		xs, ys := dense(rng, dt, 1, batch, in), dense(rng, dt, 0, batch, classes)
		for i := range batch {
			k := rng.IntN(classes)
			var one any = 1.0
			if dt == tensor.Float32 {
				one = float32(1)
			}
			if err := ys.SetAt(one, i, k); err != nil {
				panic(err)
			}
		}
		if err := G.Let(x, xs); err != nil {
			panic(err)
		}
		if err := G.Let(y, ys); err != nil {
			panic(err)
		}
	}
	solver := G.NewAdamSolver(G.WithLearnRate(0.01))
	p.after = func() error { return solver.Step(G.NodesToValueGrads(G.Nodes{w0, b0, w1})) }
	return p
}

// convnet is the forward pass of a small convolutional network.
func convnet(dt tensor.Dtype) vmProgram {
	rng := rand.New(rand.NewPCG(3, 1))
	g := G.NewGraph()
	x := G.NewTensor(g, dt, 4, G.WithShape(2, 1, 12, 12), G.WithName("x"), G.WithValue(dense(rng, dt, 1, 2, 1, 12, 12)))
	f0 := G.NewTensor(g, dt, 4, G.WithShape(4, 1, 3, 3), G.WithName("f0"), G.WithValue(dense(rng, dt, 0.4, 4, 1, 3, 3)))
	f1 := G.NewTensor(g, dt, 4, G.WithShape(6, 4, 3, 3), G.WithName("f1"), G.WithValue(dense(rng, dt, 0.3, 6, 4, 3, 3)))
	w := G.NewMatrix(g, dt, G.WithShape(54, 10), G.WithName("w"), G.WithValue(dense(rng, dt, 0.2, 54, 10)))
	layer := func(x, f *G.Node) *G.Node {
		c := G.Must(G.Conv2d(x, f, tensor.Shape{3, 3}, []int{1, 1}, []int{1, 1}, []int{1, 1}))
		return G.Must(G.MaxPool2D(G.Must(G.Rectify(c)), tensor.Shape{2, 2}, []int{0, 0}, []int{2, 2}))
	}
	y := layer(layer(x, f0), f1)
	y = G.Must(G.Reshape(y, tensor.Shape{2, 54}))
	y = G.Must(G.SoftMax(G.Must(G.Mul(G.Must(G.Dropout(y, 0)), w)), 1))
	p := vmProgram{g: g, read: []*G.Value{new(G.Value)}}
	G.Read(y, p.read[0])
	return p
}

// symbolic is the derivative of an expression in scalars and vectors.
func symbolic(dt tensor.Dtype) vmProgram {
	rng := rand.New(rand.NewPCG(4, 1))
	g := G.NewGraph()
	x := G.NewVector(g, dt, G.WithShape(5), G.WithName("x"), G.WithValue(dense(rng, dt, 1, 5)))
	y := G.NewVector(g, dt, G.WithShape(5), G.WithName("y"), G.WithValue(dense(rng, dt, 1, 5)))
	z := G.Must(G.Add(G.Must(G.HadamardProd(G.Must(G.Tanh(x)), y)), G.Must(G.Exp(G.Must(G.Neg(G.Must(G.Square(x))))))))
	z = G.Must(G.Sum(G.Must(G.Mul(z, constant(dt, 2)))))
	gs, err := G.Grad(z, x, y)
	if err != nil {
		panic(err)
	}
	p := vmProgram{g: g}
	for _, n := range append(G.Nodes{z}, gs...) {
		v := new(G.Value)
		p.read = append(p.read, v)
		G.Read(n, v)
	}
	return p
}

// ownOps is an energy made of our operations, with the gradient of a score matching loss.
func ownOps(dt tensor.Dtype, n, h int) vmProgram {
	rng := rand.New(rand.NewPCG(5, 1))
	g := G.NewGraph()
	var theta G.Nodes
	let := func(n *G.Node, scale float64) *G.Node {
		if err := G.Let(n, dense(rng, dt, scale, n.Shape()...)); err != nil {
			panic(err)
		}
		return n
	}
	x := let(graphs.NewInput(g, dt, "x", n, 2), 1)
	v := let(graphs.NewInput(g, dt, "v", n, 2), 1)
	p := vmProgram{g: g}
	_, err := graphs.Try(func() *G.Node {
		y, in := x, 2
		for i, w := range []int{h, h, 1} {
			W, b := graphs.NewInput(g, dt, fmt.Sprint("w", i), w, in), graphs.NewInput(g, dt, fmt.Sprint("b", i), w)
			theta = append(theta, let(W, 1/math.Sqrt(float64(in))), let(b, 0.1))
			if y, in = graphs.Affine(y, W, b), w; i < 2 {
				y = graphs.SiLU(y)
			}
		}
		gx, err := graphs.Grad(graphs.Sum(y), x)
		graphs.Must(nil, err)
		c := graphs.Must(graphs.DirectionalCurvature(y, x, v))
		loss := graphs.Mean(graphs.Sub(graphs.Scale(graphs.RowSum(graphs.Square(gx[0])), 0.5), c))
		gs, err := graphs.Grad(loss, theta...)
		graphs.Must(nil, err)
		for _, n := range append(G.Nodes{loss}, gs...) {
			v := new(G.Value)
			p.read = append(p.read, v)
			G.Read(n, v)
		}
		return nil
	})
	if err != nil {
		panic(err)
	}
	return p
}

func TestMachineAgreesWithTapeMachine(t *testing.T) {
	for name, build := range map[string]func(tensor.Dtype) vmProgram{
		"linear regression": linearRegression, "digits": digits, "convnet": convnet, "symbolic differentiation": symbolic,
		"own operations": func(dt tensor.Dtype) vmProgram { return ownOps(dt, 12, 8) },
	} {
		for _, dt := range []tensor.Dtype{tensor.Float64, tensor.Float32} {
			t.Run(fmt.Sprint(name, "/", dt), func(t *testing.T) {
				ours, theirs := build(dt), build(dt)
				m, err := graphs.NewMachine(ours.g)
				if err != nil {
					t.Fatal(err)
				}
				tape := G.NewTapeMachine(theirs.g)
				defer tape.Close()
				tol := 1e-9
				if dt == tensor.Float32 {
					tol = 2e-4
				}
				for step := range 8 {
					for _, r := range []struct {
						p  vmProgram
						vm G.VM
					}{{ours, m}, {theirs, tape}} {
						if r.p.before != nil {
							r.p.before(step)
						}
						if err := r.vm.RunAll(); err != nil {
							t.Fatal(err)
						}
						if r.p.after != nil {
							if err := r.p.after(); err != nil {
								t.Fatal(err)
							}
						}
						r.vm.Reset()
					}
					for i := range ours.read {
						if err := same(numbers(*ours.read[i]), numbers(*theirs.read[i]), tol); err != nil {
							t.Fatalf("step %d, value %d: %v", step, i, err)
						}
					}
				}
			})
		}
	}
}

func TestMachineValues(t *testing.T) {
	g := G.NewGraph()
	x := G.NewVector(g, G.Float64, G.WithShape(3), G.WithName("x"))
	w := G.NewVector(g, G.Float64, G.WithShape(3), G.WithName("w"),
		G.WithValue(tensor.New(tensor.WithBacking([]float64{1, 2, 3}))))
	sum := G.Must(G.Add(x, w))
	above := G.Must(G.Gt(x, w, false)) // of booleans
	noise := G.GaussianRandomNode(g, G.Float64, 0, 1, 3)
	noisy := G.Must(G.Add(sum, noise))
	cost := G.Must(G.Sum(sum))
	if _, err := G.Grad(cost, x, w); err != nil {
		t.Fatal(err)
	}
	m, err := graphs.NewMachine(g, graphs.AllValues())
	if err != nil {
		t.Fatal(err)
	}
	if err := m.RunAll(); err == nil {
		t.Fatal("no error for an input without value")
	}
	var before []float64
	for run := range 3 {
		v := []float64{float64(run), 5, 0}
		if err := G.Let(x, tensor.New(tensor.WithBacking(v))); err != nil {
			t.Fatal(err)
		}
		if err := m.RunAll(); err != nil {
			t.Fatal(err)
		}
		want := []float64{v[0] + 1, 7, 3}
		if err := same(numbers(sum.Value()), want, 0); err != nil {
			t.Error(err)
		}
		if got := numbers(cost.Value())[0]; got != want[0]+10 {
			t.Errorf("cost: got %v, want %v", got, want[0]+10)
		}
		bigger := 0.0
		if v[0] > 1 {
			bigger = 1
		}
		if err := same(numbers(above.Value()), []float64{bigger, 1, 0}, 0); err != nil {
			t.Errorf("comparison: %v", err)
		}
		ns := numbers(noisy.Value())
		for i, e := range numbers(noise.Value()) {
			if math.Abs(ns[i]-want[i]-e) > 1e-12 {
				t.Errorf("sum with noise: got %v, want %v", ns[i], want[i]+e)
			}
		}
		if before != nil && ns[1] == before[1] {
			t.Error("random node was not drawn again")
		}
		before = ns
		for _, n := range (G.Nodes{x, w}) {
			d, err := n.Grad()
			if err != nil {
				t.Fatal(err)
			}
			if err := same(numbers(d), []float64{1, 1, 1}, 0); err != nil {
				t.Errorf("gradient of %v: %v", n, err)
			}
		}
		d, _ := w.Grad()
		clear(d.Data().([]float64)) // what solvers do
	}
}

func TestMachineAllocatesNothing(t *testing.T) {
	p := ownOps(tensor.Float32, 16, 8)
	m, err := graphs.NewMachine(p.g)
	if err != nil {
		t.Fatal(err)
	}
	if a := testing.AllocsPerRun(10, func() {
		if err := m.RunAll(); err != nil {
			t.Fatal(err)
		}
	}); a != 0 {
		t.Errorf("%v allocations per run, want 0", a)
	}
}

func BenchmarkMachine(b *testing.B) {
	for _, c := range []struct {
		name  string
		build func() vmProgram
	}{
		{"own", func() vmProgram { return ownOps(tensor.Float32, 128, 64) }},
		{"builtin", func() vmProgram { return digits(tensor.Float32) }},
		{"regression", func() vmProgram { return linearRegression(tensor.Float64) }},
	} {
		for _, vm := range []string{"machine", "tape"} {
			b.Run(c.name+"/vm="+vm, func(b *testing.B) {
				p := c.build()
				if p.before != nil {
					p.before(0)
				}
				var m G.VM
				if vm == "tape" {
					m = G.NewTapeMachine(p.g)
				} else {
					var err error
					if m, err = graphs.NewMachine(p.g); err != nil {
						b.Fatal(err)
					}
				}
				defer m.Close()
				b.ReportAllocs()
				for b.Loop() {
					if err := m.RunAll(); err != nil {
						b.Fatal(err)
					}
					m.Reset()
				}
			})
		}
	}
}

// modes returns two machines for g, one that trains and one that evaluates.
func modes(t *testing.T, g *G.ExprGraph) (train, eval *graphs.Machine) {
	t.Helper()
	train, err := graphs.NewMachine(g)
	if err != nil {
		t.Fatal(err)
	}
	if eval, err = graphs.NewMachine(g, graphs.Evaluation()); err != nil {
		t.Fatal(err)
	}
	return train, eval
}

// Dropout drops as Gorgonia's tape machine does: differently at every run, and not at all in Evaluation. The
// operation belongs to the graph; a machine for training and one for evaluation, run in turn, each keep their own
// mode.
func TestMachineDropout(t *testing.T) {
	const n, m, drop = 40, 50, 0.25
	for _, dt := range []tensor.Dtype{tensor.Float64, tensor.Float32} {
		g := G.NewGraph()
		x := G.NewMatrix(g, dt, G.WithShape(n, m), G.WithName("x"), G.WithInit(G.Ones()))
		y := G.Must(G.Mul(G.Must(G.Dropout(x, drop)), constant(dt, 3)))
		train, eval := modes(t, g)
		run := func(vm G.VM) []float64 {
			if err := vm.RunAll(); err != nil {
				t.Fatal(err)
			}
			return numbers(y.Value())
		}
		var before []float64
		for range 2 {
			got := run(train)
			dropped := 0
			for _, v := range got {
				switch {
				case v == 0:
					dropped++
				case math.Abs(v-3/(1-drop)) > 1e-5:
					t.Fatalf("%v: got %g, want 0 or %g", dt, v, 3/(1-drop))
				}
			}
			want, sd := float64(n*m*drop), math.Sqrt(n*m*drop*(1-drop))
			if math.Abs(float64(dropped)-want) > 5*sd {
				t.Errorf("%v: %d of %d dropped, want %g ± %.0f", dt, dropped, n*m, want, 5*sd)
			}
			if slices.Equal(got, before) {
				t.Errorf("%v: two runs drop the same", dt)
			}
			before = got
			for i, v := range run(eval) {
				if v != 3 {
					t.Fatalf("%v: evaluation: element %d is %g, want 3", dt, i, v)
				}
			}
		}
	}
}

// Batch normalisation against its formula, in training and, with the resulting running statistics, in evaluation;
// switching between the two machines loses none of them. How Gorgonia defines its running variance is its own affair:
// it is read from the operation.
func TestMachineBatchNorm(t *testing.T) {
	for _, dt := range []tensor.Dtype{tensor.Float64, tensor.Float32} {
		testMachineBatchNorm(t, dt, 4)
		testMachineBatchNorm(t, dt, 100) // by our own instructions
	}
}

func testMachineBatchNorm(t *testing.T, dt tensor.Dtype, h int) {
	const n, c, eps = 3, 2, 1e-5
	rng := rand.New(rand.NewPCG(9, 9))
	g := G.NewGraph()
	xs := dense(rng, dt, 2, n, c, h, 1)
	x := G.NewTensor(g, dt, 4, G.WithShape(n, c, h, 1), G.WithName("x"), G.WithValue(xs))
	ones := func(name string, scale float64) *G.Node {
		d := dense(rng, dt, 0, n, c, h, 1)
		if err := d.Memset(map[tensor.Dtype]any{tensor.Float64: scale, tensor.Float32: float32(scale)}[dt]); err != nil {
			t.Fatal(err)
		}
		return G.NewTensor(g, dt, 4, G.WithShape(n, c, h, 1), G.WithName(name), G.WithValue(d))
	}
	y, _, _, op, err := G.BatchNorm(x, ones("γ", 1), ones("β", 0), 0.9, eps)
	if err != nil {
		t.Fatal(err)
	}
	train, eval := modes(t, g)
	in := numbers(xs)
	check := func(what string, vm G.VM, stats func(channel int) (mean, variance float64)) {
		t.Helper()
		if err := vm.RunAll(); err != nil {
			t.Fatal(err)
		}
		for i, got := range numbers(y.Value()) {
			mean, variance := stats(i / h % c)
			if want := (in[i] - mean) / math.Sqrt(variance+eps); math.Abs(got-want) > 1e-4 {
				t.Fatalf("%v %s: element %d: got %g, want %g", dt, what, i, got, want)
			}
		}
	}
	batch := func(channel int) (mean, variance float64) {
		for i, v := range in {
			if i/h%c == channel {
				mean += v / float64(n*h)
			}
		}
		for i, v := range in {
			if i/h%c == channel {
				variance += (v - mean) * (v - mean) / float64(n*h)
			}
		}
		return mean, variance
	}
	running := func(channel int) (mean, variance float64) {
		m, v := op.Stats()
		return numbers(m)[channel], numbers(v)[channel]
	}
	check("training", train, batch)
	before, _ := running(0)
	if own := strings.Contains(eval.String(), "statistics of"); own != (n*h >= 256) {
		t.Errorf("%v: own instructions: %v", dt, own)
	}
	check("evaluation", eval, running)
	check("training again", train, batch)
	if after, _ := running(0); math.Abs(after) <= math.Abs(before) {
		t.Errorf("%v: the running mean goes from %g to %g: it has not gone on towards that of the batch", dt, before, after)
	}
}

// If a slice is replaced after the machine was made, its gradient follows.
func TestGradientFollowsSlice(t *testing.T) {
	g := G.NewGraph()
	x := G.NewTensor(g, tensor.Float64, 2, G.WithShape(2, 3), G.WithName("x"), G.WithInit(G.RangedFrom(1)))
	row := must(t)(G.Slice(x, G.S(0)))
	part := must(t)(G.Slice(row, G.S(0, 2)))
	gs, err := graphs.StoreGrads(graphs.Sum(graphs.Square(part)), x)
	if err != nil {
		t.Fatal(err)
	}
	m, err := graphs.NewMachine(g)
	if err != nil {
		t.Fatal(err)
	}
	if err := errors.Join(m.RunAll(), G.UnsafeLet(row, G.S(1)), G.UnsafeLet(part, G.S(1, 3)), m.RunAll()); err != nil {
		t.Fatal(err)
	}
	graphtest.Close(t, "gradient", numbers(gs[0].Value()), []float64{0, 0, 0, 0, 10, 12}, 0)
	if err := errors.Join(G.UnsafeLet(part, G.S(0, 1)), m.RunAll()); !errors.Is(err, graphs.ErrShape) {
		t.Errorf("a shorter slice: got %v, want ErrShape", err)
	}
}

// Products can be left to the BLAS that Gorgonia was told to use.
func TestByBLAS(t *testing.T) {
	was := G.WhichBLAS()
	defer G.Use(was)
	counter := &countingBLAS{BLAS: was}
	G.Use(counter)
	for _, opts := range [][]graphs.MachineOption{nil, {graphs.ByBLAS()}} {
		g := G.NewGraph()
		x := G.NewMatrix(g, tensor.Float64, G.WithShape(2, 3), G.WithName("x"), G.WithInit(G.RangedFrom(0)))
		y := must(t)(G.Mul(x, must(t)(G.Transpose(x))))
		m, err := graphs.NewMachine(g, opts...)
		if err != nil {
			t.Fatal(err)
		}
		counter.calls = 0
		if err := m.RunAll(); err != nil {
			t.Fatal(err)
		}
		graphtest.Close(t, "product", numbers(y.Value()), []float64{5, 14, 14, 50}, 0)
		if (counter.calls > 0) != (opts != nil) {
			t.Errorf("options %v: %d calls", opts, counter.calls)
		}
	}
}

type countingBLAS struct {
	G.BLAS
	calls int
}

func (b *countingBLAS) Dgemm(ta, tb blas.Transpose, m, n, k int, alpha float64, a []float64, lda int, x []float64,
	ldx int, beta float64, c []float64, ldc int) {
	b.calls++
	b.BLAS.Dgemm(ta, tb, m, n, k, alpha, a, lda, x, ldx, beta, c, ldc)
}
