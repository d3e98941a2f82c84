package model

import (
	"context"
	"fmt"

	"gonum.org/v1/gonum/mat"

	"github.com/stheno-ebm/stheno/cmd/ebm/internal/exit"
	"github.com/stheno-ebm/stheno/mcmc"
	"github.com/stheno-ebm/stheno/objectives/train"
)

// Samplers lists the samplers by name.
func Samplers() []string {
	return []string{"langevin", "mala", "hmc", "nuts", "annealed", "tempering"}
}

// SampleConfig says what to draw. Zero fields mean what the settings of the model say.
type SampleConfig struct {
	N        int // samples; required
	Seed     uint64
	Sampler  string
	Step     float64
	Progress func(mcmc.Progress)
}

// Draw is a set of samples and what is known about how they were drawn.
type Draw struct {
	X           *mat.Dense        // N×d, in the units of the data
	Draws       *mcmc.Draws       // in the units of the network
	Diagnostics *mcmc.Diagnostics // likewise
}

// kernel builds the sampler of the given name; a step of 0 is found during warm-up.
func (m *Model) kernel(name string, step float64) (mcmc.Kernel, error) {
	s := m.Settings
	hmc := mcmc.HMC{StepSize: step, Leapfrog: s.Leapfrog, StepJitter: 0.2}
	switch name {
	case "langevin":
		if step == 0 {
			return mcmc.MALA{}, nil // finds the step; Sample goes on without the acceptance
		}
		return mcmc.Langevin{StepSize: step}, nil
	case "mala":
		return mcmc.MALA{StepSize: step}, nil
	case "hmc":
		return hmc, nil
	case "nuts":
		return mcmc.NUTS{StepSize: step}, nil
	case "annealed":
		return mcmc.Annealed{Kernel: hmc}, nil
	case "tempering":
		return mcmc.Tempering{Kernel: hmc}, nil
	}
	return nil, exit.Unknown("--sampler", name, Samplers())
}

// Sample draws from the model. Chains start from a Gaussian fitted to the data and are led down by annealing, so that
// samplers that do not cross between modes find the modes with about the right weights; what then moves is the sampler
// alone. The draws depend on the seed, not on the number of cores.
func (m *Model) Sample(ctx context.Context, cfg SampleConfig) (*Draw, error) {
	s := m.Settings
	name, step := cfg.Sampler, cfg.Step
	if name == "" {
		name = s.Sampler
	}
	if step == 0 && name == s.Sampler {
		step = s.SamplerStep
	}
	k, err := m.kernel(name, step)
	if err != nil {
		return nil, err
	}
	chains := min(s.Chains, cfg.N)
	kept := (cfg.N + chains - 1) / chains
	rng := train.Stream(cfg.Seed, "sample")

	x := mat.NewDense(chains, m.Data.Dim, nil)
	(&mcmc.Gaussian{Mean: m.Data.Mean, Std: m.Data.Std}).Sample(x, rng)

	targets := func() (mcmc.Target, error) { return m.Evaluator(m.Params, 256) }
	if name != "annealed" && name != "tempering" {
		lead, err := mcmc.Sample(ctx, mcmc.Annealed{Kernel: mcmc.HMC{Leapfrog: s.Leapfrog}, Moves: 4}, targets, x,
			mcmc.SampleConfig{Draws: 1, Warmup: mcmc.Warmup{Steps: 4}}, rng)
		if err != nil {
			return nil, fmt.Errorf("sampling: %w", err)
		}
		x = lead.Last
	}
	run := mcmc.SampleConfig{Draws: kept, Warmup: mcmc.Warmup{Steps: s.Adapt}, BurnIn: s.BurnIn, Thin: s.Thin, Progress: cfg.Progress}
	switch {
	case name == "annealed":
		run.Warmup.Steps, run.BurnIn, run.Thin = min(s.Adapt, 20), 0, 1
	case name == "langevin" && step == 0:
		// The step at which MALA accepts nearly always keeps Langevin's own error small.
		tuned, err := mcmc.Sample(ctx, k, targets, x, mcmc.SampleConfig{Draws: 1, Warmup: mcmc.Warmup{Steps: max(s.Adapt, 20), Accept: 0.9}}, rng)
		if err != nil {
			return nil, fmt.Errorf("sampling: %w", err)
		}
		x, run.Warmup.Steps = tuned.Last, 0
		k = mcmc.Langevin{StepSize: tuned.Kernels[0].(mcmc.MALA).StepSize}
	}
	draws, err := mcmc.Sample(ctx, k, targets, x, run, rng)
	if err != nil {
		return nil, fmt.Errorf("sampling: %w", err)
	}
	out := &Draw{Draws: draws, Diagnostics: mcmc.Diagnose(draws, m.Data.modes())}
	out.X = mat.DenseCopyOf(draws.X.Slice(0, cfg.N, 0, draws.Dim))
	m.Data.Restore(out.X)
	return out, nil
}
