package main

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stheno-ebm/stheno/cmd/ebm/internal/board"
)

// quick are the flags of a comparison whose runs take a fraction of a second.
func quick(more ...string) []string {
	args := []string{"compare", "--quiet"}
	for _, s := range []string{"hidden=8", "batch=16", "samples=0", "test-points=100", "grid=50", "energy=mlp",
		"bridge=0", "checkpoint-every=20"} {
		args = append(args, "--set", s)
	}
	return append(args, more...)
}

// bracketed matches the seconds in a table.
var bracketed = regexp.MustCompile(`\([0-9.]+\)`)

// boardText is everything in the files of a board except its seconds and the picture that shows them.
func boardText(t *testing.T, dir string) string {
	t.Helper()
	b, err := os.ReadFile(filepath.Join(dir, "board.json"))
	if err != nil {
		t.Fatal(err)
	}
	var cells []board.Cell
	if err := json.Unmarshal(b, &cells); err != nil {
		t.Fatal(err)
	}
	for i := range cells {
		cells[i].CPU = 0
	}
	var text bytes.Buffer
	cfg := board.Config{}
	seen := make(map[string]bool)
	for _, c := range cells {
		for name, list := range map[string]*[]string{c.Dataset: &cfg.Datasets, c.Objective: &cfg.Objectives} {
			if !seen[name] {
				seen[name] = true
				*list = append(*list, name)
			}
		}
	}
	if err := json.NewEncoder(&text).Encode(cells); err != nil {
		t.Fatal(err)
	}
	if err := board.WriteTable(&text, cfg, cells); err != nil {
		t.Fatal(err)
	}
	if err := board.WriteCSV(&text, cells); err != nil {
		t.Fatal(err)
	}
	// The table itself, without its seconds, has the rows and columns of the one made here.
	table, err := os.ReadFile(filepath.Join(dir, "table.md"))
	if err != nil {
		t.Fatal(err)
	}
	return text.String() + bracketed.ReplaceAllString(string(table), "()")
}

// sameBoard fails unless two boards are the same except for their seconds, with the same models behind them, and no
// work files are left in the first one.
func sameBoard(t *testing.T, got, want string) {
	t.Helper()
	if a, b := boardText(t, got), boardText(t, want); a != b {
		t.Fatalf("the boards of %s and %s differ:\n%s\n%s", got, want, a, b)
	}
	cells, err := filepath.Glob(filepath.Join(want, "cells", "*"))
	if err != nil || len(cells) == 0 {
		t.Fatalf("no cells in %s, %v", want, err)
	}
	for _, c := range cells {
		for _, name := range []string{"model.safetensors", "eval.json", "config.json"} {
			if _, err := os.Stat(filepath.Join(c, name)); err != nil { // the objective rejected the data
				continue
			}
			same(t, filepath.Join(got, "cells", filepath.Base(c), name), filepath.Join(c, name))
		}
	}
	all, _ := filepath.Glob(filepath.Join(got, "cells", "*"))
	if len(all) != len(cells) {
		t.Errorf("%d folders of cells, want %d", len(all), len(cells))
	}
	if left, _ := filepath.Glob(filepath.Join(got, "cells", ".*")); len(left) > 0 {
		t.Errorf("left behind: %v", left)
	}
}

