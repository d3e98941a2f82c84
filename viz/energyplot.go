package viz

import (
	"cmp"
	"errors"
	"fmt"
	"math"
	"slices"

	"gonum.org/v1/gonum/stat"
	"gonum.org/v1/plot/vg"
	"gonum.org/v1/plot/vg/draw"
)

// EnergyPlot compares the distribution of the energies H of draws, about the mean of their chain, with that of the
// changes in H from one draw to the next. Where the changes are much narrower, refreshed momenta move chains too little
// between energy levels, and the tails are explored slowly. E-BFMI, Σ(H_t − H_{t−1})² / Σ(H_t − H̄)², measures this for
// each chain; below 0.3 is low.
//
// Betancourt, Diagnosing suboptimal cotangent disintegrations in Hamiltonian Monte Carlo, arXiv 1604.00695.
type EnergyPlot struct {
	Title  string
	Chains [][]float64 // H of every draw of every chain
	Style  *Style
	Width  vg.Length // 0 means 400
}

// NewEnergyPlot returns the energy plot of draws that have a method Hamiltonians() [][]float64, as *mcmc.Draws do.
func NewEnergyPlot(d Draws) (*EnergyPlot, error) {
	h, ok := d.(interface{ Hamiltonians() [][]float64 })
	if !ok {
		return nil, fmt.Errorf("viz: %T has no method Hamiltonians that returns its energies", d)
	}
	p := &EnergyPlot{Chains: h.Hamiltonians()}
	return p, p.Validate()
}

// Validate reports what could not be drawn.
func (p *EnergyPlot) Validate() error {
	if about, _, _ := p.split(); len(about) == 0 {
		return errors.New("viz: an energy plot needs two draws of a chain by a sampler with momenta, such as HMC")
	}
	return nil
}

// split returns the energies about the means of their chains, their changes, and E-BFMI per chain. Chains with NaN
// energies are left out.
func (p *EnergyPlot) split() (about, change, bfmi []float64) {
	for _, h := range p.Chains {
		mean := stat.Mean(h, nil)
		if len(h) < 2 || !finite(mean) {
			continue
		}
		var all, steps float64
		for t, v := range h {
			about = append(about, v-mean)
			all += (v - mean) * (v - mean)
			if t > 0 {
				change = append(change, v-h[t-1])
				steps += (v - h[t-1]) * (v - h[t-1])
			}
		}
		bfmi = append(bfmi, steps/all) // NaN for a chain that does not move
	}
	return about, change, bfmi
}

// Figure returns the picture.
func (p *EnergyPlot) Figure() *Figure {
	st := styleOr(p.Style)
	f := &Figure{Title: p.Title, Style: st, Width: cmp.Or(p.Width, 400), Heights: []vg.Length{150}}
	about, change, bfmi := p.split()
	reach := 0.0
	for _, v := range slices.Concat(about, change) {
		reach = max(reach, math.Abs(v))
	}
	if !(reach > 0) {
		reach = 1
	}
	pl := st.NewPlot("", "energy (nats)", "density")
	pl.Add(ground{st, true, true})
	var key []legendEntry
	for i, part := range []struct {
		name   string
		values []float64
	}{{"H − mean of the chain", about}, {"H − H before", change}} {
		h := Histogram(part.values, -reach, reach, 60)
		h.Line, h.Fill = draw.LineStyle{Color: st.Accent[i], Width: 1}, fade(st.Accent[i], 0.25)
		pl.Add(h)
		key = append(key, legendEntry{name: part.name, color: st.Accent[i]})
	}
	pl.Add(legend{s: st, entries: key}, frame{st})
	pl.X.Min, pl.X.Max, pl.Y.Min = -reach, reach, 0
	pl.Y.Max *= 1.3
	f.Add(Cell{Plot: pl})
	least := math.Inf(1)
	for _, v := range bfmi {
		if finite(v) {
			least = min(least, v)
		}
	}
	switch {
	case math.IsInf(least, 1):
	case least < 0.3:
		f.Note = fmt.Sprintf("lowest E-BFMI %.2f, at least 0.3 wanted", least)
	default:
		f.Note = fmt.Sprintf("lowest E-BFMI %.2f", least)
	}
	return f
}
