package energy

import (
	"cmp"
	"errors"
	"fmt"
	"math"

	G "gorgonia.org/gorgonia"

	"github.com/stheno-ebm/stheno/graphs"
)

// powerSteps is the number of power iterations from a fixed start; the error of the norm falls as (σ₂/σ₁)^(4·steps).
const powerSteps = 6

// Spectral divides every weight matrix (see [IsWeight]) of an energy by its spectral norm,
//
//	Ŵ = c W / σ(W),
//
// so that a network of L layers with 1-Lipschitz activations is cᴸ-Lipschitz (Miyato et al., Spectral normalization for
// generative adversarial networks, arXiv 1802.05957). σ(W) = |W v| with v from six steps of the power iteration, which
// are part of the graph: the function is deterministic and its derivative exact. σ is approached from below, so a layer
// may slightly exceed c if the two largest singular values are close.
type Spectral struct {
	wrapped
	norm float64
}

var (
	_ Energy      = (*Spectral)(nil)
	_ Initializer = (*Spectral)(nil)
	_ Smoothness  = (*Spectral)(nil)
)

// NewSpectral returns e with every weight matrix scaled to spectral norm c > 0; 0 means 1.
func NewSpectral(e Energy, c float64) (*Spectral, error) {
	if e == nil {
		return nil, errors.New("energy: Spectral without an energy")
	}
	c = cmp.Or(c, 1)
	if !positive(c) {
		return nil, fmt.Errorf("energy: spectral norm %g, want > 0", c)
	}
	return &Spectral{wrapped{e}, c}, nil
}

// Build normalises the weights and builds the inner energy with them.
func (s *Spectral) Build(x *G.Node, theta G.Nodes) (*G.Node, error) {
	return graphs.Try(func() *G.Node {
		scaled := append(G.Nodes(nil), theta...)
		for i, spec := range s.inner.Specs() {
			if IsWeight(spec) {
				w := theta[i]
				f := graphs.Scale(graphs.Reciprocal(spectralNorm(w)), s.norm)
				scaled[i] = graphs.Mul(w, graphs.Fill(f, w))
			}
		}
		return graphs.Must(s.inner.Build(x, scaled))
	})
}

// spectralNorm builds |W v| (1) with v from the power iteration v ← WᵀWv/|WᵀWv|, started from an asymmetric vector.
func spectralNorm(w *G.Node) *G.Node {
	in := w.Shape()[1]
	start := make([]float64, in)
	for i := range start {
		start[i] = 1 + 0.5*math.Sin(float64(3*i+1))
	}
	v := constant(w, start, in, 1)
	unit := func(v *G.Node) *G.Node {
		norm := graphs.Sqrt(graphs.Shift(graphs.Sum(graphs.Square(v)), 1e-30))
		return graphs.Mul(v, graphs.Fill(graphs.Reciprocal(norm), v))
	}
	v = unit(v)
	for range powerSteps {
		v = unit(graphs.MatMul(w, graphs.MatMul(w, v, false, false), true, false))
	}
	// a zero matrix stays zero
	return graphs.Sqrt(graphs.Shift(graphs.Sum(graphs.Square(graphs.MatMul(w, v, false, false))), 1e-30))
}
