// Ownenergy trains a custom energy, written with Gorgonia nodes, that recovers the signals mixed in the data:
// independent component analysis, the example with which Hyvärinen introduced score matching (JMLR 6 (2005) 695–709).
//
// The data are x = A s, with four independent logistic signals s. Their density is exp(-E(x)) up to a constant,
//
//	E(x) = Σ_k softplus(z_k) + softplus(-z_k),   z = π/√3 · W x,   W = A⁻¹,
//
// and score matching finds W from x alone, up to order and sign.
package main

import (
	"context"
	"fmt"
	"log"
	"math"
	"math/rand/v2"

	"gonum.org/v1/gonum/mat"
	G "gorgonia.org/gorgonia"

	"github.com/stheno-ebm/stheno/energy"
	"github.com/stheno-ebm/stheno/graphs"
	"github.com/stheno-ebm/stheno/objectives"
	"github.com/stheno-ebm/stheno/objectives/train"
)

const (
	d     = 4
	batch = 512
	seed  = 1
)

var mixing = mat.NewDense(d, d, []float64{
	1.0, 0.6, -0.3, 0.2,
	-0.4, 0.9, 0.5, 0.1,
	0.3, -0.2, 1.1, -0.6,
	0.1, 0.5, 0.4, 0.8,
})

// signals is the source of data.
type signals struct{}

func (signals) Sample(dst *mat.Dense, rng *rand.Rand) {
	n, _ := dst.Dims()
	s := mat.NewDense(n, d, nil)
	s.Apply(func(_, _ int, _ float64) float64 {
		u := 1 - rng.Float64()                                   // in (0, 1]
		return math.Sqrt(3) / math.Pi * math.Log(u/(1-u+1e-300)) // logistic with variance 1
	}, s)
	dst.Mul(s, mixing.T())
}

func main() {
	log.SetFlags(0)
	own := energy.Func{
		D:      d,
		Params: []energy.Spec{{Name: "unmixing", Shape: []int{d, d}}},
		F: func(x *G.Node, theta G.Nodes) (*G.Node, error) {
			// Operations of package graphs and of Gorgonia can be mixed; those that return no error read like
			// mathematics.
			return graphs.Try(func() *G.Node {
				z := graphs.Scale(graphs.MatMul(x, theta[0], false, true), math.Pi/math.Sqrt(3)) // (n, d)
				both := graphs.Must(G.Add(graphs.Softplus(z), graphs.Must(G.Softplus(graphs.Neg(z)))))
				return graphs.RowSum(both) // (n, 1)
			})
		},
	}

	// Everything else is as for a network: any objective, any sampler, any precision.
	theta := energy.Init(own, train.Stream(seed, "init"))
	sm := must(objectives.New(objectives.ScoreMatching{}, own, theta, objectives.Config{Batch: batch}))
	result := must(train.Run(context.Background(), train.Config{
		Objective: sm, Optimizer: &train.Adam{}, Source: signals{},
		Dim: d, Batch: batch, Steps: 3000, Seed: seed, LearningRate: 0.02, Schedule: train.Cosine{},
		Hooks: train.Hooks{Step: func(p train.Progress) error {
			if p.Step%500 == 0 {
				fmt.Printf("step %4d  loss %8.4f\n", p.Step, p.Stats.Loss)
			}
			return nil
		}},
	}))

	// W A is a signed permutation if the signals were found.
	var found mat.Dense
	found.Mul(mat.NewDense(d, d, result.Average), mixing)
	fmt.Printf("unmixing × mixing after %.1f s:\n%.2f\n", result.Seconds, mat.Formatted(&found))
	worst := 0.0
	for k := range d {
		row := found.RawRowView(k)
		var sum, peak float64
		for _, v := range row {
			sum += math.Abs(v)
			peak = max(peak, math.Abs(v))
		}
		worst = max(worst, sum-peak, math.Abs(peak-1))
	}
	fmt.Printf("largest leak between signals %.3f\n", worst)
}

func must[T any](v T, err error) T {
	if err != nil {
		log.Fatal(err)
	}
	return v
}
