package kernels

import (
	"math"
	"math/bits"
	"math/rand/v2"
)

// Normal fills dst with independent standard normal numbers by the transform of Box and Muller,
//
//	√(−2 ln a) (cos 2πu, sin 2πu),  a in (0, 1], u in [0, 1),
//
// with a and u of 52 bits, from four interleaved lanes of xoshiro256++ that are seeded by splitmix64 from two draws of
// rng. So the numbers depend on the state of rng and on their place in dst alone, on every path; |z| ≤ 8.5. Logarithm,
// cosine and sine are good to 1e-11, which no test of a distribution can see.
//
// Box and Muller, A note on the generation of random normal deviates, Ann. Math. Stat. 29 (1958) 610–611.
// Blackman and Vigna, Scrambled linear pseudorandom number generators, arXiv 1805.01407.
func Normal(dst []float64, rng *rand.Rand) {
	var s [4][4]uint64
	a, b := rng.Uint64(), rng.Uint64()
	for l := range 4 {
		s[0][l], s[1][l] = splitmix(&a), splitmix(&a)
		s[2][l], s[3][l] = splitmix(&b), splitmix(&b)
	}
	const block = 8
	whole := len(dst) / block * block
	if whole > 0 && !normalAsm(dst[:whole], &s) {
		normalGeneric(dst[:whole], &s)
	}
	if whole < len(dst) {
		var rest [block]float64
		if !normalAsm(rest[:], &s) {
			normalGeneric(rest[:], &s)
		}
		copy(dst[whole:], rest[:])
	}
}

func splitmix(x *uint64) uint64 {
	*x += 0x9e3779b97f4a7c15
	z := *x
	z = (z ^ z>>30) * 0xbf58476d1ce4e5b9
	z = (z ^ z>>27) * 0x94d049bb133111eb
	return z ^ z>>31
}

// normalGeneric repeats the assembly, rounding for rounding.
func normalGeneric(dst []float64, s *[4][4]uint64) {
	for ; len(dst) >= 8; dst = dst[8:] {
		for l := range 4 {
			u1, u2 := xoshiro(s, l), xoshiro(s, l)
			dst[l], dst[4+l] = boxMuller(u1, u2)
		}
	}
}

func xoshiro(s *[4][4]uint64, l int) uint64 {
	r := bits.RotateLeft64(s[0][l]+s[3][l], 23) + s[0][l]
	t := s[1][l] << 17
	s[2][l] ^= s[0][l]
	s[3][l] ^= s[1][l]
	s[1][l] ^= s[2][l]
	s[0][l] ^= s[3][l]
	s[2][l] ^= t
	s[3][l] = bits.RotateLeft64(s[3][l], 45)
	return r
}

func boxMuller(u1, u2 uint64) (c, s float64) {
	const one = 0x3ff0000000000000
	a := math.Float64bits(2-math.Float64frombits(u1>>12|one)) + 1024<<52
	t := a - math.Float64bits(math.Sqrt2/2)
	n := float64(t>>52) - 1024
	m := math.Float64frombits(a - t&0xfff0000000000000)
	q := (m - 1) / (m + 1)
	p := horner(&logNormal, q*q)
	p = float64(q * fma64(float64(q*q), p, 2))
	r := math.Sqrt(-2 * fma64(n, math.Ln2, p))

	v := math.Float64frombits(u2>>12|one) - 1
	const magic = 3 << 51
	j := fma64(4, v, magic)
	v = fma64(-0.25, j-magic, v)
	v2 := float64(v * v)
	s = float64(v * horner(&sinNormal, v2))
	c = fma64(v2, horner(&cosNormal, v2), 1)
	k := math.Float64bits(j)
	if k&1 != 0 {
		c, s = s, c
	}
	if k&2 != 0 {
		s = -s
	}
	if (k+1)&2 != 0 {
		c = -c
	}
	return r * c, r * s
}

// horner is Σ c[i] x^i with fused steps.
func horner(c *[6]float64, x float64) float64 {
	p := c[len(c)-1]
	for i := len(c) - 2; i >= 0; i-- {
		p = fma64(p, x, c[i])
	}
	return p
}
