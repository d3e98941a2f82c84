package mcmc

import (
	"errors"
	"math"
	"math/rand/v2"

	"gonum.org/v1/gonum/mat"
)

// Warmup says how a kernel's settings are adapted before draws are kept. Adaptation is no part of the kernels: an
// [Adapter] makes them anew.
type Warmup struct {
	Steps    int     // transitions of adaptation; 0 means none; below 20 no mass is adapted
	Accept   float64 // acceptance aimed at, in (0, 1); 0 means 0.8 for HMC and NUTS, 0.574 for MALA
	KeepMass bool    // leave the mass as it is
	KeepBeta bool    // leave the ladder of a Tempering as it is
}

// shortWarmup is the number of transitions below which only the step is adapted, as in Stan.
const shortWarmup = 20

// Validate reports settings out of range.
func (w Warmup) Validate() error {
	return errors.Join(
		check(w.Steps >= 0, "mcmc: Warmup.Steps = %d, want >= 0", w.Steps),
		check(w.Accept >= 0 && w.Accept < 1, "mcmc: Warmup.Accept = %g, want 0 < accept < 1", w.Accept),
	)
}

// DualAveraging moves a step size so that the acceptance settles at a goal:
//
//	H̄ ← (1 - η)H̄ + η(δ - α),  η = 1/(t + t₀)
//	log ε = μ - √t/γ · H̄,      log ε̄ ← t^(-κ) log ε + (1 - t^(-κ)) log ε̄
//
// with γ = 0.05, t₀ = 10, κ = 0.75, μ = log(10 ε₀).
//
// Nesterov 2009; Hoffman and Gelman, JMLR 15 (2014), section 3.2.
type DualAveraging struct {
	Goal float64 // δ

	mu, t, h, logEps, logMean float64
}

// Restart begins anew at the step eps.
func (a *DualAveraging) Restart(eps float64) {
	*a = DualAveraging{Goal: a.Goal, mu: math.Log(10 * eps), logEps: math.Log(eps), logMean: math.Log(eps)}
}

