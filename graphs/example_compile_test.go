package graphs_test

import (
	"fmt"
	"math"

	G "gorgonia.org/gorgonia"
	"gorgonia.org/tensor"

	"github.com/stheno-ebm/stheno/graphs"
)

// The energy E(x) = ½ k |x|² of two points and its gradient.
func ExampleCompile() {
	g := G.NewGraph()
	x := graphs.NewInput(g, tensor.Float64, "x", 2, 3)
	k := graphs.NewInput(g, tensor.Float64, "k", 1)
	e, err := graphs.Try(func() *G.Node {
		half := graphs.Scale(graphs.RowSum(graphs.Square(x)), 0.5)
		return graphs.Mul(graphs.Fill(k, half), half) // (2, 1)
	})
	if err != nil {
		panic(err)
	}
	grad, err := graphs.Grad(graphs.Sum(e), x)
	if err != nil {
		panic(err)
	}
	f, err := graphs.Compile(G.Nodes{x, k}, G.Nodes{e, grad[0]}, graphs.Held(k))
	if err != nil {
		panic(err)
	}
	energy, gradient := make([]float64, 2), make([]float64, 6)
	stiffness := []float64{10}
	if err := f.Call([][]float64{energy, gradient}, []float64{1, 0, 0, 0, 3, 4}, stiffness); err != nil {
		panic(err)
	}
	fmt.Println(energy, gradient)

	stiffness[0] = 2 // held: read again after Touch
	f.Touch()
	if err := f.Call([][]float64{energy, nil}, nil, stiffness); err != nil {
		panic(err)
	}
	fmt.Println(energy)
	// Output:
	// [5 125] [10 0 0 0 30 40]
	// [1 25]
}

// A program for Gorgonia's tape machine: only the line that makes the machine is new.
func ExampleMachine() {
	g := G.NewGraph()
	x := G.NewVector(g, G.Float64, G.WithShape(3), G.WithName("x"),
		G.WithValue(tensor.New(tensor.WithBacking([]float64{1, 2, 3}))))
	w := G.NewScalar(g, G.Float64, G.WithName("w"), G.WithValue(0.0))
	miss := G.Must(G.Sub(G.Must(G.Mul(x, w)), G.Must(G.Mul(x, G.NewConstant(2.0)))))
	cost := G.Must(G.Mean(G.Must(G.Square(miss))))
	if _, err := G.Grad(cost, w); err != nil {
		panic(err)
	}
	m, err := graphs.NewMachine(g) // was: m := gorgonia.NewTapeMachine(g, gorgonia.BindDualValues(w))
	if err != nil {
		panic(err)
	}
	defer m.Close()
	solver := G.NewVanillaSolver(G.WithLearnRate(0.05))
	for range 40 {
		if err := m.RunAll(); err != nil {
			panic(err)
		}
		if err := solver.Step([]G.ValueGrad{w}); err != nil {
			panic(err)
		}
		m.Reset()
	}
	fmt.Printf("%.4f\n", w.Value().Data())
	// Output:
	// 2.0000
}

// A solver of Gorgonia's can use gradients from graphs.Grad: a network solves u″ = -u, u(0) = 0, u′(0) = 1, and the
// solver reads what SetDerivOf attaches to the weights.
func ExampleNewMachine_secondDerivatives() {
	const n, width = 32, 8
	g := G.NewGraph()
	times := make([]float64, n)
	for i := range times {
		times[i] = 2 * float64(i) / n
	}
	t := G.NewMatrix(g, G.Float64, G.WithShape(n, 1), G.WithName("t"),
		G.WithValue(tensor.New(tensor.WithShape(n, 1), tensor.WithBacking(times))))
	a := G.NewMatrix(g, G.Float64, G.WithShape(1, width), G.WithName("a"), G.WithInit(G.RangedFrom(-3)))
	b := G.NewMatrix(g, G.Float64, G.WithShape(width, 1), G.WithName("b"), G.WithInit(G.Zeroes()))

	net := G.Must(G.Mul(G.Must(G.Tanh(G.Must(G.Mul(t, a)))), b))
	u := G.Must(G.Add(t, G.Must(G.HadamardProd(G.Must(G.Square(t)), net)))) // satisfies both conditions at 0
	derivative := func(y *G.Node, wrt ...*G.Node) G.Nodes {
		gs, err := graphs.Grad(G.Must(G.Sum(y)), wrt...)
		if err != nil {
			panic(err)
		}
		return gs
	}
	second := derivative(derivative(u, t)[0], t)[0]
	loss := G.Must(G.Mean(G.Must(G.Square(G.Must(G.Add(second, u))))))
	for i, d := range derivative(loss, a, b) {
		G.SetDerivOf(d, G.Nodes{a, b}[i])
	}

	m, err := graphs.NewMachine(g, graphs.Values(u))
	if err != nil {
		panic(err)
	}
	solver := G.NewAdamSolver(G.WithLearnRate(0.02))
	for range 1000 {
		if err := m.RunAll(); err != nil {
			panic(err)
		}
		if err := solver.Step(G.NodesToValueGrads(G.Nodes{a, b})); err != nil {
			panic(err)
		}
	}
	worst := 0.0
	for i, v := range u.Value().Data().([]float64) {
		worst = max(worst, math.Abs(v-math.Sin(times[i])))
	}
	fmt.Println("error below 0.01:", worst < 0.01)
	// Output:
	// error below 0.01: true
}
