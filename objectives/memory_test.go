package objectives

import (
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"gonum.org/v1/gonum/mat"

	"github.com/stheno-ebm/stheno/energy"
	"github.com/stheno-ebm/stheno/mcmc"
)

// recalling is a kernel that remembers how often it was called.
type recalling struct {
	mcmc.MALA
	calls byte
}

func (k *recalling) Step(s *mcmc.State, t mcmc.Target, rng *rand.Rand) (mcmc.Info, error) {
	k.calls++
	return k.MALA.Step(s, t, rng)
}

func (k *recalling) MarshalState() ([]byte, error) { return []byte{k.calls}, nil }
func (k *recalling) UnmarshalState(b []byte) error {
	if len(b) != 1 {
		return noState(b)
	}
	k.calls = b[0]
	return nil
}

// What a kernel of one's own remembers is part of the state of the objective, also where another kernel runs it; a damaged state
// changes nothing.
func TestKernelsRemember(t *testing.T) {
	e := energy.GaussianMixture{D: 2, K: 2}
	data := correlated(200, 1)
	for _, jumping := range []bool{false, true} {
		made := func() (*Engine, *recalling) {
			k := &recalling{MALA: mcmc.MALA{StepSize: .01}}
			c := Chains{Kernel: k}
			if jumping {
				c.Kernel = mcmc.Jumping{Kernel: k, Proposal: boxOf(data)}
			}
			o, err := New(PersistentCD{c}, e, energy.Init(e, newRNG(1)), Config{Data: data, Batch: 8})
			if err != nil {
				t.Fatal(err)
			}
			return o, k
		}
		o, k := made()
		grad := make([]float64, energy.NewParams(e.Specs()).Len())
		for range 3 {
			if _, err := o.Gradient(grad, data.Slice(0, 8, 0, 2).(*mat.Dense), newRNG(2)); err != nil {
				t.Fatal(err)
			}
		}
		state, err := o.MarshalState()
		if err != nil {
			t.Fatal(err)
		}
		again, other := made()
		if err := again.UnmarshalState(state); err != nil || other.calls != k.calls || k.calls == 0 {
			t.Errorf("restored %d calls of %d, %v", other.calls, k.calls, err)
		}
		if b, err := again.MarshalState(); err != nil || !slices.Equal(b, state) {
			t.Errorf("the state that was restored is another: %v", err)
		}
		other.calls = 77
		for _, bad := range [][]byte{state[:len(state)-1], state[:20], append(slices.Clone(state), 1)} {
			if err := again.UnmarshalState(bad); err == nil || other.calls != 77 {
				t.Errorf("a state of %d bytes in place of %d: error %v, the kernel has %d calls", len(bad), len(state), err, other.calls)
			}
		}
	}
}

// Fields that no file holds are named, unless the registered method has them, too.
func TestUnstored(t *testing.T) {
	k := &recalling{}
	for _, c := range []struct {
		m    Method
		want string
	}{
		{PersistentCD{}, ""},
		{PersistentCD{Chains{Steps: 3, Alpha: 1}}, ""},
		{PersistentCD{Chains{Kernel: k, Density: boxOf(mat.NewDense(2, 1, []float64{0, 1}))}}, "Kernel Density"},
		{NCE{Density: boxOf(mat.NewDense(2, 1, []float64{0, 1}))}, "Density"},
	} {
		name, _ := NameOf(c.m)
		if got := strings.Join(Unstored(name, c.m), " "); got != c.want {
			t.Errorf("%T: %q, want %q", c.m, got, c.want)
		}
	}
}
