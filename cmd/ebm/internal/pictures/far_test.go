package pictures

import (
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stheno-ebm/stheno/objectives/fit"
)

// Points at 1e15 + N(0,1) have only a hundred different values: a run on them still has its pictures.
func TestPicturesFarFromZero(t *testing.T) {
	path := filepath.Join(t.TempDir(), "far.csv")
	rng := rand.New(rand.NewPCG(1, 2))
	var b strings.Builder
	for range 60 {
		fmt.Fprintf(&b, "%.17g,%g\n", 1e15+rng.NormFloat64(), rng.NormFloat64())
	}
	if err := os.WriteFile(path, []byte(b.String()), 0o600); err != nil {
		t.Fatal(err)
	}
	c := fit.Config{Dataset: path, Hidden: []int{8}, Batch: 16, Steps: 4, Samples: 20, Chains: 10, Frames: 2,
		TestPoints: 100, Grid: 100, Threads: 1}
	c.Out, c.Hooks.Finish = filepath.Join(t.TempDir(), "run"), OfRun
	src, err := c.OpenData(t.Context(), nil)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := fit.Train(t.Context(), src, c); err != nil {
		t.Fatal(err)
	}
}
