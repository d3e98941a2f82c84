package board_test

import (
	"context"
	"encoding/json"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/stheno-ebm/stheno/cmd/ebm/internal/board"
	"github.com/stheno-ebm/stheno/objectives/fit"
)

// small is one cell that trains for about a second.
func small(t *testing.T) (board.Config, string) {
	t.Helper()
	set := make(fit.Layer)
	for key, value := range map[string]string{"steps": "20000", "hidden": "[8]", "batch": "16", "samples": "0",
		"test-points": "100", "grid": "50"} {
		set[key] = json.RawMessage(value)
	}
	dir := t.TempDir()
	return board.Config{Datasets: []string{"4squares"}, Objectives: []string{"nce"}, Seeds: 1, Set: set, Workers: 1,
			Dir: dir},
		filepath.Join(dir, "work", "4squares-nce-1", "1", "run") // until it is done
}

// TestSecondsOverInterruption: what an interrupted process spent on a cell counts.
func TestSecondsOverInterruption(t *testing.T) {
	cfg, cell := small(t)
	ctx, cancel := context.WithCancel(t.Context())
	go func() { // once it is training
		defer cancel()
		for ctx.Err() == nil {
			if _, err := os.Stat(filepath.Join(cell, "metrics.jsonl")); err == nil {
				return
			}
			time.Sleep(time.Millisecond)
		}
	}()
	if _, err := board.Run(ctx, cfg); err == nil {
		t.Skip("done before it was interrupted")
	}
	spent := filepath.Join(cell, "cpu_seconds")
	if b, err := os.ReadFile(spent); err != nil || !(strings.TrimSpace(string(b)) > "0") {
		t.Fatalf("%s: %q, %v", spent, b, err)
	}
	if err := os.WriteFile(spent, []byte("none\n"), 0o644); err != nil {
		t.Fatal(err)
	}
	if _, err := board.Run(t.Context(), cfg); err == nil || !strings.Contains(err.Error(), "cpu_seconds is damaged") {
		t.Errorf("damaged file: error %v", err)
	}
	const before = 1000
	// of the cell that has just failed
	spent = filepath.Join(filepath.Dir(filepath.Dir(cell)), "2", "run", "cpu_seconds")
	if err := os.WriteFile(spent, []byte("1000\n"), 0o644); err != nil {
		t.Fatal(err)
	}
	cells, err := board.Run(t.Context(), cfg)
	if err != nil {
		t.Fatal(err)
	}
	if got := cells[0].CPU; got < before || got > before+600 {
		t.Errorf("%g CPU seconds, want %d and a few", got, before)
	}
}

// TestSecondsOverKill: the time spent on a cell is on disk from its first checkpoint on, not only once the process
// has stopped.
func TestSecondsOverKill(t *testing.T) {
	cfg, cell := small(t)
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	go func() {
		_, err := board.Run(ctx, cfg)
		ended <- err
	}()
	defer func() { <-ended }()
	defer cancel()
	for {
		// This is what a kill leaves behind: the cell has not stopped.
		if b, err := os.ReadFile(filepath.Join(cell, "cpu_seconds")); err == nil {
			if v, err := strconv.ParseFloat(strings.TrimSpace(string(b)), 64); err != nil {
				t.Fatalf("half of a file: %q", b)
			} else if v > 0.01 {
				return
			}
		}
		select {
		case err := <-ended:
			ended <- err
			t.Fatalf("nothing was stored while it trained; it ended with error %v", err)
		case <-time.After(time.Millisecond):
		}
	}
}

// TestBudget: a budget chooses a number of steps that takes about as long, however short the steps are; a board with
// a different budget is refused.
func TestBudget(t *testing.T) {
	cfg, _ := small(t)
	delete(cfg.Set, "steps")
	cfg.Seconds = 0.3
	cells, err := board.Run(t.Context(), cfg)
	if err != nil {
		t.Fatal(err)
	}
	if got := cells[0].CPU; got < 0.1 || got > 3 {
		t.Errorf("%g CPU seconds in %d steps, want about %g", got, cells[0].Steps, cfg.Seconds)
	}
	if again, err := board.Run(t.Context(), cfg); err != nil || again[0].CPU != cells[0].CPU {
		t.Errorf("the second time: %v, %v", again, err)
	}
	for _, other := range []float64{0, 20} {
		cfg.Seconds = other
		if _, err := board.Run(t.Context(), cfg); err == nil || !strings.Contains(err.Error(), "0.3 CPU seconds") {
			t.Errorf("a budget of %g: error %v", other, err)
		}
	}
}

// TestKilledBeforeSettings: if a process was killed when it had written only the budget of a cell, the cell counts as
// not begun.
func TestKilledBeforeSettings(t *testing.T) {
	cfg, cell := small(t)
	delete(cfg.Set, "steps")
	cfg.Seconds, cfg.Lease = 0.1, 50*time.Millisecond
	if err := os.MkdirAll(cell, 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(cell, "budget_seconds"), []byte("7\n"), 0o644); err != nil {
		t.Fatal(err)
	}
	if _, err := board.Run(t.Context(), cfg); err != nil {
		t.Fatal(err)
	}
	if b, err := os.ReadFile(filepath.Join(cfg.Dir, "cells", "4squares-nce-1", "budget_seconds")); err != nil ||
		string(b) != "0.1\n" {
		t.Errorf("budget %q, %v, want that of the board", b, err)
	}
	if _, err := os.Stat(filepath.Join(cfg.Dir, "work")); err == nil {
		t.Error("work was left behind")
	}
}

// TestRefused: an objective that cannot learn from the data does not stop the other cells; if there are no others, it
// is an error.
func TestRefused(t *testing.T) {
	cfg, _ := small(t)
	path := filepath.Join(t.TempDir(), "line.csv")
	var b strings.Builder
	for i := range 100 {
		fmt.Fprintf(&b, "%g\n", math.Sin(float64(i)))
	}
	if err := os.WriteFile(path, []byte(b.String()), 0o644); err != nil {
		t.Fatal(err)
	}
	cfg.Datasets, cfg.Objectives = []string{path}, []string{"flow-nce", "nce"} // flow-nce needs two dimensions
	cfg.Set["steps"] = []byte("2")
	for range 2 { // the second time, nce is already done
		cells, err := board.Run(t.Context(), cfg)
		if err != nil {
			t.Fatal(err)
		}
		if c := cells[0]; c.Eval != nil || !strings.Contains(c.Error, "needs dimension 2") {
			t.Errorf("flow-nce: error %q, eval %v", c.Error, c.Eval)
		}
		if c := cells[1]; c.Eval == nil || c.Error != "" {
			t.Errorf("nce: error %q, eval %v", c.Error, c.Eval)
		}
		var table strings.Builder
		if err := board.WriteTable(&table, cfg, cells); err != nil {
			t.Error(err)
		}
		if fig, err := board.Picture(cfg, cells); fig != nil || err != nil {
			t.Errorf("data of one dimension: picture %v, error %v", fig, err)
		}
		if got := table.String(); !strings.Contains(got, "| `flow-nce` | refused |") ||
			!strings.Contains(got, "| `nce` | **") {
			t.Errorf("table\n%s", got)
		}
	}
	cfg.Objectives = cfg.Objectives[:1]
	if _, err := board.Run(t.Context(), cfg); err == nil || !strings.Contains(err.Error(), "needs dimension 2") {
		t.Errorf("flow-nce alone: error %v", err)
	}
}
