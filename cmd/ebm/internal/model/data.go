package model

import (
	"cmp"
	"crypto/sha256"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"math"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"unicode"

	"gonum.org/v1/gonum/floats"
	"gonum.org/v1/gonum/mat"
	"gonum.org/v1/gonum/stat"

	"github.com/stheno-ebm/stheno/cmd/ebm/internal/exit"
	"github.com/stheno-ebm/stheno/cmd/ebm/internal/settings"
	"github.com/stheno-ebm/stheno/datasets"
	"github.com/stheno-ebm/stheno/energy"
	"github.com/stheno-ebm/stheno/mcmc"
	"github.com/stheno-ebm/stheno/objectives/train"
)

const (
	testShare = 0.1   // of the points of a file, kept for testing
	fitPoints = 10000 // drawn to fit scales, noises and backgrounds
	planar    = 3     // dimensions in which data that were blurred reach everywhere that data do
)

// Data is the data of a run: a distribution, or the points of a file. It knows two units: those of the data, which files
// and pictures have, and those of the network, which differ where the data are standardised.
type Data struct {
	Truth       datasets.Source // in the units of the data; nil when the file of a trained model is not what it was
	Notes       []string        // what is odd about the points of a file
	Gone        error           // why Truth is nil, and what helps
	Train, Test *mat.Dense      // finitely many points, split; nil where fresh ones are drawn
	geometry
	source train.Source // in the units of the network
	sum    string       // of finitely many points, or of a picture
}

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

