package fit

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"

	"gonum.org/v1/gonum/floats"
	"gonum.org/v1/gonum/mat"

	"github.com/stheno-ebm/stheno/datasets/density"
	"github.com/stheno-ebm/stheno/energy"
	"github.com/stheno-ebm/stheno/mcmc"
	"github.com/stheno-ebm/stheno/objectives/train"
)

// SampleConfig says what to draw. Zero fields mean the settings of the model.
type SampleConfig struct {
	N       int // samples; required
	Seed    uint64
	Sampler string
	Step    float64 // step size; 0: found during warm-up
	Chains  int
	BurnIn  int // negative: none
	Thin    int
	// values, in the units of the data, of columns that are known, from 0: the others are drawn given these. In a
	// discrete column it is one of its values, and on a grid taken for the middle of its cell
	Given    map[int]float64
	Progress func(mcmc.Progress)
}

// Validate names every field out of range.
func (c SampleConfig) Validate() error {
	b := new(checks)
	b.that(c.N > 0 && c.N <= MaxRows, "n", c.N, fmt.Sprintf("1 to %d", MaxRows))
	b.that(c.Step >= 0 && isFinite(c.Step), "step", c.Step, "> 0, or 0 to find one")
	b.nonneg("chains", c.Chains, MaxRows)
	b.atMost("burn-in", c.BurnIn, MaxRows)
	b.nonneg("thin", c.Thin, MaxRows)
	if c.Sampler != "" {
		b.name("sampler", c.Sampler, samplerNames())
	}
	return errors.Join(b.errs...)
}

// Draw is a set of samples with diagnostics of the sampler, all in the units of the data.
type Draw struct {
	X           *mat.Dense // N×d; discrete columns are rounded, those of Draws are not
	Draws       *mcmc.Draws
	Diagnostics *mcmc.Diagnostics
}

// Sample draws from the model. Chains start from draws from a broad density around the data, resampled by the model's
// weights, so that they are distributed over its modes correctly; if that density is too far from the model, they start
// from a Gaussian and are annealed. Proposals from that broad density precede every transition (Config.SamplerJumps),
// so that chains change modes as they run and R̂ reflects all modes. A model of which nothing is kept but the base is
// drawn from the base itself, independently, unless the call or the run names a sampler other than the default. The
// draws depend on the seed, not on the number of cores.
func (m *Model) Sample(ctx context.Context, cfg SampleConfig) (*Draw, error) {
	if err := cfg.Validate(); err != nil {
		return nil, err
	}
	if len(cfg.Given) > 0 {
		return m.sampleGiven(ctx, cfg)
	}
	const telling = 10 // draws per chain needed to see whether chains mixed; those beyond N serve only for that
	p, err := m.sampling(cfg)
	if err != nil {
		return nil, err
	}
	chains := min(p.chains, cfg.N)
	p.run.Draws, p.run.Progress = max((cfg.N+chains-1)/chains, telling), cfg.Progress
	rng := train.Stream(cfg.Seed, "sample")
	around, err := m.proposal()
	if err != nil {
		return nil, fmt.Errorf("sampling: %w", err)
	}
	x, err := m.start(ctx, chains, around, p, rng)
	if err != nil {
		return nil, err
	}
	proposal := around
	round, err := m.whitening()
	if err != nil {
		return nil, fmt.Errorf("sampling: %w", err)
	}
	if p.exact {
		p.kernel, round = mcmc.Independence{Proposal: around}, nil
	}
	if round != nil {
		round.to(x, x)
		plain := p.targets
		p.targets = func() (mcmc.Target, error) {
			t, err := plain()
			return round.target(t), err
		}
		proposal = round.proposal(around)
	}
	if p.unadjusted != nil {
		// A step size at which nearly all proposals would be accepted keeps the sampler's own bias small.
		tuned, err := mcmc.Sample(ctx, p.kernel, p.targets, x,
			mcmc.SampleConfig{Draws: 1, Warmup: mcmc.Warmup{Steps: max(p.run.Warmup.Steps, 20), Accept: 0.9}}, rng)
		if err != nil {
			return nil, fmt.Errorf("sampling: %w", err)
		}
		x, p.run.Warmup.Steps = tuned.Last, 0
		p.kernel = p.unadjusted(tuned.Kernels[0])
	}
	if p.jumps > 0 {
		p.kernel = mcmc.Jumping{Kernel: p.kernel, Proposal: proposal, Jumps: p.jumps}
	}
	draws, err := mcmc.Sample(ctx, p.kernel, p.targets, x, p.run, rng)
	if err != nil {
		return nil, fmt.Errorf("sampling: %w", err)
	}
	if round != nil {
		round.from(draws.X, draws.X)
	}
	m.data.restore(draws.X)
	floats.AddConst(m.data.logScale(), draws.Energy)
	var columns []int
	for j := range draws.Dim {
		columns = append(columns, j)
	}
	diag := m.diagnose(draws, m.data.modes(), columns)
	if p.exact {
		diag.Exact = "exact draws of the base"
	}
	x = mat.DenseCopyOf(draws.X.Slice(0, cfg.N, 0, draws.Dim))
	m.data.Cells.round(x)
	return &Draw{X: x, Draws: draws, Diagnostics: diag}, nil
}

