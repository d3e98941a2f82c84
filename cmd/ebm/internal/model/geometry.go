package model

import (
	"crypto/sha256"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"unicode"

	"gonum.org/v1/gonum/mat"

	"github.com/stheno-ebm/stheno/cmd/ebm/internal/exit"
	"github.com/stheno-ebm/stheno/cmd/ebm/internal/settings"
	"github.com/stheno-ebm/stheno/datasets"
	"github.com/stheno-ebm/stheno/energy"
)

// geometry is what a trained model must know of its data. It is stored with the weights.
type geometry struct {
	Dim    int                    `json:"dim"`
	Lo     []float64              `json:"lo"` // a box around the data
	Hi     []float64              `json:"hi"`
	Scaler *datasets.Standardizer `json:"standardizer,omitempty"` // nil: both units are the same
	Mean   []float64              `json:"mean"`                   // of the data in the units of the network
	Std    []float64              `json:"std"`
	Names  []string               `json:"names,omitempty"` // of the columns, from the header of a file; nil: they have none
	Sum    string                 `json:"sum,omitempty"`   // of the file, see fileSum

	Background *energy.Mixture `json:"background"`       // the data, blurred: where chains start
	Bridge     *energy.Mixture `json:"bridge,omitempty"` // what a bridge adds to the data; nil without one
}

// metadataKey is where the geometry stands in model.safetensors.
const metadataKey = "data"

func (d *Data) metadata(meta map[string]string) error {
	b, err := json.Marshal(d.geometry)
	meta[metadataKey] = string(b)
	return err
}

// parseGeometry reads what metadata wrote. A file that another program wrote has none: the error is errNoGeometry.
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
	for _, name := range g.Names {
		if name == "" || strings.ContainsFunc(name, func(r rune) bool { return !unicode.IsPrint(r) }) {
			return g, fmt.Errorf("metadata %q: name %q of a column", metadataKey, name)
		}
	}
	if g.Background == nil || g.Background.Dim() != g.Dim {
		return g, fmt.Errorf("metadata %q: no background of dimension %d", metadataKey, g.Dim)
	}
	for j := range g.Dim {
		if !(g.Lo[j] < g.Hi[j]) || !(g.Std[j] > 0) {
			return g, fmt.Errorf("metadata %q: box %v to %v, deviations %v", metadataKey, g.Lo, g.Hi, g.Std)
		}
	}
	if g.Scaler != nil {
		err = g.Scaler.Validate(g.Dim)
	}
	return g, err
}

var errNoGeometry = errors.New("no metadata about the data")

// stored is the data of a trained model whose file may be gone: all that sampling and drawing need is with the weights.
func stored(s settings.Settings, g geometry) *Data {
	d := &Data{geometry: g}
	truth, err := datasets.Open(s.Dataset)
	if err != nil {
		d.Gone = Gone(s.Dataset, err)
		return d
	}
	sum, err := fileSum(s.Dataset, truth)
	if err != nil || truth.Dim() != g.Dim || g.Sum != "" && sum != g.Sum {
		d.Gone = Changed(s.Dataset)
		return d
	}
	d.Truth = truth
	if points, training, test, err := finite(truth, s); err == nil && points != nil {
		d.Train, d.Test = training.Matrix(), test.Matrix()
	}
	return d
}

// Gone is what is to be said where the file of a run's data cannot be read.
func Gone(dataset string, err error) error {
	help := "put the file back"
	if !filepath.IsAbs(dataset) {
		help += ", or go to the folder where the run was begun: the path is relative to that"
	}
	if errors.Is(err, fs.ErrNotExist) {
		return exit.Usagef("the data of the run, %s, are not there any more: %s", dataset, help)
	}
	return exit.Usagef("the data of the run, %s, cannot be read any more: %s (%w)", dataset, help, err)
}

// Changed is what is to be said where the file of a run's data holds others.
func Changed(dataset string) error {
	return exit.Usagef("the data of the run, %s, have changed since it was begun: put the old file back, or train another run, with the config.json of this one as --config", dataset)
}

// Box is a copy of the box around the data.
func (d *Data) Box() (lo, hi []float64) { return slices.Clone(d.Lo), slices.Clone(d.Hi) }

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

// fileSum identifies the content of a file of data: the points, however they are written, or the bytes of a picture; "" for
// distributions.
func fileSum(dataset string, truth datasets.Source) (string, error) {
	if points, ok := truth.(*datasets.Points); ok {
		return checksum(points.Matrix()), nil
	}
	if !IsFile(dataset) {
		return "", nil
	}
	b, err := os.ReadFile(dataset)
	return fmt.Sprintf("%x", sha256.Sum256(b))[:32], err
}

// FileSum is what a file of data is known by, see fileSum; "" for distributions.
func FileSum(dataset string) (string, error) {
	if !IsFile(dataset) {
		return "", nil
	}
	truth, err := datasets.Open(dataset)
	if err != nil {
		return "", exit.Usagef("%w", err)
	}
	return fileSum(dataset, truth)
}

// Checksum identifies the points that are trained on, or the picture; "" for distributions.
func (d *Data) Checksum() string { return d.sum }
