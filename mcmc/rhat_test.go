package mcmc_test

import (
	"encoding/csv"
	"math"
	"math/rand/v2"
	"os"
	"strconv"
	"testing"

	"github.com/stheno-ebm/stheno/mcmc"
)

func readCSV(t *testing.T, name string) [][]string {
	t.Helper()
	f, err := os.Open(name)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	rows, err := csv.NewReader(f).ReadAll()
	if err != nil {
		t.Fatal(err)
	}
	return rows[1:]
}

// TestPosterior compares with R's package posterior; testdata/posterior.R made the chains and the values.
func TestPosterior(t *testing.T) {
	chains := map[string][][]float64{}
	for _, r := range readCSV(t, "testdata/chains.csv") {
		c, err := strconv.Atoi(r[1])
		v, err2 := strconv.ParseFloat(r[3], 64)
		if err != nil || err2 != nil {
			t.Fatal(r)
		}
		for len(chains[r[0]]) < c {
			chains[r[0]] = append(chains[r[0]], nil)
		}
		chains[r[0]][c-1] = append(chains[r[0]][c-1], v)
	}
	quantity := map[string]func([][]float64) float64{
		"rhat":       mcmc.RHat,
		"rhat_basic": mcmc.RHatBasic,
		"ess_bulk":   mcmc.ESSBulk,
		"ess_tail":   mcmc.ESSTail,
		"ess_mean":   mcmc.ESSMean,
		"ess_q05":    func(x [][]float64) float64 { return mcmc.ESSQuantile(x, .05) },
		"mcse_mean":  mcmc.MCSEMean,
		"mcse_sd":    mcmc.MCSEStd,
		"mcse_q05":   func(x [][]float64) float64 { return mcmc.MCSEQuantile(x, .05) },
		"mcse_q50":   func(x [][]float64) float64 { return mcmc.MCSEQuantile(x, .5) },
	}
	n := 0
	for _, r := range readCSV(t, "testdata/posterior.csv") {
		want, err := strconv.ParseFloat(r[2], 64)
		if err != nil {
			t.Fatal(r)
		}
		f, ok := quantity[r[1]]
		if !ok {
			t.Fatalf("unknown quantity %q", r[1])
		}
		if got := f(chains[r[0]]); !(math.Abs(got-want) <= 1e-9*math.Abs(want)) {
			t.Errorf("%s of %s: got %.12g, want %.12g", r[1], r[0], got, want)
		}
		n++
	}
	if n != len(chains)*len(quantity) {
		t.Errorf("compared %d values, want %d", n, len(chains)*len(quantity))
	}
}

// TestESSOfShortChains has a thousand stationary chains x ← ρx + √(1-ρ²)ξ of ten draws. The mean of n of them has the
// variance of n/τ independent ones, τ = 1 + 2 Σ (1-k/n) ρᵏ.
func TestESSOfShortChains(t *testing.T) {
	const m, n = 1000, 10
	for _, rho := range []float64{0, .5, .9, .99} {
		rng := rand.New(rand.NewPCG(1, 2))
		chains := make([][]float64, m)
		for c := range chains {
			x := rng.NormFloat64()
			for range n {
				chains[c] = append(chains[c], x)
				x = rho*x + math.Sqrt(1-rho*rho)*rng.NormFloat64()
			}
		}
		tau := 1.0
		for k := 1; k < n; k++ {
			tau += 2 * (1 - float64(k)/n) * math.Pow(rho, float64(k))
		}
		want, se := m*n/tau, math.Sqrt(2./m)
		for name, f := range map[string]func([][]float64) float64{"mean": mcmc.ESSMean, "bulk": mcmc.ESSBulk} {
			if got := f(chains); !(math.Abs(got/want-1) <= 4*se) {
				t.Errorf("ρ = %g, %s: got %.0f, want %.0f ± %.0f", rho, name, got, want, se*want)
			}
		}
	}
}

func TestUnusableDraws(t *testing.T) {
	for name, x := range map[string][][]float64{
		"none":       nil,
		"empty":      {{}, {}},
		"constant":   {{1, 1, 1, 1}, {1, 1, 1, 1}},
		"not finite": {{1, 2, 3, 4}, {1, 2, math.Inf(1), 4}},
	} {
		for _, f := range []func([][]float64) float64{
			mcmc.RHat, mcmc.ESSBulk, mcmc.ESSTail, mcmc.ESSMean, mcmc.MCSEMean, mcmc.MCSEStd,
		} {
			if v := f(x); !math.IsNaN(v) {
				t.Errorf("%s: got %g, want NaN", name, v)
			}
		}
	}
}
