package mcmc

import (
	"fmt"
	"math"
	"math/rand/v2"
	"reflect"
)

// Kernel is a transition that leaves exp(-E) invariant (only approximately if its documentation says so).
//
// Further methods declare its capabilities: [Tunable], [Massive], [Outer], [Adaptive], [Traited]. Built-in and other
// kernels are treated alike. Methods that return a kernel must keep its dynamic type, which is checked: a type that
// embeds HMC inherits a WithStep that returns the inner HMC, and must define its own to be adapted.
type Kernel interface {
	// Step moves every chain of s once. It does not check for settings that Validate rejects: with those it may panic,
	// or not move.
	Step(s *State, t Target, rng *rand.Rand) (Info, error)

	// Validate names every setting that is out of range. It is called once by the function that is given a kernel.
	Validate() error
}

// Tunable is a kernel whose step size is adapted during warm-up, from the acceptance in its Info.
type Tunable interface {
	Kernel

	// Tuning describes the step size to tune.
	Tuning() Tuning

	// WithStep returns the kernel with another step size, > 0. Tuning().StepSize of the result must be that step size.
	WithStep(step float64) Kernel
}

// Tuning is what warm-up needs to know about a step size.
type Tuning struct {
	StepSize float64 // current value; 0 if not yet set
	Accept   float64 // mean acceptance that suits the kernel, in (0, 1)
	Square   bool    // the step size is the square of a length, like Langevin's h
	// a single short move with this step size, to find its order of magnitude; nil means the kernel itself
	Trial Kernel
}

// scaled returns the step size for lengths c times as long.
func (t Tuning) scaled(step, c float64) float64 {
	if t.Square {
		return step * c * c
	}
	return step * c
}

// length returns the factor in length for a factor in step size.
func (t Tuning) length(factor float64) float64 {
	if t.Square {
		return math.Sqrt(factor)
	}
	return factor
}

// Massive is a kernel with a mass, which is adapted during warm-up from the draws.
type Massive interface {
	Kernel
	Inertia() Mass             // the current mass; nil means unit mass
	WithMass(mass Mass) Kernel // the kernel with another mass
}

// Outer is a kernel that runs another one. The inner kernel is adapted and reported as if it were on its own.
type Outer interface {
	Kernel
	Inner() Kernel                 // nil if it is missing
	WithInner(inner Kernel) Kernel // the kernel with another inner kernel
}

// Adaptive is a kernel with settings other than step size and mass that are adapted during warm-up, such as the ladder
// of a [Tempering] or the length of an [HMC].
type Adaptive interface {
	Kernel
	Adaptation(w Warmup) Adaptation // for one warm-up; nil if there is nothing to adapt
}

// Adaptation adapts the settings of an [Adaptive] kernel. Its methods get the current kernel and return it with changed
// settings.
type Adaptation interface {
	// after a first step size, or a new one following a change of mass, was set in the kernel
	Start(k Kernel) Kernel
	Update(k Kernel, s *State, info Info) Kernel // after a transition of s
	Window(k Kernel) Kernel                      // at the end of a window, before the search for a new step size
	Finish(k Kernel) Kernel                      // at the end of warm-up
	OwnsStep() bool                              // whether it tunes the step size as well
}

// Traits describes a kernel for diagnostics.
type Traits struct {
	Name       string    // as on the command line; "" means the name of the type
	StepSize   float64   // NaN if it has none
	MaxDepth   int       // maximum tree depth; 0 if there are no trees
	Betas      []float64 // ladder of temperatures, if any
	Unadjusted bool      // no accept step: a wrong step size biases the draws, and acceptance is uninformative
	Crosses    bool      // carries chains between modes
	Bias       string    // why draws do not target exp(-E) even for small steps; "" if they do
	Cure       string    // what helps if chains still stay in their modes; "" means parallel tempering
}

// Traited is a kernel that describes itself.
type Traited interface {
	Kernel
	Traits() Traits
}

// TraitsOf returns the traits of k; for a kernel that is not Traited, the name of its type.
func TraitsOf(k Kernel) Traits {
	t := Traits{StepSize: math.NaN()}
	inherited := false
	if u, ok := k.(Tunable); ok {
		t.StepSize = u.Tuning().StepSize
		inherited = !keeps(k, u.WithStep(1))
	}
	if d, ok := k.(Traited); ok && !inherited {
		t = d.Traits()
	}
	if t.Name == "" {
		t.Name = fmt.Sprintf("%T", k)
	}
	return t
}

