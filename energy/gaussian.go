package energy

import (
	"math"
	"math/rand/v2"

	"gonum.org/v1/gonum/mat"
	G "gorgonia.org/gorgonia"

	"github.com/stheno-ebm/stheno/graphs"
)

// Gaussian is the energy of N(μ, (AᵀA)⁻¹) without its constant,
//
//	E(x) = ½ |A(x - μ)|².
//
// Parameters: mean [d] and factor [d, d], the matrix A. Only AᵀA is identified. It starts as the standard normal.
type Gaussian struct{ D int }

var (
	_ Known       = Gaussian{}
	_ Initializer = Gaussian{}
)

// Dim returns D.
func (g Gaussian) Dim() int { return g.D }

// Specs returns mean and factor.
func (g Gaussian) Specs() []Spec { return []Spec{{"mean", []int{g.D}}, {"factor", []int{g.D, g.D}}} }

// Init sets μ = 0 and A = I.
func (g Gaussian) Init(p *Params, _ *rand.Rand) {
	clear(p.Data())
	for i := range g.D {
		p.views[1][i*(g.D+1)] = 1
	}
}

// Build builds ½ |A(x - μ)|².
func (g Gaussian) Build(x *G.Node, theta G.Nodes) (*G.Node, error) {
	if err := checkBuild("Gaussian", g, x, theta); err != nil {
		return nil, err
	}
	return graphs.Try(func() *G.Node {
		r := graphs.Sub(x, graphs.ExpandRows(theta[0], x.Shape()[0])) // (n, d)
		z := graphs.MatMul(r, theta[1], false, true)                  // (n, d)
		return graphs.Scale(graphs.RowSum(graphs.Square(z)), 0.5)     // (n, 1)
	})
}

// LogZ returns d/2 log 2π - log |det A|.
func (g Gaussian) LogZ(p *Params) float64 {
	det, _ := mat.LogDet(mat.NewDense(g.D, g.D, p.views[1]))
	return 0.5*float64(g.D)*math.Log(2*math.Pi) - det
}

// Sample draws x = μ + A⁻¹ξ, ξ ~ N(0, I).
func (g Gaussian) Sample(p *Params, dst *mat.Dense, rng *rand.Rand) {
	var inv mat.Dense
	if err := inv.Inverse(mat.NewDense(g.D, g.D, p.views[1])); err != nil {
		panic("energy: Gaussian: singular factor")
	}
	xi := make([]float64, g.D)
	n, _ := dst.Dims()
	for i := range n {
		fillNormal(xi, 1, rng)
		row := dst.RawRowView(i)
		for j := range row {
			row[j] = p.views[0][j]
			for k, v := range inv.RawRowView(j) {
				row[j] += v * xi[k]
			}
		}
	}
}

// Covariance returns (AᵀA)⁻¹, or nil if A is singular.
func (g Gaussian) Covariance(p *Params) *mat.Dense {
	a := mat.NewDense(g.D, g.D, p.views[1])
	var prec, cov mat.Dense
	prec.Mul(a.T(), a)
	if cov.Inverse(&prec) != nil {
		return nil
	}
	return &cov
}
