package objectives

import (
	"cmp"
	"math/rand/v2"

	"gonum.org/v1/gonum/mat"
	G "gorgonia.org/gorgonia"

	"github.com/stheno-ebm/stheno/graphs"
	"github.com/stheno-ebm/stheno/graphs/vector"
)

// ConditionalNCE is `cnce`,
//
//	L = mean 2 softplus(E(x) - E(y)),   y = x + σε, ε ~ N(0, I):
//
// it discriminates a datum from its perturbation. The kernel is symmetric, so its density cancels, and so does Z. It
// sees energy differences over distances of σ: if too small, it learns like score matching; if much larger than the
// data, the answer is always obvious. Every other perturbation is instead a jump between data, equally symmetric but
// less obvious: jumpsOf.
//
// Ceylan and Gutmann, Conditional noise-contrastive estimation of unnormalised models, arXiv 1806.03664, equation 13.
type ConditionalNCE struct {
	Sigma float64 `json:"sigma" help:"Perturbation in units of the data, large enough to reach from mode to mode; 0.75 of their deviation by default."`
}

func init() { Register("cnce", ConditionalNCE{}) }

// Traits describes the objective.
func (ConditionalNCE) Traits() Traits {
	return Traits{Summary: "conditional noise contrastive estimation", Source: "Ceylan and Gutmann 2018"}
}

// Validate names the fields out of range.
func (m ConditionalNCE) Validate() error { return Check(m).Positive("Sigma").Err() }

// Suited sets a σ that reaches from mode to mode.
func (m ConditionalNCE) Suited(data Facts) Method {
	m.Sigma = cmp.Or(m.Sigma, round(0.75*data.spread()))
	return m
}

// Recipe returns the recipe for objectives that compare energies, with more points, since only close ones are
// informative.
func (ConditionalNCE) Recipe(data Facts) Recipe {
	r := DefaultRecipe(data)
	r.Batch, r.Steps = 512, 6000
	return r
}

// Form returns the loss.
func (m ConditionalNCE) Form(s Setup) (Form, error) {
	return conditionalForm{m.Sigma, jumpsOf{s.Data}}, nil
}

type conditionalForm struct {
	sigma float64
	jumps jumpsOf
}

func (f conditionalForm) Inputs(n, d int) []Input {
	return []Input{{Name: "eps", Shape: []int{n, d}}}
}

func (f conditionalForm) Draw(in Inputs, x *mat.Dense, rng *rand.Rand) error {
	eps := in["eps"]
	vector.Normal(eps, rng)
	n, d := x.Dims()
	for i := 1; i < n && f.jumps.data != nil; i += 2 {
		row := eps[i*d : i*d+d]
		clear(row) // a jump from the origin
		f.jumps.add(row, row, rng)
		for j := range row {
			row[j] /= f.sigma
		}
	}
	return nil
}

func (f conditionalForm) Loss(b *Builder) *G.Node {
	y := graphs.Add(b.X, graphs.Scale(b.In("eps"), f.sigma))
	b.SetNegatives(y)
	return graphs.Scale(graphs.Mean(graphs.Softplus(differences(b, y, 1))), 2)
}
