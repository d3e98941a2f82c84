package mcmc_test

import (
	"context"
	"errors"
	"fmt"
	"math"
	"math/rand/v2"
	"strings"
	"testing"

	"gonum.org/v1/gonum/mat"

	"github.com/stheno-ebm/stheno/mcmc"
	"github.com/stheno-ebm/stheno/mcmc/mcmctest"
)

// Starts are drawn until energy and gradient are finite; otherwise the error says which is not.
func TestStarts(t *testing.T) {
	for kind, want := range map[string]string{"NaN": "energy was NaN", "+Inf": "energy was +Inf",
		"-Inf": "energy was -Inf", "NaN gradient": "gradient was NaN in coordinate 1"} {
		target := mcmctest.Walled(kind)
		x, err := mcmc.Starts(target, 50, 1, nil, source(1))
		if err != nil {
			t.Fatal(err)
		}
		for i := range 50 {
			if v := x.At(i, 0); !(math.Abs(v) < 1.2) {
				t.Errorf("%s: a start at %g, beyond the wall", kind, v)
			}
		}
		_, err = mcmc.Starts(target, 3, 1, func(x []float64, _ *rand.Rand) { x[0] = 7 }, source(1))
		var e *mcmc.StartError
		if !errors.As(err, &e) || e.X[0] != 7 || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: got %v, want an error with %q", kind, err, want)
		}
	}
	if _, err := mcmc.Starts(gaussian(), 0, 1, nil, source(1)); err == nil {
		t.Error("no chains: no error")
	}
}

// narrow is a regression as people write it: a large intercept, a slope of another order of magnitude, a log scale.
// From starts in (-2, 2) the energy is up to 10⁸ above that where the density is.
func narrow(grad, x []float64) float64 {
	const n = 60
	s := math.Exp(x[2])
	p := 1 / (s * s)
	var ss float64
	clear(grad)
	for i := range n {
		z := 60 + 20*float64(i)/n
		y := -300 + 12*z + 8*math.Sin(13*float64(i*i))
		r := y - x[0] - x[1]*z
		ss += r * r
		grad[0] -= r * p
		grad[1] -= r * z * p
	}
	grad[2] = n - 1 - ss*p
	return (n-1)*x[2] + ss*p/2
}

// No start ruins a batch: every chain moves after warm-up, and those that were given up are named.
func TestNoStartRuinsABatch(t *testing.T) {
	moves := func(d *mcmc.Draws) error {
		for c := range d.Chains {
			if d.Stats[c].Accepted < d.Kept/2 {
				return fmt.Errorf("chain %d accepted %d of %d", c, d.Stats[c].Accepted, d.Kept)
			}
		}
		return nil
	}
	sample := func(k mcmc.Kernel, target mcmc.RowFunc, x *mat.Dense, seed uint64) *mcmc.Draws {
		d, err := mcmc.Sample(context.Background(), k, mcmc.Shared(target), x,
			mcmc.SampleConfig{Draws: 200, Warmup: mcmc.Warmup{Steps: 500}}, source(seed))
		if err != nil {
			t.Fatal(err)
		}
		return d
	}
	for _, chains := range []int{4, 10, 32} {
		x, err := mcmc.Starts(mcmc.RowFunc(narrow), chains, 3, nil, source(uint64(chains)))
		if err != nil {
			t.Fatal(err)
		}
		if err := moves(sample(mcmc.NUTS{}, narrow, x, 1)); err != nil {
			t.Errorf("%d chains: %v", chains, err)
		}
	}
	// One of four starts where the energy is NaN, or far out, or where the gradient is not finite.
	for name, far := range map[string]float64{"NaN": math.NaN(), "far": 1e9} {
		x := normalBatch(4, 2, source(1))
		x.Set(2, 0, far)
		for _, k := range []mcmc.Kernel{mcmc.NUTS{}, mcmc.HMC{}, mcmc.MALA{}} {
			d := sample(k, gaussian(1, 2), x, 2)
			if err := moves(d); err != nil {
				t.Errorf("%s, %T: %v", name, k, err)
			}
			if name == "far" { // it comes back by itself
				continue
			}
			if len(d.LeftOut) != 1 || d.LeftOut[0].Chain != 2 || !strings.Contains(d.LeftOut[0].Reason, "given up") {
				t.Errorf("%s, %T: left out: %v, want chain 2", name, k, d.LeftOut)
			}
		}
	}
	// E = |x| has no gradient at the origin, where the chains start.
	laplace := mcmc.RowFunc(func(grad, x []float64) float64 {
		grad[0] = x[0] / math.Abs(x[0])
		return math.Abs(x[0])
	})
	d := sample(mcmc.HMC{Leapfrog: 5, LengthJitter: .5}, laplace, mat.NewDense(8, 1, nil), 3)
	if _, sd := meanStd(d.Values(0)); math.Abs(sd-math.Sqrt2) > .2 {
		t.Errorf("E = |x| from the origin: standard deviation %g, want √2", sd)
	}
}
