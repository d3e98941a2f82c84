package mcmc

import (
	"errors"
	"math"
)

// Warmup says how a kernel's settings are adapted before draws are kept. Kernels do not adapt themselves: an [Adapter]
// replaces them.
type Warmup struct {
	Steps    int     // transitions of adaptation; 0 means none; the mass is not adapted if below 20
	Accept   float64 // target acceptance in (0, 1); 0 means the kernel's: 0.8 for HMC and NUTS, 0.574 for MALA
	KeepMass bool    // do not adapt the mass
	KeepBeta bool    // do not adapt the ladder of a Tempering
}

// shortWarmup is the number of transitions below which only the step size is adapted, as in Stan.
const shortWarmup = 20

// Validate reports settings out of range.
func (w Warmup) Validate() error {
	return errors.Join(
		check(w.Steps >= 0, "mcmc: Warmup.Steps = %d, want >= 0", w.Steps),
		check(w.Accept >= 0 && w.Accept < 1, "mcmc: Warmup.Accept = %g, want 0 < accept < 1", w.Accept),
	)
}

// windows is the schedule of a warm-up, as in Stan: a fast phase, slow windows of 25, 50, 100 … transitions in which
// the mass is learnt, and a final fast phase.
type windows struct {
	fast     int // end of the first phase
	from, to int // the current window is [from, to)
	slow     int // end of the last window
}

func newWindows(steps int) windows {
	// The average step size forgets its starting point, ten times the value found before, in some eight transitions:
	// with a shorter final phase it would stay there.
	begin, base, end := 75, 25, 50
	if steps < begin+base+end {
		const least = 8
		begin, end = steps*15/100, max(steps/10, least)
		if steps < shortWarmup {
			end = 0
		}
		base = steps - begin - end
	}
	w := windows{fast: begin, from: begin, to: begin + base, slow: steps - end}
	w.stretch(base)
	return w
}

// next moves on to the next window, twice as long.
func (w *windows) next() {
	length := w.to - w.from
	w.from, w.to = w.to, w.to+2*length
	w.stretch(2 * length)
}

// last reports whether the current window is the last.
func (w *windows) last() bool { return w.to == w.slow && w.from < w.to }

// stretch extends the current window of the given length to the end if the next, twice as long, does not fit.
func (w *windows) stretch(length int) {
	if w.to+2*length > w.slow {
		w.to = w.slow
	}
}

// dualAveraging adapts a step size so that the acceptance settles at a goal:
//
//	H̄ ← (1 - η)H̄ + η(δ - α),  η = 1/(t + t₀)
//	log ε = μ - √t/γ · H̄,      log ε̄ ← t^(-κ) log ε + (1 - t^(-κ)) log ε̄
//
// with γ = 0.05, t₀ = 10, κ = 0.75, μ = log(10 ε₀).
//
// Nesterov 2009; Hoffman and Gelman, JMLR 15 (2014), section 3.2.
type dualAveraging struct {
	Goal float64 // δ

	mu, t, h, logEps, logMean float64
}

// Restart restarts at step size eps.
func (a *dualAveraging) Restart(eps float64) {
	*a = dualAveraging{Goal: a.Goal, mu: math.Log(10 * eps), logEps: math.Log(eps), logMean: math.Log(eps)}
}

// Update processes the acceptance of a transition and returns the next step size.
func (a *dualAveraging) Update(accept float64) float64 {
	const gamma, t0, kappa = .05, 10, .75
	if math.IsNaN(accept) {
		accept = 0
	}
	a.t++
	eta := 1 / (a.t + t0)
	a.h += eta * (a.Goal - accept - a.h)
	a.logEps = a.mu - math.Sqrt(a.t)/gamma*a.h
	w := math.Pow(a.t, -kappa)
	a.logMean = w*a.logEps + (1-w)*a.logMean
	return math.Exp(a.logEps)
}

// Step returns the current step size ε.
func (a *dualAveraging) Step() float64 { return math.Exp(a.logEps) }

// Final returns the averaged step size ε̄.
func (a *dualAveraging) Final() float64 { return math.Exp(a.logMean) }
