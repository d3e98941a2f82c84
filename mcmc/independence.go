package mcmc

import (
	"errors"
	"math"
	"math/rand/v2"
)

// Independence is the independence Metropolis sampler: a draw y from q replaces x with probability
//
//	min(1, exp(E(x) - E(y)) q(x)/q(y)).
//
// If q is the density of the target itself, every draw is accepted and all draws are independent. If q is far from it,
// hardly any is; [Jumping] combines these moves with local ones.
//
// Tierney, Markov chains for exploring posterior distributions, Annals of Statistics 22 (1994), section 2.3.3.
type Independence struct {
	Proposal Proposal // q; required. It may be used by several goroutines at once
}

var _ Traited = Independence{}

// Traits describes k.
func (k Independence) Traits() Traits {
	return Traits{Name: "independence", StepSize: math.NaN(), Crosses: true}
}

// Validate reports a missing proposal.
func (k Independence) Validate() error {
	return errors.Join(check(k.Proposal != nil, "mcmc: Independence.Proposal is missing"))
}

// Step proposes a draw to every chain.
func (k Independence) Step(s *State, t Target, rng *rand.Rand) (Info, error) {
	w := s.scratch()
	rows, err := s.refresh(t)
	if err != nil {
		return Info{}, err
	}
	p := w.proposals()
	at, to := w.logProposals()
	k.Proposal.LogProb(at, s.X)
	if err := w.propose(k.Proposal, t, rng); err != nil {
		return Info{}, err
	}
	for i, e := range p.energy {
		ci := &w.info[i]
		*ci = ChainInfo{LogRatio: s.Energy[i] - e + at[i] - to[i], Hamiltonian: math.NaN(), StepSize: math.NaN()}
		if ci.metropolis(w.uniform[i], e, p.x.RawRowView(i)) {
			s.take(i, p)
		}
	}
	s.Momentum = nil // belonged to the old positions
	return w.summary(rows+w.n, p.x), nil
}

// propose draws a point for every chain, with its log q, energy and gradient, and the uniform numbers that decide.
func (w *workspace) propose(q Proposal, t Target, rng *rand.Rand) error {
	p := w.proposals()
	_, to := w.logProposals()
	q.Sample(p.x, rng)
	q.LogProb(to, p.x)
	_, err := evaluate(t, p.energy, p.grad, p.x)
	uniforms(w.uniform, rng)
	return err
}
