package objectives

import (
	"errors"
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

// What a user-defined kernel remembers is part of the state of the objective, even if another kernel runs it; a
// damaged state changes nothing.
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
				t.Errorf("a state of %d bytes in place of %d: error %v, the kernel has %d calls", len(bad), len(state),
					err, other.calls)
			}
		}
	}
}

// countingMethod is a method that counts how often its form draws.
type countingMethod struct {
	NCE
	calls byte
}

func (m *countingMethod) Suited(data Facts) Method { m.NCE = m.NCE.Suited(data).(NCE); return m }
func (m *countingMethod) Form(s Setup) (Form, error) {
	f, err := Denoising{Sigma: .1}.Form(s)
	return countingForm{f, m}, err
}
func (m *countingMethod) MarshalState() ([]byte, error) { return []byte{m.calls}, nil }
func (m *countingMethod) UnmarshalState(b []byte) error { m.calls = b[0]; return nil }

type countingForm struct {
	Form
	m *countingMethod
}

func (f countingForm) Draw(in Inputs, x *mat.Dense, rng *rand.Rand) error {
	f.m.calls++
	return f.Form.Draw(in, x, rng)
}

// twice is a method that remembers something, with a form that does so, too.
type twice struct{ NCE }

func (m *twice) Suited(data Facts) Method    { m.NCE = m.NCE.Suited(data).(NCE); return m }
func (*twice) MarshalState() ([]byte, error) { return nil, nil }
func (*twice) UnmarshalState([]byte) error   { return nil }

// What a method remembers is part of the state, unless its form saves something itself, which is refused.
func TestMethodsRemember(t *testing.T) {
	e, data := energy.GaussianMixture{D: 2, K: 2}, correlated(200, 1)
	cfg := Config{Data: data, Batch: 8}
	m, again := new(countingMethod), new(countingMethod)
	o, err := New(m, e, energy.Init(e, newRNG(1)), cfg)
	if err != nil {
		t.Fatal(err)
	}
	for range 5 {
		if _, err := o.Gradient(make([]float64, energy.NewParams(e.Specs()).Len()), data.Slice(0, 8, 0, 2).(*mat.Dense),
			newRNG(2)); err != nil {
			t.Fatal(err)
		}
	}
	b, err1 := o.MarshalState()
	p, err2 := New(again, e, energy.Init(e, newRNG(1)), cfg)
	if err := errors.Join(err1, err2); err != nil {
		t.Fatal(err)
	}
	if err := p.UnmarshalState(b); err != nil || again.calls != m.calls || m.calls == 0 {
		t.Errorf("restored %d calls of %d, %v", again.calls, m.calls, err)
	}
	if _, err := New(new(twice), e, energy.Init(e, newRNG(1)), cfg); err == nil ||
		!strings.Contains(err.Error(), "both *objectives.twice and its form") {
		t.Errorf("error %v", err)
	}
}

// Fields that no file can hold are named, unless the registered method has them, too.
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
		{MultiDenoising{}, ""},
		{MultiDenoising{}.Suited(Facts{Dim: 2, Spread: 3}), ""},
		{MultiDenoising{Floor: 0.7}, "Floor"},
		{LearnedStein{Width: 8, Rate: 0.1}, "Width Rate"},
	} {
		name, _ := NameOf(c.m)
		if got := strings.Join(Unstored(name, c.m, Facts{Dim: 2, Spread: 3}), " "); got != c.want {
			t.Errorf("%T: %q, want %q", c.m, got, c.want)
		}
	}
}
