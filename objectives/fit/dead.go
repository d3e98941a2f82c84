package fit

import (
	"math"
	"slices"

	"github.com/stheno-ebm/stheno/energy"
	"github.com/stheno-ebm/stheno/objectives/train"
)

// dead reports whether the energy of the network is constant up to rounding, at points of the data and throughout their
// box. Such a network has no gradient by which it could recover. The quadratic that confines a bounded energy is left
// out.
func (m *Model) dead() (bool, error) {
	const n = 128
	rng := train.Stream(m.Config.Seed, "dead")
	x := m.data.points(2*n, rng)
	m.data.restore(x)
	lo, hi := m.Box()
	for i := n; i < 2*n; i++ {
		for j := range lo {
			x.Set(i, j, lo[j]+(hi[j]-lo[j])*rng.Float64())
		}
	}
	ev, err := m.Evaluator(m.Params, contrastBatch)
	if c, ok := m.Network.(*energy.Confined); ok {
		ev, err = energy.NewEvaluator(c.Inner(), m.Params,
			energy.EvaluatorConfig{Batch: contrastBatch, Precision: m.precision()})
	}
	if err != nil {
		return false, err
	}
	if m.data.Scaler != nil {
		m.data.Scaler.Apply(x, x)
	}
	e := make([]float64, 2*n)
	if err := ev.Energies(e, x); err != nil {
		return false, err
	}
	least, most := slices.Min(e), slices.Max(e)
	return most-least <= 1e-6*math.Max(1, math.Abs(most)), nil
}
