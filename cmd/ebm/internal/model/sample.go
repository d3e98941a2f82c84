package model

import (
	"context"
	"fmt"
	"math/rand/v2"
	"slices"

	"gonum.org/v1/gonum/floats"
	"gonum.org/v1/gonum/mat"

	"github.com/stheno-ebm/stheno/cmd/ebm/internal/exit"
	"github.com/stheno-ebm/stheno/energy"
	"github.com/stheno-ebm/stheno/mcmc"
	"github.com/stheno-ebm/stheno/objectives"
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
	Chains   int
	BurnIn   *int // nil: the settings'
	Thin     int
	Progress func(mcmc.Progress)
}

// Draw is a set of samples and what is known about how they were drawn, all in the units of the data.
type Draw struct {
	X           *mat.Dense // N×d
	Draws       *mcmc.Draws
	Diagnostics *mcmc.Diagnostics
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
		return m.annealed(hmc), nil
	case "tempering":
		return mcmc.Tempering{Kernel: hmc}, nil
	}
	return nil, exit.Unknown("--sampler", name, Samplers())
}

// annealed runs k down the noise levels of an energy that has them, and down the temperature of any other. Modes far apart
// then get the weights of the levels at which they were joined, which denoising learns well; those of the smallest level
// it sees beside a background alone.
func (m *Model) annealed(k mcmc.Kernel) mcmc.Annealed {
	if e, ok := m.Energy.(energy.NoiseConditional); ok {
		const detail = 0.03 // of the largest standard deviation
		return mcmc.Annealed{Kernel: k, Sigmas: e.Levels(), Detail: detail * slices.Max(m.Data.Std), Moves: 2}
	}
	return mcmc.Annealed{Kernel: k}
}

// Sample draws from the model. Chains start from draws of a broad density around the data, resampled by the model's own weights, so
// that they are spread over its modes as the model has it; where that density is too far from the model, from a Gaussian, and are led
// down by annealing. Proposals from that broad density go before every transition (sampler-jumps), so that chains change modes as they
// run and R̂ tells of all of them. The draws depend on the seed, not on the number of cores.
func (m *Model) Sample(ctx context.Context, cfg SampleConfig) (*Draw, error) {
	s := m.Settings
	if cfg.Chains > 0 {
		s.Chains = cfg.Chains
	}
	if cfg.BurnIn != nil {
		s.BurnIn = *cfg.BurnIn
	}
	if cfg.Thin > 0 {
		s.Thin = cfg.Thin
	}
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
	const telling = 10 // draws of a chain, from which it is seen whether chains mixed; those beyond N serve for that alone
	if step == 0 && s.Adapt == 0 && name != "langevin" {
		return nil, exit.Usagef("--sampler %s: the run has no adaptation that would find a step (--adapt 0); give it by --step", name)
	}
	chains := min(s.Chains, cfg.N)
	kept := max((cfg.N+chains-1)/chains, telling)
	rng := train.Stream(cfg.Seed, "sample")

	single := *m
	single.Settings.Threads = 1 // blocks of chains are what runs in parallel
	targets := func() (mcmc.Target, error) { return single.Evaluator(m.Params, 256) }
	around, err := objectives.KernelOf(m.Data.Background)
	if err != nil {
		return nil, fmt.Errorf("sampling: %w", err)
	}
	x, err := m.start(ctx, chains, around, targets, rng)
	if err != nil {
		return nil, err
	}
	run := mcmc.SampleConfig{Draws: kept, Warmup: mcmc.Warmup{Steps: s.Adapt}, BurnIn: s.BurnIn, Thin: s.Thin, Progress: cfg.Progress}
	switch {
	case step > 0 && name != "annealed" && name != "tempering": // it is to stay: the chains settle, and nothing is adapted
		run.Warmup.Steps, run.BurnIn = 0, s.Adapt+s.BurnIn
	case name == "annealed":
		run.Warmup.Steps, run.BurnIn, run.Thin = min(s.Adapt, 8), 0, max(1, cfg.Thin) // each a pass through all levels
		if cfg.BurnIn != nil {
			run.BurnIn = *cfg.BurnIn
		}
	case name == "langevin":
		// The step at which MALA accepts nearly always keeps Langevin's own error small.
		tuned, err := mcmc.Sample(ctx, k, targets, x, mcmc.SampleConfig{Draws: 1, Warmup: mcmc.Warmup{Steps: max(s.Adapt, 20), Accept: 0.9}}, rng)
		if err != nil {
			return nil, fmt.Errorf("sampling: %w", err)
		}
		x, run.Warmup.Steps = tuned.Last, 0
		k = mcmc.Langevin{StepSize: tuned.Kernels[0].(mcmc.MALA).StepSize}
	}
	if s.Crossings > 0 && name != "annealed" && name != "tempering" { // those have moves between modes
		k = mcmc.Jumping{Kernel: k, Proposal: around, Jumps: s.Crossings}
	}
	draws, err := mcmc.Sample(ctx, k, targets, x, run, rng)
	if err != nil {
		return nil, fmt.Errorf("sampling: %w", err)
	}
	m.Data.Restore(draws.X)
	floats.AddConst(m.Data.logScale(), draws.Energy)
	diag := mcmc.Diagnose(draws, m.Data.modes())
	for j, name := range m.Data.Names {
		diag.Quantities[j].Name = name
	}
	return &Draw{X: mat.DenseCopyOf(draws.X.Slice(0, cfg.N, 0, draws.Dim)), Draws: draws, Diagnostics: diag}, nil
}

