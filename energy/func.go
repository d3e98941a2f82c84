package energy

import (
	"errors"
	"fmt"
	"math/rand/v2"

	G "gorgonia.org/gorgonia"
	"gorgonia.org/tensor"
)

// Func turns any graph into an energy.
//
// It is assumed to be smooth. Objectives that match scores, such as sm and ssm, differentiate it twice in x, which
// misses kinks, as of ReLU and Abs: they would silently learn something else. They reject an energy that reports kinks
// by [Smoothness]; a Func does so by Kinked. It is not inferred from the graph, where kinks may cancel: softplus is
// max(x, 0) + log(1+exp(-|x|)).
//
// A Func that mixes the points of a batch is rejected at compilation, see [CheckRows].
type Func struct {
	D      int                                             // dimension > 0
	Params []Spec                                          // parameters, may be empty
	F      func(x *G.Node, theta G.Nodes) (*G.Node, error) // (n, d) → (n, 1), see Energy.Build
	Start  func(p *Params, rng *rand.Rand)                 // draws θ; nil means the default of Init
	// why E has no continuous second derivative in x; nil means that it has one
	Kinked error
}

var (
	_ Energy      = Func{}
	_ Initializer = Func{}
	_ Smoothness  = Func{}
)

// Dim returns D.
func (f Func) Dim() int { return f.D }

// Specs returns Params.
func (f Func) Specs() []Spec { return f.Params }

// Smooth returns Kinked.
func (f Func) Smooth() error { return f.Kinked }

// Init calls Start.
func (f Func) Init(p *Params, rng *rand.Rand) {
	if f.Start != nil {
		f.Start(p, rng)
		return
	}
	initialise(struct{ Energy }{f}, p, rng)
}

// Build calls F and checks the shape of what it returns.
func (f Func) Build(x *G.Node, theta G.Nodes) (*G.Node, error) {
	if err := checkBuild("Func", f, x, theta); err != nil {
		return nil, err
	}
	if f.F == nil {
		return nil, errors.New("energy: Func.F is nil, want a function that builds (n, 1) energies of x (n, d)")
	}
	e, err := f.F(x, theta)
	if err != nil {
		return nil, fmt.Errorf("energy: Func: %w", err)
	}
	if want := (tensor.Shape{x.Shape()[0], 1}); e == nil || !e.Shape().Eq(want) {
		return nil, fmt.Errorf("energy: Func: energies must have shape %v: one number per row", want)
	}
	return e, nil
}
