package mcmc_test

import (
	"context"
	"fmt"
	"math"
	"math/rand/v2"

	"gonum.org/v1/gonum/mat"

	"github.com/stheno-ebm/stheno/mcmc"
)

// Draw from a correlated normal distribution, given as a plain function, and look at the diagnostics.
func ExampleSample() {
	target := mcmc.RowFunc(func(grad, x []float64) float64 {
		a, b := x[0], x[1]
		grad[0], grad[1] = (a-.5*b)/.75, (b-.5*a)/.75
		return (a*grad[0] + b*grad[1]) / 2
	})
	rng := rand.New(rand.NewPCG(1, 2))
	start := mat.NewDense(4, 2, nil) // four chains at the origin
	draws, err := mcmc.Sample(context.Background(), mcmc.NUTS{}, mcmc.Shared(target), start, mcmc.SampleConfig{
		Draws:  1000,
		Warmup: mcmc.Warmup{Steps: 300},
	}, rng)
	if err != nil {
		fmt.Println(err)
		return
	}
	d := mcmc.Diagnose(draws, nil)
	fmt.Printf("mixed: %t, at least 1000 effective draws: %t\n", d.MaxRHat < 1.01, d.MinESSBulk > 1000)
	fmt.Println(len(d.Warnings()), "warnings")
	// Output:
	// mixed: true, at least 1000 effective draws: true
	// 0 warnings
}

// Move chains by hand: a kernel is a value, the state holds all that moves.
func ExampleKernel() {
	target := mcmc.RowFunc(func(grad, x []float64) float64 {
		grad[0] = x[0]
		return x[0] * x[0] / 2
	})
	rng := rand.New(rand.NewPCG(1, 2))
	s := mcmc.NewState(mat.NewDense(100, 1, nil))
	k := mcmc.HMC{StepSize: 0.5, Leapfrog: 5}
	for range 50 {
		if _, err := k.Step(s, target, rng); err != nil {
			fmt.Println(err)
			return
		}
	}
	fmt.Println(s.X.Dims())
	// Output: 100 1
}

// Estimate log ∫exp(-|x|²/2) dx = log 2π.
func ExampleAIS() {
	target := mcmc.RowFunc(func(grad, x []float64) float64 {
		copy(grad, x)
		return (x[0]*x[0] + x[1]*x[1]) / 2
	})
	ctx := context.Background()
	rng := rand.New(rand.NewPCG(1, 2))
	a, err := mcmc.AIS{
		Reference: &mcmc.Gaussian{Mean: []float64{0, 0}, Std: []float64{2, 2}},
		Kernel:    mcmc.HMC{StepSize: 0.5, Leapfrog: 4},
	}.Tune(ctx, target, 0, rng)
	if err != nil {
		fmt.Println(err)
		return
	}
	e, _, err := a.Forward(ctx, target, rng)
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(math.Abs(e.LogZ-math.Log(2*math.Pi)) < 4*e.StdErr)
	// Output: true
}
