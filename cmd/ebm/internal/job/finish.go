package job

import (
	"bytes"
	"context"
	"encoding/json"
	"math"

	"codeberg.org/sbinet/npyio"
	"gonum.org/v1/gonum/mat"

	"github.com/stheno-ebm/stheno/cmd/ebm/internal/model"
	"github.com/stheno-ebm/stheno/cmd/ebm/internal/run"
	"github.com/stheno-ebm/stheno/mcmc"
	"github.com/stheno-ebm/stheno/objectives/metrics"
	"github.com/stheno-ebm/stheno/objectives/train"
)

// finish draws samples from the trained model, measures it, and makes the pictures.
func (p *Plan) finish(ctx context.Context, dir *run.Dir, stage func(string), pictures bool) (*metrics.Report, error) {
	s := p.Settings
	var draw *model.Draw
	var samples *mat.Dense
	if s.Samples > 0 {
		stage("drawing samples")
		var err error
		if draw, err = p.model.Sample(ctx, model.SampleConfig{N: s.Samples, Seed: s.Seed}); err != nil {
			return nil, err
		}
		samples = draw.X
		var b bytes.Buffer
		if err := npyio.Write(&b, samples); err != nil {
			return nil, err
		}
		if err := dir.Write(run.Samples, b.Bytes()); err != nil {
			return nil, err
		}
	}
	stage("measuring the fit")
	report, err := Evaluate(ctx, p.model, draw)
	if err != nil {
		return nil, err
	}
	if err := WriteEval(dir, report); err != nil {
		return nil, err
	}
	if !pictures {
		return report, nil
	}
	stage("drawing pictures")
	pics := &Pictures{Model: p.model, Dir: dir, Samples: samples}
	if err := pics.Panel(ctx, dir.File(run.Panel)); err != nil {
		return nil, err
	}
	if s.Frames > 0 && p.model.Data.Dim == 2 {
		if err := pics.Animation(ctx, dir.File(run.Animation)); err != nil {
			return nil, err
		}
	}
	return report, nil
}

// Evaluate measures a model; draw may be nil.
func Evaluate(ctx context.Context, m *model.Model, draw *model.Draw) (*metrics.Report, error) {
	if m.Data.Truth == nil {
		return nil, m.Data.Gone
	}
	density, err := m.Density(m.Params)
	if err != nil {
		return nil, err
	}
	in := metrics.Input{Dataset: m.Settings.Dataset, Truth: m.Data.Truth, Energy: density.Energy, Gradient: density.EnergyGrad,
		TestPoints: m.Settings.TestPoints, Test: m.Data.Test, Train: m.Data.Train,
		Quadrature: metrics.QuadratureConfig{Start: min(200, m.Settings.Grid), Max: m.Settings.Grid}}
	if _, ok := m.Data.Truth.(metrics.LogProber); ok {
		in.Test = nil // fresh draws
	}
	if m.Settings.Grid < 400 { // a coarse answer is wanted
		in.Quadrature.Frames = 1
	}
	if draw != nil {
		d := draw.Diagnostics
		in.Samples, in.RHat, in.RHatLimit, in.ESS = draw.X, known0(d.MaxRHat), float64(d.RHatLimit), known0(d.MinESSBulk)
	}
	if m.Data.Dim > 2 {
		z, err := m.LogZ(ctx, m.Settings.Seed)
		if err != nil {
			return nil, err
		}
		in.LogZ = stated(z)
	}
	return metrics.Evaluate(ctx, in, train.Stream(m.Settings.Seed, "eval"))
}

// stated is log Z with its standard error, where that is known.
func stated(z mcmc.Evidence) *metrics.LogZ {
	if !z.Reliable() {
		z.StdErr = math.NaN()
	}
	return &metrics.LogZ{Value: z.LogZ, StdErr: z.StdErr}
}

// WriteEval writes eval.json.
func WriteEval(dir *run.Dir, r *metrics.Report) error {
	b, err := json.MarshalIndent(r, "", "  ")
	if err != nil {
		return err
	}
	return dir.Write(run.Eval, append(b, '\n'))
}

// known0 is v, or 0 where it is not known.
func known0(v mcmc.Number) float64 {
	if f := float64(v); !math.IsNaN(f) && !math.IsInf(f, 0) {
		return f
	}
	return 0
}
