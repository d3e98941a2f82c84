package mcmc

import (
	"errors"
	"math"
	"math/rand/v2"

	"gonum.org/v1/gonum/mat"
)

// Tempering is parallel tempering (replica exchange). Every chain is the coldest of K replicas at β₀ = 1 > β₁ > … > 0,
// which move by a kernel at exp(-β_k E) and swap between neighbouring levels with probability
//
//	min(1, exp((β_k - β_l)(E(x_k) - E(x_l)))).
//
// Hot replicas cross between modes, and swaps pass this down to the cold ones. With a Reference E₀ the levels are E₀ +
// β_k(E - E₀) instead, which remains integrable where βE does not; E - E₀ then replaces E in the swaps. Each step tries
// the pairs (0,1), (2,3), … and then (1,2), (3,4), …, all replicas in one batch of K·n rows.
//
// Swendsen and Wang, Phys. Rev. Lett. 57 (1986) 2607; Syed et al., Non-reversible parallel tempering, JRSS B 84 (2022)
// 321–350, whose ladder adaptation [Adapter] uses.
type Tempering struct {
	Kernel    Kernel    // moves within the levels; required; its step size is for β = 1
	Betas     []float64 // β_k, decreasing from 1, all > 0; nil means Geometric(10, 0.005)
	Scales    []float64 // step length of level k relative to level 0; nil means β_k^(-1/2)
	Moves     int       // transitions between swaps; 0 means 1
	Reference Reference // hot end of the path; nil means none
}

var (
	_ Outer    = Tempering{}
	_ Adaptive = Tempering{}
	_ Traited  = Tempering{}
)

func (k Tempering) Inner() Kernel                 { return k.Kernel }
func (k Tempering) WithInner(inner Kernel) Kernel { k.Kernel = inner; return k }

// Traits says what k is.
func (k Tempering) Traits() Traits {
	t := TraitsOf(k.Kernel)
	t.Name, t.Betas, t.Crosses, t.Cure = "tempering", k.betas(), true, "add hotter levels, or draw longer"
	return t
}

// Geometric returns a ladder of n levels from 1 to last in equal ratios.
func Geometric(n int, last float64) []float64 {
	b := make([]float64, n)
	for k := range b {
		b[k] = math.Pow(last, float64(k)/float64(max(1, n-1)))
	}
	return b
}

var defaultBetas = Geometric(10, .005)

func (k Tempering) betas() []float64 {
	if k.Betas == nil {
		return defaultBetas
	}
	return k.Betas
}

// Validate reports settings out of range.
func (k Tempering) Validate() error {
	errs := []error{check(k.Moves >= 0, "mcmc: Tempering.Moves = %d, want >= 0", k.Moves),
		checkInner("Tempering", k.Kernel)}
	b := k.betas()
	errs = append(errs, check(len(b) > 0 && b[0] == 1, "mcmc: Tempering.Betas = %v, want a first level of 1", b))
	for l := range b {
		errs = append(errs, check(b[l] > 0 && (l == 0 || b[l] < b[l-1]),
			"mcmc: Tempering.Betas[%d] = %g, want > 0 and falling", l, b[l]))
	}
	errs = append(errs, check(k.Scales == nil || len(k.Scales) == len(b),
		"mcmc: Tempering.Scales has %d entries for %d levels", len(k.Scales), len(b)),
		checkScales("Tempering", k.Scales, 0))
	if k.Reference != nil {
		errs = append(errs, checkReference(k.Reference))
	}
	return errors.Join(errs...)
}

// checkDim reports a reference of the wrong dimension.
func (k Tempering) checkDim(d int) error {
	if k.Reference == nil {
		return nil
	}
	return check(k.Reference.Dim() == d, "mcmc: Tempering.Reference is of dimension %d, the chains of %d",
		k.Reference.Dim(), d)
}

// checkScales reports step lengths that are not positive, from level first on.
func checkScales(of string, scales []float64, first int) error {
	var errs []error
	for l := first; l < len(scales); l++ {
		errs = append(errs, check(scales[l] > 0 && !math.IsInf(scales[l], 1), "mcmc: %s.Scales[%d] = %g, want > 0", of,
			l, scales[l]))
	}
	return errors.Join(errs...)
}

