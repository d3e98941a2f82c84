package viz

import (
	"math/rand/v2"
	"testing"
)

// The plane of the chains covers those that are shown, and no others.
func TestChainsAreInTheBox(t *testing.T) {
	rng := rand.New(rand.NewPCG(17, 18))
	d := &Diagnostics{Show: 3}
	for _, mean := range []float64{0, -50, 20, 700} {
		d.Chains = append(d.Chains, normal(100, 3, mean, rng))
	}
	p := d.ways(Light, 3, []int{0, 1})
	for c, m := range d.Chains {
		for i := range 100 {
			x, y := m.At(i, 0), m.At(i, 1)
			if in := p.X.Min < x && x < p.X.Max && p.Y.Min < y && y < p.Y.Max; in != (c < 3) {
				t.Fatalf("chain %d at (%g, %g): in the plane %g…%g × %g…%g is %v, want %v", c, x, y, p.X.Min, p.X.Max,
					p.Y.Min, p.Y.Max, in, c < 3)
			}
		}
	}
}