// Name returns the name of a kernel as on the command line.
func Name(k Kernel) string { return TraitsOf(k).Name }

// keeps reports whether the kernel returned by a method of k is still of k's type. A pointer to a kernel whose methods
// have value receivers may become the value.
func keeps(k, got Kernel) bool {
	if got == nil {
		return false
	}
	a, b := reflect.TypeOf(k), reflect.TypeOf(got)
	return a == b || a.Kind() == reflect.Pointer && a.Elem() == b
}

// plain dereferences k, and the kernels it runs, where the values are kernels themselves: &HMC{} works like HMC{}.
func plain(k Kernel) Kernel {
	if v := reflect.ValueOf(k); v.Kind() == reflect.Pointer && !v.IsNil() {
		if p, ok := v.Elem().Interface().(Kernel); ok {
			k = p
		}
	}
	if o, ok := k.(Outer); ok && o.Inner() != nil {
		if inner := plain(o.Inner()); reflect.TypeOf(inner) != reflect.TypeOf(o.Inner()) {
			if with := o.WithInner(inner); keeps(k, with) {
				return with
			}
		}
	}
	return k
}

// innermost returns the innermost kernel.
func innermost(k Kernel) Kernel {
	for {
		o, ok := k.(Outer)
		if !ok || o.Inner() == nil {
			return k
		}
		k = o.Inner()
	}
}

// within returns k with f applied to the innermost kernel.
func within(k Kernel, f func(Kernel) Kernel) Kernel {
	if o, ok := k.(Outer); ok && o.Inner() != nil {
		return o.WithInner(within(o.Inner(), f))
	}
	return f(k)
}

// withStep returns k with another step size of the innermost kernel, which is Tunable.
func withStep(k Kernel, step float64) Kernel {
	return within(k, func(in Kernel) Kernel { return in.(Tunable).WithStep(step) })
}

// tuningOf returns the Tuning of the innermost kernel, which is Tunable.
func tuningOf(k Kernel) Tuning { return innermost(k).(Tunable).Tuning() }

// tunable reports whether the step size of the innermost kernel can be tuned. An error says that it only seems so.
func tunable(k Kernel) (bool, error) {
	if err := checkOuter(k); err != nil {
		return false, err
	}
	in := innermost(k)
	u, ok := in.(Tunable)
	if !ok {
		return false, nil
	}
	const step = .1
	got := u.WithStep(step)
	if !keeps(in, got) {
		return false, fmt.Errorf(
			"mcmc: WithStep of %T returns a %T: define WithStep on %[1]T to have it adapted, or set Warmup.Steps to 0",
			in, got)
	}
	if set := got.(Tunable).Tuning().StepSize; set != step {
		return false, fmt.Errorf("mcmc: %T.WithStep(%g) has step %g", in, step, set)
	}
	return true, nil
}

// massive reports whether the innermost kernel has a mass that can be adapted.
func massive(k Kernel) (bool, error) {
	in := innermost(k)
	m, ok := in.(Massive)
	if !ok {
		return false, nil
	}
	if got := m.WithMass(m.Inertia()); !keeps(in, got) {
		return false, fmt.Errorf(
			"mcmc: WithMass of %T returns a %T: define WithMass on %[1]T to have its mass adapted, "+
				"or set Warmup.KeepMass", in, got)
	}
	return true, nil
}

// checkOuter reports an outer kernel that loses its type when its inner kernel is replaced.
func checkOuter(k Kernel) error {
	o, ok := k.(Outer)
	if !ok || o.Inner() == nil {
		return nil
	}
	if got := o.WithInner(o.Inner()); !keeps(k, got) {
		return fmt.Errorf(
			"mcmc: WithInner of %T returns a %T: define WithInner on %[1]T to have what it runs adapted, or set "+
				"Warmup.Steps to 0", k, got)
	}
	return checkOuter(o.Inner())
}

// checkInner reports a kernel that cannot be the inner kernel of one that moves between modes.
func checkInner(outer string, k Kernel) error {
	if k == nil {
		return check(false, "mcmc: %s.Kernel is missing, e.g. HMC{StepSize: 0.1}", outer)
	}
	if k = plain(k); TraitsOf(k).Crosses {
		return check(false, "mcmc: %s.Kernel = %T, want a kernel that does not go between modes by itself, such as HMC",
			outer, k)
	}
	return k.Validate()
}
