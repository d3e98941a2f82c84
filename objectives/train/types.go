package train

import (
	"math/rand/v2"

	"gonum.org/v1/gonum/mat"

	"github.com/stheno-ebm/stheno/objectives"
)

// Stats describes one evaluation of an objective.
type Stats = objectives.Stats

// Objective is a loss of θ and its gradient on a batch; θ is read live from the objective's parameters.
type Objective = objectives.Objective

// Params holds θ: one flat slice, written in place, and a notification that it has changed.
type Params interface {
	Data() []float64
	Changed()
}

// Source fills every row of dst with a sample. A Source with state implements Stateful.
type Source interface {
	Sample(dst *mat.Dense, rng *rand.Rand)
}
