//go:build unix

package mcmc_test

import (
	"context"
	"syscall"
	"testing"
	"time"

	"gonum.org/v1/gonum/mat"

	"github.com/stheno-ebm/stheno/datasets"
	"github.com/stheno-ebm/stheno/energy"
	"github.com/stheno-ebm/stheno/mcmc"
	"github.com/stheno-ebm/stheno/objectives"
	"github.com/stheno-ebm/stheno/objectives/train"
)

// cpu returns the processor time of this process.
func cpu() time.Duration {
	var u syscall.Rusage
	if syscall.Getrusage(syscall.RUSAGE_SELF, &u) != nil {
		return 0
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}

// perSecond returns the number of effective draws, the smallest of bulk and tail over all quantities, per second of
// CPU time after warm-up, as the median of several rounds.
func perSecond(t testing.TB, k mcmc.Kernel, v *energy.Evaluator, draws int, seed uint64) (float64, *mcmc.Diagnostics) {
	x := normalBatch(256, 2, source(seed))
	var begin time.Duration
	warm := true
	d, err := mcmc.Sample(context.Background(), k, mcmc.Cloned(v), x, mcmc.SampleConfig{
		Draws: draws, Warmup: mcmc.Warmup{Steps: 300}, Block: 256, Workers: 1,
		Progress: func(p mcmc.Progress) {
			if warm && !p.Warmup {
				warm, begin = false, cpu()
			}
		},
	}, source(seed))
	if err != nil {
		t.Fatal(err)
	}
	spent := cpu() - begin
	g := mcmc.Diagnose(d, nil)
	return float64(min(g.MinESSBulk, g.MinESSTail)) / spent.Seconds(), g
}

// trained is an energy with two hidden layers of 128, trained briefly on a distribution.
func trained(t testing.TB, name string) *energy.Evaluator {
	e, p := network(t, 128, 128)
	v, err := energy.NewEvaluator(e, p, energy.EvaluatorConfig{Batch: 256})
	if err != nil {
		t.Fatal(err)
	}
	if name == "" {
		return v
	}
	d, err := datasets.New(name)
	if err != nil {
		t.Fatal(err)
	}
	data := mat.NewDense(2000, 2, nil)
	d.Sample(data, source(4))
	o, err := objectives.New(objectives.NCE{}, e, p, objectives.Config{Batch: 128, Data: data})
	if err != nil {
		t.Fatal(err)
	}
	adam := &train.Adam{LearningRate: .005}
	x, grad, rng := mat.NewDense(128, 2, nil), make([]float64, len(p.Data())), source(2)
	for range 500 {
		d.Sample(x, rng)
		if _, err := o.Gradient(grad, x, rng); err != nil {
			t.Fatal(err)
		}
		if err := adam.Step(p.Data(), grad); err != nil {
			t.Fatal(err)
		}
		p.Changed()
	}
	return v
}

// BenchmarkAdaptedLength compares HMC of adapted length with NUTS on a compiled energy, in effective draws per second
// of CPU time.
func BenchmarkAdaptedLength(b *testing.B) {
	for _, name := range []string{"", "swissroll", "moons", "rings"} {
		v := trained(b, name)
		b.Run("energy="+name, func(b *testing.B) {
			var ratio float64
			for i := range b.N {
				h, gh := perSecond(b, mcmc.HMC{}, v, 200, uint64(i+1))
				n, gn := perSecond(b, mcmc.NUTS{}, v, 200, uint64(i+1))
				ratio += h / n / float64(b.N)
				b.Logf(
					"hmc %.0f/s: ESS %.0f, accept %.3f, step %.3g; nuts %.0f/s: ESS %.0f, accept %.3f, step %.3g, %v",
					h, min(gh.MinESSBulk, gh.MinESSTail), gh.AcceptProb, gh.StepSize,
					n, min(gn.MinESSBulk, gn.MinESSTail), gn.AcceptProb, gn.StepSize, gn.TreeDepth)
			}
			b.ReportMetric(ratio, "HMC/NUTS")
		})
	}
}
