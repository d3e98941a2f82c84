package model

import (
	"math"
	"testing"

	"gonum.org/v1/gonum/mat"

	"github.com/stheno-ebm/stheno/cmd/ebm/internal/settings"
)

// The description of the data that stands with the weights is refused, or makes a model that can be evaluated.
func FuzzGeometry(f *testing.F) {
	s := settings.Default()
	s.Hidden, s.Bridge, s.Energy, s.Dataset = []int{3}, 0.5, "mlp", "none.csv"
	f.Add(`{"dim":1,"lo":[-1],"hi":[1],"mean":[0],"std":[1],"background":{"centres":[[0],[1]],"sds":[1,2],"weights":[1,1]},"standardizer":{"mean":[1],"scale":[2]}}`)
	f.Add(`{"dim":2,"lo":[-1,0],"hi":[1,1],"mean":[0,0],"std":[1,1],"background":{"centres":[[0,0]],"sds":[1],"weights":[1]}}`)
	f.Add(`{"dim":1,"lo":[-1],"hi":[1],"mean":[0],"std":[1],"background":{"centres":[[1e308],[-1e308]],"sds":[1e-308,1e308],"weights":[1e-300,1e300]}}`)
	f.Add(`{"dim":1048576,"lo":[],"hi":[],"mean":[],"std":[]}`)
	f.Add(`{"dim":1,"lo":[-1],"hi":[1],"mean":[0],"std":[1],"background":{"centres":[[0],[]],"sds":[1],"weights":[0]}}`)
	f.Add(`{"dim":1,"background":null,"standardizer":{"mean":null,"scale":[0]}}`)
	f.Fuzz(func(t *testing.T, text string) {
		g, err := parseGeometry(map[string]string{metadataKey: text})
		if err != nil || g.Dim > 8 {
			return
		}
		m, err := assemble(s, stored(s, g))
		if err != nil {
			return
		}
		d, err := m.Density(m.Params)
		if err != nil {
			t.Fatal(err)
		}
		e, x := make([]float64, 1), mat.NewDense(1, g.Dim, nil)
		if err := d.EnergyGrad(e, mat.NewDense(1, g.Dim, nil), x); err != nil {
			t.Fatal(err)
		}
		if math.IsInf(e[0], -1) {
			t.Errorf("energy %g", e[0])
		}
	})
}
