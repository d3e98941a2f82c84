package train_test

import (
	"context"
	"fmt"
	"math/rand/v2"

	"gonum.org/v1/gonum/mat"

	"github.com/stheno-ebm/stheno/objectives/train"
)

// square is the loss ½(θ − x)², averaged over the batch.
type square struct{ theta []float64 }

func (s *square) Data() []float64 { return s.theta }
func (s *square) Changed()        {}

func (s *square) Gradient(grad []float64, x *mat.Dense, rng *rand.Rand) (train.Stats, error) {
	n, _ := x.Dims()
	var loss float64
	grad[0] = 0
	for i := range n {
		r := s.theta[0] - x.At(i, 0)
		loss += r * r / 2 / float64(n)
		grad[0] += r / float64(n)
	}
	return train.Stats{Loss: loss}, nil
}

// sevens are data that are always 7.
type sevens struct{}

func (sevens) Sample(dst *mat.Dense, rng *rand.Rand) {
	n, _ := dst.Dims()
	for i := range n {
		dst.Set(i, 0, 7)
	}
}

func ExampleRun() {
	s := &square{theta: []float64{0}}
	res, err := train.Run(context.Background(), train.Config{
		Objective: s, Params: s, Optimizer: new(train.Adam), Source: sevens{}, Dim: 1, Batch: 4, Steps: 1000,
		LearningRate: 0.05, Schedule: train.Warmup{Steps: 10, Then: train.Cosine{}}, Clip: 1, Seed: 1,
	})
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Printf("%d steps, θ = %.3f\n", res.Step, s.theta[0])
	// Output: 1000 steps, θ = 7.000
}

func ExampleStream() {
	a, b := train.Stream(1, "noise", 3), train.Stream(1, "noise", 3)
	fmt.Println(a.Uint64() == b.Uint64(), a.Uint64() == train.Stream(1, "noise", 4).Uint64())
	// Output: true false
}
