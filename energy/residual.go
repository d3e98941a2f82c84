package energy

import (
	"cmp"
	"errors"
	"fmt"
	"math"
	"math/rand/v2"

	G "gorgonia.org/gorgonia"

	"github.com/stheno-ebm/stheno/graphs"
)

// ResidualConfig describes a residual network.
type ResidualConfig struct {
	Dim        int        // d > 0; required
	Width      int        // > 0; 0 means 128
	Blocks     int        // > 0; 0 means 2
	Activation Activation // "" means silu
	FirstGain  float64    // factor on the weights of the first layer; 0 means 1
}

// Residual is the energy
//
//	z₀ = A x + a,   z_i = z_{i-1} + V_i φ(W_i φ(z_{i-1}) + b_i) + c_i,   E(x) = w φ(z_B) + c,
//
// a network with identity shortcuts before the activations (He et al., Identity mappings in deep residual networks,
// arXiv 1603.05027). It starts with V_i scaled by 1/√B, so that depth does not inflate the energy. Parameters: input.*,
// blocks.i.0.*, blocks.i.1.*, output.*.
type Residual struct{ cfg ResidualConfig }

var (
	_ Energy      = (*Residual)(nil)
	_ Initializer = (*Residual)(nil)
	_ Smoothness  = (*Residual)(nil)
)

// NewResidual returns the network, or an error that names every bad field.
func NewResidual(cfg ResidualConfig) (*Residual, error) {
	cfg.Width = cmp.Or(cfg.Width, 128)
	cfg.Blocks = cmp.Or(cfg.Blocks, 2)
	fits := cfg.Width >= 0 && cfg.Width <= maxWidth
	weights := 2 * float64(cfg.Blocks) * float64(cfg.Width) * float64(cfg.Width)
	if err := errors.Join(checkNet("Residual", cfg.Dim, nil, &cfg.Activation, "", &cfg.FirstGain),
		check(fits, "energy: Residual.Width = %d, want 1 to %d", cfg.Width, maxWidth),
		check(!fits || weights <= maxWeights, "energy: Residual.Width = %d in %d blocks: %.3g weights, want at most %d",
			cfg.Width, cfg.Blocks, weights, maxWeights),
		check(cfg.Blocks >= 0, "energy: Residual.Blocks = %d, want > 0", cfg.Blocks)); err != nil {
		return nil, err
	}
	return &Residual{cfg}, nil
}

// Dim returns d.
func (r *Residual) Dim() int { return r.cfg.Dim }

// Specs returns weight and bias of every linear layer.
func (r *Residual) Specs() []Spec {
	w := r.cfg.Width
	s := linearSpecs("input", r.cfg.Dim, w)
	for i := range r.cfg.Blocks {
		s = append(s, linearSpecs(fmt.Sprintf("blocks.%d.0", i), w, w)...)
		s = append(s, linearSpecs(fmt.Sprintf("blocks.%d.1", i), w, w)...)
	}
	return append(s, linearSpecs("output", w, 1)...)
}

// Smooth reports ReLU.
func (r *Residual) Smooth() error { return r.cfg.Activation.smooth() }

// Init draws the weights; the bias of the last layer is zero.
func (r *Residual) Init(p *Params, rng *rand.Rand) {
	act := activations[r.cfg.Activation]
	w := r.cfg.Width
	last := len(p.views)/2 - 1
	for l := range last + 1 {
		in, out, gain := w, w, act.gain
		switch {
		case l == 0:
			in, gain = r.cfg.Dim, r.cfg.FirstGain
		case l == last:
			out, gain = 1, 1
		case l%2 == 0: // V_i
			gain = 1 / math.Sqrt(float64(r.cfg.Blocks))
		}
		initLinear(p.views[2*l], p.views[2*l+1], in, out, act.glorot, gain, rng)
	}
	clear(p.views[2*last+1])
}

// Build builds the network.
func (r *Residual) Build(x *G.Node, theta G.Nodes) (*G.Node, error) {
	if err := checkBuild("Residual", r, x, theta); err != nil {
		return nil, err
	}
	act := activations[r.cfg.Activation].build
	return graphs.Try(func() *G.Node {
		z := graphs.Affine(x, theta[0], theta[1]) // (n, width)
		for t := theta[2:]; len(t) > 2; t = t[4:] {
			h := act(graphs.Affine(act(z), t[0], t[1]))
			z = graphs.Add(z, graphs.Affine(h, t[2], t[3]))
		}
		last := len(theta) - 2
		return graphs.Affine(act(z), theta[last], theta[last+1]) // (n, 1)
	})
}
