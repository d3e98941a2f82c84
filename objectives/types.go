package objectives

import (
	"math/rand/v2"

	"gonum.org/v1/gonum/mat"
	G "gorgonia.org/gorgonia"
)

// Objective is a loss of θ and its gradient on a batch.
type Objective interface {
	// Gradient stores ∂loss/∂θ in grad, which has the length of θ, for the batch x. It reads θ from its Params and
	// draws what it needs from rng: the same θ, x, state and rng give the same result. It must not modify x.
	Gradient(grad []float64, x *mat.Dense, rng *rand.Rand) (Stats, error)
}

// Stats describes one evaluation of an objective. Fields that do not apply are zero.
type Stats struct {
	Loss       float64 // the minimised value, including penalties
	Penalty    float64 // the regularisers' part of Loss
	Positive   float64 // mean energy of the data
	Negative   float64 // mean energy of negative or noise samples
	LogZ       float64 // nce, flow-nce: the learnt log normaliser
	AcceptProb float64 // cd, pcd, ml: mean acceptance probability of the chains
	Divergent  int     // cd, pcd, ml: transitions that diverged
}

// Stateful is an objective with state from call to call: a replay buffer, a learnt normaliser, a critic. It is restored
// when a run continues from a checkpoint, bit for bit.
type Stateful interface {
	MarshalState() ([]byte, error)
	UnmarshalState(b []byte) error
}

// Form is the mathematics of an objective. It is compiled by [Compile]; your own Form can do everything that those of
// this package can.
type Form interface {
	// Inputs names the auxiliary inputs of the loss for a batch of n points of dimension d.
	Inputs(n, d int) []Input

	// Loss builds the scalar loss, of shape (1), with the node builders of package graphs. It runs inside graphs.Try.
	Loss(b *Builder) *G.Node

	// Draw fills the auxiliary inputs that are not derived, for the batch x.
	Draw(in Inputs, x *mat.Dense, rng *rand.Rand) error
}

// Input describes one auxiliary input.
type Input struct {
	Name    string
	Shape   []int
	Derived bool // computed from the others and the batch by Derive, not drawn
}

// Inputs holds the values of auxiliary inputs by name, row-major.
type Inputs map[string][]float64

// Deriver is a Form with inputs computed from the others.
type Deriver interface {
	Form
	Derive(in Inputs, x *mat.Dense) error
}

// Reporter is a Form that reports more than its loss. Outputs holds what Loss yielded to the Builder.
type Reporter interface {
	Form
	Report(out Inputs, s *Stats)
}

// Updater is a Form with state that is updated once per gradient, after the loss was computed.
type Updater interface {
	Form
	Update(out Inputs) error
}
