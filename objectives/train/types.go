package train

import (
	"math/rand/v2"

	"gonum.org/v1/gonum/mat"

	"github.com/stheno-ebm/stheno/objectives"
)

// Stats is what an objective tells about one evaluation.
type Stats = objectives.Stats

// Objective is a loss of θ and its gradient on a batch; θ is read live from where the objective keeps it.
type Objective = objectives.Objective

// Params is where θ lives: one flat slice, written in place, and a notice that it was.
type Params interface {
	Data() []float64
	Changed()
}

// Source fills every row of dst with a sample. A Source with a memory implements Stateful.
type Source interface {
	Sample(dst *mat.Dense, rng *rand.Rand)
}
