package vector_test

import (
	"fmt"

	"github.com/stheno-ebm/stheno/graphs/vector"
)

// One step of Adam moves every parameter by the learning rate against the sign of its gradient.
func ExampleAdam() {
	theta, m, v := []float64{1, 1}, make([]float64, 2), make([]float64, 2)
	opt := vector.Adam{LearningRate: 0.1, Beta1: 0.9, Beta2: 0.999, Eps: 1e-8}
	opt.Step(theta, m, v, []float64{3, -5}, 1)
	fmt.Printf("%.4f\n", theta)
	// Output: [0.9000 1.1000]
}
