package mcmc

import (
	"errors"
	"math"
	"math/rand/v2"

	"gonum.org/v1/gonum/mat"
)

// Langevin is the unadjusted Langevin algorithm,
//
//	x' = x - h∇E(x) + √(2h) ξ,   ξ ~ N(0, I).
//
// It always accepts, and therefore samples a slightly wrong distribution: for N(0, 1) its variance is 1/(1 - h/2). The
// energy at a new position is computed at the next step or Refresh: if it is not finite the chain goes back, and the
// next transition counts as divergent.
//
// Normalize and Clip change the drift and hence the distribution, by an unknown amount. They are off by default, and
// Bias reports them.
//
// Parisi, Correlation functions and computer simulations, Nuclear Physics B 180 (1981) 378–384;
// Roberts and Tweedie, Bernoulli 2 (1996) 341–363.
type Langevin struct {
	StepSize  float64 // h > 0; required
	Normalize bool    // drift along ∇E/(|∇E| + 1e-6) instead of ∇E: biased
	Clip      float64 // maximum gradient norm per chain, longer ones are scaled down: biased; 0 means no limit
}

var _ Traited = Langevin{}

// Validate reports settings out of range.
func (k Langevin) Validate() error {
	return errors.Join(
		check(k.StepSize > 0 && !math.IsInf(k.StepSize, 1), "mcmc: Langevin.StepSize = %g, want > 0", k.StepSize),
		check(k.Clip >= 0, "mcmc: Langevin.Clip = %g, want >= 0", k.Clip),
		check(!k.Normalize || k.Clip == 0, "mcmc: Langevin.Normalize and Langevin.Clip = %g exclude each other",
			k.Clip),
	)
}

// Traits says what k is.
func (k Langevin) Traits() Traits {
	return Traits{Name: "langevin", StepSize: k.StepSize, Unadjusted: true, Bias: k.Bias()}
}

// Bias says why draws do not target exp(-E) even for small steps; "" if they do.
func (k Langevin) Bias() string {
	switch {
	case k.Normalize:
		return "langevin normalises the gradient: draws do not follow exp(-E)"
	case k.Clip > 0:
		return "langevin clips the gradient: draws do not follow exp(-E) where it is long"
	}
	return ""
}

// Step moves every chain, using n·d normal numbers from rng.
func (k Langevin) Step(s *State, t Target, rng *rand.Rand) (Info, error) {
	w := s.scratch()
	normals(w.noise.RawMatrix().Data, rng)
	return k.Move(s, t, w.noise)
}

// Move is Step with the given noise ξ (n×d).
func (k Langevin) Move(s *State, t Target, noise *mat.Dense) (Info, error) {
	w := s.scratch()
	rows, err := s.refresh(t)
	if err != nil {
		return Info{}, err
	}
	usual := ChainInfo{AcceptProb: 1, LogRatio: math.NaN(), Hamiltonian: math.NaN(), StepSize: k.StepSize, Accepted: true}
	for i := range s.Energy {
		w.info[i] = usual // made afresh, it would be copied in larger pieces than it was written in: 3 ns a chain
		if s.fell != nil && s.fell[i] || math.IsInf(s.Energy[i], 1) {
			w.info[i].AcceptProb, w.info[i].Accepted, w.info[i].Divergent = 0, false, true
		}
	}
	s.leave()
	k.drift(s, s.X.RawMatrix().Data, noise.RawMatrix().Data)
	return w.summary(rows, nil), nil
}

// drift moves the positions x, which are those of s or a copy, in place.
func (k Langevin) drift(s *State, x, noise []float64) {
	grad := s.Grad.RawMatrix().Data
	h := k.StepSize
	sd := math.Sqrt(2 * h)
	if s.scale == nil && !k.Normalize && k.Clip == 0 {
		for j, g := range grad {
			x[j] += sd*noise[j] - h*g
		}
		return
	}
	d := len(x) / len(s.Energy)
	for i := range s.Energy {
		c := s.StepScale(i)
		g := row(grad, d, i)
		f := h * c * c // factor of the gradient
		switch {
		case k.Normalize:
			f /= norm(g) + 1e-6
		case k.Clip > 0:
			if l := norm(g); l > k.Clip {
				f *= k.Clip / l
			}
		}
		xi, z := row(x, d, i), row(noise, d, i)
		for j, g := range g {
			xi[j] += c*sd*z[j] - f*g
		}
	}
}

func norm(v []float64) float64 {
	var sum float64
	for _, a := range v {
		sum += a * a
	}
	return math.Sqrt(sum)
}
