package mcmc

import (
	"fmt"
	"math"
	"slices"
)

// Record describes the transitions behind the draws: entry t·Chains + c belongs to draw t of chain c. With thinning it
// covers all transitions since the previous draw.
type Record struct {
	AcceptProb  []float64 // mean acceptance probability
	Hamiltonian []float64 // E + kinetic energy of the draw; NaN where there is no momentum
	StepSize    []float64 // of the last transition, including jitter
	Leapfrog    []int32   // leapfrog steps in total
	Depth       []int16   // of the deepest tree
	Divergent   []bool    // one of them diverged
}

func newRecord(n int) Record {
	return Record{
		AcceptProb: make([]float64, n), Hamiltonian: make([]float64, n), StepSize: make([]float64, n),
		Leapfrog: make([]int32, n), Depth: make([]int16, n), Divergent: make([]bool, n),
	}
}

// bytesOfRecord is the size of a draw's entry in bytes.
const bytesOfRecord = 3*8 + 4 + 2 + 1

// note adds the k-th transition (from 0) of those behind draw i.
func (r *Record) note(i, k int, c *ChainInfo) {
	if k == 0 {
		r.AcceptProb[i], r.Leapfrog[i], r.Depth[i], r.Divergent[i] = 0, 0, 0, false
	}
	r.AcceptProb[i] += (c.AcceptProb - r.AcceptProb[i]) / float64(k+1)
	r.Hamiltonian[i], r.StepSize[i] = c.Hamiltonian, c.StepSize
	r.Leapfrog[i] += c.Leapfrog
	r.Depth[i] = max(r.Depth[i], c.Depth)
	r.Divergent[i] = r.Divergent[i] || c.Divergent
}

// first keeps n entries.
func (r *Record) first(n int) {
	r.AcceptProb, r.Hamiltonian, r.StepSize = r.AcceptProb[:n], r.Hamiltonian[:n], r.StepSize[:n]
	r.Leapfrog, r.Depth, r.Divergent = r.Leapfrog[:n], r.Depth[:n], r.Divergent[:n]
}

// Divergence is the position where a trajectory diverged on the way to a draw.
type Divergence struct {
	Chain, Draw int
	X           []float64
}

// mostDivergences is the maximum number kept per block of chains, the first ones.
const mostDivergences = 1000

// derived is a quantity computed from the coordinates.
type derived struct {
	name   string
	values []float64 // by row of X
}

// Derive adds a quantity computed from the coordinates, such as a standard deviation whose logarithm is sampled: it is
// diagnosed, listed and plotted like them.
func (d *Draws) Derive(name string, f func(x []float64) float64) {
	v := make([]float64, d.Kept*d.Chains)
	for i := range v {
		v[i] = f(d.X.RawRowView(i))
	}
	d.derived = append(d.derived, derived{name, v})
}

// Labels names the quantities: the coordinates, derived quantities, and last the energy.
func (d *Draws) Labels() []string {
	var out []string
	for j := range d.Dim {
		if j < len(d.Names) {
			out = append(out, d.Names[j])
		} else {
			out = append(out, fmt.Sprintf("x%d", j+1))
		}
	}
	for _, q := range d.derived {
		out = append(out, q.name)
	}
	return append(out, "energy")
}

// Values returns quantity j of Labels as chains[c][t].
func (d *Draws) Values(j int) [][]float64 {
	switch k := j - d.Dim; {
	case k < 0:
		return byChain(d, func(row int) float64 { return d.X.At(row, j) })
	case k < len(d.derived):
		return byChain(d, func(row int) float64 { return d.derived[k].values[row] })
	}
	return byChain(d, func(row int) float64 { return d.Energy[row] })
}

// Diverged reports which draws came from a divergent transition, as chains[c][t].
func (d *Draws) Diverged() [][]bool {
	return byChain(d, func(row int) bool { return row < len(d.Record.Divergent) && d.Record.Divergent[row] })
}

// Hamiltonians returns potential plus kinetic energies as chains[c][t]; NaN where unknown.
func (d *Draws) Hamiltonians() [][]float64 {
	return byChain(d, func(row int) float64 {
		if row < len(d.Record.Hamiltonian) {
			return d.Record.Hamiltonian[row]
		}
		return math.NaN()
	})
}

// byChain regroups values by row into chains.
func byChain[T any](d *Draws, of func(row int) T) [][]T {
	out := make([][]T, d.Chains)
	for c := range out {
		out[c] = make([]T, d.Kept)
		for t := range out[c] {
			out[c][t] = of(t*d.Chains + c)
		}
	}
	return out
}

// checkNames reports names that do not suit chains of dimension d.
func checkNames(names []string, d int) error {
	if names == nil {
		return nil
	}
	if len(names) != d {
		return fmt.Errorf("mcmc: SampleConfig.Names has %d names for %d coordinates", len(names), d)
	}
	for j, s := range names {
		if s == "" || slices.Index(names, s) != j {
			return fmt.Errorf("mcmc: SampleConfig.Names[%d] = %q, want names, each once", j, s)
		}
	}
	return nil
}
