package main

import (
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func TestPage(t *testing.T) {
	cell := func(table string, rows int, seed uint64, base, ours float64) *result {
		return &result{Table: table, About: "made up", Rows: rows, Dim: 4, Seed: seed, Known: true, Share: 1, CPU: 9,
			Loss:       map[string]figure{ofBase: newFigure(base, 0), ofKernel: newFigure(3, 0), ofOurs: newFigure(ours, 0)},
			Difference: newFigure(ours-base, 0.01),
			LogZ:       newFigure(0.5, 0.003), Reference: &figure{0.49, 0.004}}
	}
	mixture := cell("clusters", 3000, 1, 0.01, 0.01)
	mixture.Mixture, mixture.Share = true, 0
	straight := cell("curved", 3000, 1, 0.01, 0.03)
	straight.Mixture, straight.Share, straight.Warped = true, 0, true
	file := cell("wine", 138, 1, 18, 17)
	file.Known = false
	var b strings.Builder
	err := page(&b, []*result{cell("bent", 3000, 1, 0.2, 0.09), cell("bent", 3000, 2, 0.3, 0.11),
		cell("bent", 3000, 3, 0.1, 0.2),
		cell("odd", 3000, 1, 0.2, 0.15), mixture, straight, file})
	if err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{
		"| `bent` | 4 | 3000 | 3 | 0.2000 (0.1000 – 0.3000) | 3.000 | 0.1100 (0.0900 – 0.2000) | -0.1100 ± 0.0100 | 0 | 1.00 | 9 |",
		"less than half of it is gone: bent, 3000 rows (45 %); odd, 3000 rows (25 %)",
		"the base is kept: clusters, 3000 rows",
		"something else is kept: curved, 3000 rows",
		"the standard error: bent, 3000 rows, seed 3; curved, 3000 rows, seed 1",
		"0.0200 ± 0.0100 | 1 | 0.00 | 9 |",
		"| `bent, 3000 rows` | 3 | 0.5000 (0.5000 – 0.5000) | 0.0100 | 2.0 |", // 0.01/√(0.003² + 0.004²)
		"## Files",
		"| `wine` | 4 | 138 | 1 | 18.0000 | 3.000 | 17.0000 |",
	} {
		if !strings.Contains(b.String(), want) {
			t.Errorf("no %q in\n%s", want, b.String())
		}
	}
}

// A cell that is there is not made again, and one that is damaged is named.
func TestStored(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "coil4-3000-1.json")
	b, err := json.Marshal(result{Table: "coil4", Rows: 3000, Share: 0.25})
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, b, 0o600); err != nil {
		t.Fatal(err)
	}
	opt := options{Only: []string{"coil4"}, Seeds: 1, Rows: 3000, Out: dir}
	plan, err := opt.plan()
	if err != nil || len(plan) != 1 {
		t.Fatalf("%d cells, %v", len(plan), err)
	}
	if r, err := plan[0].result(t.Context(), dir); err != nil || r.Share != 0.25 {
		t.Errorf("%+v, %v", r, err)
	}
	if err := os.WriteFile(path, b[:9], 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := plan[0].result(t.Context(), dir); err == nil || !strings.Contains(err.Error(), path) {
		t.Errorf("a damaged cell: %v", err)
	}
}

// What cannot be done is told with the remedy.
func TestPlanErrors(t *testing.T) {
	for want, opt := range map[string]options{
		"want pairs":   {Files: []string{"a.csv"}, Seeds: 1},
		"want one of ": {Only: []string{"bananas"}, Seeds: 1},
	} {
		if _, err := opt.plan(); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%+v: %v", opt, err)
		}
	}
}
