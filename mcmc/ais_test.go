package mcmc_test

import (
	"context"
	"math"
	"strings"
	"testing"

	"gonum.org/v1/gonum/mat"

	"github.com/stheno-ebm/stheno/mcmc"
	"github.com/stheno-ebm/stheno/mcmc/mcmctest"
)

// TestAIS: forward and reverse estimates agree with the exact log Z within four standard errors.
func TestAIS(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		known mcmctest.Known
		logZ  float64
	}{
		{mcmctest.Correlated(.9), math.Log(2*math.Pi) + math.Log(1-.81)/2},
		{mcmctest.Banana(.5), math.Log(2*math.Pi) + math.Log(.5)},
		{mcmctest.EightGaussians(), math.Log(2 * math.Pi * .01 / 2)},
		{mcmctest.Mixture("20 sd apart", 1, [][2]float64{{-10, 0}, {10, 0}}, []float64{.3, .7}), math.Log(2 * math.Pi)},
		{mcmctest.Funnel(4, 1), 2 * math.Log(2*math.Pi)},
	} {
		t.Run(c.known.Name, func(t *testing.T) {
			rng := source(1)
			x := mat.NewDense(1000, c.known.Dim, nil)
			c.known.Sample(x, rng)
			a, err := mcmc.AIS{
				Reference: mcmc.FitGaussian(x, 1.5), Kernel: mcmc.HMC{StepSize: .5, Leapfrog: 4, StepJitter: .3},
				Chains: 1000,
			}.Tune(context.Background(), c.known.Energy, 0, rng)
			if err != nil {
				t.Fatal(err)
			}
			fwd, s, err := a.Forward(context.Background(), c.known.Energy, rng)
			if err != nil {
				t.Fatal(err)
			}
			rev, err := a.Reverse(context.Background(), c.known.Energy, x, rng)
			if err != nil {
				t.Fatal(err)
			}
			for name, e := range map[string]mcmc.Evidence{"forward": fwd, "reverse": rev} {
				if math.Abs(e.LogZ-c.logZ) > 4*e.StdErr || e.StdErr > .3 {
					t.Errorf("%s: log Z = %.4f ± %.4f, want %.4f (%d levels, ESS %.0f)", name, e.LogZ, e.StdErr, c.logZ,
						e.Levels, e.ESS)
				}
			}
			t.Logf("exact %.3f, forward %.3f ± %.3f, reverse %.3f ± %.3f, %d levels", c.logZ, fwd.LogZ, fwd.StdErr,
				rev.LogZ, rev.StdErr, fwd.Levels)
			g := make([]float64, c.known.Dim)
			for i := range 5 {
				if want := c.known.Energy(g, s.X.RawRowView(i)); math.Abs(s.Energy[i]-want) > 1e-9*(1+math.Abs(want)) {
					t.Errorf("energy of the last state: got %g, want %g", s.Energy[i], want)
				}
			}
			twin, _, err := a.Forward(context.Background(), mcmctest.Twin(c.known.Energy, 1.5), rng)
			if err != nil {
				t.Fatal(err)
			}
			if math.Abs(twin.LogZ-c.logZ) < 4*twin.StdErr {
				t.Errorf("the twin passes: %.4f ± %.4f", twin.LogZ, twin.StdErr)
			}
		})
	}
}

