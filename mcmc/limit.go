package mcmc

import (
	"math"

	"gonum.org/v1/gonum/stat/distuv"
)

// RHatLimit returns the limit above which the largest [RHat] of so many quantities shows that chains have not mixed:
// 1.01 (Vehtari et al. 2021) or, for many short chains, the value that independent draws exceed only once in a thousand
// times.
//
// Split in halves, m chains become M = 2m of n draws. With B the variance between their means, times n, and W that
// within,
//
//	R̂² = (B/W + n - 1)/n = 1 + (F - 1)/n,   F = B/W
//
// and for independent draws F follows the F distribution with M - 1 and M(n - 1) degrees of freedom, nearly so for
// ranks mapped to normal numbers. Each quantity is judged twice, by its draws and by the folded ones, so the limit is
// the quantile of F with upper tail probability 1/1000/(2·quantities). For three quantities it is
//
//	chains×draws  10×10  50×10  100×10  500×10  1000×10  4×1000
//	limit         1.198  1.069  1.046   1.020   1.014    1.01
//
// n counts draws, not effective draws: chains in separate modes have few effective draws because they have not mixed,
// which is no excuse. Autocorrelated draws exceed the limit of short chains until they are thinned or the chains are
// longer. The shortest chains cannot be judged: for 2×4 the limit is beyond what R̂ can reach.
func RHatLimit(chains, draws, quantities int) float64 {
	const usual, once, digits = 1.01, 1e-3, 1e3
	m, n := 2*float64(chains), float64(draws/2)
	if chains < 1 || n < 2 || quantities < 1 {
		return usual
	}
	// F = X/(1-X)·d2/d1 with X ~ Beta(d1/2, d2/2); the small 1-X is the one with full precision.
	d1, d2 := m-1, m*(n-1)
	rest := distuv.Beta{Alpha: d2 / 2, Beta: d1 / 2}.Quantile(once / (2 * float64(quantities)))
	f := (1 - rest) / rest * d2 / d1
	limit := math.Sqrt(1 + (f-1)/n)
	return max(usual, math.Ceil(digits*limit)/digits) // as printed
}

// Mixed reports whether the largest R̂ is within RHatLimit. It is true if R̂ is unknown.
func (o *Diagnostics) Mixed() bool { return !(o.MaxRHat > o.RHatLimit) }
