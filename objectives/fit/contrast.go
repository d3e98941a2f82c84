package fit

import (
	"gonum.org/v1/gonum/mat"

	"github.com/stheno-ebm/stheno/objectives/train"
)

// contrast returns the measure by which the sentinel of a run judges the weights. It is evaluated on the training data,
// since it is to show whether the run makes progress; memorising shows on held-out points, which may be few. It has its
// own parameters, so that judging does not affect the run. It is local for an objective that is blind to the weights of
// modes: these wander however well the run goes. It is nil where a base is corrected: that is good from the start,
// points held back tell corrections apart, and one that is none is not kept.
func (m *Model) contrast() (*train.Contrast, error) {
	if m.Config.tilts(&m.data.geometry) {
		return nil, nil
	}
	measure := train.NewContrast
	if traits := m.Config.Objective.Traits(); traits.Bridge && traits.Levels == nil && m.Config.Bridge == 0 {
		measure = train.NewLocalContrast
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
	return measure(m.data.Dim, m.data.source, m.data.source, energies,
		train.Stream(m.Config.Seed, "contrast"))
}

// maxRise is how much worse than the best, in nats, a model may become before the run goes back. Healthy runs
// fluctuate: one of 3000 short steps of nce on moons with eight hidden units lagged 0.05 nats behind its best for a
// quarter of its length.
const maxRise = 1

// contrastBatch is the number of energies computed at a time.
const contrastBatch = 256
