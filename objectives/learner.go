package objectives

import (
	"slices"

	"github.com/stheno-ebm/stheno/energy"
	"github.com/stheno-ebm/stheno/energy/safetensors"
	"github.com/stheno-ebm/stheno/graphs"
	"github.com/stheno-ebm/stheno/graphs/vector"
)

// Learner is a Form with its own parameters φ, for a critic or a learnt noise. Adam minimises the loss set by
// Builder.SetOwnLoss, which must not use derived inputs: Repeats times with fresh draws after every gradient in θ, or
// together with it if Repeats is zero. A critic fitted to the batch before it judges it would find a discrepancy even
// at the truth.
type Learner interface {
	Form
	OwnParams() *energy.Params
	OwnRate() float64
	Repeats() int
}

// ownState is what Adam needs for a Learner's parameters.
type ownState struct {
	p          *energy.Params
	adam       vector.Adam
	grad, m, v []float64
	t          int
	repeats    int

	fn  *graphs.Function // gradient in φ only, if repeats > 0: a step of φ needs no second derivatives of E
	dst [][]float64
}

func newOwnState(l Learner) *ownState {
	p := l.OwnParams()
	k := p.Len()
	return &ownState{p: p, grad: make([]float64, k), m: make([]float64, k), v: make([]float64, k),
		repeats: l.Repeats(),
		adam:    vector.Adam{LearningRate: l.OwnRate(), Beta1: 0.9, Beta2: 0.999, Eps: 1e-8}}
}

func (w *ownState) step() {
	w.t++
	w.adam.Step(w.p.Data(), w.m, w.v, w.grad, w.t)
	w.p.Changed()
}

func (w *ownState) save() []safetensors.Tensor {
	k := len(w.m)
	return []safetensors.Tensor{array("own.params", w.p.Data(), k), array("own.m", w.m, k), array("own.v", w.v, k),
		array("own.t", []float64{float64(w.t)}, 1)}
}

func (w *ownState) restore(f *safetensors.File) error {
	k := len(w.m)
	var v [4][]float64
	for i, want := range []struct {
		name string
		n    int
	}{{"own.params", k}, {"own.m", k}, {"own.v", k}, {"own.t", 1}} {
		var err error
		if v[i], err = numbers(f, want.name, want.n); err != nil {
			return err
		}
	}
	copy(w.p.Data(), v[0])
	copy(w.m, v[1])
	copy(w.v, v[2])
	w.t = int(v[3][0])
	w.p.Changed()
	return nil
}

// copy returns a copy for restore to write to.
func (w *ownState) copy() *ownState {
	return &ownState{p: w.p.Clone(), m: slices.Clone(w.m), v: slices.Clone(w.v)}
}

// set adopts a copy.
func (w *ownState) set(from *ownState) {
	copy(w.p.Data(), from.p.Data())
	copy(w.m, from.m)
	copy(w.v, from.v)
	w.t = from.t
	w.p.Changed()
}
