package metrics_test

import (
	"context"
	"fmt"
	"math/rand/v2"

	"gonum.org/v1/gonum/mat"

	"github.com/stheno-ebm/stheno/datasets"
	"github.com/stheno-ebm/stheno/objectives/metrics"
)

// A single Gaussian, measured as a model of two moons.
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
	fmt.Printf("log Z %.4f, entropy %.4f, KL %.3f, TV %.3f, leak %.4f\n", report.LogZ, report.Entropy, report.KL,
		report.TV, report.Leak)
	// Output: log Z 2.3685, entropy 2.3939, KL 1.009, TV 0.582, leak 0.0081
}

// The normaliser of a bare energy in the plane, and the mass outside a box.
func ExampleIntegrate() {
	energy := func(dst []float64, x *mat.Dense) error { // a standard normal without its constant
		for i := range dst {
			dst[i] = (x.At(i, 0)*x.At(i, 0) + x.At(i, 1)*x.At(i, 1)) / 2
		}
		return nil
	}
	q, err := metrics.Integrate(context.Background(), energy, []float64{-2, -2}, []float64{2, 2},
		metrics.QuadratureConfig{})
	if err != nil {
		panic(err)
	}
	fmt.Printf("log Z %.4f, outside %.4f\n", q.LogZ, q.Leak) // log 2π, 1 - erf(√2)²
	// Output: log Z 1.8379, outside 0.0889
}

// How far two sets of draws are apart, in measures that vanish for equal distributions.
func ExampleCompare() {
	rng := rand.New(rand.NewPCG(1, 2))
	x, same, moved := mat.NewDense(1000, 2, nil), mat.NewDense(1000, 2, nil), mat.NewDense(1000, 2, nil)
	for i := range 1000 {
		x.SetRow(i, []float64{rng.NormFloat64(), rng.NormFloat64()})
		same.SetRow(i, []float64{rng.NormFloat64(), rng.NormFloat64()})
		moved.SetRow(i, []float64{rng.NormFloat64() + 1, rng.NormFloat64()})
	}
	h := metrics.MedianDistance(x)
	for _, y := range []*mat.Dense{same, moved} {
		d, err := metrics.Compare(context.Background(), x, y, h)
		if err != nil {
			panic(err)
		}
		fmt.Println("told apart:", d.MMD2 > 0.01, d.Energy > 0.3)
	}
	// Output:
	// told apart: false false
	// told apart: true true
}

// Draws measured by a score alone: no normaliser, no draws of the target. The second sample is too wide.
func ExampleKSD() {
	rng := rand.New(rand.NewPCG(1, 2))
	for _, sd := range []float64{1, 1.5} {
		x, score := mat.NewDense(500, 2, nil), mat.NewDense(500, 2, nil)
		for i := range 500 {
			for j := range 2 {
				v := sd * rng.NormFloat64()
				x.Set(i, j, v)
				score.Set(i, j, -v) // of N(0, I)
			}
		}
		ksd, floor, err := metrics.KSD(context.Background(), x, score)
		if err != nil {
			panic(err)
		}
		fmt.Println(ksd < 1.5*floor)
	}
	// Output:
	// true
	// false
}
