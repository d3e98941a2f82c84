package energy

import (
	"fmt"
	"math/rand/v2"
	"slices"

	G "gorgonia.org/gorgonia"

	"github.com/stheno-ebm/stheno/graphs"
)

// CheckRows reports an energy whose value at a point depends on the other points of the batch, for example by
// subtracting their mean. It has no density: samplers and objectives, which call it for many points at once, would
// learn and draw something else. NewEvaluator and the objectives check every energy.
//
// Most graphs show that their rows are independent. Otherwise this is tested numerically: one of a few points is
// replaced, at θ near p, and the energies of the others are compared. An energy that can be built neither for three nor
// for four points is built for batch points.
func CheckRows(e Energy, p *Params, batch int) error {
	if !mixes(e, p, batch) {
		return nil
	}
	name := fmt.Sprintf("%T", e)
	for outer := e; ; {
		w, ok := outer.(interface{ Inner() Energy })
		if !ok || !mixes(w.Inner(), p, batch) {
			break
		}
		outer = w.Inner()
		name = fmt.Sprintf("%T in %s", outer, name)
	}
	return fmt.Errorf(
		"energy: %s mixes the points of a batch: the energy of one changes with another. Row i of what Build returns "+
			"may depend on row i of x only: use graphs.RowSum in place of Sum and Mean, LayerNorm in place of BatchNorm, "+
			"constants in place of statistics of x", name)
}

// mixes reports whether the energy of a point changes with another point. It is false for an energy that cannot be
// built or run: compiling it reports why.
func mixes(e Energy, p *Params, batch int) bool {
	for _, rows := range []int{3, 4, batch} {
		probe, err := newProbe(e, rows)
		if err == nil {
			return probe != nil && probe.mixes(e, p)
		}
	}
	return false
}

// probe is an energy of a few points, in float64.
type probe struct {
	fn    *graphs.Function
	rows  int
	fixed [][]float64
	cond  NoiseConditional
}

// newProbe returns nil if the graph shows that rows are independent.
func newProbe(e Energy, rows int) (*probe, error) {
	defer graphs.Building()()
	b, err := build(e, Float64, rows)
	if err != nil {
		return nil, err
	}
	apart := G.Nodes{b.x}
	if b.sigma != nil {
		apart = append(apart, b.sigma)
	}
	if graphs.RowWise(b.u, apart...) {
		return nil, nil
	}
	constants, fixed, err := Constants(b.g)
	if err != nil {
		return nil, err
	}
	fn, err := graphs.Compile(slices.Concat(b.theta, constants, apart), G.Nodes{b.u})
	if err != nil {
		return nil, err
	}
	return &probe{fn: fn, rows: rows, fixed: fixed, cond: b.cond}, nil
}

// mixes replaces a point in two regions: around zero, and with all coordinates between 0 and 1.
func (t *probe) mixes(e Energy, p *Params) bool {
	rng := rand.New(rand.NewPCG(0x726f7773, uint64(t.rows)))
	theta := slices.Clone(p.Data())
	for i := range theta {
		theta[i] += .1 * rng.NormFloat64() // zeros would hide what they multiply
	}
	args := append(p.Views(theta), t.fixed...)
	d := e.Dim()
	x := make([]float64, t.rows*d)
	args = append(args, x)
	if t.cond != nil {
		sigma := make([]float64, t.rows)
		for i := range sigma {
			sigma[i] = t.cond.Levels()[i%len(t.cond.Levels())]
		}
		args = append(args, sigma)
	}
	energies := func() []float64 {
		u := make([]float64, t.rows)
		if t.fn.Call([][]float64{u}, args...) != nil {
			return nil
		}
		return u
	}
	for _, draw := range []func() float64{rng.NormFloat64, rng.Float64} {
		for i := range x {
			x[i] = draw()
		}
		before, again := energies(), energies()
		if !slices.Equal(before, again) { // it is random, or NaN
			continue
		}
		for j := range d {
			x[j] = draw()
		}
		after := energies()
		for i := 1; i < len(after); i++ {
			if diff := after[i] - before[i]; diff*diff > 1e-18*(1+before[i]*before[i]) {
				return true
			}
		}
	}
	return false
}
