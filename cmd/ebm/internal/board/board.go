// Package board compares objectives on data: every objective × dataset × seed is a cell, a training run of its own in a
// folder, judged by the same measures. Cells that are done are not done again.
package board

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/stheno-ebm/stheno/cmd/ebm/internal/exit"
	"github.com/stheno-ebm/stheno/cmd/ebm/internal/job"
	"github.com/stheno-ebm/stheno/cmd/ebm/internal/model"
	"github.com/stheno-ebm/stheno/cmd/ebm/internal/run"
	"github.com/stheno-ebm/stheno/cmd/ebm/internal/settings"
	"github.com/stheno-ebm/stheno/objectives/metrics"
	"github.com/stheno-ebm/stheno/objectives/train"
)

// Config is a comparison.
type Config struct {
	Datasets, Objectives []string
	Seeds                int            // 1, 2, … Seeds
	Set                  settings.Layer // over the defaults of every cell
	Seconds              float64        // of CPU per cell; 0: as many steps as the settings say
	Workers              int            // cells at a time
	Dir                  string         // where cells and results go
	Done                 func(c Cell, done, total int)
}

// Cell is the outcome of one run.
type Cell struct {
	Dataset   string          `json:"dataset"`
	Objective string          `json:"objective"`
	Seed      uint64          `json:"seed"`
	Steps     int             `json:"steps"`
	CPU       float64         `json:"cpu_seconds"`    // of training
	Set       settings.Layer  `json:"set,omitempty"`  // over the defaults
	Data      string          `json:"data,omitempty"` // what the file was known by
	Error     string          `json:"error,omitempty"`
	Run       string          `json:"run"` // folder
	Eval      *metrics.Report `json:"eval,omitempty"`

	refused error // by the objective, before anything was made
}

const (
	resultFile = "cell.json"      // marks a cell that is done
	spentFile  = "cpu_seconds"    // of one that is not done, up to its checkpoint or, where it was interrupted, to that moment
	budgetFile = "budget_seconds" // of one whose steps a budget chose
)

// Run fills the cells. It is an error if the objectives refuse all of them. When ctx is cancelled, those that are done stay, and those that had begun have a checkpoint.
func Run(ctx context.Context, cfg Config) ([]Cell, error) {
	var cells []Cell
	sums := make([]string, len(cfg.Datasets))
	for k, d := range cfg.Datasets {
		var err error
		if sums[k], err = model.FileSum(d); err != nil {
			return nil, fmt.Errorf("--datasets: %w", err)
		}
	}
	for _, o := range cfg.Objectives {
		for k, d := range cfg.Datasets {
			for seed := range cfg.Seeds {
				cells = append(cells, Cell{Dataset: d, Objective: o, Seed: uint64(seed + 1), Data: sums[k]})
			}
		}
	}
	var (
		wg   sync.WaitGroup
		mu   sync.Mutex
		next = make(chan int)
		errs []error
		done int
	)
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	for range cfg.Workers {
		wg.Go(func() {
			// CPU seconds are those of the thread: it is kept to one cell.
			runtime.LockOSThread()
			defer runtime.UnlockOSThread()
			for i := range next {
				err := cfg.cell(ctx, &cells[i])
				mu.Lock()
				if err != nil {
					errs = append(errs, err)
					cancel()
				} else if done++; cfg.Done != nil {
					cfg.Done(cells[i], done, len(cells))
				}
				mu.Unlock()
			}
		})
	}
	for i := range cells {
		if ctx.Err() != nil {
			break
		}
		next <- i
	}
	close(next)
	wg.Wait()
	if len(errs) > 0 {
		return nil, errs[0]
	}
	if !slices.ContainsFunc(cells, func(c Cell) bool { return c.refused == nil }) && len(cells) > 0 {
		return nil, cells[0].refused
	}
	return cells, ctx.Err()
}

// cell fills one cell. What fails in its training is the cell's, as is the refusal of its objective to learn from the data,
// of which nothing is stored; an error is about the comparison.
func (cfg Config) cell(ctx context.Context, c *Cell) error {
	c.Run = filepath.Join(cfg.Dir, "cells", fmt.Sprintf("%s-%s-%d", filepath.Base(c.Dataset), c.Objective, c.Seed))
	s, err := cfg.settings(*c)
	if err != nil {
		return err
	}
	dir, resume, err := cfg.open(c, &s)
	if err != nil || c.Steps > 0 {
		return c.refuse(err)
	}
	defer dir.Unlock()
	plan, err := job.Prepare(s)
	if err != nil {
		return c.refuse(err)
	}
	earlier, err := readSeconds(c.Run, spentFile)
	if err != nil {
		return err
	}
	before, trained := threadTime(), time.Duration(-1)
	seconds := func() float64 {
		spent := trained
		if spent < 0 {
			spent = threadTime() - before
		}
		return earlier + spent.Seconds()
	}
	store := func() error { return dir.Write(spentFile, fmt.Appendf(nil, "%g\n", seconds())) }
	res, err := plan.Run(ctx, dir, job.Options{
		Resume: resume, NoPictures: true,
		Checkpoint: func(int) error { return store() },
		Stage: func(string) {
			if trained < 0 {
				trained = threadTime() - before
			}
		},
	})
	switch {
	case errors.Is(err, train.ErrDiverged):
		c.Error = exit.Line(err)
	case err != nil:
		if failed := store(); failed != nil {
			return errors.Join(err, failed)
		}
		return err
	default:
		c.Eval = res.Eval
	}
	c.Steps, c.CPU, c.Set = s.Steps, seconds(), cfg.Set
	b, err := json.MarshalIndent(c, "", "  ")
	if err != nil {
		return err
	}
	return dir.Write(resultFile, append(b, '\n'))
}

