package main

import (
	"math"
	"slices"
	"strings"

	"gonum.org/v1/gonum/mat"

	"github.com/stheno-ebm/stheno/cmd/ebm/internal/exit"
	"github.com/stheno-ebm/stheno/datasets"
	tables "github.com/stheno-ebm/stheno/datasets/table"
)

type energyCmd struct {
	RunDir string `arg:"" name:"run" help:"Run directory."`
	Points string `required:"" placeholder:"FILE" help:"Points, one per row (.csv, .tsv, .txt, .npy or .npz), or - for standard input."`
	Grad   bool   `help:"Also compute gradients: columns E, ∂E/∂x₁, …"`
	Log    bool   `name:"log-density" help:"Log densities, -E - log Z, in place of energies; with --grad their gradients."`
	Rank   bool   `help:"A column more: the share of the training points that are as likely or less; near 0 a point is an anomaly."`
	Out    string `placeholder:"FILE" help:"Write to FILE (.npy, .npz or .csv) instead of stdout (CSV)."`
	JSON   bool   `name:"json" help:"Print JSON: the array of energies, or with --grad an array of rows; with --out, what was written."`
}

func (energyCmd) Help() string {
	return `Writes float64 of shape (n,), or (n,1+d) with --grad; CSV has a header if the points have one. Energies are in nats,
up to the constant log Z, which ebm eval prints. Where columns of the data are discrete, energies are of the cells of
rounded values. Cells have no gradients: with --grad, energies and gradients are of the continuous density behind the
cells.

Examples:

    ebm energy runs/4squares-sm-1 --points x.csv
    ebm energy runs/4squares-sm-1 --points x.npy --grad --out e.npy
    ebm energy runs/table-nce-1 --points x.csv --log-density --rank`
}

func (c *energyCmd) Run(e *env) error {
	if err := checkTable(c.Out); err != nil {
		return err
	}
	if c.Rank && c.Grad {
		return exit.Usagef("--rank --grad: want one of them")
	}
	m, err := e.openModel(c.RunDir)
	if err != nil {
		return err
	}
	t, err := e.points(c.Points)
	if err != nil {
		return exit.Usagef("--points: %w", err)
	}
	x, names := t.X, t.Names
	n, d := x.Dims()
	if d != m.Dim() {
		return exit.Usagef("--points %s has %d columns, the model wants %d", c.Points, d, m.Dim())
	}
	if want := m.Names(); !slices.Equal(names, want) && slices.Equal(sorted(names), sorted(want)) {
		return exit.Usagef("--points %s has the columns %s, the model wants them as %s", c.Points,
			strings.Join(names, ", "), strings.Join(want, ", "))
	}
	e.asRead(t.Report)
	var logZ float64
	if c.Log {
		z, err := m.LogZ(e.ctx)
		if err != nil {
			return err
		}
		if logZ = z.Value; m.Dim() > 2 && math.IsNaN(z.StdErr) {
			e.logf(
				"note: log Z, and with it the log density, is not reliable: few draws of importance sampling have weight")
		}
	}
	energies := make([]float64, n)
	var more *mat.Dense // columns beside the energies
	if c.Grad {
		if m.Discrete() != "" {
			e.logf("note: energies and gradients are of the continuous density behind the discrete columns; without " +
				"--grad energies are of cells")
		}
		more = mat.NewDense(n, d, nil)
		err = m.EnergyGrad(energies, more, x)
	} else {
		err = m.Energy(energies, x)
	}
	if c.Log {
		for i := range energies {
			energies[i] = -energies[i] - logZ
		}
		if more != nil {
			more.Scale(-1, more)
		}
	}
	if c.Rank && err == nil {
		ranks := make([]float64, n)
		more = mat.NewDense(n, 1, ranks)
		err = m.Rank(ranks, x)
	}
	switch {
	case err != nil:
		return err
	case more == nil:
		return giveTable(e, c.Out, c.JSON, c.header(names), energies)
	}
	var out mat.Dense
	out.Augment(matrix(energies), more)
	return giveTable(e, c.Out, c.JSON, c.header(names), &out)
}

// points reads a file of points, or standard input for the name -.
func (e *env) points(path string) (*tables.Table, error) {
	if path == datasets.Stdin {
		return tables.Read(e.ctx, e.stdin, tables.Options{})
	}
	return tables.Load(e.ctx, path, tables.Options{})
}

// asRead logs how points were read if that may not be what was meant.
func (e *env) asRead(r tables.Report) {
	for _, note := range r.Notes {
		if note.Kind != tables.Transposed { // few points are fine here
			e.logf("note: %s", exit.Say(note.Text))
		}
	}
}

// header returns the first line of a CSV file of energies and, if computed, gradients or ranks: names, if the points
// have some.
func (c *energyCmd) header(names []string) []string {
	if len(names) == 0 {
		return nil
	}
	h, slope := []string{"energy"}, "dE/d"
	if c.Log {
		h, slope = []string{"log_density"}, "dlogp/d"
	}
	switch {
	case c.Grad:
		for _, name := range names {
			h = append(h, slope+name)
		}
	case c.Rank:
		h = append(h, "rank")
	}
	return h
}

// sorted returns a copy of the names in alphabetical order.
func sorted(names []string) []string { return slices.Sorted(slices.Values(names)) }
