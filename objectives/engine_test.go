package objectives_test

import (
	"math"
	"math/rand/v2"
	"strings"
	"testing"

	"gonum.org/v1/gonum/mat"
	G "gorgonia.org/gorgonia"

	"github.com/stheno-ebm/stheno/energy"
	"github.com/stheno-ebm/stheno/graphs"
	"github.com/stheno-ebm/stheno/objectives"
)

// meanEnergy is a form of one's own, or none.
type meanEnergy struct{ none bool }

func (meanEnergy) Inputs(n, d int) []objectives.Input                            { return nil }
func (meanEnergy) Draw(in objectives.Inputs, x *mat.Dense, rng *rand.Rand) error { return nil }
func (f meanEnergy) Loss(b *objectives.Builder) *G.Node {
	if f.none {
		return nil
	}
	return graphs.Mean(b.E(b.X))
}

// learner is a Learner that names no loss of its own.
type learner struct{ meanEnergy }

func (learner) OwnParams() *energy.Params {
	return energy.NewParams([]energy.Spec{{Name: "phi", Shape: []int{1}}})
}
func (learner) OwnRate() float64 { return 1e-3 }
func (learner) Repeats() int     { return 0 }

// Forms of one's own are refused by the rules of New.
func TestCompileRefuses(t *testing.T) {
	e := mlp(2)
	p := energy.Init(e, newRNG(1))
	if _, err := objectives.Compile(meanEnergy{}, e, p, objectives.Config{Batch: 4}); err != nil {
		t.Error(err)
	}
	for _, c := range []struct {
		form objectives.Form
		cfg  objectives.Config
		says string
	}{
		{meanEnergy{}, objectives.Config{Batch: -1}, "Batch = -1"},
		{meanEnergy{}, objectives.Config{Regularizers: []objectives.Regularizer{objectives.EnergyL2{Alpha: -1}}}, "Alpha = -1"},
		{meanEnergy{none: true}, objectives.Config{}, "Form.Loss returned nil"},
		{learner{}, objectives.Config{}, "SetOwnLoss"},
		{nil, objectives.Config{}, "no Form"},
	} {
		if _, err := objectives.Compile(c.form, e, p, c.cfg); err == nil || !strings.Contains(err.Error(), c.says) {
			t.Errorf("%T %+v: error %v does not mention %q", c.form, c.cfg, err, c.says)
		}
	}
}

// Evaluate leaves no trace: neither the state nor the loss of the next gradient tells whether it was called, on other points.
func TestEvaluateLeavesNoTrace(t *testing.T) {
	for _, name := range objectives.Names() {
		e := energyFor(small(name), 2)
		run := func(evaluate bool) (string, float64) {
			p := energy.Init(e, newRNG(1))
			o := must(objectives.New(small(name), e, p, setup(2)))
			grad := make([]float64, p.Len())
			other := normal(6, 2, 4)
			other.Scale(3, other)
			if evaluate {
				must(o.Evaluate(grad, other, nil))
			}
			s := must(o.Gradient(grad, normal(6, 2, 5), newRNG(6)))
			if evaluate {
				must(o.Evaluate(nil, other, nil))
			}
			return string(must(o.MarshalState())), s.Loss
		}
		plainState, plain := run(false)
		state, loss := run(true)
		if state != plainState {
			t.Errorf("%s: Evaluate moves the state", name)
		}
		if math.Float64bits(loss) != math.Float64bits(plain) {
			t.Errorf("%s: loss %g after Evaluate, %g without", name, loss, plain)
		}
	}
}
