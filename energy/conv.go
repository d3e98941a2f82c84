package energy

import (
	"cmp"
	"errors"
	"fmt"
	"math/rand/v2"

	G "gorgonia.org/gorgonia"

	"github.com/stheno-ebm/stheno/graphs"
)

// ConvConfig describes a convolutional energy of pictures.
type ConvConfig struct {
	Height, Width int        // of the pictures, each > 0; required
	Channels      int        // of a pixel; 0 means 1
	Widths        []int      // channels of the convolutions, each > 0; required
	Kernel        int        // size of their windows, odd; 0 means 3; padded by half of it
	Stride        int        // steps of the windows; 0 means 2, with Pool 1
	Pool          int        // side of the max-pooling windows after each convolution; 0 means none
	Hidden        []int      // widths of the linear layers between the convolutions and E, each > 0; default none
	Activation    Activation // "" means silu
	Init          string     // "he", "glorot"; "" means the one that suits the activation
}

// Conv is the energy
//
//	z₀ = x,   z_i = pool φ(W_i ⋆ z_{i-1} + b_i),   E(x) = MLP(z_L)
//
// of pictures: the columns of x are (y, x, channel), with the channel varying fastest. Its parameters have PyTorch's
// names and shapes for an nn.Sequential(Conv2d, φ, MaxPool2d, …, Flatten, Linear, φ, …, Linear) called net:
// net.0.weight [out,in,k,k], net.0.bias [out], … . The first linear layer therefore takes (channel, y, x), as left by
// Flatten.
type Conv struct {
	cfg     ConvConfig
	convs   []graphs.Window
	pools   []graphs.Window // none without Pool
	h, w, c int             // the input of the linear layers
	widths  []int           // of the linear layers, from h·w·c to 1
}

var (
	_ Energy      = (*Conv)(nil)
	_ Initializer = (*Conv)(nil)
	_ Smoothness  = (*Conv)(nil)
)

// NewConv returns the network, or an error that names every bad field.
func NewConv(cfg ConvConfig) (*Conv, error) {
	cfg.Channels = cmp.Or(cfg.Channels, 1)
	cfg.Kernel = cmp.Or(cfg.Kernel, 3)
	cfg.Stride = cmp.Or(cfg.Stride, map[bool]int{false: 2, true: 1}[cfg.Pool > 0])
	gain := 1.0
	if err := cfg.check(&gain); err != nil {
		return nil, err
	}
	cfg.Widths, cfg.Hidden = append([]int(nil), cfg.Widths...), append([]int(nil), cfg.Hidden...)
	m := &Conv{cfg: cfg, h: cfg.Height, w: cfg.Width, c: cfg.Channels}
	for i, width := range cfg.Widths {
		w := graphs.Window{H: m.h, W: m.w, C: m.c, KH: cfg.Kernel, KW: cfg.Kernel, OC: width,
			Stride: [2]int{cfg.Stride, cfg.Stride},
			Pad:    [2]int{cfg.Kernel / 2, cfg.Kernel / 2}}
		m.h, m.w, m.c = w.OutShape()
		m.convs = append(m.convs, w)
		if cfg.Pool == 0 {
			continue
		}
		if min(m.h, m.w) < cfg.Pool {
			return nil, fmt.Errorf(
				"energy: Conv.Pool = %d: convolution %d leaves pictures of %d×%d only; take fewer Widths", cfg.Pool, i,
				m.h, m.w)
		}
		p := graphs.Window{H: m.h, W: m.w, C: m.c, KH: cfg.Pool, KW: cfg.Pool, Stride: [2]int{cfg.Pool, cfg.Pool}}
		m.h, m.w, _ = p.OutShape()
		m.pools = append(m.pools, p)
	}
	m.widths = append(append([]int{m.h * m.w * m.c}, cfg.Hidden...), 1)
	return m, nil
}

