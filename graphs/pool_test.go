package graphs_test

import (
	"math/rand/v2"
	"slices"
	"sync"
	"testing"

	G "gorgonia.org/gorgonia"
	"gorgonia.org/tensor"

	"github.com/stheno-ebm/stheno/graphs"
)

// Gorgonia's pool notes in the operation where its maxima are, for the gradient to read: a program's clones, which share the
// operation and run at once on other pictures, do not.
func TestClonesOfAPool(t *testing.T) {
	g := G.NewGraph()
	x := graphs.NewInput(g, tensor.Float32, "x", 2, 3, 8, 8)
	y := must(t)(G.MaxPool2D(x, tensor.Shape{3, 3}, []int{1, 1}, []int{2, 2}))
	d, err := G.Grad(must(t)(G.Sum(must(t)(G.Square(y)))), x)
	if err != nil {
		t.Fatal(err)
	}
	f, err := graphs.Compile(G.Nodes{x}, G.Nodes{d[0]})
	if err != nil {
		t.Fatal(err)
	}
	const n = 2 * 3 * 8 * 8
	var wg sync.WaitGroup
	for k := range 4 {
		rng := rand.New(rand.NewPCG(uint64(k), 1))
		in, want := make([]float64, n), make([]float64, n)
		for i := range in {
			in[i] = rng.Float64()
		}
		if err := f.Call([][]float64{want}, in); err != nil {
			t.Fatal(err)
		}
		c := f.Clone()
		wg.Go(func() {
			got := make([]float64, n)
			for range 20 {
				if err := c.Call([][]float64{got}, in); err != nil || !slices.Equal(got, want) {
					t.Errorf("clone %d: other numbers than alone (%v)", k, err)
					return
				}
			}
		})
	}
	wg.Wait()
}
