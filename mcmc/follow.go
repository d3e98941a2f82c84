package mcmc

import "math"

// Follow returns the step for the next transitions where the target changes as chains go on, as an energy does that is being
// trained: after transitions of mean acceptance α
//
//	log ε ← log ε + (α - α₀)/10,
//
// with the acceptance α₀ that suits the kernel: at most 6 % a time for MALA. Unlike [DualAveraging] it never settles. Transitions at
// a step that their own draws did not choose leave exp(-E) unchanged. A NaN changes nothing.
func (t Tuning) Follow(accept float64) float64 {
	const gain, least, most = .1, 1e-12, 1e12
	if accept != accept {
		return t.StepSize
	}
	return min(max(t.StepSize*math.Exp(gain*(accept-t.Accept)), least), most)
}
