package datasets

import (
	"math"
	"math/rand/v2"
	"slices"

	"gonum.org/v1/gonum/mat"
)

// Smoothed is the smoothed bootstrap of finitely many points in d dimensions that keeps the mean of every neighbourhood and, where
// the points are spread evenly over it, the covariance,
//
//	m_I + √(1-a²) (x_I - m_I) + a s_I ξ,   I uniform, ξ ~ N(0, I),   0 ≤ a ≤ 1,
//
// with m_i the mean of point i and its k nearest neighbours, and s_i = r_i/√(d+2) the standard deviation along each axis of a
// uniform law on the ball out to the k-th of them, at distance r_i. Noise of deviation σ alone adds σ²/2 Δp to the density p,
// whatever the number of points; moving them by σ²/2 ∇log p, up the slope as here, takes that back to leading order. On 9000
// points of 2spirals the Kullback-Leibler divergence from the truth is 0.030 nats at best without it, 0.021 with it.
//
// Training needs it: on the points themselves the loss of score matching has no lower bound, a model that is flexible enough
// puts a spike on each, and every other objective learns the points by heart, if more slowly.
//
// Efron, Bootstrap methods, Ann. Statist. 7 (1979) 1–26, section 2; Silverman and Young, The bootstrap: to smooth or not to
// smooth?, Biometrika 74 (1987) 469–479, for the shrinking, of all points at once; Choi and Hall, Data sharpening as a prelude to
// density estimation, Biometrika 86 (1999) 941–947, for the order of its error.
type Smoothed struct {
	k      int
	centre *mat.Dense // m + √(1-a²) (x - m)
	sd     []float64  // a s
}

var _ Sampler = (*Smoothed)(nil)

// neighbours are the candidates for k.
var neighbours = []int{10, 14, 20, 28, 40, 57, 80, 113, 160, 226, 320}

const (
	comparedAt = 0.5   // a
	comparedOn = 500   // points, at most, that are left out,
	compared   = 20000 // of so many; of more points k is smaller than it might be
	overlap    = 100   // neighbours

	badShare = "datasets: a of the smoothed bootstrap is not between 0 and 1"
)

// NewSmoothed chooses k, of those on a ladder, by the likelihood of points left out, each under all others; larger ones need not
// be better, and how sharp the data are no one knows before. Where k is less than 100, a is larger by (100/k)^(1/d), up to 1: so
// that noise reaches as many points as it would of 100, however few there are. It is with their number that what there is to
// learn by heart grows less. If all points coincide they stay as they are. It panics unless 0 ≤ a ≤ 1.
func NewSmoothed(p *Points, a float64) *Smoothed {
	if !(a >= 0 && a <= 1) {
		panic(badShare)
	}
	return newSmoothed(p.x, a, compared)
}

func newSmoothed(x *mat.Dense, a float64, most int) *Smoothed {
	n, d := x.Dims()
	few := x
	if n > most {
		few = mat.NewDense(most, d, nil)
		for i := range most {
			few.SetRow(i, x.RawRowView(i*n/most))
		}
	}
	ladder := slices.DeleteFunc(slices.Clone(neighbours), func(k int) bool { return 2*k > min(n, most) })
	if len(ladder) == 0 {
		ladder = []int{max(1, min(n, most)/2)}
	}
	around := survey(few, ladder)
	best, top := 0, math.Inf(-1)
	for j := range around {
		if l := around[j].smooth(few, comparedAt).leftOut(few); l > top {
			best, top = j, l
		}
	}
	chosen := around[best]
	if n > most {
		chosen = survey(x, ladder[best:best+1])[0]
	}
	k := ladder[best]
	s := chosen.smooth(x, enough(a, k, d))
	s.k = k
	return s
}

// enough is a, or what it takes for noise to reach as many of k neighbours as it would with a of overlap.
func enough(a float64, k, d int) float64 {
	return min(1, a*max(1, math.Pow(overlap/float64(k), 1/float64(d))))
}

// neighbourhood is the mean m and the deviation s of every point's.
type neighbourhood struct {
	mean *mat.Dense
	sd   []float64
}

// survey measures the neighbourhoods of the rows of x, for all k. Of points at the same distance the earlier rows are nearer. A
// point with k copies of itself has the deviation of the narrowest that has not.
func survey(x *mat.Dense, ks []int) []neighbourhood {
	n, d := x.Dims()
	near := newTree(x)
	around := make([]neighbourhood, len(ks))
	for j := range around {
		around[j] = neighbourhood{mat.NewDense(n, d, nil), make([]float64, n)}
	}
	sum := make([]float64, d)
	var found []treeRow
	for i := range n {
		found = near.nearest(found, x.RawRowView(i), min(slices.Max(ks), n-1)+1) // and the point itself
		clear(sum)
		count := 0
		for j, k := range ks {
			for ; count < min(k+1, len(found)); count++ {
				for c, v := range x.RawRowView(found[count].index) {
					sum[c] += v
				}
			}
			for c, v := range sum {
				around[j].mean.Set(i, c, v/float64(count))
			}
			around[j].sd[i] = math.Sqrt(found[count-1].sq / float64(d+2)) // distances are squares
		}
	}
	for _, h := range around {
		least := math.Inf(1)
		for _, v := range h.sd {
			if v > 0 {
				least = min(least, v)
			}
		}
		for i, v := range h.sd {
			if v == 0 && !math.IsInf(least, 1) {
				h.sd[i] = least
			}
		}
	}
	return around
}

// smooth is the bootstrap of the points in these neighbourhoods.
func (h neighbourhood) smooth(x *mat.Dense, a float64) *Smoothed {
	n, d := x.Dims()
	s := &Smoothed{centre: mat.NewDense(n, d, nil), sd: make([]float64, n)}
	shrink := math.Sqrt(1 - a*a)
	for i := range n {
		s.sd[i] = a * h.sd[i]
		row := s.centre.RawRowView(i)
		for j, m := range h.mean.RawRowView(i) {
			row[j] = m + shrink*(x.At(i, j)-m)
		}
	}
	return s
}

// leftOut is the mean log density, up to a constant, of rows of x, of which s was made, each under all others.
func (s *Smoothed) leftOut(x *mat.Dense) float64 {
	n, d := x.Dims()
	half, logc := make([]float64, n), make([]float64, n)
	for j, v := range s.sd {
		half[j], logc[j] = 0.5/(v*v), -float64(d)*math.Log(v)
	}
	var sum float64
	m := min(n, comparedOn)
	for t := range m {
		i := t * n / m
		row, others := x.RawRowView(i), newLogSum()
		for j := range n {
			var sq float64
			for c, v := range s.centre.RawRowView(j) {
				sq += (row[c] - v) * (row[c] - v)
			}
			if e := logc[j] - half[j]*sq; j != i && e > others.max-50 {
				others.add(e, 0, 0)
			}
		}
		sum += others.log()
	}
	return sum / float64(m)
}

// Dim is the number of coordinates.
func (s *Smoothed) Dim() int { _, d := s.centre.Dims(); return d }

// Neighbours returns k.
func (s *Smoothed) Neighbours() int { return s.k }

// Sample draws points with replacement and moves them.
func (s *Smoothed) Sample(dst *mat.Dense, rng *rand.Rand) {
	checkSample(dst, s.Dim())
	for i := range dst.RawMatrix().Rows {
		k := rng.IntN(len(s.sd))
		row := dst.RawRowView(i)
		for j, v := range s.centre.RawRowView(k) {
			row[j] = v + s.sd[k]*rng.NormFloat64()
		}
	}
}
