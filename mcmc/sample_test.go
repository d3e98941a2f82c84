package mcmc_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"math"
	"reflect"
	"slices"
	"strings"
	"testing"
	"unicode/utf8"

	"gonum.org/v1/gonum/mat"

	"github.com/stheno-ebm/stheno/mcmc"
	"github.com/stheno-ebm/stheno/mcmc/mcmctest"
)

func TestSampleIsTheSameForAnyWorkers(t *testing.T) {
	x := normalBatch(70, 2, source(1))
	for name, k := range kernels() {
		draw := func(workers int) *mcmc.Draws {
			cfg := mcmc.SampleConfig{Draws: 20, BurnIn: 3, Thin: 2, Block: 16, Workers: workers,
				Warmup: mcmc.Warmup{Steps: 30}, Trajectories: 2}
			if _, err := mcmc.NewAdapter(k, cfg.Warmup); err != nil { // nothing to adapt
				cfg.Warmup.Steps, cfg.BurnIn = 0, 33
			}
			d, err := mcmc.Sample(context.Background(), k, mcmc.Shared(gaussian(1, 2)), x, cfg, source(2))
			if err != nil {
				t.Fatal(err)
			}
			return d
		}
		a, b := draw(1), draw(3)
		if !mat.Equal(a.X, b.X) || !mat.Equal(a.Last, b.Last) || !mat.Equal(a.Trajectories[1], b.Trajectories[1]) {
			t.Errorf("%s: draws depend on the number of workers", name)
		}
		if r, _ := a.Trajectories[0].Dims(); r != 1+30+3+40 {
			t.Errorf("%s: trajectory of %d positions, want 74", name, r)
		}
		if got := a.Trajectories[1].RawRowView(73); !equal(got, a.Chain(1, 19)) || !equal(got, a.Last.RawRowView(1)) {
			t.Errorf("%s: the trajectory ends at %v, the draws at %v", name, got, a.Chain(1, 19))
		}
		if !equal(a.Trajectories[1].RawRowView(0), x.RawRowView(1)) {
			t.Errorf("%s: the trajectory does not begin at the start", name)
		}
		if !equal(a.Trajectories[1].RawRowView(35), a.Chain(1, 0)) {
			t.Errorf("%s: the first draw is not the one after burn-in and thinning", name)
		}
		e := make([]float64, 70)
		g := mat.NewDense(70, 2, nil)
		if err := gaussian(1, 2).EnergyGrad(e, g, a.X.Slice(0, 70, 0, 2).(*mat.Dense)); err != nil {
			t.Fatal(err)
		}
		for c, v := range e {
			if math.Abs(a.Energy[c]-v) > 1e-12*(1+v) {
				t.Errorf("%s: energy of draw 0 of chain %d: got %g, want %g", name, c, a.Energy[c], v)
			}
		}
	}
}

func equal(a, b []float64) bool {
	for i := range a {
		if a[i] != b[i] {
			return false
		}
	}
	return len(a) == len(b)
}

func TestSampleCancelled(t *testing.T) {
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	x := normalBatch(100, 2, source(1))
	cfg := mcmc.SampleConfig{Draws: 500, Block: 10, Workers: 2}
	whole, err := mcmc.Sample(ctx, mcmc.MALA{StepSize: .5}, mcmc.Shared(gaussian()), x, cfg, source(3))
	if err != nil {
		t.Fatal(err)
	}
	cfg.Progress = func(p mcmc.Progress) {
		if p.Done > p.Total/2 {
			cancel()
		}
	}
	d, err := mcmc.Sample(ctx, mcmc.MALA{StepSize: .5}, mcmc.Shared(gaussian()), x, cfg, source(3))
	if !errors.Is(err, context.Canceled) {
		t.Errorf("got error %v, want context.Canceled", err)
	}
	if d == nil || d.Kept < 200 || d.Kept >= 300 {
		t.Fatalf("kept %d draws of 500 when cancelled half way", d.Kept)
	}
	if !mat.Equal(d.X, whole.X.Slice(0, d.Kept*100, 0, 2)) {
		t.Error("the draws before the cancellation differ from those of the whole run")
	}
}

