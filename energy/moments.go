package energy

import (
	"gonum.org/v1/gonum/mat"

	"github.com/stheno-ebm/stheno/datasets/density"
)

// Moments returns mean and standard deviation of the columns of x.
func Moments(x *mat.Dense) (mean, std []float64) { return density.Moments(x) }

// Spread returns the largest standard deviation of the columns of x, the unit in which perturbations of data are measured.
func Spread(x *mat.Dense) float64 { return density.Spread(x) }

// KernelWidth is that of package density.
func KernelWidth(data *mat.Dense) float64 { return density.KernelWidth(data) }
