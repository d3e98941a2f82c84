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
	t := []safetensors.Tensor{array("slots", r.slots.RawMatrix().Data, n, d), array("started", []float64{flag(r.started)}, 1)}
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
	if f.Tensor("lo") != nil {
		lo, err := numbers(f, "lo", d)
		if err != nil {
			return err
		}
		hi, err := numbers(f, "hi", d)
		if err != nil {
			return err
		}
		r.fresh = &Box{Lo: lo, Hi: hi}
	}
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
	y      *mat.Dense
	grad   *mat.Dense
	e      []float64
	qx, qy []float64
}

func newJumps(q Noise, times, n, d int) *jumps {
	return &jumps{q: q, times: times, y: mat.NewDense(n, d, nil), grad: mat.NewDense(n, d, nil), e: make([]float64, n), qx: make([]float64, n), qy: make([]float64, n)}
}

func (j *jumps) move(s *mcmc.State, t mcmc.Target, rng *rand.Rand) error {
	if err := s.Refresh(t); err != nil {
		return err
	}
	j.q.LogProb(j.qx, s.X)
	for range j.times {
		j.q.Sample(j.y, rng)
		j.q.LogProb(j.qy, j.y)
		if err := t.EnergyGrad(j.e, j.grad, j.y); err != nil {
			return err
		}
		for i, ey := range j.e {
			ratio := s.Energy[i] - ey + j.qx[i] - j.qy[i]
			if math.Log(rng.Float64()) < ratio && !math.IsInf(ey, 0) {
				s.X.SetRow(i, j.y.RawRowView(i))
				s.Grad.SetRow(i, j.grad.RawRowView(i))
				s.Energy[i] = ey
				j.qx[i] = j.qy[i]
			}
		}
	}
	return nil
}
