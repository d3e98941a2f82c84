package objectives

import (
	"fmt"
	"math/rand/v2"

	"gonum.org/v1/gonum/mat"
	G "gorgonia.org/gorgonia"

	"github.com/stheno-ebm/stheno/energy"
	"github.com/stheno-ebm/stheno/graphs"
)

// bridged is an objective that matches scores, over an [energy.Bridge]: the objective itself on the data, and beside them
// draws y of the background, whose own score is known,
//
//	L = (1-ε) L_data(E_q) + ε mean ½|∇E_q(y) - ∇E_b(y)|² + ½λ (c₁-1)(c₂-1).
//
// For a loss that is half the Fisher divergence but for a constant, ½|∇E_q|² - tr ∇²E_q in the mean, this is the loss on the
// mixture of both: on draws of b partial integration, which trades the unknown score of the data for the trace, can be
// undone. What is left has no second derivative and vanishes at the truth wherever p does not reach, so that it costs and
// scatters little.
//
// A score does not tell a density from a multiple of it. With c q in place of q, c > 1, the odds stay above zero where there are
// no data, and c p + (c-1) ε/(1-ε) b would be taken for p: a share of the background remains. The last term holds the integral of
// q, E_b[q/b], at 1. c₁ and c₂ are its means over the halves of the draws, so that the product is (c-1)² in expectation
// and its gradient zero at the truth. It sees that one number, nothing of the shape of q.
type bridged struct {
	Form
	bridge *energy.Bridge
	y      *mat.Dense // a view
}

const backgroundInput = "background"

// Inputs adds one draw of the background for every second point.
func (f bridged) Inputs(n, d int) []Input {
	return append(f.Form.Inputs(n, d), Input{Name: backgroundInput, Shape: []int{(n + 1) / 2, d}})
}

func (f bridged) Draw(in Inputs, x *mat.Dense, rng *rand.Rand) error {
	f.bridge.SampleBackground(view(f.y, in[backgroundInput], len(in[backgroundInput])/f.bridge.Dim(), f.bridge.Dim()), rng)
	return f.Form.Draw(in, x, rng)
}

func (f bridged) Loss(b *Builder) *G.Node {
	eps := f.bridge.Config().Share
	y := b.In(backgroundInput)
	excess := graphs.Must(f.bridge.Excess(y, b.Theta))
	known := graphs.Mean(halfSquare(b.Gradient(excess, y)))
	loss := graphs.Add(graphs.Scale(f.Form.Loss(b), 1-eps), graphs.Scale(known, eps))
	n := y.Shape()[0]
	if n < 2 {
		return loss
	}
	return graphs.Add(loss, graphs.Scale(graphs.Mul(surplus(excess, 0, n/2), surplus(excess, n/2, n)), unity/2))
}

// unity is λ, the weight of the integral of q.
const unity = 1.0

// surplus builds mean q(y)/b(y) - 1 over the rows lo … hi of log b/q.
func surplus(excess *G.Node, lo, hi int) *G.Node {
	return graphs.Shift(graphs.Mean(graphs.Exp(graphs.Neg(graphs.SliceRows(excess, lo, hi)))), -1)
}

// fits reports an objective that a bridge is not for, or a blur that is not the objective's.
func fits(name string, score bool, bridge energy.BridgeConfig, cfg Config) error {
	if !score || name == "dsm-multi" {
		return fmt.Errorf("objectives: a bridge is for objectives that match the score of one density, %s sees the weights of modes itself; leave it out", name)
	}
	sigma := 0.0
	if name == "dsm" {
		sigma = cfg.Sigma // dsm learns the blurred mixture: both parts are blurred
	}
	if bridge.Blur != sigma {
		return fmt.Errorf("objectives: %s blurs the data by %g, the bridge by %g; set BridgeConfig.Blur to %g", name, sigma, bridge.Blur, sigma)
	}
	return nil
}
