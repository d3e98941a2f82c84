package mcmc_test

import (
	"math"
	"math/rand/v2"
	"strings"
	"testing"

	"gonum.org/v1/gonum/mat"

	"github.com/stheno-ebm/stheno/mcmc"
)

// wide is N(0, 5²) in one dimension; wrong is the mistake that the density of its draws is taken for constant.
type wide struct{ wrong bool }

func (wide) Sample(dst *mat.Dense, rng *rand.Rand) {
	for i := range dst.RawMatrix().Data {
		dst.RawMatrix().Data[i] = 5 * rng.NormFloat64()
	}
}

func (q wide) LogProb(dst []float64, x *mat.Dense) {
	for i := range dst {
		v := x.At(i, 0) / 5
		if dst[i] = -0.5 * v * v; q.wrong {
			dst[i] = 0
		}
	}
}

// heavier runs chains that all start in the lighter of two far modes, and returns the share that ends in the heavier one and
// the acceptance of the kernel.
func heavier(t *testing.T, q wide, n int) float64 {
	t.Helper()
	// 0.7 N(-2, 0.3²) + 0.3 N(6, 0.3²)
	target := mcmc.RowFunc(func(grad, x []float64) float64 {
		a, b := math.Log(0.7)-sq(x[0]+2)/0.18, math.Log(0.3)-sq(x[0]-6)/0.18
		m := max(a, b)
		z := math.Exp(a-m) + math.Exp(b-m)
		grad[0] = (math.Exp(a-m)*(x[0]+2) + math.Exp(b-m)*(x[0]-6)) / z / 0.09
		return -m - math.Log(z)
	})
	x := mat.NewDense(n, 1, nil)
	rng := rand.New(rand.NewPCG(1, 2))
	for i := range n {
		x.Set(i, 0, 6+0.3*rng.NormFloat64())
	}
	s := mcmc.NewState(x)
	k := mcmc.Jumping{Kernel: mcmc.HMC{StepSize: 0.2, Leapfrog: 3}, Proposal: q, Jumps: 2}
	for range 200 {
		if _, err := k.Step(s, target, rng); err != nil {
			t.Fatal(err)
		}
	}
	var left float64
	for i := range n {
		if x.At(i, 0) < 2 {
			left += 1 / float64(n)
		}
	}
	return left
}

func sq(x float64) float64 { return x * x }

// Jumps bring the modes to their weights within four standard errors; with the density of the proposals forgotten they do not.
func TestJumping(t *testing.T) {
	const n = 4000
	tolerance := 4 * math.Sqrt(0.7*0.3/n)
	if got := heavier(t, wide{}, n); math.Abs(got-0.7) > tolerance {
		t.Errorf("share of the heavier mode %g, want 0.7 ± %g", got, tolerance)
	}
	if got := heavier(t, wide{wrong: true}, n); math.Abs(got-0.7) < tolerance {
		t.Errorf("share %g: a forgotten proposal density is not noticed", got)
	}
	if got := mcmc.Name(mcmc.Jumping{Kernel: mcmc.HMC{}}); got != "hmc with jumps" {
		t.Errorf("named %q", got)
	}
	err := mcmc.Jumping{Jumps: -1}.Validate()
	if err == nil {
		t.Fatal("an empty kernel is accepted")
	}
	for _, want := range []string{"Jumps", "Proposal", "Kernel"} {
		if !strings.Contains(err.Error(), want) {
			t.Errorf("%q does not name %s", err, want)
		}
	}
}
