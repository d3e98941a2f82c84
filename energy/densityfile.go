package energy

import (
	"fmt"
	"slices"

	"github.com/stheno-ebm/stheno/datasets/density"
	"github.com/stheno-ebm/stheno/energy/safetensors"
)

// DensityTensors returns a mixture of Gaussians as arrays of float64: name.weights (k), name.means (k, d), and
// name.factors, whose shape tells the kind of covariance: lower triangles L with covariance LLᵀ, (k, d, d) of full ones
// and (1, d, d) of a tied one, or standard deviations, (k, d) of diagonal ones and (k) of spherical ones. What
// [ReadDensity] makes of them is the same to the bit. One component with a tied covariance is read as one with a full
// covariance, which has the same shape and is the same density.
func DensityTensors(name string, m *density.Mixture) []safetensors.Tensor {
	p := m.Parameters()
	k, d := len(p.Weights), p.Dim
	array := func(part string, data []float64, shape ...int) safetensors.Tensor {
		return safetensors.Tensor{Name: name + "." + part, DType: safetensors.F64, Shape: shape,
			Data: slices.Clone(data)}
	}
	return []safetensors.Tensor{
		array("weights", p.Weights, k), array("means", p.Means, k, d),
		array("factors", p.Factors, factorShape(p.Covariance, k, d)...),
	}
}

func factorShape(kind density.Covariance, k, d int) []int {
	switch kind {
	case density.Full:
		return []int{k, d, d}
	case density.Tied:
		return []int{1, d, d}
	case density.Diagonal:
		return []int{k, d}
	}
	return []int{k}
}

// ReadDensity reads what DensityTensors wrote, and refuses what density.NewMixture refuses.
func ReadDensity(f *safetensors.File, name string) (*density.Mixture, error) {
	var parts [3]*safetensors.Tensor
	for i, part := range []string{"weights", "means", "factors"} {
		full := name + "." + part
		if parts[i] = f.Tensor(full); parts[i] == nil {
			return nil, fmt.Errorf("energy: density: no array %s", full)
		}
	}
	weights, means, factors := parts[0], parts[1], parts[2]
	if len(means.Shape) != 2 || means.Shape[0] != len(weights.Data) || means.Shape[1] < 1 {
		return nil, fmt.Errorf("energy: density: %s has shape %v beside %d weights, want (components, dimension)",
			means.Name, means.Shape,
			len(weights.Data))
	}
	k, d := means.Shape[0], means.Shape[1]
	for _, kind := range []density.Covariance{density.Full, density.Tied, density.Diagonal, density.Spherical} {
		if slices.Equal(factors.Shape, factorShape(kind, k, d)) {
			return density.NewMixture(density.Parameters{
				Dim: d, Covariance: kind, Weights: weights.Data, Means: means.Data, Factors: factors.Data,
			})
		}
	}
	return nil, fmt.Errorf("energy: density: %s has shape %v beside %d components in %d dimensions", factors.Name,
		factors.Shape, k, d)
}
