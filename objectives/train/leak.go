package train

import (
	"math"
	"math/rand/v2"
)

const (
	leakDims = 3    // the most in which probes cover the surroundings of the data
	probes   = 1024 // a multiple of contrastPoints
)

// reaches are the widths of the probes, in turn: any distance from the data is as good as another.
var reaches = [...]float64{2, 4, 8, 16}

// probe stores the i-th probe, from N(μ, s²Σ) with one of the reaches s.
func (q *contrastNoise) probe(dst []float64, i int, rng *rand.Rand) {
	y := q.y.RawVector().Data
	for k := range y {
		y[k] = reaches[i%len(reaches)] * rng.NormFloat64()
	}
	q.place(dst)
}

// probeLogProb returns the logarithm of the density of probes at the point that was whitened last.
func (q *contrastNoise) probeLogProb() float64 {
	return q.gaussians(reaches[:]) - math.Log(float64(len(reaches)))
}

// score holds the terms of J of some weights, and those of J + L, which are the same in many dimensions.
type score struct{ plain, leaky []float64 }

// score judges weights.
func (c *Contrast) score(theta []float64) (score, error) {
	plain, err := c.losses(nil, theta)
	if err != nil {
		return score{}, err
	}
	return score{plain, c.leaky(plain)}, nil
}

// leaky returns the terms of J + L for the weights whose terms of J were computed last. L is the leakage, if positive:
// the logarithm of the integral of the model over everything, normalised where the data are,
//
//	L = log ∫ exp(−E − c) dx.
//
// J is logarithmic in the ratio of densities: it takes next to no notice of small places far away, where noise rarely
// falls, even if most of the mass is there, as after steps of a hundred times the usual length that have creased a
// network. J + L is a proper score, too: at the density of the data J is smallest, and L is 0. But it is no measure of
// what has been learnt: before the first step nearly everything leaks.
//
// L is estimated from noise and probes together. A term holds the share of its draws, linearised, so that the standard
// error of a difference accounts for them.
func (c *Contrast) leaky(terms []float64) []float64 {
	if c.logp == nil {
		return terms
	}
	const n = contrastPoints
	w := c.weights
	for i := range w {
		w[i] = c.ratio[n+i] + c.logq[n+i] - c.logp[i] - c.at
	}
	each := 1 / float64(len(w))
	leak := logSumExp(w) + math.Log(each)
	if !(leak > 0) {
		return terms
	}
	out := make([]float64, n)
	for i := range out {
		out[i] = terms[i] + leak - 1
		for k := i; k < len(w); k += n {
			out[i] += n * each * math.Exp(w[k]-leak)
		}
	}
	return out
}
