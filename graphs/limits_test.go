package graphs_test

import (
	"fmt"
	"runtime"
	"testing"
	"time"

	G "gorgonia.org/gorgonia"
	"gorgonia.org/tensor"

	"github.com/stheno-ebm/stheno/graphs"
)

// Building and compiling the largest training graph, exact score matching of a deep network, takes milliseconds.
func TestCompileTime(t *testing.T) {
	best := time.Hour
	for range 5 {
		start := time.Now()
		in, out, _ := job(t, "sm", tensor.Float32, 1024, 256)
		if _, err := graphs.Compile(in, out); err != nil {
			t.Fatal(err)
		}
		best = min(best, time.Since(start))
	}
	t.Logf("built and compiled in %v", best)
	if best > 100*time.Millisecond {
		t.Errorf("building and compiling took %v, want at most 100 ms", best)
	}
}

// Large graphs are built, differentiated and compiled quickly enough that the arithmetic, not the number of nodes,
// determines the cost of a training step.
func TestCompileLarge(t *testing.T) {
	if testing.Short() {
		t.Skip("the race detector runs the short tests, ten times as slowly")
	}
	for name, c := range map[string]struct {
		build func(n *example) G.Nodes
		most  time.Duration
	}{
		"a transformer's training step":         {transformerProgram, 200 * time.Millisecond},
		"512 products of matrices, order 2":     {batchedTwice, 50 * time.Millisecond},
		"a residual network of over 5000 nodes": {residual, time.Second},
	} {
		best := time.Hour
		var nodes, bytes int
		var before, after runtime.MemStats
		for range 3 {
			start := time.Now()
			n := newExample(tensor.Float32)
			out, err := n.outputs(c.build)
			if err != nil {
				t.Fatal(err)
			}
			runtime.ReadMemStats(&before)
			f, err := graphs.Compile(append(append(G.Nodes{}, n.data...), n.weights...), out)
			if err != nil {
				t.Fatal(err)
			}
			runtime.ReadMemStats(&after)
			best, nodes, bytes = min(best, time.Since(start)), n.g.AllNodes().Len(), f.MemoryBytes()
		}
		t.Logf("%s: %d nodes, %v; the program has %.1f MB, compiling it allocated %.1f MB", name, nodes, best,
			float64(bytes)/(1<<20),
			float64(after.TotalAlloc-before.TotalAlloc)/(1<<20))
		if best > c.most {
			t.Errorf("%s: built, differentiated and compiled in %v, want at most %v", name, best, c.most)
		}
	}
}

// batchedTwice is a batch of 512 products, its gradient in one operand, and the gradient of the square of that
// gradient in the other.
func batchedTwice(n *example) G.Nodes {
	a, b := n.in(512, 8, 8), n.in(512, 8, 8)
	square := func(x *G.Node) *G.Node { return graphs.Sum(graphs.Square(graphs.Reshape(x, 512, 64))) }
	y := square(graphs.BatchMatMul(a, b, false, false))
	g := gradient(y, a)
	return G.Nodes{y, g, gradient(square(g), b)}
}

func residual(n *example) G.Nodes {
	h := n.in(64, 32)
	for range 500 {
		h = graphs.Add(h, graphs.SiLU(graphs.Affine(h, n.w(1, 32, 32), n.w(1, 32))))
	}
	if k := h.Graph().AllNodes().Len(); k < 2000 {
		panic(fmt.Sprintf("%d nodes before the gradient", k))
	}
	return n.gradients(graphs.Sum(graphs.Square(h)))
}

// The program runs tile by tile, so its memory hardly grows with the batch.
func TestMemory(t *testing.T) {
	in, out, _ := job(t, "sm", tensor.Float32, 4096, 512)
	f, err := graphs.Compile(in, out)
	if err != nil {
		t.Fatal(err)
	}
	t.Logf("exact score matching at (4096,512): %.1f MB", float64(f.MemoryBytes())/(1<<20))
	if f.MemoryBytes() > 64<<20 {
		t.Errorf("memory: got %d bytes, want at most 64 MB", f.MemoryBytes())
	}
}
