package kernels

import "math"

// AdamParams are the numbers of one Adam step; see [Adam].
type AdamParams struct {
	Beta1, Beta2 float64 // decay of the moments
	Step         float64 // learning rate / (1 − β1ᵗ)
	Bias2        float64 // 1/√(1 − β2ᵗ)
	Eps          float64 // added to the denominator
	Decay        float64 // factor of θ before the step: 1 − rate·weight decay; 1 is none
	GradScale    float64 // factor of the gradient, for clipping; 1 is none
	EMADecay     float64 // d in a = d·a + (1−d)·θ, when there is an average
}

// Adam updates θ and its moments in place, in one pass:
//
//	g = s·grad,  m = β1 m + (1−β1) g,  v = β2 v + (1−β2) g²,
//	θ = decay·θ − step·m / (√v·bias2 + ε),  a = d·a + (1−d)·θ.
//
// avg may be nil.
func Adam(theta, m, v, grad, avg []float64, p AdamParams) {
	n := len(theta)
	check(len(m) == n && len(v) == n && len(grad) == n && (avg == nil || len(avg) == n), "Adam: lengths differ")
	c1, c2, c3 := 1-p.Beta1, 1-p.Beta2, 1-p.EMADecay
	for i := adamAsm(theta, m, v, grad, avg, &p); i < n; i++ {
		// Every rounding is written down, so that no compiler fuses operations of its own choice.
		g := float64(p.GradScale * grad[i])
		m[i] = fma64(p.Beta1, m[i], float64(c1*g))
		v[i] = fma64(p.Beta2, v[i], float64(float64(c2*g)*g))
		q := m[i] / fma64(math.Sqrt(v[i]), p.Bias2, p.Eps)
		theta[i] = fma64(-p.Step, q, float64(p.Decay*theta[i]))
		if avg != nil {
			avg[i] = fma64(p.EMADecay, avg[i], float64(c3*theta[i]))
		}
	}
}