func TestSampleErrors(t *testing.T) {
	boom := errors.New("boom")
	calls := 0
	target := mcmc.TargetFunc(func(e []float64, grad, x *mat.Dense) error {
		if calls++; calls > 50 {
			return boom
		}
		return gaussian().EnergyGrad(e, grad, x)
	})
	x := mat.NewDense(2, 1, nil)
	d, err := mcmc.Sample(context.Background(), mcmc.MALA{StepSize: 1}, mcmc.Shared(target), x,
		mcmc.SampleConfig{Draws: 100}, source(1))
	if !errors.Is(err, boom) || d.Kept != 49 {
		t.Errorf("got %d draws and %v, want 49 and the target's error", d.Kept, err)
	}
	_, err = mcmc.Sample(context.Background(), mcmc.MALA{StepSize: 1}, func() (mcmc.Target, error) { return nil, boom },
		x, mcmc.SampleConfig{Draws: 1}, source(1))
	if !errors.Is(err, boom) {
		t.Errorf("got %v, want the factory's error", err)
	}
	for _, c := range []mcmc.SampleConfig{{}, {Draws: 1, Thin: -1}, {Draws: 1, Warmup: mcmc.Warmup{Accept: 2}}} {
		if _, err := mcmc.Sample(context.Background(), mcmc.MALA{StepSize: 1}, mcmc.Shared(gaussian()), x, c,
			source(1)); err == nil {
			t.Errorf("%+v: no error", c)
		}
	}
	if _, err := mcmc.Sample(context.Background(), mcmc.HMC{}, mcmc.Shared(gaussian()), x, mcmc.SampleConfig{Draws: 1},
		source(1)); err == nil {
		t.Error("a missing step size without warm-up: no error")
	}
	for name, call := range map[string]func() (*mcmc.Draws, error){
		"points": func() (*mcmc.Draws, error) {
			return mcmc.Sample(context.Background(), mcmc.MALA{StepSize: 1}, mcmc.Shared(gaussian()), nil,
				mcmc.SampleConfig{Draws: 1}, source(1))
		},
		"targets": func() (*mcmc.Draws, error) {
			return mcmc.Sample(context.Background(), mcmc.MALA{StepSize: 1}, nil, x, mcmc.SampleConfig{Draws: 1},
				source(1))
		},
		"target": func() (*mcmc.Draws, error) {
			return mcmc.Sample(context.Background(), mcmc.MALA{StepSize: 1}, mcmc.Shared(nil), x,
				mcmc.SampleConfig{Draws: 1}, source(1))
		},
		"random numbers": func() (*mcmc.Draws, error) {
			return mcmc.Sample(context.Background(), mcmc.MALA{StepSize: 1}, mcmc.Shared(gaussian()), x,
				mcmc.SampleConfig{Draws: 1}, nil)
		},
	} {
		if _, err := call(); err == nil {
			t.Errorf("no %s: no error", name)
		}
	}
	if _, err := mcmc.NewAdapter(nil, mcmc.Warmup{Steps: 1}); err == nil {
		t.Error("an adapter without a kernel: no error")
	}
	// Chains run in goroutines of Sample: a panic there could not be recovered by the caller.
	wide := mcmc.HMC{StepSize: 1, Mass: mcmc.Variances(1, 2, 3)}
	for _, k := range []mcmc.Kernel{
		wide, mcmc.NUTS{StepSize: 1, Mass: mcmc.Variances(1, 2, 3)}, mcmc.Annealed{Kernel: wide},
		mcmc.Tempering{Kernel: wide},
		mcmc.Tempering{Kernel: mcmc.MALA{StepSize: 1},
			Reference: &mcmc.Gaussian{Mean: make([]float64, 3), Std: []float64{1, 1, 1}}},
	} {
		_, err := mcmc.Sample(context.Background(), k, mcmc.Shared(gaussian()), x, mcmc.SampleConfig{Draws: 1},
			source(1))
		if err == nil || !strings.Contains(err.Error(), "dimension 3") {
			t.Errorf("%T for another dimension: %v, want an error", k, err)
		}
	}
}

