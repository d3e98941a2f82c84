package graphs_test

import (
	"testing"

	G "gorgonia.org/gorgonia"
	"gorgonia.org/tensor"

	"github.com/stheno-ebm/stheno/graphs"
)

// The graph shows whether its rows are independent.
func TestRowWise(t *testing.T) {
	g := G.NewGraph()
	x := graphs.NewInput(g, tensor.Float64, "x", 3, 3)
	w, b := graphs.NewInput(g, tensor.Float64, "w", 3, 3), graphs.NewInput(g, tensor.Float64, "b", 3)
	for _, c := range []struct {
		name string
		y    *G.Node
		want bool
	}{
		{"a layer", graphs.SiLU(graphs.Affine(x, w, b)), true},
		{"row sums and columns", graphs.Sub(x, graphs.ExpandCols(graphs.RowLogSumExp(graphs.SliceCols(x, 0, 2)), 3)), true},
		{"beside what all share", graphs.Mul(x, graphs.ExpandRows(graphs.Reshape(graphs.ColSum(w), 3), 3)), true},
		{"independent of x", graphs.Sum(w), true},
		{"x stopped", graphs.Add(x, graphs.StopGradient(x)), true},
		{"the shape of x alone", graphs.Fill(graphs.Sum(graphs.OnesLike(x)), x), true},
		{"transposed", graphs.Transpose(x), false},
		{"from the right", graphs.MatMul(w, x, false, false), false},
		{"its own weights", graphs.Affine(x, x, b), false},
		{"sum of all", graphs.Fill(graphs.Sum(x), x), false},
		{"sum of all, stopped", graphs.Add(x, graphs.Fill(graphs.StopGradient(graphs.Sum(x)), x)), false},
		{"another row", graphs.ConcatRows(graphs.SliceRows(x, 1, 3), graphs.SliceRows(x, 0, 1)), false},
		{"Gorgonia's", graphs.Must(G.Square(x)), false},
	} {
		if got := graphs.RowWise(c.y, x); got != c.want {
			t.Errorf("%s: got %t, want %t", c.name, got, c.want)
		}
	}
}
