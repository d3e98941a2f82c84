package objectives

import (
	"cmp"
	"encoding/binary"
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"

	"gonum.org/v1/gonum/mat"
	G "gorgonia.org/gorgonia"

	"github.com/stheno-ebm/stheno/energy"
	"github.com/stheno-ebm/stheno/energy/safetensors"
	"github.com/stheno-ebm/stheno/graphs"
	"github.com/stheno-ebm/stheno/mcmc"
)

// Chains holds what cd, pcd and ml have in common: how the points move at which the energy is raised. Chains are
// Metropolis-adjusted, so that they are right for a sharp energy, and jumps carry them between modes, which local moves
// do not.
type Chains struct {
	// 1 to 10000; 0 means 2
	Steps    int          `json:"chain-steps" help:"Transitions of the chains per gradient; 2 by default."`
	Sampler  ChainSampler `json:"chain-sampler" help:"How chains move: mala (default), with a step size that follows the acceptance, or langevin."`
	StepSize float64      `json:"chain-step-size" help:"Step size of the chains (for mala, the initial one) in squared units of the data; 0.00025 of their variance by default."`
	// 0 means 4
	Jumps int       `json:"jumps" zero:"none" help:"Proposals from the noise before the transitions, which cross between modes; 4 by default, 0 means none."`
	Noise NoiseName `json:"noise" help:"Density that jumps are drawn from: gaussian, box, kde, mixture or base (that of the model); by default base if the model has one, else mixture."`
	Alpha float64   `json:"alpha" help:"Weight of a penalty on squared energies, a source of bias; 0, none, by default."`

	// Kernel is how chains move, in place of Sampler and StepSize. One that remembers something from step to step is
	// part of the state if it is [Stateful].
	Kernel  mcmc.Kernel `json:"-"`
	Density Noise       `json:"-"` // in place of Noise
}

// ChainSampler is the sampler of the chains. The zero value means ChainMALA.
type ChainSampler string

// The samplers of chains.
const (
	// mcmc.Langevin: accurate if steps are short compared with details of the energy
	ChainLangevin ChainSampler = "langevin"
	ChainMALA     ChainSampler = "mala" // mcmc.MALA, with the step size tuned to an acceptance of 0.574
)

// Options lists the samplers.
func (ChainSampler) Options() []string { return []string{string(ChainLangevin), string(ChainMALA)} }

// mostTurns bounds loops within a step, which cannot be interrupted.
const mostTurns = 10_000

func (c Chains) check(m Method) *Checks {
	check := Check(m).Whole("Steps", 1, mostTurns).Option("Sampler").Positive("StepSize")
	check.Whole("Jumps", 1, mostTurns).Option("Noise").NonNegative("Alpha")
	if c.Kernel != nil {
		if err := c.Kernel.Validate(); err != nil {
			check.That(false, "Kernel", "a valid kernel: "+err.Error())
		}
	}
	return check
}

func (c Chains) suited(data Facts) Chains {
	c.Steps, c.Sampler, c.Noise = cmp.Or(c.Steps, 2), cmp.Or(c.Sampler, ChainMALA), cmp.Or(c.Noise, data.noise())
	c.StepSize = cmp.Or(c.StepSize, round(2.5e-4*data.spread()*data.spread()))
	c.Jumps = cmp.Or(c.Jumps, 4)
	return c
}

// recipe returns the recipe for objectives that compare energies, but shorter, since the chains add to the cost of a
// step.
func (Chains) recipe(data Facts) Recipe {
	r := DefaultRecipe(data)
	r.Steps = 2500
	return r
}

// bias describes the bias of the chains, in a format with a verb for their steps, and that of the penalty.
func (c Chains) bias(format string) string {
	steps := cmp.Or(c.Steps, 2)
	words := fmt.Sprintf("%d steps", steps)
	if steps == 1 {
		words = "1 step"
	}
	b := fmt.Sprintf(format, words)
	if c.Alpha > 0 {
		b += fmt.Sprintf("; alpha = %g pulls energies to zero", c.Alpha)
	}
	return b
}

// form returns the loss over chains from the given source.
func (c Chains) form(s Setup, source func(m mover) (negatives, error)) (Form, error) {
	m, err := c.mover(s)
	if err != nil {
		return nil, err
	}
	src, err := source(m)
	if err != nil {
		return nil, err
	}
	return &chainForm{alpha: c.Alpha, src: src, memory: memoryOf(c.Kernel)}, nil
}

