package objectives

import (
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
// agree in the mean where E is the energy of the data blurred by σ. That is what it learns, not the data's own
// density.
//
// Where σ is well below the finest detail of the data that blur is next to nothing, but ε/σ outweighs ∇E by far, and
// its scatter is all that is seen. Paired, as it is by default, the loss is the mean of that at ε and at -ε, without
// |ε/σ|²/2, a constant: of the same expectation, and as σ falls it is ½|∇E|² - εᵀ(∇²E)ε, sliced score matching, with
// a scatter that does not grow.
//
// Vincent, A connection between score matching and denoising autoencoders, Neural Computation 23 (2011) 1661–1674.
type Denoising struct {
	Sigma    float64 `json:"sigma" help:"Noise, in units of the data; what is learnt is blurred by it. By default 0.00125 of their deviation."`
	Unpaired bool    `json:"unpaired" help:"Noise without its negative: at half the price, but of the more scatter the smaller it is."`
	Weighted bool    `json:"-"` // the loss times σ²
}

func init() { Register("dsm", Denoising{}) }

// Traits says what it is.
func (m Denoising) Traits() Traits {
	return Traits{Summary: "denoising score matching", Source: "Vincent 2011", Score: true, Bridge: true,
		Blur: m.Sigma, Weight: m.weight(),
		Bias: fmt.Sprintf("learns the density of the data blurred by sigma = %g", m.Sigma)}
}

// weight is the factor on half the Fisher divergence.
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

// Suited sets σ, small enough for slopes to be low by next to nothing: by σ²/s² where s is the finest detail.
func (m Denoising) Suited(data Facts) Method {
	m.Sigma = or(m.Sigma, round(leastNoise*data.spread()))
	return m
}

// leastNoise is the noise of dsm and the smallest of dsm-multi in deviations of the data. So small a noise costs no
// scatter where it is paired.
const leastNoise = 0.00125

// Recipe is that of objectives that match scores.
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
