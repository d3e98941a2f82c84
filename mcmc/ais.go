package mcmc

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"math"
	"math/rand/v2"

	"gonum.org/v1/gonum/mat"
)

// AIS is annealed importance sampling, which estimates log Z = log ∫exp(-E) along the energies
//
//	U_β = E₀ + β(E - E₀),   0 = β₀ < β₁ < … < β_K = 1,
//
// with E₀ a normalised reference. A chain drawn from exp(-E₀) collects log w = -Σ_k (β_k - β_{k-1})(E - E₀)(x_{k-1})
// and moves at each β_k in between; E w = Z. In reverse, a chain that starts at an exact draw from the target collects
// the opposite sum, and E w = 1/Z. Forward tends to underestimate log Z, reverse to overestimate it: if the two agree,
// both can be trusted.
//
// The reference must be wider than the target, and the moves good enough to track the path; the closer the reference is
// to the target, modes included, the easier that is. Tune chooses Betas and Scales by a pilot run, whose draws are then
// discarded so that the weights stay unbiased.
//
// Neal, Annealed importance sampling, Statistics and Computing 11 (2001) 125–139; Grosse, Ghahramani and Adams,
// Sandwiching the marginal likelihood using bidirectional Monte Carlo, arXiv 1511.02543.
type AIS struct {
	Reference Reference // required; see FitGaussian
	Kernel    Kernel    // moves; required. It must leave exp(-U_β) exactly unchanged: Langevin and BAOAB do not
	Betas     []float64 // increasing from 0 to 1; required, set by hand or by Tune
	Scales    []float64 // step length at each β relative to the kernel's; nil means 1. Scales[0] is not used
	Moves     int       // transitions at each level; 0 means 1
	Chains    int       // 0 means 1000
}

// Validate reports settings out of range.
func (a AIS) Validate() error {
	errs := []error{a.validateMoves()}
	k := len(a.Betas)
	errs = append(errs, check(k > 1 && a.Betas[0] == 0 && a.Betas[k-1] == 1,
		"mcmc: AIS.Betas has %d levels, want at least 2, from 0 to 1; Tune finds them", k))
	for l := 1; l < k; l++ {
		errs = append(errs, check(a.Betas[l] > a.Betas[l-1], "mcmc: AIS.Betas[%d] = %g after %g, want rising", l,
			a.Betas[l], a.Betas[l-1]))
	}
	errs = append(errs, check(a.Scales == nil || len(a.Scales) == k, "mcmc: AIS.Scales has %d entries for %d levels",
		len(a.Scales), k),
		checkScales("AIS", a.Scales, 1))
	return errors.Join(errs...)
}

func (a AIS) validateMoves() error {
	if a.Reference == nil {
		return errors.New("mcmc: AIS.Reference is missing, see FitGaussian")
	}
	return errors.Join(
		checkReference(a.Reference),
		checkInner("AIS", a.Kernel),
		checkExact(a.Kernel),
		check(a.Moves >= 0, "mcmc: AIS.Moves = %d, want >= 0", a.Moves),
		check(a.Chains >= 0, "mcmc: AIS.Chains = %d, want >= 0", a.Chains),
	)
}

// checkExact reports a kernel without an accept step, for which E w is not Z.
func checkExact(k Kernel) error {
	if k != nil && TraitsOf(k).Unadjusted {
		return fmt.Errorf("mcmc: AIS.Kernel = %T has no accept step, which biases log Z: use MALA or HMC", k)
	}
	return nil
}

func (a AIS) chains() int { return cmp.Or(a.Chains, 1000) }

// Forward estimates log Z from chains that start at the reference. It also returns their final state: draws from the
// target if weighted by exp(LogWeights). It is an error if every weight is zero.
func (a AIS) Forward(ctx context.Context, t Target, rng *rand.Rand) (Evidence, *State, error) {
	if err := a.Validate(); err != nil {
		return Evidence{}, nil, err
	}
	s := NewState(mat.NewDense(a.chains(), a.Reference.Dim(), nil))
	a.Reference.Sample(s.X, rng)
	levels := make([]int, len(a.Betas))
	for l := range levels {
		levels[l] = l
	}
	e, err := a.along(ctx, levels, s, t, rng)
	if err != nil {
		return Evidence{}, nil, err
	}
	return e, s, nil
}

// Reverse estimates log Z from chains that start at exact draws from the target, the rows of x, and end at the
// reference. With approximate draws, the estimate is approximate.
func (a AIS) Reverse(ctx context.Context, t Target, x *mat.Dense, rng *rand.Rand) (Evidence, error) {
	if err := a.Validate(); err != nil {
		return Evidence{}, err
	}
	n, d := x.Dims()
	if err := errors.Join(
		check(n > 0, "mcmc: AIS.Reverse without samples: the batch is empty"),
		check(d == a.Reference.Dim(), "mcmc: AIS.Reference is of dimension %d, the samples of %d", a.Reference.Dim(),
			d),
	); err != nil {
		return Evidence{}, err
	}
	levels := make([]int, len(a.Betas))
	for l := range levels {
		levels[l] = len(levels) - 1 - l
	}
	e, err := a.along(ctx, levels, NewState(mat.DenseCopyOf(x)), t, rng)
	e.LogZ = -e.LogZ
	return e, err
}

