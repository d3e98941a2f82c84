package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func TestWrite(t *testing.T) {
	dir := t.TempDir()
	first, second, third := filepath.Join(dir, "a.json"), filepath.Join(dir, "b.json"), filepath.Join(dir, "c.json")
	high := filepath.Join(dir, "d.json")
	for path, text := range map[string]string{
		first: `[
{"dataset":"moons","objective":"nce","seed":1,"cpu_seconds":9,"set":{"steps":500},"eval":{"kl":0.5,"tv":0.1,"samples":{"energy_distance":0.3,"in_hdr99":0.98,"floor":{"energy_distance":0.1}}}},
{"dataset":"moons","objective":"nce","seed":2,"cpu_seconds":11,"set":{"steps":500},"eval":{"kl":0.03,"tv":0.2}},
{"dataset":"moons","objective":"sm","seed":1,"cpu_seconds":3,"error":"diverged at step 3"}]`,
		second: `[{"dataset":"moons","objective":"nce","seed":1,"cpu_seconds":9,"set":{"steps":500},"eval":{"kl":0.01,"tv":0.1,"samples":{"energy_distance":0.3,"in_hdr99":0.98,"floor":{"energy_distance":0.1}}}}]`,
		third:  `[{"dataset":"moons","objective":"nce","seed":1,"cpu_seconds":9,"set":{"train-points":900},"eval":{"kl":0.2,"reverse_kl":null,"tv":0.1,"fisher_relative":null,"score_slope":null,"nll":2.5,"train_nll":2.125}}]`,
		high:   `[{"dataset":"ring20","objective":"nce","seed":1,"cpu_seconds":9,"eval":{"dim":20,"kl":-0.01,"log_z_error":0.03,"nll_se":0.04}}]`,
	} {
		if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	var b strings.Builder
	if err := run([]string{first, second, third, high}, &b); err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{
		"ebm compare --objectives nce,sm --datasets moons --seeds 2 --set steps=500",
		"## nce, sm on moons, steps 500",
		"| `nce` | 0.2650 (0.0300–0.5000), 10 s |",
		"## nce on moons, train-points 900",
		"| `nce` | 0.0100, 9 s |",
		"| `nce` | -0.0100 ± 0.050, 9 s |", // √(0.03² + 0.04²)
		"| `sm` | – |",
		"3.00 | 0.980 |",
		"* `sm` on moons, seed 1: diverged at step 3",
		"--seeds 1 --set train-points=900",
		"| | TV | NLL − train NLL |\n|---|---|---|\n| `nce` | 0.100 | 0.375 |", // columns of known values
	} {
		if !strings.Contains(b.String(), want) {
			t.Errorf("no %q in\n%s", want, b.String())
		}
	}
	if err := os.WriteFile(first, []byte("{}"), 0o644); err != nil {
		t.Fatal(err)
	}
	if _, err := read(first); err == nil || !strings.Contains(err.Error(), "board.json") {
		t.Errorf("an object in place of cells: %v", err)
	}
}
