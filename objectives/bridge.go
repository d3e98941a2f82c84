package objectives

import (
	"math/rand/v2"

	"gonum.org/v1/gonum/mat"
	G "gorgonia.org/gorgonia"

	"github.com/stheno-ebm/stheno/energy"
	"github.com/stheno-ebm/stheno/graphs"
)

// beside is a score-matching form over an [energy.Bridge]: the objective itself on the data plus, on draws y from the
// background, whose score is known, a direct comparison,
//
//	L = (1-ε) L_data(E_q) + ε mean ½|∇E_q(y) - ∇E_b(y)|² + ½(c₁-1)(c₂-1) + tails.
//
// For a loss that is half the Fisher divergence up to a constant, the mean of ½|∇E_q|² - tr ∇²E_q, this is the loss on
// the mixture of both: on draws from b the integration by parts that replaces the unknown score of the data by the
// trace can be undone. The remaining term has no second derivative and vanishes at the truth wherever p is negligible,
// so it is cheap and has little variance.
//
// A score does not distinguish a density from a multiple of it. With c q in place of q, c > 1, the odds stay above zero
// where there are no data, and c p + (c-1) ε/(1-ε) b would be mistaken for p: a share of the background remains. The
// third term, see unity, keeps the integral of q at 1; the last, see tails, learns the odds where they are small, which
// no score shows.
//
// If the objective weights its loss, as dsm may by σ², the other terms are weighted likewise: the sum must vanish at
// the truth.
type beside struct {
	Form
	back   *background
	weight float64
}

const backgroundInput = "background"

// Inputs adds one draw of the background for every second point.
func (f beside) Inputs(n, d int) []Input {
	return append(f.Form.Inputs(n, d), f.back.inputs((n+1)/2, d)...)
}

func (f beside) Draw(in Inputs, x *mat.Dense, rng *rand.Rand) error {
	f.back.draw(in, rng)
	return f.Form.Draw(in, x, rng)
}

func (f beside) Loss(b *Builder) *G.Node {
	eps, own := f.back.share(), f.Form.Loss(b)
	drift, held := f.back.known(b, b.Points()) // blurred if the form blurs them, and then so is the background
	known := graphs.Mean(halfSquare(drift))
	return graphs.Add(graphs.Scale(held, f.weight),
		graphs.Add(graphs.Scale(own, 1-eps), graphs.Scale(known, eps*f.weight)))
}

// background is what objectives use of an energy.Bridge: draws from b, and what is known there. The Stein discrepancies
// hold their own, since they are not means over single points to which another could be added: ksd compares pairs, lsd
// has a critic of all points. A nil background has no rows.
type background struct {
	bridge *energy.Bridge
	y      mat.Dense // a view
}

func newBackground(e energy.Energy) *background {
	if r, ok := e.(*energy.Bridge); ok {
		return &background{bridge: r}
	}
	return nil
}

// pairs returns the number of draws from b beside n points if points are compared with one another.
func (s *background) pairs(n int) int {
	if s == nil {
		return 0
	}
	return max((n+1)/2, 2)
}

// share returns ε.
func (s *background) share() float64 {
	if s == nil {
		return 0
	}
	return s.bridge.Config().Share
}

func (s *background) inputs(rows, d int) []Input {
	if s == nil {
		return nil
	}
	return []Input{{Name: backgroundInput, Shape: []int{rows, d}}}
}

func (s *background) draw(in Inputs, rng *rand.Rand) {
	if s != nil {
		v, d := in[backgroundInput], s.bridge.Dim()
		s.bridge.SampleBackground(view(&s.y, v, len(v)/d, d), rng)
	}
}

