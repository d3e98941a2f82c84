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

// TestWarningsByTarget: each target triggers its own warnings, with their remedy, and none of another's.
func TestWarningsByTarget(t *testing.T) {
	const tempering, changing, dead = "parallel tempering", "θ = μ + τz", "moved in"
	warm := mcmc.SampleConfig{Draws: 1000, Warmup: mcmc.Warmup{Steps: 500}}
	spread := func(n, d int) *mat.Dense { return normalBatch(n, d, source(1)) }
	modes := mcmctest.Mixture("", .3, [][2]float64{{-5, 0}, {5, 0}}, []float64{.5, .5})
	between := mat.NewDense(4, 2, []float64{-5, 0, 5, 0, -5, .1, 5, .1})
	wall := mcmc.RowFunc(func(grad, x []float64) float64 { // half a normal distribution
		if grad[0] = x[0]; x[0] < 0 {
			return math.Inf(1)
		}
		return x[0] * x[0] / 2
	})
	inside := spread(4, 1)
	inside.Apply(func(_, _ int, v float64) float64 { return math.Abs(v) }, inside)
	for name, c := range map[string]struct {
		kernel    mcmc.Kernel
		target    mcmc.Target
		x         *mat.Dense
		cfg       mcmc.SampleConfig
		must, not []string
	}{
		"gaussian": {mcmc.NUTS{}, gaussian(1, 3), spread(4, 2), warm, nil, nil},
		"funnel": {mcmc.NUTS{}, Funnel10().Energy, spread(4, 10), warm,
			[]string{changing}, []string{tempering, dead, "would do"}},
		"funnel, usual acceptance": {mcmc.NUTS{}, Funnel10().Energy, spread(4, 10),
			mcmc.SampleConfig{Draws: 1000, Warmup: mcmc.Warmup{Steps: 500, Accept: .8}},
			[]string{"diverged", changing, "Warmup.Accept above 0.8"}, []string{tempering, dead}},
		"funnel non-centred": {mcmc.NUTS{}, FunnelNonCentred().Energy, spread(4, 10), warm, nil, nil},
		"two modes": {mcmc.NUTS{}, modes.Energy, between,
			mcmc.SampleConfig{Draws: 500, Warmup: mcmc.Warmup{Steps: 200}},
			[]string{tempering}, []string{changing, dead, "smaller steps"}},
		"one dead chain": {mcmc.NUTS{StepSize: 1}, narrowAtOne, mat.NewDense(4, 1, []float64{0, -1, 8, .5}),
			mcmc.SampleConfig{Draws: 500},
			[]string{"chain 2 moved in", "smaller StepSize"}, []string{tempering}},
		"NaN start": {mcmc.NUTS{}, gaussian(1), mat.NewDense(4, 1, []float64{0, math.NaN(), 1, -1}), warm,
			[]string{"chain 1: its start was given up"}, []string{tempering, dead}},
		"gradient of the wrong sign": {mcmc.NUTS{}, mcmc.RowFunc(func(grad, x []float64) float64 {
			grad[0] = -x[0]
			return x[0] * x[0] / 2
		}), spread(4, 1), warm, []string{"check its sign"}, []string{tempering}},
		"log density for an energy": {mcmc.NUTS{}, mcmc.RowFunc(func(grad, x []float64) float64 {
			grad[0] = -x[0]
			return -x[0] * x[0] / 2
		}), spread(4, 1), warm, []string{"that E is -log p"}, []string{tempering}},
		"wall": {mcmc.NUTS{}, wall, inside, warm, nil, []string{"temperature", tempering, "sign"}},
		"langevin": {mcmc.Langevin{StepSize: .5}, gaussian(), spread(64, 4), mcmc.SampleConfig{Draws: 200, BurnIn: 20},
			[]string{"temperature", "MALA"}, []string{tempering}},
		"kept mass": {mcmc.NUTS{MaxDepth: 5}, gaussian(.01, 1), spread(4, 2),
			mcmc.SampleConfig{Draws: 500, Warmup: mcmc.Warmup{Steps: 300, KeepMass: true}},
			[]string{"maximum depth", "KeepMass"}, []string{tempering, dead}},
		"adapted mass": {mcmc.NUTS{MaxDepth: 5}, gaussian(.01, 1), spread(4, 2),
			mcmc.SampleConfig{Draws: 500, Warmup: mcmc.Warmup{Steps: 300}}, nil, []string{"depth"}},
		"few draws": {mcmc.NUTS{}, gaussian(), spread(4, 2),
			mcmc.SampleConfig{Draws: 40, Warmup: mcmc.Warmup{Steps: 300}},
			[]string{"few effective draws", "draw longer"}, []string{tempering, "smaller"}},
	} {
		d, err := mcmc.Sample(context.Background(), c.kernel, mcmc.Shared(c.target), c.x, c.cfg, source(3))
		if err != nil {
			t.Fatal(err)
		}
		got := strings.Join(mcmc.Diagnose(d, nil).Warnings(), "\n")
		for _, want := range c.must {
			if !strings.Contains(got, want) {
				t.Errorf("%s: got %q, want %q", name, got, want)
			}
		}
		for _, not := range c.not {
			if strings.Contains(got, not) {
				t.Errorf("%s: got %q, which does not concern it: %q", name, not, got)
			}
		}
		if c.must == nil && c.not == nil && got != "" {
			t.Errorf("%s: got %q, want none", name, got)
		}
	}
}

// narrowAtOne is N(0, 1) with a pit at 8 that a step of 1 does not leave.
var narrowAtOne = mcmc.RowFunc(func(grad, x []float64) float64 {
	const w = 1e-4
	if z := x[0] - 8; math.Abs(z) < .01 {
		grad[0] = z / (w * w)
		return z * z / (2 * w * w)
	}
	grad[0] = x[0]
	return x[0] * x[0] / 2
})
