package main

import (
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"math"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"

	"github.com/alecthomas/kong"

	"github.com/stheno-ebm/stheno/cmd/ebm/internal/board"
	"github.com/stheno-ebm/stheno/cmd/ebm/internal/exit"
	"github.com/stheno-ebm/stheno/datasets"
	"github.com/stheno-ebm/stheno/datasets/files"
	"github.com/stheno-ebm/stheno/objectives"
	"github.com/stheno-ebm/stheno/viz"
)

type compareCmd struct {
	Datasets   []string `default:"4squares,8gaussians,2spirals" placeholder:"NAME" help:"Distributions or files (${default})."`
	Objectives []string `default:"nce,ml,sm,ssm-vr,dsm" placeholder:"NAME" help:"Objectives, or all (${default})."`
	Seeds      int      `default:"1" help:"Runs of each, with seeds 1, 2, … (${default}); the table has medians."`
	Seconds    *float64 `placeholder:"X" help:"CPU seconds of training per run, instead of the default steps."`
	Workers    int      `help:"Runs at a time (one per core)."`
	Set        []string `placeholder:"KEY=VALUE" sep:"none" help:"A setting of ebm train for all runs; may be repeated."`
	Out        string   `default:"runs/compare" placeholder:"DIR" help:"Folder (${default}). Finished runs in it are not repeated."`
	JSON       bool     `name:"json" help:"Print JSON."`
	Quiet      bool     `short:"q" help:"No progress."`

	Plan   bool     `group:"machines" help:"Print the approximate cost of the runs, and do nothing."`
	Shards int      `default:"1" group:"machines" help:"Number of parts for --plan, of tasks for --emit (${default})."`
	Shard  string   `placeholder:"I/N" group:"machines" help:"Do part I of N, counted from 0; auto takes both from Slurm or Kubernetes. Parts may share a folder, also on a network."`
	Gather string   `placeholder:"DIR" group:"machines" help:"Make the board from the finished runs in these folders, in --out, or in the folder itself if there is only one: --gather a b c."`
	More   []string `arg:"" optional:"" name:"dir" help:"More folders of --gather."`
	Emit   string   `placeholder:"NAME" group:"machines" help:"Print a file for doing the comparison in --shards tasks of --workers runs at a time (1): a script for sbatch (slurm), or a manifest (kubernetes)."`
	Image  string   `default:"ebm" placeholder:"NAME" group:"machines" help:"Container image of --emit kubernetes (${default}); cmd/ebm/Containerfile builds one."`
	Watch  string   `placeholder:"DIR" group:"machines" help:"Show the progress of the runs in a folder: done, running, failed, time left, the table so far."`
	Lease  float64  `default:"60" placeholder:"X" group:"machines" help:"Seconds without a sign of life after which other processes take over the runs of a process (${default})."`
}

func (compareCmd) Help() string {
	return `Writes table.md, table.csv and board.json to the folder, and board.png for two-dimensional data. If it is stopped or killed, starting it again continues where it was, and the CPU seconds spent before count. If an objective refuses the data, the table says so. Any number of processes may work in one folder; each run is done by one of them.

Examples:

    ebm compare
    ebm compare --objectives all --datasets moons --seconds 60 --seeds 3
    ebm compare --set steps=500 --set hidden=32,32 --out runs/quick
    ebm compare --objectives all --seeds 5 --plan --shards 6
    ebm compare --objectives all --seeds 5 --emit slurm --shards 6 > sweep.sh
    ebm compare --watch runs/compare
    ebm compare --gather runs/compare`
}

func (c *compareCmd) Run(e *env, k *kong.Context) error {
	return exit.Named(c.run(e, k), compareFlag)
}

// compareFlag names a setting as people give it to compare, which has no flags of train.
func compareFlag(key string) string {
	switch key {
	case "dataset", "objective", "seed":
		return "--" + key + "s"
	}
	return "--set " + key
}

func (c *compareCmd) run(e *env, k *kong.Context) error {
	switch {
	case c.Gather != "":
		return c.gather(e, k)
	case c.Watch != "":
		return c.watch(e, k)
	}
	if len(c.More) > 0 {
		return exit.Usagef("unexpected argument %s (see: ebm compare --help)", c.More[0])
	}
	cfg, err := c.config()
	if err != nil {
		return err
	}
	switch {
	case c.Emit != "":
		return c.emit(e, k, cfg)
	case given(k, "image"):
		return exit.Usagef("--image %s: it is for --emit kubernetes", c.Image)
	case c.Plan:
		return c.plan(e, cfg)
	case given(k, "shards"):
		return exit.Usagef("--shards %d: it is for --plan and --emit; --shard I/%d does a part", c.Shards, c.Shards)
	}
	if !c.Quiet {
		c.follow(e, &cfg)
	}
	if err := os.MkdirAll(c.Out, 0o755); err != nil {
		return exit.Usagef("--out %s: %w", c.Out, err)
	}
	cells, err := board.Run(e.ctx, cfg)
	if errors.Is(err, context.Canceled) {
		return &exit.Error{Code: exit.Interrupted,
			Err: fmt.Errorf("interrupted; the same command goes on with what is in %s", c.Out)}
	}
	if err != nil {
		return err
	}
	if cfg.Shard.Count > 0 {
		return c.shardDone(e, cfg, cells)
	}
	return writeBoard(e, cfg, cells, c.JSON)
}

