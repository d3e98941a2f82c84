package energy

import (
	"math"
	"math/rand/v2"
	"strings"
)

// Init returns parameters of e, drawn by e if it is an [Initializer]. Otherwise arrays of two dimensions are drawn from the
// Glorot normal and all others are zero.
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
		if len(s.Shape) == 2 {
			fillNormal(p.views[i], math.Sqrt(2/float64(s.Shape[0]+s.Shape[1])), rng)
		}
	}
}

// initLinear draws the weights [out, in] and biases of a linear layer. Weights are normal with the standard deviation
// gain/√in ("he"; gain √2 for rectifiers and their smooth relatives) or gain·√(2/(in+out)) ("glorot"). Biases are uniform on
// ±gain/√in, PyTorch's choice but for the gain: with biases of zero the ridges of the first layer all meet in the origin.
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

// IsWeight reports whether a parameter multiplies activations: weight decay and spectral normalisation act on these and
// leave biases, means and scales alone.
func IsWeight(s Spec) bool { return len(s.Shape) == 2 && strings.HasSuffix(s.Name, "weight") }