// A pointer to a kernel is adapted, checked and reported like the kernel.
func TestPointersToKernels(t *testing.T) {
	x := mat.NewDense(4, 1, []float64{-1, 0, 1, 2})
	for _, c := range []struct {
		pointer, value mcmc.Kernel
	}{
		{&mcmc.Langevin{StepSize: 0.1, Clip: 1}, mcmc.Langevin{StepSize: 0.1, Clip: 1}},
		{&mcmc.HMC{}, mcmc.HMC{}},
		{&mcmc.Annealed{Kernel: &mcmc.MALA{}}, mcmc.Annealed{Kernel: mcmc.MALA{}}},
		{&mcmc.Tempering{Kernel: &mcmc.NUTS{}}, mcmc.Tempering{Kernel: mcmc.NUTS{}}},
	} {
		cfg := mcmc.SampleConfig{Draws: 20}
		if _, ok := c.value.(mcmc.Langevin); !ok {
			cfg.Warmup.Steps = 50
		}
		run := func(k mcmc.Kernel) *mcmc.Draws {
			d, err := mcmc.Sample(context.Background(), k, mcmc.Shared(gaussian()), x, cfg, source(1))
			if err != nil {
				t.Fatalf("%T: %v", k, err)
			}
			return d
		}
		got, want := run(c.pointer), run(c.value)
		if !mat.Equal(got.X, want.X) || !reflect.DeepEqual(got.Kernels, want.Kernels) {
			t.Errorf("%T: got other draws than of %T", c.pointer, c.value)
		}
		if got, want := mcmc.Diagnose(got, nil), mcmc.Diagnose(want, nil); got.Sampler != want.Sampler ||
			got.Bias != want.Bias {
			t.Errorf("%T: told as %q (%s), want %q (%s)", c.pointer, got.Sampler, got.Bias, want.Sampler, want.Bias)
		}
		if got, want := mcmc.Name(c.pointer), mcmc.Name(c.value); got != want {
			t.Errorf("got name %q, want %q", got, want)
		}
	}
	if err := (mcmc.Annealed{Kernel: &mcmc.Annealed{Kernel: mcmc.MALA{StepSize: 1}}}).Validate(); err == nil {
		t.Error("an annealed kernel that runs another: no error")
	}
}

// For a single chain, nothing says that chains stay in separate modes.
func TestOneChainIsNotStuck(t *testing.T) {
	o := mcmc.Diagnostics{Chains: 2, Draws: 50, MaxRHat: 1.3, RHatLimit: 1.01, WithinRHat: 1}
	stuck := func() bool { return strings.Contains(strings.Join(o.Warnings(), " "), "stay in the mode") }
	if !stuck() {
		t.Errorf("two chains that disagree: got %q", o.Warnings())
	}
	if o.Chains = 1; stuck() {
		t.Errorf("one chain: got %q", o.Warnings())
	}
}

// TestWarmup: dual averaging finds the acceptance asked for, the windows find the variances.
func TestWarmup(t *testing.T) {
	sd := []float64{.1, 1, 10}
	for name, k := range map[string]mcmc.Kernel{"hmc": mcmc.HMC{StepJitter: .2, LengthJitter: .5}, "nuts": mcmc.NUTS{},
		"mala": mcmc.MALA{}} {
		known := mcmctest.Scaled(sd...)
		if name == "mala" {
			known = mcmctest.Scaled(1, 1, 1)
		}
		x := mat.NewDense(32, 3, nil)
		d, err := mcmc.Sample(context.Background(), k, mcmc.Shared(known.Energy), x,
			mcmc.SampleConfig{Draws: 200, Warmup: mcmc.Warmup{Steps: 400, Accept: .7}}, source(4))
		if err != nil {
			t.Fatal(err)
		}
		g := mcmc.Diagnose(d, nil)
		if math.Abs(float64(g.AcceptProb)-.7) > .12 {
			t.Errorf("%s: acceptance %.3f, want 0.7", name, g.AcceptProb)
		}
		for j, v := range variances(d.Kernels[0].(mcmc.Massive).Inertia()) {
			s := 1.0
			if name != "mala" {
				s = sd[j]
			}
			if r := v / (s * s); math.Abs(math.Log(r)) > .35 {
				t.Errorf("%s: variance %d: got %g, want %g", name, j, v, s*s)
			}
		}
	}
}

// variances returns the diagonal of M⁻¹ = L Lᵀ.
func variances(m mcmc.Mass) []float64 {
	d := m.Dim()
	v, e, row := make([]float64, d), make([]float64, d), make([]float64, d)
	for j := range d {
		e[j] = 1
		m.MulT(row, e) // row j of L
		e[j] = 0
		for _, a := range row {
			v[j] += a * a
		}
	}
	return v
}