// along takes the chains of s through the levels.
func (a AIS) along(ctx context.Context, levels []int, s *State, t Target, rng *rand.Rand) (Evidence, error) {
	w := make([]float64, len(s.Energy))
	p := newPath(s, t, a.Reference)
	rows := 0
	for i, l := range levels {
		n, err := a.level(ctx, &p, l, rng)
		if err != nil {
			return Evidence{}, err
		}
		rows += n
		if i+1 < len(levels) {
			if n, err = a.weigh(&p, t, w, a.Betas[levels[i+1]]-a.Betas[l]); err != nil {
				return Evidence{}, err
			}
			rows += n
		}
	}
	p.close()
	return evidence(w, len(levels), rows)
}

// level moves the chains at β_l. At β = 0 they are already draws from the reference.
func (a AIS) level(ctx context.Context, p *path, l int, rng *rand.Rand) (rows int, err error) {
	if a.Betas[l] == 0 {
		p.to(0)
		return 0, nil
	}
	p.to(a.Betas[l])
	c := 1.0
	if a.Scales != nil {
		c = a.Scales[l]
	}
	p.lengths(c)
	for range max(1, a.Moves) {
		if err := ctx.Err(); err != nil {
			return rows, err
		}
		info, err := a.Kernel.Step(p.s, p.b, rng)
		if err != nil {
			return rows, err
		}
		rows += info.Evaluations
	}
	return rows, nil
}

// weigh adds -step·(E - E₀) to the log weights.
func (a AIS) weigh(p *path, t Target, w []float64, step float64) (rows int, err error) {
	u, beta := Target(p.b), p.beta
	if beta == 0 { // U₀ does not determine E: evaluate the target itself, at β = 1 from here on
		p.beta = 1
		u, beta = t, 1
		for i := range p.b.beta {
			p.b.beta[i] = 1
		}
	}
	if rows, err = p.s.refresh(u); err != nil {
		return rows, err
	}
	for i, e := range p.s.Energy {
		w[i] -= step * p.b.excess(e, p.s.X.RawRowView(i), beta)
	}
	return rows, nil
}

// Tune returns a with Betas and Scales found by a pilot run of a.Chains chains: from β = 0 on, the next β is the
// largest one that keeps the conditional effective sample size at the given share of the chains (0 means 0.99, the
// nearer to 1 the more levels), and the step sizes of kernels with an acceptance are tuned towards their goal, level by
// level.
//
// Zhou, Johansen and Aston, Toward automatic model comparison: an adaptive sequential Monte Carlo approach, JCGS 25
// (2016) 701–726.
func (a AIS) Tune(ctx context.Context, t Target, share float64, rng *rand.Rand) (AIS, error) {
	const most = 10000 // levels
	share = cmp.Or(share, .99)
	if err := errors.Join(a.validateMoves(),
		check(share > 0 && share < 1, "mcmc: AIS.Tune: share = %g, want 0 < share < 1", share)); err != nil {
		return a, err
	}
	s := NewState(mat.NewDense(a.chains(), a.Reference.Dim(), nil))
	a.Reference.Sample(s.X, rng)
	p := newPath(s, t, a.Reference)
	p.to(0)
	w := make([]float64, len(s.Energy)) // log weights so far
	a.Betas, a.Scales = []float64{0}, []float64{1}
	delta := make([]float64, len(w))
	scale := 1.0
	for beta := 0.0; beta < 1; {
		clear(delta)
		if _, err := a.weigh(&p, t, delta, 1); err != nil { // -(E - E₀)
			return a, err
		}
		step := nextStep(w, delta, share, 1-beta)
		if !(step > 1e-12) || len(a.Betas) == most {
			return a, fmt.Errorf(
				"mcmc: AIS.Tune: no progress from β = %.3g after %d levels: the reference does not cover the target, or its "+
					"energies are not finite there", beta, len(a.Betas))
		}
		for i := range w {
			w[i] += step * delta[i]
		}
		beta += step
		if step == 1-(beta-step) {
			beta = 1
		}
		a.Betas = append(a.Betas, beta)
		a.Scales = append(a.Scales, scale)
		p.to(beta)
		p.lengths(scale)
		inner, tuned := innermost(a.Kernel).(Tunable)
		for range max(1, a.Moves) {
			if err := ctx.Err(); err != nil {
				return a, err
			}
			info, err := a.Kernel.Step(s, p.b, rng)
			if err != nil {
				return a, err
			}
			if tuned {
				scale *= math.Exp(info.AcceptProb - inner.Tuning().Accept)
				p.lengths(scale)
			}
		}
	}
	return a, nil
}

// nextStep finds by bisection the largest step up to limit at which the conditional effective sample size is at least
// share. Chains of weight zero, where the energy was infinite, do not count.
func nextStep(w, delta []float64, share, limit float64) float64 {
	alive := func(i int) bool { return !math.IsInf(delta[i], -1) && !math.IsInf(w[i], -1) }
	cess := func(step float64) float64 {
		top, topW := math.Inf(-1), math.Inf(-1)
		for i := range w {
			if alive(i) {
				top, topW = math.Max(top, step*delta[i]), math.Max(topW, w[i])
			}
		}
		var sw, s1, s2 float64
		for i := range w {
			if alive(i) {
				p, v := math.Exp(w[i]-topW), math.Exp(step*delta[i]-top)
				sw += p
				s1 += p * v
				s2 += p * v * v
			}
		}
		return s1 * s1 / (sw * s2)
	}
	if cess(limit) >= share {
		return limit
	}
	lo, hi := 0.0, limit
	for range 60 {
		mid := (lo + hi) / 2
		if cess(mid) >= share {
			lo = mid
		} else {
			hi = mid
		}
	}
	return lo
}
