package objectives

import (
	"fmt"
	"math"
	"math/rand/v2"

	"gonum.org/v1/gonum/mat"
)

// Blend is a mixture of noises.
type Blend struct {
	parts []Noise
	cdf   []float64
	logw  []float64
}

var _ Noise = (*Blend)(nil)

// NewBlend mixes parts with the given weights > 0, scaled to sum 1.
func NewBlend(parts []Noise, weights []float64) (*Blend, error) {
	if len(parts) == 0 || len(parts) != len(weights) {
		return nil, fmt.Errorf("objectives: blend of %d noises with %d weights", len(parts), len(weights))
	}
	var sum float64
	for i, w := range weights {
		if !(w > 0) {
			return nil, fmt.Errorf("objectives: blend: weight %d is %g, want > 0", i, w)
		}
		sum += w
	}
	b := &Blend{parts: parts}
	var c float64
	for _, w := range weights {
		c += w / sum
		b.cdf = append(b.cdf, c)
		b.logw = append(b.logw, math.Log(w/sum))
	}
	return b, nil
}

// Sample draws a part for every row.
func (b *Blend) Sample(dst *mat.Dense, rng *rand.Rand) {
	n, d := dst.Dims()
	s := scratches.get()
	defer scratches.put(s)
	for i := range n {
		u, k := rng.Float64(), 0
		for k < len(b.cdf)-1 && u >= b.cdf[k] {
			k++
		}
		b.parts[k].Sample(view(&s.row, dst.RawRowView(i), 1, d), rng)
	}
}

// LogProb stores log Σ_k w_k q_k.
func (b *Blend) LogProb(dst []float64, x *mat.Dense) {
	s := scratches.get()
	defer scratches.put(s)
	buf := s.numbers(2 * len(dst))
	out, sum := buf[:len(dst)], buf[len(dst):] // sum in units of exp(dst), the greatest term so far
	for k, p := range b.parts {
		p.LogProb(out, x)
		for i, v := range out {
			switch v += b.logw[k]; {
			case k == 0:
				dst[i], sum[i] = v, 1
			case v > dst[i]:
				dst[i], sum[i] = v, 1+sum[i]*math.Exp(dst[i]-v)
			case !math.IsInf(v, -1): // NaN, too
				sum[i] += math.Exp(v - dst[i])
			}
		}
	}
	for i, v := range sum {
		dst[i] += math.Log(v)
	}
}
