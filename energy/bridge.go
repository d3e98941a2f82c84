package energy

import (
	"errors"
	"fmt"
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
//	r = ½(v + √(v² + 4τ²)),   v = exp(-f_θ(x)) (κ + (1-ε)/ε) - κ,   κ = 0.25, τ = 0.05.
//
// f = 0 means p ≈ b, where learning begins. Where v > 0 the odds fall as exp(-f); where there are no data f needs to
// rise only until exp(-f) is below κ/(κ + (1-ε)/ε), so that v is negative and r negligible, at most τ. With κ = 0, r =
// exp(-f), the gradient vanishes before the odds do, and mass remains between the modes; with a large κ it vanishes so
// early that modes are lost before they are found. On 4squares, with one Gaussian as background and 2500 steps of sm on
// 256 points, KL(data‖model) was 0.035 nats with κ = 0, 0.005 with 0.3 and 2.0, one mode lost, with 0.5.
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
	if cfg.Share == 0 {
		cfg.Share = 0.2
	}
	if cfg.Background == nil {
		return nil, errors.New(
			"energy: Bridge.Background is nil; AdaptiveLadder makes one, one Gaussian broader than the data will do")
	}
	var err error
	if cfg.Background.Dim() != f.Dim() {
		err = fmt.Errorf("energy: bridge: background of dimension %d, energy of %d", cfg.Background.Dim(), f.Dim())
	}
	if !(cfg.Share > 0 && cfg.Share < 1) {
		err = errors.Join(err, fmt.Errorf("energy: Bridge.Share = %g, want between 0 and 1", cfg.Share))
	}
	if !(cfg.Blur >= 0) || math.IsInf(cfg.Blur, 1) {
		err = errors.Join(err, fmt.Errorf("energy: Bridge.Blur = %g, want >= 0", cfg.Blur))
	}
	if err != nil {
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
		logr, _ := odds(graphs.Must(r.inner.Build(x, theta)), r.cfg.Share)
		return graphs.Neg(graphs.Add(graphs.Must(r.seen.Build(x)),
			graphs.Shift(logr, math.Log(r.cfg.Share)-math.Log1p(-r.cfg.Share))))
	})
}

// Mixed returns E_q, an energy with the parameters of the bridge.
func (r *Bridge) Mixed() Energy { return (*mixed)(r) }

// Excess builds log b/q at the rows of x, (n, 1): E_q minus the energy of b.
func (r *Bridge) Excess(x *G.Node, theta G.Nodes) (*G.Node, error) {
	return graphs.Try(func() *G.Node {
		_, logq := odds(graphs.Must(r.inner.Build(x, theta)), r.cfg.Share)
		return graphs.Neg(graphs.Shift(logq, math.Log(r.cfg.Share)))
	})
}

// Correction builds f at the rows of x, (n, 1).
func (r *Bridge) Correction(x *G.Node, theta G.Nodes) (*G.Node, error) {
	return r.inner.Build(x, theta)
}

const (
	knee   = 0.25 // κ
	rounds = 0.05 // τ
)

// odds builds log r and log(1+r) from f, all (n, 1), for the share ε of the background.
func odds(f *G.Node, share float64) (logr, log1 *G.Node) {
	f = graphs.Shift(f, -math.Log(knee+(1-share)/share))
	// In units of 1 + exp(-f) = exp softplus(-f) nothing overflows for any f.
	one, unit := graphs.Sigmoid(f), graphs.Softplus(graphs.Neg(f))
	v := graphs.Sub(graphs.Sigmoid(graphs.Neg(f)), graphs.Scale(one, knee))
	root := graphs.Sqrt(graphs.Add(graphs.Square(v), graphs.Square(graphs.Scale(one, 2*rounds))))
	r := graphs.Scale(graphs.Add(v, root), 0.5)
	return graphs.Add(unit, graphs.Log(r)), graphs.Add(unit, graphs.Log(graphs.Add(one, r)))
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
