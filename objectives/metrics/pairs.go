package metrics

import (
	"context"
	"fmt"
	"math"
	"slices"
	"sync"

	"gonum.org/v1/gonum/mat"
)

// maxPairs is the maximum number of rows of a set used in sums over pairs: 20 000 against 20 000 are 4·10⁸ pairs, some
// five seconds on one core in two dimensions.
const maxPairs = 20000

// maxDifferences is the maximum number of pairs times columns: in 300 dimensions it allows 2582 rows, which take as
// long as 25 819 in three. All 10 000 took 34 s on one core, twice as long as the draws themselves.
const maxDifferences = 2e9

// head returns the first maxPairs rows of x, or fewer if it has many columns.
func head(x *mat.Dense) *mat.Dense {
	n, d := x.Dims()
	if most := min(maxPairs, int(math.Sqrt(maxDifferences/float64(d)))); n > most {
		return rowsOf(x, 0, most)
	}
	return x
}

// pairSum holds sums over pairs of rows: the distance, the Gaussian kernel k = exp(−r²/2h²) and the kernel of a tenth
// of the bandwidth, which is k¹⁰⁰.
type pairSum struct{ dist, wide, narrow float64 }

func (s *pairSum) add(t pairSum) {
	s.dist += t.dist
	s.wide += t.wide
	s.narrow += t.narrow
}

// over divides by n.
func (s pairSum) over(n float64) pairSum {
	return pairSum{s.dist / n, s.wide / n, s.narrow / n}
}

// powers holds 2^(−j/256). The kernel is computed from it, inline: math.Exp took half the time of a pair.
var powers = func() (p [256]float64) {
	for j := range p {
		p[j] = math.Exp2(-float64(j) / 256)
	}
	return p
}()

// pairs sums over all rows of a against all rows of b; if b is nil, over the pairs i < j of a.
func pairs(ctx context.Context, a, b *mat.Dense, bandwidth float64) (pairSum, error) {
	n, d := a.Dims()
	inner := b
	if b == nil {
		inner = a
	}
	m, _ := inner.Dims()
	// Coordinate by coordinate: the loop over rows of b runs over contiguous memory.
	cols := make([][]float64, d)
	for j := range cols {
		cols[j] = mat.Col(nil, j, inner)
	}
	c := 256 / math.Ln2 / (2 * bandwidth * bandwidth)
	const block = 32
	sums := make([]pairSum, n)
	buffers := sync.Pool{New: func() any { b := make([]float64, m); return &b }}
	err := parallel(ctx, n, block, func(from, to int) {
		r2 := *buffers.Get().(*[]float64)
		defer buffers.Put(&r2)
		for i := from; i < to; i++ {
			first := 0
			if b == nil {
				first = i + 1
			}
			r := r2[first:]
			clear(r)
			for j, col := range cols {
				v := a.At(i, j)
				for k, w := range col[first:] {
					r[k] += (v - w) * (v - w)
				}
			}
			var s pairSum
			for _, q := range r {
				s.dist += math.Sqrt(q)
				// k = exp(−c q) = 2^−(u/256), split into integer and fractional powers of 2 and a series.
				u := c * q
				if u >= 256*60 { // k < 1e-18
					continue
				}
				whole := int(u)
				f := (u - float64(whole)) * (math.Ln2 / 256)
				k := (1 - f*(1-f*(0.5-f*(1./6-f*(1./24))))) * powers[whole&255] *
					math.Float64frombits(uint64(1023-whole>>8)<<52)
				s.wide += k
				if u < 256*10 { // else k¹⁰⁰ < 1e-301
					k2 := k * k
					k4 := k2 * k2
					k8 := k4 * k4
					k16 := k8 * k8
					k32 := k16 * k16
					s.narrow += k32 * k32 * k32 * k4
				}
			}
			sums[i] = s
		}
	})
	var total pairSum
	for _, s := range sums {
		total.add(s)
	}
	return total, err
}