// IsFile reports whether the dataset is the path of a file.
func IsFile(dataset string) bool {
	switch strings.ToLower(filepath.Ext(dataset)) {
	case ".csv", ".npy", ".npz":
		return true
	}
	return isPicture(dataset) || strings.ContainsAny(dataset, `/\`)
}

// isPicture reports whether the dataset is a picture, a density like those that have a name.
func isPicture(dataset string) bool { return strings.EqualFold(filepath.Ext(dataset), ".png") }

// Finite reports whether the settings train on finitely many points, over and over: those of a file, or of a distribution that is
// drawn from but once.
func Finite(s settings.Settings) bool {
	return IsFile(s.Dataset) && !isPicture(s.Dataset) || s.TrainPoints > 0
}

// finite returns the points to train and to test on where there are finitely many, else nil.
func finite(truth datasets.Source, s settings.Settings) (all, training, test *datasets.Points, err error) {
	all, ok := truth.(*datasets.Points)
	switch {
	case ok && s.TrainPoints > 0:
		return nil, nil, nil, exit.Usagef("--train-points %d: %s has points of its own; it is for distributions", s.TrainPoints, s.Dataset)
	case !ok && s.TrainPoints == 0:
		return nil, nil, nil, nil
	case !ok:
		x := mat.NewDense(s.TrainPoints, truth.Dim(), nil)
		truth.Sample(x, train.Stream(s.Seed, "points"))
		if all, err = datasets.NewPoints(x); err != nil {
			return nil, nil, nil, err
		}
	}
	if training, test, err = all.Split(testShare, train.Stream(s.Seed, "split")); err != nil {
		err = exit.Usagef("--dataset %s: %w", s.Dataset, err)
	}
	return all, training, test, err
}

// OpenData finds the data of the settings.
func OpenData(s settings.Settings) (*Data, error) {
	truth, err := datasets.Open(s.Dataset)
	if err != nil {
		return nil, exit.Usagef("--dataset: %w", err)
	}
	d := &Data{Truth: truth, source: truth}
	d.Dim = truth.Dim()
	d.Lo, d.Hi = truth.Bounds()
	file, ok := truth.(*datasets.Points)
	if ok {
		d.Names = file.Names()
	}
	if d.Sum, err = fileSum(s.Dataset, truth); err != nil {
		return nil, exit.Usagef("--dataset: %w", err)
	}
	points, training, test, err := finite(truth, s)
	if err != nil {
		return nil, err
	}
	d.sum = d.Sum
	var all *mat.Dense
	if points != nil {
		all = points.Matrix()
		if file == nil {
			d.sum = checksum(all)
		}
		d.Train, d.Test, d.source = training.Matrix(), test.Matrix(), training
		if err := d.constant(); err != nil {
			return nil, exit.Usagef("--dataset %s: %w", s.Dataset, err)
		}
		if file != nil {
			d.Notes = d.odd(all)
		}
	} else {
		all = mat.NewDense(fitPoints, d.Dim, nil)
		truth.Sample(all, train.Stream(s.Seed, "scale"))
	}
	if s.Standardize {
		d.Scaler = datasets.NewStandardizer(all)
		if err := d.Scaler.Validate(d.Dim); err != nil {
			return nil, exit.Usagef("--dataset %s: the values are too large to be brought to deviation 1; take a larger unit (%w)", s.Dataset, err)
		}
		if err := d.standardize(); err != nil {
			return nil, exit.Usagef("--dataset %s: %w", s.Dataset, err)
		}
	}
	if points, ok := d.source.(*datasets.Points); ok && s.Smooth > 0 {
		d.source = datasets.NewSmoothed(points, s.Smooth)
	}
	sample := d.Points(fitPoints, train.Stream(s.Seed, "fit"))
	fit := mcmc.FitGaussian(sample, 1)
	d.Mean, d.Std = fit.Mean, fit.Std
	if d.Background, err = background(d, s.Seed); err != nil {
		return nil, err
	}
	if s.Bridge > 0 {
		d.Bridge, err = bridge(d, s.Seed)
	}
	return d, err
}

// constant refuses training points that lie in a plane x_j = c, in which no density has them.
func (d *Data) constant() error {
	n, dim := d.Train.Dims()
	var flat []string
	for j := range dim {
		lo, hi := d.Train.At(0, j), d.Train.At(0, j)
		for i := range n {
			lo, hi = min(lo, d.Train.At(i, j)), max(hi, d.Train.At(i, j))
		}
		if hi-lo <= 1e-12*max(math.Abs(lo), math.Abs(hi)) { // as far as a standardizer can tell
			flat = append(flat, d.column(j))
		}
	}
	switch len(flat) {
	case 0:
		return nil
	case dim:
		return errors.New("all training points are equal: there is no density to learn; give points that differ")
	case 1:
		return fmt.Errorf("column %s is the same in all training points: no density has it; leave the column out", flat[0])
	}
	return fmt.Errorf("columns %s are the same in all training points: no density has them; leave the columns out", strings.Join(flat, ", "))
}

// column is the number of a column, from 1, and its name.
func (d *Data) column(j int) string {
	if d.Names == nil {
		return fmt.Sprint(j + 1)
	}
	return fmt.Sprintf("%d (%s)", j+1, d.Names[j])
}

// odd says of the points of a file what a density on them will hardly be meant to learn: a column that counts the rows, a point far from
// all others, and columns of which one follows from the others.
func (d *Data) odd(x *mat.Dense) (notes []string) {
	n, dim := x.Dims()
	if n < 10 {
		return nil
	}
	for j := range dim {
		counts := true
		for i := 1; i < n && counts; i++ {
			counts = x.At(i, j) == x.At(0, j)+float64(i)
		}
		if counts {
			notes = append(notes, fmt.Sprintf("column %s counts the rows; unless that belongs to the data, leave it out", d.column(j)))
		}
	}
	const most, least = 64, 1e-9 // dimensions; share of the variance off a plane, which the digits of a file leave where there should be none
	if dim > most || n < 2*dim {
		return notes
	}
	z, outlier := inliers(x)
	if outlier != "" {
		notes = append(notes, outlier)
	}
	if z == nil || dim < 2 {
		return notes
	}
	var corr mat.SymDense
	stat.CovarianceMatrix(&corr, z, nil)
	var eigen mat.EigenSym
	if !eigen.Factorize(&corr, true) || !(eigen.Values(nil)[0] < least) {
		return notes
	}
	var v mat.Dense
	eigen.VectorsTo(&v)
	var in []string
	for j := range dim {
		if math.Abs(v.At(j, 0)) > 1e-3 {
			in = append(in, d.column(j))
		}
	}
	return append(notes, fmt.Sprintf("of the columns %s one follows from the others: the points have no density of their own; leave one of them out", strings.Join(in, ", ")))
}

// inliers returns the rows of x without the hundredth part that is farthest out, which may outweigh all others, each column with mean 0
// and deviation 1, nil where that cannot be; and says if the farthest row is far from what the others are.
func inliers(x *mat.Dense) (z *mat.Dense, outlier string) {
	const far = 1000 // deviations of the others
	n, dim := x.Dims()
	s := datasets.NewStandardizer(x)
	if s.Validate(dim) != nil {
		return nil, ""
	}
	z = mat.DenseCopyOf(x)
	s.Apply(z, z)
	order, size := make([]int, n), make([]float64, n)
	for i := range order {
		order[i], size[i] = i, floats.Norm(z.RawRowView(i), math.Inf(1))
	}
	slices.SortFunc(order, func(i, j int) int { return cmp.Compare(size[i], size[j]) })
	kept := mat.NewDense(n-(n+99)/100, dim, nil)
	for k := range kept.RawMatrix().Rows {
		kept.SetRow(k, x.RawRowView(order[k]))
	}
	if s = datasets.NewStandardizer(kept); s.Validate(dim) != nil {
		return nil, ""
	}
	last := order[n-1]
	row := mat.NewDense(1, dim, nil)
	s.Apply(row, x.Slice(last, last+1, 0, dim).(*mat.Dense))
	if size := floats.Norm(row.RawRowView(0), math.Inf(1)); size > far {
		outlier = fmt.Sprintf("point %d lies %.2g deviations of the others away and sets the scale for all; if it is a slip, remove it", last+1, size)
	}
	s.Apply(kept, kept)
	return kept, outlier
}

// bridge is what a bridge adds to the data: a third of it one Gaussian broader than they are, the rest the data, blurred at two
// widths, so that there is some of it beside every mode, however small, to measure its height by: that is done where data and
// background are even, by as many points as the data have there. Of eight Gaussians they are one in 500 with the wider blur
// alone, one in 100 with both.
func bridge(d *Data, seed uint64) (*energy.Mixture, error) {
	const centres, broad = 128, 1.25
	widths := []float64{0.1, 0.3} // of the largest standard deviation
	for i := range widths {
		widths[i] *= slices.Max(d.Std)
	}
	rng := train.Stream(seed, "bridge's background")
	return energy.Ladder(d.Points(fitPoints, rng), widths, centres, broad, rng)
}

// background is the data blurred at three widths, narrow enough to reach into sharp
// modes and wide enough to join them, and one broad Gaussian.
func background(d *Data, seed uint64) (*energy.Mixture, error) {
	const centres, broad = 96, 1.25
	widths := []float64{0.035, 0.1, 0.3} // of the largest standard deviation
	for i := range widths {
		widths[i] *= slices.Max(d.Std)
	}
	rng := train.Stream(seed, "bridge")
	return energy.Ladder(d.Points(fitPoints, rng), widths, centres, broad, rng)
}

// Held is where points that were set aside come from, in the units of the network; nil for distributions.
func (d *Data) Held() (train.Source, error) {
	if d.Test == nil {
		return nil, nil
	}
	z := mat.DenseCopyOf(d.Test)
	if d.Scaler != nil {
		d.Scaler.Apply(z, z)
	}
	return datasets.NewPoints(z)
}

// standardize lets the source draw in the units of the network.
func (d *Data) standardize() error {
	if d.Train == nil {
		d.source = scaled{d.Truth, d.Scaler}
		return nil
	}
	z := mat.DenseCopyOf(d.Train)
	d.Scaler.Apply(z, z)
	points, err := datasets.NewPoints(z)
	d.source = points
	return err
}

// scaled draws from a source in the units of the network.
type scaled struct {
	train.Source
	s *datasets.Standardizer
}

func (d scaled) Sample(dst *mat.Dense, rng *rand.Rand) {
	d.Source.Sample(dst, rng)
	d.s.Apply(dst, dst)
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

// Points draws n points in the units of the network.
func (d *Data) Points(n int, rng *rand.Rand) *mat.Dense {
	x := mat.NewDense(n, d.Dim, nil)
	d.source.Sample(x, rng)
	return x
}

// Restore brings rows from the units of the network to those of the data.
func (d *Data) Restore(x *mat.Dense) {
	if d.Scaler != nil {
		d.Scaler.Invert(x, x)
	}
}

// logScale is the sum of log s over the columns, by which energies in the units of the data, where z = (x−m)/s, lie above
// those in the units of the network.
func (d *Data) logScale() float64 {
	if d.Scaler == nil {
		return 0
	}
	return d.Scaler.LogDet()
}

// modes are those of the distribution, nil where they are not known.
func (d *Data) modes() *mcmc.KnownModes {
	m, ok := d.Truth.(datasets.Modal)
	if !ok {
		return nil
	}
	centres, weights := m.Modes()
	return &mcmc.KnownModes{Centres: centres, Weights: weights, Assign: m.AssignMode}
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
