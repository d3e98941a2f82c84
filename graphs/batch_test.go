package graphs_test

import (
	"fmt"
	"slices"
	"testing"
	"time"

	G "gorgonia.org/gorgonia"
	"gorgonia.org/tensor"

	"github.com/stheno-ebm/stheno/graphs"
	"github.com/stheno-ebm/stheno/graphs/graphtest"
)

// batchProducts is the reference for a product (3,2,4)·(3,4,2) of operands stored as given.
func batchProducts(n, m, k, l int, ta, tb bool) graphtest.Reference {
	return func(x ...[]float64) []float64 {
		out := make([]float64, n*m*l)
		for i := range out {
			b, r, c := i/(m*l), i/l%m, i%l
			for j := range k {
				p, q := b*m*k+r*k+j, b*k*l+j*l+c
				if ta {
					p = b*m*k + j*m + r
				}
				if tb {
					q = b*k*l + c*k + j
				}
				out[i] += x[0][p] * x[1][q%len(x[1])]
			}
		}
		return out
	}
}

func TestBatchMatMul(t *testing.T) {
	for _, c := range []struct {
		a, b   []int
		ta, tb bool
	}{
		{[]int{3, 2, 4}, []int{3, 4, 2}, false, false}, {[]int{3, 2, 4}, []int{3, 2, 4}, false, true},
		{[]int{3, 4, 2}, []int{3, 4, 2}, true, false}, {[]int{3, 4, 2}, []int{3, 2, 4}, true, true},
		{[]int{3, 2, 4}, []int{4, 2}, false, false}, {[]int{3, 1, 2, 4}, []int{1, 2, 4}, false, true},
		{[]int{3, 4, 2}, []int{4, 2}, true, false},
	} {
		t.Run(fmt.Sprint(c.a, c.b, c.ta, c.tb), func(t *testing.T) {
			graphtest.CheckOp(t, func(x ...*G.Node) *G.Node {
				y := graphs.BatchMatMul(x[0], x[1], c.ta, c.tb)
				if got := y.Shape(); got.TotalSize() != 12 || !slices.Equal(got[len(got)-2:], []int{2, 2}) || got[0] != 3 {
					t.Errorf("shape %v", got)
				}
				return y
			}, batchProducts(3, 2, 4, 2, c.ta, c.tb), graphtest.Uniform(1, -1, 1, c.a...), graphtest.Uniform(2, -1, 1, c.b...))
		})
	}
	g := G.NewGraph()
	for _, s := range [][2][]int{{{3, 2, 4}, {2, 4, 2}}, {{3, 2, 4}, {3, 3, 2}}, {{4}, {4, 2}}} {
		a, b := graphs.NewInput(g, tensor.Float64, fmt.Sprint("a", s), s[0]...),
			graphs.NewInput(g, tensor.Float64, fmt.Sprint("b", s), s[1]...)
		if _, err := graphs.Try(func() *G.Node { return graphs.BatchMatMul(a, b, false, false) }); err == nil {
			t.Errorf("shapes %v are no error", s)
		}
	}
}

// A batched product is one node whatever the batch size, at every order.
func TestBatchMatMulIsOneNode(t *testing.T) {
	g := G.NewGraph()
	a, b := graphs.NewInput(g, tensor.Float32, "a", 512, 3, 4), graphs.NewInput(g, tensor.Float32, "b", 512, 4, 5)
	start := time.Now()
	y := must(t)(G.BatchedMatMul(a, b))
	d := grad(t, graphs.Sum(graphs.Square(y)), a)[0]
	dd := grad(t, graphs.Sum(graphs.Square(d)), a, b)
	if _, err := graphs.Compile(G.Nodes{a, b}, dd); err != nil {
		t.Fatal(err)
	}
	t.Logf("%d nodes in %v", len(g.AllNodes()), time.Since(start))
	if n := len(g.AllNodes()); n > 100 {
		t.Errorf("%d nodes", n)
	}
}
