package fit

import (
	"context"
	"math"
	"testing"

	"gonum.org/v1/gonum/mat"

	"github.com/stheno-ebm/stheno/energy"
	"github.com/stheno-ebm/stheno/objectives"
)

// The description of the data stored with the weights is either refused, or gives a model that can be evaluated.
func FuzzGeometry(f *testing.F) {
	c, err := Suited(Config{Dataset: "none.csv", Hidden: []int{3}, Bridge: 0.5, Network: "mlp"}, objectives.Facts{})
	if err != nil {
		f.Fatal(err)
	}
	f.Add(`{"dim":1,"lo":[-1],"hi":[1],"mean":[0],"std":[1],"standardizer":{"mean":[1],"scale":[2]}}`)
	f.Add(`{"dim":2,"lo":[-1,0],"hi":[1,1],"mean":[0,0],"std":[1,1]}`)
	f.Add(`{"dim":1048576,"lo":[],"hi":[],"mean":[],"std":[]}`)
	f.Add(`{"dim":1,"standardizer":{"mean":null,"scale":[0]}}`)
	f.Fuzz(func(t *testing.T, text string) {
		g, err := parseGeometry(map[string]string{metadataKey: text})
		if err != nil || g.Dim > 8 {
			return
		}
		if g.Bridge, err = energy.NewMixture(mat.NewDense(2, g.Dim, nil), []float64{1, 2}, nil); err != nil {
			t.Fatal(err)
		}
		g.Background = g.Bridge
		m, err := assemble(c, stored(context.Background(), &c, g, nil))
		if err != nil {
			return
		}
		e, x := make([]float64, 1), mat.NewDense(1, g.Dim, nil)
		if err := m.EnergyGrad(e, mat.NewDense(1, g.Dim, nil), x); err != nil {
			t.Fatal(err)
		}
		if math.IsInf(e[0], -1) {
			t.Errorf("energy %g", e[0])
		}
	})
}
