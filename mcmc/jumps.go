package mcmc

import (
	"math"
	"math/rand/v2"

	"gonum.org/v1/gonum/mat"
)

// Jumps makes only the moves between modes of a [Jumping], for chains whose gradients are not needed: the energies of
// all proposals are computed in one call, since they do not depend on the positions of the chains. A Jumps must not be
// used by several goroutines at once.
type Jumps struct {
	Proposal Proposal // q; required
	Times    int      // moves; 0 means 1

	x      *mat.Dense // the chains, and below them the blocks of proposals
	e, q   []float64  // energies and log densities of its rows
	points mat.Dense
}

// Move moves the rows of x in place. energies stores E of the rows of a batch.
func (j *Jumps) Move(x *mat.Dense, energies func(e []float64, x *mat.Dense) error, rng *rand.Rand) error {
	n, d := x.Dims()
	times := max(1, j.Times)
	if rows := (times + 1) * n; len(j.e) != rows || j.x.RawMatrix().Cols != d {
		j.x, j.e, j.q = mat.NewDense(rows, d, nil), make([]float64, rows), make([]float64, rows)
	}
	data := j.x.RawMatrix().Data
	copy(data, x.RawMatrix().Data)
	j.Proposal.Sample(view(&j.points, data[n*d:], times*n, d), rng)
	j.Proposal.LogProb(j.q, j.x)
	if err := energies(j.e, j.x); err != nil {
		return err
	}
	for i := range n {
		at := i
		for row := n + i; row < len(j.e); row += n {
			if jump(rng.Float64(), j.e[at], j.e[row], j.q[at], j.q[row]) {
				at = row
			}
		}
		x.SetRow(i, j.x.RawRowView(at))
	}
	return nil
}

// jump decides, by a uniform number u, on a move from a point with energy e and log-density q to one with energy to and
// log-density qTo. A move to a non-finite energy is never made.
func jump(u, e, to, q, qTo float64) bool { return math.Log(u) < e-to+q-qTo && !math.IsInf(to, 0) }
