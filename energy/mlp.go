package energy

import (
	"cmp"
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"

	G "gorgonia.org/gorgonia"

	"github.com/stheno-ebm/stheno/graphs"
)

// MLPConfig describes a multilayer perceptron.
type MLPConfig struct {
	Dim        int        // d > 0; required
	Hidden     []int      // widths of the hidden layers, each > 0; empty means an affine energy
	Activation Activation // "" means silu
	Init       string     // "he", "glorot"; "" means the one that suits the activation
	// factor on the weights of the first layer; 0 means 1. Larger values let small networks learn sharp densities
	FirstGain float64
}

// MLP is the energy
//
//	z₀ = x,   z_i = φ(W_i z_{i-1} + b_i),   E(x) = W_L z_{L-1} + b_L.
//
// Its parameters have PyTorch's names for an nn.Sequential(Linear, φ, Linear, φ, …, Linear) called net: net.0.weight
// [out, in], net.0.bias [out], net.2.weight, …
type MLP struct {
	cfg    MLPConfig
	widths []int // d, hidden…, 1
}

var (
	_ Energy      = (*MLP)(nil)
	_ Initializer = (*MLP)(nil)
	_ Smoothness  = (*MLP)(nil)
)

// NewMLP returns the network, or an error that names every bad field.
func NewMLP(cfg MLPConfig) (*MLP, error) {
	if err := checkNet("MLP", cfg.Dim, cfg.Hidden, &cfg.Activation, cfg.Init, &cfg.FirstGain); err != nil {
		return nil, err
	}
	cfg.Hidden = append([]int(nil), cfg.Hidden...)
	widths := append(append([]int{cfg.Dim}, cfg.Hidden...), 1)
	return &MLP{cfg: cfg, widths: widths}, nil
}

// What is beyond any memory is an error of the settings.
const (
	maxWidth   = 1 << 20 // of a layer
	maxWeights = 1 << 30
)

// checkNet validates what networks have in common and fills in defaults.
func checkNet(name string, dim int, hidden []int, act *Activation, init string, gain *float64) error {
	err := check(dim > 0 && dim <= maxWeights, "energy: %s.Dim = %d, want 1 to %d", name, dim, maxWeights)
	weights, from := 0.0, float64(dim)
	for i, h := range hidden {
		weights, from = weights+from*float64(h), float64(h)
		err = errors.Join(err,
			check(h > 0 && h <= maxWidth, "energy: %s.Hidden[%d] = %d, want 1 to %d", name, i, h, maxWidth))
	}
	if err == nil {
		err = check(weights <= maxWeights, "energy: %s.Hidden = %v: %.3g weights, want at most %d", name, hidden, weights,
			maxWeights)
	}
	*act, *gain = cmp.Or(*act, SiLU), cmp.Or(*gain, 1)
	_, unknown := parseActivation(string(*act))
	return errors.Join(err, unknown,
		check(slices.Contains([]string{"", "he", "glorot"}, init), "energy: %s.Init = %q, want he or glorot", name, init),
		check(positive(*gain), "energy: %s.FirstGain = %g, want > 0", name, *gain))
}

// Dim returns d.
func (m *MLP) Dim() int { return m.cfg.Dim }

// Specs returns weight and bias of every layer.
func (m *MLP) Specs() []Spec {
	var s []Spec
	for l := range len(m.widths) - 1 {
		s = append(s, linearSpecs(fmt.Sprintf("net.%d", 2*l), m.widths[l], m.widths[l+1])...)
	}
	return s
}

func linearSpecs(name string, in, out int) []Spec {
	return []Spec{{name + ".weight", []int{out, in}}, {name + ".bias", []int{out}}}
}

// Smooth reports ReLU.
func (m *MLP) Smooth() error { return m.cfg.Activation.smooth() }

// Init draws the weights; the bias of the last layer is zero.
func (m *MLP) Init(p *Params, rng *rand.Rand) {
	act := activations[m.cfg.Activation]
	glorot := useGlorot(m.cfg.Init, act)
	last := len(m.widths) - 2
	for l := range m.widths[:last+1] {
		gain := act.gain
		if l == last {
			gain = 1
		}
		if l == 0 {
			gain *= m.cfg.FirstGain
		}
		initLinear(p.views[2*l], p.views[2*l+1], m.widths[l], m.widths[l+1], glorot, gain, rng)
	}
	clear(p.views[2*last+1])
}

func useGlorot(init string, act activation) bool {
	return init == "glorot" || init == "" && act.glorot
}

// Build builds the network.
func (m *MLP) Build(x *G.Node, theta G.Nodes) (*G.Node, error) {
	if err := checkBuild("MLP", m, x, theta); err != nil {
		return nil, err
	}
	act := activations[m.cfg.Activation].build
	return graphs.Try(func() *G.Node {
		z := x // (n, d)
		last := len(theta)/2 - 1
		for l := range last {
			z = act(graphs.Affine(z, theta[2*l], theta[2*l+1])) // (n, width)
		}
		return graphs.Affine(z, theta[2*last], theta[2*last+1]) // (n, 1)
	})
}
