package objectives

import (
	"fmt"
	"math/rand/v2"

	"gonum.org/v1/gonum/mat"
	G "gorgonia.org/gorgonia"

	"github.com/stheno-ebm/stheno/energy"
	"github.com/stheno-ebm/stheno/graphs"
	"github.com/stheno-ebm/stheno/graphs/vector"
)

// denoising is `dsm`,
//
//	L = mean ½ |-∇E(x + σε) + ε/σ|²,   ε ~ N(0, I),
//
// optionally times σ². The score of the kernel N(x̃; x, σ²I) is (x - x̃)/σ² = -ε/σ, and the model's is -∇E: the two
// agree in the mean where E is the energy of the data blurred by σ. That is what it learns, not the data's own density.
//
// Vincent, A connection between score matching and denoising autoencoders, Neural Computation 23 (2011) 1661–1674.
type denoising struct {
	sigma    float64
	weighted bool
}

func (f denoising) Inputs(n, d int) []Input { return []Input{{Name: "eps", Shape: []int{n, d}}} }

func (f denoising) Draw(in Inputs, _ *mat.Dense, rng *rand.Rand) error {
	vector.Normal(in["eps"], rng)
	return nil
}

func (f denoising) Loss(b *Builder) *G.Node {
	eps := b.In("eps")
	y := graphs.Add(b.X, graphs.Scale(eps, f.sigma))
	b.SetPoints(y)
	g := b.Gradient(b.E(y), y)
	loss := graphs.Mean(halfSquare(graphs.Sub(graphs.Scale(eps, 1/f.sigma), g)))
	if f.weighted {
		loss = graphs.Scale(loss, f.sigma*f.sigma)
	}
	return loss
}

// multiDenoising is `dsm-multi`, the mean over levels σ_1 > … > σ_K of λ(σ_k) dsm(σ_k) with λ = σ²,
//
//	L = mean ½ |ε - σ ∇E(x + σε, σ)|²,
//
// for an energy that knows the level. Every point of a batch gets one level, in turn, from a random start. The energies are
// those of the blurred data at every level; annealed Langevin from σ_1 down to σ_K samples the last one.
//
// Song and Ermon, Generative modeling by estimating gradients of the data distribution, arXiv 1907.05600, equation 6.
type multiDenoising struct{ levels []float64 }

func (f multiDenoising) Inputs(n, d int) []Input {
	return []Input{{Name: "eps", Shape: []int{n, d}}, {Name: "sigma", Shape: []int{n, 1}}}
}

func (f multiDenoising) Draw(in Inputs, _ *mat.Dense, rng *rand.Rand) error {
	vector.Normal(in["eps"], rng)
	at := rng.IntN(len(f.levels))
	for i := range in["sigma"] {
		in["sigma"][i] = f.levels[(at+i)%len(f.levels)]
	}
	return nil
}

func (f multiDenoising) Loss(b *Builder) *G.Node {
	cond, ok := b.Energy().(energy.Conditional)
	if !ok {
		return graphs.Must(nil, fmt.Errorf("objectives: dsm-multi: the energy is not conditioned on a noise level; wrap it by energy.NewAnnealable"))
	}
	eps, sigma := b.In("eps"), b.In("sigma")
	wide := graphs.ExpandCols(sigma, b.D)
	y := graphs.Add(b.X, graphs.Mul(wide, eps))
	b.SetPoints(y)
	g := b.Gradient(graphs.Must(cond.BuildAt(y, sigma, b.Theta)), y)
	return graphs.Mean(halfSquare(graphs.Sub(eps, graphs.Mul(wide, g))))
}
