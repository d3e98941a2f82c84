package objectives

import (
	"cmp"
	"fmt"
	"math/rand/v2"

	"gonum.org/v1/gonum/mat"
	G "gorgonia.org/gorgonia"

	"github.com/stheno-ebm/stheno/energy"
	"github.com/stheno-ebm/stheno/graphs"
)

// FiniteDifference is `fd-ssm`, sliced score matching from energies at x and x ± εv only,
//
//	L = mean 1/M Σ_m ½ ((E⁺ - E⁻)/2ε)² - (E⁺ + E⁻ - 2E)/ε²,   E^± = E(x ± εv_m),
//
// with E vvᵀ = I. It needs no second derivative. It has a bias of order ε² |∇⁴E|, and in float32 a rounding error of
// about 2·10⁻⁷ |E|/ε² per point, so ε must not be small.
//
// Pang, Xu, Li, Song, Ermon and Zhu, Efficient learning of generative models via finite-difference score matching,
// arXiv 2007.03317, equation 11; their v has length ε, ours is ε times a direction with E vvᵀ = I.
type FiniteDifference struct {
	// 1 to 256; 0 means 1
	Slices     int        `json:"slices" help:"Random directions per sample; more reduce the variance; 1 by default."`
	Projection Projection `json:"projection" help:"Distribution of the directions: rademacher (default), gaussian or sphere."`
	Step       float64    `json:"-"` // ε, in units of x; 0 means 0.02 in float32 and 0.001 in float64
}

func init() { Register("fd-ssm", FiniteDifference{}) }

// Traits describes the objective.
func (m FiniteDifference) Traits() Traits {
	step := fmt.Sprintf("%g", m.Step)
	if m.Step == 0 {
		step = fmt.Sprintf("%g (%g in float64)", m.step(energy.Float32), m.step(energy.Float64))
	}
	return Traits{Summary: "sliced score matching from energy differences", Source: "Pang et al. 2020", Score: true,
		Bridge: true,
		Bias:   "differences over steps of " + step + ": an error of the order of the step squared"}
}

// Validate names the fields out of range.
func (m FiniteDifference) Validate() error {
	return Check(m).Whole("Slices", 1, mostSlices).Option("Projection").NonNegative("Step").Err()
}

// Suited sets zero fields except the step, which depends on the precision.
func (m FiniteDifference) Suited(Facts) Method {
	return FiniteDifference{cmp.Or(m.Slices, 1), cmp.Or(m.Projection, Rademacher), m.Step}
}

// Recipe is that of objectives that match scores.
func (FiniteDifference) Recipe(data Facts) Recipe { return ScoreRecipe(data) }

func (m FiniteDifference) step(p energy.Precision) float64 {
	if p == energy.Float64 {
		return cmp.Or(m.Step, 1e-3)
	}
	return cmp.Or(m.Step, 0.02)
}

// Minimum steps: below them the second difference is mostly rounding error.
const (
	leastStep32 = 3e-3
	leastStep64 = 1e-5
)

// Form returns the loss, or an error if the step is too small for the precision.
func (m FiniteDifference) Form(s Setup) (Form, error) {
	eps, least := m.step(s.Precision), leastStep32
	if s.Precision == energy.Float64 {
		least = leastStep64
	}
	if eps < least {
		return nil, WrongField(m, "Step", fmt.Sprintf("at least %g: less drowns in the rounding of %v; ssm "+
			"differentiates exactly", least, s.Precision))
	}
	return differenceForm{m.Slices, m.Projection, eps}, nil
}

type differenceForm struct {
	slices int
	law    Projection
	eps    float64
}

func (f differenceForm) Inputs(n, d int) []Input {
	return []Input{{Name: "v", Shape: []int{n * f.slices, d}}}
}

func (f differenceForm) Draw(in Inputs, x *mat.Dense, rng *rand.Rand) error {
	_, d := x.Dims()
	f.law.draw(in["v"], d, rng)
	return nil
}

func (f differenceForm) Loss(b *Builder) *G.Node {
	u := b.E(b.X)
	var sum *G.Node
	for m := range f.slices {
		step := graphs.Scale(slice(b, "v", m), f.eps)
		hi, lo := b.E(graphs.Add(b.X, step)), b.E(graphs.Sub(b.X, step))
		first := graphs.Scale(graphs.Sub(hi, lo), 1/(2*f.eps))
		// E⁺ - E and E⁻ - E before their sum: the differences are small, so they are rounded less
		second := graphs.Scale(graphs.Add(graphs.Sub(hi, u), graphs.Sub(lo, u)), 1/(f.eps*f.eps))
		sum = plus(sum, graphs.Sub(graphs.Scale(graphs.Square(first), 0.5), second))
	}
	return graphs.Scale(graphs.Mean(sum), 1/float64(f.slices))
}
