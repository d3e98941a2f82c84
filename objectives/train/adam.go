package train

import (
	"cmp"
	"errors"
	"fmt"
	"math"

	"github.com/stheno-ebm/stheno/graphs/vector"
)

// Adam is the optimizer of Kingma and Ba, Adam: a method for stochastic optimization, ICLR 2015:
//
//	m ← β₁ m + (1−β₁) g
//	v ← β₂ v + (1−β₂) g²
//	θ ← θ − η · m/(1−β₁ᵗ) / (√(v/(1−β₂ᵗ)) + ε)
//
// With WeightDecay λ > 0 it is AdamW (Loshchilov and Hutter, Decoupled weight decay regularization, ICLR 2019): before
// the step above, θ ← (1 − ηλ) θ. The arithmetic is float64 whatever the dtype of the graph. The zero value of a field
// means its default.
type Adam struct {
	LearningRate float64 // η > 0; 0 means 1e-3
	Beta1        float64 // in [0, 1); 0 means 0.9. For β₁ = 0 use a tiny number
	Beta2        float64 // in [0, 1); 0 means 0.999
	Epsilon      float64 // ε > 0; 0 means 1e-8
	WeightDecay  float64 // λ ≥ 0
	Threads      int     // that share large θ; no result depends on it; 0 means 1

	rate *float64 // set by SetLearningRate, which may ask for 0
	step uint64
	m, v []float64
}

var _ Optimizer = (*Adam)(nil)

// SetLearningRate sets η, overriding LearningRate; here 0 means 0.
func (a *Adam) SetLearningRate(rate float64) {
	if a.rate == nil {
		a.rate = new(float64)
	}
	*a.rate = rate
}

// Validate names every setting that is out of range.
func (a *Adam) Validate() error {
	return errors.Join(
		check(a.LearningRate >= 0 && !math.IsInf(a.LearningRate, 0), "Adam.LearningRate = %g, want > 0", a.LearningRate),
		check(a.Beta1 >= 0 && a.Beta1 < 1, "Adam.Beta1 = %g, want in [0, 1)", a.Beta1),
		check(a.Beta2 >= 0 && a.Beta2 < 1, "Adam.Beta2 = %g, want in [0, 1)", a.Beta2),
		check(a.Epsilon >= 0, "Adam.Epsilon = %g, want > 0", a.Epsilon),
		check(a.WeightDecay >= 0, "Adam.WeightDecay = %g, want >= 0", a.WeightDecay),
		check(a.Threads >= 0, "Adam.Threads = %d, want >= 0", a.Threads))
}

// Step makes one update. It does not change grad.
func (a *Adam) Step(theta, grad []float64) error {
	if len(theta) != len(grad) {
		panic("train: lengths of θ and gradient differ")
	}
	if a.m == nil {
		a.m = make([]float64, len(theta))
		a.v = make([]float64, len(theta))
	}
	if len(a.m) != len(theta) { // moments from a checkpoint
		return fmt.Errorf("train: Adam has moments of %d parameters, θ has %d", len(a.m), len(theta))
	}
	rate, eps := cmp.Or(a.LearningRate, 1e-3), cmp.Or(a.Epsilon, 1e-8)
	b1, b2 := cmp.Or(a.Beta1, 0.9), cmp.Or(a.Beta2, 0.999)
	if a.rate != nil {
		rate = *a.rate
	}
	a.step++
	step := vector.Adam{LearningRate: rate, Beta1: b1, Beta2: b2, Eps: eps, WeightDecay: a.WeightDecay,
		Threads: a.Threads}
	step.Step(theta, a.m, a.v, grad, int(a.step))
	return nil
}

// MarshalState returns the step count and the two moments.
func (a *Adam) MarshalState() ([]byte, error) {
	var e encoder
	e.uint64(a.step)
	e.floats(a.m)
	e.floats(a.v)
	return e.b, nil
}

// UnmarshalState restores what MarshalState returned.
func (a *Adam) UnmarshalState(b []byte) error {
	d := decoder{b: b}
	step, m, v := d.uint64(), d.floats(), d.floats()
	if err := d.finish("Adam"); err != nil {
		return err
	}
	if len(m) != len(v) {
		return errors.New("train: state of Adam: moments of different lengths")
	}
	a.step, a.m, a.v = step, m, v
	return nil
}
