package graphs_test

import (
	"fmt"

	G "gorgonia.org/gorgonia"
	"gorgonia.org/tensor"

	"github.com/stheno-ebm/stheno/graphs"
)

func ExampleLower() {
	g := G.NewGraph()
	x := graphs.NewInput(g, tensor.Float64, "x", 8, 2)
	w, b := graphs.NewInput(g, tensor.Float64, "w", 3, 2), graphs.NewInput(g, tensor.Float64, "b", 3)
	e, err := graphs.Try(func() *G.Node { return graphs.RowSum(graphs.SiLU(graphs.Affine(x, w, b))) })
	if err != nil {
		fmt.Println(err)
		return
	}
	dx, err := graphs.VJP(e, graphs.OnesLike(e), x)
	if err != nil {
		fmt.Println(err)
		return
	}
	p, err := graphs.Lower(G.Nodes{x, w, b}, G.Nodes{e, dx[0]})
	if err != nil {
		fmt.Println(err)
		return
	}
	for i, in := range p.Code {
		fmt.Println(i, in.Op, in.Name, in.Fn, in.Order, in.Args, in.Rows, in.Cols)
	}
	fmt.Println(p.Outputs)
	// Output:
	// 0 input x  0 [] 8 2
	// 1 input w  0 [] 3 2
	// 2 input b  0 [] 1 3
	// 3 matmul   0 [0 1] 8 3
	// 4 expandrows   0 [2] 8 3
	// 5 add   0 [3 4] 8 3
	// 6 unary  silu 0 [5] 8 3
	// 7 rowsum   0 [6] 8 1
	// 8 unary  silu 1 [5] 8 3
	// 9 matmul   0 [8 1] 8 2
	// [7 9]
}
