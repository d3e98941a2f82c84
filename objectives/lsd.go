package objectives

import (
	"cmp"
	"math/rand/v2"

	"gonum.org/v1/gonum/floats"
	"gonum.org/v1/gonum/mat"
	G "gorgonia.org/gorgonia"

	"github.com/stheno-ebm/stheno/energy"
	"github.com/stheno-ebm/stheno/graphs"
	"github.com/stheno-ebm/stheno/graphs/vector"
)

// LearnedStein is `lsd`, the Stein discrepancy with a learnt critic f_φ: R^d → R^d,
//
//	max_φ  mean( s(x)ᵀf(x) + tr ∇f(x) ) - λ mean |f(x)|²,   then θ descends the first mean.
//
// For the best critic, f = (s - s_data)/2λ, the gradient in θ is that of the Fisher divergence over 4λ. For every
// critic the first mean vanishes at the truth (Stein's identity). The trace is estimated by Hutchinson's εᵀ∇f ε. The
// critic is an MLP with two hidden layers, updated by Adam several times per gradient; where it lags, so does the
// descent. To resolve sharp scores it sees, besides x, sines and cosines of x with learnt frequencies (Features). The
// learning rates matter: the energy has to be slower than its critic, or it outruns it and loses modes (8gaussians with
// 0.001 for both), and a critic that is too fast dies (with 0.003 that of 2spirals was almost zero after 1500 steps,
// and the energy drifted off).
//
// With a background (energy.Bridge) L is that of the mixture, with a critic for each part. On draws from b, whose score
// is known, the best critic is known, too: (s_q - s_b)/2λ, which leaves |s_q - s_b|²/4λ. On data the best one is (s_q -
// s_data)/2λ, which is not zero at the truth, and as sharp as the data. The model's own score s_p = -∇E supplies that
// part: f has two parts,
//
//	f = (s_q - s_p)/2λ + f_φ,   max_φ  mean( s_pᵀf_φ + tr ∇f_φ ) - λ mean |f_φ|²,
//
// the first held fixed in the derivative of L, without its trace, which does not depend on θ. The rest, left to the
// critic, (s_p - s_data)/2λ, vanishes at the truth, and so does the bias of a lagging critic.
//
// Grathwohl, Wang, Jacobsen, Duvenaud and Zemel, Learning the Stein discrepancy for training and evaluating
// energy-based models without sampling, arXiv 2002.05616, algorithm 2.
type LearnedStein struct {
	// sines and cosines that the critic sees besides x; 0 means 32, negative none
	Features int     `json:"-" zero:"none"`
	Width    int     `json:"-"` // of the critic's two hidden layers; 0 means 128
	Rate     float64 `json:"-"` // learning rate of the critic; 0 means 0.002
	Repeats  int     `json:"-"` // steps of the critic per gradient; 0 means 5
	Penalty  float64 `json:"-"` // λ; 0 means 0.5
}

func init() { Register("lsd", LearnedStein{}) }

// Traits describes the objective.
func (LearnedStein) Traits() Traits {
	return Traits{Summary: "Stein discrepancy with a learnt critic", Source: "Grathwohl et al. 2020", Score: true,
		Bridge: true, Whole: true, Aux: true,
		Bias: "as far as the critic lags behind its optimum"}
}

// Validate names the fields out of range.
func (m LearnedStein) Validate() error {
	c := Check(m).Whole("Features", 1, mostWidth).Whole("Width", 1, mostWidth).Positive("Rate")
	return c.Whole("Repeats", 1, mostTurns).Positive("Penalty").Err()
}

// Suited sets what is zero.
func (m LearnedStein) Suited(Facts) Method {
	m.Features, m.Width, m.Rate = cmp.Or(m.Features, 32), cmp.Or(m.Width, 128), cmp.Or(m.Rate, 2e-3)
	m.Repeats, m.Penalty = cmp.Or(m.Repeats, 5), cmp.Or(m.Penalty, 0.5)
	return m
}

// Recipe returns the recipe for objectives that match scores, slower than the critic, which has to keep up.
func (LearnedStein) Recipe(data Facts) Recipe {
	r := ScoreRecipe(data)
	r.LearningRate, r.Clip, r.Batch, r.Steps = 7e-4, 1, 400, 2500
	return r
}

// criticScale is the spread of the critic's initial frequencies in radians per deviation of the data in two dimensions;
// in more it falls as 1/d.
const criticScale = 8

