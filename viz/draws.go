package viz

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"gonum.org/v1/gonum/mat"
)

// Draws are what a sampler returns, such as *mcmc.Draws.
type Draws interface {
	// Labels names the quantities: coordinates, functions of them, an energy.
	Labels() []string

	// Values returns quantity j of Labels as chains[c][t].
	Values(j int) [][]float64
}

// find returns the indices of quantities among the labels of draws.
func find(d Draws, names ...string) ([]int, error) {
	labels := d.Labels()
	at := make([]int, len(names))
	for i, name := range names {
		if at[i] = slices.Index(labels, name); at[i] < 0 {
			return nil, fmt.Errorf("viz: no quantity is called %q; there are %s", name, strings.Join(labels, ", "))
		}
	}
	return at, nil
}

// NewDiagnostics returns the picture of how well chains mixed. R̂ and effective sample sizes are computed by the given
// functions, either of which may be nil:
//
//	viz.NewDiagnostics(draws, mcmc.RHat, mcmc.ESSBulk)
func NewDiagnostics(d Draws, rhat, ess func(chains [][]float64) float64) *Diagnostics {
	names := d.Labels()
	out := &Diagnostics{Names: names}
	for j := range names {
		x := d.Values(j)
		for c, v := range x {
			if len(v) == 0 {
				continue
			}
			if c == len(out.Chains) {
				out.Chains = append(out.Chains, mat.NewDense(len(v), len(names), nil))
			}
			out.Chains[c].SetCol(j, v)
		}
		if rhat != nil {
			out.RHat = append(out.RHat, rhat(x))
		}
		if ess != nil {
			out.ESS = append(out.ESS, ess(x))
		}
	}
	return out
}

// clip shortens a name to at most so many runes by cutting from its middle, since similar names differ at their ends.
func clip(name string, most int) string {
	r := []rune(name)
	if len(r) <= most {
		return name
	}
	tail := (most - 1) / 2
	return string(r[:most-1-tail]) + "…" + string(r[len(r)-tail:])
}

// worst returns the indices of v in decreasing order of badness, NaN first.
func worst(v []float64, badness func(float64) float64) []int {
	at := make([]int, len(v))
	for i := range at {
		at[i] = i
	}
	slices.SortStableFunc(at, func(a, b int) int { return cmp.Compare(-badness(v[a]), -badness(v[b])) }) // NaN is least
	return at
}
