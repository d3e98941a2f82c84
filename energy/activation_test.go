package energy

import (
	"math"
	"testing"

	"gonum.org/v1/gonum/mat"
)

// An energy with a bounded activation is bounded far out; one with another activation is not.
func TestBounded(t *testing.T) {
	for _, name := range Activations() {
		net, err := NewMLP(MLPConfig{Dim: 1, Hidden: []int{8}, Activation: Activation(name)})
		if err != nil {
			t.Fatal(err)
		}
		p := NewParams(net.Specs())
		for i := range p.Data() {
			p.Data()[i] = math.Sin(float64(i + 1))
		}
		p.Changed()
		eval, err := NewEvaluator(net, p, EvaluatorConfig{Batch: 2, Precision: Float64})
		if err != nil {
			t.Fatal(err)
		}
		e := make([]float64, 2)
		if err := eval.EnergyGrad(e, nil, mat.NewDense(2, 1, []float64{1e6, -1e6})); err != nil {
			t.Fatal(err)
		}
		if far := max(math.Abs(e[0]), math.Abs(e[1])) > 100; far == Activation(name).Bounded() {
			t.Errorf("%s: energies %g far out, Bounded is %t", name, e, !far)
		}
	}
}
