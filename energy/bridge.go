package energy

import (
	"cmp"
	"errors"
	"math"
	"math/rand/v2"

	"gonum.org/v1/gonum/mat"
	G "gorgonia.org/gorgonia"

	"github.com/stheno-ebm/stheno/graphs"
)

// BridgeConfig describes a Bridge.
type BridgeConfig struct {
	// b, required: broader than the data, such as AdaptiveLadder's, or one Gaussian of 1.25 times their spread
	Background *Mixture
	Share      float64 // ε, the share of b in the mixed density, in (0, 1); 0 means 0.2
	Blur       float64 // σ of a perturbation that the objective adds to its points (dsm); 0 means none
}

// Bridge is an energy that is learnt together with a known density.
//
// Score matching is blind to the weights of well-separated modes: between them there are no data, and a constant added
// to E around one mode does not change the score where there are data. A bridge adds to the data a share ε of draws
// from a broad, known, normalised density b. The density of the mixture is connected,
//
//	q(x) = (1-ε) p(x) + ε b(x),
//
// so its score determines it, including the weights. Any objective that matches scores then fits [Bridge.Mixed], the
// energy of q if exp(-E) is p,
//
//	E_q(x) = -log( (1-ε) exp(-E(x)) + ε b(x) ).
//
// Its score is the mean of those of p and of b, weighted by the probabilities that a point at x is from one or the
// other. These depend on E itself, not only on its gradient: matching them gives every mode its height above the known
// background. A factor on q as a whole is not determined by the score; objectives keep the integral of q at 1, which
// makes that of exp(-E) 1, too. In terms of the odds r of p against b,
//
//	E(x) = -log b(x) - log( r ε/(1-ε) ),   E_q(x) = -log b(x) - log( ε (1+r) ),
//	log r = log((1-ε)/ε) - f_θ(x) - log( (1+exp(f_θ(x)-c)) / (1+exp(-c)) ),   c = 2.
//
// f = 0 means p = b, where learning begins. As f rises, p/b falls as exp(-f), and beyond c, where it is below 0.08, as
// exp(-2f): where there are no data the odds have to be small beyond all proportion, while a network is smooth. For sm
// on 8gaussians, with odds that fall as exp(-f) everywhere, the tails of modes were too wide: 3 of 10 000 samples were
// outside the region that holds 99.99 % of the data, and the score slope was 0.987. With exp(-3f) beyond c every error
// of f counts three times: the relative Fisher divergence was 0.0106. With the odds above there are 0.8 such samples,
// the slope is 0.999 and the divergence 0.0006.
//
// No score shows odds that are small, since E_q hardly depends on them. Objectives learn them by telling data from
// draws of b, see the package objectives.
//
// The parameters are those of f.
type Bridge struct {
	wrapped // f
	cfg     BridgeConfig
	seen    *Mixture // b, blurred like the objective's points
}

var (
	_ Energy      = (*Bridge)(nil)
	_ Initializer = (*Bridge)(nil)
	_ Smoothness  = (*Bridge)(nil)
)

// NewBridge returns a bridge with f as the correction of the background.
func NewBridge(f Energy, cfg BridgeConfig) (*Bridge, error) {
	if f == nil {
		return nil, errors.New("energy: Bridge without an energy")
	}
	cfg.Share = cmp.Or(cfg.Share, 0.2)
	if cfg.Background == nil {
		return nil, errors.New(
			"energy: Bridge.Background is nil; AdaptiveLadder makes one, one Gaussian broader than the data will do")
	}
	if err := errors.Join(
		check(cfg.Background.Dim() == f.Dim(), "energy: bridge: background of dimension %d, energy of %d",
			cfg.Background.Dim(), f.Dim()),
		check(cfg.Share > 0 && cfg.Share < 1, "energy: Bridge.Share = %g, want between 0 and 1", cfg.Share),
		check(cfg.Blur >= 0 && !math.IsInf(cfg.Blur, 1), "energy: Bridge.Blur = %g, want >= 0", cfg.Blur)); err != nil {
		return nil, err
	}
	r := &Bridge{wrapped{f}, cfg, cfg.Background}
	if cfg.Blur > 0 {
		r.seen = r.seen.Blurred(cfg.Blur)
	}
	return r, nil
}

// Config returns the settings, with their defaults.
func (r *Bridge) Config() BridgeConfig { return r.cfg }

// Build builds E.
func (r *Bridge) Build(x *G.Node, theta G.Nodes) (*G.Node, error) {
	if err := checkBuild("Bridge", r, x, theta); err != nil {
		return nil, err
	}
	return graphs.Try(func() *G.Node {
		return graphs.Neg(graphs.Add(graphs.Must(r.seen.Build(x)),
			graphs.Shift(graphs.Must(r.Odds(x, theta)), -evens(r.cfg.Share))))
	})
}

// Mixed returns E_q, an energy with the parameters of the bridge.
func (r *Bridge) Mixed() Energy { return (*mixed)(r) }

// Excess builds log b/q at the rows of x, (n, 1): E_q minus the energy of b.
func (r *Bridge) Excess(x *G.Node, theta G.Nodes) (*G.Node, error) {
	return graphs.Try(func() *G.Node {
		return mixedExcess(graphs.Must(r.Odds(x, theta)), r.cfg.Share)
	})
}

// Odds builds log r at the rows of x, (n, 1).
func (r *Bridge) Odds(x *G.Node, theta G.Nodes) (*G.Node, error) {
	return graphs.Try(func() *G.Node { return odds(graphs.Must(r.inner.Build(x, theta)), r.cfg.Share) })
}

// bend is c.
const bend = 2

// evens returns log (1-ε)/ε, the log-odds where p = b.
func evens(share float64) float64 { return math.Log1p(-share) - math.Log(share) }

// odds builds log r from f, both (n, 1), for the share ε of the background.
func odds(f *G.Node, share float64) *G.Node {
	steeper := graphs.Softplus(graphs.Shift(f, -bend))
	return graphs.Shift(graphs.Neg(graphs.Add(f, steeper)), evens(share)+math.Log1p(math.Exp(-bend)))
}

// mixedExcess builds log b/q = -log ε(1+r) from log r.
func mixedExcess(logr *G.Node, share float64) *G.Node {
	return graphs.Neg(graphs.Shift(graphs.Softplus(logr), math.Log(share)))
}

// SampleBackground fills x with draws from b as the objective sees it, blurred like its points.
func (r *Bridge) SampleBackground(x *mat.Dense, rng *rand.Rand) { r.seen.Sample(x, rng) }

// mixed is E_q.
type mixed Bridge

func (m *mixed) Build(x *G.Node, theta G.Nodes) (*G.Node, error) {
	if err := checkBuild("Bridge", m, x, theta); err != nil {
		return nil, err
	}
	return graphs.Try(func() *G.Node {
		return graphs.Sub(graphs.Must((*Bridge)(m).Excess(x, theta)), graphs.Must(m.seen.Build(x)))
	})
}
