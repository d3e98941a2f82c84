package mcmc

import (
	"errors"
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
)

// Adapter warms a kernel up: it moves chains and adapts the kernel's settings along the way.
//
//   - The step size of a [Tunable] kernel, by dual averaging of the acceptance. In the initial fast phase every chain
//     has its own step size, found at its starting point, so that no start can spoil the step size of the others;
//     then they share one that follows their mean acceptance. A chain that is out of order (its energy is not finite
//     or far above that of the others, or it does not move) keeps its own step size and is excluded from everything
//     pooled until it has caught up. A chain whose energy is not finite after the fast phase, or that has not found
//     the bulk of the density when the last window begins, abandons its start and continues from the position of
//     another; see Left. A chain that the shared step size brings to a standstill pulls it down.
//   - The target acceptance, if none was given: it rises where the curvature of the target varies, so that a step
//     size that suits most places is too long for some.
//   - The [Mass] of a [Massive] kernel, from the draws and gradients of all chains in windows of doubling length; see
//     [FitMass]. A kernel that carries chains between modes keeps its mass: the covariance over several modes is not
//     that of any of them.
//   - The settings of an [Adaptive] kernel: the ladder of a Tempering, the length of an HMC.
//
// Settings of the kernel inside an [Outer] kernel are adapted there. The windows are Stan's; after each, a new step
// size is searched for, starting from the current one.
//
// Call Step until Done, then draw with Kernel.
type Adapter struct {
	kernel Kernel
	cfg    Warmup
	t      int // transitions so far
	tuned  bool
	mass   bool // is adapted
	own    Adaptation

	windows windows
	step    dualAveraging
	chains  []follower
	alone   bool // every chain has its own step size
	scales  []float64
	draws   history
	uneven  float64   // unevenness of the target, from the last window
	given   []LeftOut // chains whose starts were abandoned
}

// NewAdapter returns an adapter for a kernel, which may have no step size if that is to be adapted. A warm-up in which
// nothing can be adapted is an error.
func NewAdapter(k Kernel, cfg Warmup) (*Adapter, error) {
	if k == nil {
		return nil, errors.New("mcmc: an Adapter without a kernel, want e.g. HMC{}")
	}
	if err := cfg.Validate(); err != nil {
		return nil, err
	}
	a := &Adapter{cfg: cfg, kernel: plain(k), windows: newWindows(cfg.Steps)}
	if cfg.Steps > 0 {
		if err := a.capabilities(); err != nil {
			return nil, err
		}
	}
	if err := a.kernel.Validate(); err != nil {
		return nil, err
	}
	return a, nil
}

// capabilities finds out what can be adapted in the kernel.
func (a *Adapter) capabilities() error {
	var err error
	if a.tuned, err = tunable(a.kernel); err != nil {
		return err
	}
	if a.tuned && tuningOf(a.kernel).StepSize == 0 {
		a.kernel = withStep(a.kernel, .1)
	}
	crosses := TraitsOf(a.kernel).Crosses
	if !a.cfg.KeepMass && a.cfg.Steps >= shortWarmup && !crosses {
		if a.mass, err = massive(a.kernel); err != nil {
			return err
		}
	}
	if k, ok := a.kernel.(Adaptive); ok {
		a.own = k.Adaptation(a.cfg)
	} else if k, ok := innermost(a.kernel).(Adaptive); ok && !crosses {
		if own := k.Adaptation(a.cfg); own != nil {
			a.own = inside{own}
		}
	}
	if !a.tuned && !a.mass && a.own == nil {
		return fmt.Errorf(
			"mcmc: Warmup.Steps = %d, but nothing of %s can be adapted: it has no acceptance to go by, or no method WithStep; "+
				"give it a step and use BurnIn instead", a.cfg.Steps, Name(a.kernel))
	}
	if a.own != nil {
		a.kernel = a.own.Start(a.kernel)
	}
	return nil
}

// inside applies the adaptation of an inner kernel to that kernel.
type inside struct{ Adaptation }

