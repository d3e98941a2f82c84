package fit

import (
	"fmt"
	"maps"
	"slices"

	"github.com/stheno-ebm/stheno/energy"
	"github.com/stheno-ebm/stheno/objectives"
)

// Network is a kind of network, as named by a run.
type Network struct {
	About     string  // a short description for lists; "" if the name says it
	FirstGain float64 // default of Config.FirstGain; 0 means 3
	// Sharp networks learn fine detail. With them an objective that needs a bridge gets one; others are used as they
	// are.
	Sharp bool
	// Build builds the network for points of dimension s.Dim.
	Build func(s Shape) (energy.Energy, error)
}

// Shape describes the network to build.
type Shape struct {
	Dim       int     // dimension of its input
	Frequency float64 // suitable spread of angular frequencies, in radians per unit
	// frequencies for the last variable alone, if it is a noise level; 0: it is an ordinary coordinate
	Levels int

	Hidden     []int
	Activation energy.Activation
	FirstGain  float64
	// Bounded wraps the layers according to Config.SpectralNorm. A network calls it on its layers; frequencies are not
	// bounded.
	Bounded func(e energy.Energy, err error) (energy.Energy, error)
}

const defaultNetwork = "fourier"

var networks = map[string]Network{
	defaultNetwork: {About: "an MLP on sines and cosines of x", FirstGain: 1, Sharp: true,
		Build: func(s Shape) (energy.Energy, error) {
			return energy.NewFourier(energy.FourierConfig{Dim: s.Dim, Condition: s.Levels, Scale: s.Frequency}, s.mlp)
		}},
	"mlp": {Build: func(s Shape) (energy.Energy, error) { return s.mlp(s.Dim) }},
	"residual": {Build: func(s Shape) (energy.Energy, error) {
		return s.Bounded(energy.NewResidual(energy.ResidualConfig{
			Dim: s.Dim, Width: s.Hidden[0], Blocks: max(1, len(s.Hidden)-1), Activation: s.Activation,
			FirstGain: s.FirstGain}))
	}},
}

func (s Shape) mlp(dim int) (energy.Energy, error) {
	return s.Bounded(energy.NewMLP(energy.MLPConfig{Dim: dim, Hidden: s.Hidden, Activation: s.Activation,
		FirstGain: s.FirstGain}))
}

// RegisterNetwork adds a kind of network under a name, for Config.Network. Call it in init functions; it panics if the
// name is taken.
func RegisterNetwork(name string, n Network) {
	if _, taken := networks[name]; taken || name == "" || n.Build == nil {
		panic(fmt.Sprintf("fit: RegisterNetwork(%q): the name is taken or empty, or Build is nil", name))
	}
	networks[name] = n
}

// networkNames lists the kinds of network.
func networkNames() []string { return slices.Sorted(maps.Keys(networks)) }

// NetworkList lists the kinds of network with descriptions.
func NetworkList() []string {
	var list []string
	for _, name := range networkNames() {
		if about := networks[name].About; about != "" {
			name += " (" + about + ")"
		}
		list = append(list, name)
	}
	return list
}

// Spreads of the angular frequencies of an embedding, in radians per standard deviation of the data, in two dimensions.
// The more dimensions, the farther apart points are and the fewer data resolve a detail: the spread falls as 1/d. nce
// learnt mixture10 to 0.50 nats with the two-dimensional spread, and to an undetectable error with a fifth of it.
const (
	plainScale  = 4
	bridgeScale = 2   // for the correction of a background, which is smoother than the density itself
	levelScale  = 2.5 // the same for all noise levels at once
	baseScale   = 2   // of the correction of a base
)

// levelFrequencies is the number of frequencies for the noise level alone.
const levelFrequencies = 4

// frequency returns the spread in dim dimensions, in radians per unit, for data with deviation std.
func frequency(scale float64, dim int, std float64) float64 {
	return scale * 2 / float64(max(dim, 2)) / std
}

// network builds the network given by the settings.
func (c *Config) network(dim, levels int, spread float64) (energy.Energy, error) {
	return networks[c.Network].Build(Shape{
		Dim: dim, Frequency: spread, Levels: levels, Hidden: c.Hidden, Activation: energy.Activation(c.Activation),
		FirstGain: c.FirstGain,
		Bounded: func(e energy.Energy, err error) (energy.Energy, error) {
			if err != nil || c.SpectralNorm == 0 {
				return e, err
			}
			return energy.NewSpectral(e, c.SpectralNorm)
		},
	})
}

// build builds the energy: the network with what the objective needs.
func (c *Config) build(traits objectives.Traits, d *data) (energy.Energy, error) {
	std := slices.Max(d.Std)
	switch {
	case c.tilts(&d.geometry):
		return energy.Tilt(d.tiltConfig(), func(dim int) (energy.Energy, error) {
			return c.network(dim, 0, frequency(baseScale, dim, 1)) // its input is whitened
		})
	case c.Base == On && d.Share == 0:
		plain := d.tiltConfig()
		plain.Plain = true
		return energy.Tilt(plain, func(dim int) (energy.Energy, error) {
			return c.network(dim, 0, frequency(plainScale, dim, std))
		})
	case traits.Levels != nil:
		// its input is scaled to unit deviation
		inner, err := c.network(d.Dim+1, levelFrequencies, frequency(levelScale, d.Dim, 1))
		if err != nil {
			return nil, err
		}
		e, err := energy.NewAnnealable(inner, traits.Levels, std)
		if err != nil || c.Bridge == 0 {
			return e, err
		}
		return e.Beside(d.Bridge, c.Bridge)
	case c.Bridge > 0:
		f, err := c.network(d.Dim, 0, frequency(bridgeScale, d.Dim, std))
		if err != nil {
			return nil, err
		}
		return energy.NewBridge(f, energy.BridgeConfig{Background: d.Bridge, Share: c.Bridge, Blur: traits.Blur})
	}
	e, err := c.network(d.Dim, 0, frequency(plainScale, d.Dim, std))
	if err != nil || !c.confined(traits) {
		return e, err
	}
	return energy.Confine(e, d.Mean, confinement*std)
}

// confinement is the width, in standard deviations of the data, of the quadratic that confines bounded energies. At the
// edge of the data it amounts to half a nat, for which the network compensates.
const confinement = 3

// confined reports whether the energy of a network would be bounded, so that exp(-E) has no finite integral, under an
// objective that learns by comparing points: it would learn where data are, but never that there are none far out.
// Score matching learns that from slopes.
func (c *Config) confined(traits objectives.Traits) bool {
	return !traits.Score && traits.Levels == nil && c.Bridge == 0 && energy.Activation(c.Activation).Bounded()
}
