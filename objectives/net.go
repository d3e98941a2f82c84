package objectives

import (
	"fmt"
	"math"
	"math/rand/v2"

	G "gorgonia.org/gorgonia"

	"github.com/stheno-ebm/stheno/energy"
	"github.com/stheno-ebm/stheno/graphs"
)

// newNet draws the parameters of an MLP with the given widths; the last layer starts at zero.
func newNet(widths []int, name string, rng *rand.Rand) *energy.Params {
	var specs []energy.Spec
	for l := range len(widths) - 1 {
		specs = append(specs,
			energy.Spec{Name: fmt.Sprintf("%s.%d.weight", name, 2*l), Shape: []int{widths[l+1], widths[l]}},
			energy.Spec{Name: fmt.Sprintf("%s.%d.bias", name, 2*l), Shape: []int{widths[l+1]}})
	}
	p := energy.NewParams(specs)
	views := p.Views(p.Data())
	for l := range len(widths) - 2 {
		for i := range views[2*l] {
			views[2*l][i] = math.Sqrt(2/float64(widths[l])) * rng.NormFloat64()
		}
		for i := range views[2*l+1] {
			views[2*l+1][i] = (2*rng.Float64() - 1) / math.Sqrt(float64(widths[l]))
		}
	}
	return p
}

// buildNet builds an MLP with SiLU between the layers.
func buildNet(x *G.Node, theta G.Nodes) *G.Node {
	for len(theta) > 2 {
		x = graphs.SiLU(graphs.Affine(x, theta[0], theta[1]))
		theta = theta[2:]
	}
	return graphs.Affine(x, theta[0], theta[1])
}
