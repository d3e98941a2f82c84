package density

import (
	"math/rand/v2"
	"testing"

	"gonum.org/v1/gonum/mat"
)

// Most bounds the candidates tried by default, and has no effect where they are given.
func TestMost(t *testing.T) {
	rng := rand.New(rand.NewPCG(1, 2))
	x := mat.NewDense(60, 1, nil)
	for i := range 60 {
		x.Set(i, 0, rng.NormFloat64())
	}
	largest := func(cfg MixtureConfig) (k int) {
		tried, err := Search(x, cfg, rng)
		if err != nil {
			t.Fatal(err)
		}
		for _, c := range tried {
			k = max(k, c.Mixture.Components())
		}
		return k
	}
	for _, c := range []struct {
		cfg  MixtureConfig
		want int
	}{{MixtureConfig{}, 12}, {MixtureConfig{Most: 3}, 3}, {MixtureConfig{Most: 3, Components: []int{5}}, 5}} {
		if got := largest(c.cfg); got != c.want {
			t.Errorf("%+v: up to %d components, want %d", c.cfg, got, c.want)
		}
	}
	if err := (MixtureConfig{Most: -1}).Validate(); err == nil {
		t.Error("Most = -1 is accepted")
	}
}
