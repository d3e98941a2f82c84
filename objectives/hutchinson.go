package objectives

import "cmp"

// Hutchinson is `sm-hutchinson`,
//
//	L = mean ½|∇E|² - 1/M Σ_m ε_mᵀ ∇²E ε_m,   E εεᵀ = I:
//
// score matching with an estimate of the trace, whose cost does not depend on the dimension.
//
// Hyvärinen, as for [ScoreMatching]; Hutchinson, A stochastic estimator of the trace of the influence matrix for
// Laplacian smoothing splines, Communications in Statistics 19 (1990) 433–450.
type Hutchinson struct {
	// 1 to 256; 0 means 1
	Slices     int        `json:"slices" help:"Random directions per sample; more reduce the variance; 1 by default."`
	Projection Projection `json:"projection" help:"Distribution of the directions: rademacher (default), gaussian or sphere."`
}

func init() { Register("sm-hutchinson", Hutchinson{}) }

// Traits describes the objective.
func (Hutchinson) Traits() Traits {
	return Traits{Summary: "score matching with Hutchinson's estimate of the trace", Source: hyvarinen, Score: true,
		Bridge: true}
}

// Validate names the fields out of range.
func (m Hutchinson) Validate() error {
	return Check(m).Whole("Slices", 1, mostSlices).Option("Projection").Err()
}

// Suited sets what is zero.
func (m Hutchinson) Suited(Facts) Method {
	return Hutchinson{cmp.Or(m.Slices, 1), cmp.Or(m.Projection, Rademacher)}
}

// Recipe returns the recipe for objectives that match scores.
func (Hutchinson) Recipe(data Facts) Recipe { return ScoreRecipe(data) }

// Form returns the loss.
func (m Hutchinson) Form(Setup) (Form, error) {
	return slicedForm{"eps", m.Slices, m.Projection, false}, nil
}
