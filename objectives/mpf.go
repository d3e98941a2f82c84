package objectives

import (
	"math/rand/v2"

	"gonum.org/v1/gonum/mat"
	G "gorgonia.org/gorgonia"

	"github.com/stheno-ebm/stheno/graphs"
	"github.com/stheno-ebm/stheno/graphs/vector"
)

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

func (f probabilityFlow) Loss(b *Builder) *G.Node {
	y := b.In("neighbours")
	b.SetNegatives(y)
	return graphs.Mean(graphs.Exp(graphs.Scale(differences(b, y, f.m), 0.5)))
}
