package mcmc

import (
	"math"
	"math/rand/v2"

	"gonum.org/v1/gonum/mat"
)

// Resample fills the rows of dst with rows of x in proportion to the weights exp(logw), and returns the effective
// number of the weighted rows, (Σw)²/Σw². With x from a density q and logw = -E - log q, the rows of dst follow
// exp(-E), approximately if the effective number is large: a start for chains that cannot find the weights of separate
// modes on their own.
//
// Resampling is systematic, with one uniform number: row i is taken ⌊n wᵢ/Σw⌋ times or once more. NaN counts as weight
// zero. If no weight is positive, dst is unchanged and the effective number is 0.
//
// Kitagawa, Monte Carlo filter and smoother for non-Gaussian nonlinear state space models, JCGS 5 (1996) 1–25.
func Resample(dst, x *mat.Dense, logw []float64, rng *rand.Rand) (effective float64) {
	rows, d := x.Dims()
	n, dd := dst.Dims()
	if len(logw) != rows || d != dd {
		panic("mcmc: Resample: shapes do not match")
	}
	most := math.Inf(-1)
	for _, v := range logw {
		if v > most {
			most = v
		}
	}
	weight := func(i int) float64 {
		if w := math.Exp(logw[i] - most); w > 0 {
			return w
		}
		return 0
	}
	var sum, squares float64
	for i := range logw {
		w := weight(i)
		sum += w
		squares += w * w
	}
	if math.IsInf(most, 0) || !(sum > 0) {
		return 0
	}
	at := rng.Float64() // in units of one row of dst
	var below float64
	k := 0
	for i := range logw {
		below += weight(i) / sum * float64(n)
		for ; k < n && float64(k)+at < below; k++ {
			dst.SetRow(k, x.RawRowView(i))
		}
	}
	for ; k < n; k++ { // the last one, lost to rounding
		dst.SetRow(k, dst.RawRowView(max(k-1, 0)))
	}
	return sum * sum / squares
}
