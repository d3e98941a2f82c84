package objectives

import (
	"errors"
	"math"
	"math/rand/v2"
	"testing"

	"gonum.org/v1/gonum/mat"

	"github.com/stheno-ebm/stheno/mcmc"
)

func newRNG(seed uint64) *rand.Rand { return rand.New(rand.NewPCG(seed, 1)) }

// counting is a kernel that leaves the first coordinate, the name of the slot, alone and adds 1 to the second.
type counting struct{ swap bool } // the mistake: rows trade places

func (counting) Validate() error { return nil }

func (k counting) Step(s *mcmc.State, _ mcmc.Target, _ *rand.Rand) (mcmc.Info, error) {
	n, _ := s.X.Dims()
	for i := range n {
		s.X.Set(i, 1, s.X.At(i, 1)+1)
	}
	if k.swap {
		first := append([]float64(nil), s.X.RawRowView(0)...)
		s.X.SetRow(0, s.X.RawRowView(1))
		s.X.SetRow(1, first)
	}
	return mcmc.Info{AcceptProb: 1}, nil
}

// marks is a Noise whose draws can be distinguished from everything else.
type marks struct{ drawn int }

func (m *marks) Sample(dst *mat.Dense, _ *rand.Rand) {
	n, d := dst.Dims()
	m.drawn += n
	for i := range n {
		for j := range d {
			dst.Set(i, j, -1)
		}
	}
}

func (m *marks) Dim() int { return 1 }

func (m *marks) LogProb(dst []float64, _ *mat.Dense) {
	for i := range dst {
		dst[i] = 0
	}
}

// fill runs the buffer for several gradients and returns it with the number of visits.
func fill(t *testing.T, k mcmc.Kernel, slots, n, d, calls int, restart float64, fresh Noise) *replay {
	t.Helper()
	r := newReplay(mover{target: well, kernel: k, steps: 1, stale: func() {}}, slots, n, d, fresh, restart)
	r.started = true
	for i := range slots {
		r.slots.Set(i, 0, float64(i))
	}
	rng := newRNG(3)
	x, dst := mat.NewDense(n, d, nil), mat.NewDense(n, d, nil)
	for range calls {
		if _, err := r.sample(dst, x, rng); err != nil {
			t.Fatal(err)
		}
		seen := map[int]bool{}
		for _, s := range r.picked {
			if seen[s] {
				t.Fatalf("slot %d was taken twice", s)
			}
			seen[s] = true
		}
		for i, s := range r.order {
			if i != s {
				t.Fatalf("the order is not restored: %v", r.order)
			}
		}
	}
	return r
}

func misplaced(r *replay) (wrong int) {
	n, _ := r.slots.Dims()
	for i := range n {
		if r.slots.At(i, 0) != float64(i) {
			wrong++
		}
	}
	return wrong
}

// Whatever is read from a slot returns to that slot, in two and in five dimensions; every row is written back once
// per visit.
func TestReplayReturnsToItsSlot(t *testing.T) {
	for _, d := range []int{2, 5} {
		r := fill(t, counting{}, 30, 7, d, 50, 0, nil)
		if w := misplaced(r); w != 0 {
			t.Errorf("d = %d: %d slots hold the chain of another", d, w)
		}
		var visits float64
		for i := range 30 {
			visits += r.slots.At(i, 1)
		}
		if visits != 7*50 {
			t.Errorf("d = %d: %g visits recorded, want %d", d, visits, 7*50)
		}
	}
	if misplaced(fill(t, counting{swap: true}, 30, 7, 2, 50, 0, nil)) == 0 {
		t.Error("chains written back to other slots are not noticed")
	}
}

// The slots are chosen uniformly: χ² of the visits.
func TestReplayPicksUniformly(t *testing.T) {
	const slots, n, calls = 20, 5, 4000
	r := fill(t, counting{}, slots, n, 2, calls, 0, nil)
	want := float64(n*calls) / slots
	var chi float64
	for i := range slots {
		d := r.slots.At(i, 1) - want
		chi += d * d / want
	}
	// mean 19·(1-n/slots), about χ² with 19 degrees of freedom: 50.8 is exceeded with probability 1e-4
	if chi > 50.8 {
		t.Errorf("χ² = %g of visits, want below 50.8", chi)
	}
}

// Restarts have the requested share.
func TestReplayRestartShare(t *testing.T) {
	const n, calls, share = 10, 2000, 0.05
	m := &marks{}
	fill(t, counting{}, 50, n, 2, calls, share, m)
	mean := n * calls * share
	if se := math.Sqrt(mean * (1 - share)); math.Abs(float64(m.drawn)-mean) > 4*se {
		t.Errorf("%d restarts, want %g ± %g", m.drawn, mean, se)
	}
}

// A chain that diverged does not enter the buffer.
func TestReplayKeepsFinitePoints(t *testing.T) {
	bad := kernelFunc(func(s *mcmc.State) { s.X.Set(0, 0, math.NaN()) })
	r := fill(t, bad, 8, 3, 2, 20, 0, nil)
	if misplaced(r) != 0 {
		t.Error("a slot holds NaN")
	}
}

type kernelFunc func(s *mcmc.State)

func (kernelFunc) Validate() error { return nil }
func (k kernelFunc) Step(s *mcmc.State, _ mcmc.Target, _ *rand.Rand) (mcmc.Info, error) {
	k(s)
	return mcmc.Info{AcceptProb: 1}, nil
}

func TestReplayReportsKernelErrors(t *testing.T) {
	want := errors.New("broken")
	r := newReplay(mover{kernel: failing{want}, steps: 1, stale: func() {}}, 4, 2, 1,
		boxOf(mat.NewDense(2, 1, []float64{0, 1})), 0)
	_, err := r.sample(mat.NewDense(2, 1, nil), mat.NewDense(2, 1, nil), newRNG(1))
	if !errors.Is(err, want) {
		t.Errorf("got %v, want %v", err, want)
	}
}

type failing struct{ err error }

func (failing) Validate() error { return nil }
func (f failing) Step(*mcmc.State, mcmc.Target, *rand.Rand) (mcmc.Info, error) {
	return mcmc.Info{}, f.err
}

// The chains of pcd continue from gradient to gradient, each in its own row, whatever the batch is by then.
func TestPersistentChainsGoOn(t *testing.T) {
	c := &persistent{mover: mover{target: well, kernel: counting{}, steps: 1, stale: func() {}},
		chains: mat.NewDense(5, 3, nil)}
	x, dst := mat.NewDense(5, 3, nil), mat.NewDense(5, 3, nil)
	for i := range 5 {
		x.Set(i, 0, float64(i))
	}
	const calls = 7
	for k := range calls {
		if _, err := c.sample(dst, x, newRNG(1)); err != nil {
			t.Fatal(err)
		}
		for i := range 5 {
			if dst.At(i, 0) != float64(i) || dst.At(i, 1) != float64(k+1) {
				t.Fatalf("call %d: row %d stands at %v, want chain %d after %d steps", k, i, dst.RawRowView(i), i, k+1)
			}
		}
		x.Set(0, 0, 1e6) // another batch
	}
}
