package fit

import (
	"context"
	"crypto/sha256"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"math"
	"math/rand/v2"
	"path/filepath"
	"slices"
	"strings"
	"unicode"

	"gonum.org/v1/gonum/mat"

	"github.com/stheno-ebm/stheno/datasets"
	"github.com/stheno-ebm/stheno/datasets/density"
	"github.com/stheno-ebm/stheno/datasets/files"
	"github.com/stheno-ebm/stheno/datasets/table"
	"github.com/stheno-ebm/stheno/energy"
	"github.com/stheno-ebm/stheno/energy/safetensors"
)

// geometry is what a trained model needs to know about its data: numbers as metadata of model.safetensors, mixtures as
// arrays.
type geometry struct {
	Dim    int                    `json:"dim"`
	Lo     []float64              `json:"lo"` // a box around the data
	Hi     []float64              `json:"hi"`
	Scaler *datasets.Standardizer `json:"standardizer,omitempty"` // nil: both units are the same
	Mean   []float64              `json:"mean"`                   // of the data in the units of the network
	Std    []float64              `json:"std"`
	// of the columns, from the header of a file; nil: they have none
	Names []string `json:"names,omitempty"`
	Sum   string   `json:"sum,omitempty"` // of the file, see sourceSum

	Cells cells `json:"cells,omitempty"` // of the columns that are discrete

	Share float64 `json:"share,omitempty"` // λ of the correction of a base

	Base *density.Mixture `json:"-"` // fitted to the data, part of the energy; nil without one
	// of the columns of few values, in the units of the network, with their probabilities under the components of the base
	Levels []density.Levels `json:"levels,omitempty"`
	mixed  *density.Mixed   // what base and levels are together; nil without levels
	// what the model has in place of the base where columns are bent, see warp.go; else nil
	Warped *density.Warped `json:"-"`
	// the data, blurred: where chains start, nil where that is a base that is corrected; in data.safetensors
	Background *energy.Mixture `json:"-"`
	// what a bridge adds to the data, part of the energy; nil without one
	Bridge *energy.Mixture `json:"-"`
	Odds   int             `json:"odds,omitempty"` // oddsForm where there is a bridge
}

// oddsForm is the version of the odds of a bridge as a function of its network, see [energy.Bridge]. Weights learnt
// with another mean another energy.
const oddsForm = 2

var errOdds = errors.New("its weights were learnt with other odds of the bridge, by an earlier program: its settings " +
	"still serve to train it again")

// Names of the geometry in model.safetensors, and of the mixtures there and in data.safetensors.
const (
	metadataKey = "data"
	bridgeName  = "bridge"
	baseName    = "base"
	warpName    = "warp"
	startsName  = "background"
)

func (g *geometry) metadata(meta map[string]string) error {
	b, err := json.Marshal(g)
	meta[metadataKey] = string(b)
	return err
}

// parseGeometry reads what metadata wrote. A file from another program has none: the error is errNoGeometry.
func parseGeometry(meta map[string]string) (g geometry, err error) {
	text, ok := meta[metadataKey]
	if !ok {
		return g, errNoGeometry
	}
	if err := json.Unmarshal([]byte(text), &g); err != nil {
		return g, fmt.Errorf("metadata %q: %w", metadataKey, err)
	}
	if g.Dim <= 0 || g.Dim > 1<<20 {
		return g, fmt.Errorf("metadata %q: dimension %d", metadataKey, g.Dim)
	}
	for _, v := range [][]float64{g.Lo, g.Hi, g.Mean, g.Std} {
		if len(v) != g.Dim {
			return g, fmt.Errorf("metadata %q: %d numbers, want %d", metadataKey, len(v), g.Dim)
		}
	}
	if len(g.Names) != 0 && len(g.Names) != g.Dim {
		return g, fmt.Errorf("metadata %q: %d names, want %d", metadataKey, len(g.Names), g.Dim)
	}
	for j, name := range g.Names {
		if name == "" || strings.ContainsFunc(name, func(r rune) bool { return !unicode.IsPrint(r) }) {
			return g, fmt.Errorf("metadata %q: name %s of a column", metadataKey, files.Quote(name))
		}
		g.Names[j] = files.Name(name) // a long one is cut
	}
	for j := range g.Dim {
		if !(g.Lo[j] < g.Hi[j]) || !(g.Std[j] > 0) {
			return g, fmt.Errorf("metadata %q: box %v to %v, deviations %v", metadataKey, g.Lo, g.Hi, g.Std)
		}
	}
	if !(g.Share >= 0) || g.Share > mostShare {
		return g, fmt.Errorf("metadata %q: share %g of the correction", metadataKey, g.Share)
	}
	if g.Scaler != nil {
		err = g.Scaler.Validate(g.Dim)
	}
	return g, errors.Join(err, g.Cells.validate(g.Dim))
}

// mixture reads a mixture of the geometry's dimension from the arrays of a file.
func (g *geometry) mixture(f *safetensors.File, name string) (*energy.Mixture, error) {
	m, err := energy.ReadMixture(f, name)
	if err == nil && m.Dim() != g.Dim {
		err = fmt.Errorf("%s of dimension %d, want %d", name, m.Dim(), g.Dim)
	}
	return m, err
}

