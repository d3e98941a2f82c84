package main

import (
	"encoding/json"
	"fmt"
	"path/filepath"
	"slices"

	"gonum.org/v1/gonum/mat"

	"github.com/stheno-ebm/stheno/cmd/ebm/internal/exit"
	"github.com/stheno-ebm/stheno/datasets"
	"github.com/stheno-ebm/stheno/datasets/files"
	tables "github.com/stheno-ebm/stheno/datasets/table"
	"github.com/stheno-ebm/stheno/objectives/train"
)

type dataCmd struct {
	Name string `arg:"" optional:"" help:"Distribution, or .png picture, to sample; without one, lists all."`
	N    int    `default:"10000" help:"Samples (${default})."`
	Seed uint64 `default:"1" help:"Seed of the random stream (${default})."`
	Out  string `placeholder:"FILE" help:"Write the samples to FILE (.npy, .npz or .csv) instead of stdout (CSV)."`
	JSON bool   `name:"json" help:"Print the list, or the samples, as JSON; with --out, what was written."`
}

func (dataCmd) Help() string {
	return `Examples:

    ebm data
    ebm data 2spirals --n 5000 --out spirals.csv`
}

// listing is one row of `ebm data --json`.
type listing struct {
	Name    string   `json:"name"`
	Dim     int      `json:"dim"`
	Entropy *float64 `json:"entropy"` // nats; null where unknown
	About   string   `json:"about"`
}

func (c *dataCmd) Run(e *env) error {
	if c.Name == "" {
		if c.Out != "" {
			return exit.Usagef("--out %s: of which distribution? Give its name: ebm data NAME --out %s", c.Out, c.Out)
		}
		return c.list(e)
	}
	if err := checkRows("--n", c.N); err != nil {
		return err
	}
	if !slices.Contains(datasets.Names(), c.Name) && filepath.Ext(c.Name) == "" && !isFile(c.Name) {
		return exit.Unknown("distribution", c.Name, datasets.Names())
	}
	d, err := datasets.Open(c.Name)
	if err != nil {
		return exit.AsUsage(err)
	}
	if _, ok := d.(*datasets.Points); ok {
		return exit.Usagef("%s has points already: ebm data draws from distributions and pictures", c.Name)
	}
	if err := checkTable(c.Out); err != nil {
		return err
	}
	x := mat.NewDense(c.N, d.Dim(), nil)
	d.Sample(x, train.Stream(c.Seed, "data"))
	return giveTable(e, c.Out, c.JSON, nil, x)
}

func (c *dataCmd) list(e *env) error {
	var list []listing
	for _, name := range datasets.Names() {
		d, err := datasets.New(name)
		if err != nil {
			return err
		}
		row := listing{Name: name, Dim: d.Dim(), About: datasets.Describe(name)}
		if en, ok := d.(datasets.Entropic); ok {
			h := en.Entropy()
			row.Entropy = &h
		}
		list = append(list, row)
	}
	if c.JSON {
		return writeJSON(e.stdout, list)
	}
	for _, r := range list {
		fmt.Fprintf(e.stdout, "%-14s %s\n", r.Name, r.About)
	}
	fmt.Fprintln(
		e.stdout, "\nTo train on, also a "+files.OneOf(tables.Extensions())+
			" file of your own, one point per row, or a .png as a density.")
	return nil
}

// writeJSON writes v, indented, and nothing else.
func writeJSON(w interface{ Write([]byte) (int, error) }, v any) error {
	enc := json.NewEncoder(w)
	enc.SetIndent("", "  ")
	return enc.Encode(v)
}
