package mcmctest

import (
	"bytes"
	"errors"
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"testing"

	"gonum.org/v1/gonum/mat"

	"github.com/stheno-ebm/stheno/mcmc"
)

// Invariant starts n chains with exact draws from from, moves them, and compares them with the laws of the target by
// the Kolmogorov–Smirnov test. The chains are independent, so the test is exact. It returns an error when the smallest
// p value is below 10⁻⁴ divided by the number of laws.
//
// from is the target itself for exact kernels; biased kernels start in their own stationary distribution.
func Invariant(k mcmc.Kernel, t mcmc.Target, from Known, n, steps int, rng *rand.Rand) error {
	if err := k.Validate(); err != nil {
		return err
	}
	x := mat.NewDense(n, from.Dim, nil)
	from.Sample(x, rng)
	s := mcmc.NewState(x)
	if p, ok := k.(mcmc.Tempering); ok {
		s.Replicas = warmReplicas(p, t, from, n, rng)
	}
	for range steps {
		if _, err := k.Step(s, t, rng); err != nil {
			return err
		}
	}
	if err := s.Refresh(t); err != nil { // undoes a last step to a non-finite energy
		return err
	}
	for _, l := range from.Laws {
		v := make([]float64, n)
		for i := range v {
			v[i] = l.Of(x.RawRowView(i))
		}
		if p := KS(v, l.CDF); p < 1e-4/float64(len(from.Laws)) {
			return fmt.Errorf("%s, %s: p = %.2g after %d steps", from.Name, l.Name, p, steps)
		}
	}
	return nil
}

// warmReplicas brings the hot levels near stationarity before the cold one is put in: with cold draws at all levels,
// the exchanges would change the distribution of the cold level.
func warmReplicas(p mcmc.Tempering, t mcmc.Target, from Known, n int, rng *rand.Rand) *mcmc.State {
	levels := len(p.Betas)
	x := mat.NewDense(n*levels, from.Dim, nil)
	for l, beta := range p.Betas {
		y := mat.NewDense(n, from.Dim, nil)
		from.Sample(y, rng)
		if l > 0 {
			s, hot := mcmc.NewState(y), Twin(t, beta)
			for range 40 {
				if _, err := (mcmc.HMC{StepSize: .4 / math.Sqrt(beta), Leapfrog: 5, StepJitter: .5}).Step(s, hot,
					rng); err != nil {
					panic(err)
				}
			}
		}
		x.Slice(l*n, (l+1)*n, 0, from.Dim).(*mat.Dense).Copy(y)
	}
	return mcmc.NewState(x)
}

// KS returns the p value of the one-sample Kolmogorov–Smirnov test, by its limiting distribution with Stephens'
// correction. It sorts v in place.
func KS(v []float64, cdf func(float64) float64) float64 {
	slices.Sort(v)
	n := float64(len(v))
	var d float64
	for i, a := range v {
		p := cdf(a)
		if math.IsNaN(p) {
			return 0
		}
		d = max(d, p-float64(i)/n, float64(i+1)/n-p)
	}
	z := (math.Sqrt(n) + .12 + .11/math.Sqrt(n)) * d
	var p float64
	for k := 1; k < 101; k++ {
		term := 2 * math.Exp(-2*z*z*float64(k*k))
		if k%2 == 0 {
			term = -term
		}
		p += term
	}
	if z < .3 {
		return 1
	}
	return min(1, max(0, p))
}

// Twin returns the target at another temperature, exp(-βE). A test of a kernel must fail on it.
func Twin(t mcmc.Target, beta float64) mcmc.Target {
	return mcmc.TargetFunc(func(e []float64, grad, x *mat.Dense) error {
		err := t.EnergyGrad(e, grad, x)
		for i := range e {
			e[i] *= beta
			g := grad.RawRowView(i)
			for j := range g {
				g[j] *= beta
			}
		}
		return err
	})
}

// Check tests what holds for every kernel: it does not allocate per step, passes on the target's error, never ends
// where the energy is not finite and counts attempts as divergences, and continues bit for bit from a saved state. The
// step of k should suit a unit Gaussian.
func Check(t *testing.T, k mcmc.Kernel) {
	if err := k.Validate(); err != nil {
		t.Fatal(err)
	}
	t.Run("allocations", func(t *testing.T) { checkAllocations(t, k) })
	t.Run("error", func(t *testing.T) { checkError(t, k) })
	t.Run("finite", func(t *testing.T) { checkFinite(t, k) })
	t.Run("continue", func(t *testing.T) { checkContinue(t, k) })
}

