package kernels

import "math/rand/v2"

// Normal fills dst with independent standard normal numbers.
func Normal(dst []float64, rng *rand.Rand) {
	for i := range dst {
		dst[i] = rng.NormFloat64()
	}
}
