package datasets

import (
	"math"
	"math/rand/v2"

	"gonum.org/v1/gonum/mat"
	"gonum.org/v1/gonum/spatial/kdtree"
)

// Smoothed is the smoothed bootstrap of finitely many points in d dimensions,
//
//	x_I + h_I ξ,   I uniform, ξ ~ N(0, I),   h_i = a r_i/√d,
//
// with r_i the distance of point i from its k-th neighbour: draws from a kernel density whose width follows the density of
// the points and falls as they become more. What matches scores needs it: on the points themselves its loss has no lower
// bound, and a model that is flexible enough puts a spike on each.
//
// Breiman, Meisel and Purcell, Variable kernel estimates of multivariate densities, Technometrics 19 (1977) 135–144;
// Efron, Bootstrap methods, Ann. Statist. 7 (1979) 1–26, section 2.
type Smoothed struct {
	points *Points
	sd     []float64
}

var _ Sampler = (*Smoothed)(nil)

// NewSmoothed measures the distances. A point with k copies of itself has the width of the narrowest that has not. If all
// points coincide they stay as they are.
func NewSmoothed(p *Points, k int, a float64) *Smoothed {
	n, d := p.x.Dims()
	s := &Smoothed{p, make([]float64, n)}
	cloud := make(kdtree.Points, n)
	for i := range cloud {
		cloud[i] = append(kdtree.Point(nil), p.x.RawRowView(i)...)
	}
	tree := kdtree.New(cloud, false) // reorders cloud, not p
	least := math.Inf(1)
	for i := range n {
		near := kdtree.NewNKeeper(min(k, n-1) + 1) // and the point itself
		tree.NearestSet(near, kdtree.Point(p.x.RawRowView(i)))
		var sq float64
		for _, c := range near.Heap {
			if c.Comparable != nil {
				sq = max(sq, c.Dist)
			}
		}
		s.sd[i] = a * math.Sqrt(sq/float64(d))
		if s.sd[i] > 0 {
			least = min(least, s.sd[i])
		}
	}
	for i, v := range s.sd {
		if v == 0 && !math.IsInf(least, 1) {
			s.sd[i] = least
		}
	}
	return s
}

// Dim is the number of coordinates.
func (s *Smoothed) Dim() int { return s.points.Dim() }

// Widths returns h, one of each point. It is not a copy.
func (s *Smoothed) Widths() []float64 { return s.sd }

// Sample draws points with replacement and moves them.
func (s *Smoothed) Sample(dst *mat.Dense, rng *rand.Rand) {
	checkSample(dst, s.Dim())
	for i := range dst.RawMatrix().Rows {
		k := rng.IntN(len(s.sd))
		row := dst.RawRowView(i)
		for j, v := range s.points.x.RawRowView(k) {
			row[j] = v + s.sd[k]*rng.NormFloat64()
		}
	}
}
