package mcmc

import "math"

// Follow returns the next step size for a target that changes along the way, such as an energy in training: after
// transitions with mean acceptance α
//
//	log ε ← log ε + (α - α₀)/10,
//
// with the acceptance α₀ that suits the kernel: at most 6 % per update for MALA. Unlike [dualAveraging] it never
// settles. Transitions whose step size does not depend on their own draws leave exp(-E) unchanged. A NaN changes
// nothing.
func (t Tuning) Follow(accept float64) float64 {
	const gain, least, most = .1, 1e-12, 1e12
	if accept != accept {
		return t.StepSize
	}
	return min(max(t.StepSize*math.Exp(gain*(accept-t.Accept)), least), most)
}
