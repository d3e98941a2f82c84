package board

import (
	"encoding/json"
	"io"
	"path/filepath"
	"testing"
	"time"

	"github.com/stheno-ebm/stheno/datasets"
	"github.com/stheno-ebm/stheno/objectives"
	"github.com/stheno-ebm/stheno/objectives/metrics"
)

// TestTenThousand: ten thousand finished cells, in two folders, are gathered within ten seconds and inspected within
// two, table included. CPU time is what counts, because others may be using the machine.
func TestTenThousand(t *testing.T) {
	if testing.Short() {
		t.Skip("writes ten thousand files")
	}
	tmp := t.TempDir()
	dirs := []string{filepath.Join(tmp, "a"), filepath.Join(tmp, "b")}
	sweep := Sweep{Datasets: datasets.Names()[:10], Objectives: objectives.Names()[:10], Seeds: 100}
	for _, dir := range dirs {
		if err := sweep.register(dir); err != nil {
			t.Fatal(err)
		}
	}
	for i, c := range sweep.cells() {
		c.Steps, c.CPU, c.Run = 1000, float64(i), c.folder()
		c.Eval = &metrics.Report{Dataset: c.Dataset, Dim: 2, KL: metrics.Value(i), TestPoints: 100}
		b, err := json.MarshalIndent(c, "", "  ")
		if err != nil {
			t.Fatal(err)
		}
		write(t, filepath.Join(dirs[i%2], c.folder(), resultFile), string(b))
	}
	out := filepath.Join(tmp, "all")
	before := processTime()
	g, err := Gather(out, dirs...)
	if err != nil {
		t.Fatal(err)
	}
	if err := WriteTable(io.Discard, g.Config, g.Cells); err != nil {
		t.Fatal(err)
	}
	if err := WriteCSV(io.Discard, g.Cells); err != nil {
		t.Fatal(err)
	}
	gathered := processTime() - before
	before = processTime()
	s, err := NewWatcher(out).Look()
	if err != nil {
		t.Fatal(err)
	}
	if err := s.Write(io.Discard); err != nil {
		t.Fatal(err)
	}
	watched := processTime() - before
	t.Logf("gathered in %v, watched in %v", gathered.Round(time.Millisecond), watched.Round(time.Millisecond))
	if len(g.Cells) != 10_000 || len(g.Missing) > 0 || s.Done != 10_000 || s.Cells != 10_000 {
		t.Errorf("%d cells, %d missing; %d of %d done", len(g.Cells), len(g.Missing), s.Done, s.Cells)
	}
	if gathered > 10*time.Second || watched > 2*time.Second {
		t.Errorf("gathered in %v, want 10 s; watched in %v, want 2 s", gathered, watched)
	}
}
