package board

import (
	"bytes"
	"encoding/json"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stheno-ebm/stheno/objectives"
	"github.com/stheno-ebm/stheno/objectives/fit"
)

// TestShards: however many shards there are, every cell is in exactly one, and none takes longer than the greedy rule
// allows: 4/3 of the optimum, which is at least the mean and the longest cell.
func TestShards(t *testing.T) {
	cfg := Config{Datasets: []string{"4squares", "moons", "mixture10"}, Objectives: objectives.Names(), Seeds: 2}
	for _, n := range []int{1, 2, 3, 6, 7, 50, 200} {
		p, err := cfg.Plan(n)
		if err != nil {
			t.Fatal(err)
		}
		seen := make(map[string]int)
		for k := range n {
			for _, c := range p.of(k) {
				seen[c.Name()]++
			}
		}
		if len(seen) != len(p.Cells) {
			t.Errorf("%d shards: %d cells of %d", n, len(seen), len(p.Cells))
		}
		longest := slices.MaxFunc(p.Cells, func(a, b Planned) int { return int(a.cost - b.cost) }).cost
		bound := max(p.Total()/time.Duration(n), longest)
		if got := p.Longest(); got > bound*4/3 {
			t.Errorf("%d shards: the longest takes %v, want at most 4/3 of %v", n, got, bound)
		}
		again, err := cfg.Plan(n)
		if err != nil || !slices.EqualFunc(p.Cells, again.Cells,
			func(a, b Planned) bool { return a.Shard == b.Shard && a.cost == b.cost }) {
			t.Errorf("%d shards: the second plan differs, error %v", n, err)
		}
	}
}

// TestCostsGrow: more steps, rows, units or dimensions cost more, and even objectives that nobody has measured have a
// cost.
func TestCostsGrow(t *testing.T) {
	cost := func(dataset, objective string, set ...string) time.Duration {
		cfg := Config{Set: make(fit.Layer)}
		for _, text := range set {
			key, value, _ := strings.Cut(text, "=")
			if key == "hidden" {
				value = "[" + value + "]"
			}
			cfg.Set[key] = json.RawMessage(value)
		}
		c, err := cfg.costs([]Cell{{Dataset: dataset, Objective: objective, Seed: 1}})
		if err != nil {
			t.Fatal(err)
		}
		return c[0]
	}
	for _, o := range objectives.Names() {
		base := cost("4squares", o, "steps=1000", "batch=128", "hidden=64,64")
		for _, more := range [][]string{{"steps=2000", "batch=128", "hidden=64,64"},
			{"steps=1000", "batch=256", "hidden=64,64"}, {"steps=1000", "batch=128", "hidden=256,256"}} {
			if got := cost("4squares", o, more...); got <= base {
				t.Errorf("%s with %v: %v, with less %v", o, more, got, base)
			}
		}
		if got := cost("mixture10", o, "steps=1000", "batch=128", "hidden=64,64"); got <= base {
			t.Errorf("%s in ten dimensions: %v, in two %v", o, got, base)
		}
		if len(stepCosts[o]) < 3 {
			t.Errorf("costs.csv: %s in %d dimensions; go test ./cmd/ebm/internal/board -run Costs -update measures it",
				o, len(stepCosts[o]))
		}
	}
	if got := rowCost("somebody's own", 2, []int{128, 128}); got < 1000 || got > 100_000 {
		t.Errorf("an objective that was not measured: %d ns per row", got)
	}
	if got := rowCost("nce", 1_000_000, []int{1 << 20}); got <= 0 {
		t.Errorf("a million dimensions: %d ns per row", got)
	}
}

func TestParseShard(t *testing.T) {
	for _, c := range []struct {
		text, env string
		want      Shard
		err       string
	}{
		{text: "0/1", want: Shard{0, 1}},
		{text: "5/6", want: Shard{5, 6}},
		{text: "6/6", err: "I from 0 to N-1"},
		{text: "-1/6", err: "--shard -1/6"},
		{text: "1", err: "I/N"},
		{text: "a/b", err: "I/N"},
		{text: "auto", err: "neither SLURM_ARRAY_TASK_ID nor JOB_COMPLETION_INDEX"},
		{text: "auto", env: "SLURM_ARRAY_TASK_ID=2 SLURM_ARRAY_TASK_MIN=0 SLURM_ARRAY_TASK_COUNT=6", want: Shard{2, 6}},
		{text: "auto", env: "SLURM_ARRAY_TASK_ID=12 SLURM_ARRAY_TASK_MIN=10 SLURM_ARRAY_TASK_COUNT=6",
			want: Shard{2, 6}},
		{text: "auto", env: "SLURM_ARRAY_TASK_ID=14 SLURM_ARRAY_TASK_MIN=10 SLURM_ARRAY_TASK_STEP=2 " +
			"SLURM_ARRAY_TASK_COUNT=6", want: Shard{2, 6}},
		{text: "auto", env: "SLURM_ARRAY_TASK_ID=3 SLURM_ARRAY_TASK_MIN=3 SLURM_ARRAY_TASK_COUNT=1 EBM_SHARDS=6",
			want: Shard{3, 6}},
		{text: "auto", env: "SLURM_ARRAY_TASK_ID=9 SLURM_ARRAY_TASK_MIN=0 SLURM_ARRAY_TASK_COUNT=2", err: "no gaps"},
		{text: "auto", env: "SLURM_ARRAY_TASK_ID=x", err: `SLURM_ARRAY_TASK_ID is "x"`},
		{text: "auto", env: "JOB_COMPLETION_INDEX=4 EBM_SHARDS=8", want: Shard{4, 8}},
		{text: "auto", env: "JOB_COMPLETION_INDEX=4", err: "EBM_SHARDS is not set"},
		{text: "auto", env: "JOB_COMPLETION_INDEX=4 EBM_SHARDS=4", err: "task 4 of 4"},
	} {
		env := make(map[string]string)
		for _, word := range strings.Fields(c.env) {
			k, v, _ := strings.Cut(word, "=")
			env[k] = v
		}
		got, err := ParseShard(c.text, func(name string) string { return env[name] })
		switch {
		case c.err == "" && (err != nil || got != c.want):
			t.Errorf("%s with %s: got %v and %v, want %v", c.text, c.env, got, err, c.want)
		case c.err != "" && (err == nil || !strings.Contains(err.Error(), c.err)):
			t.Errorf("%s with %s: error %v, want one that says %q", c.text, c.env, err, c.err)
		}
	}
}

func TestPlanText(t *testing.T) {
	cfg := Config{Datasets: []string{"moons"}, Objectives: []string{"nce", "sm"}, Seeds: 3, Seconds: 60}
	p, err := cfg.Plan(2)
	if err != nil {
		t.Fatal(err)
	}
	var b bytes.Buffer
	if err := p.Write(&b); err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{"nce", "moons", "     3 ", "6 cells, about 6 min on one core",
		"2 shards of one core each: 3 min to 3 min"} {
		if !strings.Contains(b.String(), want) {
			t.Errorf("the plan does not say %q:\n%s", want, b.String())
		}
	}
}
