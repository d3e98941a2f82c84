package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/alecthomas/kong"

	"github.com/stheno-ebm/stheno/cmd/ebm/internal/exit"
	"github.com/stheno-ebm/stheno/cmd/ebm/internal/page"
	"github.com/stheno-ebm/stheno/cmd/ebm/internal/pictures"
	"github.com/stheno-ebm/stheno/datasets"
	"github.com/stheno-ebm/stheno/objectives/fit"
	"github.com/stheno-ebm/stheno/objectives/fit/rundir"
	"github.com/stheno-ebm/stheno/objectives/train"
	"github.com/stheno-ebm/stheno/viz/live"
)

// trainName is the command whose flags are the settings; defaultDataset is what it learns by default.
const (
	trainName      = "train"
	defaultDataset = "4squares"
)

type trainCmd struct {
	kong.Plugins // the settings, see settingFlags

	Out         string   `placeholder:"DIR" help:"Run directory (runs/DATASET-OBJECTIVE-N)." group:"output"`
	Resume      string   `placeholder:"RUN" help:"Continue a stopped run, bit for bit." group:"output"`
	Config      string   `placeholder:"FILE" help:"Settings from a JSON file, such as RUN/config.json; flags override it." group:"output"`
	Set         []string `placeholder:"KEY=VALUE" sep:"none" help:"One setting by its key; may be repeated." group:"output"`
	Live        string   `placeholder:"ADDR" help:"Show the run in the browser as it happens (${live} without an address)." group:"output"`
	LiveRemote  bool     `name:"live-remote" help:"Allow an address that other machines can reach: anyone with the token can see and stop the run, unencrypted." group:"output"`
	Tensorboard bool     `help:"Also write the records as an event file for TensorBoard, to the run directory." group:"output"`
	JSON        bool     `name:"json" help:"Print the result as JSON." group:"output"`
	Quiet       bool     `short:"q" help:"No progress, no summary." group:"output"`
}

func (trainCmd) Help() string {
	return `Defaults in brackets are those of the default objective; some objectives have others: config.json in the run directory has all values used. Settings that only some objectives have are followed by their names.

Examples:

    ebm train
    ebm train --dataset 2spirals --objective nce
    ebm train --dataset points.csv --hidden 64,64 --steps 2000 --out runs/mine
    ebm train --resume runs/mine
    ebm train --config runs/mine/config.json --seed 2 --set lr=0.001`
}

// operational are the flags that do not change the result: also keys of a configuration file, but not settings.
var operational = []string{"out", "live", "live-remote", "tensorboard", "json", "quiet"}

// Run resolves the settings, then lets fit do the work.
func (c *trainCmd) Run(e *env, k *kong.Context) error {
	if c.Resume != "" {
		return c.resume(e, explicit(k))
	}
	cfg, err := c.resolve(k)
	if err != nil {
		return err
	}
	early := &stages{e: e, quiet: c.Quiet}
	defer early.end()
	cfg.Hooks.Stage = early.begin
	src, err := cfg.OpenData(e.ctx, e.stdin)
	if err != nil {
		return tooEarly(asData(err))
	}
	read := cfg.ReadOf(src)
	job, err := fit.PrepareContext(e.ctx, src, cfg)
	var field *fit.FieldError
	switch {
	case errors.As(err, &field) && field.Key == "dataset" && len(read) > 0: // perhaps it was not read as intended
		read[0] = strings.Replace(read[0], ": ", ", ", 1)
		return fmt.Errorf("%w (read: %s)", err, strings.Join(read, "; "))
	case err != nil:
		return tooEarly(err)
	}
	early.end()
	c.notes(e, read, nil)
	c.notes(e, job.Notes(), append(read, ""))
	if err := c.unsuited(e, k, job, src); err != nil {
		return err
	}
	srv, err := c.serve(e, job.Model)
	if err != nil {
		return err
	}
	if srv != nil {
		defer srv.Close()
	}
	dir, err := job.Create(c.Out)
	switch {
	case errors.Is(err, rundir.ErrExists):
		return exit.Usagef("--out %s already exists; choose another folder, or continue it with --resume %s", c.Out,
			exit.Quote(c.Out))
	case err != nil:
		return exit.Usagef("--out %s: %w", c.Out, err)
	}
	defer dir.Unlock()
	return c.finish(e, job, dir, srv, false)
}

// tooEarly says of an interrupt before the run directory exists that there is nothing to resume.
func tooEarly(err error) error {
	if errors.Is(err, context.Canceled) {
		return &exit.Error{Code: exit.Interrupted,
			Err: errors.New("interrupted before training began; nothing was written")}
	}
	return err
}

func (c *trainCmd) resume(e *env, given []string) error {
	fixed := append(fit.Keys(), "out", "config", "set")
	for _, name := range given {
		if slices.Contains(fixed, name) {
			return exit.Usagef("--resume %s continues with the settings of that run: --%s cannot be given", c.Resume,
				name)
		}
	}
	job, dir, err := fit.Reopen(e.ctx, c.Resume, nil)
	if err == nil {
		err = dir.Lock()
	}
	if err != nil {
		return fmt.Errorf("--resume: %w", err)
	}
	defer dir.Unlock()
	srv, err := c.serve(e, job.Model)
	if err != nil {
		return err
	}
	if srv != nil {
		defer srv.Close()
	}
	return c.finish(e, job, dir, srv, true)
}

// notes logs what was read, of which the first line is not a note, and oddities, unless already reported.
func (c *trainCmd) notes(e *env, lines, before []string) {
	for i, line := range lines {
		switch {
		case c.Quiet || slices.Contains(before, line):
		case before == nil && i == 0:
			e.logf("%s", exit.Say(line))
		default:
			e.logf("note: %s", exit.Say(line))
		}
	}
}

