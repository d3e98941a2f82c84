package objectives

import (
	"cmp"
	"errors"
	"fmt"
	"math"
	"math/rand/v2"
	"slices"

	"gonum.org/v1/gonum/mat"
	G "gorgonia.org/gorgonia"

	"github.com/stheno-ebm/stheno/energy"
	"github.com/stheno-ebm/stheno/graphs"
	"github.com/stheno-ebm/stheno/graphs/vector"
)

// MultiDenoising is `dsm-multi`, the mean over levels σ_1 > … > σ_K of λ(σ_k) dsm(σ_k),
//
//	L = mean λ(σ) (½ |∇E|² - ε·∇E/σ),   ∇E at (x + σε, σ),   λ = δ √(σ² + δ²), or σ² if δ = 0,
//
// for an energy conditioned on the level; the constant λ|ε/σ|²/2 is omitted. Every point of a batch gets one level, in
// turn from a random start, or, with the probability given by Focus, the smallest. The energies are those of the
// blurred data at every level. Annealed Langevin from σ_1 down to σ_K samples the last one.
//
// λ = σ² is Song and Ermon's choice, which suits scores of order 1/σ. Scores at levels well below the finest detail of
// the data are no larger than that of the detail, 1/δ: with σ² they hardly count, yet the smallest is reported. Noise
// from the large levels reaches the small ones through shared parameters: on 2spirals, 5500 steps of ebm train, the
// slope of the smallest level's score is 0.975 with λ = σ² + δ², 0.981 as above and with λ = δ², which loses a mode of
// 8gaussians more easily, since the large levels lead the way in the beginning. For small σ, ε is much larger than σ∇E.
// Paired, as by default, the loss is the mean of the values at ε and -ε, as for dsm, and that variance cancels at every
// level.
//
// Song and Ermon, Generative modeling by estimating gradients of the data distribution, arXiv 1907.05600, equation 6.
type MultiDenoising struct {
	Sigma    float64 `json:"sigma" help:"Smallest noise in units of the data, by which the reported density is blurred; 0.00125 of their deviation by default."`
	SigmaMax float64 `json:"sigma-max" help:"Largest noise, large enough to join the modes of the data; 1.5 of their deviation by default, more above two dimensions."`
	// 2 to 1000; 0 means 8
	Levels   int  `json:"levels" help:"Noise levels from the largest to the smallest, in equal ratios; 8 by default."`
	Unpaired bool `json:"unpaired" help:"Do not pair noise with its negative: half the cost, but more variance, the more the smaller the noise."`

	Sigmas []float64 `json:"-"` // the levels themselves, decreasing, instead of these
	Floor  float64   `json:"-"` // δ, about the finest detail; 0 means a tenth of the data's deviation, negative none
	Focus  float64   `json:"-"` // share of points that get the smallest level; 0 means 0.75, negative none
}

func init() { Register("dsm-multi", MultiDenoising{}) }

// Traits describes the objective.
func (m MultiDenoising) Traits() Traits {
	return Traits{Summary: "denoising score matching at many noise levels, for annealed sampling",
		Source: "Song and Ermon 2019",
		Score:  true, Bridge: true, Levels: m.levels(),
		Bias: "learns the data blurred at every level; the energy of the smallest is reported"}
}

// levels returns σ_1 > … > σ_K, nil if not yet known.
func (m MultiDenoising) levels() []float64 {
	switch {
	case m.Sigmas != nil:
		return m.Sigmas
	case m.Levels < 1:
		m = m.Suited(Facts{}).(MultiDenoising)
	}
	return energy.GeometricLevels(m.SigmaMax, m.Sigma, m.Levels)
}

// Validate names the fields out of range.
func (m MultiDenoising) Validate() error {
	c := Check(m).That(m.Focus < 1, "Focus", "below 1")
	c.That(!math.IsNaN(m.Floor) && !math.IsInf(m.Floor, 0), "Floor", "a finite number")
	if m.Sigmas != nil {
		falling := len(m.Sigmas) > 1 && m.Sigmas[len(m.Sigmas)-1] > 0 && !math.IsInf(m.Sigmas[0], 1)
		for i := 1; i < len(m.Sigmas); i++ {
			falling = falling && m.Sigmas[i] < m.Sigmas[i-1]
		}
		return c.That(falling, "Sigmas", "at least two levels that fall, above 0").Err()
	}
	c.Positive("Sigma").Whole("Levels", 2, 1000)
	return c.That(m.SigmaMax > m.Sigma && !math.IsInf(m.SigmaMax, 1), "SigmaMax",
		fmt.Sprintf("> %g, the smallest: the levels fall from one to the other", m.Sigma)).Err()
}

// Suited sets zero fields. The largest level joins modes, whose distances grow as the square root of the dimension.
func (m MultiDenoising) Suited(data Facts) Method {
	if m.Sigmas == nil {
		m.Sigma = cmp.Or(m.Sigma, round(leastNoise*data.spread()))
		m.SigmaMax = cmp.Or(m.SigmaMax, round(1.5*data.spread()*math.Sqrt(float64(max(data.dim(), 2))/2)))
		m.Levels = cmp.Or(m.Levels, 8)
	}
	m.Floor = cmp.Or(m.Floor, 0.1*data.spread())
	m.Focus = cmp.Or(m.Focus, 0.75) // most of the work is at the level that is reported
	return m
}

// Recipe returns the recipe for objectives that match scores, with larger batches, since every point has one level.
func (MultiDenoising) Recipe(data Facts) Recipe {
	r := ScoreRecipe(data)
	r.Batch, r.Warmup = 576, 500
	return r
}

