package main

import (
	"fmt"
	"strings"

	"github.com/alecthomas/kong"

	"github.com/stheno-ebm/stheno/cmd/ebm/internal/pictures"
	"github.com/stheno-ebm/stheno/energy"
	"github.com/stheno-ebm/stheno/objectives"
	"github.com/stheno-ebm/stheno/objectives/fit"
	"github.com/stheno-ebm/stheno/viz"
	"github.com/stheno-ebm/stheno/viz/live"
)

// cli is the grammar of the command line.
type cli struct {
	Train      trainCmd      `cmd:"" help:"Train a model; write a run directory."`
	Sample     sampleCmd     `cmd:"" help:"Draw samples from a trained model."`
	Eval       evalCmd       `cmd:"" help:"Measure how good the fit is."`
	Plot       plotCmd       `cmd:"" help:"Draw pictures of a run."`
	Energy     energyCmd     `cmd:"" help:"Compute energies and gradients at given points."`
	Export     exportCmd     `cmd:"" help:"Write the model for other programs: ONNX, safetensors."`
	Data       dataCmd       `cmd:"" help:"List the distributions, or sample one."`
	Show       showCmd       `cmd:"" help:"Show the page of a run that has ended, in the browser."`
	Verify     verifyCmd     `cmd:"" help:"Check every objective and sampler against known targets."`
	Compare    compareCmd    `cmd:"" help:"Leaderboard: objectives × datasets × seeds."`
	Reference  referenceCmd  `cmd:"" hidden:"" help:"This reference, as Markdown."`
	Completion completionCmd `cmd:"" help:"Shell completion script."`
	Version    versionCmd    `cmd:"" help:"Version of the program."`
}

// extensionNames lists extensions without their dots.
func extensionNames(list []string) string {
	return strings.ReplaceAll(strings.Join(list, ", "), ".", "")
}

func newParser(c *cli, e *env) (*kong.Kong, error) {
	c.Train.Plugins = kong.Plugins{settingFlags()}
	precision, _ := fit.Lookup("precision")
	return kong.New(c,
		kong.Name("ebm"),
		kong.Description("Trains, samples, evaluates and draws energy-based models."),
		kong.Writers(e.stdout, e.stderr),
		kong.Exit(func(code int) { panic(exited(code)) }),
		kong.ConfigureHelp(kong.HelpOptions{WrapUpperBound: 80, NoExpandSubcommands: true, Compact: true,
			FlagsLast: true}),
		kong.ExplicitGroups([]kong.Group{
			{Key: "data", Title: "Data:"},
			{Key: "objective", Title: "Objective:"},
			{Key: "energy", Title: "Energy:"},
			{Key: "training", Title: "Training:"},
			{Key: "sampling", Title: "Sampling:"},
			{Key: "output", Title: "Output:"},
			{Key: "machines", Title: "Many machines:"},
		}),
		kong.Vars{
			"live":        live.DefaultAddr,
			"objectives":  strings.Join(objectives.Names(), ", "),
			"networks":    strings.Join(fit.NetworkList(), ", "),
			"samplers":    strings.Join(fit.SamplerList(), ", "),
			"activations": strings.Join(energy.Activations(), ", "),
			"mostPairs":   fmt.Sprint(viz.MostPairs),
			"kinds":       strings.Join(pictures.Kinds(), ", "),
			"formats":     extensionNames(viz.Formats()),
			"exports":     extensionNames(exportFormats),
			"precisions":  strings.Join(precision.Options, ", "),
		},
		kong.PostBuild(showDefaults),
		kong.WithHyphenPrefixedParameters(true), // so that --lr -1 gets the error of --lr
		kong.FlagNamer(strings.ToLower),
	)
}