// Form returns the loss.
func (m LearnedStein) Form(s Setup) (Form, error) {
	d, rng := s.Energy.Dim(), s.rng()
	f := &criticForm{m: m, d: d, features: max(m.Features, 0), beside: newBackground(s.Energy)}
	if f.beside != nil {
		cfg, err := s.evaluator(s.Batch), error(nil)
		if f.mixed, err = energy.NewEvaluator(f.beside.bridge.Mixed(), s.Params, cfg); err != nil {
			return nil, err
		}
		if f.own, err = energy.NewEvaluator(s.Energy, s.Params, cfg); err != nil {
			return nil, err
		}
		f.e, f.slope = make([]float64, s.Batch), *mat.NewDense(s.Batch, d, nil)
	}
	f.phi = newNet([]int{d + 2*f.features, m.Width, m.Width, d}, "critic", rng)
	if f.features == 0 {
		return f, nil
	}
	net := f.phi
	f.phi = energy.NewParams(append([]energy.Spec{{Name: "critic.features.weight", Shape: []int{f.features, d}}},
		net.Specs()...))
	b := f.phi.Data()[:f.features*d]
	vector.Normal(b, rng)
	vector.Scale(b, criticScale*2/float64(max(d, 2))/FactsOf(s.Data).spread(), b)
	copy(f.phi.Data()[len(b):], net.Data())
	return f, nil
}

type criticForm struct {
	m        LearnedStein
	d        int
	features int
	phi      *energy.Params
	beside   *background // nil without a bridge

	mixed, own *energy.Evaluator // of E_q and E; nil without a bridge
	e          []float64
	slope      mat.Dense
	known      mat.Dense // a view
}

func (f *criticForm) OwnParams() *energy.Params { return f.phi }

func (f *criticForm) OwnRate() float64 { return f.m.Rate }
func (f *criticForm) Repeats() int     { return f.m.Repeats }

func (f *criticForm) Inputs(n, d int) []Input {
	in := append(f.beside.inputs(f.beside.pairs(n), d), Input{Name: "eps", Shape: []int{n, d}})
	if f.beside != nil {
		in = append(in, Input{Name: "known", Shape: []int{n, d}, Derived: true}) // (s_q - s_p)/2λ
	}
	return in
}

func (f *criticForm) Derive(in Inputs, x *mat.Dense) error {
	if f.beside == nil {
		return nil
	}
	n, d := x.Dims()
	known := view(&f.known, in["known"], n, d)
	if err := f.own.EnergyGrad(f.e, known, x); err != nil {
		return err
	}
	if err := f.mixed.EnergyGrad(f.e, &f.slope, x); err != nil {
		return err
	}
	v := known.RawMatrix().Data
	floats.Sub(v, f.slope.RawMatrix().Data)
	floats.Scale(1/(2*f.m.Penalty), v)
	return nil
}

func (f *criticForm) Draw(in Inputs, x *mat.Dense, rng *rand.Rand) error {
	f.beside.draw(in, rng)
	Rademacher.draw(in["eps"], f.d, rng)
	return nil
}

// critic builds f (n, d) at the rows of x.
func (f *criticForm) critic(x *G.Node, own G.Nodes) *G.Node {
	if f.features == 0 {
		return buildNet(x, own)
	}
	z := graphs.MatMul(x, own[0], false, true) // (n, features)
	return buildNet(graphs.ConcatCols(x, graphs.Cos(z), graphs.Sin(z)), own[1:])
}

func (f *criticForm) Loss(b *Builder) *G.Node {
	eps := b.In("eps")
	c := f.critic(b.X, b.Own) // (n, d)
	jvp := graphs.Must(graphs.JVP(c, G.Nodes{b.X}, G.Nodes{eps}))
	trace := rowDot(eps, jvp)
	g := b.Gradient(b.E(b.X), b.X)
	size := graphs.Scale(graphs.Mean(graphs.RowSum(graphs.Square(c))), f.m.Penalty)
	if f.beside == nil {
		stein := graphs.Mean(graphs.Sub(trace, rowDot(g, c)))
		b.SetOwnLoss(graphs.Sub(size, stein))
		return stein
	}
	own := b.Gradient(graphs.Must(f.beside.bridge.Build(b.X, b.Theta)), b.X) // ∇E
	b.SetOwnLoss(graphs.Sub(size, graphs.Mean(graphs.Sub(trace, rowDot(own, c)))))
	stein := graphs.Mean(graphs.Sub(trace, rowDot(g, graphs.Add(c, b.In("known")))))
	share := f.beside.share()
	drift, held := f.beside.known(b, b.X)
	known := graphs.Mean(graphs.RowSum(graphs.Square(drift)))
	return graphs.Add(held, graphs.Add(graphs.Scale(stein, 1-share), graphs.Scale(known, share/(4*f.m.Penalty))))
}