// unsuited notes which settings kept from the configuration file of a run on other data would be different for the
// dataset given with it.
func (c *trainCmd) unsuited(e *env, k *kong.Context, job *fit.Job, src fit.Source) error {
	switch src.(type) {
	case *datasets.Points, *datasets.Image:
	default:
		return nil
	}
	if c.Config == "" || c.Quiet || !slices.Contains(explicit(k), "dataset") {
		return nil
	}
	set, err := assignments(c.Set)
	if err != nil {
		return err
	}
	flags, err := givenSettings(k)
	if err != nil {
		return err
	}
	maps.Copy(set, flags)
	kept, err := job.Unsuited(set)
	if err == nil && len(kept) > 0 {
		e.logf("note: --config keeps %s; give flags for those that are to be others",
			exit.Say(strings.Join(kept, ", ")))
	}
	return err
}

// asData returns an error about the data that names the flag unless it already names one.
func asData(err error) error {
	var field *fit.FieldError
	var unknown *fit.UnknownError
	if errors.As(err, &field) || errors.As(err, &unknown) || errors.Is(err, context.Canceled) {
		return err
	}
	return exit.Usagef("--dataset: %w", err)
}

// serve starts the page; nil if none is requested.
func (c *trainCmd) serve(e *env, m *fit.Model) (*live.Server, error) {
	if c.Live == "" {
		return nil, nil
	}
	srv, err := page.Serve(m, c.Live, c.LiveRemote)
	if err != nil {
		return nil, pageError(c.Live, err)
	}
	e.logf("live: %s", srv.URL())
	e.warnRemote(srv)
	return srv, nil
}

// finish runs the job and prints the result.
func (c *trainCmd) finish(e *env, job *fit.Job, dir *rundir.Dir, srv *live.Server, resume bool) error {
	bar := newProgress(e, c.Quiet, job.Config.Steps)
	hooks := &job.Config.Hooks
	hooks.Step = func(p train.Progress) error { bar.update(p); return nil }
	hooks.Finish, hooks.TensorBoard = pictures.OfRun, c.Tensorboard
	hooks.Note = func(text string) { c.notes(e, []string{text}, []string{}) }
	release := e.hold() // until training is over: what follows can be redone from the model
	defer release()
	hooks.Stage = func(text string) { release(); bar.stage(text) }
	ctx, run := e.ctx, job.Run
	finished := resume && dir.Sealed()
	if resume {
		run = job.Continue
	}
	if srv != nil {
		var cancel context.CancelCauseFunc
		ctx, cancel = context.WithCancelCause(ctx)
		defer cancel(nil)
		page.Attach(job, dir, srv, resume, cancel)
	}
	m, err := run(ctx, dir)
	bar.finish()
	if srv != nil {
		word := "finished"
		if err != nil {
			word = "stopped"
		}
		_ = srv.Done(word)
	}
	if err != nil {
		if errors.Is(err, context.Canceled) {
			what := "interrupted"
			if errors.Is(err, page.ErrStopped) {
				what = "stopped from the page"
			}
			return &exit.Error{Code: exit.Interrupted,
				Err: fmt.Errorf("%s; continue with: ebm train --resume %s", what, exit.Quote(dir.Path))}
		}
		return fmt.Errorf("%w (run directory: %s)", err, dir.Path)
	}
	switch {
	case c.JSON:
		return writeJSON(e.stdout, m.Result)
	case !c.Quiet:
		if finished {
			fmt.Fprintf(e.stdout, "%s is finished; its result was:\n", dir.Path)
		}
		for _, line := range summary(m.Result) {
			fmt.Fprintln(e.stdout, line)
		}
	}
	fmt.Fprintln(e.stdout, dir.Path)
	if srv != nil && terminal(e.stderr) {
		e.logf("the page stays until Ctrl-C: %s", srv.URL())
		<-e.ctx.Done()
	}
	return nil
}

// resolve combines the sources of settings, in increasing priority: the file, --set, flags. The rest follows from the
// data and the objective.
func (c *trainCmd) resolve(k *kong.Context) (fit.Config, error) {
	var none fit.Config
	all := fit.Layer{}
	if c.Config != "" {
		b, err := rundir.ReadText(c.Config)
		if err != nil {
			return none, exit.Usagef("--config: %w", err)
		}
		file, rest, err := fit.ParseConfig(c.Config, b, operational...)
		if err != nil {
			return none, err
		}
		if err := c.operate(rest, explicit(k)); err != nil {
			return none, err
		}
		all = file
	}
	set, err := assignments(c.Set)
	if err != nil {
		return none, err
	}
	flags, err := givenSettings(k)
	if err != nil {
		return none, err
	}
	maps.Copy(all, set)
	maps.Copy(all, flags)
	cfg, err := fit.Read(all)
	if err == nil && cfg.Dataset == "" {
		cfg.Dataset = defaultDataset
	}
	return cfg, err
}

// operate adopts the values in the configuration file that are not settings.
func (c *trainCmd) operate(rest fit.Layer, given []string) error {
	fields := map[string]any{"out": &c.Out, "live": &c.Live, "live-remote": &c.LiveRemote,
		"tensorboard": &c.Tensorboard, "json": &c.JSON, "quiet": &c.Quiet}
	for key, raw := range rest {
		f, ok := fields[key]
		if !ok || slices.Contains(given, key) {
			continue
		}
		if err := json.Unmarshal(raw, f); err != nil {
			return exit.Usagef("%s: %q is %s, want another type", c.Config, key, raw)
		}
	}
	return nil
}
