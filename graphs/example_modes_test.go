package graphs_test

import (
	"fmt"

	"gorgonia.org/gorgonia"
	"gorgonia.org/tensor"

	"github.com/stheno-ebm/stheno/graphs"
)

// Forward mode, a product with the Hessian, and curvatures along a direction, of f = Σ_rows x₁² x₂.
func ExampleJVP() {
	g := gorgonia.NewGraph()
	x, v := graphs.NewInput(g, tensor.Float64, "x", 1, 2), graphs.NewInput(g, tensor.Float64, "v", 1, 2)
	f, err := graphs.Try(func() *gorgonia.Node {
		return graphs.Mul(graphs.Square(graphs.SliceCols(x, 0, 1)), graphs.SliceCols(x, 1, 2)) // (n, 1)
	})
	if err != nil {
		panic(err)
	}
	slope, err := graphs.JVP(f, gorgonia.Nodes{x}, gorgonia.Nodes{v}) // ∇f·v
	if err != nil {
		panic(err)
	}
	hv, err := graphs.HVP(graphs.Sum(f), x, v) // ∇²f v
	if err != nil {
		panic(err)
	}
	curvature, err := graphs.DirectionalCurvature(f, x, v) // vᵀ∇²f v
	if err != nil {
		panic(err)
	}
	call, err := graphs.Compile(gorgonia.Nodes{x, v}, gorgonia.Nodes{slope, hv, curvature})
	if err != nil {
		panic(err)
	}
	out := [][]float64{make([]float64, 1), make([]float64, 2), make([]float64, 1)}
	if err := call.Call(out, []float64{3, 5}, []float64{1, 2}); err != nil {
		panic(err)
	}
	fmt.Println(out[0], out[1], out[2]) // ∇f = (30, 9), ∇²f = (10 6; 6 0)
	// Output: [48] [22 6] [34]
}
