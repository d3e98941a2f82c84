package mcmc

import (
	"errors"
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
)

// Adapter warms a kernel up: it moves chains and improves the kernel's settings as it goes.
//
//   - The step of a [Tunable] kernel, by dual averaging of the acceptance. In the fast phase at the beginning every chain has a
//     step of its own, found from where the chain stands, so that no start can spoil the step of the others; then they share one,
//     that follows their mean acceptance. A chain that is not in order (its energy is not finite, or far above that of the
//     others, or it does not move) keeps its own step and is left out of all that is pooled until it has caught up. One whose
//     energy is not finite after the fast phase, or that has not found to where the density is when the last window begins, gives its
//     start up and goes on from where another is; Left tells. A chain that the shared step brings to a standstill pulls it down.
//   - The acceptance aimed at, where none was asked for: it rises where the curvature of the target differs from place to place,
//     so that a step which suits most places is too long for some.
//   - The [Mass] of a [Massive] kernel, from the draws and gradients of all chains in windows of doubling length; see [FitMass].
//     A kernel that carries chains between modes keeps its mass: the covariance of several modes is that of none.
//   - What an [Adaptive] kernel finds by itself: the ladder of a Tempering, the length of an HMC.
//
// What is inside an [Outer] kernel is adapted there. The windows are Stan's, and after each the step is looked for
// anew, from the present one.
//
// Use: Step until Done, then draw with Kernel.
type Adapter struct {
	kernel Kernel
	cfg    Warmup
	t      int // transitions made
	tuned  bool
	mass   bool // is adapted
	own    Adaptation

	windows windows
	step    DualAveraging
	chains  []follower
	alone   bool // every chain has a step of its own
	scales  []float64
	draws   history
	uneven  float64   // of the target, as the last window saw it
	given   []LeftOut // chains whose start was given up
}

// NewAdapter returns an adapter for a kernel, which may come without a step if that is to be found. It is an error
// to ask for a warm-up where nothing can be adapted.
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

// capabilities finds out what of the kernel can be adapted.
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
		a.own = inside{k.Adaptation(a.cfg)}
	}
	if in, ok := a.own.(inside); ok && in.Adaptation == nil {
		a.own = nil
	}
	if !a.tuned && !a.mass && a.own == nil {
		return fmt.Errorf("mcmc: Warmup.Steps = %d, but nothing of %s can be adapted: it has no acceptance to go by, or no method WithStep; "+
			"give it a step and use BurnIn instead", a.cfg.Steps, Name(a.kernel))
	}
	if a.own != nil {
		a.kernel = a.own.Start(a.kernel)
	}
	return nil
}

// inside lets the adaptation of an inner kernel do its work there.
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

// Goal returns the acceptance aimed at; 0 where the step is not adapted.
func (a *Adapter) Goal() float64 {
	switch {
	case !a.tuned || a.cfg.Steps == 0:
		return 0
	case a.cfg.Accept > 0:
		return a.cfg.Accept
	}
	return 1 - (1-tuningOf(a.kernel).Accept)*patience(a.uneven)
}

// Left returns the chains whose start was given up, and those that are out of order, with the state that they are
// in.
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

// Step makes one transition of the warm-up. Once it is Done it makes transitions and nothing else.
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

// start finds the first steps.
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
	steps := make([]float64, len(chains))
	for i := range steps {
		steps[i] = first
	}
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

// restart begins the averaging of the common step anew.
func (a *Adapter) restart(step float64) {
	a.kernel = withStep(a.kernel, step)
	a.step.Goal = a.Goal()
	a.step.Restart(step)
	if a.own != nil {
		a.kernel = a.own.Start(a.kernel)
	}
}

// spread gives the chains that are not pooled steps of their own.
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

// update takes in a transition.
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

// patience is the factor of 1 - acceptance for a target of some unevenness, see fitMass: none up to 2, which
// regressions and hierarchies of mild kind stay below, and at most a tenth.
func patience(uneven float64) float64 {
	const usual, least = 2, .1
	if !(uneven > usual) {
		return 1
	}
	return max(least, (usual/uneven)*(usual/uneven))
}

// rescue lets the chains that have no finite energy, and late those that have not found to where the density is, go
// on from where others are.
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
		a.given = append(a.given, LeftOut{i, fmt.Sprintf("its start was given up after %d transitions, at the energy %.4g, %.3g above the others: it went on from where chain %d was",
			a.t, e, e-most+lag(d), to)})
		s.X.SetRow(i, s.X.RawRowView(to))
		s.Grad.SetRow(i, s.Grad.RawRowView(to))
		s.Energy[i] = s.Energy[to]
		a.chains[i].ordered, a.chains[i].still = true, 0
		a.chains[i].smooth = a.Goal()
	}
}

// follow notes how each chain fared.
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

// tune moves the steps.
func (a *Adapter) tune(s *State, t Target, info Info, rng *rand.Rand) error {
	if a.own != nil && a.own.OwnsStep() {
		return nil
	}
	if a.alone && !s.asked { // the kernel moves all chains by one step
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

// middle returns the median step of chains that are in order, or of all of finite energy while that is not decided.
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

// singles moves the steps of the chains that have their own. Where the energy of a chain fell by more than chance
// lets it, the chain is somewhere else now, and its step is looked for anew.
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
			f.step.Restart(a.step.Step()) // nothing is known of it
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

// pooled returns the acceptance that the common step follows: the mean over the chains in order, unless one of them
// comes to a standstill, when it is that chain's.
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

// window ends a window: the mass is set from its draws, and the step is looked for anew.
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

// finish puts in the averaged step, which all chains share from now on.
func (a *Adapter) finish(s *State) {
	if a.tuned && a.step.t > 0 {
		a.kernel = withStep(a.kernel, a.step.Final())
	}
	if a.own != nil {
		a.kernel = a.own.Finish(a.kernel)
	}
	s.scale = nil
}
