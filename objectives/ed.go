package objectives

import (
	"math"
	"math/rand/v2"

	"gonum.org/v1/gonum/mat"
	G "gorgonia.org/gorgonia"

	"github.com/stheno-ebm/stheno/graphs"
	"github.com/stheno-ebm/stheno/graphs/vector"
)

// discrepancy is `ed`, energy discrepancy with Gaussian perturbation,
//
//	L = mean_i log( w/M + 1/M Σ_j exp(E(x_i) - E(y_ij)) ),   y_ij = x_i + σξ_i + σξ'_ij,  w = 1,
//
// no chains, no scores: the energy of a datum against the free energy of the points that might have become the same blurred
// point x_i + σξ_i. For small σ it is score matching, for large σ maximum likelihood. With w = 1 the loss is also the
// logarithm of the chance to pick x_i out of M+1 candidates of which one is a datum, so that the expected gradient is
// zero at the true energy for every M.
//
// Schröder, Ou, Lim, Li, Duncan and Girolami, Energy discrepancies: a score-independent loss for energy-based models,
// arXiv 2307.06431, section 4.1.
type discrepancy struct{ neighbourhood }

func (f discrepancy) Draw(in Inputs, x *mat.Dense, rng *rand.Rand) error {
	y := in["neighbours"]
	vector.Normal(y, rng)
	n, d := x.Dims()
	for i := range n {
		rows := y[i*f.m*d : (i+1)*f.m*d]
		for j, v := range x.RawRowView(i) {
			centre := v + f.sigma*rng.NormFloat64()
			for k := j; k < len(rows); k += d {
				rows[k] = centre + f.sigma*rows[k]
			}
		}
	}
	return nil
}

func (f discrepancy) Loss(b *Builder) *G.Node {
	y := b.In("neighbours")
	b.SetNegatives(y)
	diff := differences(b, y, f.m) // (n, M)
	self := graphs.ZerosLike(graphs.SliceCols(diff, 0, 1))
	return graphs.Shift(graphs.Mean(graphs.RowLogSumExp(graphs.ConcatCols(self, diff))), -math.Log(float64(f.m)))
}