// TestShortWarmup: even a few transitions find a usable step. With only one or two of them after the last window, the
// step used to end up ten times too large, where nothing is accepted; and a mass that changes with the last
// transition would leave a step that belongs to another mass.
func TestShortWarmup(t *testing.T) {
	for name, k := range map[string]mcmc.Kernel{"hmc": mcmc.HMC{}, "nuts": mcmc.NUTS{}, "mala": mcmc.MALA{}} {
		for _, steps := range []int{8, 10, 15, 19, 20, 25, 30, 40, 60, 80} {
			d, err := mcmc.Sample(context.Background(), k, mcmc.Shared(gaussian(.1, 3)), normalBatch(32, 2, source(1)),
				mcmc.SampleConfig{Draws: 20, Warmup: mcmc.Warmup{Steps: steps}}, source(8))
			if err != nil {
				t.Fatal(err)
			}
			if p := float64(mcmc.Diagnose(d, nil).AcceptProb); p < .3 {
				t.Errorf("%s after %d transitions of warm-up: acceptance %.3f, want at least 0.3", name, steps, p)
			}
		}
	}
}

// TestLadder: after warm-up all neighbours exchange about equally often, with levels added where there were too few.
func TestLadder(t *testing.T) {
	known := mcmctest.Scaled(1, 1, 1, 1, 1, 1, 1, 1, 1, 1)
	x := mat.NewDense(32, 10, nil)
	k := mcmc.Tempering{Kernel: mcmc.HMC{Leapfrog: 5}}
	d, err := mcmc.Sample(context.Background(), k, mcmc.Shared(known.Energy), x,
		mcmc.SampleConfig{Draws: 200, Warmup: mcmc.Warmup{Steps: 400}}, source(5))
	if err != nil {
		t.Fatal(err)
	}
	if len(d.Swaps) < 8 {
		t.Errorf("%d levels for a wide ladder in ten dimensions, want more", len(d.Swaps)+1)
	}
	for l, p := range d.Swaps {
		if p < .3 || p > .7 {
			t.Errorf("levels %d and %d exchange in %.2f of the trials, want about one half", l, l+1, p)
		}
	}
}

func TestEffectiveTemperature(t *testing.T) {
	// Langevin of step h on N(0, 1) has the temperature 1/(1 - h/2).
	const h = .4
	d, err := mcmc.Sample(context.Background(), mcmc.Langevin{StepSize: h}, mcmc.Shared(gaussian()),
		normalBatch(256, 4, source(1)),
		mcmc.SampleConfig{Draws: 200, BurnIn: 20}, source(6))
	if err != nil {
		t.Fatal(err)
	}
	g := mcmc.Diagnose(d, nil)
	want := 1 / (1 - h/2)
	if se := float64(g.TemperatureSE); math.Abs(float64(g.Temperature)-want) > 4*se || se > .02 {
		t.Errorf("temperature: got %.4f ± %.4f, want %.4f", g.Temperature, se, want)
	}
	if w := strings.Join(g.Warnings(), "\n"); !strings.Contains(w, "temperature 1.25") ||
		!strings.Contains(w, "smaller steps") {
		t.Errorf("warnings: got %q, want one about the temperature", w)
	}
	g.Sampler += " with jumps"
	if w := strings.Join(g.Warnings(), "\n"); !strings.Contains(w, "smaller steps") {
		t.Errorf("warnings with jumps: got %q, want the same advice", w)
	}
}

