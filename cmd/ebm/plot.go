package main

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"github.com/stheno-ebm/stheno/cmd/ebm/internal/exit"
	"github.com/stheno-ebm/stheno/cmd/ebm/internal/job"
	"github.com/stheno-ebm/stheno/viz"
)

// pictureFiles are the formats of pictures, by extension.
var pictureFiles = []string{".png", ".svg", ".pdf"}

type plotCmd struct {
	RunDir   string   `arg:"" name:"run" help:"Run directory."`
	Kind     []string `default:"panel" placeholder:"KIND" help:"panel, samples, contour, surface, score, loss, density, diagnostics, animation (${default})."`
	Out      string   `placeholder:"FILE" help:"Write to FILE (.png, .svg or .pdf; .gif for the animation); by default KIND.png in the run directory."`
	Format   string   `default:"png" enum:"png,svg,pdf" help:"Of the default file name: png, svg or pdf (${default})."`
	Terminal bool     `help:"Draw samples and energy in the terminal."`
}

func (plotCmd) Help() string {
	return `Examples:

    ebm plot runs/4squares-sm-1
    ebm plot runs/4squares-sm-1 --kind surface,score --format pdf
    ebm plot runs/4squares-sm-1 --kind animation --out training.gif
    ebm plot runs/4squares-sm-1 --terminal`
}

func (c *plotCmd) Run(e *env) error {
	kinds := job.Kinds()
	for _, k := range c.Kind {
		known := false
		for _, name := range kinds {
			known = known || name == k
		}
		if !known {
			return exit.Unknown("--kind", k, kinds)
		}
	}
	if c.Out != "" {
		if len(c.Kind) != 1 {
			return exit.Usagef("--out %s: one file for %d kinds; leave --out away to get one file each", c.Out, len(c.Kind))
		}
		extensions := pictureFiles
		if c.Kind[0] == "animation" {
			extensions = []string{".gif"}
		}
		if err := checkOut(c.Out, extensions...); err != nil {
			return err
		}
	}
	m, dir, err := openModel(c.RunDir)
	if err != nil {
		return err
	}
	pics := &job.Pictures{Model: m, Dir: dir}
	if c.Terminal {
		mode := viz.DetectColor(os.Getenv)
		if !terminal(e.stdout) {
			mode = viz.NoColor
		}
		return pics.Terminal(e.stdout, terminalWidth(e.stdout), mode)
	}
	for _, kind := range c.Kind {
		path := c.Out
		if path == "" {
			ext := c.Format
			if kind == "animation" {
				ext = "gif"
			}
			path = filepath.Join(dir.Path, kind+"."+strings.ToLower(ext))
		}
		if err := pics.Draw(e.ctx, kind, path); err != nil {
			return err
		}
		fmt.Fprintln(e.stdout, path)
	}
	return nil
}
