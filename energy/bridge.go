package energy

import (
	"fmt"
	"math"
	"math/rand/v2"

	G "gorgonia.org/gorgonia"

	"github.com/stheno-ebm/stheno/graphs"
)

// Bridge is the energy of a density mixed with a known one,
//
//	E_q(x) = -log( (1-ε) exp(-E(x)) + ε b(x) ).
//
// Score matching cannot see the weights of modes that do not touch: between them there are no data, and a constant added to
// E around one mode changes no score. Mixing a share ε of draws of a broad known density b into the data connects the
// modes; fitting E_q to the mixed data by any score-matching objective makes the weights visible, and E is the energy of
// the data alone. The parameters are those of E; sampling and evaluation use E.
//
// What a score can say of the constant of E: it determines exp(-E_q) up to a factor c, so any exp(-E) = (c q - ε b)/(1-ε)
// with c ≥ 1 fits as well. Those are the density sought (c = 1) and mixtures of it with less than ε/(1-ε) of b, so
// that the worst of them is -log(1-ε) nats away. [Bridge.Posterior] gives the condition that fixes c.
type Bridge struct {
	inner Energy
	b     *Mixture
	share float64
}

var (
	_ Energy      = (*Bridge)(nil)
	_ Initializer = (*Bridge)(nil)
	_ Smoothness  = (*Bridge)(nil)
)

// NewBridge mixes e with b; 0 < share < 1 is ε.
func NewBridge(e Energy, b *Mixture, share float64) (*Bridge, error) {
	if !(share > 0 && share < 1) {
		return nil, fmt.Errorf("energy: bridge: share %g, want between 0 and 1", share)
	}
	if b.Dim() != e.Dim() {
		return nil, fmt.Errorf("energy: bridge: background of dimension %d, energy of %d", b.Dim(), e.Dim())
	}
	return &Bridge{e, b, share}, nil
}

// Inner returns E.
func (r *Bridge) Inner() Energy { return r.inner }

// Background returns b.
func (r *Bridge) Background() *Mixture { return r.b }

// Share returns ε.
func (r *Bridge) Share() float64 { return r.share }

// Dim returns that of E.
func (r *Bridge) Dim() int { return r.inner.Dim() }

// Specs returns those of E.
func (r *Bridge) Specs() []Spec { return r.inner.Specs() }

// Smooth asks E.
func (r *Bridge) Smooth() error { return Smooth(r.inner) }

// Init initialises E.
func (r *Bridge) Init(p *Params, rng *rand.Rand) { initialise(r.inner, p, rng) }

// Build builds E_q.
func (r *Bridge) Build(x *G.Node, theta G.Nodes) (*G.Node, error) {
	return graphs.Try(func() *G.Node {
		u, v := r.logs(x, theta)
		// log(eᵘ + eᵛ) = v + softplus(u - v), which overflows nowhere
		return graphs.Neg(graphs.Add(v, graphs.Softplus(graphs.Sub(u, v))))
	})
}

// Posterior builds the probability that x comes from the background, given the model, (n, 1):
//
//	ε b(x) / ((1-ε) exp(-E(x)) + ε b(x)).
//
// Under the mixed density its mean is ε if E is normalised and right, and ε/c in the notation of [Bridge].
func (r *Bridge) Posterior(x *G.Node, theta G.Nodes) (*G.Node, error) {
	return graphs.Try(func() *G.Node {
		u, v := r.logs(x, theta)
		return graphs.Sigmoid(graphs.Sub(v, u))
	})
}

func (r *Bridge) logs(x *G.Node, theta G.Nodes) (u, v *G.Node) {
	u = graphs.Shift(graphs.Neg(graphs.Must(r.inner.Build(x, theta))), math.Log1p(-r.share))
	v = graphs.Shift(graphs.Must(r.b.Build(x)), math.Log(r.share))
	return u, v
}
