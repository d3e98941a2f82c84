package mcmc_test

import (
	"math"
	"slices"
	"testing"
	"time"

	"gonum.org/v1/gonum/mat"

	"github.com/stheno-ebm/stheno/energy"
	"github.com/stheno-ebm/stheno/mcmc"
	"github.com/stheno-ebm/stheno/objectives"
	"github.com/stheno-ebm/stheno/objectives/train"
)

func network(t testing.TB, hidden ...int) (energy.Energy, *energy.Params) {
	net, err := energy.NewMLP(energy.MLPConfig{Dim: 2, Hidden: hidden})
	if err != nil {
		t.Fatal(err)
	}
	e, err := energy.Confine(net, []float64{0, 0}, 3)
	if err != nil {
		t.Fatal(err)
	}
	return e, energy.Init(e, source(1))
}

// midpoint returns log ∫exp(-E) over [-r, r]² by the midpoint rule with n² cells.
func midpoint(t *testing.T, v *energy.Evaluator, r float64, n int) float64 {
	x := mat.NewDense(n*n, 2, nil)
	cell := 2 * r / float64(n)
	for i := range n * n {
		x.SetRow(i, []float64{(float64(i%n)+.5)*cell - r, (float64(i/n)+.5)*cell - r})
	}
	e := make([]float64, n*n)
	if err := v.Energies(e, x); err != nil {
		t.Fatal(err)
	}
	var sum float64
	for _, v := range e {
		sum += math.Exp(e[0] - v)
	}
	return math.Log(sum) - e[0] + 2*math.Log(cell)
}

// TestAISOfTrainedModels: after a short training on each two-dimensional distribution, AIS agrees with quadrature.
func TestAISOfTrainedModels(t *testing.T) {
	t.Parallel()
	for name, d := range planar(t) {
		t.Run(name, func(t *testing.T) {
			e, p := network(t, 16, 16)
			data := mat.NewDense(1000, 2, nil)
			d.Sample(data, source(4))
			o, err := objectives.New(objectives.NCE{Ratio: 1, Noise: objectives.GaussianNoise}, e, p,
				objectives.Config{Batch: 128, Data: data})
			if err != nil {
				t.Fatal(err)
			}
			adam := &train.Adam{LearningRate: .01}
			x := mat.NewDense(128, 2, nil)
			grad := make([]float64, len(p.Data()))
			rng := source(2)
			for range 200 {
				d.Sample(x, rng)
				if _, err := o.Gradient(grad, x, rng); err != nil {
					t.Fatal(err)
				}
				if err := adam.Step(p.Data(), grad); err != nil {
					t.Fatal(err)
				}
				p.Changed()
			}
			v, err := energy.NewEvaluator(e, p, energy.EvaluatorConfig{Batch: 256, Precision: energy.Float64})
			if err != nil {
				t.Fatal(err)
			}
			q := midpoint(t, v, 9, 240)
			a, err := evidence(v, d, 300)
			if err != nil {
				t.Fatal(err)
			}
			if math.Abs(a.LogZ-q) > 4*a.StdErr || a.StdErr > .2 {
				t.Errorf("log Z: got %.4f ± %.4f by AIS (%d levels, ESS %.0f), want %.4f", a.LogZ, a.StdErr, a.Levels,
					a.ESS, q)
			}
		})
	}
}

// share runs a kernel (256 chains, hidden 128) and returns the fraction of the median step that is not the gradient:
// noise, update, acceptance.
func share(t testing.TB, k mcmc.Kernel, steps int) float64 {
	e, p := network(t, 128, 128)
	v, err := energy.NewEvaluator(e, p, energy.EvaluatorConfig{Batch: 256, Precision: energy.Float32})
	if err != nil {
		t.Fatal(err)
	}
	rng := source(3)
	s := mcmc.NewState(normalBatch(256, 2, rng))
	c := &clocked{Target: v}
	part := make([]float64, steps)
	for i := range part {
		c.spent = 0
		start := time.Now()
		if _, err := k.Step(s, c, rng); err != nil {
			t.Fatal(err)
		}
		part[i] = 1 - c.spent.Seconds()/time.Since(start).Seconds()
	}
	slices.Sort(part)
	return part[steps/2]
}

func adjusted() map[string]mcmc.Kernel {
	return map[string]mcmc.Kernel{"langevin": mcmc.Langevin{StepSize: .01}, "mala": mcmc.MALA{StepSize: .01}}
}

// BenchmarkShare reports how much of a step is not the gradient: noise, update and acceptance. It should stay below
// 15 %.
func BenchmarkShare(b *testing.B) {
	for name, k := range adjusted() {
		b.Run("sampler="+name, func(b *testing.B) {
			b.ReportMetric(100*share(b, k, 10+b.N), "%overhead")
		})
	}
}
