// Command tables fits simulated tables, of known density, and files of points by the defaults, and makes
// benchmarks/TABLES.md of what it found:
//
//	go run ./benchmarks/tables > benchmarks/TABLES.md
//	go run ./benchmarks/tables --only wine wine-train.csv wine-test.csv
//
// Every fit is a cell, stored in the folder --out; cells that are there are not made again.
package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/signal"
	"path/filepath"
	"slices"
	"strings"

	"github.com/alecthomas/kong"

	"github.com/stheno-ebm/stheno/datasets"
	"github.com/stheno-ebm/stheno/datasets/files"
	"github.com/stheno-ebm/stheno/objectives/fit"
)

type options struct {
	Files []string `arg:"" optional:"" help:"Files in pairs: points to train on, and points to judge by."`
	Only  []string `help:"Only these tables, by name; all by default."`
	Rows  int      `help:"Only simulated tables of at most so many rows; 0: all." default:"0"`
	Seeds uint64   `default:"3" help:"Seeds of every table: other points and another training, of files another training."`
	Out   string   `default:"runs/tables" help:"Folder of the cells."`
	Made  bool     `help:"Only the cells that are there already."`
	JSON  bool     `name:"json" help:"Print the cells as JSON."`
}

func main() {
	var opt options
	kong.Parse(&opt, kong.Name("tables"),
		kong.Description("Makes TABLES.md: fits of tables, compared with what they have to beat."))
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	if err := run(ctx, opt); err != nil {
		fmt.Fprintln(os.Stderr, "tables:", err)
		os.Exit(1)
	}
}

func run(ctx context.Context, opt options) error {
	plan, err := opt.plan()
	if err != nil {
		return err
	}
	if err := os.MkdirAll(opt.Out, 0o755); err != nil {
		return err
	}
	var results []*result
	if opt.Made {
		plan = slices.DeleteFunc(plan, func(p planned) bool {
			_, err := os.Stat(filepath.Join(opt.Out, p.file))
			return err != nil
		})
	}
	for i, p := range plan {
		fmt.Fprintf(os.Stderr, "%d/%d %s", i+1, len(plan), p.file)
		r, err := p.result(ctx, opt.Out)
		if err != nil {
			fmt.Fprintln(os.Stderr)
			return err
		}
		results = append(results, r)
		fmt.Fprintf(os.Stderr, ": base %.4f, kernel density %.4f, ours %.4f, %.0f s\n", r.Loss[ofBase].Mean,
			r.Loss[ofKernel].Mean, r.Loss[ofOurs].Mean, r.CPU)
	}
	if opt.JSON {
		e := json.NewEncoder(os.Stdout)
		e.SetIndent("", "  ")
		return e.Encode(results)
	}
	if len(results) == 0 {
		return errors.New("no cells")
	}
	return page(os.Stdout, results)
}

// planned is a cell that may have been made before.
type planned struct {
	file string // of the result, in the folder
	open func() (*cell, error)
}

// plan lists the cells of the options, every table once before any a second time.
func (o *options) plan() ([]planned, error) {
	if len(o.Files)%2 != 0 {
		return nil, fmt.Errorf("%d files: want pairs, points to train on and points to judge by", len(o.Files))
	}
	var list []planned
	known := []string{}
	for seed := uint64(1); seed <= o.Seeds; seed++ {
		add := func(name, file string, open func() (*cell, error)) {
			known = append(known, name)
			if len(o.Only) == 0 || slices.Contains(o.Only, name) {
				list = append(list, planned{fmt.Sprintf("%s-%d.json", file, seed), open})
			}
		}
		for i := range simulated {
			t := &simulated[i]
			for _, rows := range t.rows {
				if o.Rows == 0 || rows <= o.Rows {
					add(t.name, fmt.Sprintf("%s-%d", t.name, rows), func() (*cell, error) { return t.simulate(rows, seed) })
				}
			}
		}
		for k := 0; k < len(o.Files); k += 2 {
			name := nameOf(o.Files[k])
			add(name, "file-"+name, func() (*cell, error) { return read(name, o.Files[k], o.Files[k+1], seed) })
		}
	}
	for _, name := range o.Only {
		if !slices.Contains(known, name) {
			slices.Sort(known)
			return nil, fmt.Errorf("--only %s: want one of %s", name, strings.Join(slices.Compact(known), ", "))
		}
	}
	return list, nil
}

// nameOf returns the name of a table by the file of its points to train on.
func nameOf(path string) string {
	name := strings.TrimSuffix(filepath.Base(path), filepath.Ext(path))
	return strings.TrimSuffix(name, "-train")
}

// read opens a pair of files.
func read(name, trainFile, testFile string, seed uint64) (*cell, error) {
	points := func(path string) (*datasets.Points, error) {
		src, err := datasets.Open(path)
		if err != nil {
			return nil, err
		}
		p, ok := src.(*datasets.Points)
		if !ok {
			return nil, fmt.Errorf("%s is no file of points", path)
		}
		return p, nil
	}
	learnt, err := points(trainFile)
	if err != nil {
		return nil, err
	}
	test, err := points(testFile)
	if err != nil {
		return nil, err
	}
	if learnt.Dim() != test.Dim() {
		return nil, fmt.Errorf("%s has %d columns, %s %d", trainFile, learnt.Dim(), testFile, test.Dim())
	}
	return &cell{Table: name, Seed: seed, train: learnt, test: test.Matrix(),
		config: fit.Config{Dataset: trainFile, Seed: seed, Samples: -1}}, nil
}

// result reads the stored result, or makes and stores it.
func (p *planned) result(ctx context.Context, folder string) (*result, error) {
	path := filepath.Join(folder, p.file)
	r := new(result)
	b, err := os.ReadFile(path)
	switch {
	case err == nil:
		if err := json.Unmarshal(b, r); err != nil {
			return nil, fmt.Errorf("%s: %w; remove it to make it again", path, err)
		}
		return r, nil
	case !errors.Is(err, fs.ErrNotExist):
		return nil, err
	}
	c, err := p.open()
	if err != nil {
		return nil, err
	}
	if r, err = c.run(ctx); err != nil {
		return nil, err
	}
	if b, err = json.MarshalIndent(r, "", "  "); err != nil {
		return nil, err
	}
	return r, files.Write(path, append(b, '\n'))
}
