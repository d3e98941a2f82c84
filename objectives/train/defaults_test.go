package train_test

import (
	"testing"

	"gonum.org/v1/gonum/mat"

	"github.com/stheno-ebm/stheno/datasets"
	"github.com/stheno-ebm/stheno/datasets/density"
	"github.com/stheno-ebm/stheno/energy"
	"github.com/stheno-ebm/stheno/objectives"
	"github.com/stheno-ebm/stheno/objectives/metrics"
	"github.com/stheno-ebm/stheno/objectives/train"
)

// Objectives with chains learn a distribution of separate modes with nothing set but the data: the KL divergence is
// 0.005 nats after 1000 steps, and after 300 below the 0.1 nats that is asked for here. Langevin chains of a fixed
// short step without jumps ended at 17 (pcd), 5.9 (ml) and 0.7 (cd).
func TestChainsLearnByDefault(t *testing.T) {
	if testing.Short() {
		t.Skip("trains three models")
	}
	moons := must(datasets.New("moons"))
	data := mat.NewDense(2000, 2, nil)
	moons.Sample(data, train.Stream(1, "data"))
	for _, m := range []objectives.Method{objectives.PersistentCD{}, objectives.Likelihood{},
		objectives.ContrastiveDivergence{}} {
		frequencies := energy.FourierConfig{Dim: 2, Scale: 4 / density.Spread(data)}
		e := must(energy.NewFourier(frequencies, func(dim int) (energy.Energy, error) {
			return energy.NewMLP(energy.MLPConfig{Dim: dim, Hidden: []int{64, 64}})
		}))
		theta := energy.Init(e, train.Stream(1, "init"))
		r := m.Recipe(objectives.FactsOf(data))
		result := must(train.Run(t.Context(), train.Config{
			Objective: must(objectives.New(m, e, theta, objectives.Config{Data: data, Batch: r.Batch})),
			Optimizer: &train.Adam{}, Source: moons, Dim: 2, Batch: r.Batch, Steps: 300, Seed: 1,
			LearningRate: r.LearningRate, Schedule: train.Cosine{}, Clip: r.Clip, Decay: r.Average,
		}))
		theta.Set(result.Best)
		report := must(metrics.Evaluate(t.Context(), metrics.Input{
			Dataset: "moons", Truth: moons, TestPoints: 10000,
			Energy: must(energy.NewEvaluator(e, theta, energy.EvaluatorConfig{})).Energies,
		}, train.Stream(1, "test")))
		if !(report.KL < 0.1) {
			t.Errorf("%T: KL(data‖model) = %g, want below 0.1", m, float64(report.KL))
		} else {
			t.Logf("%T: KL(data‖model) = %.4f", m, float64(report.KL))
		}
	}
}