// TestSplits: the board is the same however the work is split, over one folder or several, including partial ones, in
// whatever order they are gathered.
func TestSplits(t *testing.T) {
	t.Parallel()
	tmp := t.TempDir()
	// flow-nce rejects data of one dimension.
	points := filepath.Join(tmp, "line.csv")
	if err := os.WriteFile(points, []byte("x\n"+strings.Repeat("0.1\n0.7\n-0.4\n1.1\n-0.9\n", 20)), 0o644); err != nil {
		t.Fatal(err)
	}
	args := quick("--datasets", "moons,"+points, "--objectives", "nce,flow-nce,dsm", "--seeds", "2", "--set",
		"steps=20", "--workers", "1")
	plain := filepath.Join(tmp, "plain")
	want := ebm(t, append(args, "--out", plain)...).want(t, 0)
	if !strings.Contains(want.out, "refused |") {
		t.Errorf("no cell was refused:\n%s", want.out)
	}
	one := filepath.Join(tmp, "one")
	var many []string
	for k := range 3 {
		shard := fmt.Sprintf("%d/3", k)
		ebm(t, append(args, "--out", one, "--shard", shard)...).want(t, 0)
		many = append([]string{filepath.Join(tmp, "many-"+strconv.Itoa(k))}, many...)
		ebm(t, append(args, "--out", many[0], "--shard", shard)...).want(t, 0)
	}
	ebm(t, append(args, "--out", many[1], "--shard", "0/3")...).want(t, 0) // twice, in two folders
	ebm(t, "compare", "--gather", one, "--quiet").want(t, 0)
	sameBoard(t, one, plain)
	all := filepath.Join(tmp, "all")
	got := ebm(t, append([]string{"compare", "--out", all, "--gather"}, many...)...).want(t, 0)
	sameBoard(t, all, plain)
	if first, again := contents(t, all),
		ebm(t, append([]string{"compare", "--out", all, "--gather"}, many...)...); again.out != got.out ||
		contents(t, all) != first {
		t.Error("gathered again, the board differs")
	}
	ebm(t, append(args, "--out", all)...).want(t, 0) // finds its work already done
	sameBoard(t, all, plain)

	partial := filepath.Join(tmp, "partial")
	r := ebm(t, "compare", "--out", partial, "--gather", many[0], "--quiet").want(t, 1)
	if !strings.Contains(r.errout, "runs are missing") || !strings.Contains(r.out, "–") {
		t.Errorf("a partial board: %q, %q", r.out, r.errout)
	}
	ebm(t, append(args, "--out", partial)...).want(t, 0) // goes on
	sameBoard(t, partial, plain)

	other := filepath.Join(tmp, "other")
	ebm(t, append(args, "--out", other, "--set", "lr=0.5", "--shard", "0/3")...).want(t, 0)
	ebm(t, "compare", "--quiet", "--out", all, "--gather", one, other).want(t, 2).oneLine(t, one, other,
		"do not go together", "lr=0.5")
	ebm(t, "compare", "--gather", one, other).want(t, 2).oneLine(t, "--out")
	ebm(t, "compare", "--quiet", "--gather", tmp).want(t, 2).oneLine(t, "holds no comparison")
}

// TestTwoCompares: two comparisons that run in one folder at the same time share the work, and both succeed with the
// board that one alone would make. One with different settings is refused in a line that names the folder and both
// settings, but no flag that was not given: neither one of another command nor one with a default.
func TestTwoCompares(t *testing.T) {
	t.Parallel()
	tmp := t.TempDir()
	args := quick("--datasets", "moons", "--objectives", "nce,dsm", "--seeds", "2", "--set", "steps=300", "--workers",
		"1")
	plain, dir := filepath.Join(tmp, "plain"), filepath.Join(tmp, "shared")
	ebm(t, append(args, "--out", plain)...).want(t, 0)
	type ended struct {
		out []byte
		err error
	}
	both := make(chan ended, 2)
	for range 2 {
		cmd := command(t, append(args, "--out", dir)...)
		go func() {
			out, err := cmd.CombinedOutput()
			both <- ended{out, err}
		}()
	}
	for range 2 {
		if r := <-both; r.err != nil || strings.Contains(string(r.out), "ebm: ") {
			t.Errorf("%v: %s", r.err, r.out)
		}
	}
	sameBoard(t, dir, plain)

	// One comparison working in the folder, and one with different settings.
	long := append(args, "--seeds", "3", "--set", "steps=100000000", "--out", filepath.Join(tmp, "long"))
	cmd := command(t, long...)
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	defer func() {
		_ = cmd.Process.Kill()
		_ = cmd.Wait()
	}()
	waitFor(t, filepath.Join(tmp, "long", "sweep.json"), 0)
	r := ebm(t, append(args, "--out", filepath.Join(tmp, "long"))...).want(t, 2)
	r.oneLine(t, filepath.Join(tmp, "long"), "steps=100000000", "steps=300", "choose another --out")
	for _, flag := range []string{"--resume", "--seconds", "--lease", "--shard", "--objectives", "--datasets"} {
		if strings.Contains(r.errout, flag) {
			t.Errorf("%q names %s, which nobody gave", r.errout, flag)
		}
	}
	// A setting out of range is named as it was given, and does not claim the folder.
	bad := filepath.Join(tmp, "bad")
	r = ebm(t, append(args, "--set", "steps=-1", "--out", bad)...).want(t, 2)
	r.oneLine(t, "--set steps -1")
	if left, _ := os.ReadDir(bad); len(left) > 0 {
		t.Errorf("a comparison that cannot begin has left %v", left)
	}
}

