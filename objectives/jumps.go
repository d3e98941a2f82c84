package objectives

import (
	"math"
	"math/rand/v2"

	"gonum.org/v1/gonum/mat"
)

// jumps are moves of independence Metropolis: a point y drawn from q replaces x with probability
// min(1, exp(E(x) - E(y)) q(x)/q(y)). They leave the model unchanged and carry chains between modes, which local moves
// do not. Without them the weights of modes are those of the starting points.
type jumps struct {
	q      Noise
	times  int
	x      *mat.Dense // the chains, and below them as many blocks of proposals
	e, q0  []float64  // energies and log densities of its rows
	points mat.Dense
}

func newJumps(q Noise, times, n, d int) *jumps {
	rows := (times + 1) * n
	return &jumps{q: q, times: times, x: mat.NewDense(rows, d, nil), e: make([]float64, rows),
		q0: make([]float64, rows)}
}

// move makes the moves of all chains, from one batch of energies: proposals do not depend on where a chain is.
func (j *jumps) move(x *mat.Dense, energies func(e []float64, x *mat.Dense) error, rng *rand.Rand) error {
	n, d := x.Dims()
	data := j.x.RawMatrix().Data
	copy(data, x.RawMatrix().Data)
	j.q.Sample(view(&j.points, data[n*d:], j.times*n, d), rng)
	j.q.LogProb(j.q0, j.x)
	if err := energies(j.e, j.x); err != nil {
		return err
	}
	for i := range n {
		at := i
		for row := n + i; row < len(j.e); row += n {
			ratio := j.e[at] - j.e[row] + j.q0[at] - j.q0[row]
			if math.Log(rng.Float64()) < ratio && !math.IsInf(j.e[row], 0) {
				at = row
			}
		}
		x.SetRow(i, j.x.RawRowView(at))
	}
	return nil
}
