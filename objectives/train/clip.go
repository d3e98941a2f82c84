package train

import "github.com/stheno-ebm/stheno/graphs/vector"

// Clip scales grad to a global norm of at most limit, by min(1, limit/(‖g‖+1e-6)) as PyTorch's clip_grad_norm_ does,
// and returns the norm it had before. A limit of 0 or less means no clipping.
func Clip(grad []float64, limit float64) float64 {
	norm := vector.Norm(grad)
	if limit <= 0 {
		return norm
	}
	if s := limit / (norm + 1e-6); s < 1 {
		vector.Scale(grad, s, grad)
	}
	return norm
}
