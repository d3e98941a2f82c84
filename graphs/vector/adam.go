package vector

import (
	"cmp"
	"math"

	"github.com/stheno-ebm/stheno/graphs/internal/kernels"
	"github.com/stheno-ebm/stheno/graphs/internal/team"
)

// Adam is one step of Adam, or of AdamW when WeightDecay is not 0, on flat vectors:
//
//	g = GradScale·grad
//	m = β1 m + (1−β1) g,   v = β2 v + (1−β2) g²
//	θ = (1 − η·WeightDecay) θ − η/(1−β1ᵗ) · m / (√v/√(1−β2ᵗ) + ε)
//
// with η = LearningRate and t the number of this step, from 1. It agrees with PyTorch's Adam to the last few bits.
//
// Kingma and Ba, Adam: a method for stochastic optimization, arXiv 1412.6980.
// Loshchilov and Hutter, Decoupled weight decay regularization, arXiv 1711.05101.
type Adam struct {
	LearningRate float64 // η
	Beta1, Beta2 float64 // decay of the moments, in [0, 1)
	Eps          float64 // ε
	WeightDecay  float64 // decoupled; 0 means none
	GradScale    float64 // factor of the gradient, for clipping; 0 means 1
	Threads      int     // that share long vectors; no result depends on it; 0 means 1
}

// Step updates theta and the moments m and v, all of one length, with the gradient grad; t counts from 1.
func (a Adam) Step(theta, m, v, grad []float64, t int) { a.StepEMA(theta, m, v, grad, nil, 0, t) }

// StepEMA is Step followed by avg = decay·avg + (1−decay)·θ, in the same pass.
func (a Adam) StepEMA(theta, m, v, grad, avg []float64, decay float64, t int) {
	p := kernels.AdamParams{
		Beta1: a.Beta1, Beta2: a.Beta2, Eps: a.Eps,
		Step:      a.LearningRate / (1 - math.Pow(a.Beta1, float64(t))),
		Bias2:     1 / math.Sqrt(1-math.Pow(a.Beta2, float64(t))),
		Decay:     1 - a.LearningRate*a.WeightDecay,
		GradScale: cmp.Or(a.GradScale, 1), EMADecay: decay,
	}
	n := len(theta)
	parts := team.Parts(n, a.Threads)
	if parts == 1 {
		kernels.Adam(theta, m, v, grad, avg, p)
		return
	}
	j := team.Job{Parts: parts, Workers: a.Threads, Task: team.Pieces(func(i int) {
		lo, hi := team.Cut(n, i, parts)
		var av []float64
		if avg != nil {
			av = avg[lo:hi]
		}
		kernels.Adam(theta[lo:hi], m[lo:hi], v[lo:hi], grad[lo:hi], av, p)
	})}
	j.Run()
}
