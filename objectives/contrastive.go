package objectives

import (
	"fmt"
	"math"
	"math/rand/v2"
	"slices"

	"gonum.org/v1/gonum/mat"
	G "gorgonia.org/gorgonia"

	"github.com/stheno-ebm/stheno/energy/safetensors"
	"github.com/stheno-ebm/stheno/graphs"
	"github.com/stheno-ebm/stheno/mcmc"
)

// likelihood is the loss of `ml`, `cd` and `pcd`,
//
//	L = mean E(x) - mean E(x⁻) + α (mean E(x)² + mean E(x⁻)²),
//
// whose gradient, with x⁻ held fixed and α = 0, is that of the mean negative log likelihood if x⁻ follows the model. The
// three differ in where x⁻ comes from. α > 0 keeps energies small and is a bias; so are chains that have not mixed.
type likelihood struct {
	alpha float64
	src   negatives
	info  mcmc.Info // of the last draw, without its slices
	neg   mat.Dense
}

// negatives fills x⁻, n×d, one row per row of the batch.
type negatives interface {
	sample(dst *mat.Dense, x *mat.Dense, rng *rand.Rand) (mcmc.Info, error)
	save() []safetensors.Tensor
	restore(f *safetensors.File) error
}

func (f *likelihood) Inputs(n, d int) []Input { return []Input{{Name: "neg", Shape: []int{n, d}}} }

func (f *likelihood) Draw(in Inputs, x *mat.Dense, rng *rand.Rand) error {
	n, d := x.Dims()
	info, err := f.src.sample(view(&f.neg, in["neg"], n, d), x, rng)
	f.info = mcmc.Info{AcceptProb: info.AcceptProb, Divergent: info.Divergent}
	return err
}

func (f *likelihood) Loss(b *Builder) *G.Node {
	neg := b.In("neg")
	b.SetNegatives(neg)
	up, un := b.E(b.X), b.E(neg)
	b.Yield("positive", graphs.Mean(up))
	b.Yield("negative", graphs.Mean(un))
	loss := graphs.Mean(graphs.Sub(up, un)) // not the difference of the means, which would keep their rounding
	if f.alpha > 0 {
		sq := graphs.Add(graphs.Mean(graphs.Square(up)), graphs.Mean(graphs.Square(un)))
		loss = graphs.Add(loss, graphs.Scale(sq, f.alpha))
	}
	return loss
}

func (f *likelihood) Report(out Inputs, s *Stats) {
	s.Positive, s.Negative = out["positive"][0], out["negative"][0]
	s.AcceptProb, s.Divergent = f.info.AcceptProb, f.info.Divergent
}

func (f *likelihood) save() []safetensors.Tensor        { return f.src.save() }
func (f *likelihood) restore(s *safetensors.File) error { return f.src.restore(s) }

// mover runs short chains on the live energy.
type mover struct {
	target   mcmc.Target
	energies func(e []float64, x *mat.Dense) error // of the same energy, without the gradients; jumps need it
	stale    func()                                // tells the target that θ changed
	kernel   mcmc.Kernel
	tuned    *mcmc.MALA // kernel, where its step follows the acceptance
	steps    int
	jumps    *jumps
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
		if err := m.jumps.move(s.X, m.energies, rng); err != nil {
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
	if m.tuned != nil {
		m.tune(sum.AcceptProb)
	}
	// The last move of a kernel without an accept step is unseen yet; Invalidate would forget the way back. Other kernels know
	// where they are, and Refresh does nothing.
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

// tune moves the step of MALA towards an acceptance of 0.574, by at most 6 %: it follows the energy as that sharpens. Every
// run is at one step, which its own draws do not choose.
func (m *mover) tune(accept float64) {
	if accept == accept {
		m.tuned.StepSize = min(max(m.tuned.StepSize*math.Exp(0.1*(accept-0.574)), 1e-12), 1e12)
	}
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

// fromData is `cd`: the chains start at the batch itself and take k steps. The short chains are a bias: the gradient is that
// of KL(data‖p) - KL(kᵗʰ step‖p) with a small term left out.
//
// Hinton, Training products of experts by minimizing contrastive divergence, Neural Computation 14 (2002) 1771–1800.
type fromData struct{ mover }

func (c *fromData) sample(dst, x *mat.Dense, rng *rand.Rand) (mcmc.Info, error) {
	dst.Copy(x)
	return c.run(dst, rng)
}

// persistent is `pcd`: chains that go on from gradient to gradient, one per row of the batch; they start at the first batch.
//
// Tieleman, Training restricted Boltzmann machines using approximations to the likelihood gradient, ICML 2008.
type persistent struct {
	mover
	chains  *mat.Dense
	started bool
}

func (c *persistent) sample(dst, x *mat.Dense, rng *rand.Rand) (mcmc.Info, error) {
	if !c.started {
		c.chains.Copy(x)
		c.started = true
	}
	info, err := c.run(c.chains, rng)
	dst.Copy(c.chains)
	return info, err
}

func (c *persistent) save() []safetensors.Tensor {
	n, d := c.chains.Dims()
	return append(c.mover.save(), array("chains", c.chains.RawMatrix().Data, n, d), array("started", []float64{flag(c.started)}, 1))
}

func (c *persistent) restore(f *safetensors.File) error {
	n, d := c.chains.Dims()
	v, err := numbers(f, "chains", n*d)
	if err != nil {
		return err
	}
	s, err := numbers(f, "started", 1)
	if err != nil {
		return err
	}
	if err := c.mover.restore(f); err != nil {
		return err
	}
	copy(c.chains.RawMatrix().Data, v)
	c.started = s[0] != 0
	return nil
}

func flag(b bool) float64 {
	if b {
		return 1
	}
	return 0
}
