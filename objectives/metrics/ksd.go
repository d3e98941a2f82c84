package metrics

import (
	"context"
	"fmt"
	"math"

	"gonum.org/v1/gonum/mat"
)

// maxKSD is the maximum number of rows that KSD uses.
const maxKSD = 5000

// KSD returns the kernelised Stein discrepancy between the rows of x and the distribution, possibly unnormalised, whose
// score there is in the rows of score, and the mean value for as many independent draws from that distribution.
//
// The kernel is the inverse multiquadric k = (1 + |x−y|²)^(−1/2), which detects when a sequence does not converge
// (Gorham and Mackey, ICML 2017). With r = x − y, q = 1 + |r|²,
//
//	KSD² = mean_{i,j} k₀(x_i, x_j)
//	k₀(x,y) = s(x)·s(y) k + (s(y) − s(x))·r (∂k) + tr ∇ₓ∇_yᵀ k
//	∂k = −q^(−3/2),   tr ∇ₓ∇_yᵀ k = d q^(−3/2) − 3|r|² q^(−5/2)
//
// over all pairs, including each point with itself. For draws from the distribution only the latter contribute on
// average, so the floor is the square root of mean k₀(x_i, x_i)/n = mean (|s(x_i)|² + d)/n.
func KSD(ctx context.Context, x, score *mat.Dense) (ksd, floor float64, err error) {
	n, d := x.Dims()
	if m, e := score.Dims(); m != n || e != d {
		return 0, 0, fmt.Errorf("metrics: KSD of %d×%d samples with %d×%d scores", n, d, m, e)
	}
	if n < 2 {
		return 0, 0, fmt.Errorf("metrics: KSD of %d samples, want at least 2", n)
	}
	n = min(n, maxKSD)
	sums, self := make([]float64, n), 0.0
	for i := range n {
		for _, v := range score.RawRowView(i) {
			if math.IsNaN(v) || math.IsInf(v, 0) {
				return 0, 0, fmt.Errorf("metrics: score %g at %v is %w", v, x.RawRowView(i), ErrNonFinite)
			}
			self += v * v
		}
		self += float64(d)
	}
	err = parallel(ctx, n, 16, func(from, to int) {
		for i := from; i < to; i++ {
			xi, si := x.RawRowView(i), score.RawRowView(i)
			for j := range i {
				sums[i] += steinKernel(xi, x.RawRowView(j), si, score.RawRowView(j))
			}
		}
	})
	total := self
	for _, s := range sums {
		total += 2 * s
	}
	nn := float64(n)
	return math.Sqrt(math.Max(0, total)) / nn, math.Sqrt(self) / nn, err
}

// steinKernel returns k₀(x, y).
func steinKernel(x, y, sx, sy []float64) float64 {
	var dot, cross, r2 float64
	for k, a := range x {
		r := a - y[k]
		r2 += r * r
		dot += sx[k] * sy[k]
		cross += (sy[k] - sx[k]) * r
	}
	q := 1 + r2
	k := 1 / math.Sqrt(q)
	k3 := k / q
	return dot*k - cross*k3 + float64(len(x))*k3 - 3*r2*k3/q
}