// diagnose is mcmc.Diagnose of draws of some columns of the data, by their names. Moments and quantiles are those of
// the draws as they are written, with discrete columns rounded; R̂ and ESS those of the chains, which move in between.
func (m *Model) diagnose(draws *mcmc.Draws, modes *mcmc.KnownModes, columns []int) *mcmc.Diagnostics {
	diag := mcmc.Diagnose(draws, modes)
	if m.data.Names != nil {
		for k, j := range columns {
			diag.Quantities[k].Name = m.data.Names[j]
		}
	}
	if len(m.data.Cells) == 0 {
		return diag
	}
	written := *draws
	written.X = mat.DenseCopyOf(draws.X)
	var rounded []int
	for _, c := range m.data.Cells {
		k := slices.Index(columns, c.Column)
		if k < 0 {
			continue
		}
		for i := range written.X.RawMatrix().Rows {
			written.X.Set(i, k, c.round(written.X.At(i, k)))
		}
		rounded = append(rounded, k)
	}
	as := mcmc.Diagnose(&written, nil)
	for _, k := range rounded {
		q, w := &diag.Quantities[k], as.Quantities[k]
		q.Mean, q.Std, q.Q05, q.Median, q.Q95 = w.Mean, w.Std, w.Q05, w.Median, w.Q95
		q.MCSEMean, q.MCSEStd = w.MCSEMean, w.MCSEStd
	}
	return diag
}

// proposal is the density around the data that chains start from and jump to.
func (m *Model) proposal() (mcmc.Proposal, error) {
	if m.data.mixed != nil {
		return m.data.mixed, nil
	}
	if m.data.Warped != nil {
		return m.data.Warped, nil
	}
	return energy.CompileDensity(m.around(), energy.EvaluatorConfig{})
}

// around is the density around the data: the base itself if that is the model.
func (m *Model) around() *density.Mixture {
	if m.isBase() {
		return m.data.Base
	}
	return m.data.around()
}

// whitening are the coordinates in which chains move where they are not those of the network: of a base in many
// dimensions.
func (m *Model) whitening() (*whitening, error) {
	t, ok := m.Network.(*energy.Tilted)
	if !ok || m.data.Dim <= few {
		return nil, nil
	}
	return newWhitening(t.Moments())
}

// sampling holds the settings for drawing samples.
type sampling struct {
	kernel mcmc.Kernel
	run    mcmc.SampleConfig
	chains int
	exact  bool // independent draws of the base, which is all there is; the kernel is not set
	jumps  int  // between modes, before every transition
	// the kernel to continue with, at the step size that kernel finds; nil: kernel itself
	unadjusted func(found mcmc.Kernel) mcmc.Kernel
	targets    mcmc.Targets
}

