package mcmc_test

import (
	"context"
	"encoding/json"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"gonum.org/v1/gonum/mat"

	"github.com/stheno-ebm/stheno/mcmc"
)

// posteriorDB is the folder, named in the environment, with reference.json and data/ of posteriordb. Tests that need
// it are skipped without it: the project commits none of its files.
const posteriorDB = "STHENO_POSTERIORDB"

// summaries of one parameter, of ten thousand nearly independent draws.
type summaries struct{ Mean, Sd, Q05, Q50, Q95 float64 }

func references(t testing.TB, folder string) map[string]map[string]summaries {
	b, err := os.ReadFile(filepath.Join(folder, "reference.json"))
	if err != nil {
		t.Fatal(err)
	}
	var r map[string]struct{ Parameters map[string]summaries }
	if err := json.Unmarshal(b, &r); err != nil {
		t.Fatal(err)
	}
	out := map[string]map[string]summaries{}
	for name, p := range r {
		out[name] = p.Parameters
	}
	return out
}

func database(t testing.TB) string {
	folder := os.Getenv(posteriorDB)
	if folder == "" {
		t.Skip("no " + posteriorDB)
	}
	return folder
}

func chosen(t testing.TB, list []posterior) []posterior {
	want := os.Getenv("STHENO_POSTERIORS")
	if want == "" {
		return list
	}
	return slices.DeleteFunc(list, func(p posterior) bool {
		for w := range strings.SplitSeq(want, ",") {
			if strings.Contains(p.name, w) {
				return false
			}
		}
		return true
	})
}

func uniformStarts(n, d int, seed uint64) *mat.Dense {
	rng := source(1000 + seed)
	x := mat.NewDense(n, d, nil)
	x.Apply(func(_, _ int, _ float64) float64 { return 4*rng.Float64() - 2 }, x)
	return x
}

// TestPosteriorDBGradients holds the models against differences.
func TestPosteriorDBGradients(t *testing.T) {
	for _, p := range posteriors(t, database(t)) {
		rng := source(1)
		x, g, scratch := make([]float64, p.dim), make([]float64, p.dim), make([]float64, p.dim)
		for j := range x {
			x[j] = .3 * rng.NormFloat64()
		}
		p.energy(g, x)
		for j := range x {
			const h = 1e-5
			v := x[j]
			x[j] = v + h
			a := p.energy(scratch, x)
			x[j] = v - h
			b := p.energy(scratch, x)
			x[j] = v
			if fd := (a - b) / (2 * h); math.Abs(fd-g[j]) > 1e-4*(1+math.Abs(fd)) {
				t.Errorf("%s: gradient %d: got %g, want %g", p.name, j, g[j], fd)
			}
		}
	}
}

// law compares draws with the reference, and returns the sum of z² and the number of terms.
func law(d *mcmc.Draws, p posterior, ref map[string]summaries) (z2 float64, n int, rhat, worst float64, where string,
	least float64) {
	const draws = 10000
	rhat, least = 1, math.Inf(1)
	for name, want := range ref {
		x := d.Quantity(func(x []float64, _ float64) float64 { return p.values(x)[name] })
		rhat = max(rhat, mcmc.RHat(x))
		least = min(least, mcmc.ESSBulk(x), mcmc.ESSTail(x))
		mean, sd := meanStd(x)
		all := slices.Concat(x...)
		slices.Sort(all)
		quantile := func(p float64) float64 { return all[int(p*float64(len(all)-1)+.5)] }
		add := func(what string, got, want, se, ess float64) {
			se *= math.Sqrt(1 + ess/draws) // that of the reference, too
			z := (got - want) / se
			z2 += z * z
			n++
			if math.Abs(z) > worst {
				worst, where = math.Abs(z), what+" of "+name
			}
		}
		ess := mcmc.ESSMean(x)
		add("mean", mean, want.Mean, mcmc.MCSEMean(x), ess)
		add("sd", sd, want.Sd, mcmc.MCSEStd(x), ess)
		for p, q := range map[float64]float64{.05: want.Q05, .5: want.Q50, .95: want.Q95} {
			add(fmt.Sprintf("q%02.0f", 100*p), quantile(p), q, mcmc.MCSEQuantile(x, p), mcmc.ESSQuantile(x, p))
		}
	}
	return z2, n, rhat, worst, where, least
}

