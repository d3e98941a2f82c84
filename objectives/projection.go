package objectives

import (
	"math"
	"math/rand/v2"

	"github.com/stheno-ebm/stheno/graphs/vector"
)

// Projection is the distribution of the random directions v. All have E vvᵀ = I: with unit vectors E vvᵀ = I/d, and
// ssm-vr would learn the score divided by d.
type Projection string

// The distributions. The zero value means Rademacher.
const (
	Rademacher Projection = "rademacher" // entries ±1: minimum variance, exact for diagonal Hessians
	GaussianV  Projection = "gaussian"   // N(0, I)
	Sphere     Projection = "sphere"     // uniform on the sphere of radius √d
)

// Options lists the distributions.
func (Projection) Options() []string {
	return []string{string(Rademacher), string(GaussianV), string(Sphere)}
}

// draw fills v with rows of length d.
func (p Projection) draw(v []float64, d int, rng *rand.Rand) {
	switch p {
	case GaussianV:
		vector.Normal(v, rng)
	case Sphere:
		vector.Normal(v, rng)
		for ; len(v) > 0; v = v[d:] {
			c := math.Sqrt(float64(d)) / vector.Norm(v[:d])
			for j := range v[:d] {
				v[j] *= c
			}
		}
	default:
		var bits uint64
		for i := range v {
			if i%64 == 0 {
				bits = rng.Uint64()
			}
			v[i] = float64(int(bits&1)*2 - 1)
			bits >>= 1
		}
	}
}
