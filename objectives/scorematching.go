package objectives

import (
	"math/rand/v2"

	"gonum.org/v1/gonum/mat"
	G "gorgonia.org/gorgonia"

	"github.com/stheno-ebm/stheno/graphs"
)

// ScoreMatching is `sm`,
//
//	L = mean ½|∇E(x)|² - tr ∇²E(x),
//
// which is half the Fisher divergence E|s_θ - s|² up to a constant. The trace is exact, by symbolic differentiation.
//
// Hyvärinen, Estimation of non-normalized statistical models by score matching, JMLR 6 (2005) 695–709, theorem 1.
type ScoreMatching struct{}

func init() { Register("sm", ScoreMatching{}) }

// Traits describes the objective.
func (ScoreMatching) Traits() Traits {
	return Traits{Summary: "score matching with the exact Hessian trace", Source: hyvarinen, Score: true, Bridge: true}
}

const hyvarinen = "Hyvärinen 2005"

// Validate has nothing to check.
func (ScoreMatching) Validate() error { return nil }

// Suited returns m: there is nothing to set.
func (m ScoreMatching) Suited(Facts) Method { return m }

// Recipe returns the recipe for objectives that match scores.
func (ScoreMatching) Recipe(data Facts) Recipe { return ScoreRecipe(data) }

// Form returns the loss.
func (ScoreMatching) Form(Setup) (Form, error) { return scoreForm{}, nil }

type scoreForm struct{}

func (scoreForm) Inputs(int, int) []Input                   { return nil }
func (scoreForm) Draw(Inputs, *mat.Dense, *rand.Rand) error { return nil }
func (scoreForm) Loss(b *Builder) *G.Node {
	u := b.E(b.X)
	g := b.Gradient(u, b.X)
	trace := graphs.Must(graphs.HessianTrace(u, b.X))
	return graphs.Mean(graphs.Sub(halfSquare(g), trace))
}
