package main

import (
	"fmt"
	"math"
	"os"
	"slices"
	"strings"
	"time"

	"github.com/alecthomas/kong"

	"github.com/stheno-ebm/stheno/cmd/ebm/internal/board"
	"github.com/stheno-ebm/stheno/cmd/ebm/internal/exit"
)

// machines checks the flags for comparisons on many machines.
func (c *compareCmd) machines(cfg *board.Config) error {
	if c.Shards < 1 || c.Shards > board.MaxShards {
		return exit.Usagef("--shards %d: want 1 to %d", c.Shards, board.MaxShards)
	}
	if !(c.Lease > 0) || c.Lease > 1e6 {
		return exit.Usagef("--lease %g: want seconds, more than 0 and at most a million", c.Lease)
	}
	cfg.Lease = time.Duration(math.Ceil(c.Lease * 1e9))
	if c.Shard == "" {
		return nil
	}
	if c.Plan || c.Emit != "" {
		return exit.Usagef("--shard %s: --plan and --emit are about all shards; leave one of the two out", c.Shard)
	}
	var err error
	cfg.Shard, err = board.ParseShard(c.Shard, os.Getenv)
	return err
}

// plan prints the cost of the comparison.
func (c *compareCmd) plan(e *env, cfg board.Config) error {
	p, err := cfg.Plan(c.Shards)
	if err != nil {
		return err
	}
	if c.JSON {
		return writeJSON(e.stdout, p)
	}
	return p.Write(e.stdout)
}

// alone rejects flags that have no effect with the given one.
func alone(k *kong.Context, flag string, heeded ...string) error {
	for _, name := range explicit(k) {
		if name != flag && !slices.Contains(heeded, name) {
			return exit.Usagef("--%s: --%s has no effect on it; leave it out", flag, name)
		}
	}
	return nil
}

// given reports whether a flag was given.
func given(k *kong.Context, flag string) bool { return slices.Contains(explicit(k), flag) }

// gather makes a board from folders.
func (c *compareCmd) gather(e *env, k *kong.Context) error {
	if err := alone(k, "gather", "out", "json", "quiet"); err != nil {
		return err
	}
	from := append([]string{c.Gather}, c.More...)
	if !given(k, "out") {
		if len(from) > 1 {
			return exit.Usagef("--gather: %d folders need --out, where the board goes", len(from))
		}
		c.Out = from[0]
	}
	if !c.Quiet {
		e.logf("gathering what is done")
	}
	g, err := board.Gather(c.Out, from...)
	if err != nil {
		return err
	}
	if len(g.Cells) == 0 {
		return fmt.Errorf("--gather: no run is done in %s", strings.Join(from, ", "))
	}
	if err := writeBoard(e, g.Config, g.Cells, c.JSON); err != nil {
		return err
	}
	if n := len(g.Missing); n > 0 {
		names := make([]string, 0, 5)
		for _, m := range g.Missing[:min(n, 4)] {
			names = append(names, m.Name())
		}
		if n > len(names) {
			names = append(names, "…")
		}
		return fmt.Errorf("%d of %d runs are missing (%s); the board has the others", n, n+len(g.Cells),
			strings.Join(names, ", "))
	}
	return nil
}

// emit prints the file for a scheduler.
func (c *compareCmd) emit(e *env, k *kong.Context, cfg board.Config) error {
	if c.Plan || c.JSON {
		return exit.Usagef("--emit %s: it prints a file; leave --plan and --json out", c.Emit)
	}
	if c.Workers == 0 {
		cfg.Workers = 1
	}
	p, err := cfg.Plan(c.Shards)
	if err != nil {
		return err
	}
	r := board.Recipe{Program: program0(), Flags: c.flags(k),
		Emitted: []string{"--emit", c.Emit, "--shards", fmt.Sprint(c.Shards)}, Image: c.Image}
	if c.Workers > 0 {
		r.Emitted = append(r.Emitted, "--workers", fmt.Sprint(c.Workers))
	}
	return cfg.Emit(e.stdout, c.Emit, p, r)
}

// flags returns the flags that say what is compared.
func (c *compareCmd) flags(k *kong.Context) []string {
	flags := []string{"--datasets", strings.Join(c.Datasets, ","), "--objectives", strings.Join(c.Objectives, ","),
		"--seeds", fmt.Sprint(c.Seeds)}
	if c.Seconds != nil {
		flags = append(flags, "--seconds", fmt.Sprint(*c.Seconds))
	}
	for _, s := range c.Set {
		flags = append(flags, "--set", s)
	}
	if given(k, "lease") {
		flags = append(flags, "--lease", fmt.Sprint(c.Lease))
	}
	return append(flags, "--out", c.Out)
}

// program0 returns the path of this program, for tasks on other machines; only its name if it was built for a single
// run.
func program0() string {
	path, err := os.Executable()
	if err != nil || strings.HasPrefix(path, os.TempDir()) {
		return "ebm"
	}
	return path
}

// watch shows the progress of a comparison: repeatedly in a terminal until it is done, otherwise once.
func (c *compareCmd) watch(e *env, k *kong.Context) error {
	if err := alone(k, "watch", "json"); err != nil {
		return err
	}
	w := board.NewWatcher(c.Watch)
	for again := false; ; again = true {
		s, err := w.Look()
		if err != nil {
			return err
		}
		if c.JSON {
			return writeJSON(e.stdout, s)
		}
		if again {
			fmt.Fprint(e.stdout, "\x1b[H\x1b[2J") // clear the screen
		}
		if err := s.Write(e.stdout); err != nil || s.Done == s.Cells || !terminal(e.stdout) {
			return err
		}
		select {
		case <-e.ctx.Done():
			return nil // interrupting ends watching
		case <-time.After(2 * time.Second):
		}
	}
}
