// Owndata learns the density of the points in a CSV file, one per line, by noise contrastive estimation, and measures it on
// points it has not seen:
//
//	go run ./cmd/owndata points.csv
//
// It writes draws from the model into runs/owndata/samples.csv. Without a file it makes one, runs/owndata/points.csv, of
// points on a noisy coil in three dimensions.
package main

import (
	"context"
	"fmt"
	"log"
	"math"
	"os"

	"gonum.org/v1/gonum/mat"
	"gonum.org/v1/gonum/stat"

	"github.com/stheno-ebm/stheno/datasets"
	"github.com/stheno-ebm/stheno/energy"
	"github.com/stheno-ebm/stheno/mcmc"
	"github.com/stheno-ebm/stheno/objectives"
	"github.com/stheno-ebm/stheno/objectives/train"
)

const (
	seed  = 1
	batch = 128 // the default of objectives
	out   = "runs/owndata"
)

func main() {
	log.SetFlags(0)
	ctx := context.Background()
	check(os.MkdirAll(out, 0o755))
	path := out + "/points.csv"
	if len(os.Args) < 2 {
		check(datasets.Save(path, coil(5000)))
	} else {
		path = os.Args[1]
	}

	// Read, set a fifth aside, bring every column to mean 0 and deviation 1.
	all := must(datasets.NewPoints(must(datasets.Load(path))))
	learn, test, err := all.Split(0.2, train.Stream(seed, "split"))
	check(err)
	d, x, y := all.Dim(), learn.Matrix(), test.Matrix()
	scaler := datasets.NewStandardizer(x)
	scaler.Apply(x, x)
	scaler.Apply(y, y)
	fmt.Printf("%s: %d points of dimension %d, %d of them for testing\n", path, all.Len(), d, test.Len())

	// Train, on points moved within the scatter of their neighbours, which could be learnt by heart as they are.
	e := must(energy.NewFourier(energy.FourierConfig{Dim: d}, func(dim int) (energy.Energy, error) {
		return energy.NewMLP(energy.MLPConfig{Dim: dim, Hidden: []int{64, 64}})
	}))
	theta := energy.Init(e, train.Stream(seed, "init"))
	nce := must(objectives.New(objectives.NCE{}, e, theta, objectives.Config{Data: x}))
	var logZ float64
	result := must(train.Run(ctx, train.Config{
		Objective: nce, Optimizer: &train.Adam{}, Source: datasets.NewSmoothed(learn, 0.6),
		Dim: d, Batch: batch, Steps: 1000, Seed: seed,
		LearningRate: 2e-3, Schedule: train.Cosine{}, Clip: 1, Decay: 0.99,
		Hooks: train.Hooks{Step: func(p train.Progress) error { logZ = p.Stats.LogZ; return nil }},
	}))
	theta.Set(result.Best)

	// Measure: nats per point on the test set, with the log Z that was learnt and with one from annealing, against a Gaussian.
	eval := must(energy.NewEvaluator(e, theta, energy.EvaluatorConfig{}))
	energies := make([]float64, test.Len())
	check(eval.Energies(energies, y))
	wide := mcmc.FitGaussian(x, 1.5)
	ladder := must(mcmc.AIS{Reference: wide, Kernel: mcmc.HMC{StepSize: 0.2, Leapfrog: 5}, Chains: 200}.Tune(ctx, eval, 0.97, train.Stream(seed, "path")))
	annealed, _, err := ladder.Forward(ctx, eval, train.Stream(seed, "log Z"))
	check(err)
	gaussian, mean, baseline := mcmc.FitGaussian(x, 1), stat.Mean(energies, nil), 0.0
	for i := range test.Len() {
		baseline += gaussian.EnergyAt(nil, y.RawRowView(i)) / float64(test.Len())
	}
	fmt.Printf("trained in %.1f s; log Z: learnt %.2f, annealed %.2f ± %.2f\n", result.Seconds, logZ, annealed.LogZ, annealed.StdErr)
	fmt.Printf("test points: %.3f nats each, %.3f for a Gaussian of independent columns\n",
		mean+annealed.LogZ+scaler.LogDet(), baseline+scaler.LogDet())

	// Sample, back in the units of the file.
	start := mat.NewDense(200, d, nil)
	learn.Sample(start, train.Stream(seed, "start"))
	draws := must(mcmc.Sample(ctx, mcmc.HMC{}, mcmc.Cloned(eval), start,
		mcmc.SampleConfig{Draws: 10, Warmup: mcmc.Warmup{Steps: 50}}, train.Stream(seed, "chains")))
	scaler.Invert(draws.X, draws.X)
	check(datasets.Save(out+"/samples.csv", draws.X))
	fmt.Println(out + "/samples.csv")
}

// coil draws n points.
func coil(n int) *mat.Dense {
	rng, x := train.Stream(seed, "coil"), mat.NewDense(n, 3, nil)
	for i := range n {
		t := 4 * math.Pi * rng.Float64()
		x.SetRow(i, []float64{10 * math.Cos(t), 10 * math.Sin(t), 100 + 3*t})
		for j, noise := range []float64{1, 1, 2} {
			x.RawRowView(i)[j] += noise * rng.NormFloat64()
		}
	}
	return x
}

func must[T any](v T, err error) T {
	check(err)
	return v
}

func check(err error) {
	if err != nil {
		log.Fatal(err)
	}
}
