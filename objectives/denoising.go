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
// those of the blurred data at every level. Paired, the loss is the mean of that at ε and that at -ε: the same in expectation,
// but at small σ, where ε outweighs σ∇E by far, its scatter mostly cancels. Annealed Langevin from σ_1 down to σ_K samples the last one.
//
// Song and Ermon, Generative modeling by estimating gradients of the data distribution, arXiv 1907.05600, equation 6.
type multiDenoising struct {
	levels []float64
	paired bool    // every ε goes with -ε
	beside *beside // nil: the energy has no background
}

// beside is the background of an energy that is learnt beside one ([energy.Annealable.Beside]): with share ε of it the loss is
//
//	(1-ε) mean ½ λ(σ) |ε/σ - ∇E_q(x + σε, σ)|² + ε mean ½ λ(σ) |∇E_q(y, σ) - ∇E_b(y, σ)|²,   y ~ b_σ:
//
// that of the mixture of both, but for a constant. Of draws of b the score is known, and stands for what denoising estimates.
type beside struct {
	energy *energy.Annealable
	y      mat.Dense
}

func newMultiDenoising(e energy.Conditional, cfg Config) multiDenoising {
	f := multiDenoising{levels: e.Levels(), paired: cfg.Paired}
	if a, ok := e.(*energy.Annealable); ok {
		if b, _ := a.Background(); b != nil {
			f.beside = &beside{energy: a}
		}
	}
	return f
}

func (f multiDenoising) Inputs(n, d int) []Input {
	in := []Input{{Name: "eps", Shape: []int{n, d}}, {Name: "sigma", Shape: []int{n, 1}}}
	if f.beside != nil {
		m := (n + 1) / 2
		in = append(in, Input{Name: "background", Shape: []int{m, d}}, Input{Name: "background_sigma", Shape: []int{m, 1}})
	}
	return in
}

func (f multiDenoising) Draw(in Inputs, x *mat.Dense, rng *rand.Rand) error {
	vector.Normal(in["eps"], rng)
	f.spread(in["sigma"], rng)
	if f.beside == nil {
		return nil
	}
	_, d := x.Dims()
	sigma := in["background_sigma"]
	f.spread(sigma, rng)
	y := view(&f.beside.y, in["background"], len(sigma), d)
	b, _ := f.beside.energy.Background()
	b.Sample(y, rng)
	for i, s := range sigma {
		for j := range d {
			y.RawRowView(i)[j] += s * rng.NormFloat64()
		}
	}
	return nil
}

// spread gives the levels in turn, from a random start.
func (f multiDenoising) spread(sigma []float64, rng *rand.Rand) {
	at := rng.IntN(len(f.levels))
	for i := range sigma {
		sigma[i] = f.levels[(at+i)%len(f.levels)]
	}
}

func (f multiDenoising) Loss(b *Builder) *G.Node {
	cond, ok := b.Energy().(energy.Conditional)
	if !ok {
		return graphs.Must(nil, fmt.Errorf("objectives: dsm-multi: the energy is not conditioned on a noise level; wrap it by energy.NewAnnealable"))
	}
	eps, sigma := b.In("eps"), b.In("sigma")
	data := f.denoise(b, cond, eps, sigma)
	if f.paired {
		data = graphs.Scale(graphs.Add(data, f.denoise(b, cond, graphs.Neg(eps), sigma)), 0.5)
	}
	if f.beside == nil {
		return data
	}
	y, sigma := b.In("background"), b.In("background_sigma")
	excess, _, err := f.beside.energy.BuildMixed(y, sigma, b.Theta)
	graphs.Must(excess, err)
	known := graphs.Mean(halfSquare(graphs.Mul(graphs.ExpandCols(sigma, b.D), b.Gradient(excess, y))))
	_, share := f.beside.energy.Background()
	return graphs.Add(graphs.Scale(data, 1-share), graphs.Scale(known, share))
}

// denoise builds the loss on the data for one noise.
func (f multiDenoising) denoise(b *Builder, cond energy.Conditional, eps, sigma *G.Node) *G.Node {
	wide := graphs.ExpandCols(sigma, b.D)
	y := graphs.Add(b.X, graphs.Mul(wide, eps))
	b.SetPoints(y)
	var e *G.Node
	if f.beside == nil {
		e = graphs.Must(cond.BuildAt(y, sigma, b.Theta))
	} else {
		excess, logb, err := f.beside.energy.BuildMixed(y, sigma, b.Theta)
		e = graphs.Sub(graphs.Must(excess, err), logb)
	}
	return graphs.Mean(halfSquare(graphs.Sub(eps, graphs.Mul(wide, b.Gradient(e, y)))))
}
