package model

import (
	"math"
	"math/rand/v2"

	"gonum.org/v1/gonum/mat"

	"github.com/stheno-ebm/stheno/objectives/train"
)

// scaling is z = (x − mean)/sd, column by column.
type scaling struct{ mean, sd []float64 }

// Apply makes z of x in place.
func (s *scaling) Apply(x *mat.Dense) {
	n, _ := x.Dims()
	for i := range n {
		for j, v := range x.RawRowView(i) {
			x.Set(i, j, (v-s.mean[j])/s.sd[j])
		}
	}
}

// Undo makes x of z in place.
func (s *scaling) Undo(z *mat.Dense) {
	n, _ := z.Dims()
	for i := range n {
		for j, v := range z.RawRowView(i) {
			z.Set(i, j, s.mean[j]+s.sd[j]*v)
		}
	}
}

// Pull makes ∂/∂x of ∂/∂z in place.
func (s *scaling) Pull(grad *mat.Dense) {
	n, _ := grad.Dims()
	for i := range n {
		for j, v := range grad.RawRowView(i) {
			grad.Set(i, j, v/s.sd[j])
		}
	}
}

// LogScale is log |det ∂x/∂z|.
func (s *scaling) LogScale() float64 {
	var sum float64
	for _, v := range s.sd {
		sum += math.Log(v)
	}
	return sum
}

// scaled draws from a source in the units of the network.
type scaled struct {
	train.Source
	s *scaling
}

func (d scaled) Sample(dst *mat.Dense, rng *rand.Rand) {
	d.Source.Sample(dst, rng)
	d.s.Apply(dst)
}
