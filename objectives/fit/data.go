package fit

import (
	"context"
	"errors"
	"math/rand/v2"
	"slices"

	"gonum.org/v1/gonum/mat"

	"github.com/stheno-ebm/stheno/datasets"
	"github.com/stheno-ebm/stheno/datasets/density"
	"github.com/stheno-ebm/stheno/energy"
	"github.com/stheno-ebm/stheno/mcmc"
	"github.com/stheno-ebm/stheno/objectives"
	"github.com/stheno-ebm/stheno/objectives/train"
)

const (
	testShare = 0.1   // share of finitely many points held out for testing
	fitPoints = 10000 // drawn to fit scales, noises and backgrounds
	few       = 3     // dimensions in which blurred data cover everything that data do
)

// Source is a source of data: a distribution of package datasets, the points of a file, or your own. Further methods
// are used: LogProb, Score, Entropy and Modes to judge the model; a [train.Stateful] is part of the checkpoints.
type Source = datasets.Source

// data is the data of a run. It uses two units: those of the data, as in files and pictures, and those of the network,
// which differ if the data are standardised.
type data struct {
	truth       Source     // in the units of the data; nil if the file of a trained model is gone or has changed
	notes       []string   // oddities of the points of a file
	gone        error      // why truth is nil, and the remedy
	train, test *mat.Dense // finitely many points, split; nil if fresh ones are drawn
	early       *mat.Dense // a part of train held out for Config.Patience
	geometry
	source train.Source // in the units of the network
	seed   uint64       // of the run
	sum    string       // of finitely many points, or of a picture

	untailed   *density.Mixture // the base that was fitted, without its tails; nil where columns have few values
	unwarped   *density.Warped  // the one that was fitted, whatever is kept of it; nil: none
	components int              // of the base, and their covariance
	covariance density.Covariance
}

// theirOwn reports whether the data are the user's own points or pictures, or treated as such, whose units are
// arbitrary.
func theirOwn(src Source, c *Config) bool {
	switch src.(type) {
	case *datasets.Points, *datasets.Image:
		return true
	}
	return c.TrainPoints > 0
}

// finite returns the points to train and to test on if there are finitely many, else nil.
func finite(src Source, c *Config) (all, training, test *datasets.Points, err error) {
	all, ok := src.(*datasets.Points)
	switch {
	case ok && c.TrainPoints > 0:
		return nil, nil, nil, fieldErrorf("train-points", nil, "only for distributions; %s is a file of points", c.Dataset)
	case !ok && c.TrainPoints == 0:
		return nil, nil, nil, nil
	case !ok:
		x := mat.NewDense(c.TrainPoints, src.Dim(), nil)
		src.Sample(x, train.Stream(c.Seed, "points"))
		if all, err = datasets.NewPoints(x); err != nil {
			return nil, nil, nil, err
		}
	}
	if training, test, err = all.Split(testShare, train.Stream(c.Seed, "split")); err != nil {
		err = fieldErrorf("dataset", c.Dataset, "%w", err)
	}
	return all, training, test, err
}

// newData examines a source. It needs the settings of the group data except Smooth, and the seed. What depends on the
// objective is added by blur and surround.
func newData(ctx context.Context, src Source, c *Config) (*data, error) {
	d := &data{truth: src, source: src, seed: c.Seed}
	d.Dim = src.Dim()
	d.Lo, d.Hi = src.Bounds()
	file, isFile := src.(*datasets.Points)
	if isFile {
		d.Names = file.Names()
	}
	var err error
	if d.Sum, err = sourceSum(c.Dataset, src); err != nil {
		return nil, fieldErrorf("dataset", c.Dataset, "%w", err)
	}
	points, training, test, err := finite(src, c)
	if err != nil {
		return nil, err
	}
	d.Cells = c.discreteOf(src)
	if points != nil {
		if training, d.early, err = c.holdBack(points, training, &d.geometry); err != nil {
			return nil, err
		}
	}
	d.sum = d.Sum
	var all *mat.Dense
	if points != nil {
		all = points.Matrix()
		if !isFile {
			d.sum = checksum(all)
		}
		d.train, d.test, d.source = training.Matrix(), test.Matrix(), training
		if isFile {
			err = d.look(ctx, file)
		}
		if err == nil {
			err = d.constant()
		}
	} else {
		if picture, ok := src.(*datasets.Image); ok && picture.Note() != "" {
			d.notes = append(d.notes, picture.Note())
		}
		all = mat.NewDense(fitPoints, d.Dim, nil)
		src.Sample(all, train.Stream(c.Seed, "scale"))
	}
	if err == nil && c.Standardize == On {
		err = d.standardize(all)
	}
	if err == nil && len(d.Cells) > 0 {
		d.source = &spreading{d.train, d}
	}
	switch {
	case errors.Is(err, context.Canceled):
		return nil, err
	case err != nil:
		return nil, fieldErrorf("dataset", c.Dataset, "%w", err)
	}
	return d, nil
}

