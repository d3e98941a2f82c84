package fit

import (
	"context"

	"github.com/stheno-ebm/stheno/energy"
	"github.com/stheno-ebm/stheno/objectives/metrics"
)

const (
	gaugeCells      = 128 // along each axis of the box
	gaugeFrameCells = 32  // along each axis of a tile outside
	gaugeTimes      = 20  // per run
)

// gauge measures during training what eval.json reports as kl, in the same way, but on one grid without refinement,
//
//	KL(data‖model) = ∫ p (log p − log q),   log q = −E − log Z,
//
// with a log Z that includes the leak outside the box. On this grid the entropies of the planar distributions of
// package datasets are accurate to 1e-6, that of the funnel to 4e-4. It is for the training curve.
type gauge struct {
	every   int // steps
	record  int // steps between records
	lo, hi  []float64
	logp    []float64 // at the midpoints of the grid
	params  *energy.Params
	density *Density
}

// newGauge returns nil if the true density is unknown or not planar.
func newGauge(m *Model) (*gauge, error) {
	truth, ok := m.data.truth.(metrics.LogProber)
	if !ok || m.data.Dim != 2 {
		return nil, nil
	}
	c := &m.Config
	g := &gauge{every: max(1, c.Steps/gaugeTimes), record: c.recordInterval(), params: m.Params.Clone()}
	g.lo, g.hi = m.data.truth.Bounds()
	var err error
	if g.logp, err = metrics.NewGrid(g.lo, g.hi, gaugeCells).LogProbs(context.Background(), truth); err != nil {
		return nil, err
	}
	g.density, err = m.Density(g.params)
	return g, err
}

// measure is a hook of the training loop: it adds the KL to the first record after every multiple of g.every steps.
func (g *gauge) measure(step int, average []float64) (map[string]float64, error) {
	before := (step - 1) / g.record * g.record // the previous record
	if step/g.every == before/g.every {
		return nil, nil
	}
	g.params.Set(average)
	q, err := metrics.Integrate(context.Background(), g.density.Energy, g.lo, g.hi,
		metrics.QuadratureConfig{Start: gaugeCells, Max: gaugeCells, FrameCells: gaugeFrameCells})
	if err != nil { // non-integrable energies: there is no KL to report, and the sentinel judges them
		return nil, nil
	}
	logq := q.Energy
	for i, e := range logq {
		logq[i] = -e - q.LogZ
	}
	if kl := metrics.Divergences(q.Grid, g.logp, logq).KL; isFinite(kl) {
		return map[string]float64{"kl": kl}, nil
	}
	return nil, nil
}
