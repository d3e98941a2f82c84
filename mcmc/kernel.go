package mcmc

import (
	"fmt"
	"math"
	"math/rand/v2"
	"reflect"
)

// Kernel is a transition that leaves exp(-E) unchanged (approximately so where its documentation says it).
//
// What else a kernel can do it says by further methods: [Tunable], [Massive], [Outer], [Adaptive], [Traited]. They
// are looked for in everybody's kernels alike. The methods that return a kernel keep its dynamic type, which is
// compared: a type that embeds HMC inherits a WithStep that returns the HMC inside, and must define its own before
// it can be adapted.
type Kernel interface {
	// Step moves every chain of s once. It does not look for settings that Validate refuses: with them it may
	// panic, or move nothing.
	Step(s *State, t Target, rng *rand.Rand) (Info, error)

	// Validate names every setting that is out of range. It is called once by whoever is handed a kernel.
	Validate() error
}

// Tunable is a kernel whose step is found during warm-up, from the acceptance that its Info tells.
type Tunable interface {
	Kernel

	// Tuning says what there is to tune.
	Tuning() Tuning

	// WithStep returns the kernel with another step, > 0. Tuning().StepSize of what it returns is that step.
	WithStep(step float64) Kernel
}

// Tuning is what warm-up must know of a step.
type Tuning struct {
	StepSize float64 // at present; 0 where none was given yet
	Accept   float64 // mean acceptance that suits the kernel, in (0, 1)
	Square   bool    // the step is the square of a length, as Langevin's h is
	Trial    Kernel  // a single short move of the present step, which tells its order of magnitude; nil means the kernel itself
}

// scaled returns the step for lengths c times as long.
func (t Tuning) scaled(step, c float64) float64 {
	if t.Square {
		return step * c * c
	}
	return step * c
}

// length returns the factor of length for a factor of the step.
func (t Tuning) length(factor float64) float64 {
	if t.Square {
		return math.Sqrt(factor)
	}
	return factor
}

// Massive is a kernel with a mass, which is found during warm-up from where the chains were.
type Massive interface {
	Kernel
	Inertia() Mass             // the present mass; nil means unit mass
	WithMass(mass Mass) Kernel // the kernel with another mass
}

// Outer is a kernel that runs another one. What is inside is adapted, and told of, as if it stood alone.
type Outer interface {
	Kernel
	Inner() Kernel                 // nil where it is missing
	WithInner(inner Kernel) Kernel // the kernel around another one
}

// Adaptive is a kernel that finds settings of its own during warm-up besides step and mass, such as the ladder of a
// [Tempering] and the length of an [HMC].
type Adaptive interface {
	Kernel
	Adaptation(w Warmup) Adaptation // for one warm-up; nil where the settings leave nothing to find
}

// Adaptation finds the settings of an [Adaptive] kernel. The methods are handed the kernel as it is and return it
// with what has changed.
type Adaptation interface {
	Start(k Kernel) Kernel                       // a first step, or a new one after the mass changed, was found; the kernel has it
	Update(k Kernel, s *State, info Info) Kernel // after a transition of s
	Window(k Kernel) Kernel                      // a window ends, before the new step is looked for
	Finish(k Kernel) Kernel                      // the warm-up ends
	OwnsStep() bool                              // it tunes the step as well, which is then left to it
}

// Traits is what those who look at draws may know of a kernel.
type Traits struct {
	Name       string    // as on the command line; "" means that of the type
	StepSize   float64   // NaN where it has none
	MaxDepth   int       // deepest tree; 0 where there are no trees
	Betas      []float64 // ladder of temperatures, if any
	Unadjusted bool      // without an accept step: a wrong step biases the draws, and the acceptance tells nothing
	Crosses    bool      // carries chains between modes
	Bias       string    // why draws do not follow exp(-E) even for small steps; "" if they do
	Cure       string    // what helps where chains stay in their modes nevertheless; "" means parallel tempering
}

// Traited is a kernel that says what it is.
type Traited interface {
	Kernel
	Traits() Traits
}

// TraitsOf returns what k says of itself, and of a kernel that says nothing its type.
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

// keeps reports whether what a method of k returned is still of k's type. A pointer to a kernel whose methods have
// value receivers may become the value.
func keeps(k, got Kernel) bool {
	if got == nil {
		return false
	}
	a, b := reflect.TypeOf(k), reflect.TypeOf(got)
	return a == b || a.Kind() == reflect.Pointer && a.Elem() == b
}

// plain returns the kernel that k, or what k runs, points to where that is a kernel itself: &HMC{} is as good as
// HMC{}.
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

// innermost returns the kernel inside all others.
func innermost(k Kernel) Kernel {
	for {
		o, ok := k.(Outer)
		if !ok || o.Inner() == nil {
			return k
		}
		k = o.Inner()
	}
}

// within returns k with f applied to the kernel inside all others.
func within(k Kernel, f func(Kernel) Kernel) Kernel {
	if o, ok := k.(Outer); ok && o.Inner() != nil {
		return o.WithInner(within(o.Inner(), f))
	}
	return f(k)
}

// withStep returns k with another step of the kernel inside, which is Tunable.
func withStep(k Kernel, step float64) Kernel {
	return within(k, func(in Kernel) Kernel { return in.(Tunable).WithStep(step) })
}

// stepOf returns the step of the kernel inside, which is Tunable.
func tuningOf(k Kernel) Tuning { return innermost(k).(Tunable).Tuning() }

// tunable reports whether the step of the kernel inside can be tuned. An error says that it seems so but is not.
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
		return false, fmt.Errorf("mcmc: WithStep of %T returns a %T: define WithStep on %[1]T to have it adapted, or set Warmup.Steps to 0", in, got)
	}
	if set := got.(Tunable).Tuning().StepSize; set != step {
		return false, fmt.Errorf("mcmc: %T.WithStep(%g) has step %g", in, step, set)
	}
	return true, nil
}

// massive reports whether the kernel inside has a mass that can be adapted.
func massive(k Kernel) (bool, error) {
	in := innermost(k)
	m, ok := in.(Massive)
	if !ok {
		return false, nil
	}
	if got := m.WithMass(m.Inertia()); !keeps(in, got) {
		return false, fmt.Errorf("mcmc: WithMass of %T returns a %T: define WithMass on %[1]T to have its mass adapted, or set Warmup.KeepMass", in, got)
	}
	return true, nil
}

// checkOuter reports a kernel that runs another, but is lost when that is replaced.
func checkOuter(k Kernel) error {
	o, ok := k.(Outer)
	if !ok || o.Inner() == nil {
		return nil
	}
	if got := o.WithInner(o.Inner()); !keeps(k, got) {
		return fmt.Errorf("mcmc: WithInner of %T returns a %T: define WithInner on %[1]T to have what it runs adapted, or set Warmup.Steps to 0", k, got)
	}
	return checkOuter(o.Inner())
}

// checkInner reports a kernel that cannot be run by another one that carries chains between modes.
func checkInner(outer string, k Kernel) error {
	if k == nil {
		return check(false, "mcmc: %s.Kernel is missing, e.g. HMC{StepSize: 0.1}", outer)
	}
	if k = plain(k); TraitsOf(k).Crosses {
		return check(false, "mcmc: %s.Kernel = %T, want a kernel that does not go between modes by itself, such as HMC", outer, k)
	}
	return k.Validate()
}
