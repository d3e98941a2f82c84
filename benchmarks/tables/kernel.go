package main

import (
	"math"
	"slices"

	"gonum.org/v1/gonum/floats"
	"gonum.org/v1/gonum/mat"
	"gonum.org/v1/gonum/stat/distuv"

	"github.com/stheno-ebm/stheno/datasets"
	"github.com/stheno-ebm/stheno/datasets/density"
)

// kernel is a kernel density of the standardised rows of x, of the width that makes points left out likeliest. Discrete
// columns are scattered evenly over their cells before, and judged by the probabilities of cells.
type kernel struct {
	scaler  *datasets.Standardizer
	centres *mat.Dense // in units of the columns' deviations
	width   float64
	cells   []cellsOf // by column, in the units of the table
}

// cellsOf is how a column is discrete. The zero value is one of real numbers.
type cellsOf struct {
	width  float64   // of the cells, by which probabilities are divided
	values []float64 // of a column of few, in increasing order
}

// bounds returns the cell of a value: ahead of its neighbours by half the distance, and open at both ends.
func (c *cellsOf) bounds(x float64) (lo, hi float64) {
	if c.values == nil {
		return x - c.width/2, x + c.width/2
	}
	lo, hi = math.Inf(-1), math.Inf(1)
	i, _ := slices.BinarySearch(c.values, x)
	i = min(i, len(c.values)-1)
	if i > 0 {
		lo = (c.values[i-1] + c.values[i]) / 2
	}
	if i+1 < len(c.values) {
		hi = (c.values[i] + c.values[i+1]) / 2
	}
	return lo, hi
}

// scatter moves a value evenly within its cell, u from 0 to 1.
func (c *cellsOf) scatter(x, u float64) float64 {
	width := c.width
	if c.values != nil {
		width = c.values[1] - c.values[0]
		for i, v := range c.values[1:] {
			width = min(width, v-c.values[i])
		}
	}
	return x + width*(u-0.5)
}

func newKernel(x *mat.Dense, cells []cellsOf, uniform func() float64) *kernel {
	z := mat.DenseCopyOf(x)
	z.Apply(func(_, j int, v float64) float64 { return cells[j].scatter(v, uniform()) }, z)
	k := &kernel{scaler: datasets.NewStandardizer(z), centres: z, cells: cells}
	k.scaler.Apply(z, z)
	k.width = density.KernelWidth(z)
	return k
}

// LogProb stores the logarithms of the density, or of the probability of the cell, divided by its volume.
func (k *kernel) LogProb(dst []float64, x *mat.Dense) {
	n, d := k.centres.Dims()
	logs, lo, hi := make([]float64, n), make([]float64, d), make([]float64, d)
	for i := range dst {
		for j, v := range x.RawRowView(i) {
			unit := func(v float64) float64 { return (v - k.scaler.Mean[j]) / (k.scaler.Scale[j] * k.width) }
			lo[j], hi[j] = k.cells[j].bounds(v)
			lo[j], hi[j] = unit(lo[j]), unit(hi[j])
		}
		for c := range logs {
			logs[c] = k.logKernel(lo, hi, k.centres.RawRowView(c))
		}
		dst[i] = floats.LogSumExp(logs) - math.Log(float64(n))
	}
}

// logKernel is that of one centre, of the cell with these bounds in units of the kernel's width.
func (k *kernel) logKernel(lo, hi, centre []float64) (sum float64) {
	for j, c := range k.cells {
		at := centre[j] / k.width
		switch {
		case c.width > 0:
			sum += logMass(lo[j]-at, hi[j]-at) - math.Log(c.width)
		default:
			sum += logNormalAt(lo[j], at, 1) - math.Log(k.scaler.Scale[j]*k.width)
		}
	}
	return sum
}

// logMass is log (Φ(hi) - Φ(lo)).
func logMass(lo, hi float64) float64 {
	if lo+hi > 0 { // in the lower tail, where differences are exact
		lo, hi = -hi, -lo
	}
	return math.Log(distuv.UnitNormal.CDF(hi) - distuv.UnitNormal.CDF(lo))
}