// Update takes in the acceptance of a transition and returns the step for the next one.
func (a *DualAveraging) Update(accept float64) float64 {
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

// Final returns the averaged step ε̄.
func (a *DualAveraging) Final() float64 { return math.Exp(a.logMean) }

// tunable is a kernel whose step follows the acceptance.
type tunable interface {
	Kernel
	step() float64
	withStep(float64) Kernel
	goal() float64
	trial(eps float64) Kernel // a single short move, to find the order of magnitude
}

// massive is a kernel with a diagonal mass.
type massive interface {
	withInvMass([]float64) Kernel
}

func (k MALA) step() float64              { return k.StepSize }
func (k MALA) withStep(h float64) Kernel  { k.StepSize = h; return k }
func (k MALA) goal() float64              { return .574 }
func (k MALA) trial(h float64) Kernel     { return MALA{StepSize: h} }
func (k HMC) step() float64               { return k.StepSize }
func (k HMC) withStep(eps float64) Kernel { k.StepSize = eps; return k }
func (k HMC) goal() float64               { return .8 }
func (k HMC) trial(eps float64) Kernel {
	return HMC{StepSize: eps, Leapfrog: 1, InvMass: k.InvMass}
}
func (k HMC) withInvMass(v []float64) Kernel { k.InvMass = v; return k }
func (k NUTS) step() float64                 { return k.StepSize }
func (k NUTS) withStep(eps float64) Kernel   { k.StepSize = eps; return k }
func (k NUTS) goal() float64                 { return .8 }
func (k NUTS) trial(eps float64) Kernel {
	return HMC{StepSize: eps, Leapfrog: 1, InvMass: k.InvMass}
}
func (k NUTS) withInvMass(v []float64) Kernel { k.InvMass = v; return k }

var (
	_ tunable = MALA{}
	_ tunable = HMC{}
	_ tunable = NUTS{}
	_ massive = HMC{}
	_ massive = NUTS{}
)

// Adapter adapts a kernel during warm-up:
//
//   - MALA, HMC, NUTS: the step, by dual averaging of the acceptance, mean over all chains;
//   - HMC, NUTS: the diagonal mass, from the variance of all chains in windows of doubling length, as Stan does;
//   - Annealed, Jumping: the step of the kernel it runs;
//   - Tempering: the step of every level, and the ladder so that all neighbours exchange equally often, with more levels
//     where they exchange too seldom and the ladder was not given.
//
// Langevin and BAOAB stay as they are: they have no acceptance. Use: Start, then for each transition
// Kernel().Step and Update, until Done.
type Adapter struct {
	kernel Kernel
	cfg    Warmup
	t      int // transitions seen

	step    DualAveraging
	levels  []DualAveraging // tempering
	grow    bool            // tempering: levels may be added
	swapSum []float64
	swapN   float64

	window   variance
	from, to int // the window in which variances are collected is [from, to)
	slow     int // end of the last window
}

// NewAdapter returns an adapter for a kernel. A kernel with an acceptance that is to be adapted may come without a step size.
func NewAdapter(k Kernel, cfg Warmup) (*Adapter, error) {
	if k == nil {
		return nil, errors.New("mcmc: an Adapter without a kernel, want e.g. HMC{}")
	}
	k = plain(k)
	a := &Adapter{cfg: cfg, kernel: k}
	if p, ok := k.(Tempering); ok && p.Betas == nil {
		p.Betas = append([]float64(nil), defaultBetas...)
		a.grow = true
		a.kernel = p
	}
	if _, inner := a.inner(); cfg.Steps > 0 && inner != nil && inner.step() == 0 {
		a.setStep(.1)
	}
	if err := errors.Join(cfg.Validate(), a.kernel.Validate()); err != nil {
		return nil, err
	}
	// Stan's windows: a fast beginning, slow windows of 25, 50, 100 … transitions, a fast end. The average of a step forgets
	// where it began, at ten times what was found before, in some eight transitions: a shorter end would leave it there.
	begin, base, end := 75, 25, 50
	if cfg.Steps < begin+base+end {
		const least = 8
		begin, end = cfg.Steps*15/100, max(cfg.Steps/10, least)
		if cfg.Steps < shortWarmup {
			end = 0
		}
		base = cfg.Steps - begin - end
	}
	a.from, a.to, a.slow = begin, begin+base, cfg.Steps-end
	a.stretch(base)
	return a, nil
}

// stretch lets the present window of the given length reach the end where the next, twice as long, does not fit.
func (a *Adapter) stretch(length int) {
	if a.to+2*length > a.slow {
		a.to = a.slow
	}
}

// Kernel returns the kernel for the next transition.
func (a *Adapter) Kernel() Kernel { return a.kernel }

// Done reports that the warm-up is over.
func (a *Adapter) Done() bool { return a.t >= a.cfg.Steps }

// inner returns the kernel whose step is tuned, and what runs it.
func (a *Adapter) inner() (outer Kernel, inner tunable) {
	k := a.kernel
	switch o := k.(type) {
	case Annealed:
		outer, k = o, o.Kernel
	case Jumping:
		outer, k = o, o.Kernel
	case Tempering:
		outer, k = o, o.Kernel
	}
	inner, _ = k.(tunable)
	return outer, inner
}

// setStep gives the tuned kernel a step.
func (a *Adapter) setStep(eps float64) {
	outer, inner := a.inner()
	switch o := outer.(type) {
	case nil:
		a.kernel = inner.withStep(eps)
	case Annealed:
		o.Kernel = inner.withStep(eps)
		a.kernel = o
	case Jumping:
		o.Kernel = inner.withStep(eps)
		a.kernel = o
	case Tempering:
		o.Kernel = inner.withStep(eps)
		a.kernel = o
	}
}

// Start looks for a step of the right order: doubling or halving it until the acceptance of a single short move crosses 0.8,
// on copies of at most 64 chains of s. It does nothing for kernels without an acceptance and when there is no warm-up.
func (a *Adapter) Start(s *State, t Target, rng *rand.Rand) error {
	outer, inner := a.inner()
	if inner == nil || a.cfg.Steps == 0 {
		return nil
	}
	if k, ok := outer.(Annealed); ok && len(k.Sigmas) > 0 { // the step is that of the last level, whatever t was used for before
		if err := k.setSigma(t, k.Sigmas[len(k.Sigmas)-1]); err != nil {
			return err
		}
	}
	n, d := s.X.Dims()
	n = min(n, 64)
	from := mat.NewDense(n, d, append([]float64(nil), s.X.RawMatrix().Data[:n*d]...))
	trial := NewState(mat.NewDense(n, d, nil))
	accept := func(eps float64) (float64, error) {
		trial.X.Copy(from)
		trial.Invalidate()
		info, err := inner.trial(eps).Step(trial, t, rng)
		return info.AcceptProb, err
	}
	eps := inner.step()
	p, err := accept(eps)
	if err != nil {
		return err
	}
	factor := 2.
	if p < .8 {
		factor = .5
	}
	for range 60 {
		if p, err = accept(eps * factor); err != nil {
			return err
		}
		if (p < .8) == (factor == 2) {
			if factor < 1 {
				eps *= factor
			}
			break
		}
		eps *= factor
	}
	a.restart(eps)
	return nil
}

func (a *Adapter) goal(k tunable) float64 {
	if a.cfg.Accept > 0 {
		return a.cfg.Accept
	}
	return k.goal()
}

// restart begins the averaging anew at a step.
func (a *Adapter) restart(eps float64) {
	_, inner := a.inner()
	a.setStep(eps)
	a.step.Goal = a.goal(inner)
	a.step.Restart(eps)
	if p, ok := a.kernel.(Tempering); ok {
		a.levels = make([]DualAveraging, len(p.Betas))
		for l := range a.levels {
			a.levels[l].Goal = a.step.Goal
			a.levels[l].Restart(eps * a.power(p.scaleOf(l)))
		}
		a.swapSum = make([]float64, len(p.Betas))
		a.swapN = 0
	}
}

// power is the factor of the step for a factor of length: MALA's h is the square of one.
func (a *Adapter) power(length float64) float64 {
	if _, inner := a.inner(); inner != nil {
		if _, ok := inner.(MALA); ok {
			return length * length
		}
	}
	return length
}

// length is the inverse of power.
func (a *Adapter) length(factor float64) float64 {
	if _, inner := a.inner(); inner != nil {
		if _, ok := inner.(MALA); ok {
			return math.Sqrt(factor)
		}
	}
	return factor
}

func (k Tempering) scaleOf(level int) float64 {
	if k.Scales != nil {
		return k.Scales[level]
	}
	return 1 / math.Sqrt(k.betas()[level])
}

// Update takes in a transition of a.Kernel() on s. After Done the kernel has its final settings.
func (a *Adapter) Update(s *State, info Info) {
	if a.Done() {
		return
	}
	outer, inner := a.inner()
	p, ladder := outer.(Tempering)
	if inner != nil && a.step.Goal == 0 {
		a.restart(inner.step()) // Start was not called
	}
	a.t++
	switch {
	case inner == nil:
	case ladder:
		a.updateLevels(s)
	default:
		a.setStep(a.step.Update(info.AcceptProb))
	}
	if ladder && !a.cfg.KeepBeta {
		if a.swapSum == nil {
			a.swapSum = make([]float64, len(p.Betas))
		}
		for l, v := range info.Swaps {
			a.swapSum[l] += v.AcceptProb
		}
		a.swapN++
	}
	m, hasMass := a.kernel.(massive)
	hasMass = hasMass && !a.cfg.KeepMass && a.cfg.Steps >= shortWarmup
	if hasMass && a.t > a.from && a.t <= a.to {
		_, d := s.X.Dims()
		if a.window.mean == nil {
			a.window.init(d)
		}
		for i := range s.Energy {
			a.window.add(s.X.RawRowView(i))
		}
	}
	if a.t == a.to && a.to <= a.slow {
		if hasMass && a.window.n > 1 {
			a.kernel = m.withInvMass(a.window.regularised())
			a.window.init(len(a.window.mean))
		}
		if ladder && !a.cfg.KeepBeta {
			a.respace()
		}
		if _, inner = a.inner(); inner != nil {
			eps := a.step.Final()
			if ladder {
				eps = inner.step()
			}
			a.restart(eps)
		}
		length := a.to - a.from
		a.from, a.to = a.to, a.to+2*length
		a.stretch(2 * length)
	}
	if a.Done() && inner != nil && a.step.t > 0 {
		a.finish()
	}
}

// finish puts in the averaged steps.
func (a *Adapter) finish() {
	p, ok := a.kernel.(Tempering)
	if !ok {
		a.setStep(a.step.Final())
		return
	}
	a.setLevels(p, func(d *DualAveraging) float64 { return d.Final() })
}

// updateLevels takes in the acceptance of each level of the last move.
func (a *Adapter) updateLevels(s *State) {
	p := a.kernel.(Tempering)
	info := s.Replicas.scratch().info
	n := len(s.Energy)
	for l := range a.levels {
		var sum float64
		for _, c := range info[l*n : (l+1)*n] {
			sum += c.AcceptProb
		}
		a.levels[l].Update(sum / float64(n))
	}
	a.step.t++
	a.setLevels(p, func(d *DualAveraging) float64 { return math.Exp(d.logEps) })
}

func (a *Adapter) setLevels(p Tempering, step func(*DualAveraging) float64) {
	base := step(&a.levels[0])
	p.Scales = make([]float64, len(a.levels))
	for l := range p.Scales {
		p.Scales[l] = a.length(step(&a.levels[l]) / base)
	}
	a.kernel = p
	a.setStep(base)
}

// regularised returns the variances, drawn a little towards 10⁻³ as Stan does.
func (v *variance) regularised() []float64 {
	out := make([]float64, len(v.mean))
	for j := range out {
		out[j] = (v.n*v.m2[j]/(v.n-1) + 5e-3) / (v.n + 5)
	}
	return out
}

// respace moves the levels so that the rejection rates of all exchanges become equal: with r_k the mean rejection between
// levels k and k+1, Λ(β_k) = Σ_{l<k} r_l is cut into equal parts. Where the ladder may grow, it gets as many levels as
// bring the rejections to one half, at most 32.
func (a *Adapter) respace() {
	const maxLevels, rejection = 32, .5
	p := a.kernel.(Tempering)
	k := len(p.Betas)
	if k < 2 || a.swapN == 0 {
		return
	}
	barrier := make([]float64, k)
	for l := 1; l < k; l++ {
		barrier[l] = barrier[l-1] + max(1-a.swapSum[l-1]/a.swapN, 1e-3)
	}
	total := barrier[k-1]
	n := k
	if a.grow {
		n = min(maxLevels, max(k, int(math.Ceil(total/rejection))+1))
	}
	betas, scales := make([]float64, n), make([]float64, n)
	l := 0
	for i := range betas {
		at := total * float64(i) / float64(n-1)
		for l < k-2 && barrier[l+1] < at {
			l++
		}
		u := min(1, (at-barrier[l])/(barrier[l+1]-barrier[l]))
		betas[i] = math.Exp((1-u)*math.Log(p.Betas[l]) + u*math.Log(p.Betas[l+1]))
		scales[i] = math.Exp((1-u)*math.Log(p.scaleOf(l)) + u*math.Log(p.scaleOf(l+1)))
	}
	betas[0], betas[n-1] = 1, p.Betas[k-1]
	p.Betas, p.Scales = betas, scales
	a.kernel = p
	a.swapSum, a.swapN = make([]float64, n), 0
}
