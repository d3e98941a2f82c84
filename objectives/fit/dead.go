package fit

import (
	"math"
	"slices"

	"gonum.org/v1/gonum/mat"

	"github.com/stheno-ebm/stheno/objectives/train"
)

// dead reports whether the model has the same energy everywhere up to rounding: at points of the data, and all over
// their box. Such a network has no gradient left by which it could recover.
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
	e := make([]float64, 2*n)
	if err := m.Energy(e, x.Slice(0, 2*n, 0, m.Dim()).(*mat.Dense)); err != nil {
		return false, err
	}
	least, most := slices.Min(e), slices.Max(e)
	return most-least <= 1e-6*math.Max(1, math.Abs(most)), nil
}
