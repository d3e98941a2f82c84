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
	testShare = 0.1   // of finitely many points, kept for testing
	fitPoints = 10000 // drawn to fit scales, noises and backgrounds
	few       = 3     // dimensions in which data that were blurred reach everywhere that data do
)

// Source is where data come from: a distribution of package datasets, the points of a file, or one's own. What else it can do
// is used: LogProb, Score, Entropy and Modes judge the model, a [train.Stateful] is part of the checkpoints.
type Source = datasets.Source

// data is the data of a run. It knows two units: those of the data, which files and pictures have, and those of the network,
// which differ where the data are standardised.
type data struct {
	truth       Source     // in the units of the data; nil when the file of a trained model is not what it was
	notes       []string   // what is odd about the points of a file
	gone        error      // why truth is nil, and what helps
	train, test *mat.Dense // finitely many points, split; nil where fresh ones are drawn
	early       *mat.Dense // a part of train that is not learnt, where Config.Patience asks for it
	geometry
	source train.Source // in the units of the network
	sum    string       // of finitely many points, or of a picture

	components int // of the base that was fitted, without its tails, and their covariance
	covariance density.Covariance
}

// theirOwn tells points and pictures of the user's, and what is treated so, from distributions: their units tell nothing.
func theirOwn(src Source, c *Config) bool {
	switch src.(type) {
	case *datasets.Points, *datasets.Image:
		return true
	}
	return c.TrainPoints > 0
}

// finite returns the points to train and to test on where there are finitely many, else nil.
func finite(src Source, c *Config) (all, training, test *datasets.Points, err error) {
	all, ok := src.(*datasets.Points)
	switch {
	case ok && c.TrainPoints > 0:
		return nil, nil, nil, fieldErrorf("train-points", c.TrainPoints, "%s has points of its own; it is for distributions", c.Dataset)
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

// newData looks at a source. Of the settings it needs those of the group data but Smooth, and the seed. What follows from the
// objective comes with blur and surround.
func newData(ctx context.Context, src Source, c *Config) (*data, error) {
	d := &data{truth: src, source: src}
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
	if points != nil && (c.Patience > 0 || c.Base == On) {
		var early *datasets.Points
		if training, early, err = training.Split(c.heldShare(points.Len(), d.Dim), train.Stream(c.Seed, "patience")); err != nil {
			return nil, fieldErrorf("patience", c.Patience, "%w", err)
		}
		d.early = early.Matrix()
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
	switch {
	case errors.Is(err, context.Canceled):
		return nil, err
	case err != nil:
		return nil, fieldErrorf("dataset", c.Dataset, "%w", err)
	}
	return d, nil
}

// standardize brings the source to the units of the network, in which all have deviation 1.
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

// facts measures the data in the units of the network, before they are blurred.
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

// blur smooths finitely many points as the settings ask, then takes the moments of what is trained on and the density around it
// from which chains start.
func (d *data) blur(ctx context.Context, c *Config) error {
	if c.Base == On {
		c.stage("fitting the base")
		if err := d.fitBase(c); err != nil {
			return err
		}
	}
	if points, ok := d.source.(*datasets.Points); ok && c.tilts(d.Dim) {
		if c.Smooth > 0 {
			d.source = &jittered{points, d.Base, c.Smooth}
		}
	} else if ok && c.Smooth > 0 {
		c.stage("measuring the neighbourhoods of the points")
		smooth, err := datasets.NewSmoothedContext(ctx, points, c.Smooth)
		if err != nil {
			return err
		}
		d.source = smooth
	}
	c.stage("measuring the density around the data")
	moments := mcmc.FitGaussian(d.points(fitPoints, train.Stream(c.Seed, "fit")), 1)
	d.Mean, d.Std = moments.Mean, moments.Std
	if c.tilts(d.Dim) {
		return nil
	}
	var err error
	if d.Background, err = around(d, c.Seed); err != nil {
		return err
	}
	if c.Bridge > 0 {
		d.Bridge, err = bridgeOf(d, c.Seed)
	}
	return err
}

// bridgeOf is what a bridge adds to the data: a third of it one Gaussian broader than they are, the rest the data, blurred at two
// widths, so that there is some of it beside every mode, however small, to measure its height by: that is done where data and
// background are even, by as many points as the data have there. Of eight Gaussians they are one in 500 with the wider blur
// alone, one in 100 with both. The widths are those that suit the data around each kernel: with 0.1 and 0.3 everywhere, which are
// within the modes of 2gaussians, ssm saw the lesser one at 0.167 and 0.213 (two seeds), with those found here at 0.198, of 0.2.
func bridgeOf(d *data, seed uint64) (*energy.Mixture, error) {
	const centres, broad = 128, 1.25
	widths := []float64{0.1, 0.3, 0.9} // of the largest standard deviation
	for i := range widths {
		widths[i] *= slices.Max(d.Std)
	}
	rng := train.Stream(seed, "bridge's background")
	return energy.AdaptiveLadder(d.points(fitPoints, rng), widths, centres, broad, rng)
}

// around is the data blurred at three widths, narrow enough to reach into sharp modes and wide enough to join them, and one broad
// Gaussian. In more dimensions, where narrow kernels lie far from each other, it is blurred as far as its likelihood asks for.
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

// held is where points that were set aside come from, in the units of the network; nil for distributions. Those that end a run
// early are not those that it is measured on.
func (d *data) held() (train.Source, error) {
	switch {
	case d.test == nil:
		return nil, nil
	case d.early != nil:
		return d.network(d.early)
	}
	return d.network(d.test)
}

// network returns a copy of x in the units of the network.
func (d *data) network(x *mat.Dense) (*datasets.Points, error) {
	z := mat.DenseCopyOf(x)
	if d.Scaler != nil {
		d.Scaler.Apply(z, z)
	}
	return datasets.NewPoints(z)
}

// rescaled draws from a source in the units of the network. What the source remembers, it remembers.
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

// bare returns n of the points to train on, as they are, or all if they are fewer, or draws of the distribution, in the units of
// the network.
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

// restore brings rows from the units of the network to those of the data.
func (d *data) restore(x *mat.Dense) {
	if d.Scaler != nil {
		d.Scaler.Invert(x, x)
	}
}

// logScale is the sum of log s over the columns, by which energies in the units of the data, where z = (x−m)/s, lie above
// those in the units of the network.
func (d *data) logScale() float64 {
	if d.Scaler == nil {
		return 0
	}
	return d.Scaler.LogDet()
}

// modes are those of the distribution, nil where they are not known.
func (d *data) modes() *mcmc.KnownModes {
	m, ok := d.truth.(datasets.Modal)
	if !ok {
		return nil
	}
	centres, weights := m.Modes()
	return &mcmc.KnownModes{Centres: centres, Weights: weights, Assign: m.AssignMode}
}
