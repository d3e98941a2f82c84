package energy

import (
	"fmt"
	"math/rand/v2"
	"slices"

	G "gorgonia.org/gorgonia"

	"github.com/stheno-ebm/stheno/graphs"
)

// CheckRows reports an energy of a point that depends on the other points of a batch, as one does that subtracts the mean of
// all. Such a one has no density: samplers and objectives, which call it for many points at once, would learn and draw something
// else. NewEvaluator and the objectives ask it of every energy.
//
// Most graphs show that their rows are apart. Where one does not, numbers tell: a point of few is replaced, at θ near p, and the energies
// of the others are looked at. An energy that cannot be built for three points nor for four is built for batch of them.
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
	return fmt.Errorf("energy: %s mixes the points of a batch: the energy of one changes with another. Row i of what Build returns may depend on "+
		"row i of x only: use graphs.RowSum in place of Sum and Mean, LayerNorm in place of BatchNorm, constants in place of statistics of x", name)
}

// mixes reports whether the energy of a point changes with another point. What cannot be built or run does not: whoever compiles it
// says why.
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

// newProbe returns nil where the graph shows that rows are apart.
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

// mixes replaces a point at two places: around zero, and where all coordinates are between 0 and 1.
func (t *probe) mixes(e Energy, p *Params) bool {
	rng := rand.New(rand.NewPCG(0x726f7773, uint64(t.rows)))
	theta := slices.Clone(p.Data())
	for i := range theta {
		theta[i] += .1 * rng.NormFloat64() // what is zero hides what it multiplies
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
		if !slices.Equal(before, again) { // it draws random numbers, or is not a number
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
