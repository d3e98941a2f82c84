package objectives_test

import (
	"math"
	"testing"

	"gonum.org/v1/gonum/floats"
	"gonum.org/v1/gonum/mat"

	"github.com/stheno-ebm/stheno/energy"
	"github.com/stheno-ebm/stheno/objectives"
)

// Penalties match their definitions, at data and negatives, and on weight matrices alone.
func TestPenalties(t *testing.T) {
	const n, d, c = 5, 2, 0.3
	e := mlp(d)
	p, x, neg := energy.Init(e, newRNG(1)), normal(n, d, 2), normal(n, d, 3)
	squares := func(x *mat.Dense) (energies, gradients float64) { // means
		u, g := make([]float64, n), mat.NewDense(n, d, nil)
		if err := must(energy.NewEvaluator(e, p, energy.EvaluatorConfig{Precision: energy.Float64})).EnergyGrad(u, g,
			x); err != nil {
			t.Fatal(err)
		}
		v := g.RawMatrix().Data
		return floats.Dot(u, u) / n, floats.Dot(v, v) / n
	}
	atData, slopeData := squares(x)
	atNeg, slopeNeg := squares(neg)
	var weights float64
	for i, s := range e.Specs() {
		if v := p.Views(p.Data())[i]; len(s.Shape) == 2 {
			weights += floats.Dot(v, v)
		}
	}
	ml := objectives.Likelihood{Chains: objectives.Chains{Jumps: -1}}
	for _, k := range []struct {
		m    objectives.Method
		r    objectives.Regularizer
		want float64
	}{
		{objectives.ScoreMatching{}, objectives.EnergyL2{Alpha: c}, c * atData},
		{ml, objectives.EnergyL2{Alpha: c}, c * (atData + atNeg)},
		{objectives.ScoreMatching{}, objectives.GradientPenalty{Lambda: c}, c * slopeData},
		{ml, objectives.GradientPenalty{Lambda: c}, c * (slopeData + slopeNeg)},
		{ml, objectives.WeightDecay{Lambda: c}, c * weights / 2},
	} {
		in := objectives.Inputs{}
		if k.m == ml {
			in["neg"] = neg.RawMatrix().Data
		}
		loss := func(r ...objectives.Regularizer) float64 {
			o := must(objectives.New(k.m, e, p,
				objectives.Config{Batch: n, Precision: energy.Float64, Regularizers: r}))
			return must(o.Evaluate(make([]float64, p.Len()), x, in)).Loss
		}
		if got := loss(k.r) - loss(); math.Abs(got-k.want) > 1e-12 {
			t.Errorf("%T with %T: penalty %.12g, want %.12g", k.m, k.r, got, k.want)
		}
	}
}
