package main

import (
	"context"
	"errors"
	"fmt"
	"math"

	"gonum.org/v1/gonum/floats"
	"gonum.org/v1/gonum/mat"
	"gonum.org/v1/gonum/stat"

	"github.com/stheno-ebm/stheno/benchmarks/internal/cpu"
	"github.com/stheno-ebm/stheno/datasets"
	"github.com/stheno-ebm/stheno/datasets/density"
	"github.com/stheno-ebm/stheno/mcmc"
	"github.com/stheno-ebm/stheno/objectives/fit"
	"github.com/stheno-ebm/stheno/objectives/metrics"
	"github.com/stheno-ebm/stheno/objectives/train"
)

// cell is one run: points to train on, others to judge by, and the density of both if it is known.
type cell struct {
	Table   string
	About   string
	Seed    uint64
	Mixture bool
	train   *datasets.Points
	test    *mat.Dense
	truth   density.Density // nil: of a file
	config  fit.Config
}

// figure is a mean over the test points and its standard error.
type figure struct {
	Mean metrics.Value `json:"mean"`
	Err  metrics.Value `json:"se"` // NaN where it is not known
}

func newFigure(mean, se float64) figure { return figure{metrics.Value(mean), metrics.Value(se)} }

// result is what is known of a finished cell. Likelihoods are in nats per point and in the units of the table; of
// columns that are rounded they are those of the cell, divided by its volume.
type result struct {
	Table   string  `json:"table"`
	About   string  `json:"about,omitempty"`
	Rows    int     `json:"rows"`
	Dim     int     `json:"dim"`
	Seed    uint64  `json:"seed"`
	Mixture bool    `json:"mixture,omitempty"` // what the points are drawn from
	Known   bool    `json:"known,omitempty"`   // Loss is the KL from the known density; else it is the NLL
	Base    string  `json:"base"`
	Share   float64 `json:"share"`
	Warped  bool    `json:"warped,omitempty"` // the base has given way to a mixture of straightened columns
	CPU     float64 `json:"cpu_seconds"`      // of all stages of the fit

	Loss       map[string]figure `json:"loss"`       // by density, see the constants
	Difference figure            `json:"difference"` // of ours from the base, point by point
	LogZ       figure            `json:"log_z"`
	Reference  *figure           `json:"log_z_reference,omitempty"` // by draws of the known density
}

// The densities that are compared.
const (
	ofBase   = "base"
	ofKernel = "kernel"
	ofOurs   = "ours"
)

const (
	testRows   = 20000
	cellRows   = 4000 // of tables with discrete columns: probabilities of cells are integrals
	kernelRows = 2000 // test points of kernel densities, at most
	zDraws     = 100000
)

// simulate draws the points of a cell.
func (t *table) simulate(rows int, seed uint64) (*cell, error) {
	truth := t.truth()
	draw := func(n int, name string) *mat.Dense {
		x := mat.NewDense(n, truth.Dim(), nil)
		truth.Sample(x, train.Stream(seed, fmt.Sprint(name, t.name, rows)))
		return x
	}
	test := testRows
	if _, ok := truth.(gridded); ok {
		test = cellRows
	}
	points, err := datasets.NewPoints(draw(rows, "train"))
	return &cell{Table: t.name, About: t.about, Seed: seed, Mixture: t.mixture, train: points, test: draw(test, "test"),
		truth: truth, config: fit.Config{Dataset: t.name, Seed: seed, Samples: -1}}, err
}

// run trains by the defaults, and judges.
func (c *cell) run(ctx context.Context) (*result, error) {
	start := cpu.Seconds()
	m, err := fit.Train(ctx, c.train, c.config)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", c.Table, err)
	}
	r := &result{Table: c.Table, About: c.About, Rows: c.train.Len(), Dim: c.train.Dim(), Seed: c.Seed, Mixture: c.Mixture,
		Known: c.truth != nil, Base: m.Result.Base, Share: m.Result.Share, Warped: m.Result.Warped,
		CPU: cpu.Seconds() - start}
	z, err := m.LogZ(ctx)
	if err != nil {
		return nil, err
	}
	r.LogZ = newFigure(z.Value, z.StdErr)
	return r, errors.Join(c.judge(ctx, m, r), c.refer(m, r))
}

// judge measures all three densities on the test points.
func (c *cell) judge(ctx context.Context, m *fit.Model, r *result) error {
	n, d := c.test.Dims()
	truth := make([]float64, n)
	if c.truth != nil {
		c.truth.LogProb(truth, c.test)
	}
	ours, base := make([]float64, n), make([]float64, n)
	if err := m.LogProb(ctx, ours, c.test); err != nil {
		return err
	}
	if !m.BaseLogProb(base, c.test) {
		return fmt.Errorf("%s: the model has no base", c.Table)
	}
	few := min(n, kernelRows)
	rng := train.Stream(c.Seed, "kernel")
	kernels := make([]float64, few)
	newKernel(c.train.Matrix(), c.cells(m), rng.Float64).LogProb(kernels, c.test.Slice(0, few, 0, d).(*mat.Dense))
	r.Loss = map[string]figure{ofOurs: loss(truth, ours), ofBase: loss(truth, base), ofKernel: loss(truth[:few], kernels)}
	r.Difference = loss(base, ours)
	r.Difference.Err = metrics.Value(math.Hypot(float64(r.Difference.Err), float64(r.LogZ.Err)))
	return nil
}

// cells returns how the columns are discrete: by what is known, or by what the model found.
func (c *cell) cells(m *fit.Model) []cellsOf {
	if g, ok := c.truth.(gridded); ok {
		return g.Cells()
	}
	cells := make([]cellsOf, c.train.Dim())
	for _, found := range m.Cells() {
		cells[found.Column] = cellsOf{width: found.Width, values: found.Values}
	}
	return cells
}

// loss is the mean of log p − log q.
func loss(logp, logq []float64) figure {
	gap := make([]float64, len(logp))
	floats.SubTo(gap, logp, logq)
	mean, sd := stat.MeanStdDev(gap, nil)
	return newFigure(mean, sd/math.Sqrt(float64(len(gap))))
}

// refer estimates log Z by draws from the known density, a third of them from Gaussians about the data that are wider,
// since the tails of a model may be heavier than those of the data:
//
//	Z = E_q[exp(-E)/q].
//
// The model's own estimate is by draws of its base, or by quadrature in the plane.
func (c *cell) refer(m *fit.Model, r *result) error {
	if _, ok := c.truth.(gridded); ok || c.truth == nil {
		return nil
	}
	parts, weights := []density.Density{c.truth}, []float64{2}
	for _, width := range []float64{1.5, 4} {
		wide, err := density.FitGaussian(c.test, width)
		if err != nil {
			return err
		}
		parts, weights = append(parts, wide), append(weights, 0.5)
	}
	q, err := density.NewBlend(parts, weights)
	if err != nil {
		return err
	}
	x := mat.NewDense(zDraws, m.Dim(), nil)
	q.Sample(x, train.Stream(c.Seed, "reference"))
	e, logq := make([]float64, zDraws), make([]float64, zDraws)
	if err := m.Energy(e, x); err != nil {
		return err
	}
	q.LogProb(logq, x)
	for i := range e {
		e[i] = -e[i] - logq[i]
	}
	found, err := mcmc.Weigh(e)
	if err != nil {
		return err
	}
	if found.Reliable() {
		z := newFigure(found.LogZ, found.StdErr)
		r.Reference = &z
	}
	return nil
}