// TestDiagnosticsOfGoodRun: E-BFMI is about 1 where the momentum of every transition moves H over its whole range.
func TestDiagnosticsOfGoodRun(t *testing.T) {
	d, err := mcmc.Sample(context.Background(), mcmc.NUTS{}, mcmc.Shared(gaussian()), normalBatch(8, 3, source(1)),
		mcmc.SampleConfig{Draws: 500, Warmup: mcmc.Warmup{Steps: 200}, Trajectories: 1}, source(7))
	if err != nil {
		t.Fatal(err)
	}
	g := mcmc.Diagnose(d, nil)
	if w := g.Warnings(); len(w) > 0 {
		t.Errorf("warnings for a good run: %q", w)
	}
	if g.Sampler != "nuts" || g.MaxRHat > 1.01 || g.MinESSBulk < 1500 || g.EBFMI < .6 || g.Divergences != 0 {
		t.Errorf("diagnostics: got %+v", g)
	}
	trees := 0
	for _, n := range g.TreeDepth {
		trees += n
	}
	if trees != 8*500 {
		t.Errorf("depths of %d trees, want 4000", trees)
	}
	var buf bytes.Buffer
	if err := g.WriteTable(&buf); err != nil || !strings.Contains(buf.String(), "x3") ||
		!strings.Contains(buf.String(), "energy") {
		t.Errorf("table: %v\n%s", err, buf.String())
	}
	long := *g
	long.Quantities = slices.Clone(g.Quantities)
	long.Quantities[0].Name = "größe über dem meer"
	buf.Reset()
	if err := long.WriteTable(&buf); err != nil || !strings.Contains(buf.String(), "größe über …") {
		t.Errorf("table with a long name: %v\n%s", err, buf.String())
	}
	b, err := json.Marshal(g)
	if err != nil {
		t.Fatal(err)
	}
	var back mcmc.Diagnostics
	if err := json.Unmarshal(b, &back); err != nil || back.MaxRHat != g.MaxRHat || back.Quantities[3].Name != "energy" {
		t.Errorf("JSON and back: %v, %+v", err, back)
	}
}

// TestDiagnosticsAreShown: every diagnostic is in the table and in the JSON, of trees and of ladders, with known modes.
func TestDiagnosticsAreShown(t *testing.T) {
	known := twoModes
	x := mat.NewDense(16, 2, nil)
	known.Sample(x, source(1))
	for name, c := range map[string]struct {
		kernel      mcmc.Kernel
		table, json []string
	}{
		"nuts": {mcmc.NUTS{}, []string{"trees by depth"}, []string{"tree_depth", "max_depth_hits"}},
		"tempering": {mcmc.Tempering{Kernel: mcmc.HMC{Leapfrog: 4}}, []string{"exchanges between levels"},
			[]string{"swap_rates", "betas"}},
	} {
		d, err := mcmc.Sample(context.Background(), c.kernel, mcmc.Shared(known.Energy), x,
			mcmc.SampleConfig{Draws: 30, Warmup: mcmc.Warmup{Steps: 60}}, source(2))
		if err != nil {
			t.Fatal(err)
		}
		g := mcmc.Diagnose(d, known.Modes)
		var table strings.Builder
		if err := g.WriteTable(&table); err != nil {
			t.Fatal(err)
		}
		for _, want := range append(c.table, "R̂", "ESS bulk", "ESS tail", "MCSE", name+": 16 chains", "step",
			"acceptance", "divergences", "E-BFMI",
			"temperature", "effective draws each", "modes: 2 of 2 visited", "changes per chain", "TV") {
			if !strings.Contains(table.String(), want) {
				t.Errorf("%s: the table lacks %q:\n%s", name, want, table.String())
			}
		}
		for line := range strings.Lines(table.String()) {
			if utf8.RuneCountInString(line) > 81 {
				t.Errorf("%s: a line is wider than 80 columns: %s", name, line)
			}
		}
		b, err := json.Marshal(g)
		if err != nil {
			t.Fatal(err)
		}
		for _, want := range append(c.json, "sampler", "rhat", "rhat_limit", "ess_bulk", "ess_tail", "mcse_mean",
			"mcse_std", "accept_prob", "divergences", "ebfmi", "step_size",
			"temperature", "temperature_se", "ess_per_grad", "modes", "weights", "expected", "tv", "visited",
			"switches", "stuck", "not_finite") {
			if !strings.Contains(string(b), `"`+want+`":`) {
				t.Errorf("%s: the JSON lacks %q", name, want)
			}
		}
		if strings.Contains(string(b), `"ebfmi":null`) || strings.Contains(string(b), `"temperature":null`) {
			t.Errorf("%s: E-BFMI or temperature unknown", name)
		}
	}
}

// TestDiagnosticsOfNothing: undefined numbers become null, not an error.
func TestDiagnosticsOfNothing(t *testing.T) {
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	d, err := mcmc.Sample(ctx, mcmc.Langevin{StepSize: .1}, mcmc.Shared(gaussian()), mat.NewDense(3, 2, nil),
		mcmc.SampleConfig{Draws: 5}, source(1))
	if !errors.Is(err, context.Canceled) || d.Kept != 0 {
		t.Fatalf("got %d draws, %v", d.Kept, err)
	}
	g := mcmc.Diagnose(d, nil)
	if b, err := json.Marshal(g); err != nil || !strings.Contains(string(b), `"rhat":null`) {
		t.Errorf("JSON: %s, %v", b, err)
	}
	if w := g.Warnings(); len(w) == 0 || w[0] != "no draws were kept" {
		t.Errorf("warnings: %q", w)
	}
}

