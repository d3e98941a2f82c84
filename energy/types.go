package energy

import (
	"fmt"
	"math"
	"math/rand/v2"

	"gonum.org/v1/gonum/mat"
	G "gorgonia.org/gorgonia"
	"gorgonia.org/tensor"
)

// Spec names one parameter and gives its shape. Networks use PyTorch's names and shapes.
type Spec struct {
	Name  string
	Shape []int
}

// Size returns the number of elements.
func (s Spec) Size() int {
	n := 1
	for _, d := range s.Shape {
		n *= d
	}
	return n
}

// Energy is a family of functions E_θ: R^d → R, described by a graph.
type Energy interface {
	// Dim returns d > 0.
	Dim() int

	// Specs returns the names and shapes of θ, in the order of Build's theta. The result is the same for every call.
	Specs() []Spec

	// Build adds the energies (n, 1) of the rows of x (n, d) to x's graph; theta holds one node per Spec. Row i of the
	// result depends on row i of x only. Build may be called several times for one graph. It is called with the lock of
	// package graphs held, and must not acquire it.
	Build(x *G.Node, theta G.Nodes) (*G.Node, error)
}

// Initializer is an energy that knows how to draw its θ.
type Initializer interface {
	Init(p *Params, rng *rand.Rand)
}

// Smoothness is an energy that declares how often it can be differentiated in x. An energy that does not implement it
// is assumed to be smooth. A [Func] uses its field Kinked; your own type implements the method.
type Smoothness interface {
	// Smooth returns nil if E has a continuous second derivative in x, else the reason why not.
	Smooth() error
}

// Smooth returns nil if e has continuous second derivatives, or does not say.
func Smooth(e Energy) error {
	if s, ok := e.(Smoothness); ok {
		return s.Smooth()
	}
	return nil
}

// wrapped is the common part of energies that keep the parameters of another one. They define their own Build.
type wrapped struct{ inner Energy }

// Inner returns the inner energy.
func (w wrapped) Inner() Energy { return w.inner }

// Dim returns the dimension of the inner energy.
func (w wrapped) Dim() int { return w.inner.Dim() }

// Specs returns the parameters of the inner energy.
func (w wrapped) Specs() []Spec { return w.inner.Specs() }

// Smooth asks the inner energy.
func (w wrapped) Smooth() error { return Smooth(w.inner) }

// Init initialises the inner energy.
func (w wrapped) Init(p *Params, rng *rand.Rand) { initialise(w.inner, p, rng) }

// Known is an energy whose density is known exactly, for tests and certificates.
type Known interface {
	Energy

	// LogZ returns log ∫ exp(-E_θ(x)) dx.
	LogZ(p *Params) float64

	// Sample fills the rows of dst with independent draws from p_θ.
	Sample(p *Params, dst *mat.Dense, rng *rand.Rand)
}

// Precision is the type of numbers in a compiled graph. Numbers at the interfaces are always float64.
type Precision int

// The precisions. The zero value is Float32.
const (
	Float32 Precision = iota // fast
	Float64                  // reference
)

// Dtype returns the tensor type.
func (p Precision) Dtype() tensor.Dtype {
	if p == Float64 {
		return tensor.Float64
	}
	return tensor.Float32
}

func (p Precision) String() string {
	if p == Float64 {
		return "float64"
	}
	return "float32"
}

// ParsePrecision reads "float32" or "float64".
func ParsePrecision(s string) (Precision, error) {
	switch s {
	case "float32":
		return Float32, nil
	case "float64":
		return Float64, nil
	}
	return 0, fmt.Errorf("energy: precision %q, want float32 or float64", s)
}

// positive reports whether v is a number above zero: not NaN, not infinite.
func positive(v float64) bool { return v > 0 && !math.IsInf(v, 1) }

// check returns an error with the given text unless ok.
func check(ok bool, format string, args ...any) error {
	if ok {
		return nil
	}
	return fmt.Errorf(format, args...)
}

// checkBuild reports a wrong number of parameters or a batch of the wrong width, in the same words for every energy.
func checkBuild(name string, e Energy, x *G.Node, theta G.Nodes) error {
	s := x.Shape()
	if len(s) != 2 || s[1] != e.Dim() {
		return fmt.Errorf("energy: %s: points of shape %v, want (n, %d)", name, s, e.Dim())
	}
	specs := e.Specs()
	if len(theta) != len(specs) {
		return fmt.Errorf("energy: %s: %d parameters, want %d", name, len(theta), len(specs))
	}
	for i, t := range theta {
		if !t.Shape().Eq(tensor.Shape(specs[i].Shape)) {
			return fmt.Errorf("energy: %s: parameter %s has shape %v, want %v", name, specs[i].Name, t.Shape(),
				specs[i].Shape)
		}
	}
	return nil
}
