package objectives

import "cmp"

// Sliced is `ssm`,
//
//	L = mean 1/M Σ_m ½(v_mᵀ∇E)² - v_mᵀ ∇²E v_m,   E vvᵀ = I:
//
// score matching of projections on random directions.
//
// Song, Garg, Shi and Ermon, Sliced score matching, arXiv 1905.07088, equation 7.
type Sliced struct {
	// 1 to 256; 0 means 1
	Slices     int        `json:"slices" help:"Random directions per sample; more reduce the variance; 1 by default."`
	Projection Projection `json:"projection" help:"Distribution of the directions: rademacher (default), gaussian or sphere."`
}

func init() { Register("ssm", Sliced{}) }

// Traits describes the objective.
func (Sliced) Traits() Traits {
	return Traits{Summary: "sliced score matching", Source: "Song et al. 2019", Score: true, Bridge: true}
}

// Validate names the fields out of range.
func (m Sliced) Validate() error {
	return Check(m).Whole("Slices", 1, mostSlices).Option("Projection").Err()
}

// Suited sets what is zero.
func (m Sliced) Suited(Facts) Method {
	return Sliced{cmp.Or(m.Slices, 1), cmp.Or(m.Projection, Rademacher)}
}

// Recipe returns the recipe for objectives that match scores.
func (Sliced) Recipe(data Facts) Recipe { return ScoreRecipe(data) }

// Form returns the loss.
func (m Sliced) Form(Setup) (Form, error) {
	return slicedForm{"v", m.Slices, m.Projection, true}, nil
}
