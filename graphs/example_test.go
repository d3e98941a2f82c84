package graphs_test

import (
	"fmt"

	"github.com/stheno-ebm/stheno/graphs"
	"gorgonia.org/gorgonia"
	"gorgonia.org/tensor"
)

// The gradient of a gradient: E = Σ x⁴, ∇E = 4x³, ∇(Σ∇E) = 12x².
func ExampleGrad() {
	g := gorgonia.NewGraph()
	x := graphs.NewInput(g, tensor.Float64, "x", 3)
	e := graphs.Sum(graphs.Square(graphs.Square(x)))
	first, err := graphs.Grad(e, x)
	if err != nil {
		fmt.Println(err)
		return
	}
	second, err := graphs.Grad(graphs.Sum(first[0]), x)
	if err != nil {
		fmt.Println(err)
		return
	}
	f, err := graphs.Compile(gorgonia.Nodes{x}, append(first, second...))
	if err != nil {
		fmt.Println(err)
		return
	}
	dst := [][]float64{make([]float64, 3), make([]float64, 3)}
	if err := f.Call(dst, []float64{1, 2, 3}); err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(dst[0], dst[1])
	// Output: [4 32 108] [12 48 108]
}

// Score matching: the loss mean(½|∇E|² - tr ∇²E) of a small network and its gradient in the weights.
func ExampleHessianTrace() {
	const n, d, width = 4, 2, 3
	g := gorgonia.NewGraph()
	input := func(name string, shape ...int) *gorgonia.Node {
		return graphs.NewInput(g, tensor.Float64, name, shape...)
	}
	x := input("x", n, d)
	w0, b0, w1, b1 := input("w0", width, d), input("b0", width), input("w1", 1, width), input("b1", 1)
	var gradient gorgonia.Nodes
	loss, err := graphs.Try(func() *gorgonia.Node {
		e := graphs.Affine(graphs.SiLU(graphs.Affine(x, w0, b0)), w1, b1) // (n,1)
		score, err := graphs.Grad(graphs.Sum(e), x)
		graphs.Must(nil, err)
		trace := graphs.Must(graphs.HessianTrace(e, x)) // (n,1)
		loss := graphs.Mean(graphs.Sub(graphs.Scale(graphs.RowSum(graphs.Square(score[0])), 0.5), trace))
		gradient, err = graphs.Grad(loss, w0, b0, w1, b1)
		return graphs.Must(loss, err)
	})
	if err != nil {
		fmt.Println(err)
		return
	}
	for _, n := range gradient {
		fmt.Println(n.Shape())
	}
	fmt.Println("loss", loss.Shape())
	// Output:
	// (3, 2)
	// (3)
	// (1, 3)
	// (1)
	// loss (1)
}

// A wrong shape is reported by Try.
func ExampleTry() {
	g := gorgonia.NewGraph()
	a := graphs.NewInput(g, tensor.Float64, "a", 3, 2)
	b := graphs.NewInput(g, tensor.Float64, "b", 3, 1)
	_, err := graphs.Try(func() *gorgonia.Node { return graphs.Add(a, b) })
	fmt.Println(err)
	// Output: graphs: add of shapes [(3, 2) (3, 1)]: shape mismatch
}

// Gorgonia's own functions take part through Must.
func ExampleMust() {
	g := gorgonia.NewGraph()
	x := graphs.NewInput(g, tensor.Float64, "x", 3, 2)
	e, err := graphs.Try(func() *gorgonia.Node {
		return graphs.RowSum(graphs.Must(gorgonia.Tanh(x)))
	})
	fmt.Println(e.Shape(), err)
	// Output: (3, 1) <nil>
}
