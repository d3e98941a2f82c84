package energy

import (
	"math"
	"math/rand/v2"

	"gonum.org/v1/gonum/floats"
	"gonum.org/v1/gonum/mat"
	G "gorgonia.org/gorgonia"

	"github.com/stheno-ebm/stheno/datasets/density"
	"github.com/stheno-ebm/stheno/graphs"
)

// GaussianMixture is minus the log density of a mixture of K Gaussians with diagonal covariances,
//
//	E(x) = -log Σ_k π_k Π_j N(x_j; μ_kj, σ_kj²),   π = softmax(logits), σ = exp(log_std).
//
// It is normalised: Z = 1. Parameters: logits [K], means [K, d], log_stds [K, d]. It starts with equal weights, unit
// standard deviations and means drawn from N(0, 4 I).
type GaussianMixture struct{ D, K int }

var (
	_ Known       = GaussianMixture{}
	_ Initializer = GaussianMixture{}
)

// Dim returns D.
func (m GaussianMixture) Dim() int { return m.D }

// Specs returns logits, means and log_stds.
func (m GaussianMixture) Specs() []Spec {
	return []Spec{{"logits", []int{m.K}}, {"means", []int{m.K, m.D}}, {"log_stds", []int{m.K, m.D}}}
}

// Init draws the means.
func (m GaussianMixture) Init(p *Params, rng *rand.Rand) {
	clear(p.Data())
	fillNormal(p.views[1], 2, rng)
}

// Build builds -log Σ_k exp(log π_k + Σ_j log N(x_j; μ_kj, σ_kj²)).
func (m GaussianMixture) Build(x *G.Node, theta G.Nodes) (*G.Node, error) {
	if err := checkBuild("GaussianMixture", m, x, theta); err != nil {
		return nil, err
	}
	n := x.Shape()[0]
	return graphs.Try(func() *G.Node {
		// one number per component → (n, K)
		row := func(v *G.Node) *G.Node { return graphs.ExpandRows(graphs.Reshape(v, m.K), n) }
		acc := row(graphs.Shift(logWeights(theta[0]), -0.5*float64(m.D)*math.Log(2*math.Pi)))
		for j := range m.D {
			mean := graphs.SliceCols(theta[1], j, j+1) // (K, 1)
			ls := graphs.SliceCols(theta[2], j, j+1)
			diff := graphs.Sub(graphs.ExpandCols(graphs.SliceCols(x, j, j+1), m.K), row(mean)) // (n, K)
			z := graphs.Mul(diff, row(graphs.Exp(graphs.Neg(ls))))
			acc = graphs.Sub(acc, graphs.Add(graphs.Scale(graphs.Square(z), 0.5), row(ls)))
		}
		return graphs.Neg(graphs.RowLogSumExp(acc)) // (n, 1)
	})
}

// logWeights builds log softmax of the logits (K), as (1, K).
func logWeights(logits *G.Node) *G.Node {
	k := logits.Shape()[0]
	l := graphs.Reshape(logits, 1, k)
	return graphs.Sub(l, graphs.ExpandCols(graphs.RowLogSumExp(l), k))
}

// LogZ returns 0.
func (m GaussianMixture) LogZ(*Params) float64 { return 0 }

// Weights returns π.
func (m GaussianMixture) Weights(p *Params) []float64 {
	w := append([]float64(nil), p.views[0]...)
	most, sum := math.Inf(-1), 0.0
	for _, v := range w {
		most = max(most, v)
	}
	for i, v := range w {
		w[i] = math.Exp(v - most)
		sum += w[i]
	}
	for i := range w {
		w[i] /= sum
	}
	return w
}

// Sample draws a component, then a point of it.
func (m GaussianMixture) Sample(p *Params, dst *mat.Dense, rng *rand.Rand) {
	cdf := m.Weights(p)
	floats.CumSum(cdf, cdf)
	n, _ := dst.Dims()
	for i := range n {
		k := density.Pick(cdf, rng)
		row := dst.RawRowView(i)
		for j := range row {
			row[j] = p.views[1][k*m.D+j] + math.Exp(p.views[2][k*m.D+j])*rng.NormFloat64()
		}
	}
}
