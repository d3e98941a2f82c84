package mcmc

import (
	"math"
	"math/rand/v2"

	"gonum.org/v1/gonum/mat"
)

// MALA is the Metropolis-adjusted Langevin algorithm. It proposes
//
//	y = x - h∇E(x) + √(2h) ξ,   ξ ~ N(0, I)
//
// and accepts with probability min(1, exp(E(x)-E(y)) q(x|y)/q(y|x)), log q(y|x) = -|y - x + h∇E(x)|²/(4h).
//
// Roberts and Tweedie, Exponential convergence of Langevin distributions and their discrete approximations,
// Bernoulli 2 (1996) 341–363.
type MALA struct {
	StepSize float64 // h > 0; required. An acceptance of 0.574 is best in many dimensions
}

var _ Kernel = MALA{}

// Validate reports settings out of range.
func (k MALA) Validate() error {
	return check(k.StepSize > 0 && !math.IsInf(k.StepSize, 1), "mcmc: MALA.StepSize = %g, want > 0", k.StepSize)
}

// Step moves every chain, with n·d normal and then n uniform numbers of rng.
func (k MALA) Step(s *State, t Target, rng *rand.Rand) (Info, error) {
	w := s.scratch()
	normals(w.noise.RawMatrix().Data, rng)
	uniforms(w.uniform, rng)
	return k.Move(s, t, w.noise, w.uniform)
}

// Move is Step with the given noise ξ (n×d) and uniform numbers u (n): chain i accepts when u_i is below the
// Metropolis ratio, whose log it leaves in Info.Chains[i].LogRatio.
func (k MALA) Move(s *State, t Target, noise *mat.Dense, uniform []float64) (Info, error) {
	w := s.scratch()
	rows, err := s.refresh(t)
	if err != nil {
		return Info{}, err
	}
	p := w.proposals()
	x, gx, y, gy := s.X.RawMatrix().Data, s.Grad.RawMatrix().Data, p.x.RawMatrix().Data, p.grad.RawMatrix().Data
	copy(y, x)
	Langevin{StepSize: k.StepSize}.drift(s, y, noise.RawMatrix().Data)
	if _, err := evaluate(t, p.energy, p.grad, p.x); err != nil {
		return Info{}, err
	}
	for i, e := range p.energy {
		c := s.stepScale(i)
		yi := row(y, w.d, i)
		r := s.Energy[i] - e + logProposalRatio(row(x, w.d, i), yi, row(gx, w.d, i), row(gy, w.d, i), k.StepSize*c*c)
		ci := &w.info[i]
		*ci = ChainInfo{LogRatio: r, Hamiltonian: math.NaN()}
		if ci.metropolis(uniform[i], e, yi) {
			s.take(i, p)
		}
	}
	return w.summary(rows + w.n), nil
}

// logProposalRatio returns log q(x|y) - log q(y|x) of the Langevin proposal.
func logProposalRatio(x, y, gx, gy []float64, h float64) float64 {
	var fwd, bwd float64
	for j := range x {
		f := y[j] - x[j] + h*gx[j]
		b := x[j] - y[j] + h*gy[j]
		fwd += f * f
		bwd += b * b
	}
	return (fwd - bwd) / (4 * h)
}

// maxEnergyError is the error of the Hamiltonian beyond which a trajectory counts as divergent, as in Stan.
const maxEnergyError = 1000

// metropolis decides on a proposal y of energy e by c.LogRatio. What is not finite is rejected and divergent.
func (c *ChainInfo) metropolis(u, e float64, y []float64) bool {
	r := c.LogRatio
	switch {
	case math.IsInf(e, 1) || math.IsNaN(r) || !finite(y):
		c.Divergent = true
		return false
	case r >= 0:
		c.AcceptProb = 1
	default:
		c.AcceptProb = math.Exp(r)
		c.Divergent = r < -maxEnergyError
	}
	c.Accepted = u < c.AcceptProb
	return c.Accepted
}
