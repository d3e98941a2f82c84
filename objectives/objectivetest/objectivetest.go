// Package objectivetest checks implementations of objectives.Objective.
package objectivetest

import (
	"math"
	"math/rand/v2"
	"slices"
	"testing"

	"gonum.org/v1/gonum/mat"

	"github.com/stheno-ebm/stheno/energy"
	"github.com/stheno-ebm/stheno/objectives"
)

// New creates the objective to check, for parameters p of its energy.
type New func(p *energy.Params) (objectives.Objective, error)

// Check runs every check of this package on an objective in float64: its gradient is that of its loss, equal seeds give
// equal results, the batch is not modified, its state can be saved, and it does not allocate.
func Check(t *testing.T, build New, p *energy.Params, x *mat.Dense) {
	t.Run("gradient", func(t *testing.T) { checkGradient(t, build, p, x, 1e-5) })
	t.Run("repeatable", func(t *testing.T) { checkRepeatable(t, build, p, x) })
	t.Run("allocations", func(t *testing.T) { checkAllocations(t, build, p, x) })
}

func rng(seed uint64) *rand.Rand { return rand.New(rand.NewPCG(seed, 99)) }

// checkGradient compares every element of the gradient with the central difference of the loss for the same draws
// (common random numbers), in steps of 1e-5, to tol relative to the largest element.
func checkGradient(t *testing.T, build New, p *energy.Params, x *mat.Dense, tol float64) {
	t.Helper()
	o, err := build(p)
	if err != nil {
		t.Fatal(err)
	}
	ev, ok := o.(objectives.Evaluator)
	if !ok {
		t.Fatal("the objective cannot be evaluated with given draws")
	}
	grad := make([]float64, p.Len())
	if _, err := o.Gradient(grad, x, rng(1)); err != nil { // draws, and leaves θ-independent state in place
		t.Fatal(err)
	}
	if _, err := ev.Evaluate(grad, x, nil); err != nil {
		t.Fatal(err)
	}
	loss := func() float64 {
		s, err := ev.Evaluate(nil, x, nil)
		if err != nil {
			t.Fatal(err)
		}
		return s.Loss
	}
	var most float64
	for _, g := range grad {
		most = max(most, math.Abs(g))
	}
	if most == 0 || math.IsNaN(most) {
		t.Fatalf("largest element of the gradient is %g", most)
	}
	const h = 1e-5
	theta := p.Data()
	for i, v := range theta {
		theta[i] = v + h
		hi := loss()
		theta[i] = v - h
		lo := loss()
		theta[i] = v
		if want := (hi - lo) / (2 * h); math.Abs(grad[i]-want) > tol*max(most, 1) {
			t.Errorf("∂loss/∂θ_%d: got %.10g, want %.10g", i, grad[i], want)
		}
	}
}

// checkRepeatable creates the objective twice. Both are called three times with equal streams and must agree bit for
// bit, as must a third one that takes over the state of the first after two calls.
func checkRepeatable(t *testing.T, build New, p *energy.Params, x *mat.Dense) {
	t.Helper()
	before := mat.DenseCopyOf(x)
	r1, r2 := rng(2), rng(2)
	a, errA := build(p)
	b, errB := build(p)
	c, errC := build(p)
	if errA != nil || errB != nil || errC != nil {
		t.Fatal(errA, errB, errC)
	}
	ga, gb, gc := make([]float64, p.Len()), make([]float64, p.Len()), make([]float64, p.Len())
	for k := range 3 {
		if k == 2 {
			state, err := a.(objectives.Stateful).MarshalState()
			if err != nil {
				t.Fatal(err)
			}
			if err := c.(objectives.Stateful).UnmarshalState(state); err != nil {
				t.Fatal(err)
			}
			r1, r2 = rng(7), rng(7)
		}
		sa, err := a.Gradient(ga, x, r1)
		if err != nil {
			t.Fatal(err)
		}
		sb, err := b.Gradient(gb, x, r2)
		if err != nil {
			t.Fatal(err)
		}
		if sa != sb || !same(ga, gb) {
			t.Fatalf("call %d: equal seeds gave %+v and %+v", k, sa, sb)
		}
		if k == 2 {
			sc, err := c.Gradient(gc, x, rng(7))
			if err != nil {
				t.Fatal(err)
			}
			if sa != sc || !same(ga, gc) {
				t.Fatalf("after taking over the state: got %+v, want %+v", sc, sa)
			}
		}
	}
	if !mat.Equal(before, x) {
		t.Error("the batch was changed")
	}
}

func same(a, b []float64) bool {
	return slices.EqualFunc(a, b, func(x, y float64) bool { return math.Float64bits(x) == math.Float64bits(y) })
}

// checkAllocations fails if a gradient allocates after the first call.
func checkAllocations(t *testing.T, build New, p *energy.Params, x *mat.Dense) {
	t.Helper()
	o, err := build(p)
	if err != nil {
		t.Fatal(err)
	}
	r, grad := rng(3), make([]float64, p.Len())
	step := func() {
		if _, err := o.Gradient(grad, x, r); err != nil {
			t.Fatal(err)
		}
	}
	step()
	if n := testing.AllocsPerRun(10, step); n != 0 {
		t.Errorf("%g allocations per gradient, want 0", n)
	}
}
