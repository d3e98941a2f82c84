package mcmc_test

import (
	"context"
	"fmt"
	"math"
	"math/rand/v2"

	"gonum.org/v1/gonum/mat"

	"github.com/stheno-ebm/stheno/mcmc"
)

// Draw from a correlated normal distribution, given as a plain function, and look at the diagnostics.
func ExampleSample() {
	target := mcmc.RowFunc(func(grad, x []float64) float64 {
		a, b := x[0], x[1]
		grad[0], grad[1] = (a-.5*b)/.75, (b-.5*a)/.75
		return (a*grad[0] + b*grad[1]) / 2
	})
	rng := rand.New(rand.NewPCG(1, 2))
	start := mat.NewDense(4, 2, nil) // four chains at the origin
	draws, err := mcmc.Sample(context.Background(), mcmc.NUTS{}, mcmc.Shared(target), start, mcmc.SampleConfig{
		Draws:  1000,
		Warmup: mcmc.Warmup{Steps: 300},
	}, rng)
	if err != nil {
		fmt.Println(err)
		return
	}
	d := mcmc.Diagnose(draws, nil)
	fmt.Printf("mixed: %t, at least 1000 effective draws: %t\n", d.MaxRHat < 1.01, d.MinESSBulk > 1000)
	fmt.Println(len(d.Warnings()), "warnings")
	// Output:
	// mixed: true, at least 1000 effective draws: true
	// 0 warnings
}

// Move chains by hand: a kernel is a value, and the state holds everything that moves.
func ExampleKernel() {
	target := mcmc.RowFunc(func(grad, x []float64) float64 {
		grad[0] = x[0]
		return x[0] * x[0] / 2
	})
	rng := rand.New(rand.NewPCG(1, 2))
	s := mcmc.NewState(mat.NewDense(100, 1, nil))
	k := mcmc.HMC{StepSize: 0.5, Leapfrog: 5}
	for range 50 {
		if _, err := k.Step(s, target, rng); err != nil {
			fmt.Println(err)
			return
		}
	}
	fmt.Println(s.X.Dims())
	// Output: 100 1
}

// walk is a user-defined kernel: random-walk Metropolis, y = x + wξ, accepted with probability min(1, exp(E(x) -
// E(y))).
type walk struct{ width float64 }

func (k walk) Validate() error {
	if !(k.width > 0) {
		return fmt.Errorf("walk of width %g, want > 0", k.width)
	}
	return nil
}

func (k walk) Step(s *mcmc.State, t mcmc.Target, rng *rand.Rand) (mcmc.Info, error) {
	if err := s.Refresh(t); err != nil { // the energies and gradients at the current points
		return mcmc.Info{}, err
	}
	to := mcmc.NewState(mat.DenseCopyOf(s.X))
	to.X.Apply(func(_, _ int, v float64) float64 { return v + k.width*rng.NormFloat64() }, to.X)
	if err := to.Refresh(t); err != nil {
		return mcmc.Info{}, err
	}
	n := len(s.Energy)
	info := mcmc.Info{Evaluations: n}
	for i, e := range to.Energy {
		p := math.Exp(min(0, s.Energy[i]-e))
		info.AcceptProb += p / float64(n)
		if rng.Float64() < p {
			s.X.SetRow(i, to.X.RawRowView(i))
			s.Grad.SetRow(i, to.Grad.RawRowView(i))
			s.Energy[i] = e
		}
	}
	return info, nil
}

// A user-defined kernel runs wherever the others do, here between the exchanges of parallel tempering.
func ExampleKernel_own() {
	two := mcmc.RowFunc(func(grad, x []float64) float64 { // modes at -3 and 3, with equal weights
		grad[0] = x[0] - 3*math.Tanh(3*x[0])
		return x[0]*x[0]/2 - math.Log(2*math.Cosh(3*x[0]))
	})
	start := mat.NewDense(40, 1, nil)
	for i := range 40 {
		start.Set(i, 0, 3)
	}
	k := mcmc.Tempering{Kernel: walk{width: 1}, Betas: mcmc.Geometric(4, 0.1)}
	draws, err := mcmc.Sample(context.Background(), k, mcmc.Shared(two), start,
		mcmc.SampleConfig{Draws: 1000, BurnIn: 100}, rand.New(rand.NewPCG(1, 2)))
	if err != nil {
		fmt.Println(err)
		return
	}
	left := 0.0
	for _, x := range draws.X.RawMatrix().Data {
		if x < 0 {
			left++
		}
	}
	fmt.Printf("share of the left mode %.1f\n", left/float64(len(draws.X.RawMatrix().Data)))
	// Output: share of the left mode 0.5
}

// Estimate log ∫exp(-|x|²/2) dx = log 2π.
func ExampleAIS() {
	target := mcmc.RowFunc(func(grad, x []float64) float64 {
		copy(grad, x)
		return (x[0]*x[0] + x[1]*x[1]) / 2
	})
	ctx := context.Background()
	rng := rand.New(rand.NewPCG(1, 2))
	a, err := mcmc.AIS{
		Reference: &mcmc.Gaussian{Mean: []float64{0, 0}, Std: []float64{2, 2}},
		Kernel:    mcmc.HMC{StepSize: 0.5, Leapfrog: 4},
	}.Tune(ctx, target, 0, rng)
	if err != nil {
		fmt.Println(err)
		return
	}
	e, _, err := a.Forward(ctx, target, rng)
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(math.Abs(e.LogZ-math.Log(2*math.Pi)) < 4*e.StdErr)
	// Output: true
}