// follow logs what is done.
func (c *compareCmd) follow(e *env, cfg *board.Config) {
	cfg.Done = func(k board.Cell, done, total int) {
		what := k.Error
		if k.Eval != nil {
			v, name := k.Quality()
			what = fmt.Sprintf("%s %.4f, %.1f CPU s", name, v, k.CPU)
		}
		e.logf("%d/%d %s %s seed %d: %s", done, total, k.Dataset, k.Objective, k.Seed, what)
	}
	cfg.Waiting = func(cells int) {
		e.logf("other processes are at work on what is left, %d of the runs; waiting for them", cells)
	}
}

// shardDone prints the results of a shard; the board needs all of them.
func (c *compareCmd) shardDone(e *env, cfg board.Config, cells []board.Cell) error {
	if c.JSON {
		return writeJSON(e.stdout, cells)
	}
	if !c.Quiet {
		e.logf("shard %d/%d: %d runs are done", cfg.Shard.Index, cfg.Shard.Count, len(cells))
	}
	_, err := fmt.Fprintln(e.stdout, c.Out)
	return err
}

// writeBoard writes the files of a board into its folder, and prints it.
func writeBoard(e *env, cfg board.Config, cells []board.Cell, asJSON bool) error {
	var table, csv bytes.Buffer
	if err := board.WriteTable(&table, cfg, cells); err != nil {
		return err
	}
	if err := board.WriteCSV(&csv, cells); err != nil {
		return err
	}
	all, err := json.MarshalIndent(cells, "", "  ")
	if err != nil {
		return err
	}
	for name, b := range map[string][]byte{"table.md": table.Bytes(), "table.csv": csv.Bytes(),
		"board.json": append(all, '\n')} {
		if err := files.Write(filepath.Join(cfg.Dir, name), b); err != nil {
			return err
		}
	}
	fig, err := board.Picture(cfg, cells)
	if err != nil {
		return err
	}
	picture := filepath.Join(cfg.Dir, "board.png")
	if fig != nil {
		err = viz.Save(picture, fig)
	} else if err = os.Remove(picture); errors.Is(err, fs.ErrNotExist) { // from other data compared here before
		err = nil
	}
	if err != nil {
		return err
	}
	if asJSON {
		return writeJSON(e.stdout, cells)
	}
	_, err = e.stdout.Write(table.Bytes())
	fmt.Fprintln(e.stdout, cfg.Dir)
	return err
}

// config checks the flags.
func (c *compareCmd) config() (board.Config, error) {
	cfg := board.Config{Datasets: c.Datasets, Objectives: c.Objectives, Seeds: c.Seeds, Dir: c.Out,
		Workers: cmp.Or(c.Workers, runtime.GOMAXPROCS(0))}
	if len(c.Objectives) == 1 && c.Objectives[0] == "all" {
		cfg.Objectives = objectives.Names()
	}
	for _, o := range cfg.Objectives {
		if !slices.Contains(objectives.Names(), o) {
			return cfg, exit.Unknown("--objectives", o, objectives.Names())
		}
	}
	for _, d := range cfg.Datasets {
		if !isFile(d) && !slices.Contains(datasets.Names(), d) {
			if _, err := os.Stat(d); err == nil { // it exists but cannot be read, for example a folder
				if _, err := datasets.Open(d); err != nil {
					return cfg, exit.Usagef("--datasets: %w", err)
				}
			}
			return cfg, exit.Unknown("--datasets", d, datasets.Names())
		}
	}
	for _, l := range []struct {
		flag  string
		names []string
		key   func(string) string // name of the folder of a cell
	}{{"--objectives", cfg.Objectives, strings.Clone}, {"--datasets", cfg.Datasets, filepath.Base}} {
		seen := map[string]string{}
		for _, name := range l.names {
			switch first, ok := seen[l.key(name)]; {
			case ok && filepath.Clean(first) == filepath.Clean(name):
				return cfg, exit.Usagef("%s: %s is given twice; once is enough, --seeds repeats the runs", l.flag, name)
			case ok:
				return cfg, exit.Usagef(
					"%s: %s and %s have the same name, under which the runs would be stored; rename one of them",
					l.flag, first, name)
			}
			seen[l.key(name)] = name
		}
	}
	for _, d := range cfg.Datasets {
		if _, err := os.Stat(d); isFile(d) && err != nil {
			return cfg, exit.Usagef("--datasets: %w", err)
		}
	}
	if err := checkThreads("--workers", c.Workers); err != nil {
		return cfg, err
	}
	switch {
	case c.Seeds <= 0 || c.Seeds > 1000:
		return cfg, exit.Usagef("--seeds %d: want 1 to 1000", c.Seeds)
	case c.Seconds != nil && (!(*c.Seconds > 0) || math.IsInf(*c.Seconds, 1)):
		return cfg, exit.Usagef("--seconds %g: want > 0", *c.Seconds)
	case c.Seconds != nil:
		cfg.Seconds = *c.Seconds
	}
	if err := c.machines(&cfg); err != nil {
		return cfg, err
	}
	var err error
	if cfg.Set, err = assignments(c.Set); err != nil {
		return cfg, err
	}
	for _, key := range []string{"dataset", "objective", "seed"} {
		if _, ok := cfg.Set[key]; ok {
			return cfg, exit.Usagef("--set %s: compare chooses it; use --%ss", key, key)
		}
	}
	if _, ok := cfg.Set["steps"]; ok && c.Seconds != nil {
		return cfg, exit.Usagef("--set steps: the budget of --seconds chooses them; leave one of the two out")
	}
	return cfg, nil
}
