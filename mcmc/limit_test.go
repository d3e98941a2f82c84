package mcmc_test

import (
	"fmt"
	"math"
	"math/rand/v2"
	"strings"
	"testing"

	"gonum.org/v1/gonum/mat"

	"github.com/stheno-ebm/stheno/mcmc"
)

// TestRHatLimit compares with quantiles of F that have a closed form: of 1 and 2 degrees of freedom, one chain of four
// draws, P(F > f) = 1 - √(f/(f+2)).
func TestRHatLimit(t *testing.T) {
	const p = 1e-3 / 2
	r := (1 - p) * (1 - p)
	f := 2 * r / (1 - r)
	if got, want := mcmc.RHatLimit(1, 4, 1), math.Sqrt(1+(f-1)/2); got < want || got > want+1e-3 {
		t.Errorf("one chain of four draws: got %g, want %g rounded up", got, want)
	}
	for _, c := range [][3]int{{4, 1000, 3}, {4, 400, 3}, {1000, 100, 3}, {1_000_000, 10, 100}, {0, 10, 3},
		{10, 3, 3}} {
		if got := mcmc.RHatLimit(c[0], c[1], c[2]); got != 1.01 {
			t.Errorf("%v: got %g, want the usual 1.01", c, got)
		}
	}
	// The table of the documentation.
	for _, c := range []struct {
		chains, draws int
		want          float64
	}{{10, 10, 1.198}, {50, 10, 1.069}, {100, 10, 1.046}, {500, 10, 1.020}, {1000, 10, 1.014}} {
		if got := mcmc.RHatLimit(c.chains, c.draws, 3); math.Abs(got-c.want) > 1e-9 {
			t.Errorf("%d×%d: got %g, want %g", c.chains, c.draws, got, c.want)
		}
	}
}

// drawsOf returns draws of two coordinates and the energy of a unit Gaussian, as Sample would; f is called for each
// in turn.
func drawsOf(chains, kept int, f func(c int) float64) *mcmc.Draws {
	d := &mcmc.Draws{Chains: chains, Dim: 2, Kept: kept, X: mat.NewDense(chains*kept, 2, nil),
		Energy: make([]float64, chains*kept)}
	for r := range d.Energy {
		x, y := f(r%chains), f(r%chains)
		d.X.SetRow(r, []float64{x, y})
		d.Energy[r] = (x*x + y*y) / 2
	}
	return d
}

// largestRHat is MaxRHat without the rest of Diagnose.
func largestRHat(d *mcmc.Draws) float64 {
	r := mcmc.RHat(d.Quantity(func(_ []float64, e float64) float64 { return e }))
	for j := range d.Dim {
		r = math.Max(r, mcmc.RHat(d.Quantity(func(x []float64, _ float64) float64 { return x[j] })))
	}
	return r
}

// TestMixing: independent draws count as mixed in chains of any number and length, though R̂ of many short ones is
// above 1.01. Chains that keep to one of two modes never do, nor those of an autoregression of which they have seen
// half a correlation time, though their effective draws are few.
func TestMixing(t *testing.T) {
	for _, size := range [][2]int{{10, 10}, {50, 10}, {100, 10}, {500, 10}, {1000, 10}, {4, 1000}} {
		chains, kept := size[0], size[1]
		t.Run(fmt.Sprintf("%dx%d", chains, kept), func(t *testing.T) {
			t.Parallel()
			seeds := 60
			if testing.Short() || chains*kept >= 4000 {
				seeds = 10 // none of 60 runs exceeds the limit in these cases either
			}
			limit := mcmc.RHatLimit(chains, kept, 3)
			var alarms, above int
			for seed := range seeds {
				rng := rand.New(rand.NewPCG(uint64(seed), 7))
				independent := drawsOf(chains, kept, func(int) float64 { return rng.NormFloat64() })
				apart := drawsOf(chains, kept, func(c int) float64 { return float64(c%2)*10 - 5 + rng.NormFloat64() })
				const rho = .9 // correlation time 19
				at, i := make([]float64, 2*chains), 0
				for i := range at {
					at[i] = rng.NormFloat64()
				}
				slow := drawsOf(chains, kept, func(int) float64 {
					v := &at[i%len(at)]
					i++
					*v = rho**v + math.Sqrt(1-rho*rho)*rng.NormFloat64()
					return *v
				})
				r := largestRHat(independent)
				if r > limit {
					alarms++
				}
				if r > 1.01 {
					above++
				}
				if r := largestRHat(apart); r <= limit {
					t.Errorf("seed %d, chains in two modes: R̂ %.3f is within %.3f", seed, r, limit)
				}
				if r := largestRHat(slow); r <= limit && kept == 10 {
					t.Errorf("seed %d, chains of half a correlation time: R̂ %.3f is within %.3f", seed, r, limit)
				}
				if seed > 0 {
					continue
				}
				for d, want := range map[*mcmc.Draws]bool{independent: true, apart: false} {
					g := mcmc.Diagnose(d, nil)
					text := strings.Join(g.Warnings(), "\n")
					said := strings.Contains(text, "not mixed") || strings.Contains(text, "stay in the mode")
					if float64(g.RHatLimit) != limit || g.Mixed() != want || said == want {
						t.Errorf("R̂ %.3f of %.3f, mixed %v, want %v; warnings %q", g.MaxRHat, g.RHatLimit, g.Mixed(),
							want, g.Warnings())
					}
				}
			}
			t.Logf("limit %.4g; independent draws: %d of %d beyond it, %d above 1.01", limit, alarms, seeds, above)
			if alarms > 1 {
				t.Errorf("independent draws: %d of %d are beyond the limit, want at most 1", alarms, seeds)
			}
		})
	}
}
