package energy

import (
	"errors"
	"fmt"

	G "gorgonia.org/gorgonia"

	"github.com/stheno-ebm/stheno/graphs"
)

// Confined adds a quadratic to an energy,
//
//	E(x) = inner(x) + |x - c|² / (2 s²),
//
// which makes Z finite for networks that grow more slowly, and keeps chains from wandering off.
type Confined struct {
	wrapped
	centre []float64
	scale  float64
}

var (
	_ Energy      = (*Confined)(nil)
	_ Initializer = (*Confined)(nil)
	_ Smoothness  = (*Confined)(nil)
)

// Confine returns e plus a quadratic of scale s > 0, in units of x, around centre; nil means the origin.
func Confine(e Energy, centre []float64, s float64) (*Confined, error) {
	if e == nil {
		return nil, errors.New("energy: Confine without an energy")
	}
	if !positive(s) {
		return nil, fmt.Errorf("energy: confinement scale %g, want > 0", s)
	}
	if centre != nil && len(centre) != e.Dim() {
		return nil, fmt.Errorf("energy: confinement centre has %d coordinates, want %d", len(centre), e.Dim())
	}
	return &Confined{wrapped{e}, append([]float64(nil), centre...), s}, nil
}

// Build adds the quadratic.
func (c *Confined) Build(x *G.Node, theta G.Nodes) (*G.Node, error) {
	return graphs.Try(func() *G.Node {
		e := graphs.Must(c.inner.Build(x, theta))
		r := x
		if len(c.centre) > 0 {
			r = graphs.Sub(x, graphs.ExpandRows(constant(x, c.centre, len(c.centre)), x.Shape()[0]))
		}
		return graphs.Add(e, graphs.Scale(graphs.RowSum(graphs.Square(r)), 1/(2*c.scale*c.scale)))
	})
}
