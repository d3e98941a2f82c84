package fit

import (
	"cmp"
	"context"
	"fmt"
	"maps"
	"math"
	"slices"
	"strings"

	"gonum.org/v1/gonum/floats"
	"gonum.org/v1/gonum/mat"

	"github.com/stheno-ebm/stheno/datasets/density"
	"github.com/stheno-ebm/stheno/mcmc"
	"github.com/stheno-ebm/stheno/objectives/train"
)

// checkGiven rejects values of columns that do not exist, and values of all columns.
func (m *Model) checkGiven(given map[int]float64) error {
	for j, v := range given {
		switch {
		case j < 0 || j >= m.data.Dim:
			return fieldErrorf("given", j+1, "the model has %d columns", m.data.Dim)
		case !isFinite(v):
			return fieldErrorf("given", v, "column %d: want a finite number", j+1)
		}
	}
	for _, c := range m.data.Cells {
		v, ok := given[c.Column]
		if !ok {
			continue
		}
		name := fmt.Sprint(c.Column + 1)
		if m.data.Names != nil {
			name = m.data.Names[c.Column]
		}
		if c.few() {
			if _, known := c.find(v); !known {
				return fieldErrorf("given", fmt.Sprintf("%s=%g", name, v), "%s takes only %s", name,
					strings.ReplaceAll(strings.Trim(fmt.Sprint(c.Values), "[]"), " ", ", "))
			}
		} else if near := c.Grid.Round(v); math.Abs(v-near) > 1e-9*max(c.Grid.Width(), math.Abs(v)) {
			return fieldErrorf("given", fmt.Sprintf("%s=%g", name, v), "values of %s are %g apart; the nearest is %g", name,
				c.Grid.Width(), near)
		}
	}
	if len(given) == m.data.Dim {
		return fieldErrorf("given", nil, "fixes all %d columns: nothing is left to draw", len(given))
	}
	return nil
}

// sampleGiven draws the free columns conditional on the given ones: chains move in the free columns only. They start
// from, and jump to, draws of the density around the data conditional on the same values, which is known.
func (m *Model) sampleGiven(ctx context.Context, cfg SampleConfig) (*Draw, error) {
	if err := m.checkGiven(cfg.Given); err != nil {
		return nil, err
	}
	if way := samplers[cmp.Or(cfg.Sampler, m.Config.Sampler)]; way.passes {
		return nil, fieldErrorf("sampler", way.name,
			"its levels are of all columns at once; take hmc for draws with given values")
	}
	p, err := m.sampling(cfg)
	if err != nil {
		return nil, err
	}
	known := slices.Sorted(maps.Keys(cfg.Given))
	values := m.networkValues(known, cfg.Given)
	q, err := m.givenProposal(known, values)
	if err != nil {
		return nil, fmt.Errorf("sampling: %w", err)
	}
	var clamped *mcmc.Clamped
	targets := func() (mcmc.Target, error) {
		t, err := p.targets()
		if err != nil {
			return nil, err
		}
		return mcmc.Clamp(t, m.data.Dim, known, values)
	}
	t, err := targets()
	if err != nil {
		return nil, fmt.Errorf("sampling: %w", err)
	}
	clamped = t.(*mcmc.Clamped)
	const telling, proposals = 10, 1 << 14
	rng := train.Stream(cfg.Seed, "sample given")
	chains := min(p.chains, cfg.N)
	p.run.Draws, p.run.Progress = max((cfg.N+chains-1)/chains, telling), cfg.Progress
	x, y := mat.NewDense(chains, clamped.Dim(), nil), mat.NewDense(proposals, clamped.Dim(), nil)
	logw, logq := make([]float64, proposals), make([]float64, proposals)
	q.Sample(y, rng)
	q.LogProb(logq, y)
	if err := clamped.EnergyGrad(logw, nil, y); err != nil {
		return nil, fmt.Errorf("sampling: %w", err)
	}
	floats.Add(logw, logq)
	floats.Scale(-1, logw)
	mcmc.Resample(x, y, logw, rng)
	switch {
	case p.exact:
		p.kernel = mcmc.Independence{Proposal: q}
	case p.jumps > 0:
		p.kernel = mcmc.Jumping{Kernel: p.kernel, Proposal: q, Jumps: p.jumps}
	}
	draws, err := mcmc.Sample(ctx, p.kernel, targets, x, p.run, rng)
	if err != nil {
		return nil, fmt.Errorf("sampling: %w", err)
	}
	rows, _ := draws.X.Dims()
	all := mat.NewDense(rows, m.data.Dim, nil)
	clamped.Whole(all, draws.X)
	m.data.restore(all)
	free := clamped.Free()
	for k, j := range free { // the diagnostics are in the units of the data, as the draws are
		draws.X.SetCol(k, mat.Col(nil, j, all))
	}
	floats.AddConst(m.data.logScale(), draws.Energy)
	diag := m.diagnose(draws, nil, free)
	whole := mat.DenseCopyOf(all.Slice(0, cfg.N, 0, m.data.Dim))
	m.data.Cells.round(whole)
	for i := range cfg.N { // to the bit, not but for rounding
		for j, v := range cfg.Given {
			whole.Set(i, j, v)
		}
	}
	return &Draw{X: whole, Draws: draws, Diagnostics: diag}, nil
}

// givenProposal is the density around the data given values of known columns.
func (m *Model) givenProposal(known []int, values []float64) (density.Density, error) {
	if m.data.mixed != nil {
		return m.data.mixed.Given(known, values)
	}
	return m.around().Given(known, values)
}

// networkValues are the given values of the known columns in the units of the network.
func (m *Model) networkValues(known []int, given map[int]float64) []float64 {
	row := mat.NewDense(1, m.data.Dim, nil)
	for j, v := range given {
		row.Set(0, j, v)
	}
	if s := m.data.Scaler; s != nil {
		s.Apply(row, row)
	}
	var values []float64
	for _, j := range known {
		values = append(values, row.At(0, j))
	}
	return values
}
