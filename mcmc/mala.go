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

// Move is Step with the given noise ξ (n×d) and uniform numbers u (n): chain i accepts when log u_i is below the log of
// the Metropolis ratio, which it leaves in Info.Chains[i].LogRatio.
func (k MALA) Move(s *State, t Target, noise *mat.Dense, uniform []float64) (Info, error) {
	w := s.scratch()
	rows, err := s.refresh(t)
	if err != nil {
		return Info{}, err
	}
	p := w.proposals()
	copy(p.x.RawMatrix().Data, s.X.RawMatrix().Data)
	for i := range s.Energy {
		c := s.stepScale(i)
		Langevin{}.drift(p.x.RawRowView(i), s.Grad.RawRowView(i), noise.RawRowView(i), k.StepSize*c*c)
	}
	if err := evaluate(t, p.energy, p.grad, p.x); err != nil {
		return Info{}, err
	}
	for i := range s.Energy {
		c := s.stepScale(i)
		r := s.Energy[i] - p.energy[i] + logProposalRatio(s.X.RawRowView(i), p.x.RawRowView(i), s.Grad.RawRowView(i), p.grad.RawRowView(i), k.StepSize*c*c)
		w.info[i] = metropolis(r, uniform[i], p.energy[i], p.x.RawRowView(i))
		w.info[i].Hamiltonian = math.NaN()
		if w.info[i].Accepted {
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

// metropolis decides on a proposal y of energy e by the log ratio r. What is not finite is rejected and divergent.
func metropolis(r, u, e float64, y []float64) ChainInfo {
	if math.IsInf(e, 1) || math.IsNaN(r) || !finite(y) {
		return ChainInfo{LogRatio: r, Divergent: true}
	}
	return ChainInfo{
		LogRatio:   r,
		AcceptProb: math.Exp(min(0, r)),
		Accepted:   math.Log(u) < r,
		Divergent:  r < -maxEnergyError,
	}
}
