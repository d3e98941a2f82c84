package exec

import (
	"math"
	"math/rand/v2"
	"testing"

	"github.com/stheno-ebm/stheno/graphs/internal/ir"
	"github.com/stheno-ebm/stheno/graphs/internal/strided"
)

// values runs what build makes of a matrix x (6,8), its numbers from 1 to 48 in some order, twice, with NaN in all memory in between.
func values(t *testing.T, build func(g *ir.Graph, x ir.ID) ir.ID) []float64 {
	t.Helper()
	g := ir.New()
	g.Outputs = []ir.ID{build(g, g.Arg(6, 8, "x", false))}
	p := New[float64](g, Options{})
	for i, k := range rand.New(rand.NewPCG(1, 9)).Perm(48) {
		p.Input(0)[i] = float64(k + 1)
	}
	var out []float64
	for run := range 2 {
		if err := p.Run(); err != nil {
			t.Fatal(err)
		}
		for i, v := range p.Output(0) {
			if run == 0 {
				out = append(out, v)
			} else if v != out[i] {
				t.Fatalf("second run: element %d is %v, was %v", i, v, out[i])
			}
		}
		for _, m := range [][]float64{p.whole, p.parts, p.workers[0].tiles, p.workers[0].scratch} {
			for j := range m {
				m[j] = nan
			}
		}
	}
	return out
}

// What becomes of strided instructions is equal, on numbers, to the same written with others.
func TestStridedInstructions(t *testing.T) {
	type graph = *ir.Graph
	view := strided.New
	square := func(g graph, a ir.ID) ir.ID { return g.Mul(a, a) }
	windows := strided.NewGroups(48, 0, []int{3, 4, 2, 2}, []int{16, 2, 8, 1}, 2)
	for name, c := range map[string]struct{ got, want func(g graph, x ir.ID) ir.ID }{
		"transpose": {func(g graph, x ir.ID) ir.ID {
			return g.Gather(square(g, x), view(48, 0, []int{8, 6}, []int{1, 8}), 8, 6)
		},
			func(g graph, x ir.ID) ir.ID { return g.Transpose(square(g, x)) }},
		"transposes of parts": {
			func(g graph, x ir.ID) ir.ID {
				return g.Gather(square(g, x), view(48, 0, []int{2, 8, 3}, []int{24, 1, 8}), 16, 3)
			},
			func(g graph, x ir.ID) ir.ID {
				x = square(g, x)
				return g.Concat(ir.ConcatRows, g.Transpose(g.SliceRows(x, 0, 3)), g.Transpose(g.SliceRows(x, 3, 6)))
			}},
		"columns": {func(g graph, x ir.ID) ir.ID { return g.Gather(x, view(48, 2, []int{6, 3}, []int{8, 1}), 6, 3) },
			func(g graph, x ir.ID) ir.ID { return g.SliceCols(x, 2, 5) }},
		"view of a view": {func(g graph, x ir.ID) ir.ID {
			return g.Gather(g.Gather(x, view(48, 0, []int{8, 6}, []int{1, 8}), 8, 6), view(48, 0, []int{6, 8}, []int{1, 6}), 6, 8)
		}, func(g graph, x ir.ID) ir.ID { return x }},
		"zeros around": {func(g graph, x ir.ID) ir.ID { return g.Put(x, view(66, 1, []int{6, 8}, []int{11, 1}), 0, 6, 11) },
			func(g graph, x ir.ID) ir.ID { return g.PadCols(x, 1, 2) }},
		"row sums": {func(g graph, x ir.ID) ir.ID {
			return g.Scatter(square(g, x), strided.Reduction([]int{6, 8}, []int{1}), 6, 1)
		},
			func(g graph, x ir.ID) ir.ID { return g.RowSum(square(g, x)) }},
		"column sums": {func(g graph, x ir.ID) ir.ID {
			return g.Scatter(square(g, x), strided.Reduction([]int{6, 8}, []int{0}), 1, 8)
		},
			func(g graph, x ir.ID) ir.ID { return g.ColSum(square(g, x)) }},
		"inner sums": {func(g graph, x ir.ID) ir.ID {
			return g.Scatter(square(g, x), strided.Reduction([]int{6, 2, 4}, []int{1}), 6, 4)
		},
			func(g graph, x ir.ID) ir.ID {
				x = square(g, x)
				return g.Add(g.SliceCols(x, 0, 4), g.SliceCols(x, 4, 8))
			}},
		"sum of sums": {func(g graph, x ir.ID) ir.ID {
			return g.Scatter(g.Scatter(x, strided.Reduction([]int{6, 2, 4}, []int{1}), 6, 4), strided.Reduction([]int{6, 4}, []int{1}), 6, 1)
		}, func(g graph, x ir.ID) ir.ID { return g.RowSum(x) }},
		"batched product": {func(g graph, x ir.ID) ir.ID { return g.BatchMatMul(x, square(g, x), 2, false, true) },
			func(g graph, x ir.ID) ir.ID {
				y := square(g, x)
				part := func(i int) ir.ID { return g.MatMul(g.SliceRows(x, i, i+3), g.SliceRows(y, i, i+3), false, true) }
				return g.Concat(ir.ConcatRows, part(0), part(3))
			}},
		"batched product, both transposed": {func(g graph, x ir.ID) ir.ID { return g.BatchMatMul(x, g.Reshape(square(g, x), 16, 3), 2, true, true) },
			func(g graph, x ir.ID) ir.ID {
				y := g.Reshape(square(g, x), 16, 3)
				part := func(i int) ir.ID { return g.MatMul(g.SliceRows(x, 3*i, 3*i+3), g.SliceRows(y, 8*i, 8*i+8), true, true) }
				return g.Concat(ir.ConcatRows, part(0), part(1))
			}},
		"pool and back": {func(g graph, x ir.ID) ir.ID { return g.Place(x, g.Pick(x, x, windows, 3, 4), windows, 6, 8) },
			func(g graph, x ir.ID) ir.ID { // x where it is the largest of its window
				m := g.Gather(g.Pick(x, x, windows, 3, 4), view(12, 0, []int{3, 2, 4, 2}, []int{4, 0, 1, 0}), 6, 8)
				return g.Mul(x, g.Binary(ir.Cmp, ir.Eq, x, m))
			}},
		"reshapes": {func(g graph, x ir.ID) ir.ID {
			y := g.Reshape(square(g, x), 12, 4)
			return g.Add(g.ColSum(y), g.Reshape(g.RowSum(g.Transpose(g.Reshape(y, 12, 4))), 1, 4))
		}, func(g graph, x ir.ID) ir.ID {
			y := square(g, x)
			return g.Scale(g.Add(g.ColSum(g.SliceCols(y, 0, 4)), g.ColSum(g.SliceCols(y, 4, 8))), 2)
		}},
	} {
		t.Run(name, func(t *testing.T) {
			got, want := values(t, c.got), values(t, c.want)
			if len(got) != len(want) {
				t.Fatalf("%d elements, want %d", len(got), len(want))
			}
			for i, v := range want {
				if math.Abs(got[i]-v) > 1e-9 {
					t.Fatalf("element %d: got %v, want %v", i, got[i], v)
				}
			}
		})
	}
}