func (a inside) Start(k Kernel) Kernel  { return within(k, a.Adaptation.Start) }
func (a inside) Window(k Kernel) Kernel { return within(k, a.Adaptation.Window) }
func (a inside) Finish(k Kernel) Kernel { return within(k, a.Adaptation.Finish) }
func (a inside) Update(k Kernel, s *State, info Info) Kernel {
	return within(k, func(k Kernel) Kernel { return a.Adaptation.Update(k, s, info) })
}

// Kernel returns the kernel as adapted so far.
func (a *Adapter) Kernel() Kernel { return a.kernel }

// Done reports that the warm-up is over: Kernel has its final settings.
func (a *Adapter) Done() bool { return a.t >= a.cfg.Steps }

// Goal returns the target acceptance; 0 if the step size is not adapted.
func (a *Adapter) Goal() float64 {
	switch {
	case !a.tuned || a.cfg.Steps == 0:
		return 0
	case a.cfg.Accept > 0:
		return a.cfg.Accept
	}
	return 1 - (1-tuningOf(a.kernel).Accept)*patience(a.uneven)
}

// Left returns the chains whose starts were abandoned and those still out of order, with the reason.
func (a *Adapter) Left(s *State) []LeftOut {
	out := slices.Clone(a.given)
	_, d := s.X.Dims()
	most := limit(s.Energy, d)
	for i := range a.chains {
		if r := a.chains[i].fault(s.Energy[i], most); r != "" {
			out = append(out, LeftOut{i, r})
		}
	}
	return out
}

// Step makes one transition of the warm-up. Once Done, it makes transitions only.
func (a *Adapter) Step(s *State, t Target, rng *rand.Rand) (Info, error) {
	rows := 0
	if a.t == 0 && !a.Done() {
		n, err := a.start(s, t, rng)
		if err != nil {
			return Info{}, err
		}
		rows += n
	}
	for i := range a.chains {
		a.chains[i].before = s.Energy[i]
	}
	s.asked = false
	info, err := a.kernel.Step(s, t, rng)
	if err != nil {
		return info, err
	}
	n, err := s.refresh(t)
	if err != nil {
		return info, err
	}
	info.Evaluations += n + rows
	if !a.Done() {
		err = a.update(s, t, info, rng)
	}
	return info, err
}

// start finds the initial step sizes.
func (a *Adapter) start(s *State, t Target, rng *rand.Rand) (rows int, err error) {
	a.chains = make([]follower, len(s.Energy))
	if p, ok := a.kernel.(prepared); ok {
		if err := p.Prepare(t); err != nil {
			return 0, err
		}
	}
	if rows, err = s.refresh(t); err != nil || !a.tuned {
		return rows, err
	}
	in := innermost(a.kernel).(Tunable)
	f := &finder{kernel: in, s: s, t: t, rng: rng}
	var chains []int
	for i, e := range s.Energy {
		if e-e == 0 {
			chains = append(chains, i)
		}
	}
	first := in.Tuning().StepSize
	steps := slices.Repeat([]float64{first}, len(chains))
	a.alone = (a.own == nil || !a.own.OwnsStep()) && len(chains) > 0
	switch {
	case a.alone:
		if err := f.each(chains, steps); err != nil {
			return rows, err
		}
		a.alone = f.scales
		first = median(steps)
	case len(chains) > 0:
		if first, err = f.common(chains, first); err != nil {
			return rows, err
		}
	}
	for i := range a.chains {
		a.chains[i].restart(a.Goal(), first)
	}
	for i, c := range chains {
		a.chains[c].restart(a.Goal(), steps[i])
	}
	a.restart(first)
	if a.alone {
		a.spread(s)
	}
	return rows, nil
}

func (f *follower) restart(goal, step float64) {
	f.step.Goal = goal
	f.step.Restart(step)
	f.smooth = goal
}

func median(v []float64) float64 {
	v = slices.Clone(v)
	slices.Sort(v)
	return v[len(v)/2]
}

// restart restarts the averaging of the common step size.
func (a *Adapter) restart(step float64) {
	a.kernel = withStep(a.kernel, step)
	a.step.Goal = a.Goal()
	a.step.Restart(step)
	if a.own != nil {
		a.kernel = a.own.Start(a.kernel)
	}
}

