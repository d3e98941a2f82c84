package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"reflect"
	"slices"
	"strings"

	"github.com/alecthomas/kong"

	"github.com/stheno-ebm/stheno/cmd/ebm/internal/exit"
	"github.com/stheno-ebm/stheno/cmd/ebm/internal/job"
	"github.com/stheno-ebm/stheno/cmd/ebm/internal/model"
	"github.com/stheno-ebm/stheno/cmd/ebm/internal/run"
	"github.com/stheno-ebm/stheno/cmd/ebm/internal/settings"
	"github.com/stheno-ebm/stheno/viz/live"
)

type trainCmd struct {
	settings.Settings `embed:""`

	Out         string   `placeholder:"DIR" help:"Run directory (runs/DATASET-OBJECTIVE-N)." group:"output"`
	Resume      string   `placeholder:"RUN" help:"Continue a run that was stopped, bit for bit." group:"output"`
	Config      string   `placeholder:"FILE" help:"Settings from a JSON file, such as RUN/config.json; flags go over it." group:"output"`
	Set         []string `placeholder:"KEY=VALUE" sep:"none" help:"One setting by its key; may be repeated." group:"output"`
	Live        string   `placeholder:"ADDR" help:"Show the run in the browser as it happens (${live} without an address)." group:"output"`
	Tensorboard bool     `help:"Write the records as an event file for TensorBoard too, into the run directory." group:"output"`
	JSON        bool     `name:"json" help:"Print the result as JSON." group:"output"`
	Quiet       bool     `short:"q" help:"No progress, no summary." group:"output"`
}

func (trainCmd) Help() string {
	return `Defaults in brackets are those of the default objective; some objectives have others: config.json in the run directory holds all values that were used.

Examples:

    ebm train
    ebm train --dataset 2spirals --objective nce
    ebm train --dataset points.csv --hidden 64,64 --steps 2000 --out runs/mine
    ebm train --resume runs/mine
    ebm train --config runs/mine/config.json --seed 2 --set lr=0.001`
}

// operational are the flags that do not change the result: keys of a configuration file too, but no settings.
var operational = []string{"out", "live", "tensorboard", "json", "quiet"}

// Run resolves the settings, then hands over to the job.
func (c *trainCmd) Run(e *env, k *kong.Context) error {
	given := explicit(k)
	if c.Resume != "" {
		return c.resume(e, given)
	}
	s, err := c.resolve(given)
	if err != nil {
		return err
	}
	plan, err := job.Prepare(s)
	if err != nil {
		return err
	}
	if !c.Quiet {
		for _, note := range append(job.Idle(s, append(given, assigned(c.Set)...)), plan.Notes()...) {
			e.logf("note: %s", note)
		}
	}
	srv, err := c.serve(e, plan)
	if err != nil {
		return err
	}
	if srv != nil {
		defer srv.Close()
	}
	dir, err := run.Create(c.Out, s.Dataset, s.Objective)
	if err != nil {
		return err
	}
	defer dir.Unlock()
	if err := dir.Write(run.Config, s.Config()); err != nil {
		return exit.Usagef("--out %s: %w", dir.Path, err)
	}
	return c.finish(e, plan, dir, srv, false)
}

func (c *trainCmd) resume(e *env, given []string) error {
	fixed := append(settings.Keys(), "out", "config", "set")
	for _, name := range given {
		if slices.Contains(fixed, name) {
			return exit.Usagef("--resume %s continues with the settings of that run: --%s cannot be given", c.Resume, name)
		}
	}
	dir, err := run.Open(c.Resume)
	if err != nil {
		return fmt.Errorf("--resume: %w", err)
	}
	s, err := dir.Settings()
	if err != nil {
		return err
	}
	if _, err := os.Stat(s.Dataset); model.IsFile(s.Dataset) && err != nil {
		return model.Gone(s.Dataset, err)
	}
	plan, err := job.Prepare(s)
	if err != nil {
		return fmt.Errorf("%s: %w", dir.File(run.Config), err)
	}
	if err := dir.Lock(); err != nil {
		return err
	}
	defer dir.Unlock()
	srv, err := c.serve(e, plan)
	if err != nil {
		return err
	}
	if srv != nil {
		defer srv.Close()
	}
	return c.finish(e, plan, dir, srv, true)
}

// serve starts the page, nil if none is wanted.
func (c *trainCmd) serve(e *env, plan *job.Plan) (*live.Server, error) {
	if c.Live == "" {
		return nil, nil
	}
	cfg, err := plan.LiveConfig(c.Live)
	if err != nil {
		return nil, err
	}
	srv, err := live.NewServer(cfg)
	if err != nil {
		return nil, exit.Usagef("--live %s: %w", c.Live, err)
	}
	e.logf("live: %s", srv.URL())
	return srv, nil
}

