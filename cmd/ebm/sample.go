package main

import (
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"

	"github.com/stheno-ebm/stheno/cmd/ebm/internal/exit"
	"github.com/stheno-ebm/stheno/mcmc"
	"github.com/stheno-ebm/stheno/objectives/fit"
)

type sampleCmd struct {
	RunDir  string  `arg:"" name:"run" help:"Run directory."`
	N       int     `default:"10000" help:"Samples (${default})."`
	Sampler string  `help:"langevin, mala, hmc, nuts, annealed or tempering (that of the run)."`
	Step    float64 `help:"Step size (for annealed and tempering, the initial one); by default it is found during warm-up."`
	Chains  *int    `placeholder:"N" help:"Number of chains; fewer are longer (those of the run)."`
	BurnIn  *int    `name:"burn-in" placeholder:"N" help:"Transitions between warm-up and the first sample (those of the run)."`
	Thin    *int    `placeholder:"N" help:"Transitions between samples of a chain (those of the run)."`
	Given   string  `placeholder:"NAME=VALUE,…" help:"Values of columns, by name or number from 1, that are known: the others are drawn given these."`
	Seed    uint64  `default:"1" help:"Seed of the random stream (${default})."`
	Out     string  `placeholder:"FILE" help:"Write the samples to FILE (.npy, .npz or .csv, the latter with the column names of the data); without it only the report is printed."`
	JSON    bool    `name:"json" help:"Print the report as JSON."`
	Quiet   bool    `short:"q" help:"No progress, no report."`
}

func (sampleCmd) Help() string {
	return `Examples:

    ebm sample runs/4squares-sm-1 --out samples.csv
    ebm sample runs/4squares-sm-1 --sampler tempering --n 100000 --json
    ebm sample runs/table-nce-1 --given income=3.2,age=40 --out imputed.csv
    ebm sample runs/4squares-sm-1 --n 2000 --chains 20 --burn-in 200 --thin 10`
}

// openModel reads the model of a run directory, and notes if the run is unfinished.
func (e *env) openModel(path string) (*fit.Model, error) {
	m, err := fit.OpenContext(e.ctx, path, nil)
	if err == nil && m.Dir().HasState() && !m.Dir().Sealed() {
		e.logf("note: the run %s is unfinished; the weights are from where it stopped. To continue: ebm train --resume %s",
			path, exit.Quote(path))
	}
	if err == nil {
		for _, note := range m.Notes() {
			e.logf("note: %s", exit.Say(note))
		}
	}
	return m, err
}

// sayGone notes if pictures have to leave out the data of the run.
func (e *env) sayGone(m *fit.Model) {
	if m.Gone() != nil {
		e.logf("note: the pictures leave the data out: %s", exit.Line(m.Gone()))
	}
}

func (c *sampleCmd) Run(e *env) error {
	if err := checkRows("--n", c.N); err != nil {
		return err
	}
	if !(c.Step >= 0) || math.IsInf(c.Step, 0) {
		return exit.Usagef("--step %g: want > 0, or 0 to find one", c.Step)
	}
	cfg := fit.SampleConfig{N: c.N, Seed: c.Seed, Sampler: c.Sampler, Step: c.Step}
	for _, f := range []struct {
		flag  string
		value *int
		least int
		to    *int
	}{{"--chains", c.Chains, 1, &cfg.Chains}, {"--burn-in", c.BurnIn, 0, &cfg.BurnIn},
		{"--thin", c.Thin, 1, &cfg.Thin}} {
		if f.value == nil {
			continue
		}
		if *f.value < f.least || *f.value > fit.MaxRows {
			return exit.Usagef("%s %d: want %d to %d", f.flag, *f.value, f.least, fit.MaxRows)
		}
		if *f.to = *f.value; *f.to == 0 {
			*f.to = -1 // none
		}
	}
	if err := checkTable(c.Out); err != nil {
		return err
	}
	m, err := e.openModel(c.RunDir)
	if err != nil {
		return err
	}
	if cfg.Given, err = parseGiven(c.Given, m.Names(), m.Dim()); err != nil {
		return err
	}
	bar := newSampling(e, c.Quiet)
	cfg.Progress = bar.sampling
	draw, err := m.Sample(e.ctx, cfg)
	bar.finish()
	if err != nil {
		return err
	}
	draw.Diagnostics.Setting = "--n"
	if c.Out != "" {
		if err := writeTable(e, c.Out, m.Names(), draw.X); err != nil {
			return err
		}
	}
	switch {
	case c.JSON:
		return writeJSON(e.stdout, sampleReport{draw.Diagnostics, c.N, c.Out,
			append([]string{}, draw.Diagnostics.Warnings()...)})
	case !c.Quiet:
		return draw.Diagnostics.WriteTable(e.stdout)
	}
	return nil
}

// parseGiven reads values of columns, such as income=3.2,age=40.
func parseGiven(text string, names []string, dim int) (map[int]float64, error) {
	if text == "" {
		return nil, nil
	}
	given := make(map[int]float64)
	for part := range strings.SplitSeq(text, ",") {
		name, value, ok := strings.Cut(part, "=")
		v, err := strconv.ParseFloat(strings.TrimSpace(value), 64)
		if !ok || err != nil {
			return nil, exit.Usagef("--given %q: want NAME=VALUE, with a number for the value", part)
		}
		name = strings.TrimSpace(name)
		j, err := columnOf("--given", name, names, dim)
		if err != nil {
			return nil, err
		}
		if _, twice := given[j]; twice {
			return nil, exit.Usagef("--given: column %s has two values", name)
		}
		given[j] = v
	}
	return given, nil
}

// columnOf returns the column with a name, or with a number from 1.
func columnOf(flag, name string, names []string, dim int) (int, error) {
	if j := slices.Index(names, name); j >= 0 {
		return j, nil
	}
	if k, err := strconv.Atoi(name); err == nil && k >= 1 && k <= dim {
		return k - 1, nil
	}
	known := names
	if known == nil {
		known = []string{fmt.Sprintf("1 to %d", dim)}
	}
	return 0, exit.Unknown(flag, name, known)
}

// sampleReport is the object of `ebm sample --json`.
type sampleReport struct {
	*mcmc.Diagnostics
	N        int      `json:"n"`
	Out      string   `json:"out,omitempty"`
	Warnings []string `json:"warnings"`
}
