package energy

import (
	"errors"
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"strings"
)

// Init returns parameters of e, drawn by e if it is an [Initializer]. Otherwise arrays of two or more dimensions, [out,
// in, …] as in PyTorch, are normal with standard deviation 1/√f, where f = in·… is the number of inputs per output, and
// all others are zero.
func Init(e Energy, rng *rand.Rand) *Params {
	p := NewParams(e.Specs())
	initialise(e, p, rng)
	return p
}

func initialise(e Energy, p *Params, rng *rand.Rand) {
	defer p.Changed()
	if in, ok := e.(Initializer); ok {
		in.Init(p, rng)
		return
	}
	for i, s := range p.Specs() {
		if len(s.Shape) >= 2 {
			fillNormal(p.views[i], 1/math.Sqrt(float64(s.Size()/max(1, s.Shape[0]))), rng)
		}
	}
}

// initLinear draws the weights [out, in] and biases of a linear layer. Weights are normal with the standard deviation
// gain/√in ("he"; gain √2 for rectifiers and their smooth relatives) or gain·√(2/(in+out)) ("glorot"). Biases are
// uniform on ±gain/√in, PyTorch's choice except for the gain: with zero biases the ridges of the first layer would all
// meet at the origin.
func initLinear(w, b []float64, in, out int, glorot bool, gain float64, rng *rand.Rand) {
	sd := gain / math.Sqrt(float64(in))
	bound := sd
	if glorot {
		sd = gain * math.Sqrt(2/float64(in+out))
	}
	fillNormal(w, sd, rng)
	for i := range b {
		b[i] = bound * (2*rng.Float64() - 1)
	}
}

func fillNormal(dst []float64, sd float64, rng *rand.Rand) {
	for i := range dst {
		dst[i] = sd * rng.NormFloat64()
	}
}

// IsWeight reports whether a parameter is a matrix that multiplies activations: weight decay and spectral normalisation
// act on these and not on biases, means and scales.
func IsWeight(s Spec) bool { return len(s.Shape) == 2 && multiplies(s) }

// multiplies reports whether a parameter is named like one that multiplies activations.
func multiplies(s Spec) bool { return strings.HasSuffix(s.Name, "weight") }

// CheckWeights returns an error if a weight is zero throughout: a parameter of two dimensions whose name ends in
// "weight", or one of three and more under any name. Nothing passes through it, so that what comes before it learns
// nothing.
func CheckWeights(p *Params) error {
	if p == nil {
		return errors.New("energy: parameters are nil; see Init")
	}
	for i, s := range p.specs {
		weight := len(s.Shape) > 2 || len(s.Shape) == 2 && multiplies(s)
		if !weight || slices.ContainsFunc(p.views[i], func(v float64) bool { return v != 0 }) {
			continue
		}
		return fmt.Errorf("energy: weight %s of shape %v is zero throughout: nothing passes through it; see Init",
			s.Name, s.Shape)
	}
	return nil
}
