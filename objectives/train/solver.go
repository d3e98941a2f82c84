package train

import (
	"errors"
	"fmt"

	"gorgonia.org/gorgonia"
	"gorgonia.org/tensor"
)

// Solver turns any gorgonia.Solver into an Optimizer. It presents θ as one vector, so that per-tensor quirks (0-d
// tensors, transposed views) cannot arise; the gradient is copied, because Gorgonia's solvers overwrite and zero it.
//
// In Gorgonia v0.9.18, Vanilla is correct; so is Adam, except that WithBatchSize also divides its L2 term; Momentum and
// RMSProp are correct without regularisation and clipping; AdaGrad ignores its options, including the rate of a
// schedule. AdamW never updates the weights and is rejected: use Adam with WeightDecay. The state of a Gorgonia solver
// cannot be read, so a run with one cannot write checkpoints, except with Vanilla, which has none.
type Solver struct {
	S gorgonia.Solver

	pair *pair
}

var _ Optimizer = (*Solver)(nil)

// ErrNoState is returned when the state of an optimizer is needed but cannot be read.
var ErrNoState = errors.New("train: the state of this optimizer cannot be saved; use train.Adam")

// pair is a gorgonia.ValueGrad over a value and a gradient.
type pair struct {
	theta       []float64
	value, grad *tensor.Dense
	copied      []float64
}

func (p *pair) Value() gorgonia.Value         { return p.value }
func (p *pair) Grad() (gorgonia.Value, error) { return p.grad, nil }
func dense(v []float64) *tensor.Dense {
	return tensor.New(tensor.WithShape(len(v)), tensor.WithBacking(v))
}
func same(a, b []float64) bool                 { return len(a) == len(b) && (len(a) == 0 || &a[0] == &b[0]) }
func (s *Solver) SetLearningRate(rate float64) { gorgonia.WithLearnRate(rate)(s.S) }

// Validate rejects a missing solver and AdamW.
func (s *Solver) Validate() error {
	switch s.S.(type) {
	case nil:
		return errors.New("train: Solver.S is nil, want a gorgonia.Solver")
	case *gorgonia.AdamW:
		return errors.New("train: gorgonia.AdamW never updates the weights (v0.9.18); use train.Adam with WeightDecay")
	}
	return nil
}

// Step lets the solver update θ.
func (s *Solver) Step(theta, grad []float64) error {
	if len(theta) != len(grad) {
		panic("train: lengths of θ and gradient differ")
	}
	if s.pair == nil {
		s.pair = &pair{copied: make([]float64, len(grad))}
		s.pair.grad = dense(s.pair.copied)
	}
	p := s.pair
	if !same(p.theta, theta) {
		if p.theta != nil && len(p.theta) != len(theta) {
			panic("train: length of θ changed")
		}
		p.theta, p.value = theta, dense(theta)
	}
	copy(p.copied, grad)
	if err := s.S.Step([]gorgonia.ValueGrad{p}); err != nil {
		return fmt.Errorf("train: %T: %w", s.S, err)
	}
	return nil
}

// MarshalState fails with ErrNoState, except for the stateless solver.
func (s *Solver) MarshalState() ([]byte, error) {
	if _, ok := s.S.(*gorgonia.VanillaSolver); ok {
		return []byte{}, nil
	}
	return nil, ErrNoState
}

// UnmarshalState accepts what MarshalState returned.
func (s *Solver) UnmarshalState(b []byte) error {
	if _, ok := s.S.(*gorgonia.VanillaSolver); ok && len(b) == 0 {
		return nil
	}
	return ErrNoState
}