// Walk lets chains go from a Gaussian as wide as the data, with the sampler's step as Sample adapts it but without moves between
// modes: for pictures of how they move. It returns the name of the sampler and where the chains are, draw by draw, in the units of
// the data; the first are the starts.
func (m *Model) Walk(ctx context.Context, chains, draws int, seed uint64) (sampler string, frames []*mat.Dense, err error) {
	alone := *m
	alone.Settings.Chains, alone.Settings.Crossings = chains, 0
	adapted, err := alone.Sample(ctx, SampleConfig{N: chains, Seed: seed})
	if err != nil {
		return "", nil, err
	}
	alone.Settings.Threads = 1
	rng := train.Stream(seed, "walk")
	x := mat.NewDense(chains, m.Data.Dim, nil)
	(&mcmc.Gaussian{Mean: m.Data.Mean, Std: m.Data.Std}).Sample(x, rng)
	targets := func() (mcmc.Target, error) { return alone.Evaluator(m.Params, 256) }
	way, err := mcmc.Sample(ctx, adapted.Draws.Kernels[0], targets, mat.DenseCopyOf(x), mcmc.SampleConfig{Draws: draws - 1}, rng)
	if err != nil {
		return "", nil, fmt.Errorf("sampling: %w", err)
	}
	for t := range draws {
		at := x
		if t > 0 {
			at = mat.NewDense(chains, m.Data.Dim, nil)
			for c := range chains {
				at.SetRow(c, way.Chain(c, t-1))
			}
		}
		m.Data.Restore(at)
		frames = append(frames, at)
	}
	return adapted.Diagnostics.Sampler, frames, nil
}

// start returns the points at which chains begin: draws of a density around the data, resampled, or what is led down by annealing.
func (m *Model) start(ctx context.Context, chains int, around mcmc.Proposal, targets func() (mcmc.Target, error), rng *rand.Rand) (*mat.Dense, error) {
	const proposals, enough = 1 << 16, 200
	x, y := mat.NewDense(chains, m.Data.Dim, nil), mat.NewDense(proposals, m.Data.Dim, nil)
	around.Sample(y, rng)
	logw, err := m.logWeights(y, around)
	if err != nil {
		return nil, err
	}
	if mcmc.Resample(x, y, logw, rng) >= enough {
		return x, nil
	}
	(&mcmc.Gaussian{Mean: m.Data.Mean, Std: m.Data.Std}).Sample(x, rng)
	down := m.annealed(mcmc.HMC{Leapfrog: m.Settings.Leapfrog})
	down.Moves = 4
	lead, err := mcmc.Sample(ctx, down, targets, x,
		mcmc.SampleConfig{Draws: 1, Warmup: mcmc.Warmup{Steps: 4}}, rng)
	if err != nil {
		return nil, fmt.Errorf("sampling: %w", err)
	}
	return lead.Last, nil
}
