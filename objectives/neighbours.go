package objectives

import (
	"math"
	"math/rand/v2"

	"gonum.org/v1/gonum/mat"
	G "gorgonia.org/gorgonia"

	"github.com/stheno-ebm/stheno/graphs"
	"github.com/stheno-ebm/stheno/graphs/vector"
)

// neighbourhood is M points y_ij at distances of about σ around every point x_i of the batch, in row i·M+j.
type neighbourhood struct {
	sigma float64
	m     int
}

func (f neighbourhood) Inputs(n, d int) []Input {
	return []Input{{Name: "neighbours", Shape: []int{n * f.m, d}}}
}

// probabilityFlow is `mpf`, minimum probability flow in continuous space,
//
//	L = mean_i 1/M Σ_j exp(½(E(x_i) - E(y_ij))),   y_ij = x_i + σε_ij,
//
// the rate at which probability leaves the data under dynamics that would carry them to the model, with jumps to
// neighbours of a symmetric law. At the true energy the weight p(x) exp(½(E(x) - E(y))) is symmetric in x and y, so that
// the gradient vanishes exactly. Like all local objectives it sees little of the weights of modes more than a few σ apart;
// hence every second neighbour is a jump between data, see jumpsOf.
//
// Sohl-Dickstein, Battaglino and DeWeese, New method for parameter estimation in probabilistic models: minimum
// probability flow, PRL 107 (2011) 220601, equation 11.
type probabilityFlow struct {
	neighbourhood
	jumps jumpsOf
}

func (f probabilityFlow) Draw(in Inputs, x *mat.Dense, rng *rand.Rand) error {
	y := in["neighbours"]
	vector.Normal(y, rng)
	n, d := x.Dims()
	for i := range n {
		row := x.RawRowView(i)
		for k := range f.m * d {
			at := i*f.m*d + k
			y[at] = row[k%d] + f.sigma*y[at]
		}
		for j := 1; j < f.m; j += 2 {
			at := (i*f.m + j) * d
			f.jumps.add(y[at:at+d], row, rng)
		}
	}
	return nil
}

// jumpsOf are displacements from one point of a set to another, x_j - x_k of independent j and k. Their law is symmetric and does
// not depend on where they begin, which is all that cnce and mpf ask of a perturbation, and they lead from mode to mode where
// Gaussian ones of any size mostly lead into the void: on 8gaussians with these alone weights of modes were 0.043 (cnce) and
// 0.053 (mpf) off in total variation.
type jumpsOf struct{ data *mat.Dense } // nil: none

// add stores x plus a jump in dst, or nothing without data.
func (s jumpsOf) add(dst, x []float64, rng *rand.Rand) {
	if s.data == nil {
		return
	}
	n, _ := s.data.Dims()
	a, b := s.data.RawRowView(rng.IntN(n)), s.data.RawRowView(rng.IntN(n))
	for t := range dst {
		dst[t] = x[t] + a[t] - b[t]
	}
}

func (f probabilityFlow) Loss(b *Builder) *G.Node {
	y := b.In("neighbours")
	b.SetNegatives(y)
	return graphs.Mean(graphs.Exp(graphs.Scale(differences(b, y, f.m), 0.5)))
}

// differences builds E(x_i) - E(y_ij) (n, m) for y (n·m, d). Each datum stands next to its neighbours in one batch, so that sums over
// the batch add up what nearly cancels before it is rounded.
func differences(b *Builder, y *G.Node, m int) *G.Node {
	u := together(b, b.X, y, m)
	return graphs.Sub(graphs.ExpandCols(graphs.SliceCols(u, 0, 1), m), graphs.SliceCols(u, 1, m+1))
}

// together builds E(x_i), E(y_i1) … E(y_im) (n, 1+m), in one batch in this order.
func together(b *Builder, x, y *G.Node, m int) *G.Node {
	rows := graphs.ConcatCols(x, graphs.Reshape(y, b.N, m*b.D))
	return graphs.Reshape(b.E(graphs.Reshape(rows, b.N*(m+1), b.D)), b.N, m+1)
}

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
