package energy

import (
	"math"
	"slices"

	"gonum.org/v1/gonum/mat"
)

// Moments returns mean and standard deviation of the columns of x.
func Moments(x *mat.Dense) (mean, std []float64) {
	n, d := x.Dims()
	mean, std = make([]float64, d), make([]float64, d)
	for i := range n {
		for j, v := range x.RawRowView(i) {
			mean[j] += v / float64(n)
		}
	}
	for i := range n {
		for j, v := range x.RawRowView(i) {
			std[j] += (v - mean[j]) * (v - mean[j]) / float64(n)
		}
	}
	for j := range std {
		std[j] = math.Sqrt(std[j])
	}
	return mean, std
}

// Spread returns the largest standard deviation of the columns of x, the unit in which perturbations of data are measured. It
// is 0 for no points.
func Spread(x *mat.Dense) float64 {
	if x.IsEmpty() {
		return 0
	}
	_, std := Moments(x)
	return slices.Max(std)
}
