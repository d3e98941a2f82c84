package mcmc

import (
	"errors"
	"math/rand/v2"

	"gonum.org/v1/gonum/mat"
)

// Proposal is a normalised density with a sampler.
type Proposal interface {
	Sample(dst *mat.Dense, rng *rand.Rand) // fills the rows of dst with independent draws
	LogProb(dst []float64, x *mat.Dense)   // stores log q of the rows of x
}

// Jumping makes moves of [Independence] before every step of a kernel. They carry chains between modes that local moves
// never leave, if q covers them all, as blurred data do. Both parts leave exp(-E) unchanged, and so does the whole. In
// many dimensions no draw from q is ever accepted.
type Jumping struct {
	Kernel   Kernel   // required
	Proposal Proposal // q; required. It may be used by several goroutines at once
	Jumps    int      // moves before a step; 0 means 1
}

var (
	_ Outer   = Jumping{}
	_ Traited = Jumping{}
)

func (k Jumping) Inner() Kernel                 { return k.Kernel }
func (k Jumping) WithInner(inner Kernel) Kernel { k.Kernel = inner; return k }

// Traits says what k is.
func (k Jumping) Traits() Traits {
	t := TraitsOf(k.Kernel)
	t.Name, t.Crosses = t.Name+" with jumps", true
	return t
}

// Validate reports settings out of range.
func (k Jumping) Validate() error {
	return errors.Join(
		check(k.Jumps >= 0, "mcmc: Jumping.Jumps = %d, want >= 0", k.Jumps),
		check(k.Proposal != nil, "mcmc: Jumping.Proposal is missing, e.g. the blurred data"),
		checkInner("Jumping", k.Kernel),
	)
}

// Step jumps and moves every chain. Its Info is that of the kernel.
func (k Jumping) Step(s *State, t Target, rng *rand.Rand) (Info, error) {
	w := s.scratch()
	rows, err := s.refresh(t)
	if err != nil {
		return Info{}, err
	}
	p := w.proposals()
	at, to := w.logProposals()
	k.Proposal.LogProb(at, s.X)
	for range max(1, k.Jumps) {
		if err := w.propose(k.Proposal, t, rng); err != nil {
			return Info{}, err
		}
		for i, e := range p.energy {
			if jump(w.uniform[i], s.Energy[i], e, at[i], to[i]) {
				s.take(i, p)
				at[i] = to[i]
			}
		}
		rows += w.n
	}
	s.Momentum = nil // belonged to the old positions
	info, err := k.Kernel.Step(s, t, rng)
	info.Evaluations += rows
	return info, err
}
