package objectives

import (
	"cmp"
	"math/rand/v2"

	"gonum.org/v1/gonum/mat"
	G "gorgonia.org/gorgonia"

	"github.com/stheno-ebm/stheno/graphs"
	"github.com/stheno-ebm/stheno/graphs/vector"
)

// ProbabilityFlow is `mpf`, minimum probability flow in continuous space,
//
//	L = mean_i 1/M Σ_j exp(½(E(x_i) - E(y_ij))),   y_ij = x_i + σε_ij,
//
// the rate at which probability leaves the data under dynamics that would carry them to the model, with jumps to
// neighbours of a symmetric distribution. At the true energy the weight p(x) exp(½(E(x) - E(y))) is symmetric in x and
// y, so the gradient vanishes exactly. Like all local objectives it sees little of the weights of modes more than a few
// σ apart; hence every other neighbour is a jump between data, see jumpsOf.
//
// Where ½(E(x) - E(y)) is beyond 20 the exponential continues as its tangent: a datum so far out that the model all but
// excludes it would otherwise make L infinite, as those of a funnel in 20 dimensions do at the first step. At the truth
// the gradient of that still vanishes but for a share of e⁻²⁰ of such pairs.
//
// Sohl-Dickstein, Battaglino and DeWeese, New method for parameter estimation in probabilistic models: minimum
// probability flow, PRL 107 (2011) 220601, equation 11.
type ProbabilityFlow struct {
	Sigma float64 `json:"sigma" help:"Distance of the neighbours in units of the data, large enough to reach from mode to mode; 0.5 of their deviation by default."`
	Ratio int     `json:"noise-ratio" help:"Neighbours per datum; 4 by default."` // M, 1 to 1000; 0 means 4
}

func init() { Register("mpf", ProbabilityFlow{}) }

// Traits describes the objective.
func (ProbabilityFlow) Traits() Traits {
	return Traits{Summary: "minimum probability flow to random neighbours", Source: "Sohl-Dickstein et al. 2011"}
}

// Validate names the fields out of range.
func (m ProbabilityFlow) Validate() error {
	return Check(m).Positive("Sigma").Whole("Ratio", 1, mostRatio).Err()
}

// Suited sets what is zero.
func (m ProbabilityFlow) Suited(data Facts) Method {
	m.Sigma, m.Ratio = cmp.Or(m.Sigma, round(0.5*data.spread())), cmp.Or(m.Ratio, 4)
	return m
}

// Recipe returns the recipe for objectives that compare energies.
func (ProbabilityFlow) Recipe(data Facts) Recipe { return DefaultRecipe(data) }

// Form returns the loss.
func (m ProbabilityFlow) Form(s Setup) (Form, error) {
	return flowRateForm{neighbourhood{m.Sigma, m.Ratio}, jumpsOf{s.Data}}, nil
}

// steepest is where the exponential continues as its tangent.
const steepest = 20

type flowRateForm struct {
	neighbourhood
	jumps jumpsOf
}

func (f flowRateForm) Draw(in Inputs, x *mat.Dense, rng *rand.Rand) error {
	y := in["neighbours"]
	vector.Normal(y, rng)
	n, d := x.Dims()
	for i := range n {
		row := x.RawRowView(i)
		for k := range f.m * d {
			at := i*f.m*d + k
			y[at] = row[k%d] + f.sigma*y[at]
		}
		for j := 1; j < f.m; j += 2 {
			at := (i*f.m + j) * d
			f.jumps.add(y[at:at+d], row, rng)
		}
	}
	return nil
}

func (f flowRateForm) Loss(b *Builder) *G.Node {
	y := b.In("neighbours")
	b.SetNegatives(y)
	u := graphs.Scale(differences(b, y, f.m), 0.5)
	beyond := graphs.ReLU(graphs.Shift(u, -steepest))
	return graphs.Mean(graphs.Mul(graphs.Exp(graphs.Sub(u, beyond)), graphs.Shift(beyond, 1)))
}
