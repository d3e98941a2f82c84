package objectives

import (
	"cmp"
	"fmt"
	"math/rand/v2"

	"gonum.org/v1/gonum/mat"

	"github.com/stheno-ebm/stheno/datasets/density"
	"github.com/stheno-ebm/stheno/energy/safetensors"
	"github.com/stheno-ebm/stheno/mcmc"
)

// Likelihood is `ml`, the loss of [Chains] with a replay buffer of points where earlier chains ended. A gradient takes
// as many distinct slots as the batch has rows, starts a chain at each or, with probability restart, at a fresh point,
// and writes the end of every chain back to its slot.
//
// Du and Mordatch, Implicit generation and modeling with energy-based models, arXiv 1903.08689, section 3.2.
type Likelihood struct {
	Chains
	Buffer  int     `json:"buffer" help:"Slots of the replay buffer; 0, the default, means 10000, or ten batches if that is more."`
	Restart float64 `json:"restart" help:"Share of chains that start afresh, 0 to 1; 0 by default. Jumps are fresh starts without their bias."`
}

func init() { Register("ml", Likelihood{}) }

// Traits describes the objective.
func (m Likelihood) Traits() Traits {
	return Traits{Summary: "maximum likelihood with a replay buffer", Source: "Du and Mordatch 2019", Chains: true,
		Bias: m.bias("as far as replayed chains, %s per gradient, lag behind the model")}
}

// Validate names the fields out of range.
func (m Likelihood) Validate() error {
	return m.check(m).Whole("Buffer", 0, mostSlots).Share("Restart").Err()
}

// Suited sets zero fields except the size of the buffer, which depends on the batch.
func (m Likelihood) Suited(data Facts) Method {
	m.Chains = m.suited(data)
	return m
}

// Recipe returns the recipe for objectives that compare energies, with fewer steps, since each runs chains.
func (m Likelihood) Recipe(data Facts) Recipe { return m.recipe(data) }

// Form returns the loss.
func (m Likelihood) Form(s Setup) (Form, error) {
	slots := cmp.Or(m.Buffer, max(10000, 10*s.Batch))
	if slots < s.Batch {
		return nil, WrongField(m, "Buffer", fmt.Sprintf("at least the batch, which is %d: every row takes a slot of "+
			"its own", s.Batch))
	}
	fresh := m.Density
	if fresh == nil && s.Data != nil {
		var err error
		if fresh, err = noise(density.BoxOf(s.Data, 0.25)); err != nil {
			return nil, err
		}
	}
	return m.form(s, func(c mover) (negatives, error) {
		return newReplay(c, slots, s.Batch, s.Energy.Dim(), fresh, m.Restart), nil
	})
}

// mostSlots bounds the memory of a buffer.
const mostSlots = 10_000_000

// replay is the buffer.
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
	r := &replay{mover: m, slots: mat.NewDense(slots, d, nil), order: make([]int, slots), picked: make([]int, n),
		fresh: fresh, restart: restart}
	for i := range r.order {
		r.order[i] = i
	}
	return r
}

// start fills the buffer with fresh points.
func (r *replay) start(x *mat.Dense, rng *rand.Rand) error {
	if r.fresh == nil {
		box, err := noise(density.BoxOf(x, 0.25))
		if err != nil {
			return err
		}
		r.fresh = box
	}
	r.fresh.Sample(r.slots, rng)
	r.started = true
	return nil
}

func (r *replay) sample(dst, x *mat.Dense, rng *rand.Rand) (mcmc.Info, error) {
	if !r.started {
		if err := r.start(x, rng); err != nil {
			return mcmc.Info{}, err
		}
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

// pick draws distinct slots by the first steps of a Fisher–Yates shuffle, which it then undoes.
func (r *replay) pick(rng *rand.Rand) {
	n := len(r.picked)
	for i := range n {
		j := i + rng.IntN(len(r.order)-i)
		r.order[i], r.order[j] = r.order[j], r.order[i]
		r.picked[i] = r.order[i]
	}
	// slots moved by the swaps: those picked, and those below n
	for _, s := range r.picked {
		r.order[s] = s
	}
	for i := range n {
		r.order[i] = i
	}
}

func (r *replay) save() []safetensors.Tensor {
	n, d := r.slots.Dims()
	t := append(r.mover.save(), array("slots", r.slots.RawMatrix().Data, n, d),
		array("started", []float64{flag(r.started)}, 1))
	if box, ok := r.fresh.(*density.Box); ok {
		lo, hi := box.Corners()
		t = append(t, array("lo", lo, d), array("hi", hi, d))
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
		if fresh, err = noise(density.NewBox(lo, hi)); err != nil {
			return err
		}
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
