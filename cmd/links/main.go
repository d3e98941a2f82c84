// Links shows two identities that connect the ways to train an energy-based model (Song and Kingma, How to train your
// energy-based models, arXiv 2101.03288):
//
//	contrastive divergence with one Langevin step of size h   →  score matching,        as h → 0
//	noise contrastive estimation with noise at distance |v|   →  sliced score matching, as |v| → 0
//
// For a small random network it prints how far apart the gradients in θ are.
package main

import (
	"fmt"
	"log"
	"math"
	"math/rand/v2"

	"gonum.org/v1/gonum/floats"
	"gonum.org/v1/gonum/mat"

	"github.com/stheno-ebm/stheno/energy"
	"github.com/stheno-ebm/stheno/objectives"
)

const (
	points = 64
	dim    = 2
	pairs  = 2000 // pairs of opposite Langevin noises
)

func main() {
	log.SetFlags(0)
	rng := rand.New(rand.NewPCG(1, 2))
	e, err := energy.NewMLP(energy.MLPConfig{Dim: dim, Hidden: []int{16, 16}, Activation: energy.Tanh})
	check(err)
	theta := energy.Init(e, rng)
	x := mat.NewDense(points, dim, normal(points*dim, rng))

	// gradient evaluates an objective with given draws.
	gradient := func(m objectives.Method, in objectives.Inputs) []float64 {
		o, err := objectives.New(m, e, theta, objectives.Config{Batch: points, Precision: energy.Float64})
		check(err)
		g := make([]float64, theta.Len())
		_, err = o.Evaluate(g, x, in)
		check(err)
		return g
	}

	sm := gradient(objectives.ScoreMatching{}, nil)
	cd, err := objectives.New(objectives.ContrastiveDivergence{Chains: objectives.Chains{Jumps: -1}}, e, theta,
		objectives.Config{Batch: points, Precision: energy.Float64})
	check(err)
	eval, err := energy.NewEvaluator(e, theta, energy.EvaluatorConfig{Precision: energy.Float64})
	check(err)
	slope := mat.NewDense(points, dim, nil)
	check(eval.EnergyGrad(make([]float64, points), slope, x))

	fmt.Printf("one-step contrastive divergence, mean over %d pairs of noises, against score matching\n", pairs)
	for _, h := range []float64{0.3, 0.1, 0.03, 0.01, 0.003} {
		mean, g, neg := make([]float64, theta.Len()), make([]float64, theta.Len()), make([]float64, points*dim)
		for range pairs {
			noise := normal(points*dim, rng)
			for _, sign := range []float64{1, -1} { // opposite noises cancel terms linear in them
				for i := range neg {
					neg[i] = x.RawMatrix().Data[i] - h*slope.RawMatrix().Data[i] + sign*math.Sqrt(2*h)*noise[i]
				}
				_, err := cd.Evaluate(g, x, objectives.Inputs{"neg": neg})
				check(err)
				floats.AddScaled(mean, 1/(2*pairs*h), g)
			}
		}
		fmt.Printf("  h = %-6g relative distance %.4f\n", h, distance(mean, sm))
	}

	v := normal(points*dim, rng)
	minus := make([]float64, len(v))
	floats.ScaleTo(minus, -1, v)
	ssm := gradient(objectives.Sliced{}, objectives.Inputs{"v": v})
	fmt.Println("noise contrastive estimation with noise at x ± v, against sliced score matching along v")
	for _, size := range []float64{1, 0.3, 0.1, 0.03, 0.01} {
		sum := gradient(objectives.ConditionalNCE{Sigma: size}, objectives.Inputs{"eps": v})
		floats.Add(sum, gradient(objectives.ConditionalNCE{Sigma: size}, objectives.Inputs{"eps": minus}))
		floats.Scale(1/(size*size), sum)
		fmt.Printf("  |v| ~ %-5g relative distance %.6f\n", size, distance(sum, ssm))
	}
}

// distance returns |a - b| / |b|.
func distance(a, b []float64) float64 { return floats.Distance(a, b, 2) / floats.Norm(b, 2) }

func normal(n int, rng *rand.Rand) []float64 {
	v := make([]float64, n)
	for i := range v {
		v[i] = rng.NormFloat64()
	}
	return v
}

func check(err error) {
	if err != nil {
		log.Fatal(err)
	}
}
