package objectives

import (
	"math"
	"math/rand/v2"

	"gonum.org/v1/gonum/mat"

	"github.com/stheno-ebm/stheno/energy/safetensors"
	"github.com/stheno-ebm/stheno/mcmc"
)

// replay is the source of `ml`: a buffer of points where earlier chains ended. A gradient takes as many different slots as
// the batch has rows, starts a chain at each, or, with probability restart, at a fresh point, and writes every chain's end
// back to the slot that it was read from.
//
// Du and Mordatch, Implicit generation and modeling with energy-based models, arXiv 1903.08689, section 3.2.
type replay struct {
	mover
	slots   *mat.Dense
	order   []int // a permutation, the identity between calls
	picked  []int
	fresh   Noise   // where chains start; nil: uniform on the box of the first batch, widened
	restart float64 // probability
	started bool
	row     mat.Dense
}

func newReplay(m mover, slots, n, d int, fresh Noise, restart float64) *replay {
	r := &replay{mover: m, slots: mat.NewDense(slots, d, nil), order: make([]int, slots), picked: make([]int, n), fresh: fresh, restart: restart}
	for i := range r.order {
		r.order[i] = i
	}
	return r
}

// start fills the buffer with fresh points.
func (r *replay) start(x *mat.Dense, rng *rand.Rand) {
	if r.fresh == nil {
		r.fresh = BoxOf(x, 0.25)
	}
	r.fresh.Sample(r.slots, rng)
	r.started = true
}

func (r *replay) sample(dst, x *mat.Dense, rng *rand.Rand) (mcmc.Info, error) {
	if !r.started {
		r.start(x, rng)
	}
	r.pick(rng)
	for i, slot := range r.picked {
		if rng.Float64() < r.restart {
			row := dst.RawRowView(i)
			r.fresh.Sample(view(&r.row, row, 1, len(row)), rng)
		} else {
			dst.SetRow(i, r.slots.RawRowView(slot))
		}
	}
	info, err := r.run(dst, rng)
	if err != nil {
		return info, err
	}
	for i, slot := range r.picked {
		if row := dst.RawRowView(i); finite(row) {
			r.slots.SetRow(slot, row)
		}
	}
	return info, nil
}

// pick draws different slots by the first steps of a Fisher-Yates shuffle, which it then undoes.
func (r *replay) pick(rng *rand.Rand) {
	n := len(r.picked)
	for i := range n {
		j := i + rng.IntN(len(r.order)-i)
		r.order[i], r.order[j] = r.order[j], r.order[i]
		r.picked[i] = r.order[i]
	}
	// slots moved by the swaps: those picked and those below n
	for _, s := range r.picked {
		r.order[s] = s
	}
	for i := range n {
		r.order[i] = i
	}
}

func (r *replay) save() []safetensors.Tensor {
	n, d := r.slots.Dims()
	t := append(r.mover.save(), array("slots", r.slots.RawMatrix().Data, n, d), array("started", []float64{flag(r.started)}, 1))
	if box, ok := r.fresh.(*Box); ok {
		t = append(t, array("lo", box.Lo, d), array("hi", box.Hi, d))
	}
	return t
}

func (r *replay) restore(f *safetensors.File) error {
	n, d := r.slots.Dims()
	v, err := numbers(f, "slots", n*d)
	if err != nil {
		return err
	}
	s, err := numbers(f, "started", 1)
	if err != nil {
		return err
	}
	fresh := r.fresh
	if f.Tensor("lo") != nil {
		lo, err := numbers(f, "lo", d)
		if err != nil {
			return err
		}
		hi, err := numbers(f, "hi", d)
		if err != nil {
			return err
		}
		fresh = &Box{Lo: lo, Hi: hi}
	}
	if err := r.mover.restore(f); err != nil {
		return err
	}
	r.fresh = fresh
	copy(r.slots.RawMatrix().Data, v)
	r.started = s[0] != 0
	return nil
}

func finite(v []float64) bool {
	var s float64
	for _, x := range v {
		s += x - x
	}
	return s == 0
}

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
	return &jumps{q: q, times: times, x: mat.NewDense(rows, d, nil), e: make([]float64, rows), q0: make([]float64, rows)}
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
