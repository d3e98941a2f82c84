package metrics_test

import (
	"context"
	"fmt"
	"math/rand/v2"

	"gonum.org/v1/gonum/mat"

	"github.com/stheno-ebm/stheno/datasets"
	"github.com/stheno-ebm/stheno/objectives/metrics"
)

// A single Gaussian, judged as a model of two moons.
func ExampleEvaluate() {
	moons, err := datasets.New("moons")
	if err != nil {
		panic(err)
	}
	energy := func(dst []float64, x *mat.Dense) error {
		for i := range dst {
			a, b := x.At(i, 0)/1.7, (x.At(i, 1)-0.3)/1.0
			dst[i] = (a*a + b*b) / 2
		}
		return nil
	}
	report, err := metrics.Evaluate(context.Background(), metrics.Input{
		Dataset: "moons", Truth: moons, Energy: energy, TestPoints: 10000,
	}, rand.New(rand.NewPCG(1, 2)))
	if err != nil {
		panic(err)
	}
	fmt.Printf("log Z %.4f, entropy %.4f, KL %.3f, TV %.3f, leak %.4f\n", report.LogZ, report.Entropy, report.KL, report.TV, report.Leak)
	// Output: log Z 2.3685, entropy 2.3939, KL 1.009, TV 0.582, leak 0.0081
}