// known builds, at the draws from b, the drift s_q - s_b (m, d), to which a score or a Stein operator of the mixture
// reduces there, and, for data x, the terms that keep the integral of q at 1 and learn small odds.
func (s *background) known(b *Builder, x *G.Node) (drift, held *G.Node) {
	excess := func(x *G.Node) *G.Node { return graphs.Must(s.bridge.Excess(x, b.Theta)) } // log b/q
	y := b.In(backgroundInput)
	fromB := excess(y)
	onData, onB := tails(graphs.Must(s.bridge.Odds(x, b.Theta)), graphs.Must(s.bridge.Odds(y, b.Theta)), s.share())
	held = plus(unity(s.share(), odds{excess(x), nil}, odds{fromB, nil}),
		graphs.Add(graphs.Mean(onData), graphs.Mean(onB)))
	return graphs.Neg(b.Gradient(fromB, y)), held
}

// tails builds, from log r (n, 1) at the data x and at draws y from b, the two parts of a loss of small odds,
//
//	w [ (1-ε) mean( log(1+1/r) - 1/(1+r) )(x) + ε mean( r/(1+r) )(y) ],   w = 50.
//
// Its derivative in log r is w (ε b r - (1-ε) p)/(1+r)² at every point, zero where r is right, whatever else is wrong:
// it tells data from background, as a logistic regression does, but only as far as a point may be from the background.
// Where data prevail the score decides. The score of q does not show small odds, for q hardly depends on them: without
// this term r was left at about 0.01 between modes, where it is zero, and a quarter of a percent of the samples were
// there. And as f grows, the derivative of the data's part tends to 2(1-ε)w, so that a mode lost while the network was
// still coarse comes back: its data are still there.
//
// With w = 1, 10, 30, in an earlier form of the odds, the reverse KL of sm on 2spirals was 0.014, 0.005 and 0.002 nats,
// KL(data‖model) 0.0014, 0.0010 and 0.0008, and the Fisher divergence the same throughout.
func tails(data, background *G.Node, eps float64) (onData, onB *G.Node) {
	const pull = 50 // w
	not := graphs.Neg(data)
	missed := graphs.Sub(graphs.Softplus(not), graphs.Sigmoid(not))
	return graphs.Scale(missed, pull*(1-eps)), graphs.Scale(graphs.Sigmoid(background), pull*eps)
}

// odds is log b/q (n, 1) at n points, with weights that sum to 1, or to 0, over either half; nil means equal weights.
type odds struct{ excess, weights *G.Node }

// miss builds the mean of b/q - 1 over half k.
func (o odds) miss(k int) *G.Node {
	n := o.excess.Shape()[0]
	lo, hi := k*(n/2), n/2+k*(n-n/2)
	m := graphs.SliceRows(graphs.Shift(graphs.Exp(o.excess), -1), lo, hi)
	if o.weights == nil {
		return graphs.Mean(m)
	}
	return graphs.Sum(graphs.Mul(graphs.SliceRows(o.weights, lo, hi), m))
}

// unity builds the term that keeps the integral of q at 1,
//
//	½ (c₁-1)(c₂-1),   c = (1-ε) mean b/q (x) + ε mean b/q (y),
//
// with c₁ and c₂ over halves of data x and draws y from b, so that it is ½(c-1)² in expectation and its gradient is
// zero at the truth. The points follow the true mixture q*, and E[b/q] = ∫ b q*/q is 1 if q = q*, and 1/C if q = C q*.
// It sees only this number, not the shape of q. b/q is at most 1/ε; its inverse, the mean of q/b over b, is unbounded,
// and a single draw in a dimple of the energy made objectives diverge. It is nil if there are too few points for
// halves.
func unity(eps float64, data, background odds) *G.Node {
	if data.excess.Shape()[0] < 2 || background.excess.Shape()[0] < 2 {
		return nil
	}
	miss := func(k int) *G.Node {
		return graphs.Add(graphs.Scale(data.miss(k), 1-eps), graphs.Scale(background.miss(k), eps))
	}
	return graphs.Scale(graphs.Mul(miss(0), miss(1)), 0.5)
}
