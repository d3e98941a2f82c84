package energy

import (
	"errors"
	"math"

	G "gorgonia.org/gorgonia"

	"github.com/stheno-ebm/stheno/graphs"
)

// BlurredMixture is a [GaussianMixture] conditioned on a noise level, exactly: at level σ its variances are σ_kj² + σ².
// It has the parameters of the mixture, and serves as a reference for dsm-multi.
type BlurredMixture struct {
	GaussianMixture
	Sigmas []float64 // σ_1 > … > σ_K
}

var _ NoiseConditional = BlurredMixture{}

// Levels returns Sigmas.
func (m BlurredMixture) Levels() []float64 { return m.Sigmas }

// Build builds the energy at the smallest level.
func (m BlurredMixture) Build(x *G.Node, theta G.Nodes) (*G.Node, error) {
	if len(m.Sigmas) == 0 {
		return nil, errors.New("energy: BlurredMixture without Sigmas; give the noise levels")
	}
	return graphs.Try(func() *G.Node {
		sigma := graphs.Scale(graphs.OnesLike(graphs.SliceCols(x, 0, 1)), m.Sigmas[len(m.Sigmas)-1])
		return graphs.Must(m.BuildAt(x, sigma, theta))
	})
}

// BuildAt builds -log Σ_k π_k Π_j N(x_j; μ_kj, σ_kj² + σ²).
func (m BlurredMixture) BuildAt(x, sigma *G.Node, theta G.Nodes) (*G.Node, error) {
	if err := checkBuild("BlurredMixture", m, x, theta); err != nil {
		return nil, err
	}
	n := x.Shape()[0]
	return graphs.Try(func() *G.Node {
		row := func(v *G.Node) *G.Node { return graphs.ExpandRows(graphs.Reshape(v, m.K), n) }
		noise := graphs.ExpandCols(graphs.Square(sigma), m.K) // (n, K)
		acc := row(graphs.Shift(logWeights(theta[0]), -0.5*float64(m.D)*math.Log(2*math.Pi)))
		for j := range m.D {
			variance := graphs.Add(row(graphs.Exp(graphs.Scale(graphs.SliceCols(theta[2], j, j+1), 2))), noise)
			diff := graphs.Sub(graphs.ExpandCols(graphs.SliceCols(x, j, j+1), m.K),
				row(graphs.SliceCols(theta[1], j, j+1)))
			term := graphs.Add(graphs.Div(graphs.Square(diff), variance), graphs.Log(variance))
			acc = graphs.Sub(acc, graphs.Scale(term, 0.5))
		}
		return graphs.Neg(graphs.RowLogSumExp(acc))
	})
}
