package objectives_test

import (
	"math"
	"slices"
	"testing"

	"gonum.org/v1/gonum/mat"

	"github.com/stheno-ebm/stheno/datasets/density"
	"github.com/stheno-ebm/stheno/energy"
	"github.com/stheno-ebm/stheno/objectives"
)

func softplus(x float64) float64 { return math.Max(x, 0) + math.Log1p(math.Exp(-math.Abs(x))) }

// The loss of nce is what its definition says, far from the noise too, where log q is -2000; a datum where q is zero
// is one for certain.
func TestNoiseContrast(t *testing.T) {
	const k, d, c = 3, 3, 0.4
	narrow := must(density.NewIsotropic(make([]float64, d), 0.1))
	box := must(density.NewBox([]float64{-1, -1, -1}, []float64{1, 1, 1}))
	x := mat.NewDense(2, d, []float64{0.05, -0.1, 0.1, 4, -4, 3})
	e := mlp(d)
	p := energy.Init(e, newRNG(1))
	energies := func(x *mat.Dense) []float64 {
		n, _ := x.Dims()
		u := make([]float64, n)
		if err := must(energy.NewEvaluator(e, p, energy.EvaluatorConfig{Precision: energy.Float64})).Energies(u,
			x); err != nil {
			t.Fatal(err)
		}
		return u
	}
	for name, q := range map[string]objectives.Noise{"narrow": narrow, "box": box} {
		n, _ := x.Dims()
		y := mat.NewDense(n*k, d, nil)
		q.Sample(y, newRNG(2))
		logit := func(x *mat.Dense) []float64 {
			u := energies(x)
			logq := make([]float64, len(u))
			q.LogProb(logq, x)
			for i := range u {
				u[i] = -u[i] - c - logq[i] - math.Log(k)
			}
			return u
		}
		var want float64
		for _, u := range logit(x) {
			want += softplus(-u) / float64(n)
		}
		for _, u := range logit(y) {
			want += softplus(u) / float64(n)
		}
		o := must(objectives.New(objectives.NCE{Density: q, Ratio: k}, e, p,
			objectives.Config{Batch: n, Precision: energy.Float64}))
		got := must(o.Evaluate(make([]float64, p.Len()), x,
			objectives.Inputs{"noise": y.RawMatrix().Data, "log_z": {c}})).Loss
		if math.Abs(got-want) > 1e-12*math.Abs(want) {
			t.Errorf("%s: loss %.15g, want %.15g", name, got, want)
		}
	}
}

// Every gradient moves c by a tenth of a Newton step, whose derivatives are compared with differences of the loss.
func TestNormaliserMoves(t *testing.T) {
	const n, k, h = 16, 2, 1e-4
	e := mlp(2)
	p, x := energy.Init(e, newRNG(1)), normal(n, 2, 2)
	p.View("net.4.bias")[0] = 2.5 // nearly normalised
	p.Changed()
	grad := make([]float64, p.Len())
	for _, sd := range []float64{1, 20} { // the second step is limited
		o := must(objectives.New(objectives.NCE{Density: must(density.NewIsotropic(make([]float64, 2), sd)), Ratio: k},
			e, p,
			objectives.Config{Batch: n, Precision: energy.Float64}))
		rng := newRNG(3)
		must(o.Gradient(grad, x, rng))
		noise := slices.Clone(o.Draws()["noise"])
		loss := func(c float64) float64 {
			return must(o.Evaluate(grad, x, objectives.Inputs{"noise": noise, "log_z": {c}})).Loss
		}
		slope, curve := (loss(h)-loss(-h))/(2*h), (loss(h)-2*loss(0)+loss(-h))/(h*h)
		want := -0.1 * min(max(slope/curve, -1), 1)
		if got := must(o.Gradient(grad, x, rng)).LogZ; math.Abs(got-want) > 1e-5 {
			t.Errorf("noise of deviation %g: c = %g after a step, want %g", sd, got, want)
		}
	}
}

// Over a tilted base nce takes draws of the base for noise, and its loss is that of any other noise of the same
// density: what cancels is not computed. Without a base, asking for it is an error.
func TestNoiseOfTheBase(t *testing.T) {
	base := must(density.NewMixture(density.Parameters{Dim: 2, Covariance: density.Full, Weights: []float64{1, 2},
		Means: []float64{0, 0, 2, 1}, Factors: []float64{1, 0, 0.3, 0.5, 0.4, 0, -0.2, 0.8}}))
	e := must(energy.Tilt(energy.TiltConfig{Base: base, Share: 1}, func(dim int) (energy.Energy, error) {
		return mlp(dim), nil
	}))
	p, x, y := energy.Init(e, newRNG(1)), mat.NewDense(3, 2, nil), mat.NewDense(12, 2, nil)
	base.Sample(x, newRNG(2))
	base.Sample(y, newRNG(3))
	same := struct{ objectives.Noise }{base} // the density, and not known to be the base
	var losses [2]float64
	var grads [2][]float64
	for i, m := range []objectives.NCE{{Ratio: 4}, {Ratio: 4, Density: same}} {
		o := must(objectives.New(m, e, p, objectives.Config{Batch: 3, Precision: energy.Float64, Data: x}))
		grads[i] = make([]float64, p.Len())
		losses[i] = must(o.Evaluate(grads[i], x, objectives.Inputs{"noise": y.RawMatrix().Data, "log_z": {0.3}})).Loss
	}
	if math.Abs(losses[0]-losses[1]) > 1e-12 {
		t.Errorf("loss %.15g, want %.15g", losses[0], losses[1])
	}
	for i, v := range grads[0] {
		if math.Abs(v-grads[1][i]) > 1e-12 {
			t.Errorf("slope %d is %.15g, want %.15g", i, v, grads[1][i])
		}
	}
	plain := mlp(2)
	if _, err := objectives.New(objectives.NCE{Noise: objectives.BaseNoise}, plain, energy.Init(plain, newRNG(1)),
		objectives.Config{Data: x}); err == nil {
		t.Error("the base of an energy without one: no error")
	}
}
