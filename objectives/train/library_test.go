package train_test

import (
	"context"
	"fmt"

	"gonum.org/v1/gonum/mat"

	"github.com/stheno-ebm/stheno/datasets"
	"github.com/stheno-ebm/stheno/energy"
	"github.com/stheno-ebm/stheno/mcmc"
	"github.com/stheno-ebm/stheno/objectives"
	"github.com/stheno-ebm/stheno/objectives/metrics"
	"github.com/stheno-ebm/stheno/objectives/train"
)

// From start to finish: data, energy, objective, training, sampling, measures.
func Example() {
	ctx := context.Background()
	moons := must(datasets.New("moons")) // or points of your own: datasets.Load("points.csv")
	data := mat.NewDense(2000, 2, nil)   // one point per row
	moons.Sample(data, train.Stream(1, "data"))

	e := must(energy.NewMLP(energy.MLPConfig{Dim: 2, Hidden: []int{64, 64}}))
	theta := energy.Init(e, train.Stream(1, "init"))

	// noise contrastive estimation
	nce := must(objectives.New(objectives.NCE{}, e, theta, objectives.Config{Data: data}))
	result := must(train.Run(ctx, train.Config{
		Objective: nce, Optimizer: &train.Adam{}, Source: moons,
		Dim: 2, Batch: 128, Steps: 1000, LearningRate: 0.005, Schedule: train.Cosine{}, Seed: 1,
	}))

	target := must(energy.NewEvaluator(e, theta, energy.EvaluatorConfig{})) // E(x) and ∇E(x), any number of rows
	start := mat.DenseCopyOf(data.Slice(0, 100, 0, 2))                      // one chain per row
	draws := must(mcmc.Sample(ctx, mcmc.HMC{}, mcmc.Cloned(target), start, mcmc.SampleConfig{
		Draws: 20, Warmup: mcmc.Warmup{Steps: 100},
	}, train.Stream(1, "chains")))

	report := must(metrics.Evaluate(ctx, metrics.Input{
		Dataset: "moons", Truth: moons, Energy: target.Energies, Samples: draws.X, TestPoints: 10000,
	}, train.Stream(1, "test")))
	fmt.Println("steps:", result.Step, "draws:", draws.X.RawMatrix().Rows)
	fmt.Println("KL(data‖model) below 0.1 nats:", report.KL < 0.1)
	// Output:
	// steps: 1000 draws: 2000
	// KL(data‖model) below 0.1 nats: true
}

func must[T any](v T, err error) T {
	if err != nil {
		panic(err)
	}
	return v
}