// Form returns the loss over an energy with the levels of m.
func (m MultiDenoising) Form(s Setup) (Form, error) {
	cond, ok := s.Energy.(energy.NoiseConditional)
	if !ok {
		return nil, errors.New("objectives: dsm-multi needs an energy conditioned on the noise level; wrap a " +
			"network of d+1 variables by energy.NewAnnealable")
	}
	if has, want := cond.Levels(), m.levels(); !slices.Equal(has, want) {
		return nil, fmt.Errorf("objectives: the energy has %s, dsm-multi %s; make the energy for the levels of its "+
			"Traits, or set Sigmas to those of the energy",
			span(has), span(want))
	}
	f := multiForm{levels: cond.Levels(), floor: max(m.Floor, 0), focus: max(m.Focus, 0), paired: !m.Unpaired}
	if a, ok := s.Energy.(*energy.Annealable); ok {
		if b, _ := a.Background(); b != nil {
			f.beside = &levelled{energy: a}
		}
	}
	return f, nil
}

// span describes levels.
func span(levels []float64) string {
	if len(levels) == 0 {
		return "no levels"
	}
	return fmt.Sprintf("%d levels from %g to %g", len(levels), levels[0], levels[len(levels)-1])
}

type multiForm struct {
	levels []float64
	floor  float64 // δ
	focus  float64
	paired bool      // every ε is paired with -ε
	beside *levelled // nil: the energy has no background
}

// levelled is the background of an energy that is learnt with one ([energy.Annealable.Beside]): with its share ε the
// loss is
//
//	(1-ε) L_data(E_q) + ε mean λ(σ) ½ |∇E_q(y, σ) - ∇E_b(y, σ)|² + ½ λ(σ_K) (c₁-1)(c₂-1) + mean λ(σ) tails,   y ~ b_σ:
//
// that of the mixture of both, up to a constant, plus that of small odds (see tails). At draws from b the score is
// known and replaces what denoising estimates. The third term keeps the integral of q at 1, like that of a bridge (see
// unity), at the smallest level, using the points of that level: most are there, and means over the few at other levels
// would be too noisy.
type levelled struct {
	energy *energy.Annealable
	y      mat.Dense
}

func (f multiForm) Inputs(n, d int) []Input {
	in := []Input{{Name: "eps", Shape: []int{n, d}}, {Name: "sigma", Shape: []int{n, 1}}}
	if f.beside != nil {
		m := (n + 1) / 2 // draws from the background: they have little variance, see bridged
		in = append(in, Input{Name: "least", Shape: []int{n, 1}}, Input{Name: backgroundInput, Shape: []int{m, d}},
			Input{Name: "background_sigma", Shape: []int{m, 1}}, Input{Name: "background_least", Shape: []int{m, 1}})
	}
	return in
}

func (f multiForm) Draw(in Inputs, x *mat.Dense, rng *rand.Rand) error {
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

// spread assigns the levels in turn, from a random start, or the smallest with the probability of the focus.
func (f multiForm) spread(sigma []float64, rng *rand.Rand) {
	at := rng.IntN(len(f.levels))
	for i := range sigma {
		sigma[i] = f.levels[(at+i)%len(f.levels)]
		if f.focus > 0 && rng.Float64() < f.focus {
			sigma[i] = f.levels[len(f.levels)-1]
		}
	}
}

// tell fills dst with weights that turn the sum over either half of the draws into the mean over those at the smallest
// level.
func (f multiForm) tell(dst, sigma []float64) {
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

func (f multiForm) Loss(b *Builder) *G.Node {
	cond, ok := b.Energy().(energy.NoiseConditional)
	if !ok {
		return graphs.Must(nil, errors.New("objectives: dsm-multi: the energy is not conditioned on a noise level; "+
			"wrap it by energy.NewAnnealable"))
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
	y, levels := b.In(backgroundInput), b.In("background_sigma")
	_, share := f.beside.energy.Background()
	onData, onB := tails(graphs.Must(f.beside.energy.Odds(b.Points(), sigma, b.Theta)),
		graphs.Must(f.beside.energy.Odds(y, levels, b.Theta)), share)
	held := graphs.Add(graphs.Mean(graphs.Mul(f.lambdas(sigma), onData)), graphs.Mean(graphs.Mul(f.lambdas(levels), onB)))
	fromB, _, err := f.beside.energy.BuildMixed(y, levels, b.Theta)
	graphs.Must(fromB, err)
	known := graphs.Mean(graphs.Mul(f.lambdas(levels), halfSquare(b.Gradient(fromB, y))))
	if whole := unity(share, odds{fromData, b.In("least")}, odds{fromB, b.In("background_least")}); whole != nil {
		held = graphs.Add(held, graphs.Scale(whole, f.lambda(f.levels[len(f.levels)-1])))
	}
	return graphs.Add(held, graphs.Add(graphs.Scale(data, 1-share), graphs.Scale(known, share)))
}

// denoise builds the loss on the data for one noise, and log b/q at the noisy points (nil without a background).
func (f multiForm) denoise(b *Builder, cond energy.NoiseConditional, eps, sigma *G.Node) (loss, excess *G.Node) {
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

// lambda returns λ(σ).
func (f multiForm) lambda(sigma float64) float64 {
	if f.floor == 0 {
		return sigma * sigma
	}
	return f.floor * math.Sqrt(sigma*sigma+f.floor*f.floor)
}

// lambdas builds λ at the levels sigma.
func (f multiForm) lambdas(sigma *G.Node) *G.Node {
	if f.floor == 0 {
		return graphs.Square(sigma)
	}
	return graphs.Scale(graphs.Sqrt(graphs.Shift(graphs.Square(sigma), f.floor*f.floor)), f.floor)
}
