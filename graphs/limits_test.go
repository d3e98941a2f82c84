package graphs_test

import (
	"testing"
	"time"

	"gorgonia.org/tensor"

	"github.com/stheno-ebm/stheno/graphs"
)

// Building and compiling the largest training graph, exact score matching of a deep network, is a matter of milliseconds.
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
