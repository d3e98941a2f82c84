package objectives_test

import (
	"bytes"
	"math"
	"testing"

	"gonum.org/v1/gonum/mat"
	G "gorgonia.org/gorgonia"

	"github.com/stheno-ebm/stheno/energy"
	"github.com/stheno-ebm/stheno/energy/safetensors"
	"github.com/stheno-ebm/stheno/graphs"
	"github.com/stheno-ebm/stheno/objectives"
)

// The learnt Stein discrepancy over a bridge: at the truth, which is not the background, its gradient is zero but for
// chance with a critic that says nothing, since what the critic of the mixture has to say there is known. Data that
// are wider it tells, and so it does where the critic knows nothing of that: the weights of data and background
// change.
func TestLearnedSteinOverBridge(t *testing.T) {
	const share, sd, batch, reps, tolerance = 0.3, 1.1, 64, 400, 5.0
	b := must(energy.NewMixture(mat.NewDense(1, 2, nil), []float64{1}, []float64{1}))
	p := must(energy.NewMixture(mat.NewDense(1, 2, nil), []float64{sd}, []float64{1}))
	// f + θ₁ |x|² + θ₂ x₁x₂ + θ₃, where f makes the model p: with u = exp(f), p/b = (1+a)/(u(1+au)), a = exp(-2).
	e := energy.Func{D: 2, Params: []energy.Spec{{Name: "theta", Shape: []int{3, 1}}},
		F: func(x *G.Node, theta G.Nodes) (*G.Node, error) {
			a := math.Exp(-2)
			return graphs.Try(func() *G.Node {
				sq := graphs.RowSum(graphs.Square(x))
				logbp := graphs.Shift(graphs.Scale(sq, 0.5/(sd*sd)-0.5), 2*math.Log(sd))
				root := graphs.Sqrt(graphs.Shift(graphs.Scale(graphs.Exp(logbp), 4*a*(1+a)), 1))
				f := graphs.Log(graphs.Scale(graphs.Shift(root, -1), 0.5/a))
				cross := graphs.Mul(graphs.SliceCols(x, 0, 1), graphs.SliceCols(x, 1, 2))
				return graphs.Add(f, graphs.MatMul(graphs.ConcatCols(sq, cross, graphs.OnesLike(sq)), theta[0], false,
					false))
			})
		}}
	bridge := must(energy.NewBridge(e, energy.BridgeConfig{Background: b, Share: share}))
	params := energy.Init(bridge, newRNG(1))
	clear(params.View("theta"))
	params.Changed()
	at := normal(5, 2, 2)
	got, want := make([]float64, 5), make([]float64, 5)
	ev := must(energy.NewEvaluator(bridge, params, energy.EvaluatorConfig{Batch: 5, Precision: energy.Float64}))
	if err := ev.Energies(got, at); err != nil {
		t.Fatal(err)
	}
	p.LogProb(want, at)
	for i := range got {
		if math.Abs(got[i]+want[i]) > 1e-9 {
			t.Fatalf("the model is not p: E = %g, want %g", got[i], -want[i])
		}
	}
	cfg := setup(2)
	cfg.Batch = batch
	lsd := objectives.LearnedStein{Features: -1, Width: 64, Rate: 1e-12} // the critic starts at zero and stays there
	worst := func(width float64) float64 {
		return worstMean(must(objectives.New(lsd, bridge, params, cfg)), params.Len(), p, width, batch, reps, 1e-20)
	}
	vanishesAtTruth(t, worst, tolerance)

	// The mean gradient of the critic itself, where the critic is zero, in Adam's first moment: it is zero at the
	// truth, too.
	critic := func(width float64) float64 {
		o := must(objectives.New(lsd, bridge, params, cfg))
		start := must(o.MarshalState())
		rng, x, grad := newRNG(6), mat.NewDense(batch, 2, nil), make([]float64, params.Len())
		var sum, squares []float64
		for range reps {
			p.Sample(x, rng)
			x.Scale(width, x)
			if err := o.UnmarshalState(start); err != nil {
				t.Fatal(err)
			}
			must(o.Gradient(grad, x, rng))
			state := must(o.MarshalState())
			state = state[8:] // behind the length of the form's own, which is nothing
			m := must(safetensors.Read(bytes.NewReader(state), int64(len(state)))).Tensor("own.m").Data
			if sum == nil {
				sum, squares = make([]float64, len(m)), make([]float64, len(m))
			}
			for i, g := range m {
				sum[i] += g
				squares[i] += g * g
			}
		}
		most := 0.0
		for i := range sum {
			if mean := sum[i] / reps; squares[i] > 1e-16 {
				most = max(most, math.Abs(mean)/math.Sqrt((squares[i]/reps-mean*mean)/reps))
			}
		}
		return most
	}
	vanishesAtTruth(t, critic, tolerance)
}
