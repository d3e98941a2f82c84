package density_test

import (
	"fmt"
	"math/rand/v2"

	"gonum.org/v1/gonum/mat"

	"github.com/stheno-ebm/stheno/datasets/density"
)

// Points of two clusters are fitted with mixtures; BIC finds two components.
func ExampleFitMixture() {
	rng := rand.New(rand.NewPCG(1, 2))
	x := mat.NewDense(500, 2, nil)
	for i := range 500 {
		centre := float64(6 * (i % 2))
		x.SetRow(i, []float64{centre + rng.NormFloat64(), rng.NormFloat64() - centre})
	}
	m, err := density.FitMixture(x, density.MixtureConfig{}, rng)
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Printf("%d components with weights %.2f\n", m.Components(), m.Weights())
	// Output: 2 components with weights [0.50 0.50]
}

// A blend of a density near the data and one far from them: noise to tell the data from.
func ExampleNewBlend() {
	data := mat.NewDense(4, 2, []float64{0, 0, 1, 0, 0, 1, 1, 1})
	near, _ := density.FitKernel(data)
	far, _ := density.FitGaussian(data, 1.5)
	noise, err := density.NewBlend([]density.Density{near, far}, []float64{0.7, 0.3})
	if err != nil {
		fmt.Println(err)
		return
	}
	logp := make([]float64, 4)
	noise.LogProb(logp, data)
	fmt.Printf("%.3f\n", logp)
	// Output: [-1.903 -1.903 -1.903 -1.903]
}
