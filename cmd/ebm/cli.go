package main

import (
	"fmt"
	"reflect"
	"strings"

	"github.com/alecthomas/kong"

	"github.com/stheno-ebm/stheno/cmd/ebm/internal/job"
	"github.com/stheno-ebm/stheno/cmd/ebm/internal/settings"
	"github.com/stheno-ebm/stheno/energy"
	"github.com/stheno-ebm/stheno/objectives"
	"github.com/stheno-ebm/stheno/viz/live"
)

// cli is the grammar of the command line.
type cli struct {
	Train      trainCmd      `cmd:"" help:"Train a model; write a run directory."`
	Sample     sampleCmd     `cmd:"" help:"Draw samples from a trained model."`
	Eval       evalCmd       `cmd:"" help:"Measure how good the fit is."`
	Plot       plotCmd       `cmd:"" help:"Draw pictures of a run."`
	Energy     energyCmd     `cmd:"" help:"Energies and gradients at given points."`
	Export     exportCmd     `cmd:"" help:"Write the model for other programs: ONNX, safetensors."`
	Data       dataCmd       `cmd:"" help:"List the distributions, or sample one."`
	Show       showCmd       `cmd:"" help:"Page of a run that has ended, in the browser."`
	Verify     verifyCmd     `cmd:"" help:"Check every objective and sampler against known targets."`
	Compare    compareCmd    `cmd:"" help:"Leaderboard: objectives × datasets × seeds."`
	Reference  referenceCmd  `cmd:"" hidden:"" help:"This reference, as Markdown."`
	Completion completionCmd `cmd:"" help:"Shell completion script."`
	Version    versionCmd    `cmd:"" help:"Version of the program."`
}

func newParser(c *cli, e *env) (*kong.Kong, error) {
	return kong.New(c,
		kong.Name("ebm"),
		kong.Description("Trains, samples, evaluates and draws energy-based models."),
		kong.Writers(e.stdout, e.stderr),
		kong.Exit(func(code int) { panic(exited(code)) }),
		kong.ConfigureHelp(kong.HelpOptions{WrapUpperBound: 80, NoExpandSubcommands: true, Compact: true, FlagsLast: true}),
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
			"activations": strings.Join(energy.Activations(), ", "),
		},
		kong.PostBuild(showDefaults),
		kong.WithHyphenPrefixedParameters(true), // so that --lr -1 is answered by what --lr wants
		kong.FlagNamer(func(field string) string {
			if name := settings.Flag(field); name != "" {
				return name
			}
			return strings.ToLower(field)
		}),
	)
}

// showDefaults writes the defaults of the settings into the help of `ebm train`: those that a run without flags has. And it lets the
// last value of a setting count where it is a list.
func showDefaults(k *kong.Kong) error {
	base := settings.Default()
	def, err := settings.Merge(base.Layer(), job.Preset(base))
	if err != nil {
		return err
	}
	values := make(map[string]reflect.Value)
	for i, key := range settings.Keys() {
		values[key] = reflect.ValueOf(def).Field(i)
	}
	for _, node := range k.Model.Children {
		for _, f := range node.Flags {
			placeholder(f)
			v, ok := values[f.Name]
			if ok && v.Kind() == reflect.Slice {
				f.Mapper = last{f.Mapper}
			}
			if node.Name != "train" || !ok || v.Kind() == reflect.Bool {
				continue
			}
			text := fmt.Sprint(v.Interface())
			if v.Kind() == reflect.Slice {
				text = strings.ReplaceAll(strings.Trim(text, "[]"), " ", ",")
			}
			f.Help = strings.TrimSuffix(f.Help, ".") + " (" + text + ")."
			f.OrigHelp = f.Help
		}
	}
	return nil
}

// last makes a list one value, of which the last one counts where a flag is repeated, as of a number.
type last struct{ kong.Mapper }

func (m last) Decode(ctx *kong.DecodeContext, target reflect.Value) error {
	target.SetZero()
	return m.Mapper.Decode(ctx, target)
}

// placeholder says what kind of value a flag takes, where its tag does not.
func placeholder(f *kong.Flag) {
	if f.PlaceHolder != "" {
		return
	}
	switch f.Target.Kind() {
	case reflect.Float64:
		f.PlaceHolder = "X"
	case reflect.Int, reflect.Uint64:
		f.PlaceHolder = "N"
	case reflect.String:
		f.PlaceHolder = "NAME"
	}
}
