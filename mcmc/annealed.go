package mcmc

import (
	"cmp"
	"errors"
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
)

// Annealed runs a kernel over a schedule, from hot to cold. One step is one pass through the whole schedule, so the
// draws after it depend little on where the chains were before. It is a way to get good draws from a poor start, not a
// transition that leaves exp(-E) exactly invariant: how close it comes depends on the moves at the last level.
//
// With Betas the levels are exp(-βE), and step lengths grow as β^(-1/2). With Sigmas the target must be a
// [NoiseTarget], the energies are those of the data blurred by σ, and step lengths scale as √(σ²+δ²), h as its square,
// with δ the scale of the finest detail of the data, below which less blur does not make them narrower.
//
// Song and Ermon, Generative modeling by estimating gradients of the data distribution, NeurIPS 2019, algorithm 1.
type Annealed struct {
	Kernel Kernel    // required; its step size is that of the last level
	Betas  []float64 // in the order visited, > 0, the last one 1; nil without Sigmas means 0.02 … 1 in 10 equal ratios
	Sigmas []float64 // in the order visited, > 0; excludes Betas
	Detail float64   // δ ≥ 0, with Sigmas; 0 if σ_last is no smaller
	Moves  int       // transitions per level; 0 means 10
}

var (
	_ Outer   = Annealed{}
	_ Traited = Annealed{}
)

// Inner returns the kernel of the levels.
func (k Annealed) Inner() Kernel { return k.Kernel }

// WithInner returns k around another kernel.
func (k Annealed) WithInner(inner Kernel) Kernel { k.Kernel = inner; return k }

// Traits describes k.
func (k Annealed) Traits() Traits {
	t := TraitsOf(k.Kernel)
	t.Name, t.Crosses, t.Cure = "annealed", true, "add hotter levels, or draw longer"
	return t
}

// NoiseTarget is a target that depends on a noise level, E(x, σ).
type NoiseTarget interface {
	Target
	SetSigma(sigma float64) error // sets the level of the calls that follow
}

var defaultAnneal = slices.Sorted(slices.Values(Geometric(10, .02)))

// Validate reports settings out of range.
func (k Annealed) Validate() error {
	errs := []error{
		check(k.Moves >= 0, "mcmc: Annealed.Moves = %d, want >= 0", k.Moves),
		check(k.Detail >= 0 && !math.IsInf(k.Detail, 1), "mcmc: Annealed.Detail = %g, want >= 0", k.Detail),
		check(k.Betas == nil || k.Sigmas == nil, "mcmc: Annealed.Betas and Annealed.Sigmas exclude each other"),
		checkInner("Annealed", k.Kernel),
	}
	for l, b := range k.Betas {
		errs = append(errs, check(b > 0 && !math.IsInf(b, 1), "mcmc: Annealed.Betas[%d] = %g, want > 0", l, b))
	}
	if n := len(k.Betas); n > 0 {
		errs = append(errs, check(k.Betas[n-1] == 1, "mcmc: Annealed.Betas ends at %g, want 1", k.Betas[n-1]))
	}
	for l, v := range k.Sigmas {
		errs = append(errs, check(v > 0 && !math.IsInf(v, 1), "mcmc: Annealed.Sigmas[%d] = %g, want > 0", l, v))
	}
	return errors.Join(errs...)
}

func (k Annealed) moves() int { return cmp.Or(k.Moves, 10) }

// Step takes every chain once through the schedule. Divergent counts the chains that diverged in any move; AcceptProb
// is the mean over the moves; the rest of Chains is from the last move.
func (k Annealed) Step(s *State, t Target, rng *rand.Rand) (Info, error) {
	if len(k.Sigmas) > 0 {
		return k.blurred(s, t, rng)
	}
	betas := k.Betas
	if len(betas) == 0 {
		betas = defaultAnneal
	}
	p := newPath(s, t, nil)
	clear(s.work.diverged)
	sum := Info{}
	for _, beta := range betas {
		p.to(beta)
		p.lengths(1 / math.Sqrt(beta))
		if err := k.run(p.s, p.b, rng, &sum); err != nil {
			return Info{}, err
		}
	}
	p.close()
	return k.summary(s, sum, len(betas)), nil
}

// Prepare sets a target with noise levels to the last level, to which the step size refers.
func (k Annealed) Prepare(t Target) error {
	if len(k.Sigmas) == 0 {
		return nil
	}
	return k.setSigma(t, k.Sigmas[len(k.Sigmas)-1])
}

func errNoNoise(t Target) error {
	return fmt.Errorf("mcmc: Annealed.Sigmas needs an energy that depends on the noise level, %T does not: use Betas",
		t)
}

