package objectives

import (
	"fmt"
	"math/rand/v2"
	"slices"

	"gonum.org/v1/gonum/mat"

	"github.com/stheno-ebm/stheno/energy/safetensors"
	"github.com/stheno-ebm/stheno/mcmc"
)

// mover runs short chains on the live energy.
type mover struct {
	target   mcmc.Target
	energies func(e []float64, x *mat.Dense) error // the same energy without gradients, for jumps
	stale    func()                                // tells the target that θ changed
	kernel   mcmc.Kernel
	tuned    *mcmc.MALA // kernel, if its step size follows the acceptance
	steps    int
	jumps    *mcmc.Jumps
	state    *mcmc.State
}

// run moves the rows of x in place.
func (m *mover) run(x *mat.Dense, rng *rand.Rand) (mcmc.Info, error) {
	m.stale()
	n, d := x.Dims()
	if m.state == nil {
		m.state = mcmc.NewState(mat.NewDense(n, d, nil))
	}
	s := m.state
	s.X.Copy(x)
	s.Momentum, s.Replicas = nil, nil
	s.Invalidate()
	if m.jumps != nil {
		if err := m.jumps.Move(s.X, m.energies, rng); err != nil {
			return mcmc.Info{}, err
		}
	}
	var sum mcmc.Info
	for range m.steps {
		info, err := m.kernel.Step(s, m.target, rng)
		if err != nil {
			return sum, err
		}
		sum.AcceptProb += info.AcceptProb / float64(m.steps)
		sum.Divergent += info.Divergent
	}
	if m.tuned != nil { // the energy sharpens, and the step size follows
		m.tuned.StepSize = m.tuned.Tuning().Follow(sum.AcceptProb)
	}
	// The last move of a kernel without an accept step has not been evaluated yet; Invalidate would forget the way
	// back. For other kernels Refresh does nothing.
	x.Copy(s.X)
	if err := s.Refresh(m.target); err != nil {
		return sum, err
	}
	for i := range n {
		if to := s.X.RawRowView(i); finite(to) && !slices.Equal(x.RawRowView(i), to) { // went back
			x.SetRow(i, to)
			sum.Divergent++
		}
	}
	return sum, nil
}

func (m *mover) save() []safetensors.Tensor {
	if m.tuned == nil {
		return nil
	}
	return []safetensors.Tensor{array("chain_step", []float64{m.tuned.StepSize}, 1)}
}

func (m *mover) restore(f *safetensors.File) error {
	if m.tuned == nil {
		return nil
	}
	v, err := numbers(f, "chain_step", 1)
	if err != nil {
		return err
	}
	k := mcmc.MALA{StepSize: v[0]}
	if err := k.Validate(); err != nil {
		return fmt.Errorf("objectives: state: chain_step: %w", err)
	}
	*m.tuned = k
	return nil
}