// TestShardsKilled kills shards at random moments. Two processes at a time work on each, in one folder; every second
// process has no flock and, as far as the others can see, runs on another machine. EBM_KILL sets the number of kills.
func TestShardsKilled(t *testing.T) {
	t.Parallel()
	kills := int64(6)
	if text := os.Getenv("EBM_KILL"); text != "" {
		n, err := strconv.ParseInt(text, 10, 64)
		if err != nil {
			t.Fatalf("EBM_KILL=%s: want a number", text)
		}
		kills = n
	}
	tmp := t.TempDir()
	steps := "steps=" + strconv.FormatInt(100+3*kills, 10)
	args := quick("--datasets", "moons,4squares", "--objectives", "nce,dsm,ml", "--seeds", "2", "--set", steps,
		"--workers", "1", "--lease", "1")
	plain, dir := filepath.Join(tmp, "plain"), filepath.Join(tmp, "shared")
	ebm(t, append(args, "--out", plain)...).want(t, 0)
	seed := uint64(time.Now().UnixNano()) // the moments should differ from run to run
	var left, killed, took atomic.Int64
	left.Store(kills)
	var wg sync.WaitGroup
	ctx, cancel := context.WithTimeout(t.Context(), 9*time.Minute)
	defer cancel()
	for k := range 8 {
		rng := rand.New(rand.NewPCG(seed, uint64(k)))
		wg.Go(func() {
			for ctx.Err() == nil {
				cmd := command(t, append(args, "--out", dir, "--shard", fmt.Sprintf("%d/4", k/2))...)
				if k%2 == 1 {
					elsewhere(cmd)
				}
				out, err := killedAfter(ctx, cmd, time.Duration(rng.Float64()*float64(2*time.Second)), &left, &killed)
				if err == nil && left.Load() <= 0 {
					return
				}
				if err != nil && !strings.Contains(err.Error(), "killed") {
					t.Errorf("shard %d/4: %v\n%s", k/2, err, out)
					return
				}
			}
		})
	}
	start := time.Now()
	wg.Wait()
	took.Store(int64(time.Since(start)))
	if ctx.Err() != nil {
		t.Fatalf("not done after nine minutes, %d kills", killed.Load())
	}
	ebm(t, "compare", "--gather", dir, "--quiet").want(t, 0)
	sameBoard(t, dir, plain)
	if work, err := os.ReadDir(filepath.Join(dir, "work")); err == nil {
		// a process killed during cleanup leaves something behind
		ebm(t, append(args, "--out", dir)...).want(t, 0)
		if work2, err := os.ReadDir(filepath.Join(dir, "work")); err == nil {
			t.Errorf("left of the work: %v, then %v", work, work2)
		}
	}
	t.Logf("%d kills of 8 processes in %v", killed.Load(), time.Duration(took.Load()).Round(time.Millisecond))
}

// killedAfter runs a process and kills it after a while, if a kill is left.
func killedAfter(ctx context.Context, cmd *exec.Cmd, after time.Duration, left, killed *atomic.Int64) (string, error) {
	var out bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &out
	if err := cmd.Start(); err != nil {
		return "", err
	}
	ended := make(chan error, 1)
	go func() { ended <- cmd.Wait() }()
	timer := time.NewTimer(after)
	defer timer.Stop()
	for {
		select {
		case err := <-ended:
			return out.String(), err
		case <-ctx.Done():
			_ = cmd.Process.Kill()
			return out.String(), <-ended
		case <-timer.C:
			if left.Add(-1) >= 0 {
				killed.Add(1)
				_ = cmd.Process.Kill()
			}
		}
	}
}

// TestMachinesInput: mistakes in the flags for several machines are reported in one line, before anything is written.
func TestMachinesInput(t *testing.T) {
	t.Chdir(t.TempDir())
	for _, c := range []struct {
		args  []string
		texts []string
	}{
		{[]string{"--shard", "4/4"}, []string{"--shard 4/4", "I from 0 to N-1"}},
		{[]string{"--shard", "0/2", "--plan"}, []string{"--shard 0/2", "--plan"}},
		{[]string{"--shards", "3"}, []string{"--shards 3", "--plan and --emit", "--shard I/3"}},
		{[]string{"--shards", "0", "--plan"}, []string{"--shards 0", "1 to"}},
		{[]string{"--lease", "0"}, []string{"--lease 0", "more than 0"}},
		{[]string{"--emit", "slrum"}, []string{"--emit", `"slurm"`, "kubernetes"}},
		{[]string{"--emit", "kubernetes", "--out", "/board"}, []string{"--out /board", "top of the volume"}},
		{[]string{"--image", "ebm:2"}, []string{"--image ebm:2", "--emit kubernetes"}},
		{[]string{"--watch", "nowhere"}, []string{"nowhere holds no comparison"}},
		{[]string{"--watch", ".", "--out", "x"}, []string{"--watch", "--out has no effect"}},
		{[]string{"--gather", "a", "b"}, []string{"2 folders need --out"}},
		{[]string{"a"}, []string{"unexpected argument a"}},
	} {
		ebm(t, append([]string{"compare"}, c.args...)...).want(t, 2).oneLine(t, c.texts...)
	}
	if left, _ := os.ReadDir("."); len(left) > 0 {
		t.Errorf("written: %v", left)
	}
}