// Step moves and swaps the replicas of every chain. Its Info is that of level 0: Divergent counts the chains that
// diverged in any move, the rest is from the last move.
func (k Tempering) Step(s *State, t Target, rng *rand.Rand) (Info, error) {
	w := s.scratch()
	betas := k.betas()
	levels := len(betas)
	r := k.replicas(s, levels)
	b := &w.bridge
	b.between(k.Reference, t)
	for l, beta := range betas {
		scale := k.scaleOf(l)
		for i := range w.n {
			b.beta[l*w.n+i] = beta
			r.scale[l*w.n+i] = scale
		}
	}
	info := Info{Chains: w.info, Swaps: w.swaps[:levels-1]}
	moves, silent := max(1, k.Moves), false
	for move := range moves {
		in, err := k.Kernel.Step(r, b, rng)
		if err != nil {
			return Info{}, err
		}
		silent = in.Chains == nil
		info.Evaluations += in.Evaluations
		w.accepts(in, levels)
		for i := range w.info {
			diverged := move > 0 && w.info[i].Divergent
			w.info[i] = in.chain(i)
			w.info[i].Divergent = w.info[i].Divergent || diverged
		}
	}
	rows, err := r.refresh(b)
	if err != nil {
		return Info{}, err
	}
	info.Evaluations += rows
	clear(info.Swaps)
	for parity := range 2 {
		for l := parity; l+1 < levels; l += 2 {
			info.Swaps[l] = k.exchange(r, b, l, w.n, rng)
		}
	}
	copy(s.X.RawMatrix().Data, r.X.RawMatrix().Data)
	copy(s.Grad.RawMatrix().Data, r.Grad.RawMatrix().Data)
	copy(s.Energy, r.Energy)
	s.valid = true
	sum := w.summary(info.Evaluations, nil)
	sum.Swaps = info.Swaps
	if silent { // the kernel tells nothing of single chains
		sum.Chains = nil
	}
	return sum, nil
}

// accepts notes the mean acceptance of every level.
func (w *workspace) accepts(in Info, levels int) {
	if len(w.accept) != levels {
		w.accept = make([]float64, levels)
	}
	for l := range w.accept {
		var sum float64
		for i := range w.n {
			sum += in.chain(l*w.n + i).AcceptProb
		}
		w.accept[l] = sum / float64(w.n)
	}
}

// replicas returns the replicas, created or changed in number if needed, with level 0 equal to s.
func (k Tempering) replicas(s *State, levels int) *State {
	w := s.scratch()
	n, d := w.n, w.d
	if s.Replicas == nil || len(s.Replicas.Energy) != n*levels {
		x := mat.NewDense(n*levels, d, nil)
		old := 1
		from := s.X
		if s.Replicas != nil && len(s.Replicas.Energy) >= n {
			from, old = s.Replicas.X, len(s.Replicas.Energy)/n
		}
		for l := range levels {
			o := l // the level of the old ladder that corresponds to l in the new one
			if levels > 1 {
				o = int(math.Round(float64(l) * float64(old-1) / float64(levels-1)))
			}
			o = min(o, old-1)
			copy(x.RawMatrix().Data[l*n*d:], from.RawMatrix().Data[o*n*d:(o+1)*n*d])
		}
		s.Replicas = NewState(x)
	}
	r := s.Replicas
	if r.scale == nil {
		r.scale = make([]float64, n*levels)
	}
	if len(w.bridge.beta) != n*levels {
		w.bridge.beta = make([]float64, n*levels)
		w.swaps = make([]SwapInfo, levels)
	}
	if !s.valid {
		copy(r.X.RawMatrix().Data, s.X.RawMatrix().Data)
		r.Invalidate()
	}
	return r
}

// exchange tries to swap levels l and l+1 of every chain.
func (k Tempering) exchange(r *State, b *bridge, l, n int, rng *rand.Rand) SwapInfo {
	var sum float64
	for i := range n {
		hot, cold := (l+1)*n+i, l*n+i
		xh, xc := r.X.RawRowView(hot), r.X.RawRowView(cold)
		gh, gc := r.Grad.RawRowView(hot), r.Grad.RawRowView(cold)
		bh, bc := b.beta[hot], b.beta[cold]
		u := rng.Float64()
		if math.IsInf(r.Energy[hot], 1) {
			continue // non-finite states never move down
		}
		p := 1.0
		if !math.IsInf(r.Energy[cold], 1) {
			d := (bc - bh) * (b.excess(r.Energy[cold], xc, bc) - b.excess(r.Energy[hot], xh, bh))
			p = math.Exp(min(0, d))
		}
		sum += p
		if u >= p {
			continue
		}
		if !math.IsInf(r.Energy[cold], 1) {
			b.unmix(&r.Energy[cold], gc, xc, bc)
			b.mix(&r.Energy[cold], gc, xc, bh)
		}
		b.unmix(&r.Energy[hot], gh, xh, bh)
		b.mix(&r.Energy[hot], gh, xh, bc)
		r.Energy[hot], r.Energy[cold] = r.Energy[cold], r.Energy[hot]
		for j := range xh {
			xh[j], xc[j] = xc[j], xh[j]
			gh[j], gc[j] = gc[j], gh[j]
		}
		if r.Momentum != nil {
			ph, pc := r.Momentum.RawRowView(hot), r.Momentum.RawRowView(cold)
			for j := range ph {
				ph[j], pc[j] = pc[j], ph[j]
			}
		}
	}
	return SwapInfo{Tried: n, AcceptProb: sum / float64(n)}
}