// spread gives their own step sizes to the chains that are not pooled.
func (a *Adapter) spread(s *State) {
	if a.scales == nil {
		a.scales = make([]float64, len(a.chains))
	}
	tuning := tuningOf(a.kernel)
	same := true
	for i := range a.chains {
		f := &a.chains[i]
		a.scales[i] = 1
		if !f.ordered {
			a.scales[i] = tuning.length(f.step.Step() / tuning.StepSize)
			same = same && a.scales[i] == 1
		}
	}
	if s.scale = a.scales; same {
		s.scale = nil
	}
}

// update processes a transition.
func (a *Adapter) update(s *State, t Target, info Info, rng *rand.Rand) error {
	a.t++
	a.follow(s, info)
	if a.tuned {
		if err := a.tune(s, t, info, rng); err != nil {
			return err
		}
	}
	if a.own != nil {
		a.kernel = a.own.Update(a.kernel, s, info)
	}
	if a.mass && a.t > a.windows.from && a.t <= a.windows.to {
		a.draws.add(s, a.chains)
	}
	if a.t == a.windows.to && a.windows.to <= a.windows.slow {
		if err := a.window(s, t, rng); err != nil {
			return err
		}
	}
	if a.t == a.windows.fast {
		a.rescue(s, rng, a.windows.last())
	}
	if a.Done() {
		a.finish(s)
	}
	return nil
}

// patience returns the factor on 1 - acceptance for a target of given unevenness, see fitMass: 1 up to 2, which
// regressions and mild hierarchical models stay below, and no less than a tenth.
func patience(uneven float64) float64 {
	const usual, least = 2, .1
	if !(uneven > usual) {
		return 1
	}
	return max(least, (usual/uneven)*(usual/uneven))
}

// rescue restarts chains without a finite energy, and, if late, those that have not found the bulk of the density, from
// the positions of others.
func (a *Adapter) rescue(s *State, rng *rand.Rand, late bool) {
	if !a.tuned || a.own != nil && a.own.OwnsStep() {
		return
	}
	_, d := s.X.Dims()
	most := limit(s.Energy, d)
	var from []int
	for i := range a.chains {
		if a.chains[i].ordered {
			from = append(from, i)
		}
	}
	if len(from) == 0 {
		return
	}
	for i := range a.chains {
		e := s.Energy[i]
		if e <= most || e-e == 0 && !late {
			continue
		}
		to := from[rng.IntN(len(from))]
		a.given = append(a.given, LeftOut{i,
			fmt.Sprintf(
				"its start was given up after %d transitions, at the energy %.4g, %.3g above the others: it went on from "+
					"where chain %d was",
				a.t, e, e-most+lag(d), to)})
		s.X.SetRow(i, s.X.RawRowView(to))
		s.Grad.SetRow(i, s.Grad.RawRowView(to))
		s.Energy[i] = s.Energy[to]
		a.chains[i].ordered, a.chains[i].still = true, 0
		a.chains[i].smooth = a.Goal()
	}
}

// follow records the progress of each chain.
func (a *Adapter) follow(s *State, info Info) {
	const weight = .2
	for i := range a.chains {
		f := &a.chains[i]
		c := info.chain(i)
		if f.still++; s.Energy[i] != f.before || c.Accepted {
			f.still = 0
		}
		f.smooth += weight * (c.AcceptProb - f.smooth)
	}
	if a.t < a.windows.fast && a.alone {
		return
	}
	_, d := s.X.Dims()
	most := limit(s.Energy, d)
	for i := range a.chains {
		f := &a.chains[i]
		f.ordered = f.fault(s.Energy[i], most) == ""
	}
}

// tune updates the step sizes.
func (a *Adapter) tune(s *State, t Target, info Info, rng *rand.Rand) error {
	if a.own != nil && a.own.OwnsStep() {
		return nil
	}
	if a.alone && !s.asked { // the kernel moves all chains with one step size
		a.alone, s.scale = false, nil
	}
	if !a.alone {
		a.kernel = withStep(a.kernel, a.step.Update(a.pooled(s, info)))
		return nil
	}
	if err := a.singles(s, t, info, rng); err != nil {
		return err
	}
	switch {
	case a.t < a.windows.fast:
		a.kernel = withStep(a.kernel, a.middle(func(f *follower) float64 { return f.step.Step() }, a.kernel))
	case a.t == a.windows.fast:
		a.restart(a.middle(func(f *follower) float64 { return f.step.Final() }, a.kernel))
	default:
		a.kernel = withStep(a.kernel, a.step.Update(a.pooled(s, info)))
	}
	a.spread(s)
	return nil
}

