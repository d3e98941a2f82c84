package objectives

import (
	"cmp"
	"fmt"
	"math"
	"math/rand/v2"

	"gonum.org/v1/gonum/mat"
	G "gorgonia.org/gorgonia"

	"github.com/stheno-ebm/stheno/graphs"
	"github.com/stheno-ebm/stheno/graphs/vector"
)

// Denoising is `dsm`,
//
//	L = mean ½ |-∇E(x + σε) + ε/σ|²,   ε ~ N(0, I),
//
// optionally times σ². The score of the kernel N(x̃; x, σ²I) is (x - x̃)/σ² = -ε/σ, and the model's is -∇E: the two
// agree in the mean if E is the energy of the data blurred by σ. It learns that, not the data's own density.
//
// If σ is well below the finest detail of the data the blur is negligible, but ε/σ is much larger than ∇E, and its
// variance dominates. By default noise is paired: the loss is the mean of the values at ε and -ε, without the constant
// |ε/σ|²/2. It has the same expectation and tends to ½|∇E|² - εᵀ(∇²E)ε as σ falls, sliced score matching, with bounded
// variance.
//
// Vincent, A connection between score matching and denoising autoencoders, Neural Computation 23 (2011) 1661–1674.
type Denoising struct {
	Sigma    float64 `json:"sigma" help:"Noise in units of the data, by which the learnt density is blurred; 0.00125 of their deviation by default."`
	Unpaired bool    `json:"unpaired" help:"Do not pair noise with its negative: half the cost, but more variance, the more the smaller the noise."`
	Weighted bool    `json:"-"` // multiply the loss by σ²
}

func init() { Register("dsm", Denoising{}) }

// Traits describes the objective.
func (m Denoising) Traits() Traits {
	return Traits{Summary: "denoising score matching", Source: "Vincent 2011", Score: true, Bridge: true,
		Blur: m.Sigma, Weight: m.weight(),
		Bias: fmt.Sprintf("learns the density of the data blurred by sigma = %g", m.Sigma)}
}

// weight returns the factor on half the Fisher divergence.
func (m Denoising) weight() float64 {
	if m.Weighted {
		return m.Sigma * m.Sigma
	}
	return 1
}

// Validate names the fields out of range.
func (m Denoising) Validate() error {
	return Check(m).That(m.Sigma > 0 && !math.IsInf(m.Sigma, 1), "Sigma",
		"> 0: without noise there is nothing to denoise; take a tenth of the finest detail of the data, or sm").Err()
}

// Suited sets σ so small that slopes are hardly underestimated: by σ²/s², with s the finest detail.
func (m Denoising) Suited(data Facts) Method {
	m.Sigma = cmp.Or(m.Sigma, round(leastNoise*data.spread()))
	return m
}

// leastNoise is the noise of dsm and the smallest of dsm-multi in deviations of the data. If paired, such small noise
// does not increase the variance.
const leastNoise = 0.00125

// Recipe returns the recipe for objectives that match scores.
func (Denoising) Recipe(data Facts) Recipe { return ScoreRecipe(data) }

// Form returns the loss.
func (m Denoising) Form(Setup) (Form, error) { return denoisingForm{m}, nil }

type denoisingForm struct{ m Denoising }

func (f denoisingForm) Inputs(n, d int) []Input { return []Input{{Name: "eps", Shape: []int{n, d}}} }

func (f denoisingForm) Draw(in Inputs, _ *mat.Dense, rng *rand.Rand) error {
	vector.Normal(in["eps"], rng)
	return nil
}

func (f denoisingForm) Loss(b *Builder) *G.Node {
	eps := b.In("eps")
	y := graphs.Add(b.X, graphs.Scale(eps, f.m.Sigma))
	b.SetPoints(y)
	g := b.Gradient(b.E(y), y)
	var loss *G.Node // (n, 1)
	if !f.m.Unpaired {
		z := graphs.Sub(b.X, graphs.Scale(eps, f.m.Sigma))
		h := b.Gradient(b.E(z), z)
		squares := graphs.Scale(graphs.Add(halfSquare(g), halfSquare(h)), 0.5)
		loss = graphs.Sub(squares, graphs.Scale(rowDot(eps, graphs.Sub(g, h)), 0.5/f.m.Sigma))
	} else {
		loss = halfSquare(graphs.Sub(graphs.Scale(eps, 1/f.m.Sigma), g))
	}
	return graphs.Scale(graphs.Mean(loss), f.m.weight())
}