func (c Chains) mover(s Setup) (mover, error) {
	m := mover{kernel: c.Kernel, steps: c.Steps, stale: s.Params.Changed}
	switch {
	case m.kernel != nil:
	case c.Sampler == ChainLangevin:
		m.kernel = mcmc.Langevin{StepSize: c.StepSize}
	default:
		m.tuned = &mcmc.MALA{StepSize: c.StepSize}
		m.kernel = m.tuned
	}
	eval, err := energy.NewEvaluator(s.Energy, s.Params, s.evaluator(s.Batch))
	if err != nil {
		return m, err
	}
	m.target, m.energies = eval, eval.Energies
	if c.Jumps <= 0 {
		return m, nil
	}
	if c.Density == nil && s.Data == nil {
		return m, errors.New("objectives: jumps of chains are drawn from a noise that is fitted to data: set " +
			"Config.Data, or Chains.Density, or Jumps to -1, which is none")
	}
	q, err := s.noise(c.Noise, c.Density)
	if err != nil {
		return m, err
	}
	m.jumps = &mcmc.Jumps{Proposal: q, Times: c.Jumps}
	return m, nil
}

// chainForm is the loss of `ml`, `cd` and `pcd`,
//
//	L = mean E(x) - mean E(x⁻) + α (mean E(x)² + mean E(x⁻)²),
//
// whose gradient, with x⁻ held fixed and α = 0, is that of the mean negative log-likelihood if x⁻ follows the model.
// The three differ in where x⁻ comes from. α > 0 keeps energies small and causes a bias, as do chains that have not
// mixed.
type chainForm struct {
	alpha  float64
	src    negatives
	memory Stateful  // of the kernel; nil: none
	info   mcmc.Info // of the last draw, without its slices
	neg    mat.Dense
}

// negatives fills x⁻, n×d, one row per row of the batch.
type negatives interface {
	sample(dst *mat.Dense, x *mat.Dense, rng *rand.Rand) (mcmc.Info, error)
	save() []safetensors.Tensor
	restore(f *safetensors.File) error
}

func (f *chainForm) Inputs(n, d int) []Input { return []Input{{Name: "neg", Shape: []int{n, d}}} }

func (f *chainForm) Draw(in Inputs, x *mat.Dense, rng *rand.Rand) error {
	n, d := x.Dims()
	info, err := f.src.sample(view(&f.neg, in["neg"], n, d), x, rng)
	f.info = mcmc.Info{AcceptProb: info.AcceptProb, Divergent: info.Divergent}
	return err
}

func (f *chainForm) Loss(b *Builder) *G.Node {
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

func (f *chainForm) Report(out Inputs, s *Stats) {
	s.Positive, s.Negative = out["positive"][0], out["negative"][0]
	s.AcceptProb, s.Divergent = f.info.AcceptProb, f.info.Divergent
}

// MarshalState returns the state of the chains and, after it, that of a kernel of one's own that remembers something.
func (f *chainForm) MarshalState() ([]byte, error) {
	b, err := pack(f)
	if f.memory == nil || err != nil {
		return b, err
	}
	own, err := f.memory.MarshalState()
	if err != nil {
		return nil, fmt.Errorf("objectives: the kernel %T: %w", f.memory, err)
	}
	return slices.Concat(binary.LittleEndian.AppendUint64(nil, uint64(len(b))), b, own), nil
}

func (f *chainForm) UnmarshalState(b []byte) error {
	if f.memory == nil {
		return unpack(f, b)
	}
	if len(b) < lengthBytes || binary.LittleEndian.Uint64(b) > uint64(len(b)-lengthBytes) {
		return errors.New("objectives: state is cut short, or belongs to another objective")
	}
	n := lengthBytes + binary.LittleEndian.Uint64(b)
	before, err := f.memory.MarshalState()
	if err != nil {
		return fmt.Errorf("objectives: the kernel %T: %w", f.memory, err)
	}
	if err := f.memory.UnmarshalState(b[n:]); err != nil {
		return fmt.Errorf("objectives: the kernel %T: %w", f.memory, err)
	}
	if err := unpack(f, b[lengthBytes:n]); err != nil {
		return errors.Join(err, f.memory.UnmarshalState(before)) // nothing has changed
	}
	return nil
}

// memoryOf returns k, or what it runs, if that remembers something from step to step.
func memoryOf(k mcmc.Kernel) Stateful {
	for k != nil {
		if s, ok := k.(Stateful); ok {
			return s
		}
		o, ok := k.(mcmc.Outer)
		if !ok {
			break
		}
		k = o.Inner()
	}
	return nil
}

func (f *chainForm) save() []safetensors.Tensor        { return f.src.save() }
func (f *chainForm) restore(s *safetensors.File) error { return f.src.restore(s) }