// Discrepancy holds the two-sample measures.
type Discrepancy struct {
	MMD2       float64 // unbiased, at the given bandwidth; may be negative
	MMD2Narrow float64 // the same at a tenth of it
	Energy     float64 // energy distance
}

// twoSample compares two sets whose sums within each are known or computed here.
type twoSample struct {
	x      *mat.Dense
	within pairSum // over pairs i < j
}

func newTwoSample(ctx context.Context, x *mat.Dense, bandwidth float64) (twoSample, error) {
	x = head(x)
	s, err := pairs(ctx, x, nil, bandwidth)
	return twoSample{x, s}, err
}

func (a twoSample) against(ctx context.Context, b twoSample, bandwidth float64) (Discrepancy, error) {
	cross, err := pairs(ctx, a.x, b.x, bandwidth)
	if err != nil {
		return Discrepancy{}, err
	}
	na, _ := a.x.Dims()
	nb, _ := b.x.Dims()
	n, m := float64(na), float64(nb)
	between := cross.over(n * m)
	aa, bb := a.within.over(n*(n-1)/2), b.within.over(m*(m-1)/2)
	return Discrepancy{
		MMD2:       aa.wide + bb.wide - 2*between.wide,
		MMD2Narrow: aa.narrow + bb.narrow - 2*between.narrow,
		// The zero distances of points to themselves are included.
		Energy: math.Sqrt(math.Max(0, 2*between.dist-aa.dist*(n-1)/n-bb.dist*(m-1)/m)),
	}, nil
}

// Compare returns the two-sample measures of the rows of x and y, at the bandwidth of the Gaussian kernel.
//
// The squared maximum mean discrepancy is Gretton et al., JMLR 13 (2012), eq. 3 (unbiased):
//
//	MMD² = mean_{i≠j} k(x_i,x_j) + mean_{i≠j} k(y_i,y_j) − 2 mean k(x_i,y_j),   k = exp(−|x−y|²/2h²)
//
// The energy distance is Székely and Rizzo's, with all n² pairs, the root of
//
//	2 mean |x_i−y_j| − mean |x_i−x_j| − mean |y_i−y_j|
//
// which is never negative, and near √(2E|X−X'|/n) for two sets of n draws from the same distribution.
func Compare(ctx context.Context, x, y *mat.Dense, bandwidth float64) (Discrepancy, error) {
	if err := checkPair(x, y); err != nil {
		return Discrepancy{}, err
	}
	if !(bandwidth > 0) {
		return Discrepancy{}, fmt.Errorf("metrics: bandwidth %g of a kernel, want > 0", bandwidth)
	}
	a, err := newTwoSample(ctx, x, bandwidth)
	if err != nil {
		return Discrepancy{}, err
	}
	b, err := newTwoSample(ctx, y, bandwidth)
	if err != nil {
		return Discrepancy{}, err
	}
	return a.against(ctx, b, bandwidth)
}

func checkPair(x, y *mat.Dense) error {
	n, d := x.Dims()
	m, e := y.Dims()
	if d != e {
		return fmt.Errorf("metrics: samples of dimension %d are compared with samples of dimension %d", d, e)
	}
	if n < 2 || m < 2 {
		return fmt.Errorf("metrics: samples of %d and %d rows are compared, want at least 2 each", n, m)
	}
	return nil
}

// MedianDistance returns the median distance between two of the first 500 rows of x: the usual bandwidth.
func MedianDistance(x *mat.Dense) float64 {
	n, _ := x.Dims()
	n = min(n, 500)
	r := make([]float64, 0, n*(n-1)/2)
	for i := range n {
		for j := range i {
			var s float64
			a, b := x.RawRowView(i), x.RawRowView(j)
			for k := range a {
				s += (a[k] - b[k]) * (a[k] - b[k])
			}
			r = append(r, math.Sqrt(s))
		}
	}
	if len(r) == 0 {
		return math.NaN()
	}
	slices.Sort(r)
	return r[len(r)/2]
}
