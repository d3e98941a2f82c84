package energy

import "math/rand/v2"

// cumulative returns the sums of w up to each of its entries.
func cumulative(w []float64) []float64 {
	cdf := make([]float64, len(w))
	var sum float64
	for i, v := range w {
		sum += v
		cdf[i] = sum
	}
	return cdf
}

// pick returns i with probability cdf[i] - cdf[i-1].
func pick(cdf []float64, rng *rand.Rand) int {
	u := rng.Float64() * cdf[len(cdf)-1]
	lo, hi := 0, len(cdf)-1
	for lo < hi {
		mid := (lo + hi) / 2
		if cdf[mid] > u {
			hi = mid
		} else {
			lo = mid + 1
		}
	}
	return lo
}
