package onnx_test

import (
	"fmt"

	G "gorgonia.org/gorgonia"
	"gorgonia.org/tensor"

	"github.com/stheno-ebm/stheno/graphs"
	"github.com/stheno-ebm/stheno/graphs/onnx"
	"github.com/stheno-ebm/stheno/internal/onnxtest"
)

// A function and its derivative become one model that takes any number of rows.
func ExampleMarshalBatch() {
	build := func(rows int) (onnx.Graph, error) {
		var x, y *G.Node
		dydx, err := graphs.Try(func() *G.Node {
			x = graphs.NewInput(G.NewGraph(), tensor.Float32, "x", rows, 1)
			y = graphs.Mul(x, graphs.Tanh(x))
			return graphs.Must(graphs.JVP(y, G.Nodes{x}, G.Nodes{graphs.OnesLike(x)}))
		})
		return onnx.Graph{
			Inputs:  []onnx.Value{{Name: "x", Node: x}},
			Outputs: []onnx.Value{{Name: "y", Node: y}, {Name: "dydx", Node: dydx}},
		}, err
	}
	model, err := onnx.MarshalBatch(build, onnx.Info{Name: "x tanh x"}) // to be written to a file
	if err != nil {
		fmt.Println(err)
		return
	}

	m, err := onnxtest.Read(model)
	if err != nil {
		fmt.Println(err)
		return
	}
	out, err := m.Run(map[string]onnxtest.Tensor{"x": {Dims: []int{2, 1}, Data: []float64{0, 1}}})
	fmt.Printf("%.4f %.4f %v\n", out["y"].Data, out["dydx"].Data, err)
	// Output: [0.0000 0.7616] [0.0000 1.1816] <nil>
}
