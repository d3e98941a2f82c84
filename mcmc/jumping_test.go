package mcmc_test

import (
	"math"
	"math/rand/v2"
	"strings"
	"testing"

	"gonum.org/v1/gonum/mat"

	"github.com/stheno-ebm/stheno/mcmc"
)

// wide is N(0, 5²) in one dimension; wrong makes the mistake of taking the density of its draws to be constant.
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

// heavier runs chains that all start in the lighter of two distant modes, and returns the share that ends in the
// heavier one.
func heavier(t *testing.T, k mcmc.Kernel, n int) float64 {
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

// Jumps bring the modes to their weights within four standard errors; if the density of the proposals is ignored they
// do not.
func TestJumping(t *testing.T) {
	const n = 4000
	jumping := mcmc.Jumping{Kernel: mcmc.HMC{StepSize: 0.2, Leapfrog: 3}, Proposal: wide{}, Jumps: 2}
	tolerance := 4 * math.Sqrt(0.7*0.3/n)
	if got := heavier(t, jumping, n); math.Abs(got-0.7) > tolerance {
		t.Errorf("share of the heavier mode %g, want 0.7 ± %g", got, tolerance)
	}
	jumping.Proposal = wide{wrong: true}
	if got := heavier(t, jumping, n); math.Abs(got-0.7) < tolerance {
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

// Independent proposals bring the modes to their weights, too, and are all accepted where the proposal is the target.
func TestIndependence(t *testing.T) {
	const n = 4000
	tolerance := 4 * math.Sqrt(0.7*0.3/n)
	if got := heavier(t, mcmc.Independence{Proposal: wide{}}, n); math.Abs(got-0.7) > tolerance {
		t.Errorf("share of the heavier mode %g, want 0.7 ± %g", got, tolerance)
	}
	if got := heavier(t, mcmc.Independence{Proposal: wide{wrong: true}}, n); math.Abs(got-0.7) < tolerance {
		t.Errorf("share %g: a forgotten proposal density is not noticed", got)
	}
	s := mcmc.NewState(mat.NewDense(8, 1, nil))
	info, err := mcmc.Independence{Proposal: wide{}}.Step(s, gaussian(5), source(1))
	if err != nil || info.AcceptProb < 1-1e-12 {
		t.Errorf("acceptance %g of draws of the target, error %v", info.AcceptProb, err)
	}
	if err := (mcmc.Independence{}).Validate(); err == nil {
		t.Error("a missing proposal is accepted")
	}
}

// alone returns the effect of jumps on chains that start as exact draws of the lighter of two distant modes: the
// share of the heavier one, and the variance within the modes.
func alone(t *testing.T, q wide, n, times int) (share, variance float64) {
	t.Helper()
	// 0.7 N(-2, 0.5²) + 0.3 N(6, 0.5²)
	energies := func(e []float64, x *mat.Dense) error {
		for i := range e {
			v := x.At(i, 0)
			e[i] = -math.Log(0.7*math.Exp(-sq(v+2)/0.5) + 0.3*math.Exp(-sq(v-6)/0.5))
		}
		return nil
	}
	rng := rand.New(rand.NewPCG(5, 1))
	x := mat.NewDense(n, 1, nil)
	for i := range n {
		x.Set(i, 0, 6+0.5*rng.NormFloat64())
	}
	j := mcmc.Jumps{Proposal: q, Times: times}
	if err := j.Move(x, energies, rng); err != nil {
		t.Fatal(err)
	}
	for i := range n {
		v := x.At(i, 0)
		if v < 2 {
			share += 1 / float64(n)
		}
		variance += sq(math.Abs(v-2)-4) / float64(n)
	}
	return share, variance
}

// Jumps by themselves bring modes to their weights and preserve the distribution within them, within four standard
// errors.
func TestJumps(t *testing.T) {
	const n, times = 2000, 100
	share, variance := alone(t, wide{}, n, times)
	if se := math.Sqrt(0.7 * 0.3 / n); math.Abs(share-0.7) > 4*se {
		t.Errorf("share of the heavier mode %g, want 0.7 ± %g", share, se)
	}
	if se := 0.25 * math.Sqrt(2.0/n); math.Abs(variance-0.25) > 4*se {
		t.Errorf("variance within the modes %g, want 0.25 ± %g", variance, se)
	}
	if share, _ := alone(t, wide{wrong: true}, n, times); math.Abs(share-0.7) < 4*math.Sqrt(0.7*0.3/n) {
		t.Errorf("share %g: a forgotten proposal density is not noticed", share)
	}
	// nothing that is not finite is accepted
	x := mat.NewDense(3, 1, nil)
	j := mcmc.Jumps{Proposal: wide{}}
	bad := func(e []float64, x *mat.Dense) error {
		for i := range e {
			e[i] = []float64{math.Inf(-1), math.NaN(), math.Inf(1)}[i%3]
			if x.At(i, 0) == 0 {
				e[i] = 0
			}
		}
		return nil
	}
	if err := j.Move(x, bad, source(1)); err != nil || mat.Norm(x, 1) != 0 {
		t.Errorf("chains are at %v, %v", x.RawMatrix().Data, err)
	}
}

// A step that follows the acceptance grows where more is accepted than suits the kernel and shrinks where less is, by
// factors of at most 1.0426 and 0.9442 for MALA.
func TestFollow(t *testing.T) {
	k := mcmc.MALA{StepSize: 2}
	for accept, want := range map[float64]float64{0.574: 2, 1: 2 * math.Exp(0.0426), 0: 2 * math.Exp(-0.0574),
		math.NaN(): 2} {
		if got := k.Tuning().Follow(accept); math.Abs(got-want) > 1e-15 {
			t.Errorf("after an acceptance of %g: step %g, want %g", accept, got, want)
		}
	}
	if got := (mcmc.MALA{StepSize: 1e12}).Tuning().Follow(1); got != 1e12 {
		t.Errorf("the step grows beyond bounds: %g", got)
	}
}