// sampling combines the settings of the model and of the call.
func (m *Model) sampling(cfg SampleConfig) (*sampling, error) {
	c := &m.Config
	targets, err := m.alone(256)
	if err != nil {
		return nil, err
	}
	if cfg.Sampler == "" && c.Sampler == defaultSampler && max(cfg.Step, c.SamplerStep) == 0 && m.isBase() &&
		(m.data.Warped == nil || len(cfg.Given) == 0) { // whose conditional densities are not known

		return &sampling{exact: true, chains: cmp.Or(cfg.Chains, c.Chains), targets: targets,
			run: mcmc.SampleConfig{BurnIn: max(cfg.BurnIn, 0), Thin: cfg.Thin}}, nil
	}
	way, step := samplers[cmp.Or(cfg.Sampler, c.Sampler)], cfg.Step
	if step == 0 && way.name == c.Sampler {
		step = c.SamplerStep
	}
	if step == 0 && c.Adapt == 0 && !way.tunesItself {
		return nil, fieldErrorf("sampler", way.name, "the run has no adaptation that would find a step; give one")
	}
	burnIn := max(cmp.Or(cfg.BurnIn, c.BurnIn), 0)
	s := &sampling{
		kernel: way.kernel(m, step), chains: cmp.Or(cfg.Chains, c.Chains),
		run:     mcmc.SampleConfig{Warmup: mcmc.Warmup{Steps: c.Adapt}, BurnIn: burnIn, Thin: cmp.Or(cfg.Thin, c.Thin)},
		targets: targets,
	}
	if !way.crosses {
		s.jumps = c.SamplerJumps
	}
	switch {
	case step > 0 && !way.crosses: // keep it: the chains settle, and nothing is adapted
		s.run.Warmup.Steps, s.run.BurnIn = 0, c.Adapt+burnIn
	case way.passes:
		s.run.Warmup.Steps, s.run.BurnIn, s.run.Thin = min(c.Adapt, 8), max(cfg.BurnIn, 0), max(1, cfg.Thin)
	case way.unadjusted != nil:
		s.unadjusted = way.unadjusted
	}
	return s, nil
}

// Walk runs chains from a Gaussian as wide as the data, with the step size that Sample finds but without moves between
// modes, for pictures of how they move. It returns the name of the sampler and the positions of the chains, draw by
// draw, in the units of the data, beginning with the starts.
func (m *Model) Walk(ctx context.Context, chains, draws int,
	seed uint64) (sampler string, frames []*mat.Dense, err error) {
	alone := *m
	alone.Config.Chains, alone.Config.SamplerJumps = chains, 0
	adapted, err := alone.Sample(ctx, SampleConfig{N: chains, Seed: seed, Sampler: m.Config.Sampler})
	if err != nil {
		return "", nil, err
	}
	rng := train.Stream(seed, "walk")
	x := mat.NewDense(chains, m.data.Dim, nil)
	(&mcmc.Gaussian{Mean: m.data.Mean, Std: m.data.Std}).Sample(x, rng)
	targets, err := m.alone(256)
	if err != nil {
		return "", nil, err
	}
	way, err := mcmc.Sample(ctx, adapted.Draws.Kernels[0], targets, mat.DenseCopyOf(x),
		mcmc.SampleConfig{Draws: draws - 1}, rng)
	if err != nil {
		return "", nil, fmt.Errorf("sampling: %w", err)
	}
	for t := range draws {
		at := x
		if t > 0 {
			at = mat.NewDense(chains, m.data.Dim, nil)
			for c := range chains {
				at.SetRow(c, way.Chain(c, t-1))
			}
		}
		m.data.restore(at)
		frames = append(frames, at)
	}
	return adapted.Diagnostics.Sampler, frames, nil
}

// start returns the starting points of chains: draws from a density around the data, resampled, or annealed ones.
func (m *Model) start(ctx context.Context, chains int, around mcmc.Proposal, p *sampling,
	rng *rand.Rand) (*mat.Dense, error) {
	const proposals, enough = 1 << 16, 200
	x := mat.NewDense(chains, m.data.Dim, nil)
	if p.exact {
		around.Sample(x, rng)
		return x, nil
	}
	y := mat.NewDense(proposals, m.data.Dim, nil)
	around.Sample(y, rng)
	logw, err := m.logWeights(y, around)
	if err != nil {
		return nil, err
	}
	if mcmc.Resample(x, y, logw, rng) >= enough {
		return x, nil
	}
	(&mcmc.Gaussian{Mean: m.data.Mean, Std: m.data.Std}).Sample(x, rng)
	down := m.annealed(mcmc.HMC{Leapfrog: m.Config.Leapfrog})
	down.Moves = 4
	lead, err := mcmc.Sample(ctx, down, p.targets, x,
		mcmc.SampleConfig{Draws: 1, Warmup: mcmc.Warmup{Steps: 4}}, rng)
	if err != nil {
		return nil, fmt.Errorf("sampling: %w", err)
	}
	return lead.Last, nil
}
