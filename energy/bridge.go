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
	Background *Mixture // b, required: broader than the data, such as one Gaussian of 1.25 times their spread
	Share      float64  // ε, the share of b in the mixed density, in (0, 1); 0 means 0.2
	Blur       float64  // σ of a perturbation that the objective adds to its points (dsm); 0 means none
	Floor      float64  // τ, where the remainder of the subtraction is rounded off, in units of ε, in (0, 1); 0 means 0.04
}

// Bridge is an energy that is learnt beside a known density and had without it.
//
// Score matching is blind to the weights of modes that do not touch: between them there are no data, and a constant added
// to E around one mode changes no score where data are. A bridge mixes a share ε of draws of a broad, known, normalised
// density b into the data. The density of the mixed points is connected,
//
//	q(x) = (1-ε) p(x) + ε b(x),
//
// so that its score determines it, weights included. What is fitted to them is [Bridge.Mixed],
//
//	E_q(x) = -log b(x) + f_θ(x),
//
// by any objective that matches scores, unchanged; and p is had by taking b out in closed form. That is the energy which
// Build builds:
//
//	E(x) = -log b(x) - log( (u + √(u² + (τε)²)) / (1-ε) ),   u = ½(exp(-f_θ(x))/Z - ε),   Z = ∫ b exp(-f_θ).
//
// The root is 2u = (1-ε) p/b where p is not small against the background; where it is, it rounds the subtraction off, so that
// E is smooth and finite everywhere. f = log b/q is at most -log ε + log Z: that is what makes it easy to learn.
// Z is an expectation under b. It is the last parameter, bridge.log_z [1]; no objective moves it, and [Bridge.Calibrate] sets it.
//
// The parameters are those of f and bridge.log_z.
type Bridge struct {
	cfg   BridgeConfig
	inner Energy
	seen  *Mixture // b, blurred as the objective's points are
}

var (
	_ Energy      = (*Bridge)(nil)
	_ Initializer = (*Bridge)(nil)
	_ Smoothness  = (*Bridge)(nil)
)

// NewBridge makes f the correction of the background.
func NewBridge(f Energy, cfg BridgeConfig) (*Bridge, error) {
	if cfg.Share == 0 {
		cfg.Share = 0.2
	}
	if cfg.Floor == 0 {
		cfg.Floor = 0.04
	}
	if cfg.Background == nil {
		return nil, errors.New("energy: Bridge.Background is nil; one Gaussian broader than the data is enough")
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
	if !(cfg.Floor > 0 && cfg.Floor < 1) {
		err = errors.Join(err, fmt.Errorf("energy: Bridge.Floor = %g, want between 0 and 1", cfg.Floor))
	}
	if err != nil {
		return nil, err
	}
	r := &Bridge{cfg: cfg, inner: f, seen: cfg.Background}
	if cfg.Blur > 0 {
		r.seen = r.seen.Blurred(cfg.Blur)
	}
	return r, nil
}

// Config returns the settings, with their defaults.
func (r *Bridge) Config() BridgeConfig { return r.cfg }

// Dim returns that of f.
func (r *Bridge) Dim() int { return r.inner.Dim() }

// Specs returns those of f, and bridge.log_z.
func (r *Bridge) Specs() []Spec { return append(r.inner.Specs(), Spec{"bridge.log_z", []int{1}}) }

// Smooth asks f.
func (r *Bridge) Smooth() error { return Smooth(r.inner) }

// Init initialises f.
func (r *Bridge) Init(p *Params, rng *rand.Rand) {
	clear(p.Data())
	initialise(r.inner, p.Sub(0, len(p.specs)-1), rng)
}

// Build builds E.
func (r *Bridge) Build(x *G.Node, theta G.Nodes) (*G.Node, error) {
	if err := checkBuild("Bridge", r, x, theta); err != nil {
		return nil, err
	}
	n, eps := x.Shape()[0], r.cfg.Share
	return graphs.Try(func() *G.Node {
		logb, f := r.parts(x, theta)
		logz := graphs.ExpandRows(theta[len(theta)-1], n) // (n, 1)
		s := graphs.Neg(graphs.Add(f, logz))              // log q/b

		// u and τε are taken in units of 1 + q/b = exp(softplus s), in which nothing overflows, however far x is from the data.
		one := graphs.Sigmoid(graphs.Neg(s))                                                                 // 1 in these units
		u := graphs.Scale(graphs.Sub(graphs.Sigmoid(s), graphs.Scale(one, eps)), 0.5)                        // half of the distance of q/b from ε
		root := graphs.Sqrt(graphs.Add(graphs.Square(u), graphs.Square(graphs.Scale(one, r.cfg.Floor*eps)))) // rounded off at τε
		rest := graphs.Add(graphs.Softplus(s), graphs.Log(graphs.Add(u, root)))
		return graphs.Neg(graphs.Add(logb, graphs.Shift(rest, -math.Log1p(-eps)))) // log b + log p/b
	})
}

// parts builds log b as the objective sees it, and f.
func (r *Bridge) parts(x *G.Node, theta G.Nodes) (logb, f *G.Node) {
	return graphs.Must(r.seen.Build(x)), graphs.Must(r.inner.Build(x, theta[:len(theta)-1]))
}

// Mixed returns E_q, an energy with the parameters of the bridge that does not depend on bridge.log_z. It is to be
// trained on a stream that [Bridge.Mix] made.
func (r *Bridge) Mixed() Energy { return (*mixed)(r) }

// Mix replaces each row of x by a draw of the background with probability ε.
func (r *Bridge) Mix(x *mat.Dense, rng *rand.Rand) {
	n, _ := x.Dims()
	for i := range n {
		if rng.Float64() < r.cfg.Share {
			r.cfg.Background.SampleRow(x.RawRowView(i), rng)
		}
	}
}

// Calibrate sets bridge.log_z for the present θ: the mean of exp(-f) over n draws of the background. Its relative error
// is about √(E_q[q/b]/n), a few per mille for a hundred thousand.
func (r *Bridge) Calibrate(p *Params, n int, rng *rand.Rand) error {
	specs := p.Specs()
	f, err := NewEvaluator(r.inner, p.Sub(0, len(specs)-1), EvaluatorConfig{Batch: 1024})
	if err != nil {
		return err
	}
	x, e := mat.NewDense(n, r.Dim(), nil), make([]float64, n)
	r.seen.Sample(x, rng)
	if err := f.Energies(e, x); err != nil {
		return err
	}
	low := math.Inf(1)
	for _, v := range e {
		low = min(low, v)
	}
	var sum float64
	for _, v := range e {
		sum += math.Exp(low - v)
	}
	p.View("bridge.log_z")[0] = math.Log(sum/float64(n)) - low
	p.Changed()
	return nil
}

// mixed is E_q.
type mixed Bridge

func (m *mixed) Dim() int      { return m.inner.Dim() }
func (m *mixed) Specs() []Spec { return (*Bridge)(m).Specs() }
func (m *mixed) Smooth() error { return Smooth(m.inner) }

func (m *mixed) Init(p *Params, rng *rand.Rand) { (*Bridge)(m).Init(p, rng) }

func (m *mixed) Build(x *G.Node, theta G.Nodes) (*G.Node, error) {
	if err := checkBuild("Bridge", m, x, theta); err != nil {
		return nil, err
	}
	return graphs.Try(func() *G.Node {
		logb, f := (*Bridge)(m).parts(x, theta)
		return graphs.Sub(f, logb)
	})
}
