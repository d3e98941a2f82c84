package mcmc_test

import (
	"context"
	"math"
	"slices"
	"strings"
	"testing"

	"gonum.org/v1/gonum/mat"

	"github.com/stheno-ebm/stheno/mcmc"
	"github.com/stheno-ebm/stheno/mcmc/mcmctest"
)

// The records of single draws add up to the totals of the chains, thinned or not.
func TestRecord(t *testing.T) {
	known := mcmctest.Funnel(3, 2)
	for _, thin := range []int{1, 3} {
		d, err := mcmc.Sample(context.Background(), mcmc.NUTS{}, mcmc.Shared(known.Energy),
			normalBatch(6, 3, source(1)),
			mcmc.SampleConfig{Draws: 60, Thin: thin, Block: 4, Warmup: mcmc.Warmup{Steps: 50}, BurnIn: 5,
				KeepWarmup: true, Names: []string{"v", "a", "b"}}, source(2))
		if err != nil {
			t.Fatal(err)
		}
		divergent := 0
		for c := range d.Chains {
			var accept, leapfrog, diverged float64
			for k := range d.Kept {
				i := k*d.Chains + c
				r := d.Record
				accept += r.AcceptProb[i] / float64(d.Kept)
				leapfrog += float64(r.Leapfrog[i])
				if r.Divergent[i] {
					diverged++
				}
				if !(r.Hamiltonian[i] >= d.Energy[i]) {
					t.Fatalf("chain %d, draw %d: H = %g below E = %g", c, k, r.Hamiltonian[i], d.Energy[i])
				}
				if r.StepSize[i] != d.Kernels[c/4].(mcmc.NUTS).StepSize {
					t.Fatalf("step %g, want that of the kernel", r.StepSize[i])
				}
				if n := int32(1) << r.Depth[i]; r.Depth[i] > 0 && thin == 1 && !r.Divergent[i] && r.Leapfrog[i] >= 2*n {
					t.Fatalf("depth %d with %d leapfrogs", r.Depth[i], r.Leapfrog[i])
				}
			}
			s := d.Stats[c]
			if math.Abs(accept-s.AcceptProb) > 1e-12 || int(leapfrog) != s.Leapfrog {
				t.Errorf("thin %d, chain %d: acceptance %g and %g leapfrogs by draw, %g and %d by chain", thin, c,
					accept, leapfrog, s.AcceptProb, s.Leapfrog)
			}
			if thin == 1 && int(diverged) != s.Divergent {
				t.Errorf("chain %d: %g divergent draws, %d divergences", c, diverged, s.Divergent)
			}
			divergent += s.Divergent
		}
		if divergent == 0 || len(d.Divergences) != divergent {
			t.Errorf("%d places of %d divergences, want all of some", len(d.Divergences), divergent)
		}
		for _, v := range d.Divergences {
			if len(v.X) != 3 || !d.Record.Divergent[v.Draw*d.Chains+v.Chain] {
				t.Errorf("a divergence at %v of draw %d of chain %d, which did not diverge", v.X, v.Draw, v.Chain)
			}
		}
		if d.Warm == nil || d.Warm.Kept != 55 || d.Warm.Record.StepSize[0] == d.Record.StepSize[0] {
			t.Error("the transitions of the warm-up were not kept")
		}
		d.Derive("scale", func(x []float64) float64 { return math.Exp(x[0] / 2) })
		if got, want := d.Labels(), []string{"v", "a", "b", "scale", "energy"}; !slices.Equal(got, want) {
			t.Errorf("labels %q, want %q", got, want)
		}
		if v, w := d.Values(0), d.Values(3); w[2][7] != math.Exp(v[2][7]/2) || v[2][7] != d.Chain(2, 7)[0] ||
			d.Values(4)[1][3] != d.Energy[3*6+1] {
			t.Error("values are not those of the labels")
		}
		if q := mcmc.Diagnose(d, nil).Quantities; len(q) != 5 || q[3].Name != "scale" {
			t.Errorf("diagnosed: %v", q)
		}
		if d.Diverged()[d.Divergences[0].Chain][d.Divergences[0].Draw] != true ||
			d.Hamiltonians()[1][2] != d.Record.Hamiltonian[2*6+1] {
			t.Error("by chain it is not what it is by draw")
		}
	}
}

// Draws that would not fit into memory are refused before the first gradient.
func TestSizeIsRefused(t *testing.T) {
	target := mcmc.RowFunc(func(_, _ []float64) float64 { t.Fatal("a gradient"); return 0 })
	for name, cfg := range map[string]mcmc.SampleConfig{
		"GiB":    {Draws: 1e6},
		"Memory": {Draws: 100, Memory: 1 << 20},
		"names":  {Draws: 10, Names: []string{"a"}},
		"once":   {Draws: 10, Names: slices.Repeat([]string{"a"}, 100)},
	} {
		_, err := mcmc.Sample(context.Background(), mcmc.NUTS{}, mcmc.Shared(target), mat.NewDense(1000, 100, nil), cfg,
			source(1))
		if err == nil || !strings.Contains(err.Error(), name) {
			t.Errorf("%s: got %v", name, err)
		}
	}
}

// With many quantities, the table shows the worst first, and says how many there are.
func TestTableShowsTheWorst(t *testing.T) {
	o := &mcmc.Diagnostics{Chains: 4, Draws: 100}
	for j := range 12 {
		o.Quantities = append(o.Quantities,
			mcmc.Quantity{Name: string(rune('a' + j)), RHat: mcmc.Number(1 + .01*float64(j))})
	}
	o.Quantities[11].RHat = mcmc.Number(math.NaN())
	var b strings.Builder
	if err := o.WriteTable(&b); err != nil {
		t.Fatal(err)
	}
	lines := strings.Split(b.String(), "\n")
	if !strings.HasPrefix(strings.TrimSpace(lines[1]), "k ") || !strings.HasPrefix(lines[9], "8 of 12 quantities") {
		t.Errorf("got %s", b.String())
	}
}
