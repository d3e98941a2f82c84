package objectives

import "cmp"

// SlicedVR is `ssm-vr`,
//
//	L = mean ½|∇E|² - 1/M Σ_m v_mᵀ ∇²E v_m,   E vvᵀ = I:
//
// sliced score matching with the exact norm, which reduces the variance.
//
// Song, Garg, Shi and Ermon, Sliced score matching, arXiv 1905.07088, equation 8.
type SlicedVR struct {
	// 1 to 256; 0 means 1
	Slices     int        `json:"slices" help:"Random directions per sample; more reduce the variance; 1 by default."`
	Projection Projection `json:"projection" help:"Distribution of the directions: rademacher (default), gaussian or sphere."`
}

func init() { Register("ssm-vr", SlicedVR{}) }

// Traits describes the objective.
func (SlicedVR) Traits() Traits {
	return Traits{Summary: "sliced score matching with the full norm, of less variance", Source: "Song et al. 2019",
		Score: true, Bridge: true}
}

// Validate names the fields out of range.
func (m SlicedVR) Validate() error {
	return Check(m).Whole("Slices", 1, mostSlices).Option("Projection").Err()
}

// Suited sets what is zero.
func (m SlicedVR) Suited(Facts) Method {
	return SlicedVR{cmp.Or(m.Slices, 1), cmp.Or(m.Projection, Rademacher)}
}

// Recipe returns the recipe for objectives that match scores.
func (SlicedVR) Recipe(data Facts) Recipe { return ScoreRecipe(data) }

// Form returns the loss.
func (m SlicedVR) Form(Setup) (Form, error) {
	return slicedForm{"v", m.Slices, m.Projection, false}, nil
}