// finish runs the job and prints what came of it.
func (c *trainCmd) finish(e *env, plan *job.Plan, dir *run.Dir, srv *live.Server, resume bool) error {
	opt := job.Options{Resume: resume, Live: srv, TensorBoard: c.Tensorboard}
	bar := newProgress(e, c.Quiet, plan.Settings.Steps)
	opt.Progress, opt.Stage = bar.update, bar.stage
	res, err := plan.Run(e.ctx, dir, opt)
	bar.finish()
	if opt.Live != nil {
		word := "finished"
		if err != nil {
			word = "stopped"
		}
		_ = opt.Live.Done(word)
	}
	if err != nil {
		if errors.Is(err, context.Canceled) {
			what := "interrupted"
			if errors.Is(err, job.ErrStopped) {
				what = "stopped from the page"
			}
			return &exit.Error{Code: exit.Interrupted, Err: fmt.Errorf("%s; continue with: ebm train --resume %s", what, exit.Quote(dir.Path))}
		}
		return fmt.Errorf("%w (run directory: %s)", err, dir.Path)
	}
	switch {
	case c.JSON:
		return writeJSON(e.stdout, res)
	case !c.Quiet:
		for _, line := range res.Summary() {
			fmt.Fprintln(e.stdout, line)
		}
	}
	fmt.Fprintln(e.stdout, dir.Path)
	if opt.Live != nil && terminal(e.stderr) {
		e.logf("the page stays until Ctrl-C: %s", opt.Live.URL())
		<-e.ctx.Done()
	}
	return nil
}

// explicit lists the flags of the command line by name.
func explicit(k *kong.Context) []string {
	var names []string
	for _, p := range k.Path {
		if p.Flag != nil {
			names = append(names, p.Flag.Name)
		}
	}
	return names
}

// assigned lists the keys of --set.
func assigned(set []string) []string {
	keys := make([]string, len(set))
	for i, text := range set {
		key, _, _ := strings.Cut(text, "=")
		keys[i] = strings.TrimSpace(key)
	}
	return keys
}

// resolve lays the sources of settings over one another: defaults, what suits the objective, the file, --set, flags.
func (c *trainCmd) resolve(given []string) (settings.Settings, error) {
	var none settings.Settings
	var file settings.Layer
	if c.Config != "" {
		b, err := run.ReadText(c.Config)
		if err != nil {
			return none, exit.Usagef("--config: %w", err)
		}
		var rest settings.Layer
		if file, rest, err = settings.Parse(c.Config, b, operational); err != nil {
			return none, err
		}
		if err := c.operate(rest, given); err != nil {
			return none, err
		}
	}
	set := make(settings.Layer)
	for _, text := range c.Set {
		l, err := settings.ParseAssignment(text)
		if err != nil {
			return none, err
		}
		for key, v := range l {
			set[key] = v
		}
	}
	flags, err := c.Settings.Given(given)
	if err != nil {
		return none, err
	}
	def := settings.Default().Layer()
	if err := objectiveForFiles(def, file, set, flags); err != nil {
		return none, err
	}
	chosen, err := settings.Merge(def, file, set, flags)
	if err != nil {
		return none, err
	}
	return settings.Merge(def, job.Preset(chosen), file, set, flags)
}

// objectiveForFiles makes nce the default objective where the dataset is a file. Score matching, left to itself, learns a few
// thousand points by heart: a spike at each has the smallest loss; and pictures have sharp edges.
func objectiveForFiles(def settings.Layer, over ...settings.Layer) error {
	for _, l := range over {
		if _, ok := l["objective"]; ok {
			return nil
		}
	}
	s, err := settings.Merge(append([]settings.Layer{def}, over...)...)
	if err != nil {
		return err
	}
	if model.Given(s) {
		def["objective"] = json.RawMessage(`"nce"`)
	}
	return nil
}

// operate takes over what the configuration file says about things that are no settings.
func (c *trainCmd) operate(rest settings.Layer, given []string) error {
	v := reflect.ValueOf(c).Elem()
	fields := map[string]reflect.Value{"out": v.FieldByName("Out"), "live": v.FieldByName("Live"), "tensorboard": v.FieldByName("Tensorboard"), "json": v.FieldByName("JSON"), "quiet": v.FieldByName("Quiet")}
	for key, raw := range rest {
		f, ok := fields[key]
		if !ok || slices.Contains(given, key) {
			continue
		}
		if err := json.Unmarshal(raw, f.Addr().Interface()); err != nil {
			return exit.Usagef("%s: %q is %s, want another type", c.Config, key, raw)
		}
	}
	return nil
}
