// Package board compares objectives on data: every objective × dataset × seed is a cell, a separate training run in a
// folder, judged by the same measures. Finished cells are not repeated.
package board

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"reflect"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/stheno-ebm/stheno/cmd/ebm/internal/exit"
	"github.com/stheno-ebm/stheno/datasets"
	"github.com/stheno-ebm/stheno/objectives"
	"github.com/stheno-ebm/stheno/objectives/fit"
	"github.com/stheno-ebm/stheno/objectives/fit/rundir"
	"github.com/stheno-ebm/stheno/objectives/metrics"
	"github.com/stheno-ebm/stheno/objectives/train"
)

// Config is a comparison.
type Config struct {
	Datasets, Objectives []string
	Seeds                int           // 1, 2, … Seeds
	Set                  fit.Layer     // overrides the defaults of every cell
	Seconds              float64       // CPU seconds per cell; 0: as many steps as set
	Workers              int           // cells at a time
	Dir                  string        // folder for cells and results
	Shard                Shard         // the part to do; the zero value is all of it
	Lease                time.Duration // silence after which a process counts as dead; 0: DefaultLease
	Done                 func(c Cell, done, total int)
	Waiting              func(cells int) // called once when waiting for other processes to train cells
}

// Cell is the outcome of one run.
type Cell struct {
	Dataset   string    `json:"dataset"`
	Objective string    `json:"objective"`
	Seed      uint64    `json:"seed"`
	Steps     int       `json:"steps"`
	CPU       float64   `json:"cpu_seconds"`    // of training
	Set       fit.Layer `json:"set,omitempty"`  // over the defaults
	Data      string    `json:"data,omitempty"` // identifies the content of the file
	Error     string    `json:"error,omitempty"`
	// folder, relative to that of the board; none if the objective refused the data
	Run  string          `json:"run,omitempty"`
	Eval *metrics.Report `json:"eval,omitempty"`
}

// Name returns the name of the cell's folder.
func (c Cell) Name() string {
	return fmt.Sprintf("%s-%s-%d", filepath.Base(c.Dataset), c.Objective, c.Seed)
}

// Refused reports whether the objective refused the data before anything was trained.
func (c Cell) Refused() bool { return c.Steps == 0 && c.Error != "" }

const (
	resultFile = "cell.json"      // of a finished cell
	spentFile  = "cpu_seconds"    // of an unfinished one, up to its checkpoint or interruption
	budgetFile = "budget_seconds" // of one whose steps follow from a budget
)