// The R̂ within chains is the split R̂ of a chain by itself, and of chains that sit in different places what they have
// in common.
func TestWithinRHat(t *testing.T) {
	rng := source(1)
	one := []float64{0, 1, 3, 2, 5, 4, 7, 9}
	within := func(shifts ...float64) float64 {
		d := &mcmc.Draws{Chains: len(shifts), Kept: len(one), Dim: 1, X: mat.NewDense(len(one)*len(shifts), 1, nil),
			Energy: make([]float64, len(one)*len(shifts))}
		for i := range d.Energy {
			d.X.Set(i, 0, one[i/len(shifts)]+shifts[i%len(shifts)])
			d.Energy[i] = rng.NormFloat64()
		}
		return float64(mcmc.Diagnose(d, nil).WithinRHat)
	}
	want := mcmc.RHatBasic([][]float64{one})
	if a, b := within(0), within(0, 100, -30); math.Abs(a-want) > 1e-12 || math.Abs(b-want) > 1e-12 {
		t.Errorf("got %g of one chain and %g of three, want %g", a, b, want)
	}
}

func TestOneDrawPerChain(t *testing.T) {
	d, err := mcmc.Sample(context.Background(), mcmc.HMC{StepSize: .5}, mcmc.Shared(gaussian()),
		normalBatch(100, 2, source(1)), mcmc.SampleConfig{Draws: 1, BurnIn: 10}, source(1))
	if err != nil {
		t.Fatal(err)
	}
	g := mcmc.Diagnose(d, nil)
	if w := strings.Join(g.Warnings(), "\n"); !strings.Contains(w, "1 draws per chain are too few") {
		t.Errorf("warnings: %q", w)
	}
}

func TestNeverFinite(t *testing.T) {
	target := mcmc.RowFunc(func(grad, x []float64) float64 {
		grad[0] = 0
		if x[0] > 0 {
			return math.Inf(1)
		}
		return 0
	})
	d, err := mcmc.Sample(context.Background(), mcmc.MALA{StepSize: 1e-6}, mcmc.Shared(target),
		mat.NewDense(2, 1, []float64{-1, 1}), mcmc.SampleConfig{Draws: 10}, source(1))
	if err != nil {
		t.Fatal(err)
	}
	g := mcmc.Diagnose(d, nil)
	if g.NotFinite != 10 || g.Divergences != 10 || !strings.Contains(g.Warnings()[0], "start elsewhere") {
		t.Errorf("got %d draws that are not finite, %d divergences, warnings %q", g.NotFinite, g.Divergences,
			g.Warnings())
	}
	var buf bytes.Buffer
	if err := g.WriteTable(&buf); err != nil {
		t.Fatal(err)
	}
	t.Log("\n" + buf.String())
}

// TestNowhereFinite: if the energy is not finite anywhere, that is an error and the only warning.
func TestNowhereFinite(t *testing.T) {
	target := mcmc.RowFunc(func(grad, x []float64) float64 {
		grad[0] = math.NaN()
		return math.NaN()
	})
	for _, k := range []mcmc.Kernel{mcmc.MALA{StepSize: .1}, mcmc.HMC{StepSize: .1}, mcmc.NUTS{StepSize: .1},
		mcmc.Langevin{StepSize: .1}} {
		d, err := mcmc.Sample(context.Background(), k, mcmc.Shared(target), normalBatch(8, 1, source(1)),
			mcmc.SampleConfig{Draws: 10}, source(1))
		if err == nil || d == nil {
			t.Fatalf("%T: draws %v, error %v, want both", k, d, err)
		}
		g := mcmc.Diagnose(d, nil)
		if w := g.Warnings(); len(w) != 1 || !strings.Contains(w[0], "not finite at any") ||
			!strings.Contains(w[0], "start elsewhere") {
			t.Errorf("%s: got %q, want one warning, about the energy", g.Sampler, w)
		}
	}
}
