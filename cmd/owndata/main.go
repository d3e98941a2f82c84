// Owndata learns the density of the points in a CSV file, one per line, by noise contrastive estimation, and measures
// it on held-out points:
//
//	go run ./cmd/owndata points.csv
//
// It writes draws from the model to runs/owndata/samples.csv. Without a file it creates one, runs/owndata/points.csv,
// with points on a noisy coil in three dimensions.
package main

import (
	"context"
	"fmt"
	"log"
	"math"
	"os"

	"gonum.org/v1/gonum/floats"
	"gonum.org/v1/gonum/mat"

	"github.com/stheno-ebm/stheno/datasets"
	"github.com/stheno-ebm/stheno/objectives/fit"
	"github.com/stheno-ebm/stheno/objectives/train"
)

const (
	seed = 1
	out  = "runs/owndata"
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

	// Train: noise contrastive estimation on points perturbed within the spread of their neighbours, a tenth held out.
	points := must(datasets.Open(path)).(*datasets.Points)
	model := must(fit.Train(ctx, points, fit.Config{Dataset: path, Samples: -1}))
	eval := model.Result.Eval
	fmt.Printf("%s: points of dimension %d; trained by %s in %.1f s\n", path, model.Dim(), model.Config.Name,
		model.Result.Seconds)

	// Measure: nats per held-out point, with the estimated log Z, compared with the base on the same points: the
	// mixture of Gaussians that the network has to improve on, and that is kept in its place where it does not. Very
	// few points have none.
	fmt.Printf("log Z: %.2f ± %.2f\n", eval.LogZ, eval.LogZErr)
	fmt.Printf("held-out points: %.3f ± %.3f nats each\n", eval.NLL, eval.NLLErr)
	if b := eval.Baseline; b != nil {
		base, share := model.Base()
		fmt.Printf("the base, %s: %.3f nats each; the difference is %.3f ± %.3f with %.2f of the network kept\n", base, b.NLL,
			b.Difference, b.DifferenceErr, share)
	}

	// Which points are anomalies? Those with the lowest log p; the rank is the share of the training points that are
	// less likely.
	x := points.Matrix()
	n, _ := x.Dims()
	logp, rank, order := make([]float64, n), make([]float64, n), make([]int, n)
	check(model.LogProb(ctx, logp, x))
	check(model.Rank(rank, x))
	floats.Argsort(logp, order) // sorts both
	for k, row := range order[:3] {
		fmt.Printf("anomaly: row %d, %.4g, log p %.1f, rank %.4f\n", row+1, x.RawRowView(row), logp[k], rank[row])
	}

	// Sample, in the units of the file.
	draw := must(model.Sample(ctx, fit.SampleConfig{N: 2000, Seed: seed}))
	check(datasets.Save(out+"/samples.csv", draw.X))
	fmt.Printf("%s, R̂ %.3f\n", out+"/samples.csv", float64(draw.Diagnostics.MaxRHat))
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
