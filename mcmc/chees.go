package mcmc

import "math"

// Adaptation adapts the trajectory length if neither Leapfrog nor Length is given.
func (k HMC) Adaptation(Warmup) Adaptation {
	if k.Leapfrog > 0 || k.Length > 0 {
		return nil
	}
	return &chees{}
}

// chees moves the length T of trajectories of HMC up the criterion
//
//	C(T) = ¼ E Σ_j (z′_j² - z_j²)²,   dC/dT = E Σ_j (z′_j² - z_j²) z′_j v′_j t/T,
//
// relative to its cost, as log C - ½ log T, by Adam on log T. A transition of length t goes from z to z′, where its
// velocity is v′; lengths are uniform on (0, T], to avoid resonance with the target. Moves are weighted by their
// acceptance. z = L⁻¹(x - m) is isotropic for the right mass, and m is a running mean over all chains.
//
// The paper takes the square of |z|² instead of the sum of squares, and has no cost term. |z|² does not notice chains
// that move around a ring or along a spiral: there the trajectories became too short by a factor of four. Without the
// cost, T went to 60 on a ring where T = 2 is twice as efficient per gradient: C is nearly flat from 2 on.
//
// Hoffman, Radul and Sountsov, An adaptive-MCMC scheme for setting trajectory lengths in Hamiltonian Monte Carlo,
// AISTATS 2021.
type chees struct {
	log, average float64 // log T, and its average
	t            float64 // updates since the average began
	m, v         float64 // Adam's means of the slope and of its square
	size         float64 // running mean of C
	mean         []float64
	n            float64 // updates in the mean
	fitted       bool    // the mass has been fitted
	last         []float64
	from, to     []float64
}

var _ Adaptation = (*chees)(nil)

// OwnsStep returns false: the Adapter tunes the step size.
func (a *chees) OwnsStep() bool { return false }

// firstLength is the initial T in units of a fitted mass; the best for N(0, I) is 2.25.
const firstLength = 2

// Start begins with ten steps, like an HMC without warm-up.
func (a *chees) Start(k Kernel) Kernel {
	h := k.(HMC)
	if a.t == 0 && !a.fitted {
		a.log = math.Log(10 * h.StepSize)
	}
	return a.with(h, a.log)
}

// with sets the length of h, within what its step size allows.
func (a *chees) with(h HMC, log float64) Kernel {
	h.Length = max(h.StepSize, min(maxLeapfrog*h.StepSize, math.Exp(log)))
	return h
}

// Window restarts the averages.
func (a *chees) Window(k Kernel) Kernel {
	h := k.(HMC)
	if h.Mass != nil && !a.fitted {
		a.fitted, a.log = true, math.Log(firstLength)
		a.m, a.v = 0, 0
	}
	a.t, a.n, a.size = 0, 0, 0
	return a.with(h, a.log)
}

// Finish sets the averaged length.
func (a *chees) Finish(k Kernel) Kernel { return a.with(k.(HMC), a.average) }

// Update processes the proposals of a transition, still in the scratch space of s.
func (a *chees) Update(k Kernel, s *State, info Info) Kernel {
	h, w := k.(HMC), s.scratch()
	x := s.X.RawMatrix().Data
	if len(a.last) != len(x) {
		a.last = append(a.last[:0], x...)
		a.mean, a.from, a.to = make([]float64, w.d), make([]float64, w.d), make([]float64, w.d)
		return k
	}
	a.centre(s)
	var slope, size, weight float64
	for i, c := range info.Chains {
		from, to := row(a.last, w.d, i), w.prop.x.RawRowView(i)
		if !(c.AcceptProb > 0) || c.Divergent {
			continue
		}
		var rise, square float64 // of the squares: along the path and in total
		a.place(h.Mass, a.from, from)
		a.place(h.Mass, a.to, to)
		v := w.noise.RawRowView(i)
		for j, z := range a.to {
			change := z*z - a.from[j]*a.from[j]
			square += change * change
			rise += change * z * v[j]
		}
		t := c.StepSize * float64(c.Leapfrog)
		weight += c.AcceptProb
		slope += c.AcceptProb * rise * t
		size += c.AcceptProb * square / 4
	}
	copy(a.last, x)
	if weight > 0 {
		a.climb(slope/weight, size/weight, h)
	}
	return a.with(h, a.log)
}

// centre updates the mean.
func (a *chees) centre(s *State) {
	const memory = 100
	a.n++
	rate := 1 / min(a.n, memory)
	var sum float64
	n := float64(len(s.Energy))
	for j := range a.mean {
		sum = 0
		for i := range s.Energy {
			sum += s.X.At(i, j)
		}
		a.mean[j] += rate * (sum/n - a.mean[j])
	}
}

// place stores L⁻¹(x - m) in dst.
func (a *chees) place(mass Mass, dst, x []float64) {
	for j, m := range a.mean {
		dst[j] = x[j] - m
	}
	if mass != nil {
		mass.Solve(dst, dst)
	}
}

// climb takes an Adam step on log T along the slope of log C - ½ log T.
func (a *chees) climb(slope, size float64, h HMC) {
	const rate, beta1, beta2, forget, cost = .05, .5, .95, .1, .5
	if a.t++; a.size == 0 {
		a.size = size
	}
	a.size += forget * (size - a.size)
	g := slope/a.size - cost
	if g-g != 0 {
		return
	}
	a.m += (1 - beta1) * (g - a.m)
	a.v += (1 - beta2) * (g*g - a.v)
	if a.v > 0 {
		a.log += rate * a.m / math.Sqrt(a.v)
	}
	a.log = max(math.Log(h.StepSize), min(math.Log(maxLeapfrog*h.StepSize), a.log))
	if a.t == 1 {
		a.average = a.log
	}
	a.average += (a.log - a.average) / math.Sqrt(a.t)
}
