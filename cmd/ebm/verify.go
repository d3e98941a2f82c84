package main

import (
	"cmp"
	"fmt"
	"regexp"
	"runtime"
	"slices"
	"strings"

	"github.com/stheno-ebm/stheno/cmd/ebm/internal/exit"
	"github.com/stheno-ebm/stheno/objectives/fit"
	"github.com/stheno-ebm/stheno/objectives/verify"
)

type verifyCmd struct {
	Names   []string `arg:"" optional:"" name:"name" help:"Objectives and samplers to check; all by default."`
	Threads int      `default:"0" help:"Checks at a time (one per core)."`
	Only    string   `placeholder:"REGEXP" help:"Only checks whose name, target and statistic, as printed, match the regular expression."`
	Long    bool     `help:"Also run checks that take hours: every objective at learning rates from a tenth to a hundred times its own, on a distribution and on points, must end well or be given up; and with default settings on every distribution train without an alarm."`
	JSON    bool     `name:"json" help:"Print JSON."`
}

func (verifyCmd) Help() string {
	return `The certificate: every objective and every sampler against targets that are known exactly. The exit code is 1 if a check fails. Rows are printed as they become ready; Ctrl-C ends it with those it has, with --json too.

Examples:

    ebm verify
    ebm verify sm hmc
    ebm verify --long
    ebm verify nce --long --only 'points.*rate × (30|100)'
    ebm verify --long --only 'funnel.*alarms'
    ebm verify --json`
}

func (c *verifyCmd) Run(e *env) error {
	if err := checkThreads("--threads", c.Threads); err != nil {
		return err
	}
	checks, err := c.checks(e)
	if err != nil {
		return err
	}
	threads := cmp.Or(c.Threads, runtime.GOMAXPROCS(0))
	each := func(r verify.Row) {
		if c.JSON || r.Err != nil && e.ctx.Err() != nil {
			return
		}
		verdict := "ok"
		switch {
		case r.Err != nil:
			verdict = "ERROR " + exit.Line(r.Err)
		case !r.Pass:
			verdict = "FAILS"
		}
		fmt.Fprintf(e.stdout, "%-14s %-20s %-20s %10.3g ≤ %-8.3g %s\n", r.Name, r.Target, r.Statistic, r.Value,
			r.Tolerance, verdict)
	}
	if !c.JSON {
		fmt.Fprintf(e.stdout, "%-14s %-20s %-20s %10s   %-8s\n", "name", "target", "statistic", "value", "limit")
	}
	rows, stopped := verify.Run(e.ctx, checks, threads, each)
	rows = slices.DeleteFunc(rows, func(r verify.Row) bool { return stopped != nil && (r.Name == "" || r.Err != nil) })
	failed := 0
	for _, r := range rows {
		if !r.Pass {
			failed++
		}
	}
	if c.JSON {
		if err := writeJSON(e.stdout, rows); err != nil {
			return err
		}
	}
	switch {
	case stopped != nil:
		return fmt.Errorf("stopped after %d of %d checks, of which %d failed; --only runs the others: %w", len(rows),
			len(checks), failed, stopped)
	case failed > 0:
		return fmt.Errorf("%d of %d checks failed", failed, len(rows))
	}
	return nil
}

// checkNames returns the objectives and samplers that have checks, each once.
func checkNames() []string {
	var names []string
	for _, k := range verify.Checks() {
		if !slices.Contains(names, k.Name) {
			names = append(names, k.Name)
		}
	}
	return names
}

// checks returns the checks of the given names.
func (c *verifyCmd) checks(e *env) ([]verify.Check, error) {
	all := verify.Checks()
	if c.Long {
		all = append(append(all, fit.SentinelChecks(e.ctx)...), fit.AlarmChecks(e.ctx)...)
	}
	if len(c.Names) > 0 {
		var named []verify.Check
		for _, name := range c.Names {
			before := len(named)
			for _, k := range all {
				if strings.EqualFold(k.Name, name) {
					named = append(named, k)
				}
			}
			if len(named) == before {
				return nil, exit.Unknown("check", name, checkNames())
			}
		}
		all = named
	}
	return c.only(all)
}

// only returns the checks whose row matches --only.
func (c *verifyCmd) only(checks []verify.Check) ([]verify.Check, error) {
	if c.Only == "" {
		return checks, nil
	}
	wanted, err := regexp.Compile(c.Only)
	if err != nil {
		return nil, exit.Usagef("--only %s: want a regular expression: %w", exit.Quote(c.Only), err)
	}
	var out []verify.Check
	for _, k := range checks {
		if wanted.MatchString(k.Name + " " + k.Target + " " + k.Statistic) {
			out = append(out, k)
		}
	}
	if len(out) == 0 {
		return nil, exit.Usagef("--only %s: no check matches; ebm verify prints them all", exit.Quote(c.Only))
	}
	return out, nil
}
