package objectives

import (
	"math/rand/v2"

	"gonum.org/v1/gonum/mat"
	G "gorgonia.org/gorgonia"

	"github.com/stheno-ebm/stheno/graphs"
)

// scoreMatching is `sm`,
//
//	L = mean ½|∇E(x)|² - tr ∇²E(x),
//
// which is half the Fisher divergence E|s_θ - s|² but for a constant. The trace is exact, by symbolic differentiation.
//
// Hyvärinen, Estimation of non-normalized statistical models by score matching, JMLR 6 (2005) 695–709, theorem 1.
type scoreMatching struct{}

func (scoreMatching) Inputs(int, int) []Input                   { return nil }
func (scoreMatching) Draw(Inputs, *mat.Dense, *rand.Rand) error { return nil }
func (scoreMatching) Loss(b *Builder) *G.Node {
	u := b.E(b.X)
	g := b.Gradient(u, b.X)
	trace := graphs.Must(graphs.HessianTrace(u, b.X))
	return graphs.Mean(graphs.Sub(halfSquare(g), trace))
}

// slicedMatching covers the three objectives that see the Hessian along M random directions per point,
//
//	sm-hutchinson, ssm-vr   L = mean ½|∇E|² - 1/M Σ_m v_mᵀ ∇²E v_m
//	ssm                     L = mean 1/M Σ_m ½(v_mᵀ∇E)² - v_mᵀ ∇²E v_m
//
// with E vvᵀ = I, so that the expectation over v is that of `sm` (for ssm: of score matching in the metric E vvᵀ). The
// first two are one objective under two names, from Hutchinson's estimator of the trace and from the variance-reduced form
// of sliced score matching.
//
// Song, Garg, Shi and Ermon, Sliced score matching, arXiv 1905.07088, equations 7 and 8.
type slicedMatching struct {
	input   string // name of the auxiliary input: eps, v
	slices  int
	law     Projection
	project bool // ssm: the norm is projected too
}

func (f slicedMatching) Inputs(n, d int) []Input {
	return []Input{{Name: f.input, Shape: []int{n * f.slices, d}}} // slice m of point i in row m·n+i
}

func (f slicedMatching) Draw(in Inputs, x *mat.Dense, rng *rand.Rand) error {
	_, d := x.Dims()
	f.law.draw(in[f.input], d, rng)
	return nil
}

func (f slicedMatching) Loss(b *Builder) *G.Node {
	u := b.E(b.X)
	g := b.Gradient(u, b.X)
	var sum *G.Node // (n, 1), over slices
	for m := range f.slices {
		v := slice(b, f.input, m)
		term := graphs.Neg(graphs.Must(graphs.DirectionalCurvature(u, b.X, v)))
		if f.project {
			term = graphs.Add(term, graphs.Scale(graphs.Square(rowDot(v, g)), 0.5))
		}
		sum = plus(sum, term)
	}
	mean := graphs.Scale(sum, 1/float64(f.slices))
	if !f.project {
		mean = graphs.Add(mean, halfSquare(g))
	}
	return graphs.Mean(mean)
}

// slice returns rows m·N … (m+1)·N of an input.
func slice(b *Builder, name string, m int) *G.Node {
	v := b.In(name)
	if v.Shape()[0] == b.N {
		return v
	}
	return graphs.SliceRows(v, m*b.N, (m+1)*b.N)
}

func plus(a, b *G.Node) *G.Node {
	if a == nil {
		return b
	}
	return graphs.Add(a, b)
}

// finiteDifference is `fd-ssm`, sliced score matching from energies at x and x ± εv only,
//
//	L = mean 1/M Σ_m ½ ((E⁺ - E⁻)/2ε)² - (E⁺ + E⁻ - 2E)/ε²,   E^± = E(x ± εv_m),
//
// with E vvᵀ = I. It needs no second derivative. It has a bias of order ε² |∇⁴E|, and in float32 a rounding error of about
// 2·10⁻⁷ |E|/ε² per point, so ε must not be small: see Config.Epsilon.
//
// Pang, Xu, Li, Song, Ermon and Zhu, Efficient learning of generative models via finite-difference score matching,
// arXiv 2007.03317, equation 11; their v has length ε, ours is ε times a direction with E vvᵀ = I.
type finiteDifference struct {
	slices int
	law    Projection
	eps    float64
}

func (f finiteDifference) Inputs(n, d int) []Input {
	return []Input{{Name: "v", Shape: []int{n * f.slices, d}}}
}

func (f finiteDifference) Draw(in Inputs, x *mat.Dense, rng *rand.Rand) error {
	_, d := x.Dims()
	f.law.draw(in["v"], d, rng)
	return nil
}

func (f finiteDifference) Loss(b *Builder) *G.Node {
	u := b.E(b.X)
	var sum *G.Node
	for m := range f.slices {
		step := graphs.Scale(slice(b, "v", m), f.eps)
		hi, lo := b.E(graphs.Add(b.X, step)), b.E(graphs.Sub(b.X, step))
		first := graphs.Scale(graphs.Sub(hi, lo), 1/(2*f.eps))
		// E⁺ - E and E⁻ - E before their sum: the differences are small, so that little more is rounded
		second := graphs.Scale(graphs.Add(graphs.Sub(hi, u), graphs.Sub(lo, u)), 1/(f.eps*f.eps))
		sum = plus(sum, graphs.Sub(graphs.Scale(graphs.Square(first), 0.5), second))
	}
	return graphs.Scale(graphs.Mean(sum), 1/float64(f.slices))
}
