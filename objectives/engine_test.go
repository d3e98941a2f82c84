package objectives_test

import (
	"math"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"gonum.org/v1/gonum/mat"
	G "gorgonia.org/gorgonia"

	"github.com/stheno-ebm/stheno/energy"
	"github.com/stheno-ebm/stheno/graphs"
	"github.com/stheno-ebm/stheno/objectives"
)

// meanEnergy is a user-defined form, or none.
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

// User-defined forms are refused if they break the rules of New.
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
		{meanEnergy{}, objectives.Config{Regularizers: []objectives.Regularizer{objectives.EnergyL2{Alpha: -1}}},
			"Alpha = -1"},
		{meanEnergy{none: true}, objectives.Config{}, "Form.Loss returned nil"},
		{learner{}, objectives.Config{}, "SetOwnLoss"},
		{nil, objectives.Config{}, "no Form"},
	} {
		if _, err := objectives.Compile(c.form, e, p, c.cfg); err == nil || !strings.Contains(err.Error(), c.says) {
			t.Errorf("%T %+v: error %v does not mention %q", c.form, c.cfg, err, c.says)
		}
	}
}

// Evaluate leaves no trace: neither the state nor the loss of the next gradient shows whether it was called, on other
// points.
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

// told is a user-defined score matching with everything that a form can have.
type told struct {
	objectives.ScoreMatching
	form *toldForm
}

func (m told) Suited(objectives.Facts) objectives.Method      { return m }
func (m told) Form(objectives.Setup) (objectives.Form, error) { return m.form, nil }

type toldForm struct{ updates, reports, derived float64 }

func (*toldForm) Inputs(n, d int) []objectives.Input {
	return []objectives.Input{{Name: "scale", Shape: []int{1}, Derived: true}}
}
func (*toldForm) Draw(objectives.Inputs, *mat.Dense, *rand.Rand) error { return nil }
func (f *toldForm) Derive(in objectives.Inputs, _ *mat.Dense) error {
	in["scale"][0] = 1
	f.derived++
	return nil
}
func (*toldForm) Loss(b *objectives.Builder) *G.Node {
	u := b.E(b.X)
	g := b.Gradient(u, b.X)
	b.Yield("slope", graphs.Mean(graphs.Square(g)))
	each := graphs.Sub(graphs.Scale(graphs.RowSum(graphs.Square(g)), 0.5), graphs.Must(graphs.HessianTrace(u, b.X)))
	return graphs.Mean(graphs.Mul(each, graphs.Fill(b.In("scale"), each)))
}
func (f *toldForm) Report(out objectives.Inputs, s *objectives.Stats) {
	f.reports++
	s.Positive = out["slope"][0]
}
func (f *toldForm) Update(objectives.Inputs) error { f.updates++; return nil }
func (f *toldForm) MarshalState() ([]byte, error)  { return []byte{byte(f.updates)}, nil }
func (f *toldForm) UnmarshalState(b []byte) error  { f.updates = float64(b[0]); return nil }

// Everything that a user-defined form can do also works beside a background, and its loss there is that of the form
// it repeats.
func TestFormsBesideABackground(t *testing.T) {
	back := must(energy.Ladder(normal(50, 2, 1), []float64{0.3, 1}, 20, 2, newRNG(1)))
	bridge := must(energy.NewBridge(mlp(2), energy.BridgeConfig{Background: back, Share: 0.3}))
	for name, e := range map[string]energy.Energy{"alone": mlp(2), "bridge": bridge} {
		p := energy.Init(e, newRNG(1))
		loss := func(m objectives.Method) (*objectives.Engine, objectives.Stats) {
			o := must(objectives.New(m, e, p, setup(2)))
			return o, must(o.Gradient(make([]float64, p.Len()), normal(6, 2, 2), newRNG(3)))
		}
		form := &toldForm{}
		o, got := loss(told{form: form})
		_, want := loss(objectives.ScoreMatching{})
		if got.Loss != want.Loss || !(got.Positive > 0) {
			t.Errorf("%s: %+v, want the loss of %+v and a report", name, got, want)
		}
		if *form != (toldForm{updates: 1, reports: 1, derived: 1}) {
			t.Errorf("%s: calls %+v, want one each", name, *form)
		}
		state := must(o.MarshalState())
		other := &toldForm{}
		again, _ := loss(told{form: other})
		if err := again.UnmarshalState(state); err != nil || other.updates != 1 || len(state) == 0 {
			t.Errorf("%s: state %x restored as %+v, error %v", name, state, *other, err)
		}
		for _, bad := range [][]byte{state[:5], {9, 0, 0, 0, 0, 0, 0, 0}, append(slices.Clone(state), 1)} {
			if err := again.UnmarshalState(bad); err == nil {
				t.Errorf("%s: the state %x is accepted", name, bad)
			}
		}
	}
}
