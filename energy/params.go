package energy

import (
	"errors"
	"fmt"
	"slices"
	"sync/atomic"
)

// Params holds the parameters of an energy: one flat slice θ with a named, shaped view per [Spec].
//
// After writing to θ call Changed, so that evaluators read it again. Writing while another goroutine evaluates is a
// data race.
type Params struct {
	specs   []Spec
	data    []float64
	views   [][]float64
	version *atomic.Uint64
}

// NewParams returns zero parameters. It panics if a name occurs twice or a shape is not positive.
func NewParams(specs []Spec) *Params {
	n := 0
	seen := make(map[string]bool, len(specs))
	for _, s := range specs {
		if seen[s.Name] {
			panic(fmt.Sprintf("energy: parameter name %q occurs twice", s.Name))
		}
		seen[s.Name] = true
		for _, d := range s.Shape {
			if d <= 0 {
				panic(fmt.Sprintf("energy: parameter %q has shape %v", s.Name, s.Shape))
			}
		}
		n += s.Size()
	}
	return newParams(specs, make([]float64, n), new(atomic.Uint64))
}

func newParams(specs []Spec, data []float64, version *atomic.Uint64) *Params {
	p := &Params{specs: specs, data: data, version: version}
	p.views = p.Views(data)
	return p
}

// Len returns the number of parameters.
func (p *Params) Len() int { return len(p.data) }

// Data returns θ itself, not a copy.
func (p *Params) Data() []float64 { return p.data }

// Set copies theta, which must have the length of θ, to θ, and notifies evaluators.
func (p *Params) Set(theta []float64) {
	if len(theta) != len(p.data) {
		panic("energy: wrong number of parameters")
	}
	copy(p.data, theta)
	p.Changed()
}

// Specs returns names and shapes, in the order of θ. The caller must not change them.
func (p *Params) Specs() []Spec { return p.specs }

// View returns the part of θ with this name, row-major, or nil if there is none.
func (p *Params) View(name string) []float64 {
	for i, s := range p.specs {
		if s.Name == name {
			return p.views[i]
		}
	}
	return nil
}

// Views divides v, which must have the length of θ, into one slice per parameter.
func (p *Params) Views(v []float64) [][]float64 {
	return p.appendViews(make([][]float64, 0, len(p.specs)), v)
}

// AppendViews is Views appending to dst; it does not allocate if dst has room.
func (p *Params) AppendViews(dst [][]float64, v []float64) [][]float64 { return p.appendViews(dst, v) }

func (p *Params) appendViews(dst [][]float64, v []float64) [][]float64 {
	if len(v) != len(p.data) {
		panic("energy: wrong number of parameters")
	}
	for _, s := range p.specs {
		n := s.Size()
		dst = append(dst, v[:n:n])
		v = v[n:]
	}
	return dst
}

// Sub returns the n parameters from the i-th on as separate Params, which share θ and the version with p.
func (p *Params) Sub(i, n int) *Params {
	lo := 0
	for _, s := range p.specs[:i] {
		lo += s.Size()
	}
	hi := lo
	for _, s := range p.specs[i : i+n] {
		hi += s.Size()
	}
	return newParams(p.specs[i:i+n:i+n], p.data[lo:hi:hi], p.version)
}

// Clone returns a copy with its own θ.
func (p *Params) Clone() *Params {
	q := newParams(p.specs, append([]float64(nil), p.data...), new(atomic.Uint64))
	return q
}

// Changed notifies evaluators that θ was written to.
func (p *Params) Changed() { p.version.Add(1) }

// Version counts the calls of Changed.
func (p *Params) Version() uint64 { return p.version.Load() }

// CheckParams returns an error unless p has the names and shapes that e requires.
func CheckParams(e Energy, p *Params) error {
	if e == nil || p == nil {
		return errors.New("energy: an energy and its parameters are needed, one is nil; Init makes parameters")
	}
	want, got := e.Specs(), p.Specs()
	if len(want) != len(got) {
		return fmt.Errorf("energy: %d parameters given, the energy has %d", len(got), len(want))
	}
	for i := range want {
		if want[i].Name != got[i].Name || !slices.Equal(want[i].Shape, got[i].Shape) {
			return fmt.Errorf("energy: parameter %d is %s %v, the energy wants %s %v", i, got[i].Name, got[i].Shape,
				want[i].Name, want[i].Shape)
		}
	}
	return nil
}
