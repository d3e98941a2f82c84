package fit

import (
	"context"
	"encoding/json"
	"errors"

	"gonum.org/v1/gonum/floats"
	"gonum.org/v1/gonum/mat"

	"github.com/stheno-ebm/stheno/datasets/density"
	"github.com/stheno-ebm/stheno/mcmc"
	"github.com/stheno-ebm/stheno/objectives/fit/rundir"
	"github.com/stheno-ebm/stheno/objectives/metrics"
	"github.com/stheno-ebm/stheno/objectives/train"
)

// Evaluate evaluates the model, and the samples of draw unless it is nil, by what is known about its data: a true
// density, or held-out points. The error wraps ErrNoTruth if the data are gone.
func (m *Model) Evaluate(ctx context.Context, draw *Draw) (*metrics.Report, error) {
	return m.EvaluateSeed(ctx, draw, m.Config.Seed)
}

// EvaluateSeed is Evaluate by other fresh points, where some are drawn.
func (m *Model) EvaluateSeed(ctx context.Context, draw *Draw, seed uint64) (*metrics.Report, error) {
	if m.data.truth == nil {
		return nil, errors.Join(m.data.gone, ErrNoTruth)
	}
	density, err := m.Density(m.Params)
	if err != nil {
		return nil, err
	}
	c := &m.Config
	in := metrics.Input{Dataset: c.Dataset, Truth: m.data.truth, Energy: density.Energy, Gradient: density.EnergyGrad,
		TestPoints: c.TestPoints, Test: m.data.test, Train: m.data.train, Quadrature: m.quadrature()}
	_, known := m.data.truth.(metrics.LogProber)
	if known {
		in.Test = nil // fresh draws
	}
	if s := m.data.Scaler; s != nil && theirOwn(m.data.truth, c) && m.data.Dim > few {
		in.Scale = s.Scale
	}
	if base, name := m.baseline(); base != nil {
		in.Baseline, in.BaselineName = base, name
	}
	if draw != nil {
		d := draw.Diagnostics
		in.Samples, in.RHat, in.RHatLimit, in.ESS = draw.X, known0(d.MaxRHat), float64(d.RHatLimit),
			known0(d.MinESSBulk)
	}
	if len(m.data.Cells) > 0 {
		in.OfPoints, in.Gradient = m.Energy, nil // there are no scores of cells
		in.Train = evenly(m.data.train, mostCells)
	}
	if m.data.Dim > 2 || m.data.mixed != nil || m.isBase() && !known {
		z, err := m.LogZ(ctx)
		if err != nil {
			return nil, err
		}
		in.LogZ = &z
	}
	r, err := metrics.Evaluate(ctx, in, train.Stream(seed, "eval"))
	if err == nil && r.Baseline != nil && m.OnlyBase() { // one density; what differs is rounded
		r.Baseline.Difference, r.Baseline.DifferenceErr = 0, 0
	}
	return r, err
}

// baseline returns the base as a density in the units of the data, nil if the model has none.
func (m *Model) baseline() (metrics.LogProber, string) {
	if m.data.Base == nil {
		return nil, ""
	}
	name, _ := m.Base()
	return inUnits{m.data, m.data.basis()}, name
}

// BaseLogProb stores log p of the rows of x under the base, which the model has to beat, in dst. It reports whether
// there is one.
func (m *Model) BaseLogProb(dst []float64, x *mat.Dense) bool {
	base, _ := m.baseline()
	if base == nil {
		return false
	}
	base.LogProb(dst, x)
	return true
}

// mostCells is how many of the training points their NLL is measured on where it is one of cells.
const mostCells = 2000

// inUnits is a density in the units of the data, of cells where columns are discrete.
type inUnits struct {
	d *data
	q density.Density // in the units of the network
}

func (b inUnits) LogProb(dst []float64, x *mat.Dense) {
	if len(b.d.Cells) == 0 {
		b.logProb(dst, x)
		return
	}
	_ = b.d.Cells.overCells(dst, x, func(dst []float64, x *mat.Dense) error {
		b.logProb(dst, x)
		floats.Scale(-1, dst)
		return nil
	})
	floats.Scale(-1, dst)
}

func (b inUnits) logProb(dst []float64, x *mat.Dense) {
	z := x
	if s := b.d.Scaler; s != nil {
		z = mat.DenseCopyOf(x)
		s.Apply(z, z)
	}
	b.q.LogProb(dst, z)
	floats.AddConst(-b.d.logScale(), dst)
}

// quadrature returns the settings for integrating densities in two dimensions.
func (m *Model) quadrature() metrics.QuadratureConfig {
	q := metrics.QuadratureConfig{Start: min(200, m.Config.Grid), Max: m.Config.Grid}
	if m.Config.Grid < 400 { // a coarse answer is enough
		q.Frames = 1
	}
	return q
}

// writeEval writes eval.json.
func writeEval(dir *rundir.Dir, r *metrics.Report) error {
	b, err := json.MarshalIndent(r, "", "  ")
	if err != nil {
		return err
	}
	return dir.Write(rundir.Eval, append(b, '\n'))
}

// known0 returns v, or 0 if unknown.
func known0(v mcmc.Number) float64 {
	if f := float64(v); isFinite(f) {
		return f
	}
	return 0
}
