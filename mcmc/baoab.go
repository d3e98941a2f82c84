package mcmc

import (
	"cmp"
	"errors"
	"math"
	"math/rand/v2"

	"gonum.org/v1/gonum/mat"
)

// BAOAB is underdamped Langevin dynamics, dx = p dt, dp = -∇E dt - γp dt + √(2γ) dW, split as
//
//	p ← p - ½ε∇E(x),  x ← x + ½εp,  p ← cp + √(1-c²) ξ,  x ← x + ½εp,  p ← p - ½ε∇E(x),   c = exp(-γε).
//
// It always accepts. Positions have an error of order ε², none for a Gaussian; momenta for N(0, 1) get the variance 1 -
// ε²/4. If the new energy is not finite the chain stays, its momentum is reversed, and the transition counts as
// divergent. Momenta are part of the State.
//
// Leimkuhler and Matthews, Rational construction of stochastic numerical methods for molecular sampling, Applied
// Mathematics Research eXpress (2013) 34–56.
type BAOAB struct {
	StepSize float64 // ε > 0; required
	Friction float64 // γ >= 0; 0 means 1
}

var _ Traited = BAOAB{}

// Validate reports settings out of range.
func (k BAOAB) Validate() error {
	return errors.Join(
		check(k.StepSize > 0 && !math.IsInf(k.StepSize, 1), "mcmc: BAOAB.StepSize = %g, want > 0", k.StepSize),
		check(k.Friction >= 0, "mcmc: BAOAB.Friction = %g, want >= 0", k.Friction),
	)
}

// Traits says what k is.
func (k BAOAB) Traits() Traits { return Traits{Name: "baoab", StepSize: k.StepSize, Unadjusted: true} }

// Step moves every chain, using n·d normal numbers from rng; at the first step of a state it first draws n·d more, the
// momenta.
func (k BAOAB) Step(s *State, t Target, rng *rand.Rand) (Info, error) {
	w := s.scratch()
	if s.Momentum == nil {
		s.Momentum = mat.NewDense(w.n, w.d, nil)
		normals(s.Momentum.RawMatrix().Data, rng)
	}
	normals(w.noise.RawMatrix().Data, rng)
	return k.Move(s, t, w.noise)
}

// Move is Step with the given noise ξ (n×d). s.Momentum must be set.
func (k BAOAB) Move(s *State, t Target, noise *mat.Dense) (Info, error) {
	w := s.scratch()
	rows, err := s.refresh(t)
	if err != nil {
		return Info{}, err
	}
	gamma := cmp.Or(k.Friction, 1)
	q := w.proposals()
	q.copyFrom(s)
	var last, c, sd float64
	for i := range s.Energy {
		x, p := q.x.RawRowView(i), s.Momentum.RawRowView(i)
		eps := k.StepSize * s.StepScale(i)
		if eps != last {
			last = eps
			c = math.Exp(-gamma * eps)
			sd = math.Sqrt(-math.Expm1(-2 * gamma * eps))
		}
		kick(p, q.grad.RawRowView(i), eps/2)
		drift(x, p, eps/2)
		for j, z := range noise.RawRowView(i) {
			p[j] = c*p[j] + sd*z
		}
		drift(x, p, eps/2)
		w.eps[i] = eps
	}
	if _, err := evaluate(t, q.energy, q.grad, q.x); err != nil {
		return Info{}, err
	}
	for i := range s.Energy {
		p := s.Momentum.RawRowView(i)
		w.info[i] = ChainInfo{LogRatio: math.NaN(), Hamiltonian: math.NaN(), StepSize: w.eps[i]}
		if math.IsInf(q.energy[i], 1) {
			w.info[i].Divergent = true
			for j := range p {
				p[j] = -p[j]
			}
			continue
		}
		kick(p, q.grad.RawRowView(i), w.eps[i]/2)
		s.take(i, q)
		w.info[i].AcceptProb = 1
		w.info[i].Accepted = true
		w.info[i].Hamiltonian = s.Energy[i] + kinetic(p)
	}
	return w.summary(rows+w.n, nil), nil
}
