package energy

import (
	"fmt"
	"math"
	"sort"
	"strings"

	G "gorgonia.org/gorgonia"

	"github.com/stheno-ebm/stheno/graphs"
)

// Activation is the name of an element-wise function. The zero value means "silu".
type Activation string

// The activations. GELU is the exact one, x Φ(x).
const (
	SiLU     Activation = "silu"
	Tanh     Activation = "tanh"
	Softplus Activation = "softplus"
	GELU     Activation = "gelu"
	Sigmoid  Activation = "sigmoid"
	Sin      Activation = "sin"
	ReLU     Activation = "relu"
)

type activation struct {
	build  func(*G.Node) *G.Node
	gain   float64 // of the weights before it
	glorot bool
	kinked bool // has no continuous second derivative
	bound  bool // its values are bounded
}

var activations = map[Activation]activation{
	SiLU:     {build: graphs.SiLU, gain: math.Sqrt2},
	Tanh:     {build: graphs.Tanh, gain: 1, glorot: true, bound: true},
	Softplus: {build: graphs.Softplus, gain: math.Sqrt2},
	GELU:     {build: graphs.GELU, gain: math.Sqrt2},
	Sigmoid:  {build: graphs.Sigmoid, gain: 1, glorot: true, bound: true},
	Sin:      {build: graphs.Sin, gain: 1, bound: true},
	ReLU:     {build: graphs.ReLU, gain: math.Sqrt2, kinked: true},
}

// Activations returns the names, sorted.
func Activations() []string {
	var names []string
	for a := range activations {
		names = append(names, string(a))
	}
	sort.Strings(names)
	return names
}

// parseActivation returns the named activation.
func parseActivation(name string) (Activation, error) {
	a := Activation(name)
	if _, ok := activations[a]; !ok {
		return "", fmt.Errorf("energy: activation %q, want one of %s", name, strings.Join(Activations(), ", "))
	}
	return a, nil
}

// Bounded reports whether the values of the activation are bounded, and hence the energy: exp(-E) then has no finite
// integral over all space, and there is no density. See [Confine].
func (a Activation) Bounded() bool { return activations[a].bound }

// smooth returns what a network with this activation reports as its [Smoothness].
func (a Activation) smooth() error {
	if activations[a].kinked {
		return fmt.Errorf("the activation %s has no second derivative", a)
	}
	return nil
}
