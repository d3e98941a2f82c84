package objectives

import (
	"fmt"
	"math"
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
// Where σ is well below the finest detail of the data that blur is next to nothing, but ε/σ outweighs ∇E by far, and its
// scatter is all that is seen. Paired, the loss is the mean of that at ε and at -ε, without |ε/σ|²/2, a constant: of the same
// expectation, and as σ falls it is ½|∇E|² - εᵀ(∇²E)ε, sliced score matching, with a scatter that does not grow.
//
// Vincent, A connection between score matching and denoising autoencoders, Neural Computation 23 (2011) 1661–1674.
type denoising struct {
	sigma    float64
	weighted bool
	paired   bool // every ε goes with -ε
}

// weight is the factor on half the Fisher divergence.
func (f denoising) weight() float64 {
	if f.weighted {
		return f.sigma * f.sigma
	}
	return 1
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
	var loss *G.Node // (n, 1)
	if f.paired {
		z := graphs.Sub(b.X, graphs.Scale(eps, f.sigma))
		h := b.Gradient(b.E(z), z)
		squares := graphs.Scale(graphs.Add(halfSquare(g), halfSquare(h)), 0.5)
		loss = graphs.Sub(squares, graphs.Scale(rowDot(eps, graphs.Sub(g, h)), 0.5/f.sigma))
	} else {
		loss = halfSquare(graphs.Sub(graphs.Scale(eps, 1/f.sigma), g))
	}
	return graphs.Scale(graphs.Mean(loss), f.weight())
}

// multiDenoising is `dsm-multi`, the mean over levels σ_1 > … > σ_K of λ(σ_k) dsm(σ_k),
//
//	L = mean λ(σ) (½ |∇E|² - ε·∇E/σ),   ∇E at (x + σε, σ),   λ = δ √(σ² + δ²), or σ² if δ = 0,
//
// for an energy that knows the level; λ|ε/σ|²/2, a constant, is left out. Every point of a batch gets one level, in turn,
// from a random start, or the smallest, with the probability that the focus is. The energies are those of the blurred data at
// every level. Annealed Langevin from σ_1 down to σ_K samples the last one.
//
// λ = σ² is Song and Ermon's, which suits scores of the size 1/σ. Those of levels well below the finest detail of the data are
// no larger than that of the detail, 1/δ: with σ² they hardly count, and it is the smallest that is reported. What the large levels
// scatter the small ones feel, by the parameters they share: on 2spirals, 5500 steps of ebm train, the slope of the smallest
// level's score is 0.975 with λ = σ² + δ², 0.981 as above and with λ = δ², which loses a mode of 8gaussians the sooner, since the
// large levels lead the way when all begin. Where σ is small ε outweighs σ∇E by far. Paired, the loss is the mean of that at ε
// and -ε, as that of dsm is, and that scatter is cancelled at every level.
//
// Song and Ermon, Generative modeling by estimating gradients of the data distribution, arXiv 1907.05600, equation 6.
type multiDenoising struct {
	levels []float64
	floor  float64 // δ
	focus  float64
	paired bool    // every ε goes with -ε
	beside *beside // nil: the energy has no background
}

// beside is the background of an energy that is learnt beside one ([energy.Annealable.Beside]): with share ε of it the loss is
//
//	(1-ε) L_data(E_q) + ε mean λ(σ) ½ |∇E_q(y, σ) - ∇E_b(y, σ)|² + ½ λ(σ_K) (c₁-1)(c₂-1) + mean λ(σ) guard,   y ~ b_σ:
//
// that of the mixture of both, but for a constant, and the guard of a bridge. Of draws of b the score is known, and stands for what
// denoising estimates. The third term holds the integral of q at 1, as that of a bridge does (see unity), at the smallest level, from the points of
// that level: most are there, and for other levels means of a few would scatter too much.
type beside struct {
	energy *energy.Annealable
	y      mat.Dense
}

func newMultiDenoising(e energy.Conditional, cfg Config) multiDenoising {
	f := multiDenoising{levels: e.Levels(), floor: cfg.Floor, focus: cfg.Focus, paired: cfg.Paired}
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
		m := (n + 1) / 2 // draws of the background: they scatter little, see bridged
		in = append(in, Input{Name: "least", Shape: []int{n, 1}}, Input{Name: backgroundInput, Shape: []int{m, d}},
			Input{Name: "background_sigma", Shape: []int{m, 1}}, Input{Name: "background_least", Shape: []int{m, 1}})
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
	f.tell(in["least"], in["sigma"])
	f.tell(in["background_least"], sigma)
	y := view(&f.beside.y, in[backgroundInput], len(sigma), d)
	b, _ := f.beside.energy.Background()
	b.Sample(y, rng)
	for i, s := range sigma {
		for j := range d {
			y.RawRowView(i)[j] += s * rng.NormFloat64()
		}
	}
	return nil
}

// spread gives the levels in turn, from a random start, and the smallest where the focus falls.
func (f multiDenoising) spread(sigma []float64, rng *rand.Rand) {
	at := rng.IntN(len(f.levels))
	for i := range sigma {
		sigma[i] = f.levels[(at+i)%len(f.levels)]
		if f.focus > 0 && rng.Float64() < f.focus {
			sigma[i] = f.levels[len(f.levels)-1]
		}
	}
}

// tell fills dst with weights that make the sum over either half of the draws the mean over those of the smallest level.
func (f multiDenoising) tell(dst, sigma []float64) {
	least := f.levels[len(f.levels)-1]
	for _, half := range [2][2]int{{0, len(sigma) / 2}, {len(sigma) / 2, len(sigma)}} {
		var n float64
		for _, s := range sigma[half[0]:half[1]] {
			if s == least {
				n++
			}
		}
		for i := half[0]; i < half[1]; i++ {
			if dst[i] = 0; sigma[i] == least {
				dst[i] = 1 / n
			}
		}
	}
}

func (f multiDenoising) Loss(b *Builder) *G.Node {
	cond, ok := b.Energy().(energy.Conditional)
	if !ok {
		return graphs.Must(nil, fmt.Errorf("objectives: dsm-multi: the energy is not conditioned on a noise level; wrap it by energy.NewAnnealable"))
	}
	eps, sigma := b.In("eps"), b.In("sigma")
	data, fromData := f.denoise(b, cond, eps, sigma)
	if f.paired {
		at := b.Points() // regularisers act at x + σε
		mirrored, _ := f.denoise(b, cond, graphs.Neg(eps), sigma)
		b.SetPoints(at)
		data = graphs.Scale(graphs.Add(data, mirrored), 0.5)
	}
	if f.beside == nil {
		return data
	}
	lost := guard(graphs.Must(f.beside.energy.Correction(b.Points(), sigma, b.Theta)))
	held := graphs.Mean(graphs.Mul(f.lambdas(sigma), lost))
	y, sigma := b.In(backgroundInput), b.In("background_sigma")
	fromB, _, err := f.beside.energy.BuildMixed(y, sigma, b.Theta)
	graphs.Must(fromB, err)
	known := graphs.Mean(graphs.Mul(f.lambdas(sigma), halfSquare(b.Gradient(fromB, y))))
	_, share := f.beside.energy.Background()
	if whole := unity(share, odds{fromData, b.In("least")}, odds{fromB, b.In("background_least")}); whole != nil {
		held = graphs.Add(held, graphs.Scale(whole, f.lambda(f.levels[len(f.levels)-1])))
	}
	return graphs.Add(held, graphs.Add(graphs.Scale(data, 1-share), graphs.Scale(known, share)))
}

// denoise builds the loss on the data for one noise, and log b/q at the noisy points, nil without a background.
func (f multiDenoising) denoise(b *Builder, cond energy.Conditional, eps, sigma *G.Node) (loss, excess *G.Node) {
	wide := graphs.ExpandCols(sigma, b.D)
	y := graphs.Add(b.X, graphs.Mul(wide, eps))
	b.SetPoints(y)
	var e *G.Node
	if f.beside == nil {
		e = graphs.Must(cond.BuildAt(y, sigma, b.Theta))
	} else {
		var logb *G.Node
		var err error
		excess, logb, err = f.beside.energy.BuildMixed(y, sigma, b.Theta)
		e = graphs.Sub(graphs.Must(excess, err), logb)
	}
	r := graphs.Mul(wide, b.Gradient(e, y)) // σ∇E
	ratio := graphs.Mul(f.lambdas(sigma), graphs.Reciprocal(graphs.Square(sigma)))
	return graphs.Mean(graphs.Mul(ratio, graphs.Sub(halfSquare(r), rowDot(eps, r)))), excess
}

// lambda is λ(σ).
func (f multiDenoising) lambda(sigma float64) float64 {
	if f.floor == 0 {
		return sigma * sigma
	}
	return f.floor * math.Sqrt(sigma*sigma+f.floor*f.floor)
}

// lambdas builds λ of the levels sigma.
func (f multiDenoising) lambdas(sigma *G.Node) *G.Node {
	if f.floor == 0 {
		return graphs.Square(sigma)
	}
	return graphs.Scale(graphs.Sqrt(graphs.Shift(graphs.Square(sigma), f.floor*f.floor)), f.floor)
}
