package objectives

import (
	"cmp"
	"errors"
	"fmt"
	"reflect"

	"gonum.org/v1/gonum/mat"

	"github.com/stheno-ebm/stheno/energy"
)

// New compiles the objective m for the energy e with parameters p. Zero fields of m are set to suit cfg.Data. If it
// cannot work, the error gives the reason and the remedy.
//
// Over an [energy.Bridge], objectives that match scores get the terms that show them the weights of modes, see the
// package comment.
func New(m Method, e energy.Energy, p *energy.Params, cfg Config) (*Engine, error) {
	if m == nil {
		return nil, errors.New("objectives: New needs a Method")
	}
	if err := errors.Join(cfg.Validate(), energy.CheckParams(e, p)); err != nil {
		return nil, err
	}
	cfg = cfg.withDefaults()
	if cfg.Data != nil {
		if _, d := cfg.Data.Dims(); d != e.Dim() {
			return nil, fmt.Errorf("objectives: Config.Data has dimension %d, the energy %d", d, e.Dim())
		}
	}
	m, err := suit(m, e, cfg.Data)
	if err != nil {
		return nil, err
	}
	traits := m.Traits()
	if err := energy.Smooth(e); traits.Score && err != nil {
		return nil, fmt.Errorf("objectives: %s differentiates the score, and %w; choose silu, tanh, softplus or gelu",
			label(m), err)
	}
	bridge, bridged := e.(*energy.Bridge)
	if bridged {
		if err := spans(m, traits, bridge.Config()); err != nil {
			return nil, err
		}
	}
	f, err := m.Form(Setup{Energy: e, Params: p, Data: cfg.Data, Batch: cfg.Batch, Precision: cfg.Precision,
		Threads: cfg.Threads, Seed: cfg.Seed})
	switch {
	case err != nil:
		return nil, err
	case !bridged:
		return remembering(m)(Compile(f, e, p, cfg))
	case f != nil && !traits.Whole:
		f = beside{f, newBackground(e), cmp.Or(traits.Weight, 1)}
	}
	return remembering(m)(compile(f, bridge.Mixed(), bridge, p, cfg))
}

// remembering makes what a method remembers part of the state of its engine. Only one of it and its form may do so.
func remembering(m Method) func(o *Engine, err error) (*Engine, error) {
	return func(o *Engine, err error) (*Engine, error) {
		s, ok := m.(Stateful)
		switch {
		case err != nil || !ok:
			return o, err
		case o.memory != nil:
			return nil, fmt.Errorf(
				"objectives: both %T and its form have a MarshalState: let the form save what the method remembers", m)
		}
		o.memory = s
		return o, nil
	}
}

// suit sets the zero fields of m and checks all fields.
func suit(m Method, e energy.Energy, data *mat.Dense) (Method, error) {
	facts := FactsOf(data)
	_, facts.Base = e.(*energy.Tilted)
	s := m.Suited(facts)
	if reflect.TypeOf(s) != reflect.TypeOf(m) {
		return nil, fmt.Errorf("objectives: %T.Suited returned a %T, which is another objective: a type that embeds "+
			"one defines Suited itself", m, s)
	}
	return s, s.Validate()
}

// label returns the name of a method for errors, or its type if it has none.
func label(m Method) string {
	if name, ok := NameOf(m); ok {
		return name
	}
	return fmt.Sprintf("%T", m)
}

// spans reports an objective that does not work with a bridge, or a bridge with the wrong blur.
func spans(m Method, t Traits, bridge energy.BridgeConfig) error {
	if !t.Bridge || t.Levels != nil {
		return fmt.Errorf("objectives: a bridge is for objectives that match the score of one density, which %s "+
			"does not; leave it out", label(m))
	}
	if bridge.Blur != t.Blur {
		return fmt.Errorf("objectives: %s blurs the data by %g, the bridge by %g; set BridgeConfig.Blur to %g",
			label(m), t.Blur, bridge.Blur, t.Blur)
	}
	return nil
}

// Evaluator is an objective whose loss can be computed with given auxiliary inputs, as tests against published values
// require.
type Evaluator interface {
	Objective
	Evaluate(grad []float64, x *mat.Dense, in Inputs) (Stats, error)
	InputSpecs() []Input
	Draws() Inputs
}

var _ Evaluator = (*Engine)(nil)
