package fit

import (
	"gonum.org/v1/gonum/mat"

	"github.com/stheno-ebm/stheno/objectives/train"
)

// contrast returns the measure by which the sentinel of a run judges the weights. It is evaluated on the training data,
// since it is to show whether the run makes progress; memorising shows on held-out points, which may be few. It has its
// own parameters, so that judging does not affect the run. It is nil for an objective that is blind (see
// [Config.blind]), of which a note says so, or whose energies are no log densities, and where a base is corrected: that
// is good from the start, points held back tell corrections apart, and one that is none is not kept.
func (m *Model) contrast() (*train.Contrast, error) {
	if m.Config.blind() || m.Config.Objective.Traits().Relative || m.Config.tilts(&m.data.geometry) {
		return nil, nil
	}
	params := m.Params.Clone()
	ev, err := m.Evaluator(params, contrastBatch)
	if err != nil {
		return nil, err
	}
	energies := func(dst, theta []float64, x *mat.Dense) error {
		params.Set(theta)
		return ev.Energies(dst, x)
	}
	return train.NewContrast(m.data.Dim, m.data.source, m.data.source, energies,
		train.Stream(m.Config.Seed, "contrast"))
}

// maxRise is how much worse than the best, in nats, a model may become before the run goes back. Healthy runs
// fluctuate: one of 3000 short steps of nce on moons with eight hidden units lagged 0.05 nats behind its best for a
// quarter of its length.
const maxRise = 1

// contrastBatch is the number of energies computed at a time.
const contrastBatch = 256

// blind reports whether the objective does not see the weights of modes, nor energies between them and far away: a
// score without a bridge. Such runs cannot be judged. The weights wander however well a run goes, and a contrast that
// does not see them either (conditional, each point against one place near it or far away) took 18 of 38 runs at their
// own rates for failures, on 8gaussians, rings and 2spirals: the energies there are as bad as it says, and the
// objective cannot help it.
func (c *Config) blind() bool {
	traits := c.Objective.Traits()
	return traits.Bridge && traits.Levels == nil && c.Bridge == 0
}
