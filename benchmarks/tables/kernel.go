package main

import (
	"math"

	"gonum.org/v1/gonum/floats"
	"gonum.org/v1/gonum/mat"

	"github.com/stheno-ebm/stheno/datasets"
	"github.com/stheno-ebm/stheno/datasets/density"
)

// kernel is a kernel density of the standardised rows of x, of the width that makes points left out likeliest. Rounded
// columns are scattered evenly over their cells before, and judged by the probabilities of cells.
type kernel struct {
	scaler  *datasets.Standardizer
	centres *mat.Dense // in units of the columns' deviations
	width   float64
	grid    []float64 // in the same units; 0: a column that is not rounded
}

func newKernel(x *mat.Dense, grid []float64, scatter func() float64) *kernel {
	z := mat.DenseCopyOf(x)
	z.Apply(func(_, j int, v float64) float64 {
		if grid[j] > 0 {
			v += grid[j] * (scatter() - 0.5)
		}
		return v
	}, z)
	k := &kernel{scaler: datasets.NewStandardizer(z), centres: z}
	k.scaler.Apply(z, z)
	k.width = density.KernelWidth(z)
	for j, g := range grid {
		k.grid = append(k.grid, g/k.scaler.Scale[j])
	}
	return k
}

// LogProb stores the logarithms of the density, or of the probability of the cell divided by its volume.
func (k *kernel) LogProb(dst []float64, x *mat.Dense) {
	z := mat.DenseCopyOf(x)
	k.scaler.Apply(z, z)
	n, _ := k.centres.Dims()
	logs := make([]float64, n)
	for i := range dst {
		row := z.RawRowView(i)
		for c := range logs {
			logs[c] = k.logKernel(row, k.centres.RawRowView(c))
		}
		dst[i] = floats.LogSumExp(logs) - math.Log(float64(n)) - k.scaler.LogDet()
	}
}

// logKernel is that of one centre.
func (k *kernel) logKernel(x, centre []float64) (sum float64) {
	squares := 0.0
	for j, g := range k.grid {
		u := (x[j] - centre[j]) / k.width
		if g > 0 {
			sum += logCell(u, g/k.width)
		} else {
			squares += u*u + math.Log(2*math.Pi)
		}
	}
	return sum - squares/2 - float64(len(x))*math.Log(k.width)
}
