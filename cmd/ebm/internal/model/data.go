package model

import (
	"math/rand/v2"
	"path/filepath"
	"slices"
	"strings"

	"gonum.org/v1/gonum/mat"

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
	few       = 3     // dimensions in which data that were blurred reach everywhere that data do
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

// Given reports whether the data are somebody's own, a file of points or a picture, or are treated so: their units tell nothing.
func Given(s settings.Settings) bool { return Finite(s) || IsFile(s.Dataset) }

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
			if note := file.Note(); note != "" {
				d.Notes = append(d.Notes, note)
			}
			d.Notes = append(d.Notes, d.odd(all)...)
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

// bridge is what a bridge adds to the data: a third of it one Gaussian broader than they are, the rest the data, blurred at two
// widths, so that there is some of it beside every mode, however small, to measure its height by: that is done where data and
// background are even, by as many points as the data have there. Of eight Gaussians they are one in 500 with the wider blur
// alone, one in 100 with both. The widths are those that suit the data around each kernel: with 0.1 and 0.3 everywhere, which are
// within the modes of 2gaussians, ssm saw the lesser one at 0.167 and 0.213 (two seeds), with those found here at 0.198, of 0.2.
func bridge(d *Data, seed uint64) (*energy.Mixture, error) {
	const centres, broad = 128, 1.25
	widths := []float64{0.1, 0.3, 0.9} // of the largest standard deviation
	for i := range widths {
		widths[i] *= slices.Max(d.Std)
	}
	rng := train.Stream(seed, "bridge's background")
	return energy.AdaptiveLadder(d.Points(fitPoints, rng), widths, centres, broad, rng)
}

// background is the data blurred at three widths, narrow enough to reach into sharp modes and wide enough to join them, and one broad
// Gaussian. In more dimensions, where narrow kernels lie far from each other, it is blurred as far as its likelihood asks for.
func background(d *Data, seed uint64) (*energy.Mixture, error) {
	const broad = 1.25
	rng := train.Stream(seed, "bridge")
	points := d.Points(fitPoints, rng)
	if d.Dim > few {
		h := energy.KernelWidth(points.Slice(0, 1024, 0, d.Dim).(*mat.Dense))
		return energy.Ladder(points, []float64{h, 1.5 * h}, 256, broad, rng)
	}
	widths := []float64{0.035, 0.1, 0.3} // of the largest standard deviation
	for i := range widths {
		widths[i] *= slices.Max(d.Std)
	}
	return energy.Ladder(points, widths, 96, broad, rng)
}

// Held is where points that were set aside come from, in the units of the network; nil for distributions.
func (d *Data) Held() (train.Source, error) {
	if d.Test == nil {
		return nil, nil
	}
	return d.network(d.Test)
}

// network returns a copy of x in the units of the network.
func (d *Data) network(x *mat.Dense) (*datasets.Points, error) {
	z := mat.DenseCopyOf(x)
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
	points, err := d.network(d.Train)
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

// Points draws n points in the units of the network.
func (d *Data) Points(n int, rng *rand.Rand) *mat.Dense {
	x := mat.NewDense(n, d.Dim, nil)
	d.source.Sample(x, rng)
	return x
}

// bare returns n of the points to train on, as they are, or all if they are fewer, or draws of the distribution, in the units of the
// network. It panics where these are gone.
func (d *Data) bare(n int, rng *rand.Rand) (*datasets.Points, error) {
	x := d.Train
	if x == nil {
		x = mat.NewDense(n, d.Dim, nil)
		d.Truth.Sample(x, rng)
	}
	rows, _ := x.Dims()
	some := mat.NewDense(min(n, rows), d.Dim, nil)
	for i, row := range rng.Perm(rows)[:min(n, rows)] {
		some.SetRow(i, x.RawRowView(row))
	}
	return d.network(some)
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
