package fit

import (
	"math"

	"gonum.org/v1/gonum/mat"

	"github.com/stheno-ebm/stheno/energy"
	"github.com/stheno-ebm/stheno/objectives/metrics"
)

const (
	gaugeCells  = 128 // along each axis
	gaugeTimes  = 20  // in a run
	gaugeMargin = 0.5 // of the box on every side, so that mass that leaks is charged for
)

// gauge measures KL(data‖model) as the training goes on, on a coarse grid. It is for the curve; eval.json has the exact
// number.
type gauge struct {
	every   int // steps
	record  int // steps between records
	grid    metrics.Grid
	points  *mat.Dense
	logp    []float64
	energy  []float64
	params  *energy.Params
	density *Density
}

// newGauge returns nil where the true density is not known, or not planar.
func newGauge(m *Model) (*gauge, error) {
	truth, ok := m.data.truth.(metrics.LogProber)
	if !ok || m.data.Dim != 2 {
		return nil, nil
	}
	lo, hi := m.Box()
	for j := range lo {
		pad := gaugeMargin * (hi[j] - lo[j])
		lo[j], hi[j] = lo[j]-pad, hi[j]+pad
	}
	c := &m.Config
	g := &gauge{every: max(1, c.Steps/gaugeTimes), record: c.RecordInterval(), grid: metrics.NewGrid(lo, hi, gaugeCells), params: m.Params.Clone()}
	n := g.grid.Len()
	g.points = mat.NewDense(n, 2, nil)
	g.grid.Fill(g.points, 0)
	g.logp, g.energy = make([]float64, n), make([]float64, n)
	truth.LogProb(g.logp, g.points)
	var err error
	g.density, err = m.Density(g.params)
	return g, err
}

// measure is a hook of the training loop: it adds the KL to the first record after every multiple of g.every steps.
func (g *gauge) measure(step int, average []float64) (map[string]float64, error) {
	before := (step - 1) / g.record * g.record // the record before this one
	if step/g.every == before/g.every {
		return nil, nil
	}
	g.params.Set(average)
	if err := g.density.Energy(g.energy, g.points); err != nil {
		return nil, err
	}
	if kl := g.kl(); isFinite(kl) {
		return map[string]float64{"kl": kl}, nil
	}
	return nil, nil
}

// kl is Σ p (log p − log q) / Σ p with q normalised on the grid.
func (g *gauge) kl() float64 {
	low := math.Inf(1)
	for _, e := range g.energy {
		low = math.Min(low, e)
	}
	var z, p, sum float64
	for i, e := range g.energy {
		z += math.Exp(low - e)
		w := math.Exp(g.logp[i])
		p += w
		if w > 0 {
			sum += w * (g.logp[i] + e)
		}
	}
	return sum/p + math.Log(z) - low + g.grid.LogCell()
}
