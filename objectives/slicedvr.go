package objectives

// SlicedVR is `ssm-vr`,
//
//	L = mean ½|∇E|² - 1/M Σ_m v_mᵀ ∇²E v_m,   E vvᵀ = I:
//
// sliced score matching whose norm is exact, so that it scatters less.
//
// Song, Garg, Shi and Ermon, Sliced score matching, arXiv 1905.07088, equation 8.
type SlicedVR struct {
	Slices     int        `json:"slices" help:"Random directions per sample; more scatter less, 1 by default."` // 1 to 256; 0 means 1
	Projection Projection `json:"projection" help:"Law of the directions: rademacher (default), gaussian or sphere."`
}

func init() { Register("ssm-vr", SlicedVR{}) }

// Traits says what it is.
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
	return SlicedVR{or(m.Slices, 1), or(m.Projection, Rademacher)}
}

// Recipe is that of objectives that match scores.
func (SlicedVR) Recipe(data Facts) Recipe { return ScoreRecipe(data) }

// Form returns the loss.
func (m SlicedVR) Form(Setup) (Form, error) {
	return slicedForm{"v", m.Slices, m.Projection, false}, nil
}