// middle returns the median step size of the chains in order, or, until that is decided, of all with finite energy.
func (a *Adapter) middle(step func(*follower) float64, k Kernel) float64 {
	var v []float64
	for _, ordered := range []bool{true, false} {
		for i := range a.chains {
			if f := &a.chains[i]; f.ordered == ordered && f.before-f.before == 0 {
				v = append(v, step(f))
			}
		}
		if len(v) > 0 {
			return median(v)
		}
	}
	return tuningOf(k).StepSize
}

// singles updates the step sizes of chains that have their own. If the energy of a chain fell by more than chance
// allows, the chain is somewhere else now, and its step size is searched for again.
func (a *Adapter) singles(s *State, t Target, info Info, rng *rand.Rand) error {
	_, d := s.X.Dims()
	var fell []int
	var steps []float64
	for i := range a.chains {
		f := &a.chains[i]
		e := s.Energy[i]
		switch {
		case f.ordered:
		case e-e != 0:
			f.step.Restart(a.step.Step()) // its history is no longer relevant
		case !(f.before-e < lag(d)):
			fell = append(fell, i)
			steps = append(steps, f.step.Step())
		default:
			f.step.Update(info.chain(i).AcceptProb)
		}
	}
	if len(fell) == 0 {
		return nil
	}
	f := &finder{kernel: innermost(a.kernel).(Tunable), s: s, t: t, rng: rng}
	if err := f.each(fell, steps); err != nil {
		return err
	}
	for j, i := range fell {
		a.chains[i].restart(a.Goal(), steps[j])
	}
	return nil
}

// pooled returns the acceptance that drives the common step size: the mean over the chains in order, or that of a chain
// at a standstill if there is one.
func (a *Adapter) pooled(s *State, info Info) float64 {
	var sum, n float64
	least := math.Inf(1)
	for i := range a.chains {
		f := &a.chains[i]
		if a.alone && !f.ordered || !(f.before-f.before == 0) {
			continue
		}
		n++
		sum += info.chain(i).AcceptProb
		least = min(least, f.smooth)
	}
	switch {
	case n == 0:
		return info.AcceptProb
	case least < a.Goal()/8:
		return min(least, sum/n)
	}
	return sum / n
}

// window ends a window: it sets the mass from the draws and searches for a new step size.
func (a *Adapter) window(s *State, t Target, rng *rand.Rand) error {
	if m, uneven := a.draws.fit(); a.mass && m != nil {
		a.uneven = uneven
		a.kernel = within(a.kernel, func(k Kernel) Kernel { return k.(Massive).WithMass(m) })
	}
	a.draws.clear()
	a.windows.next()
	a.rescue(s, rng, a.windows.last())
	if a.own != nil {
		a.kernel = a.own.Window(a.kernel)
	}
	if !a.tuned {
		return nil
	}
	step := tuningOf(a.kernel).StepSize
	if a.own == nil || !a.own.OwnsStep() {
		var chains []int
		for i := range a.chains {
			if a.chains[i].ordered {
				chains = append(chains, i)
			}
		}
		if len(chains) > 0 {
			f := &finder{kernel: innermost(a.kernel).(Tunable), s: s, t: t, rng: rng}
			var err error
			if step, err = f.common(chains, step); err != nil {
				return err
			}
		}
	}
	a.restart(step)
	if a.alone {
		a.spread(s)
	}
	return nil
}

// finish sets the averaged step size, which all chains share from now on.
func (a *Adapter) finish(s *State) {
	if a.tuned && a.step.t > 0 {
		a.kernel = withStep(a.kernel, a.step.Final())
	}
	if a.own != nil {
		a.kernel = a.own.Finish(a.kernel)
	}
	s.scale = nil
}