func checkAllocations(t *testing.T, k mcmc.Kernel) {
	rng := rand.New(rand.NewPCG(6, 1))
	known := Scaled(1, 1)
	x := mat.NewDense(16, 2, nil)
	known.Sample(x, rng)
	s := mcmc.NewState(x)
	var target mcmc.Target = known.Energy
	step := func() {
		if _, err := k.Step(s, target, rng); err != nil {
			t.Fatal(err)
		}
	}
	for range 20 {
		step()
	}
	if n := testing.AllocsPerRun(50, step); n != 0 {
		t.Errorf("%g allocations per step, want 0", n)
	}
}

func checkError(t *testing.T, k mcmc.Kernel) {
	boom := errors.New("boom")
	target := mcmc.TargetFunc(func([]float64, *mat.Dense, *mat.Dense) error { return boom })
	if _, err := k.Step(mcmc.NewState(mat.NewDense(2, 2, nil)), target, rand.New(rand.NewPCG(1, 1))); !errors.Is(err,
		boom) {
		t.Errorf("got %v, want the target's error", err)
	}
}

// failures names the ways in which a walled target fails beyond its wall.
var failures = []string{"NaN", "+Inf", "-Inf", "NaN gradient"}

// Walled returns N(0, 1) on |x| < 1.2 that fails beyond.
func Walled(kind string) mcmc.RowFunc {
	return func(grad, x []float64) float64 {
		grad[0] = x[0]
		if math.Abs(x[0]) < 1.2 {
			return x[0] * x[0] / 2
		}
		switch kind {
		case "NaN":
			return math.NaN()
		case "+Inf":
			return math.Inf(1)
		case "-Inf":
			return math.Inf(-1)
		}
		grad[0] = math.NaN()
		return 0
	}
}

func checkFinite(t *testing.T, k mcmc.Kernel) {
	for _, kind := range failures {
		rng := rand.New(rand.NewPCG(5, 1))
		target := Walled(kind)
		x := mat.NewDense(8, 1, []float64{0, .1, .2, .3, -.1, -.2, -.3, 5}) // the last one starts outside
		s := mcmc.NewState(x)
		div := 0
		for range 400 {
			info, err := k.Step(s, target, rng)
			if err != nil {
				t.Fatal(err)
			}
			if err := s.Refresh(target); err != nil {
				t.Fatal(err)
			}
			div += info.Divergent
			for i, e := range s.Energy[:7] {
				if v := x.At(i, 0); !(math.Abs(v) < 1.2) || math.Abs(e-v*v/2) > 1e-12 {
					t.Fatalf("%s: chain at %g with energy %g", kind, v, e)
				}
			}
		}
		if div == 0 {
			t.Errorf("%s: no divergence counted", kind)
		}
		if v := x.At(7, 0); math.IsNaN(v) || math.IsInf(v, 0) {
			t.Errorf("%s: the chain that starts outside is at %g", kind, v)
		}
	}
}

func checkContinue(t *testing.T, k mcmc.Kernel) {
	run := func(s *mcmc.State, src rand.Source, steps int) {
		rng := rand.New(src)
		for range steps {
			if _, err := k.Step(s, Walled("NaN"), rng); err != nil {
				t.Fatal(err)
			}
		}
	}
	src := rand.NewPCG(3, 4)
	a := mcmc.NewState(mat.NewDense(3, 1, []float64{.1, .2, .3}))
	run(a, src, 17)
	saved, err := a.MarshalBinary()
	if err != nil {
		t.Fatal(err)
	}
	savedSrc, err := src.MarshalBinary()
	if err != nil {
		t.Fatal(err)
	}
	run(a, src, 23)

	var b mcmc.State
	if err := b.UnmarshalBinary(saved); err != nil {
		t.Fatal(err)
	}
	src2 := new(rand.PCG)
	if err := src2.UnmarshalBinary(savedSrc); err != nil {
		t.Fatal(err)
	}
	run(&b, src2, 23)
	got, _ := b.MarshalBinary()
	want, _ := a.MarshalBinary()
	if !bytes.Equal(got, want) {
		t.Errorf("40 steps differ from 17, save, restore, 23: got %v, want %v", mat.Formatted(b.X.T()),
			mat.Formatted(a.X.T()))
	}
	for cut := range saved {
		if new(mcmc.State).UnmarshalBinary(saved[:cut]) == nil {
			t.Fatalf("a state cut to %d of %d bytes was accepted", cut, len(saved))
		}
	}
}