// Where the target has no finite energy all weights are zero, or infinite in reverse: these are errors, not NaN.
func TestAISWithoutWeight(t *testing.T) {
	nowhere := mcmc.RowFunc(func(grad, x []float64) float64 { return math.Inf(1) })
	a := mcmc.AIS{
		Reference: &mcmc.Gaussian{Mean: []float64{0}, Std: []float64{1}}, Kernel: mcmc.HMC{StepSize: .1},
		Betas: []float64{0, .5, 1}, Chains: 20,
	}
	if e, _, err := a.Forward(context.Background(), nowhere, source(1)); err == nil ||
		!strings.Contains(err.Error(), "Reference") {
		t.Errorf("forward: %+v, error %v, want one that names the Reference", e, err)
	}
	if e, err := a.Reverse(context.Background(), nowhere, mat.NewDense(20, 1, nil), source(1)); err == nil ||
		!strings.Contains(err.Error(), "draws") {
		t.Errorf("reverse: %+v, error %v, want one that names the draws", e, err)
	}
	half := mcmc.RowFunc(func(grad, x []float64) float64 { // N(0, 1) on x > 0
		if grad[0] = x[0]; x[0] < 0 {
			return math.Inf(1)
		}
		return sq(x[0]) / 2
	})
	e, _, err := a.Forward(context.Background(), half, source(1))
	if err != nil || math.IsNaN(e.LogZ) || math.IsInf(e.LogZ, 0) {
		t.Errorf("some weights are zero: log Z = %g, error %v", e.LogZ, err)
	}
}

// Kernels without an accept step would bias log Z, and are refused with a hint of what to use.
func TestAISExactKernels(t *testing.T) {
	ref := &mcmc.Gaussian{Mean: []float64{0}, Std: []float64{1}}
	langevin := mcmc.Langevin{StepSize: .03}
	for _, k := range []mcmc.Kernel{langevin, &langevin, mcmc.BAOAB{StepSize: .1}} {
		a := mcmc.AIS{Reference: ref, Kernel: k, Betas: []float64{0, 1}}
		_, tuned := a.Tune(context.Background(), gaussian(), 0, source(1))
		for _, err := range []error{a.Validate(), tuned} {
			if err == nil || !strings.Contains(err.Error(), "MALA or HMC") {
				t.Errorf("%T: error %v, want one that names MALA or HMC", k, err)
			}
		}
	}
	a := mcmc.AIS{Reference: ref, Kernel: mcmc.Jumping{Kernel: langevin, Proposal: wide{}}, Betas: []float64{0, 1}}
	if a.Validate() == nil {
		t.Error("Langevin with jumps is accepted")
	}
	for _, k := range []mcmc.Kernel{mcmc.MALA{StepSize: .1}, mcmc.HMC{StepSize: .1}, mcmc.NUTS{StepSize: .1}} {
		if err := (mcmc.AIS{Reference: ref, Kernel: k, Betas: []float64{0, 1}}).Validate(); err != nil {
			t.Errorf("%T: %v", k, err)
		}
	}
}

func TestAISErrors(t *testing.T) {
	ref := &mcmc.Gaussian{Mean: []float64{0}, Std: []float64{1}}
	for _, a := range []mcmc.AIS{
		{},
		{Reference: ref},
		{Reference: ref, Kernel: mcmc.HMC{StepSize: 1}, Betas: []float64{0, .5}},
		{Reference: ref, Kernel: mcmc.HMC{StepSize: 1}, Betas: []float64{0, .5, .5, 1}},
		{Reference: &mcmc.Gaussian{Mean: []float64{0}, Std: []float64{0}}, Kernel: mcmc.HMC{StepSize: 1},
			Betas: []float64{0, 1}},
	} {
		if _, _, err := a.Forward(context.Background(), gaussian(), source(1)); err == nil {
			t.Errorf("%+v: no error", a)
		}
	}
	right := mcmc.AIS{Reference: ref, Kernel: mcmc.HMC{StepSize: 1}, Betas: []float64{0, 1}}
	for _, x := range []*mat.Dense{mat.NewDense(3, 2, nil), {}} {
		if _, err := right.Reverse(context.Background(), gaussian(), x, source(1)); err == nil {
			t.Errorf("Reverse of %d samples of the wrong width: no error", x.RawMatrix().Rows)
		}
	}
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	a := mcmc.AIS{Reference: ref, Kernel: mcmc.HMC{StepSize: 1}}
	if _, err := a.Tune(ctx, gaussian(), 0, source(1)); err == nil {
		t.Error("Tune of a cancelled context: no error")
	}
}
