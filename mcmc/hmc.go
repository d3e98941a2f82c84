package mcmc

import (
	"cmp"
	"errors"
	"math"
	"math/rand/v2"

	"gonum.org/v1/gonum/mat"
)

// HMC is Hamiltonian Monte Carlo. With a fresh momentum p ~ N(0, M), it follows
//
//	H(x, p) = E(x) + ½ pᵀM⁻¹p
//
// for L leapfrog steps of size ε and accepts the end point with probability min(1, exp(-ΔH)). A transition costs L
// gradients; the one at the start is cached.
//
// Neal, MCMC using Hamiltonian dynamics, Handbook of MCMC (2011), ch. 5.
type HMC struct {
	StepSize float64 // ε > 0; required, or adapted in warm-up
	Leapfrog int     // L, steps per trajectory; 0 means that Length decides
	// longest εL; L of each transition is uniform on 1 … Length/ε; 0 means adapted in warm-up, or 10 steps without
	Length     float64
	Mass       Mass    // nil means unit mass, or adapted in warm-up
	StepJitter float64 // each chain's ε is drawn from ε·U(1-j, 1+j), 0 <= j < 1
	// with Leapfrog: L, common to all chains, is uniform on round(L(1-j)) … L (at least 1), 0 <= j <= 1
	LengthJitter float64
}

var (
	_ Tunable  = HMC{}
	_ Massive  = HMC{}
	_ Adaptive = HMC{}
	_ Traited  = HMC{}
)

// Validate reports settings out of range.
func (k HMC) Validate() error {
	return errors.Join(
		check(k.StepSize > 0 && !math.IsInf(k.StepSize, 1), "mcmc: HMC.StepSize = %g, want > 0", k.StepSize),
		check(k.Leapfrog >= 0, "mcmc: HMC.Leapfrog = %d, want >= 0", k.Leapfrog),
		check(k.Length >= 0 && !math.IsInf(k.Length, 1), "mcmc: HMC.Length = %g, want >= 0", k.Length),
		check(k.Leapfrog == 0 || k.Length == 0, "mcmc: HMC.Leapfrog = %d and HMC.Length = %g exclude each other",
			k.Leapfrog, k.Length),
		check(k.StepJitter >= 0 && k.StepJitter < 1, "mcmc: HMC.StepJitter = %g, want 0 <= jitter < 1", k.StepJitter),
		check(k.LengthJitter >= 0 && k.LengthJitter <= 1, "mcmc: HMC.LengthJitter = %g, want 0 <= jitter <= 1",
			k.LengthJitter),
		checkMass("HMC", k.Mass),
	)
}

// Tuning asks for an acceptance of 0.8.
func (k HMC) Tuning() Tuning {
	return Tuning{StepSize: k.StepSize, Accept: .8, Trial: trial{StepSize: k.StepSize, Mass: k.Mass}}
}

// WithStep returns k with another step size.
func (k HMC) WithStep(eps float64) Kernel { k.StepSize = eps; return k }
func (k HMC) Inertia() Mass               { return k.Mass }
func (k HMC) WithMass(m Mass) Kernel      { k.Mass = m; return k }
func (k HMC) Traits() Traits              { return Traits{Name: "hmc", StepSize: k.StepSize} }

// trial is a single leapfrog step.
type trial HMC

func (k trial) Validate() error { return HMC(k).Validate() }

func (k trial) Step(s *State, t Target, rng *rand.Rand) (Info, error) {
	k.Leapfrog, k.Length = 1, 0
	return HMC(k).Step(s, t, rng)
}

// maxLeapfrog bounds the steps of a trajectory with a given Length, as for NUTS.
const maxLeapfrog = 1<<10 - 1

// steps returns the smallest and the largest L drawn.
func (k HMC) steps() (least, most int) {
	if k.Leapfrog == 0 && k.Length > 0 {
		return 1, int(max(1, min(maxLeapfrog, math.Ceil(k.Length/k.StepSize))))
	}
	most = cmp.Or(k.Leapfrog, 10)
	return max(1, int(math.Round(float64(most)*(1-k.LengthJitter)))), most
}

// Step moves every chain, using n·d normal and n uniform numbers from rng; then, if jittered, n uniform ones for the
// step sizes and one for the length.
func (k HMC) Step(s *State, t Target, rng *rand.Rand) (Info, error) {
	w := s.scratch()
	w.proposals()
	normals(w.noise.RawMatrix().Data, rng)
	uniforms(w.uniform, rng)
	for i := range w.eps {
		w.eps[i] = k.StepSize * s.StepScale(i)
		if k.StepJitter > 0 {
			w.eps[i] *= 1 + k.StepJitter*(2*rng.Float64()-1)
		}
	}
	least, steps := k.steps()
	if k.LengthJitter > 0 || k.Length > 0 {
		steps = least + rng.IntN(steps-least+1)
	}
	return k.transition(s, t, w.noise, w.uniform, steps)
}

