package train

import "math"

// Clip scales grad to a global norm of at most limit, by min(1, limit/(‖g‖+1e-6)) as PyTorch's clip_grad_norm_ does,
// and returns the norm it had before. A limit of 0 or less clips nothing.
func Clip(grad []float64, limit float64) float64 {
	var sum float64
	for _, g := range grad {
		sum += g * g
	}
	norm := math.Sqrt(sum)
	if limit <= 0 {
		return norm
	}
	if s := limit / (norm + 1e-6); s < 1 {
		for i := range grad {
			grad[i] *= s
		}
	}
	return norm
}
