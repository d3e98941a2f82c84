package fit

import (
	"gonum.org/v1/gonum/mat"

	"github.com/stheno-ebm/stheno/datasets/density"
	"github.com/stheno-ebm/stheno/objectives/train"
)

// fitWarped looks for a warped mixture, which has fewer Gaussians to bend: the model has it in place of the base, and
// corrects it, if the points held back are likelier under it by more than chance. What the model is compared with, and
// conditional draws begin with, is still the base.
func (d *data) fitWarped(c *Config) error {
	if len(d.Cells.factors()) > 0 {
		return nil
	}
	var cfg density.MixtureConfig
	x, most, err := d.affordableOf(d.train)
	if err != nil {
		return err
	}
	cfg.Most = most
	w, err := density.FitWarped(x, d.Base, cfg, train.Stream(c.Seed, "warp"))
	if err != nil || w == nil {
		return err
	}
	held, err := d.network(d.early)
	if err != nil {
		return err
	}
	own, base := make([]float64, held.Len()), make([]float64, held.Len())
	w.LogProb(own, held.Matrix())
	d.Base.LogProb(base, held.Matrix())
	if likelier(own, base) {
		d.Warped, d.unwarped = w, w
	}
	return nil
}

// refitWarped fits the warped mixture to points, beside a base that was fitted to them, unless it has come from a file.
func (d *data) refitWarped(points *mat.Dense) error {
	if d.unwarped == nil {
		return nil
	}
	x, _, err := d.affordableOf(points)
	if err != nil {
		return err
	}
	d.Warped, err = d.unwarped.Refit(x, d.Base, density.MixtureConfig{})
	return err
}

// jittered is the source blurred within the components of what the model corrects.
func (d *data) jittered(factor float64) *jittered {
	if d.Warped != nil {
		return &jittered{d.source, d.Warped.Straight(), factor, d.Warped.Warp()}
	}
	return &jittered{d.source, d.basis(), factor, nil}
}

// OnlyBase reports whether the model is its base, and nothing else.
func (m *Model) OnlyBase() bool { return m.isBase() && m.data.Warped == nil }

// Warped reports whether the model has, in place of its base, a mixture of Gaussians of straightened columns.
func (m *Model) Warped() bool { return m.data.Warped != nil }
