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

// TestReferences compares the reference values made by quadrature with published ones: Stan's posteriordb gives, for
// eight schools, μ 4.4 ± 3.3 and θ₁ 6.2 ± 5.6.
func TestReferences(t *testing.T) {
	for _, r := range EightSchools().Of {
		want := map[string][2]float64{"mu": {4.4, 3.3}, "theta[1]": {6.2, 5.6}}[r.Name]
		if want[0] != 0 && (math.Abs(r.Mean-want[0]) > .1 || math.Abs(r.Std-want[1]) > .1) {
			t.Errorf("%s: got %.3f ± %.3f, want %.1f ± %.1f", r.Name, r.Mean, r.Std, want[0], want[1])
		}
	}
	for _, p := range Posteriors() {
		x, g, gh := make([]float64, p.Dim), make([]float64, p.Dim), make([]float64, p.Dim)
		rng := source(1)
		for j := range x {
			x[j] = .5 * rng.NormFloat64()
		}
		p.Energy(g, x)
		for j := range x {
			const h = 1e-5
			v := x[j]
			x[j] = v + h
			a := p.Energy(gh, x)
			x[j] = v - h
			b := p.Energy(gh, x)
			x[j] = v
			if fd := (a - b) / (2 * h); math.Abs(fd-g[j]) > 1e-6*(1+math.Abs(fd)) {
				t.Errorf("%s: gradient %d: got %g, want %g", p.Name, j, g[j], fd)
			}
		}
	}
}

func sampler(name string, p Posterior) (mcmc.Kernel, mcmc.SampleConfig) {
	cfg := mcmc.SampleConfig{Draws: 2000, Warmup: mcmc.Warmup{Steps: 400}}
	var k mcmc.Kernel = mcmc.NUTS{}
	if name == "hmc" {
		k = mcmc.HMC{Leapfrog: 16, StepJitter: .2, LengthJitter: .8}
	}
	if p.Name == "gaussian 100" {
		cfg.Draws = 1500
		if name == "hmc" {
			k = mcmc.HMC{Leapfrog: 32, StepJitter: .2, LengthJitter: .8}
		}
	}
	if p.Name == "funnel 10" {
		// The neck is narrower than the mouth by a factor of e⁹, so that no mass suits both, and the energy moves
		// slowly, taking some 100 transitions per effective draw: this needs a high acceptance, deep trees and many
		// draws. Static trajectories do not reach both ends. Steps that are always longer than half the width at the
		// end of the neck never enter it; of steps between ε/20 and 2ε some are short enough.
		k = mcmc.NUTS{StepJitter: .95, MaxDepth: 12}
		cfg = mcmc.SampleConfig{Draws: 4000, Thin: 10, Warmup: mcmc.Warmup{Steps: 1000, Accept: .99, KeepMass: true}}
	}
	return k, cfg
}

func samplePosterior(t testing.TB, name string, p Posterior) (*mcmc.Draws, *mcmc.Diagnostics) {
	k, cfg := sampler(name, p)
	d, err := mcmc.Sample(context.Background(), k, mcmc.Shared(p.Energy), normalBatch(4, p.Dim, source(1)), cfg,
		source(3))
	if err != nil {
		t.Fatal(err)
	}
	return d, mcmc.Diagnose(d, nil)
}

// TestPosteriors: means and standard deviations within four Monte Carlo errors of the reference, R̂ below 1.01.
func TestPosteriors(t *testing.T) {
	t.Parallel()
	for _, p := range Posteriors() {
		for _, name := range []string{"nuts", "hmc"} {
			if p.Name == "funnel 10" && (name == "hmc" || testing.Short()) {
				continue
			}
			t.Run(p.Name+"/"+name, func(t *testing.T) {
				d, g := samplePosterior(t, name, p)
				if g.MaxRHat >= 1.01 {
					t.Errorf("R̂ = %.4f, want < 1.01", g.MaxRHat)
				}
				for _, r := range p.Of {
					x := d.Quantity(func(x []float64, _ float64) float64 { return r.Of(x) })
					mean, sd := meanStd(x)
					if se := mcmc.MCSEMean(x); math.Abs(mean-r.Mean) > 4*se || se > .1*r.Std {
						t.Errorf("mean of %s: got %.4f ± %.4f, want %.4f", r.Name, mean, se, r.Mean)
					}
					if se := mcmc.MCSEStd(x); math.Abs(sd-r.Std) > 4*se || se > .1*r.Std {
						t.Errorf("sd of %s: got %.4f ± %.4f, want %.4f", r.Name, sd, se, r.Std)
					}
				}
				t.Logf("R̂ %.4f, ESS %.0f bulk %.0f tail, %d gradients, %.3g effective draws each, %d divergences",
					g.MaxRHat, g.MinESSBulk, g.MinESSTail, g.Evaluations, g.ESSPerGrad, g.Divergences)
			})
		}
	}
}

