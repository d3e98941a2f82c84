package mcmc

import (
	"errors"
	"math"
	"math/rand/v2"

	"gonum.org/v1/gonum/mat"
)

// HMC is Hamiltonian Monte Carlo. With a momentum p ~ N(0, M) drawn anew, it follows
//
//	H(x, p) = E(x) + ½ pᵀM⁻¹p
//
// for L leapfrog steps of size ε and accepts the end with probability min(1, exp(-ΔH)). A transition costs L gradients;
// the one at the start is cached.
//
// Neal, MCMC using Hamiltonian dynamics, Handbook of MCMC (2011), ch. 5.
type HMC struct {
	StepSize     float64   // ε > 0; required
	Leapfrog     int       // L, steps per trajectory; 0 means 10
	InvMass      []float64 // diagonal of M⁻¹, best the variances of the target; nil means 1
	StepJitter   float64   // each chain's ε is drawn from ε·U(1-j, 1+j), 0 <= j < 1
	LengthJitter float64   // L is drawn uniformly from round(L(1-j)) … L (at least 1), 0 <= j <= 1, for all chains of a state together
}

var _ Kernel = HMC{}

// Validate reports settings out of range.
func (k HMC) Validate() error {
	return errors.Join(
		check(k.StepSize > 0 && !math.IsInf(k.StepSize, 1), "mcmc: HMC.StepSize = %g, want > 0", k.StepSize),
		check(k.Leapfrog >= 0, "mcmc: HMC.Leapfrog = %d, want >= 0", k.Leapfrog),
		check(k.StepJitter >= 0 && k.StepJitter < 1, "mcmc: HMC.StepJitter = %g, want 0 <= jitter < 1", k.StepJitter),
		check(k.LengthJitter >= 0 && k.LengthJitter <= 1, "mcmc: HMC.LengthJitter = %g, want 0 <= jitter <= 1", k.LengthJitter),
		checkMass("HMC", k.InvMass),
	)
}

// steps returns L.
func (k HMC) steps() int {
	if k.Leapfrog == 0 {
		return 10
	}
	return k.Leapfrog
}

// Step moves every chain, with n·d normal and n uniform numbers of rng; then, if jittered, n uniform ones for the
// steps and one for the length.
func (k HMC) Step(s *State, t Target, rng *rand.Rand) (Info, error) {
	w := s.scratch()
	w.proposals()
	normals(w.noise.RawMatrix().Data, rng)
	uniforms(w.uniform, rng)
	for i := range w.eps {
		w.eps[i] = k.StepSize * s.stepScale(i)
		if k.StepJitter > 0 {
			w.eps[i] *= 1 + k.StepJitter*(2*rng.Float64()-1)
		}
	}
	steps := k.steps()
	if k.LengthJitter > 0 {
		lo := max(1, int(math.Round(float64(steps)*(1-k.LengthJitter))))
		steps = lo + rng.IntN(steps-lo+1)
	}
	return k.transition(s, t, w.noise, w.uniform, steps)
}

// Move is Step with the given noise z (n×d), from which the momentum is p = √M z, and uniform numbers u (n): chain i accepts
// when u_i < exp(-ΔH). Info.Chains[i].LogRatio is -ΔH. Jitter is not applied.
func (k HMC) Move(s *State, t Target, noise *mat.Dense, uniform []float64) (Info, error) {
	w := s.scratch()
	w.proposals()
	for i := range w.eps {
		w.eps[i] = k.StepSize * s.stepScale(i)
	}
	if noise != w.noise {
		w.noise.Copy(noise)
	}
	return k.transition(s, t, w.noise, uniform, k.steps())
}