// TestPosteriorDB prints effective draws per thousand gradients, and compares the law with the reference.
func TestPosteriorDB(t *testing.T) {
	folder := database(t)
	refs := references(t, folder)
	var k mcmc.Kernel = mcmc.NUTS{}
	if os.Getenv("STHENO_KERNEL") == "hmc" {
		k = mcmc.HMC{}
	}
	var z2 float64
	var n int
	for _, p := range chosen(t, posteriors(t, folder)) {
		seeds := uint64(3)
		if p.name == "arma-arma11" {
			seeds = 6
		}
		for seed := uint64(1); seed <= seeds; seed++ {
			d, err := mcmc.Sample(context.Background(), k, mcmc.Shared(p.energy), uniformStarts(4, p.dim, seed),
				mcmc.SampleConfig{Draws: 1000, Warmup: mcmc.Warmup{Steps: 1000}}, source(seed))
			if err != nil {
				t.Fatal(err)
			}
			g := mcmc.Diagnose(d, nil)
			a, b, rhat, worst, where, least := law(d, p, refs[p.name])
			z2, n = z2+a, n+b
			e := 1000 * least / float64(d.Evaluations)
			mass := "unit mass"
			if m := d.Kernels[0].(mcmc.Massive).Inertia(); m != nil {
				mass = fmt.Sprint(m)
			}
			t.Logf(
				"%-40s seed %d: E %6.2f  R̂ %.4f/%.4f  z %.2f (%.1f, %s)  div %d  accept %.3f  step %.3g  grads %d/%d  %s",
				p.name, seed, e, rhat, g.MaxRHat, math.Sqrt(a/float64(b)), worst, where,
				d.Stats[0].Divergent+d.Stats[1].Divergent+d.Stats[2].Divergent+d.Stats[3].Divergent,
				g.AcceptProb, g.StepSize, d.Preparation, d.Evaluations, mass)
			if rhat > 1.01 {
				t.Errorf("%s, seed %d: R̂ %.3f", p.name, seed, rhat)
			}
		}
	}
	if r := math.Sqrt(z2 / float64(n)); r > 1.15 {
		t.Errorf("rms z %.3f of %d statistics, want at most 1.15", r, n)
	} else {
		t.Logf("rms z %.3f of %d statistics", r, n)
	}
}

// TestPosteriorDBStarts: no chain of six ordinary regressions stands still, however many share a step.
func TestPosteriorDBStarts(t *testing.T) {
	folder := database(t)
	dead, runs := 0, 0
	for _, p := range chosen(t, regressions(t, folder)) {
		for seed := uint64(1); seed <= 3; seed++ {
			for _, chains := range []int{4, 10, 32} {
				d, err := mcmc.Sample(context.Background(), mcmc.NUTS{}, mcmc.Shared(p.energy),
					uniformStarts(chains, p.dim, seed),
					mcmc.SampleConfig{Draws: 200, Warmup: mcmc.Warmup{Steps: 500}}, source(seed))
				if err != nil {
					t.Fatal(err)
				}
				runs++
				for c, s := range d.Stats {
					if s.Accepted < s.Transitions/2 {
						dead++
						t.Errorf("%s, seed %d, %d chains: chain %d moved in %d of %d transitions", p.name, seed, chains,
							c, s.Accepted, s.Transitions)
						break
					}
				}
				for _, l := range d.LeftOut {
					t.Logf("%s, seed %d, %d chains: chain %d: %s", p.name, seed, chains, l.Chain, l.Reason)
				}
			}
		}
	}
	t.Logf("%d of %d runs have a chain that hardly moves", dead, runs)
}
