package objectives_test

import (
	"fmt"
	"math"
	"math/rand/v2"

	"gonum.org/v1/gonum/mat"
	G "gorgonia.org/gorgonia"

	"github.com/stheno-ebm/stheno/energy"
	"github.com/stheno-ebm/stheno/graphs"
	"github.com/stheno-ebm/stheno/objectives"
)

// Score matching finds the standard deviation of a Gaussian by plain gradient descent.
func ExampleNew() {
	rng := rand.New(rand.NewPCG(1, 2))
	e := energy.Gaussian{D: 1}
	theta := energy.Init(e, rng)
	sm, err := objectives.New(objectives.ScoreMatching{}, e, theta, objectives.Config{Batch: 1000})
	if err != nil {
		panic(err)
	}
	x, grad := mat.NewDense(1000, 1, nil), make([]float64, theta.Len())
	for range 4000 {
		for i := range 1000 {
			x.Set(i, 0, 3+2*rng.NormFloat64())
		}
		if _, err := sm.Gradient(grad, x, rng); err != nil {
			panic(err)
		}
		for i, g := range grad {
			theta.Data()[i] -= 0.05 * g
		}
		theta.Changed()
	}
	fmt.Printf("mean %.1f, deviation %.1f\n", theta.View("mean")[0], 1/math.Abs(theta.View("factor")[0]))
	// Output: mean 3.0, deviation 2.0
}

// margin is an objective of one's own: two short pieces.
//
//	L = mean softplus(E(x) - E(y)),  y uniform on [-4, 4]^d
type margin struct{}

func (margin) Inputs(n, d int) []objectives.Input {
	return []objectives.Input{{Name: "y", Shape: []int{n, d}}}
}

func (margin) Draw(in objectives.Inputs, _ *mat.Dense, rng *rand.Rand) error {
	for i := range in["y"] {
		in["y"][i] = 8*rng.Float64() - 4
	}
	return nil
}

func (margin) Loss(b *objectives.Builder) *G.Node {
	return graphs.Mean(graphs.Softplus(graphs.Sub(b.E(b.X), b.E(b.In("y")))))
}

func ExampleCompile() {
	rng := rand.New(rand.NewPCG(1, 2))
	e, err := energy.NewMLP(energy.MLPConfig{Dim: 2, Hidden: []int{16}})
	if err != nil {
		panic(err)
	}
	theta := energy.Init(e, rng)
	o, err := objectives.Compile(margin{}, e, theta, objectives.Config{Batch: 4})
	if err != nil {
		panic(err)
	}
	grad := make([]float64, theta.Len())
	s, err := o.Gradient(grad, mat.NewDense(4, 2, nil), rng)
	fmt.Println(s.Loss > 0, len(grad), err)
	// Output: true 65 <nil>
}