// refuse makes the refusal of an objective the cell's; other errors it returns.
func (c *Cell) refuse(err error) error {
	var refusal *job.Refusal
	if !errors.As(err, &refusal) {
		return err
	}
	c.Run, c.Error, c.refused = "", exit.Line(refusal), err
	return nil
}

// readSeconds reads a number of seconds from a file in a cell's folder; 0 where there is none.
func readSeconds(folder, name string) (float64, error) {
	name = filepath.Join(folder, name)
	b, err := os.ReadFile(name)
	if errors.Is(err, fs.ErrNotExist) {
		return 0, nil
	}
	v, bad := strconv.ParseFloat(strings.TrimSpace(string(b)), 64)
	if err != nil || bad != nil || !(v >= 0) {
		return 0, exit.Usagef("%s is damaged; remove the folder to have the cell done again", name)
	}
	return v, nil
}

// settings are those of a cell: the defaults for its objective and data, and what was set.
func (cfg Config) settings(c Cell) (settings.Settings, error) {
	own := settings.Default()
	own.Dataset, own.Objective, own.Seed, own.Frames, own.Threads = c.Dataset, c.Objective, c.Seed, 0, 1
	layer := own.Layer()
	chosen, err := settings.Merge(layer, cfg.Set)
	if err != nil {
		return chosen, err
	}
	return settings.Merge(layer, job.Preset(chosen), cfg.Set)
}

// open finds the folder of a cell: done, begun or new. Of a cell that is done the result is read.
func (cfg Config) open(c *Cell, s *settings.Settings) (dir *run.Dir, resume bool, err error) {
	if b, err := os.ReadFile(filepath.Join(c.Run, resultFile)); err == nil {
		var old Cell
		if err := json.Unmarshal(b, &old); err != nil || old.Steps <= 0 {
			return nil, false, exit.Usagef("%s is damaged; remove the folder to have the cell done again", filepath.Join(c.Run, resultFile))
		}
		if err := cfg.match(c.Run, *s); err != nil {
			return nil, false, err
		}
		if old.Data != c.Data {
			return nil, false, exit.Usagef("%s has changed since %s was made; choose another --out, or remove it", c.Dataset, c.Run)
		}
		old.Run = c.Run
		*c = old
		return nil, false, nil
	}
	if _, err := os.Stat(filepath.Join(c.Run, run.Config)); err == nil {
		if err := cfg.match(c.Run, *s); err != nil {
			return nil, false, err
		}
		if dir, err = run.Open(c.Run); err != nil {
			return nil, false, err
		}
		if *s, err = dir.Settings(); err != nil {
			return nil, false, err
		}
		return dir, true, dir.Lock()
	} else if !errors.Is(err, fs.ErrNotExist) {
		return nil, false, exit.AsUsage(err)
	}
	plan, err := job.Prepare(*s)
	if err != nil {
		return nil, false, err
	}
	if cfg.Seconds > 0 {
		per, err := plan.StepTime(threadTime)
		if err != nil {
			return nil, false, err
		}
		s.Steps = max(100, int(cfg.Seconds/per.Seconds()))
	}
	if err := dropBudget(c.Run); err != nil {
		return nil, false, err
	}
	if dir, err = run.Create(c.Run, c.Dataset, c.Objective); err != nil {
		return nil, false, err
	}
	if cfg.Seconds > 0 {
		if err := dir.Write(budgetFile, fmt.Appendf(nil, "%g\n", cfg.Seconds)); err != nil {
			return nil, false, err
		}
	}
	return dir, false, dir.Write(run.Config, s.Config())
}

// dropBudget removes what a process that ended before it wrote the settings has left in the folder of a cell: it is not begun.
func dropBudget(path string) error {
	if entries, err := os.ReadDir(path); err != nil || !slices.ContainsFunc(entries, func(e fs.DirEntry) bool { return e.Name() == budgetFile }) {
		return nil
	}
	dir := &run.Dir{Path: path}
	if err := dir.Lock(); err != nil {
		return err
	}
	defer dir.Unlock()
	if dir.Has(run.Config) { // of another process, a moment ago
		return exit.Usagef("run directory %s is in use by another process; wait for it or stop it", path)
	}
	return os.Remove(dir.File(budgetFile))
}

// match refuses a folder that was made with other settings or another budget; the steps that a budget chose may differ.
func (cfg Config) match(path string, s settings.Settings) error {
	dir, err := run.Open(path)
	if err != nil {
		return err
	}
	old, err := dir.Settings()
	if err != nil {
		return err
	}
	budget, err := readSeconds(path, budgetFile)
	switch {
	case err != nil:
		return err
	case budget != cfg.Seconds:
		return exit.Usagef("%s was made with %s, not with %s; choose another --out, or remove it", path, budgetName(budget), budgetName(cfg.Seconds))
	case budget > 0:
		s.Steps = old.Steps
	}
	if string(old.JSON()) != string(s.JSON()) {
		return exit.Usagef("%s was made with other settings; choose another --out, or remove it", path)
	}
	return nil
}

func budgetName(seconds float64) string {
	if seconds == 0 {
		return "the default steps"
	}
	return fmt.Sprintf("a budget of %g CPU seconds", seconds)
}
