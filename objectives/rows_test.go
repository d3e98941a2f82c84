package objectives

import (
	"strings"
	"testing"

	G "gorgonia.org/gorgonia"

	"github.com/stheno-ebm/stheno/energy"
	"github.com/stheno-ebm/stheno/graphs"
)

// Every objective refuses an energy whose points depend on each other, with the reason.
func TestMixedRowsAreRefused(t *testing.T) {
	e := energy.Func{D: 2, F: func(x *G.Node, _ G.Nodes) (*G.Node, error) {
		return graphs.Try(func() *G.Node {
			n := x.Shape()[0]
			mean := graphs.ExpandRows(graphs.Scale(graphs.ColSum(x), 1/float64(n)), n)
			return graphs.RowSum(graphs.Square(graphs.Sub(x, mean)))
		})
	}}
	p, data := energy.NewParams(nil), correlated(64, 1)
	for _, name := range Names() {
		m, err := ByName(name)
		if err != nil {
			t.Fatal(err)
		}
		if m.Traits().Levels != nil {
			continue // wants another kind of energy
		}
		if _, err := New(m, e, p, Config{Data: data, Batch: 16}); err == nil ||
			!strings.Contains(err.Error(), "mixes the points") {
			t.Errorf("%s: error %v", name, err)
		}
	}
}
