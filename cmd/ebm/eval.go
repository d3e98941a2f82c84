package main

import (
	"cmp"
	"fmt"
	"io"
	"text/tabwriter"

	"github.com/stheno-ebm/stheno/cmd/ebm/internal/exit"
	"github.com/stheno-ebm/stheno/cmd/ebm/internal/pictures"
	"github.com/stheno-ebm/stheno/objectives/fit"
	"github.com/stheno-ebm/stheno/objectives/metrics"
	"github.com/stheno-ebm/stheno/viz"
)

type evalCmd struct {
	RunDir  string `arg:"" name:"run" help:"Run directory."`
	Samples *int   `placeholder:"N" help:"Samples to draw and evaluate; 0 evaluates the density alone (as many as the run drew)."`
	Plot    string `placeholder:"FILE" help:"Draw true density, model density, their difference and the error of the score to FILE (.png, .svg or .pdf); for two dimensions and a known density."`
	Seed    uint64 `placeholder:"N" help:"Seed of the samples and of the points that are drawn to measure by (that of the run)."`
	JSON    bool   `name:"json" help:"Print JSON."`
}

func (evalCmd) Help() string {
	return `Examples:

    ebm eval runs/4squares-sm-1
    ebm eval runs/4squares-sm-1 --plot density.png
    ebm eval runs/4squares-sm-1 --json | jq .kl`
}

func (c *evalCmd) Run(e *env) error {
	if c.Plot != "" {
		if err := checkFile("--plot", c.Plot, viz.Formats()...); err != nil {
			return err
		}
	}
	if n := c.Samples; n != nil && (*n < 0 || *n == 1 || *n > fit.MaxRows) {
		return exit.Usagef("--samples %d: want 0 or 2 to %d", *n, fit.MaxRows)
	}
	m, err := e.openModel(c.RunDir)
	if err != nil {
		return err
	}
	pics := &pictures.Pictures{Model: m}
	if c.Plot != "" {
		if err := pics.CheckDensity("--plot " + c.Plot); err != nil {
			return err
		}
	}
	n := m.Config.Samples
	if c.Samples != nil {
		n = *c.Samples
	}
	var draw *fit.Draw
	if n > 1 {
		if draw, err = m.Sample(e.ctx, fit.SampleConfig{N: n, Seed: c.seed(m)}); err != nil {
			return err
		}
	}
	r, err := m.EvaluateSeed(e.ctx, draw, c.seed(m))
	if err != nil {
		return err
	}
	if c.Plot != "" {
		if err := pics.Density(e.ctx, float64(r.LogZ), c.Plot); err != nil {
			return err
		}
	}
	if c.JSON {
		return writeJSON(e.stdout, r)
	}
	if text := m.Discrete(); text != "" {
		e.logf("note: %s", text)
	}
	printReport(e, r, m.OnlyBase())
	return nil
}

// seed is the one that is given, or that of the run.
func (c *evalCmd) seed(m *fit.Model) uint64 { return cmp.Or(c.Seed, m.Config.Seed) }

// printReport writes the report as a table. If the true density is unknown, as for points of a file, comparisons with
// it are left out; so is the difference from a base of whose correction nothing is kept.
func printReport(e *env, r *metrics.Report, onlyBase bool) {
	w := tabwriter.NewWriter(e.stdout, 0, 0, 2, ' ', 0)
	row := func(name string, v metrics.Value, about string) {
		fmt.Fprintf(w, "%s\t%s\t%s\n", name, digits(5, v), about)
	}
	known := r.Entropy.Known()
	if known {
		row("KL", r.KL, "KL(data‖model), nats")
		row("reverse KL", r.ReverseKL, "KL(model‖data), nats")
		row("TV", r.TV, "total variation, 0 to 1")
		row("NLL", r.NLL, "nats per sample, fresh data")
		row("entropy", r.Entropy, "of the data, nats")
	} else {
		about := fmt.Sprintf("nats per sample, on the %d points set aside, ± %.2g", r.TestPoints, r.NLLErr)
		if !r.LogZKnown() {
			about += "; as reliable as log Z"
		}
		row("NLL", r.NLL, about)
	}
	if b := r.Baseline; b != nil && onlyBase {
		row("baseline", b.NLL, "the model is its base, "+b.Name)
	} else if b != nil {
		row("baseline", b.NLL, b.Name+fmt.Sprintf(", ± %.2g", b.NLLErr))
		row("  difference", b.Difference,
			fmt.Sprintf("± %.2g, of the NLL from it, point by point; below zero the model is better", b.DifferenceErr))
	}
	if r.TrainNLL.Known() {
		row("train NLL", r.TrainNLL, "on the points that were learnt")
	}
	about := ""
	switch {
	case r.Baseline != nil && r.LogZ == 0 && r.LogZErr == 0: // nothing is kept of the network
		about = "exactly: the model is normalised"
	case r.Dim <= 2:
	case r.LogZErr.Known():
		about = fmt.Sprintf("± %.2g, by importance sampling", r.LogZErr)
	default:
		about = "not reliable: few draws of importance sampling have weight"
	}
	row("log Z", r.LogZ, about)
	row("leak", r.Leak, "mass of the model outside the box")
	if known {
		row("Fisher", r.Fisher, "E‖score of model − true score‖²")
		row("  relative", r.FisherRelative, "to E‖true score‖²")
		row("score slope", r.ScoreSlope, "1 = right temperature")
	}
	w.Flush()
	if r.Samples != nil {
		printSamples(w, r.Samples, known)
		w.Flush()
	}
}

// digits writes a value with so many digits, or a dash.
func digits(n int, v metrics.Value) string {
	if !v.Known() {
		return "–"
	}
	return fmt.Sprintf("%.*g", n, v)
}

// printSamples writes the comparison of samples with as many of the data, which have a known density or not.
func printSamples(w io.Writer, s *metrics.SampleReport, known bool) {
	beside := "as many true draws"
	if !known {
		beside = "as many points of the file"
	}
	fmt.Fprintf(w, "\n%d samples\t\t%s\n", s.N, beside)
	pair := func(name string, v, floor metrics.Value) {
		fmt.Fprintf(w, "%s\t%s\t%s\n", name, digits(4, v), digits(4, floor))
	}
	pair("MMD²", s.MMD2, s.Floor.MMD2)
	pair("energy distance", s.EnergyDistance, s.Floor.EnergyDistance)
	if known {
		pair("histogram TV", s.HistTV, s.Floor.HistTV)
		if s.KnownModes > 1 {
			pair("mode weights TV", s.ModeTV, s.Floor.ModeTV)
		}
		pair("in 99 % region", s.InHDR, s.Floor.InHDR)
	}
	if s.KnownModes > 1 {
		fmt.Fprintf(w, "modes found\t%d of %d\t\n", s.Modes, s.KnownModes)
	}
	if s.RHat > 0 {
		mixed := "the chains have mixed"
		if !s.Mixed() {
			mixed = fmt.Sprintf("the chains have not mixed: want at most %.4g", s.Limit())
		}
		fmt.Fprintf(w, "R-hat\t%.3f\t%s\n", s.RHat, mixed)
	}
}