// holdBack splits the part of the training points off on which steps, or the share of a network, are chosen; nil if
// none are.
func (c *Config) holdBack(all, training *datasets.Points, g *geometry) (*datasets.Points, *mat.Dense, error) {
	if c.Patience == 0 && c.Base != On {
		return training, nil, nil
	}
	training, early, err := training.Split(c.heldShare(all.Len(), g), train.Stream(c.Seed, "patience"))
	if err != nil {
		return nil, nil, fieldErrorf("patience", c.Patience, "%w", err)
	}
	return training, early.Matrix(), nil
}

// standardize converts the source to the units of the network, in which all columns have deviation 1.
func (d *data) standardize(all *mat.Dense) error {
	d.Scaler = datasets.NewStandardizer(all)
	if err := d.Scaler.Validate(d.Dim); err != nil {
		return err
	}
	if d.train == nil {
		d.source = rescaled(d.truth, d.Scaler)
		return nil
	}
	points, err := d.network(d.train)
	d.source = points
	return err
}

// facts measures the data in the units of the network, before blurring.
func (d *data) facts(seed uint64) (objectives.Facts, error) {
	if d.train != nil {
		points, err := d.network(d.train)
		if err != nil {
			return objectives.Facts{}, err
		}
		f := objectives.FactsOf(points.Matrix())
		f.Points, _ = d.train.Dims()
		return f, nil
	}
	return objectives.FactsOf(d.points(fitPoints, train.Stream(seed, "fit"))), nil
}

// blur smooths finitely many points as set, then measures the moments of the training data and the density around them
// from which chains start.
func (d *data) blur(ctx context.Context, c *Config) error {
	if c.Base == On {
		c.stage("fitting the base")
		if err := d.fitBase(c); err != nil {
			return err
		}
	}
	if c.Smooth > 0 && d.train != nil && c.tilts(&d.geometry) {
		d.source = d.jittered(c.Smooth)
	} else if c.Smooth > 0 && d.train != nil {
		c.stage("measuring the neighbourhoods of the points")
		points, err := d.network(d.train)
		if err != nil {
			return err
		}
		smooth, err := datasets.NewSmoothedContext(ctx, points, c.Smooth)
		if err != nil {
			return err
		}
		d.source = smooth
	}
	c.stage("measuring the density around the data")
	moments := mcmc.FitGaussian(d.points(fitPoints, train.Stream(c.Seed, "fit")), 1)
	d.Mean, d.Std = moments.Mean, moments.Std
	if c.tilts(&d.geometry) {
		return nil
	}
	var err error
	if d.Background, err = around(d, c.Seed); err != nil {
		return err
	}
	if c.Bridge > 0 {
		d.Odds = oddsForm
		d.Bridge, err = bridgeOf(d, c.Seed)
	}
	return err
}

// bridgeOf returns the background of a bridge: one third a Gaussian broader than the data, the rest the data blurred at
// two widths, so that some of it is next to every mode, however small, to determine its weight. That happens where data
// and background are even, by the points that the data have there: for eight Gaussians one in 500 with the wider blur
// alone, one in 100 with both. The widths suit the data around each kernel: with 0.1 and 0.3 everywhere, which are
// within the modes of 2gaussians, ssm gave the smaller one a weight of 0.167 and 0.213 (two seeds), with those found
// here 0.198, instead of 0.2.
func bridgeOf(d *data, seed uint64) (*energy.Mixture, error) {
	const centres, broad = 128, 1.25
	widths := []float64{0.1, 0.3, 0.9} // of the largest standard deviation
	for i := range widths {
		widths[i] *= slices.Max(d.Std)
	}
	rng := train.Stream(seed, "bridge's background")
	return energy.AdaptiveLadder(d.points(fitPoints, rng), widths, centres, broad, rng)
}