// TestFunnelIsReported: with the usual adaptation the funnel is not sampled well, and the warnings say so.
func TestFunnelIsReported(t *testing.T) {
	d, err := mcmc.Sample(context.Background(), mcmc.NUTS{}, mcmc.Shared(Funnel10().Energy),
		normalBatch(4, 10, source(1)),
		mcmc.SampleConfig{Draws: 500, Warmup: mcmc.Warmup{Steps: 300}}, source(3))
	if err != nil {
		t.Fatal(err)
	}
	text := strings.Join(mcmc.Diagnose(d, nil).Warnings(), "\n")
	for _, want := range []string{"energies are explored slowly", "transitions diverged", "smaller steps"} {
		if !strings.Contains(text, want) {
			t.Errorf("warnings: got %q, want %q among them", text, want)
		}
	}
}

func meanStd(x [][]float64) (mean, sd float64) {
	var n, s1, s2 float64
	for _, c := range x {
		for _, v := range c {
			n++
			s1 += v
			s2 += v * v
		}
	}
	mean = s1 / n
	return mean, math.Sqrt((s2 - n*mean*mean) / (n - 1))
}

// BenchmarkESS reports effective draws per gradient, the smallest bulk ESS over coordinates and energy.
func BenchmarkESS(b *testing.B) {
	for _, p := range Posteriors() {
		for _, name := range []string{"hmc", "nuts"} {
			if p.Name == "funnel 10" && name == "hmc" {
				continue
			}
			b.Run("target="+p.Name+"/sampler="+name, func(b *testing.B) {
				var g *mcmc.Diagnostics
				for b.Loop() {
					_, g = samplePosterior(b, name, p)
				}
				b.ReportMetric(float64(g.ESSPerGrad), "ESS/gradient")
				b.ReportMetric(float64(g.MinESSBulk)/b.Elapsed().Seconds()*float64(b.N), "ESS/s")
				b.ReportMetric(float64(g.MaxRHat), "R̂")
			})
		}
	}
}

var modal = []struct {
	known mcmctest.Known
	start []float64
}{
	{mcmctest.EightGaussians(), []float64{4 / math.Sqrt2, 0}},
	{mcmctest.Mixture("20 sd apart", 1, [][2]float64{{-10, 0}, {10, 0}}, []float64{.3, .7}), []float64{-10, 0}},
}

// TestModes: from a start in one mode tempering finds the weights within 0.03 TV; HMC does not, and warns.
func TestModes(t *testing.T) {
	t.Parallel()
	for _, c := range modal {
		const chains = 128
		x := mat.NewDense(chains, 2, nil)
		for i := range chains {
			x.SetRow(i, c.start)
		}
		run := func(k mcmc.Kernel, cfg mcmc.SampleConfig) *mcmc.Diagnostics {
			d, err := mcmc.Sample(context.Background(), k, mcmc.Shared(c.known.Energy), x, cfg, source(5))
			if err != nil {
				t.Fatal(err)
			}
			return mcmc.Diagnose(d, c.known.Modes)
		}
		hmc := mcmc.HMC{Leapfrog: 8, StepJitter: .3, LengthJitter: .5}
		t.Run(c.known.Name+"/tempering", func(t *testing.T) {
			g := run(mcmc.Tempering{Kernel: hmc},
				mcmc.SampleConfig{Draws: 150, BurnIn: 50, Thin: 2, Warmup: mcmc.Warmup{Steps: 200}})
			t.Logf("weights %.3f, TV %.4f, %.1f changes per chain, R̂ %.3f, levels %.3g, exchanges %.2f",
				g.Modes.Weights, g.Modes.TV, g.Modes.Switches, g.MaxRHat, g.Betas, g.SwapRates)
			if g.Modes.TV > .03 {
				t.Errorf("mode weights: TV %.3f, want at most 0.03", g.Modes.TV)
			}
			for _, w := range g.Warnings() {
				t.Logf("warning: %s", w)
			}
		})
		t.Run(c.known.Name+"/hmc", func(t *testing.T) {
			g := run(hmc, mcmc.SampleConfig{Draws: 150, BurnIn: 50, Warmup: mcmc.Warmup{Steps: 200}})
			if g.Modes.TV < .3 {
				t.Errorf("HMC finds the mode weights, TV %.3f: the test shows nothing", g.Modes.TV)
			}
			want := "chains stay in the mode they started in: use parallel tempering"
			found := false
			for _, w := range g.Warnings() {
				found = found || w == want
			}
			if !found {
				t.Errorf("warnings: got %q, want %q", g.Warnings(), want)
			}
			var table strings.Builder
			if err := g.WriteTable(&table); err != nil || !strings.Contains(table.String(), "\nwarning: "+want+"\n") {
				t.Errorf("the table does not print %q: %v\n%s", want, err, table.String())
			}
		})
	}
}

// TestStuckWithoutKnownModes: chains that are spread over modes and never leave them are detected without knowing the
// modes.
func TestStuckWithoutKnownModes(t *testing.T) {
	c := modal[1].known
	x := mat.NewDense(16, 2, nil)
	c.Sample(x, source(1))
	d, err := mcmc.Sample(context.Background(), mcmc.NUTS{StepSize: .7}, mcmc.Shared(c.Energy), x,
		mcmc.SampleConfig{Draws: 200}, source(2))
	if err != nil {
		t.Fatal(err)
	}
	w := mcmc.Diagnose(d, nil).Warnings()
	if len(w) == 0 || w[0] != "chains stay in the mode they started in: use parallel tempering" {
		t.Errorf("warnings: got %q", w)
	}
}
