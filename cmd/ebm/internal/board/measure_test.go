package board

import (
	"bytes"
	"encoding/csv"
	"encoding/json"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"reflect"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/stheno-ebm/stheno/objectives"
	"github.com/stheno-ebm/stheno/objectives/fit"
)

var update = flag.Bool("update", false, "measure anew, for minutes")

// assign turns KEY=VALUE into settings.
func assign(t *testing.T, texts ...string) fit.Layer {
	t.Helper()
	layer := make(fit.Layer)
	for _, text := range texts {
		key, value, _ := strings.Cut(text, "=")
		if f, ok := fit.Lookup(key); ok && f.Type.Kind() == reflect.Slice {
			value = "[" + value + "]"
		}
		layer[key] = json.RawMessage(value)
	}
	return layer
}

// TestCosts: every objective has a measured cost in three dimensions. With -update it is measured, as the best of
// three rounds.
func TestCosts(t *testing.T) {
	if *update {
		measureCosts(t)
	}
	for _, o := range objectives.Names() {
		if n := len(parseCosts(readFile(t, "costs.csv"))[o]); n != 3 {
			t.Errorf("costs.csv has %s in %d dimensions, want 3; go test ./cmd/ebm/internal/board -run Costs -update",
				o, n)
		}
	}
}

func readFile(t *testing.T, name string) string {
	t.Helper()
	b, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

func measureCosts(t *testing.T) {
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	var b bytes.Buffer
	b.WriteString("objective,dim,wide,narrow\n")
	for _, o := range objectives.Names() {
		for _, d := range []struct {
			name string
			dim  int
		}{{"4squares", 2}, {"mixture10", 10}, {"ring20", 20}} {
			line := fmt.Sprintf("%s,%d", o, d.dim)
			for _, hidden := range []string{"hidden=128,128", "hidden=32,32"} {
				cfg, cell := Config{Set: assign(t, hidden)}, Cell{Dataset: d.name, Objective: o, Seed: 1}
				given, err := cfg.given(cell)
				if err != nil {
					t.Fatal(err)
				}
				plan, err := cfg.job(&cell, given)
				if err != nil {
					t.Fatal(err)
				}
				best := time.Hour
				for range 3 {
					took, err := plan.StepTime(threadTime)
					if err != nil {
						t.Fatal(err)
					}
					best = min(best, took)
				}
				line += fmt.Sprintf(",%d", best.Nanoseconds()/int64(plan.Config.Batch))
			}
			b.WriteString(line + "\n")
		}
	}
	if err := os.WriteFile("costs.csv", b.Bytes(), 0o644); err != nil {
		t.Fatal(err)
	}
}

// unequal is a comparison of sixty cells, the longest of which costs some four times the shortest.
func unequal(t *testing.T) Config {
	return Config{
		Datasets: []string{"4squares", "moons"}, Objectives: objectives.Names()[2:], Seeds: 2,
		Set: assign(t, "steps=60", "samples=0", "test-points=500", "grid=50"), Workers: 1, Dir: t.TempDir(),
	}
}

// TestBalance: with the planned distribution and the measured times of the cells, six workers are idle for at most a
// tenth of the time. With -update it runs the cells and prints the time of each.
func TestBalance(t *testing.T) {
	cfg := unequal(t)
	const name = "testdata/cells.csv"
	if *update {
		measureCells(t, cfg, name)
	}
	rows, err := csv.NewReader(strings.NewReader(readFile(t, name))).ReadAll()
	if err != nil {
		t.Fatal(err)
	}
	took := make(map[string]float64)
	for _, row := range rows {
		if took[row[0]], err = strconv.ParseFloat(row[1], 64); err != nil {
			t.Fatal(err)
		}
	}
	for _, shards := range []int{2, 6} {
		plan, err := cfg.Plan(shards)
		if err != nil {
			t.Fatal(err)
		}
		work := make([]float64, shards)
		cells := 0
		for k := range shards {
			for _, c := range plan.of(k) {
				seconds, ok := took[c.Name()]
				if !ok {
					t.Fatalf("%s was not measured", c.Name())
				}
				work[k] += seconds
				cells++
			}
		}
		sum := 0.0
		for _, w := range work {
			sum += w
		}
		idle := 1 - sum/float64(shards)/slices.Max(work)
		t.Logf("%d cells over %d shards: idle for %.1f %% of the time", cells, shards, 100*idle)
		if idle > 0.1 {
			t.Errorf("%d shards: idle for %.1f %% of the time, want at most 10 %%: %.1f s", shards, 100*idle, work)
		}
	}
}

// measureCells runs the cells, and writes the CPU seconds of each, overhead included.
func measureCells(t *testing.T, cfg Config, name string) {
	var b bytes.Buffer
	before := processTime()
	cfg.Done = func(c Cell, done, total int) {
		now := processTime()
		fmt.Fprintf(&b, "%s,%.3f\n", c.Name(), (now - before).Seconds())
		before = now
	}
	if _, err := Run(t.Context(), cfg); err != nil {
		t.Fatal(err)
	}
	if err := os.MkdirAll(filepath.Dir(name), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(name, b.Bytes(), 0o644); err != nil {
		t.Fatal(err)
	}
}
