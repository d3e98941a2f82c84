package energy

import (
	"errors"
	"fmt"
	"math"
	"slices"

	"gonum.org/v1/gonum/mat"
	G "gorgonia.org/gorgonia"

	"github.com/stheno-ebm/stheno/datasets/density"
	"github.com/stheno-ebm/stheno/graphs"
)

// Mixture is a fixed, normalised mixture of isotropic Gaussians with its graph: a kernel density of the data, a
// background for [Bridge], the noise of noise contrastive estimation.
//
//	b(x) = Σ_k w_k N(x; c_k, s_k² I)
type Mixture struct{ *density.Mixture }

// NewMixture returns the mixture of Gaussians at the rows of centres, with standard deviations sds > 0 and weights > 0,
// which are scaled to sum 1; nil weights are equal.
func NewMixture(centres *mat.Dense, sds, weights []float64) (*Mixture, error) {
	if centres == nil || centres.IsEmpty() {
		return nil, errors.New("energy: mixture without centres")
	}
	k, d := centres.Dims()
	if weights == nil {
		weights = slices.Repeat([]float64{1}, k)
	}
	if len(sds) != k || len(weights) != k {
		return nil, fmt.Errorf("energy: mixture of %d centres with %d standard deviations and %d weights", k, len(sds),
			len(weights))
	}
	m, err := density.NewMixture(density.Parameters{
		Dim: d, Covariance: density.Spherical, Weights: weights, Means: mat.DenseCopyOf(centres).RawMatrix().Data,
		Factors: sds,
	})
	if err != nil {
		return nil, fmt.Errorf("energy: mixture: %w", err)
	}
	return &Mixture{m}, nil
}

// Blurred returns the distribution of X + σξ for X from m and ξ ~ N(0, I).
func (m *Mixture) Blurred(sigma float64) *Mixture { return &Mixture{m.Mixture.Blurred(sigma)} }

// Build adds log b at the rows of x to x's graph, (n, 1).
func (m *Mixture) Build(x *G.Node) (*G.Node, error) {
	build := mixtureBuilder(m.Parameters())
	return graphs.Try(func() *G.Node { return build(x) })
}

// buildBlurred builds log b_σ at the rows of x for the levels sigma (n, 1), log Σ_k w_k N(x; c_k, v_k² I) with v_k² =
// s_k² + σ². One product is enough,
//
//	log w_k - d/2 log v_k² - |x - c_k|²/(2v_k²) = r·c'_k/v_k² - ½|c'_k|²/v_k² - (½|r|²/v_k² + d/2 log v_k²) + log w_k,
//
// r = x - x̄, c'_k = c_k - x̄: components with the same deviation use the same d+2 columns, r/v², 1/v² and the bracket.
func (m *Mixture) buildBlurred(x, sigma *G.Node) *G.Node {
	p := m.Parameters()
	k, d := len(p.Weights), p.Dim
	mean, _ := density.Moments(mat.NewDense(k, d, p.Means))
	logw := logWeightsOf(p)
	widths := slices.Compact(slices.Sorted(slices.Values(p.Factors)))
	w, b := mat.NewDense(k, len(widths)*(d+2), nil), make([]float64, k)
	for i, s := range p.Factors {
		g, _ := slices.BinarySearch(widths, s)
		row := w.RawRowView(i)[g*(d+2) : (g+1)*(d+2)]
		for j, c := range p.Means[i*d : (i+1)*d] {
			row[j] = c - mean[j]
			row[d] -= 0.5 * row[j] * row[j]
		}
		row[d+1] = -1
		b[i] = logw[i] + float64(d)*math.Log(s)
	}
	r := graphs.Sub(x, graphs.ExpandRows(constant(x, mean, d), x.Shape()[0]))
	half := graphs.Scale(graphs.RowSum(graphs.Square(r)), 0.5)
	var in G.Nodes
	for _, s := range widths {
		v := graphs.Shift(graphs.Square(sigma), s*s)
		inv := graphs.Reciprocal(v) // (n, 1)
		in = append(in, graphs.Mul(r, graphs.ExpandCols(inv, d)), inv,
			graphs.Add(graphs.Mul(half, inv), graphs.Scale(graphs.Log(v), 0.5*float64(d))))
	}
	all := w.RawMatrix()
	return graphs.RowLogSumExp(graphs.Affine(graphs.ConcatCols(in...), constant(x, all.Data, all.Rows, all.Cols),
		constant(x, b, k)))
}

// Energy returns -log b, an energy without parameters.
func (m *Mixture) Energy() Energy { return &Density{m.Mixture, mixtureBuilder(m.Parameters())} }