// transition runs the dynamics with steps w.eps. It overwrites p, which comes in as standard normal numbers.
func (k HMC) transition(s *State, t Target, p *mat.Dense, uniform []float64, steps int) (Info, error) {
	w := s.scratch()
	rows, err := s.refresh(t)
	if err != nil {
		return Info{}, err
	}
	if k.InvMass != nil && len(k.InvMass) != w.d {
		panic("mcmc: the length of HMC.InvMass differs from the dimension")
	}
	q := w.prop
	q.copyFrom(s)
	x, g, pd := q.x.RawMatrix().Data, q.grad.RawMatrix().Data, p.RawMatrix().Data
	for i, e := range s.Energy {
		pi := row(pd, w.d, i)
		momentum(pi, k.InvMass)
		w.h0[i] = e + kinetic(pi, k.InvMass)
		w.info[i] = ChainInfo{Leapfrog: int32(steps)}
	}
	for l := range steps {
		share := 1.0
		if l == 0 {
			share = .5 // later half kicks of two steps are one
		}
		if k.InvMass == nil && k.StepJitter == 0 && s.scale == nil { // all rows alike
			kickDrift(x, pd, g, nil, share*k.StepSize, k.StepSize)
		} else {
			for i, eps := range w.eps {
				kickDrift(row(x, w.d, i), row(pd, w.d, i), row(g, w.d, i), k.InvMass, share*eps, eps)
			}
		}
		bad, err := evaluate(t, q.energy, q.grad, q.x)
		if err != nil {
			return Info{}, err
		}
		if !bad {
			continue
		}
		for i, e := range q.energy {
			if math.IsInf(e, 1) {
				clear(row(pd, w.d, i)) // the chain waits here: with no gradient it does not move again
			}
		}
	}
	for i, e := range q.energy {
		pi := row(pd, w.d, i)
		kick(pi, row(g, w.d, i), w.eps[i]/2)
		h := e + kinetic(pi, k.InvMass)
		c := &w.info[i]
		c.LogRatio, c.Hamiltonian = w.h0[i]-h, w.h0[i]
		if c.metropolis(uniform[i], h, row(x, w.d, i)) {
			c.Hamiltonian = h
			s.take(i, q)
		}
	}
	return w.summary(rows + steps*w.n), nil
}

// Leapfrog moves the chains of s and their momenta p by the given number of leapfrog steps of size eps,
//
//	p ← p - ½ε∇E(x),   x ← x + ε M⁻¹p,   p ← p - ½ε∇E(x),
//
// one gradient each. invMass is the diagonal of M⁻¹; nil means 1. It is what HMC and NUTS follow.
func Leapfrog(s *State, p *mat.Dense, t Target, invMass []float64, eps float64, steps int) error {
	n, d := s.X.Dims()
	if r, c := p.Dims(); r != n || c != d || invMass != nil && len(invMass) != d {
		panic("mcmc: Leapfrog: momenta or masses do not have the shape of the chains")
	}
	if err := s.Refresh(t); err != nil {
		return err
	}
	for range steps {
		for i := range s.Energy {
			kick(p.RawRowView(i), s.Grad.RawRowView(i), eps/2)
			drift(s.X.RawRowView(i), p.RawRowView(i), invMass, eps)
		}
		s.Invalidate()
		if err := s.Refresh(t); err != nil {
			return err
		}
		for i := range s.Energy {
			kick(p.RawRowView(i), s.Grad.RawRowView(i), eps/2)
		}
	}
	return nil
}

// momentum turns standard normal numbers into p ~ N(0, M).
func momentum(p, invMass []float64) {
	if invMass == nil {
		return
	}
	for j, v := range invMass {
		p[j] /= math.Sqrt(v)
	}
}

// kinetic returns ½ pᵀM⁻¹p.
func kinetic(p, invMass []float64) float64 {
	var sum float64
	if invMass == nil {
		for _, v := range p {
			sum += v * v
		}
		return sum / 2
	}
	for j, v := range p {
		sum += v * v * invMass[j]
	}
	return sum / 2
}

// kick is p ← p - h∇E.
func kick(p, grad []float64, h float64) {
	for j, g := range grad {
		p[j] -= h * g
	}
}

// kickDrift is p ← p - h∇E, then x ← x + εM⁻¹p.
func kickDrift(x, p, grad, invMass []float64, h, eps float64) {
	if invMass != nil {
		kick(p, grad, h)
		drift(x, p, invMass, eps)
		return
	}
	x, p = x[:len(grad)], p[:len(grad)]
	for j, g := range grad {
		v := p[j] - h*g
		p[j] = v
		x[j] += eps * v
	}
}

// drift is x ← x + εM⁻¹p.
func drift(x, p, invMass []float64, eps float64) {
	if invMass == nil {
		for j, v := range p {
			x[j] += eps * v
		}
		return
	}
	for j, v := range p {
		x[j] += eps * invMass[j] * v
	}
}