// Move is Step with the given noise z (n×d), from which the momentum is p = L⁻ᵀz, and uniform numbers u (n): chain i
// accepts if u_i < exp(-ΔH). Info.Chains[i].LogRatio is -ΔH. Jitter is not applied.
func (k HMC) Move(s *State, t Target, noise *mat.Dense, uniform []float64) (Info, error) {
	w := s.scratch()
	w.proposals()
	for i := range w.eps {
		w.eps[i] = k.StepSize * s.StepScale(i)
	}
	if noise != w.noise {
		w.noise.Copy(noise)
	}
	_, steps := k.steps()
	return k.transition(s, t, w.noise, uniform, steps)
}

// transition runs the dynamics with step sizes w.eps. It overwrites the momenta q = Lᵀp, which come in as standard
// normal numbers.
func (k HMC) transition(s *State, t Target, p *mat.Dense, uniform []float64, steps int) (Info, error) {
	w := s.scratch()
	rows, err := s.refresh(t)
	if err != nil {
		return Info{}, err
	}
	if k.Mass != nil && k.Mass.Dim() != w.d {
		panic("mcmc: the dimension of HMC.Mass is not that of the chains")
	}
	q := w.prop
	q.copyFrom(s)
	x, g, pd := q.x.RawMatrix().Data, q.grad.RawMatrix().Data, p.RawMatrix().Data
	for i, e := range s.Energy {
		w.h0[i] = e + kinetic(row(pd, w.d, i))
		w.info[i] = ChainInfo{Leapfrog: int32(steps), StepSize: w.eps[i]}
	}
	for l := range steps {
		share := 1.0
		if l == 0 {
			share = .5 // later, half kicks of consecutive steps are merged
		}
		if k.Mass == nil && k.StepJitter == 0 && s.scale == nil { // all rows alike
			kickDrift(x, pd, g, share*k.StepSize, k.StepSize)
		} else {
			for i, eps := range w.eps {
				xi, pi, gi := row(x, w.d, i), row(pd, w.d, i), row(g, w.d, i)
				if k.Mass == nil {
					kickDrift(xi, pi, gi, share*eps, eps)
					continue
				}
				k.Mass.MulT(w.vec, gi)
				kick(pi, w.vec, share*eps)
				k.Mass.Mul(w.vec, pi)
				drift(xi, w.vec, eps)
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
				clear(row(pd, w.d, i)) // the chain stays here: without a gradient it does not move again
			}
		}
	}
	for i, e := range q.energy {
		pi := row(pd, w.d, i)
		gi := row(g, w.d, i)
		if k.Mass != nil {
			k.Mass.MulT(w.vec, gi)
			gi = w.vec
		}
		kick(pi, gi, w.eps[i]/2)
		h := e + kinetic(pi)
		c := &w.info[i]
		c.LogRatio, c.Hamiltonian = w.h0[i]-h, w.h0[i]
		if c.metropolis(uniform[i], h, row(x, w.d, i)) {
			c.Hamiltonian = h
			s.take(i, q)
		}
	}
	return w.summary(rows+steps*w.n, q.x), nil
}

// Leapfrog moves the chains of s and their momenta p by the given number of leapfrog steps of size eps,
//
//	p ← p - ½ε∇E(x),   x ← x + ε M⁻¹p,   p ← p - ½ε∇E(x),
//
// at one gradient per step. A nil mass means unit mass. These are the dynamics of HMC and NUTS.
func Leapfrog(s *State, p *mat.Dense, t Target, m Mass, eps float64, steps int) error {
	n, d := s.X.Dims()
	if r, c := p.Dims(); r != n || c != d || m != nil && m.Dim() != d {
		panic("mcmc: Leapfrog: momenta or masses do not have the shape of the chains")
	}
	if err := s.Refresh(t); err != nil {
		return err
	}
	half, v := make([]float64, d), make([]float64, d)
	for range steps {
		for i := range s.Energy {
			kick(p.RawRowView(i), s.Grad.RawRowView(i), eps/2)
			copy(v, p.RawRowView(i))
			if m != nil {
				m.MulT(half, v)
				m.Mul(v, half)
			}
			drift(s.X.RawRowView(i), v, eps)
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

// kinetic returns ½|q|².
func kinetic(q []float64) float64 {
	var sum float64
	for _, v := range q {
		sum += v * v
	}
	return sum / 2
}

// kick is p ← p - h∇E.
func kick(p, grad []float64, h float64) {
	for j, g := range grad {
		p[j] -= h * g
	}
}

// kickDrift is p ← p - h∇E, then x ← x + εp.
func kickDrift(x, p, grad []float64, h, eps float64) {
	x, p = x[:len(grad)], p[:len(grad)]
	for j, g := range grad {
		v := p[j] - h*g
		p[j] = v
		x[j] += eps * v
	}
}

// drift is x ← x + εv.
func drift(x, v []float64, eps float64) {
	for j, a := range v {
		x[j] += eps * a
	}
}
