package objectives

import (
	"math/rand/v2"

	"gonum.org/v1/gonum/mat"
	G "gorgonia.org/gorgonia"

	"github.com/stheno-ebm/stheno/graphs"
)

// slicedForm covers the three objectives that use the Hessian along M random directions per point,
//
//	sm-hutchinson, ssm-vr   L = mean ½|∇E|² - 1/M Σ_m v_mᵀ ∇²E v_m
//	ssm                     L = mean 1/M Σ_m ½(v_mᵀ∇E)² - v_mᵀ ∇²E v_m
//
// with E vvᵀ = I, so the expectation over v is that of `sm` (for ssm: of score matching in the metric E vvᵀ). The first
// two are the same objective under two names, from Hutchinson's estimator of the trace and from the variance-reduced
// form of sliced score matching.
type slicedForm struct {
	input   string // name of the auxiliary input: eps, v
	slices  int
	law     Projection
	project bool // ssm: the norm is projected too
}

// mostSlices bounds the graph, which grows with every slice.
const mostSlices = 256

func (f slicedForm) Inputs(n, d int) []Input {
	return []Input{{Name: f.input, Shape: []int{n * f.slices, d}}} // slice m of point i in row m·n+i
}

func (f slicedForm) Draw(in Inputs, x *mat.Dense, rng *rand.Rand) error {
	_, d := x.Dims()
	f.law.draw(in[f.input], d, rng)
	return nil
}

func (f slicedForm) Loss(b *Builder) *G.Node {
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
