package objectives

import (
	"cmp"
	"math"
	"math/rand/v2"

	"gonum.org/v1/gonum/mat"
	G "gorgonia.org/gorgonia"

	"github.com/stheno-ebm/stheno/graphs"
	"github.com/stheno-ebm/stheno/graphs/vector"
)

// EnergyDiscrepancy is `ed`, energy discrepancy with Gaussian perturbation,
//
//	L = mean_i log( w/M + 1/M Σ_j exp(E(x_i) - E(y_ij)) ),   y_ij = x_i + σξ_i + σξ'_ij,  w = 1,
//
// without chains or scores: it compares the energy of a datum with the free energy of the points that might have become
// the same blurred point x_i + σξ_i. For small σ it is score matching, for large σ maximum likelihood. With w = 1 the
// loss is also the log-probability of picking x_i among M+1 candidates one of which is a datum, so the expected
// gradient is zero at the true energy for every M.
//
// Schröder, Ou, Lim, Li, Duncan and Girolami, Energy discrepancies: a score-independent loss for energy-based models,
// arXiv 2307.06431, section 4.1.
type EnergyDiscrepancy struct {
	Sigma float64 `json:"sigma" help:"Perturbation in units of the data, large enough to reach from mode to mode; 0.75 of their deviation by default."`
	Ratio int     `json:"noise-ratio" help:"Neighbours per datum; 16 by default."` // M, 1 to 1000; 0 means 16
}

func init() { Register("ed", EnergyDiscrepancy{}) }

// Traits describes the objective.
func (EnergyDiscrepancy) Traits() Traits {
	return Traits{Summary: "energy discrepancy with Gaussian perturbation", Source: "Schröder et al. 2023"}
}

// Validate names the fields out of range.
func (m EnergyDiscrepancy) Validate() error {
	return Check(m).Positive("Sigma").Whole("Ratio", 1, mostRatio).Err()
}

// Suited sets what is zero.
func (m EnergyDiscrepancy) Suited(data Facts) Method {
	m.Sigma, m.Ratio = cmp.Or(m.Sigma, round(0.75*data.spread())), cmp.Or(m.Ratio, 16)
	return m
}

// Recipe returns the recipe for objectives that compare energies.
func (EnergyDiscrepancy) Recipe(data Facts) Recipe { return DefaultRecipe(data) }

// Form returns the loss.
func (m EnergyDiscrepancy) Form(Setup) (Form, error) {
	return discrepancyForm{neighbourhood{m.Sigma, m.Ratio}}, nil
}

type discrepancyForm struct{ neighbourhood }

func (f discrepancyForm) Draw(in Inputs, x *mat.Dense, rng *rand.Rand) error {
	y := in["neighbours"]
	vector.Normal(y, rng)
	n, d := x.Dims()
	for i := range n {
		rows := y[i*f.m*d : (i+1)*f.m*d]
		for j, v := range x.RawRowView(i) {
			centre := v + f.sigma*rng.NormFloat64()
			for k := j; k < len(rows); k += d {
				rows[k] = centre + f.sigma*rows[k]
			}
		}
	}
	return nil
}

func (f discrepancyForm) Loss(b *Builder) *G.Node {
	y := b.In("neighbours")
	b.SetNegatives(y)
	diff := differences(b, y, f.m) // (n, M)
	self := graphs.ZerosLike(graphs.SliceCols(diff, 0, 1))
	return graphs.Shift(graphs.Mean(graphs.RowLogSumExp(graphs.ConcatCols(self, diff))), -math.Log(float64(f.m)))
}
