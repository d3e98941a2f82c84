package mcmc_test

import (
	"fmt"
	"math"
	"testing"

	"gonum.org/v1/gonum/mat"
	"gonum.org/v1/gonum/stat/distuv"

	"github.com/stheno-ebm/stheno/mcmc"
	"github.com/stheno-ebm/stheno/mcmc/mcmctest"
)

// linear is y ~ N(a·θ, σ²), θ ~ N(0, I): a posterior that is narrow along a.
func linear(a []float64, y, sigma float64) mcmc.RowFunc {
	return func(grad, x []float64) float64 {
		r, e := -y, 0.0
		for j, v := range x {
			r += a[j] * v
			e += v * v / 2
		}
		r /= sigma * sigma
		for j, v := range x {
			grad[j] = v + r*a[j]
		}
		return e + r*r*sigma*sigma/2
	}
}

// TestSBC is simulation-based calibration of whole runs, their warm-up included: parameters are drawn from the prior,
// data given these, and the place of the parameters among draws of nine chains given the data is uniform, whatever
// mass and length the warm-up found. With data taken for three times as exact as they are it is not.
//
// Talts, Betancourt, Simpson, Vehtari and Gelman, Validating Bayesian inference algorithms with simulation-based
// calibration, arXiv 1804.06788.
func TestSBC(t *testing.T) {
	t.Parallel()
	const chains, sigma = 9, .15
	for _, c := range []struct {
		name   string
		kernel mcmc.Kernel
		dim    int
		mass   string // the one found most often
	}{
		{"nuts", mcmc.NUTS{}, 3, "*mcmc.Dense"}, {"nuts", mcmc.NUTS{}, 16, "*mcmc.LowRank"},
		{"hmc", mcmc.HMC{}, 3, "*mcmc.Dense"}, {"hmc", mcmc.HMC{}, 16, "*mcmc.LowRank"},
		{"mala", mcmc.MALA{}, 3, "*mcmc.Dense"}, {"mala", mcmc.MALA{}, 16, "*mcmc.LowRank"},
	} {
		t.Run(fmt.Sprintf("%s/%d", c.name, c.dim), func(t *testing.T) {
			if testing.Short() && c.name == "nuts" && c.dim > 3 {
				t.Skip("takes seconds")
			}
			times := 250
			if testing.Short() || c.name == "nuts" {
				times = 100
			}
			a := make([]float64, c.dim)
			for j := range a {
				a[j] = []float64{.8, -.8, .8}[j%3]
			}
			masses := map[string]int{}
			smallest := func(taken float64) float64 {
				rng := source(41)
				var u, outside []float64
				for range times {
					truth, y := make([]float64, c.dim), sigma*rng.NormFloat64()
					for j := range truth {
						truth[j] = rng.NormFloat64()
						y += a[j] * truth[j]
					}
					x := mat.NewDense(chains, c.dim, nil)
					for i := range chains {
						for j := range c.dim {
							x.Set(i, j, 4*rng.Float64()-2)
						}
					}
					draws, err := mcmc.Sample(t.Context(), c.kernel, mcmc.Shared(linear(a, y, taken)), x,
						mcmc.SampleConfig{Draws: 1, Warmup: mcmc.Warmup{Steps: 120}, BurnIn: 20, Workers: 1}, rng)
					if err != nil {
						t.Fatal(err)
					}
					masses[fmt.Sprintf("%T", draws.Kernels[0].(mcmc.Massive).Inertia())]++
					for _, of := range [][]float64{a, append([]float64{1}, make([]float64, c.dim-1)...)} {
						rank := 0.
						for i := range chains {
							if dot(of, draws.Last.RawRowView(i)) < dot(of, truth) {
								rank++
							}
						}
						v := (rank + rng.Float64()) / (chains + 1)
						u, outside = append(u, v), append(outside, math.Abs(2*v-1))
					}
				}
				// The two quantities of a run are nearly independent; each is tested by itself.
				smallest := 1.
				for k := range 2 {
					for _, all := range [][]float64{u, outside} {
						var one []float64
						for i := k; i < len(all); i += 2 {
							one = append(one, all[i])
						}
						smallest = min(smallest, mcmctest.KS(one, distuv.Uniform{Max: 1}.CDF))
					}
				}
				return smallest
			}
			if p := smallest(sigma); p < 1e-4/4 {
				t.Errorf("ranks are not uniform: p = %.2g", p)
			}
			if 2*masses[c.mass] < times {
				t.Errorf("masses %v, want %s", masses, c.mass)
			}
			if p := smallest(sigma / 3); p > 1e-4/4 {
				t.Errorf("data taken for three times as exact pass: p = %.2g", p)
			}
		})
	}
}

func dot(a, b []float64) (s float64) {
	for j, v := range a {
		s += v * b[j]
	}
	return s
}
