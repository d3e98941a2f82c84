package model

import (
	"math/rand/v2"
	"path/filepath"
	"strings"

	"gonum.org/v1/gonum/mat"

	"github.com/stheno-ebm/stheno/cmd/ebm/internal/exit"
	"github.com/stheno-ebm/stheno/cmd/ebm/internal/settings"
	"github.com/stheno-ebm/stheno/datasets"
	"github.com/stheno-ebm/stheno/mcmc"
	"github.com/stheno-ebm/stheno/objectives/train"
)

// Data is the data of a run: a distribution, or the points of a file.
type Data struct {
	Name  string
	Truth datasets.Source // in the units of the data; a Distribution when the density is known
	std   *scaling        // to the units of the network; nil when they are the same
}

// IsFile reports whether the dataset is the path of a file.
func IsFile(dataset string) bool {
	switch strings.ToLower(filepath.Ext(dataset)) {
	case ".csv", ".npy", ".png":
		return true
	}
	return strings.ContainsAny(dataset, `/\`)
}

// OpenData finds the data of the settings.
func OpenData(s settings.Settings) (*Data, error) {
	d, err := datasets.New(s.Dataset)
	if err != nil {
		return nil, exit.Usagef("--dataset: %w", err)
	}
	return &Data{Name: s.Dataset, Truth: d}, nil
}

// Dim is the number of columns.
func (d *Data) Dim() int { return d.Truth.Dim() }

// Restore brings rows from the units of the network to those of the data.
func (d *Data) Restore(x *mat.Dense) {
	if d.std != nil {
		d.std.Undo(x)
	}
}

// Points draws n points in the units of the network.
func (d *Data) Points(n int, rng *rand.Rand) *mat.Dense {
	x := mat.NewDense(n, d.Dim(), nil)
	d.source().Sample(x, rng)
	return x
}

// source draws training batches in the units of the network.
func (d *Data) source() train.Source {
	if d.std == nil {
		return d.Truth
	}
	return scaled{d.Truth, d.std}
}

func (d *Data) metadata(meta map[string]string) {}

// modes are those of the distribution in the units of the network, nil where they are not known.
func (d *Data) modes() *mcmc.KnownModes {
	m, ok := d.Truth.(datasets.Modal)
	if !ok {
		return nil
	}
	centres, weights := m.Modes()
	if d.std != nil {
		d.std.Apply(centres)
	}
	row := mat.NewDense(1, d.Dim(), nil)
	return &mcmc.KnownModes{Centres: centres, Weights: weights, Assign: func(x []float64) int {
		row.SetRow(0, x)
		d.Restore(row)
		return m.AssignMode(row.RawRowView(0))
	}}
}