// base reads the base from the arrays of a file.
func (g *geometry) base(f *safetensors.File) (*density.Mixture, error) {
	m, err := energy.ReadDensity(f, baseName)
	if err == nil && m.Dim() != g.Dim {
		err = fmt.Errorf("%s of dimension %d, want %d", baseName, m.Dim(), g.Dim)
	}
	return m, err
}

// basis is a base: a mixture, of which some columns may be discrete.
type basis interface {
	density.Density
	Components() int
	Shares(dst, x *mat.Dense)
	SampleAround(dst []float64, k int, rng *rand.Rand)
}

// tiltConfig is what the energy is of without its network.
func (g *geometry) tiltConfig() energy.TiltConfig {
	return energy.TiltConfig{Base: g.Base, Mixed: g.mixed, Warped: g.Warped, Share: g.Share}
}

// basis returns the base with the probabilities of its levels, if it has some.
func (g *geometry) basis() basis {
	if g.mixed != nil {
		return g.mixed
	}
	return g.Base
}

// mix joins base and levels, which are those of the discrete columns of few values.
func (g *geometry) mix() (err error) {
	if !slices.EqualFunc(g.Cells.factors(), g.Levels, func(c cell, l density.Levels) bool {
		return c.Column == l.Column && len(c.Values) == len(l.Values)
	}) {
		return fmt.Errorf("metadata %q: levels of %d columns, which are not those of few values", metadataKey, len(g.Levels))
	}
	if g.mixed = nil; len(g.Levels) > 0 {
		g.mixed, err = density.NewMixed(g.Base, g.Levels)
	}
	return err
}

// around is a density around the data, broad enough to reach all of them: where chains start and jump to, and what log
// Z is measured by.
func (g *geometry) around() *density.Mixture {
	if g.Background == nil {
		return g.Base
	}
	return g.Background.Mixture
}

var errNoGeometry = errors.New("no metadata about the data")

// stored returns the data of a trained model whose file may be gone: all that sampling and plotting need is stored with
// the weights. src is their source, nil if the settings name it.
func stored(ctx context.Context, c *Config, g geometry, src Source) *data {
	d := &data{geometry: g, seed: c.Seed}
	if src == nil {
		var err error
		if src, err = c.OpenData(ctx, nil); err != nil {
			d.gone = gone(c.Dataset, err)
			return d
		}
	}
	sum, err := sourceSum(c.Dataset, src)
	if err != nil || src.Dim() != g.Dim || g.Sum != "" && sum != g.Sum {
		d.gone = changed(c.Dataset)
		return d
	}
	d.truth = src
	if points, training, test, err := finite(src, c); err == nil && points != nil {
		d.test = test.Matrix()
		if training, d.early, err = c.holdBack(points, training, &d.geometry); err == nil {
			d.train = training.Matrix()
		}
	}
	return d
}

// gone returns the error for a file of a run's data that cannot be read.
func gone(dataset string, err error) error {
	switch {
	case errors.Is(err, context.Canceled):
		return err
	case dataset == datasets.Stdin:
		return &DataError{dataset, errors.New(
			"the data of the run came from standard input and are not kept: train from a file to go on from it, or to " +
				"measure against it")}
	}
	help := "put the file back"
	if !filepath.IsAbs(dataset) {
		help += ", or go to the folder where the run was begun: the path is relative to that"
	}
	if errors.Is(err, fs.ErrNotExist) {
		return &DataError{dataset, fmt.Errorf("the data of the run, %s, are not there any more: %s", dataset, help)}
	}
	return &DataError{dataset, fmt.Errorf("the data of the run, %s, cannot be read any more: %s (%w)", dataset, help,
		err)}
}

// changed returns the error for a file of a run's data that has changed.
func changed(dataset string) error {
	return &DataError{dataset, fmt.Errorf(
		"the data of the run, %s, have changed since it was begun: put the old file back, or train another run with "+
			"the settings of this one, its config.json", dataset)}
}

func checksum(x *mat.Dense) string {
	h := sha256.New()
	n, _ := x.Dims()
	var b [8]byte
	for i := range n {
		for _, v := range x.RawRowView(i) {
			binary.LittleEndian.PutUint64(b[:], math.Float64bits(v))
			h.Write(b[:])
		}
	}
	return fmt.Sprintf("%x", h.Sum(nil)[:16])
}

// sourceSum identifies points, however they were written, or the bytes of a picture's file; "" for distributions.
func sourceSum(dataset string, src Source) (string, error) {
	switch src := src.(type) {
	case *datasets.Points:
		return checksum(src.Matrix()), nil
	case *datasets.Image:
		b, err := files.ReadAll(dataset, table.DefaultMemory)
		return fmt.Sprintf("%x", sha256.Sum256(b))[:32], err
	}
	return "", nil
}

// DataSum identifies the content of a data file, whatever its name; "" for distributions.
func DataSum(dataset string) (string, error) {
	src, err := datasets.Open(dataset)
	if err != nil {
		return "", err
	}
	return sourceSum(dataset, src)
}

// box returns a copy of the box around the data.
func (g *geometry) box() (lo, hi []float64) { return slices.Clone(g.Lo), slices.Clone(g.Hi) }