// Two modes that a local kernel cannot cross, by parallel tempering.
func ExampleTempering() {
	target := mcmc.RowFunc(func(grad, x []float64) float64 { // ½N(-5, 1) + ½N(5, 1)
		a, b := (x[0]-5)*(x[0]-5)/2, (x[0]+5)*(x[0]+5)/2
		low := math.Min(a, b)
		wa, wb := math.Exp(low-a), math.Exp(low-b)
		grad[0] = (wa*(x[0]-5) + wb*(x[0]+5)) / (wa + wb)
		return low - math.Log((wa+wb)/2)
	})
	start := mat.NewDense(20, 1, nil)
	for i := range 20 {
		start.Set(i, 0, 5) // all in one of them
	}
	k := mcmc.Tempering{Kernel: mcmc.HMC{StepSize: 0.8, Leapfrog: 5}, Betas: mcmc.Geometric(5, 0.03)}
	draws, err := mcmc.Sample(context.Background(), k, mcmc.Shared(target), start, mcmc.SampleConfig{
		Draws: 400, BurnIn: 100,
	}, rand.New(rand.NewPCG(1, 2)))
	if err != nil {
		fmt.Println(err)
		return
	}
	d := mcmc.Diagnose(draws, &mcmc.KnownModes{Centres: mat.NewDense(2, 1, []float64{-5, 5}),
		Weights: []float64{0.5, 0.5}})
	fmt.Println("modes visited:", d.Modes.Visited, "shares within 0.1:", d.Modes.TV < 0.1)
	// Output: modes visited: 2 shares within 0.1: true
}

// Warm up by hand: find the step and the mass of a sampler for a target with very different scales.
func ExampleAdapter() {
	target := mcmc.RowFunc(func(grad, x []float64) float64 { // N(0, diag(100², 0.1²))
		grad[0], grad[1] = x[0]/1e4, x[1]/1e-2
		return (x[0]*grad[0] + x[1]*grad[1]) / 2
	})
	rng := rand.New(rand.NewPCG(1, 2))
	s := mcmc.NewState(mat.NewDense(50, 2, nil))
	a, err := mcmc.NewAdapter(mcmc.HMC{Leapfrog: 10}, mcmc.Warmup{Steps: 400})
	if err != nil {
		fmt.Println(err)
		return
	}
	for !a.Done() {
		if _, err := a.Step(s, target, rng); err != nil {
			fmt.Println(err)
			return
		}
	}
	mass := a.Kernel().(mcmc.HMC).Mass.(mcmc.Diagonal) // the standard deviations: nothing is correlated
	scale := mass[0] / mass[1]
	fmt.Println("ratio of the scales about 1000:", scale > 800 && scale < 1250)
	// Output: ratio of the scales about 1000: true
}

// Chains that stay where they began: the diagnostics say so, and what helps.
func ExampleDiagnose() {
	target := mcmc.RowFunc(func(grad, x []float64) float64 { // equal modes at -8 and 8
		side := math.Copysign(8, x[0])
		grad[0] = x[0] - side
		return grad[0] * grad[0] / 2
	})
	start := mat.NewDense(4, 1, []float64{-8, -8, -8, -8})
	draws, err := mcmc.Sample(context.Background(), mcmc.HMC{StepSize: 0.8, Leapfrog: 3, LengthJitter: 0.5},
		mcmc.Shared(target), start,
		mcmc.SampleConfig{Draws: 200}, rand.New(rand.NewPCG(1, 2)))
	if err != nil {
		fmt.Println(err)
		return
	}
	d := mcmc.Diagnose(draws, &mcmc.KnownModes{Centres: mat.NewDense(2, 1, []float64{-8, 8}),
		Weights: []float64{0.5, 0.5}})
	fmt.Printf("R̂ %.2f; %d of 2 modes visited, weights off by %.1f\n", d.MaxRHat, d.Modes.Visited, d.Modes.TV)
	for _, w := range d.Warnings() {
		fmt.Println(w)
	}
	// Output:
	// R̂ 1.00; 1 of 2 modes visited, weights off by 0.5
	// chains stay in the mode they started in: use parallel tempering
	// mode weights are off by 0.50 in total variation, 1 of 2 modes were visited: use parallel tempering
}

// Two chains that disagree.
func ExampleRHat() {
	rng := rand.New(rand.NewPCG(1, 2))
	chains := make([][]float64, 2)
	for c := range chains {
		for range 500 {
			chains[c] = append(chains[c], float64(c)+rng.NormFloat64())
		}
	}
	fmt.Println(mcmc.RHat(chains) > 1.1, mcmc.ESSBulk(chains) < 20)
	// Output: true true
}

// Points of a wide density become a start that has the right weights of separate modes.
func ExampleResample() {
	rng := rand.New(rand.NewPCG(1, 2))
	energy := func(x float64) float64 { // three quarters at -4, one quarter at 4
		return -math.Log(3*math.Exp(-(x+4)*(x+4)/2) + math.Exp(-(x-4)*(x-4)/2))
	}
	const n = 4000
	x, logw := mat.NewDense(n, 1, nil), make([]float64, n)
	for i := range n {
		v := 5 * rng.NormFloat64()
		x.Set(i, 0, v)
		logw[i] = -energy(v) + v*v/50 // the normaliser of N(0, 25) does not matter
	}
	start := mat.NewDense(200, 1, nil)
	mcmc.Resample(start, x, logw, rng)
	left := 0.0
	for i := range 200 {
		if start.At(i, 0) < 0 {
			left++
		}
	}
	fmt.Printf("%.1f\n", left/200)
	// Output: 0.8
}