// Run fills the cells of the shard, longest first, together with other processes working in the same folder. It is an
// error if the objectives refuse all of them. When ctx is cancelled, finished cells stay, and started ones have a
// checkpoint.
func Run(ctx context.Context, cfg Config) ([]Cell, error) {
	sweep, err := cfg.sweep()
	if err != nil {
		return nil, err
	}
	if err := cfg.check(); err != nil { // before the folder says what it is for
		return nil, err
	}
	if err := sweep.register(cfg.Dir); err != nil {
		return nil, err
	}
	cells := sweep.cells()
	if cfg.Shard.Count > 0 {
		plan, err := cfg.Plan(cfg.Shard.Count)
		if err != nil {
			return nil, err
		}
		cells = plan.of(cfg.Shard.Index)
	}
	costs, err := cfg.costs(cells)
	if err != nil {
		return nil, err
	}
	var (
		wg   sync.WaitGroup
		mu   sync.Mutex
		errs []error
		done int
		led  = newLedger(cfg.Dir, cfg.Lease)
		left = &queue{ready: longest(costs), pause: min(led.lease/8, 2*time.Second), waiting: cfg.Waiting}
	)
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	for range cfg.Workers {
		wg.Go(func() {
			// CPU seconds are per thread, so a thread is bound to one cell.
			runtime.LockOSThread()
			defer runtime.UnlockOSThread()
			for i := range left.each(ctx) {
				err := cfg.cell(ctx, led, &cells[i])
				if errors.Is(err, errBusy) {
					left.again(i)
					continue
				}
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
	wg.Wait()
	_ = os.Remove(filepath.Join(cfg.Dir, workDir)) // if nothing is running
	if len(errs) > 0 {
		return nil, errs[0]
	}
	if ctx.Err() == nil && len(cells) > 0 && !slices.ContainsFunc(cells, func(c Cell) bool { return !c.Refused() }) {
		return nil, exit.Usagef("--objectives %s: %s", cells[0].Objective, cells[0].Error)
	}
	return cells, ctx.Err()
}

// cell fills one cell, by reading its result or by training it; if another process does, the error is errBusy. Failures
// in training and refusals by the objective are recorded in the cell; an error is about the comparison.
func (cfg Config) cell(ctx context.Context, led *ledger, c *Cell) error {
	given, err := cfg.given(*c)
	if err != nil {
		return err
	}
	lease, ctx, err := led.claim(ctx, c.Name())
	if errors.Is(err, errDone) {
		return cfg.read(c, given)
	}
	if err != nil {
		return err
	}
	if err = cfg.fill(ctx, c, given, lease); err != nil {
		lease.release()
	} else {
		err = lease.publish()
	}
	switch {
	case err == nil:
		return cfg.read(c, given)
	case !lease.mine():
		return errBusy
	}
	return err
}

// fill trains a cell in the folder of the lease.
func (cfg Config) fill(ctx context.Context, c *Cell, given fit.Layer, lease *lease) error {
	job, dir, err := cfg.open(ctx, c, given, lease)
	var refusal *fit.RefusedError
	if errors.As(err, &refusal) {
		return cfg.refuse(c, lease.run(), refusal)
	}
	if err != nil {
		return err
	}
	defer dir.Unlock()
	earlier, err := readSeconds(dir.Path, spentFile)
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
	job.Config.Hooks = fit.Hooks{
		Checkpoint: func(int) error { return store() },
		Stage: func(string) {
			if trained < 0 {
				trained = threadTime() - before
			}
		},
	}
	m, err := job.Continue(ctx, dir)
	result := *c
	switch {
	case errors.Is(err, train.ErrDiverged):
		result.Error = exit.Line(err)
	case err != nil:
		if failed := store(); failed != nil {
			return errors.Join(err, failed)
		}
		return err
	default:
		result.Eval = m.Result.Eval
	}
	result.Steps, result.CPU, result.Set, result.Run = job.Config.Steps, seconds(), cfg.Set, c.folder()
	return result.write(dir)
}

// refuse records that the objective cannot learn from the data.
func (cfg Config) refuse(c *Cell, path string, refusal *fit.RefusedError) error {
	dir := &rundir.Dir{Path: path}
	if err := os.MkdirAll(path, 0o755); err != nil {
		return err
	}
	result := *c
	result.Error, result.Set = exit.Line(refusal.Err), cfg.Set
	return result.write(dir)
}

func (c Cell) write(dir *rundir.Dir) error {
	b, err := json.MarshalIndent(c, "", "  ")
	if err != nil {
		return err
	}
	return dir.Write(resultFile, append(b, '\n'))
}

// folder returns the folder of the finished cell, relative to that of the board.
func (c Cell) folder() string { return filepath.ToSlash(filepath.Join(cellsDir, c.Name())) }

// readSeconds reads a number of seconds from a file in a cell's folder; 0 if there is none.
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

// given returns the settings of a cell: those that compare chooses, and those of --set that its objective has.
func (cfg Config) given(c Cell) (fit.Layer, error) {
	l := fit.Layer{}
	for key, v := range map[string]any{"dataset": c.Dataset, "objective": c.Objective, "seed": c.Seed, "frames": 0,
		"threads": 1} {
		b, err := json.Marshal(v)
		if err != nil {
			return nil, err
		}
		l[key] = b
	}
	maps.Copy(l, cfg.Set)
	for key := range l {
		if f, ok := fit.Lookup(key); ok && f.Objectives != nil && !slices.Contains(f.Objectives, c.Objective) {
			delete(l, key)
		}
	}
	return l, nil
}

// check reports settings that are out of range for any data.
func (cfg Config) check() error {
	for _, o := range cfg.Objectives {
		given, err := cfg.given(Cell{Dataset: cfg.Datasets[0], Objective: o, Seed: 1})
		if err != nil {
			return err
		}
		c, err := fit.Read(given)
		if err == nil {
			c, err = fit.Suited(c, objectives.Facts{})
		}
		if err == nil {
			err = c.Validate()
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// job prepares the run of a cell.
func (cfg Config) job(c *Cell, given fit.Layer) (*fit.Job, error) {
	config, err := fit.Read(given)
	if err != nil {
		return nil, err
	}
	src, err := datasets.Open(c.Dataset)
	if err != nil {
		return nil, &fit.DataError{Dataset: c.Dataset, Err: err}
	}
	return fit.Prepare(src, config)
}

// read reads the result of a cell.
func (cfg Config) read(c *Cell, given fit.Layer) error {
	path := filepath.Join(cfg.Dir, c.folder())
	old, err := readCell(path)
	if err != nil {
		return err
	}
	if !old.Refused() {
		if err := cfg.match(path, given); err != nil {
			return err
		}
	}
	if old.Data != c.Data {
		return exit.Usagef("%s has changed since %s was made; choose another --out, or remove it", c.Dataset, path)
	}
	*c = old
	return nil
}

// readCell reads the result of the cell in a folder.
func readCell(path string) (Cell, error) {
	var c Cell
	name := filepath.Join(path, resultFile)
	b, err := os.ReadFile(name)
	if errors.Is(err, fs.ErrNotExist) {
		return c, exit.Usagef("%s is missing; remove the folder to have the cell done again", name)
	}
	if err != nil || json.Unmarshal(b, &c) != nil || c.Steps <= 0 && !c.Refused() {
		return c, exit.Usagef("%s is damaged; remove the folder to have the cell done again", name)
	}
	return c, nil
}

// open creates the run directory of a cell, or takes over that of an earlier owner, with its settings.
func (cfg Config) open(ctx context.Context, c *Cell, given fit.Layer, lease *lease) (*fit.Job, *rundir.Dir, error) {
	if from := lease.earlier(); from != "" {
		if err := cfg.match(from, given); err != nil {
			return nil, nil, err
		}
		if err := lease.adopt(from); err != nil {
			return nil, nil, err
		}
		return fit.Reopen(ctx, lease.run(), nil) // the lease keeps others out, also where folders cannot be locked
	}
	job, err := cfg.job(c, given)
	if err != nil {
		return nil, nil, err
	}
	if cfg.Seconds > 0 {
		per, err := job.StepTime(threadTime)
		if err != nil {
			return nil, nil, err
		}
		if job, err = cfg.job(c, given); err != nil { // the first one is used up
			return nil, nil, err
		}
		job.Config.Steps = max(100, int(cfg.Seconds/per.Seconds()))
	}
	if err := os.MkdirAll(lease.run(), 0o755); err != nil {
		return nil, nil, exit.Usagef("--out %s: %w", cfg.Dir, err)
	}
	dir := &rundir.Dir{Path: lease.run()}
	if cfg.Seconds > 0 { // before the settings, whose writing starts a run
		if err := dir.Write(budgetFile, fmt.Appendf(nil, "%g\n", cfg.Seconds)); err != nil {
			return nil, nil, err
		}
	}
	return job, dir, job.Config.Store(dir)
}

// match rejects a folder that was made with other settings or another budget.
func (cfg Config) match(path string, given fit.Layer) error {
	dir, err := rundir.Open(path)
	if err != nil {
		return err
	}
	old, err := fit.ReadConfig(dir)
	if err != nil {
		return err
	}
	budget, err := readSeconds(path, budgetFile)
	if err != nil {
		return err
	}
	if budget != cfg.Seconds {
		return exit.Usagef("%s was made with %s, not with %s; choose another --out, or remove it", path,
			budgetName(budget), budgetName(cfg.Seconds))
	}
	values, err := old.Layer()
	if err != nil {
		return err
	}
	for key, want := range given {
		var a, b any
		if json.Unmarshal(want, &a) != nil || json.Unmarshal(values[key], &b) != nil || !reflect.DeepEqual(a, b) {
			return exit.Usagef("%s was made with other settings (%s); choose another --out, or remove it", path, key)
		}
	}
	return nil
}

func budgetName(seconds float64) string {
	if seconds == 0 {
		return "the default steps"
	}
	return fmt.Sprintf("a budget of %g CPU seconds", seconds)
}
