package mcmc

import (
	"errors"
	"math"
	"math/rand/v2"

	"gonum.org/v1/gonum/mat"
)

// MALA is the Metropolis-adjusted Langevin algorithm. It proposes
//
//	y = x - h∇E(x) + √(2h) ξ,   ξ ~ N(0, I)
//
// and accepts with probability min(1, exp(E(x)-E(y)) q(x|y)/q(y|x)), log q(y|x) = -|y - x + h∇E(x)|²/(4h). A Mass with
// M⁻¹ = L Lᵀ applies the same to z = L⁻¹x: y = x - h M⁻¹∇E(x) + √(2h) L ξ.
//
// Roberts and Tweedie, Exponential convergence of Langevin distributions and their discrete approximations,
// Bernoulli 2 (1996) 341–363.
type MALA struct {
	StepSize float64 // h > 0; required, or adapted in warm-up. The best acceptance in many dimensions is 0.574
	Mass     Mass    // nil means unit mass, or adapted in warm-up
}

var (
	_ Tunable = MALA{}
	_ Massive = MALA{}
	_ Traited = MALA{}
)

// Validate reports settings out of range.
func (k MALA) Validate() error {
	return errors.Join(
		check(k.StepSize > 0 && !math.IsInf(k.StepSize, 1), "mcmc: MALA.StepSize = %g, want > 0", k.StepSize),
		checkMass("MALA", k.Mass),
	)
}

// Tuning asks for an acceptance of 0.574.
func (k MALA) Tuning() Tuning { return Tuning{StepSize: k.StepSize, Accept: .574, Square: true} }

// WithStep returns k with another step size.
func (k MALA) WithStep(h float64) Kernel { k.StepSize = h; return k }
func (k MALA) Inertia() Mass             { return k.Mass }
func (k MALA) WithMass(m Mass) Kernel    { k.Mass = m; return k }
func (k MALA) Traits() Traits            { return Traits{Name: "mala", StepSize: k.StepSize} }

// Step moves every chain, using n·d normal and then n uniform numbers from rng.
func (k MALA) Step(s *State, t Target, rng *rand.Rand) (Info, error) {
	w := s.scratch()
	normals(w.noise.RawMatrix().Data, rng)
	uniforms(w.uniform, rng)
	return k.Move(s, t, w.noise, w.uniform)
}

// Move is Step with the given noise ξ (n×d) and uniform numbers u (n): chain i accepts if u_i is below the Metropolis
// ratio, whose log is stored in Info.Chains[i].LogRatio.
func (k MALA) Move(s *State, t Target, noise *mat.Dense, uniform []float64) (Info, error) {
	w := s.scratch()
	rows, err := s.refresh(t)
	if err != nil {
		return Info{}, err
	}
	p := w.proposals()
	if k.Mass != nil {
		return k.massive(s, t, noise, uniform, rows)
	}
	x, gx, y, gy := s.X.RawMatrix().Data, s.Grad.RawMatrix().Data, p.x.RawMatrix().Data, p.grad.RawMatrix().Data
	copy(y, x)
	Langevin{StepSize: k.StepSize}.drift(s, y, noise.RawMatrix().Data)
	if _, err := evaluate(t, p.energy, p.grad, p.x); err != nil {
		return Info{}, err
	}
	for i, e := range p.energy {
		c := s.StepScale(i)
		yi := row(y, w.d, i)
		r := s.Energy[i] - e + logProposalRatio(row(x, w.d, i), yi, row(gx, w.d, i), row(gy, w.d, i), k.StepSize*c*c)
		ci := &w.info[i]
		*ci = ChainInfo{LogRatio: r, Hamiltonian: math.NaN(), StepSize: k.StepSize * c * c}
		if ci.metropolis(uniform[i], e, yi) {
			s.take(i, p)
		}
	}
	return w.summary(rows+w.n, p.x), nil
}

// massive is Move with a mass: z moves by u = -hγ(x) + √(2h) ξ, with the gradient γ = Lᵀ∇E, and the reverse move is -u
// = -hγ(y) + √(2h) ξ′, so that
//
//	log q(x|y) - log q(y|x) = (2h|ξ|² - |hγ(y) - u|²)/(4h).
func (k MALA) massive(s *State, t Target, noise *mat.Dense, uniform []float64, rows int) (Info, error) {
	w, p := s.scratch(), s.scratch().prop
	if k.Mass.Dim() != w.d {
		panic("mcmc: the dimension of MALA.Mass is not that of the chains")
	}
	if w.moves == nil {
		w.moves = mat.NewDense(w.n, w.d, nil)
	}
	p.copyFrom(s)
	for i := range s.Energy {
		c := s.StepScale(i)
		w.eps[i] = k.StepSize * c * c
		u, sd := w.moves.RawRowView(i), math.Sqrt(2*w.eps[i])
		k.Mass.MulT(u, s.Grad.RawRowView(i))
		for j, z := range noise.RawRowView(i) {
			u[j] = sd*z - w.eps[i]*u[j]
		}
		k.Mass.Mul(w.vec, u)
		drift(p.x.RawRowView(i), w.vec, 1)
	}
	if _, err := evaluate(t, p.energy, p.grad, p.x); err != nil {
		return Info{}, err
	}
	for i, e := range p.energy {
		h, u := w.eps[i], w.moves.RawRowView(i)
		k.Mass.MulT(w.vec, p.grad.RawRowView(i))
		var fwd, bwd float64
		for j, z := range noise.RawRowView(i) {
			b := h*w.vec[j] - u[j]
			fwd += z * z
			bwd += b * b
		}
		ci := &w.info[i]
		*ci = ChainInfo{LogRatio: s.Energy[i] - e + (2*h*fwd-bwd)/(4*h), Hamiltonian: math.NaN(), StepSize: h}
		if ci.metropolis(uniform[i], e, p.x.RawRowView(i)) {
			s.take(i, p)
		}
	}
	return w.summary(rows+w.n, p.x), nil
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

// metropolis decides on a proposal y of energy e by c.LogRatio. A non-finite proposal is rejected and counts as
// divergent.
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
