package objectives

import (
	"math/rand/v2"

	"gonum.org/v1/gonum/mat"

	"github.com/stheno-ebm/stheno/mcmc"
)

// ContrastiveDivergence is `cd`, the loss of [Chains] that start at the batch itself and take k steps. Short chains
// cause a bias: the gradient is that of KL(data‖p) - KL(kᵗʰ step‖p) without a small term.
//
// Hinton, Training products of experts by minimizing contrastive divergence, Neural Computation 14 (2002) 1771–1800.
type ContrastiveDivergence struct{ Chains }

func init() { Register("cd", ContrastiveDivergence{}) }

// Traits describes the objective.
func (m ContrastiveDivergence) Traits() Traits {
	return Traits{Summary: "contrastive divergence", Source: "Hinton 2002", Chains: true,
		Bias: m.bias("chains of %s from the data have not mixed")}
}

// Validate names the fields out of range.
func (m ContrastiveDivergence) Validate() error { return m.check(m).Err() }

// Suited sets what is zero.
func (m ContrastiveDivergence) Suited(data Facts) Method {
	return ContrastiveDivergence{m.suited(data)}
}

// Recipe is that of objectives that compare heights, with fewer steps, since each moves chains.
func (m ContrastiveDivergence) Recipe(data Facts) Recipe { return m.recipe(data) }

// Form returns the loss.
func (m ContrastiveDivergence) Form(s Setup) (Form, error) {
	return m.form(s, func(c mover) (negatives, error) { return &fromData{c}, nil })
}

type fromData struct{ mover }

func (c *fromData) sample(dst, x *mat.Dense, rng *rand.Rand) (mcmc.Info, error) {
	dst.Copy(x)
	return c.run(dst, rng)
}
