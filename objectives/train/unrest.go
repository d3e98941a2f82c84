package train

import (
	"cmp"
	"fmt"
	"math"
)

const (
	unrestSlack = 0.1 // nats per judgement
	unrestMost  = 0.7 // nats per judgement: one alone is chance

	thrownMuch = 0.25  // nats, without slack, in the first half: large steps, which a falling rate may cure
	thrownMost = 0.2   // nats of that per judgement: it takes several
	heldBack   = 0.025 // nats gained after that by a run that large steps have held back
	learntMost = 0.8   // of the gain at three quarters

	stirredSteps = 400 // in a shorter run judgements are too close together to be significant
)

// stirred detects a learning rate that is too large before the loss does: its steps throw the model about, so that it
// is worse than before, and worse than the average of its weights. With J of the average θ̄, of the best average so
// far, θ*, and of the weights θ themselves, each difference reduced by its standard error, the sum
//
//	U ← max(0, U + [J(θ̄) − J(θ*)] + [J(θ) − J(θ̄)] − unrestSlack)
//
// over the judgements in the first half of a run stays near zero if all is well; where min J is larger than that of a
// model that tells nothing, 2 log 2, as in many dimensions at first, differences are relative to it. (It is the
// one-sided sum of Page, Continuous inspection schemes, Biometrika 41 (1954) 100–115.) Beyond MaxUnrest the run
// restarts with a smaller rate, since weights that were thrown about are a poor starting point. Of the default, 0.65,
// objectives at their own rate reached at most 0.33 (dsm on rings in 600 steps), but for single spikes, which are 0.6
// at most; a hundred times the rate exceeds it in most cases within the first quarter of the run.
//
// L is left out: at first it may rise by nats however small the steps are (with it, lsd was given up at one and a half
// times its rate), and at θ it has spikes. For late it counts.
func (s *Sentinel) stirred(step, every int, now, live score) *Error {
	if s.Off || s.start.plain == nil {
		return nil
	}
	if s.unrest == 0 {
		s.restless = 0
	}
	s.restless++
	u := (excess(now.plain, s.best.plain) + excess(live.plain, now.plain)) / s.unit()
	s.unrest = max(0, s.unrest+min(u, unrestMost)-unrestSlack)
	v := (excess(now.leaky, s.best.leaky) + excess(live.leaky, now.leaky)) / s.unit()
	s.thrown += min(v, thrownMost)
	if s.unrest > cmp.Or(s.MaxUnrest, 0.65) {
		return restart(step, step-int(s.restless-1)*every,
			"steps throw the model about: "+s.told(now)+s.atBest())
	}
	return s.still(step, every, now)
}

// excess is by how much a exceeds b, reduced by its standard error.
func excess(a, b []float64) float64 {
	d, se := compare(a, b)
	if math.IsNaN(d - se) { // both infinite
		return math.Inf(1)
	}
	return max(0, d-se)
}

// still detects a model that has learnt next to nothing and no longer moves, such as a network whose units are dead.
func (s *Sentinel) still(step, every int, now score) *Error {
	gain, _ := compare(s.start.plain, now.plain)
	rise, _ := compare(now.plain, s.best.plain)
	if s.stuck++; !(gain <= s.little() && math.Abs(rise) <= least) {
		s.stuck = 0
	}
	if s.stuck < lagPatience {
		return nil
	}
	return restart(step, step-int(s.stuck-1)*every, "the model does not learn: "+s.told(now))
}

// atHalf remembers the model at half-time if the steps so far were large, and it tells something already.
func (s *Sentinel) atHalf(now score) {
	if !s.Off && s.thrown > thrownMuch && mean(now.plain) < 2*math.Ln2 {
		s.half = now
	}
}

// late detects, three quarters through a run, that steps that were too large have held it back: it had learnt most at
// half-time, and has gained much since the rate began to fall, too late, in J or in what leaks. A model that has learnt
// less than most by then is in the middle of it, where steps are bound to look large: so were scores on rings in 600
// steps, with half to two thirds of what they had gained at three quarters; of nce and ksd at a hundred times their
// rates it was nine tenths.
func (s *Sentinel) late(step int, now score) *Error {
	if s.half.plain == nil {
		return nil
	}
	early, _ := compare(s.start.plain, s.half.plain)
	all, _ := compare(s.start.plain, now.plain)
	if !(early > learntMost*all && excess(s.half.leaky, now.leaky) > heldBack) {
		return nil
	}
	return restart(step, step, fmt.Sprintf(
		"steps were too large to learn until the rate fell: %s; the loss with what leaks was %.3g at half-time",
		s.told(now), mean(s.half.leaky)))
}

func restart(step, since int, seen string) *Error {
	return &Error{Step: step, Since: since, Seen: seen, Hint: judgeHint, cause: ErrDiverged, restart: true}
}

// stirred checks, in the first half of a run and at three quarters of it, whether steps are too large.
func (r *runner) stirred(now score) (*Error, error) {
	every, steps := judgeEvery(r.cfg.Steps), r.cfg.Steps
	switch {
	case r.first == nil || r.step == 0 || steps < stirredSteps:
		return nil, nil
	case 2*r.step > steps:
		if due := 4*r.step >= 3*steps && 4*(r.step-every) < 3*steps; due {
			return r.sentinel.late(r.step, now), nil
		}
		return nil, nil
	}
	live, err := r.cfg.Contrast.score(r.cfg.Params.Data())
	if err != nil {
		return nil, fmt.Errorf("train: step %d: contrast: %w", r.step, err)
	}
	trip := r.sentinel.stirred(r.step, every, now, live)
	if trip == nil && 2*(r.step+every) > steps {
		r.sentinel.atHalf(now)
	}
	return trip, nil
}