// setSigma chooses the noise level of t.
func (k Annealed) setSigma(t Target, sigma float64) error {
	nt, ok := t.(NoiseTarget)
	if !ok {
		return errNoNoise(t)
	}
	if err := nt.SetSigma(sigma); err != nil {
		return fmt.Errorf("mcmc: noise level %g: %w", sigma, err)
	}
	return nil
}

func (k Annealed) blurred(s *State, t Target, rng *rand.Rand) (Info, error) {
	last := k.Sigmas[len(k.Sigmas)-1]
	p := newPath(s, t, nil)
	clear(s.work.diverged)
	sum := Info{}
	for _, sigma := range k.Sigmas {
		if err := k.setSigma(t, sigma); err != nil {
			return Info{}, err
		}
		if s.back { // left by another kernel
			rows, err := s.refresh(t)
			if err != nil {
				return Info{}, err
			}
			sum.Evaluations += rows
		}
		s.Invalidate()
		p.lengths(math.Hypot(sigma, k.Detail) / math.Hypot(last, k.Detail))
		if err := k.run(s, t, rng, &sum); err != nil {
			return Info{}, err
		}
		rows, err := s.refresh(t) // undoing an unadjusted move belongs to this level
		if err != nil {
			return Info{}, err
		}
		sum.Evaluations += rows
	}
	s.scale = p.scale
	return k.summary(s, sum, len(k.Sigmas)), nil
}

// run makes the moves of one level and accumulates Info.
func (k Annealed) run(s *State, t Target, rng *rand.Rand, sum *Info) error {
	for range k.moves() {
		in, err := k.Kernel.Step(s, t, rng)
		if err != nil {
			return err
		}
		sum.AcceptProb += in.AcceptProb
		sum.Evaluations += in.Evaluations
		sum.Divergent = max(sum.Divergent, in.Divergent)
		sum.Chains = in.Chains
		for i := range in.Chains {
			s.work.diverged[i] = s.work.diverged[i] || in.Chains[i].Divergent
		}
	}
	return nil
}

// summary returns the Info of a pass. For kernels without per-chain Info it counts the most divergences in any move.
func (k Annealed) summary(s *State, sum Info, levels int) Info {
	sum.AcceptProb /= float64(levels * k.moves())
	if sum.Chains == nil {
		return sum
	}
	sum.Divergent = 0
	for i, d := range s.work.diverged {
		if sum.Chains[i].Divergent = d; d {
			sum.Divergent++
		}
	}
	return sum
}

// path moves a state along U_β = E₀ + β(E - E₀), keeping its cache. The state is at β = 1 before and after.
type path struct {
	s     *State
	b     *bridge
	beta  float64
	scale []float64 // further factor of the steps: that of the state at the start
}

func newPath(s *State, t Target, ref Reference) path {
	w := s.scratch()
	if len(w.bridge.beta) != w.n {
		w.bridge.beta = make([]float64, w.n)
	}
	if len(w.lengths) != w.n {
		w.lengths = make([]float64, w.n)
	}
	w.bridge.between(ref, t)
	return path{s: s, b: &w.bridge, beta: 1, scale: s.scale}
}

// to changes β. From β = 0 the energies are recomputed.
func (p *path) to(beta float64) {
	for i := range p.b.beta {
		p.b.beta[i] = beta
	}
	if beta == p.beta {
		return
	}
	if p.beta == 0 || beta == 0 {
		p.s.Invalidate()
	}
	// Points to fall back to carry an energy as well.
	if p.s.valid {
		p.rescale(p.s.X.RawRowView, p.s.Grad.RawRowView, p.s.Energy, beta)
	} else if p.s.back {
		p.rescale(p.s.prev.x.RawRowView, p.s.prev.grad.RawRowView, p.s.prev.energy, beta)
	}
	p.beta = beta
}

func (p *path) rescale(x, grad func(int) []float64, e []float64, beta float64) {
	for i := range e {
		if math.IsInf(e[i], 1) {
			continue
		}
		p.b.unmix(&e[i], grad(i), x(i), p.beta)
		p.b.mix(&e[i], grad(i), x(i), beta)
	}
}

// lengths multiplies all step lengths by c.
func (p *path) lengths(c float64) {
	w := p.s.work
	for i := range w.lengths {
		w.lengths[i] = c
		if p.scale != nil {
			w.lengths[i] *= p.scale[i]
		}
	}
	p.s.scale = w.lengths
}

// close returns to β = 1 and unscaled steps.
func (p *path) close() {
	p.to(1)
	p.s.scale = p.scale
}