// around returns the data blurred at three widths, narrow enough to resolve sharp modes and wide enough to join them,
// plus one broad Gaussian. In more dimensions, where narrow kernels are far apart, the most likely blur is used.
func around(d *data, seed uint64) (*energy.Mixture, error) {
	const broad = 1.25
	rng := train.Stream(seed, "bridge")
	points := d.points(fitPoints, rng)
	if d.Dim > few {
		h := density.KernelWidth(points.Slice(0, 1024, 0, d.Dim).(*mat.Dense))
		return energy.Ladder(points, []float64{h, 1.5 * h}, 256, broad, rng)
	}
	widths := []float64{0.035, 0.1, 0.3} // of the largest standard deviation
	for i := range widths {
		widths[i] *= slices.Max(d.Std)
	}
	return energy.Ladder(points, widths, 96, broad, rng)
}

// held returns the source of held-out points, in the units of the network; nil for distributions. The points used for
// early stopping are not those used for evaluation.
func (d *data) held() (train.Source, error) {
	switch {
	case d.test == nil:
		return nil, nil
	case d.early != nil:
		return d.network(d.early)
	}
	return d.network(d.test)
}

// network returns a copy of x in the units of the network; discrete values at points of their cells, always the same.
func (d *data) network(x *mat.Dense) (*datasets.Points, error) {
	z := mat.DenseCopyOf(x)
	d.Cells.spread(z, train.Stream(d.seed, "cells"))
	if d.Scaler != nil {
		d.Scaler.Apply(z, z)
	}
	return datasets.NewPoints(z)
}

// rescaled draws from a source in the units of the network. It has the state of the source.
func rescaled(src train.Source, s *datasets.Standardizer) train.Source {
	if memory, ok := src.(train.Stateful); ok {
		return struct {
			scaled
			train.Stateful
		}{scaled{src, s}, memory}
	}
	return scaled{src, s}
}

type scaled struct {
	from train.Source
	s    *datasets.Standardizer
}

func (d scaled) Sample(dst *mat.Dense, rng *rand.Rand) {
	d.from.Sample(dst, rng)
	d.s.Apply(dst, dst)
}

// points draws n points in the units of the network.
func (d *data) points(n int, rng *rand.Rand) *mat.Dense {
	x := mat.NewDense(n, d.Dim, nil)
	d.source.Sample(x, rng)
	return x
}

// bare returns n of the training points, unblurred, or all if there are fewer, or draws from the distribution, in the
// units of the network.
func (d *data) bare(n int, rng *rand.Rand) (*datasets.Points, error) {
	x := d.train
	if x == nil {
		if d.truth == nil {
			return nil, d.gone
		}
		x = mat.NewDense(n, d.Dim, nil)
		d.truth.Sample(x, rng)
	}
	rows, _ := x.Dims()
	some := mat.NewDense(min(n, rows), d.Dim, nil)
	for i, row := range rng.Perm(rows)[:min(n, rows)] {
		some.SetRow(i, x.RawRowView(row))
	}
	return d.network(some)
}

// restore converts rows from the units of the network to those of the data.
func (d *data) restore(x *mat.Dense) {
	if d.Scaler != nil {
		d.Scaler.Invert(x, x)
	}
}

// logScale returns the sum of log s over the columns, by which energies in the units of the data, with z = (x−m)/s,
// exceed those in the units of the network.
func (d *data) logScale() float64 {
	if d.Scaler == nil {
		return 0
	}
	return d.Scaler.LogDet()
}

// modes returns the modes of the distribution, nil if unknown.
func (d *data) modes() *mcmc.KnownModes {
	m, ok := d.truth.(datasets.Modal)
	if !ok {
		return nil
	}
	centres, weights := m.Modes()
	return &mcmc.KnownModes{Centres: centres, Weights: weights, Assign: m.AssignMode}
}
