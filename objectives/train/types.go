package train

import (
	"math/rand/v2"

	"gonum.org/v1/gonum/mat"
)

// Stats is what an objective tells about one evaluation.
type Stats struct {
	Loss float64
}

// Objective is a loss of θ and its gradient on a batch; θ is read live from where the objective keeps it.
type Objective interface {
	Gradient(grad []float64, x *mat.Dense, rng *rand.Rand) (Stats, error)
}

// Params is where θ lives: one flat slice, written in place, and a notice that it was.
type Params interface {
	Data() []float64
	Changed()
}

// Source fills every row of dst with a sample. A Source with a memory implements Stateful.
type Source interface {
	Sample(dst *mat.Dense, rng *rand.Rand)
}
