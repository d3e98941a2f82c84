package main

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/stheno-ebm/stheno/cmd/ebm/internal/exit"
	"github.com/stheno-ebm/stheno/cmd/ebm/internal/pictures"
	"github.com/stheno-ebm/stheno/viz"
)

// styles holds the styles of pictures by name.
var styles = map[string]*viz.Style{"light": viz.Light, "dark": viz.Dark}

type plotCmd struct {
	RunDir   string   `arg:"" name:"run" help:"Run directory."`
	Kind     []string `default:"panel" enum:"${kinds}" placeholder:"KIND" help:"${enum} (${default}); pairs has marginals and pairs of columns, animation is of training, chains an animation of sampling."`
	Columns  []string `placeholder:"C" help:"Columns of --kind pairs, by name or number from 1; the first ${mostPairs} by default, and no more than that."`
	Out      string   `placeholder:"FILE" help:"Write to FILE (.png, .svg or .pdf; animations: .gif, or without an extension a folder of frames); by default KIND.png in the run directory."`
	Format   string   `default:"png" enum:"${formats}" help:"Format of the default file: ${enum} (${default})."`
	Style    string   `default:"light" enum:"light, dark" help:"Style: ${enum} (${default}); dark is for screens."`
	Terminal bool     `help:"Draw samples and energy in the terminal."`
	JSON     bool     `name:"json" help:"Print the paths of the pictures as JSON."`
}

func (plotCmd) Help() string {
	return `Examples:

    ebm plot runs/4squares-sm-1
    ebm plot runs/4squares-sm-1 --kind surface,score --format pdf
    ebm plot runs/4squares-sm-1 --kind panel --style dark --out slide.png
    ebm plot runs/table-nce-1 --kind pairs --columns income,age,3
    ebm plot runs/4squares-sm-1 --kind animation --out training.gif
    ebm plot runs/4squares-sm-1 --kind chains --out frames
    ebm plot runs/4squares-sm-1 --terminal`
}

func (c *plotCmd) Run(e *env) error {
	if err := c.check(); err != nil {
		return err
	}
	m, err := e.openModel(c.RunDir)
	if err != nil {
		return err
	}
	e.sayGone(m)
	pics := &pictures.Pictures{Model: m, Style: styles[c.Style]}
	if pics.Columns, err = c.columns(m.Names(), m.Dim()); err != nil {
		return err
	}
	if c.Terminal {
		mode := viz.DetectColor(os.Getenv)
		if !terminal(e.stdout) {
			mode = viz.NoColor
		}
		return pics.Terminal(e.stdout, terminalWidth(e.stdout), mode)
	}
	for _, kind := range c.Kind {
		if err := pics.Check(kind); err != nil {
			return err
		}
	}
	var paths []string
	for _, kind := range c.Kind {
		path := c.Out
		if path == "" {
			ext := c.Format
			if pictures.Moving(kind) {
				ext = "gif"
			}
			path = filepath.Join(m.Dir().Path, kind+"."+strings.ToLower(ext))
			if err := checkFolder("--out", path); err != nil {
				return err
			}
		}
		if err := pics.Draw(e.ctx, kind, path); err != nil {
			return err
		}
		if err := m.Dir().Redrawn(path); err != nil {
			return err
		}
		paths = append(paths, path)
		if !c.JSON {
			fmt.Fprintln(e.stdout, path)
		}
	}
	if c.JSON {
		return writeJSON(e.stdout, paths)
	}
	return nil
}

// columns returns the columns of pairs, nil for the first ones.
func (c *plotCmd) columns(names []string, dim int) (at []int, err error) {
	if len(c.Columns) > viz.MostPairs {
		return nil, exit.Usagef("--columns: %d of them, want at most %d", len(c.Columns), viz.MostPairs)
	}
	for _, name := range c.Columns {
		j, err := columnOf("--columns", name, names, dim)
		if err != nil {
			return nil, err
		}
		if slices.Contains(at, j) {
			return nil, exit.Usagef("--columns: %s twice", name)
		}
		at = append(at, j)
	}
	return at, nil
}

// check rejects invalid flags before anything is drawn.
func (c *plotCmd) check() error {
	switch {
	case len(c.Columns) > 0 && !slices.Contains(c.Kind, pictures.Pairs):
		return exit.Usagef("--columns: they are those of --kind pairs")
	case c.Terminal && c.JSON:
		return exit.Usagef("--terminal: it draws characters, not the JSON of --json; give one of them")
	case c.Out == "":
		return nil
	case c.Terminal:
		return exit.Usagef("--terminal: it draws to stdout, not into the file of --out %s; give one of them", c.Out)
	case len(c.Kind) != 1:
		return exit.Usagef("--out %s: one file for %d kinds; leave --out away to get one file each", c.Out, len(c.Kind))
	case !pictures.Moving(c.Kind[0]):
		return checkOut(c.Out, viz.Formats()...)
	case filepath.Ext(filepath.Clean(c.Out)) != "":
		return checkOut(c.Out, ".gif")
	}
	if info, err := os.Stat(c.Out); err == nil && !info.IsDir() {
		return exit.Usagef("--out %s is a file, want a .gif or a folder", c.Out)
	}
	return nil
}