// check names every bad field.
func (cfg *ConvConfig) check(gain *float64) error {
	var errs []error
	want := func(name string, v, least int) {
		errs = append(errs, check(v >= least, "energy: Conv.%s = %d, want >= %d", name, v, least))
	}
	want("Height", cfg.Height, 1)
	want("Width", cfg.Width, 1)
	want("Channels", cfg.Channels, 1)
	want("Stride", cfg.Stride, 1)
	want("Pool", cfg.Pool, 0)
	for i, w := range cfg.Widths {
		want(fmt.Sprintf("Widths[%d]", i), w, 1)
	}
	return errors.Join(errors.Join(errs...),
		check(len(cfg.Widths) > 0, "energy: Conv.Widths is empty; without convolutions take an MLP"),
		check(cfg.Kernel >= 1 && cfg.Kernel%2 == 1, "energy: Conv.Kernel = %d, want an odd number > 0", cfg.Kernel),
		checkNet("Conv", 1, cfg.Hidden, &cfg.Activation, cfg.Init, gain))
}

// Dim returns height × width × channels.
func (m *Conv) Dim() int { return m.cfg.Height * m.cfg.Width * m.cfg.Channels }

// Specs returns weight and bias of every layer.
func (m *Conv) Specs() []Spec {
	var s []Spec
	at := 0 // in the nn.Sequential
	for _, w := range m.convs {
		name := fmt.Sprintf("net.%d", at)
		s = append(s, Spec{name + ".weight", []int{w.OC, w.C, w.KH, w.KW}}, Spec{name + ".bias", []int{w.OC}})
		at += 2
		if m.cfg.Pool > 0 {
			at++
		}
	}
	at++ // Flatten
	for l := range len(m.widths) - 1 {
		s = append(s, linearSpecs(fmt.Sprintf("net.%d", at), m.widths[l], m.widths[l+1])...)
		at += 2
	}
	return s
}

// Smooth reports ReLU and max-pooling.
func (m *Conv) Smooth() error {
	if m.cfg.Pool > 1 {
		return errors.New(
			"the maximum of a pool has no second derivative where two elements are equal, and none that tells them apart; " +
				"take Stride instead of Pool")
	}
	return m.cfg.Activation.smooth()
}

// Init draws the weights; the bias of the last layer is zero.
func (m *Conv) Init(p *Params, rng *rand.Rand) {
	act := activations[m.cfg.Activation]
	glorot := useGlorot(m.cfg.Init, act)
	v := p.views
	for _, w := range m.convs {
		initLinear(v[0], v[1], w.C*w.KH*w.KW, w.OC, glorot, act.gain, rng)
		v = v[2:]
	}
	for l := range len(m.widths) - 1 {
		gain := act.gain
		if l == len(m.widths)-2 {
			gain = 1
		}
		initLinear(v[2*l], v[2*l+1], m.widths[l], m.widths[l+1], glorot, gain, rng)
	}
	clear(v[len(v)-1])
}

// Build builds the network.
func (m *Conv) Build(x *G.Node, theta G.Nodes) (*G.Node, error) {
	if err := checkBuild("Conv", m, x, theta); err != nil {
		return nil, err
	}
	act := activations[m.cfg.Activation].build
	return graphs.Try(func() *G.Node {
		z := x // (n, h·w·c)
		for l, w := range m.convs {
			// (n, oh·ow·oc)
			z = act(graphs.AddChannels(graphs.Convolve(z, graphs.FilterRows(theta[2*l]), w), theta[2*l+1]))
			if m.cfg.Pool > 0 {
				z = graphs.MaxPool(z, m.pools[l])
			}
		}
		theta = theta[2*len(m.convs):]
		last := len(theta)/2 - 1
		for l := range last + 1 {
			w := theta[2*l]
			if l == 0 { // (out, c·h·w) → (out, h·w·c)
				out := m.widths[1]
				w = graphs.Reshape(graphs.Permute(graphs.Reshape(w, out, m.c, m.h*m.w), 0, 2, 1), out, m.widths[0])
			}
			z = graphs.Affine(z, w, theta[2*l+1]) // (n, width)
			if l < last {
				z = act(z)
			}
		}
		return z // (n, 1)
	})
}
