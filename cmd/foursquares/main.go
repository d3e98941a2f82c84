// Foursquares goes all the way in one program: it learns the energy of four blurred squares by score matching, samples
// it by Hamiltonian Monte Carlo, measures the fit against the exact density, and plots everything to
// runs/foursquares/panel.png.
//
//	points ──▶ score matching ──▶ E_θ ──▶ HMC ──▶ samples ──▶ measures, picture
package main

import (
	"context"
	"fmt"
	"log"
	"os"

	"gonum.org/v1/gonum/mat"

	"github.com/stheno-ebm/stheno/datasets"
	"github.com/stheno-ebm/stheno/datasets/density"
	"github.com/stheno-ebm/stheno/energy"
	"github.com/stheno-ebm/stheno/mcmc"
	"github.com/stheno-ebm/stheno/objectives"
	"github.com/stheno-ebm/stheno/objectives/metrics"
	"github.com/stheno-ebm/stheno/objectives/train"
	"github.com/stheno-ebm/stheno/viz"
)

const (
	seed  = 1
	batch = 256
	steps = 2000
	out   = "runs/foursquares"
)

func main() {
	log.SetFlags(0)
	ctx := context.Background()
	squares := must(datasets.New("4squares"))
	data := mat.NewDense(5000, 2, nil)
	squares.Sample(data, train.Stream(seed, "points"))

	// The energy: a network on sines and cosines of x, which can represent sharp edges. Score matching does not see the
	// weight of each square, since no data lie between them; the bridge is a known background that connects them during
	// training.
	rng := train.Stream(seed, "init")
	net := must(energy.NewFourier(energy.FourierConfig{Dim: 2, Frequencies: 16, Scale: 1},
		func(dim int) (energy.Energy, error) {
			return energy.NewMLP(energy.MLPConfig{Dim: dim, Hidden: []int{64, 64}, FirstGain: 2})
		}))
	background := must(energy.NewMixture(mat.NewDense(1, 2, nil), []float64{1.25 * density.Spread(data)}, nil))
	e := must(energy.NewBridge(net, energy.BridgeConfig{Background: background, Share: 0.2}))
	theta := energy.Init(e, rng)

	// Train: ½|∇E|² - tr ∇²E, with the exact trace.
	sm := must(objectives.New(objectives.ScoreMatching{}, e, theta, objectives.Config{Batch: batch}))
	loss := viz.Series{Name: "loss"}
	result := must(train.Run(ctx, train.Config{
		Objective: sm, Optimizer: &train.Adam{}, Source: squares,
		Dim: 2, Batch: batch, Steps: steps, Seed: seed,
		LearningRate: 3e-3, Schedule: train.Cosine{}, Clip: 10, Decay: 0.995,
		Hooks: train.Hooks{Step: func(p train.Progress) error {
			loss.X, loss.Y = append(loss.X, float64(p.Step)), append(loss.Y, p.Stats.Loss)
			return nil
		}},
	}))
	theta.Set(result.Best)
	fmt.Printf("trained %d parameters, %d steps in %.1f s\n", theta.Len(), result.Step, result.Seconds)

	// Sample: chains start at draws from the background, resampled in proportion to exp(-E)/b, and warm up together.
	eval := must(energy.NewEvaluator(e, theta, energy.EvaluatorConfig{}))
	wide, start := mat.NewDense(1<<14, 2, nil), mat.NewDense(200, 2, nil)
	background.Sample(wide, rng)
	weights, logb := make([]float64, 1<<14), make([]float64, 1<<14)
	check(eval.Energies(weights, wide))
	background.LogProb(logb, wide)
	for i := range weights {
		weights[i] = -weights[i] - logb[i]
	}
	mcmc.Resample(start, wide, weights, rng)
	draws := must(mcmc.Sample(ctx, mcmc.HMC{Leapfrog: 8, StepJitter: 0.2}, mcmc.Cloned(eval), start, mcmc.SampleConfig{
		Draws: 10, Thin: 3, Warmup: mcmc.Warmup{Steps: 100},
	}, train.Stream(seed, "chains")))

	// Measure against the exact density.
	report := must(metrics.Evaluate(ctx, metrics.Input{
		Dataset: "4squares", Truth: squares, Energy: eval.Energies, Samples: draws.X,
		TestPoints: 20000, Quadrature: metrics.QuadratureConfig{Start: 100, Max: 400},
	}, train.Stream(seed, "test")))
	fmt.Printf("KL(data‖model) %.3f nats, total variation %.3f\n", report.KL, report.TV)
	fmt.Printf("samples: %d of %d squares, shares %.2f\n", report.Samples.Modes, report.Samples.KnownModes,
		report.Samples.ModeShares)

	// Plot.
	lo, hi := squares.Bounds()
	grid := viz.NewGrid(lo, hi, 101)
	check(grid.Eval(eval.Energies))
	panel := viz.Panel{Title: "four squares, score matching", Data: data, Samples: draws.X, Energy: grid,
		Loss: []viz.Series{loss}, Step: steps}
	check(os.MkdirAll(out, 0o755))
	check(viz.Save(out+"/panel.png", &panel))
	fmt.Println(out + "/panel.png")
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
