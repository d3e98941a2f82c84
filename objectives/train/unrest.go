package train

import (
	"fmt"
	"math"
)

const (
	unrestSlack = 0.5 // per judgement, in units of J
	unrestMost  = 1.1 // per judgement: one alone is chance
	unrestFloor = 0.1 // nats: the minimum J used as a unit of differences

	stirredSteps = 400 // in a shorter run judgements are too close together to be significant
)

// stirred detects a learning rate that is too large before the loss does: its steps throw the model about, so that it
// is worse than before, and worse than the average of its weights. With J of the average θ̄, its smallest value so far,
// min J, and J of the weights θ themselves, each difference reduced by its standard error, the sum
//
//	U ← max(0, U + ([J(θ̄) − min J] + [J(θ) − J(θ̄)]) / min J − unrestSlack)
//
// over the judgements in the first half of a run stays near zero if all is well. (It is the one-sided sum of Page,
// Continuous inspection schemes, Biometrika 41 (1954) 100–115.) Beyond MaxUnrest the run restarts with a smaller rate,
// since weights that were thrown about are a poor starting point. With the default, 0.65, no objective was restarted at
// its own rate: the largest sum was 0.56, for ssm on checkerboard with 32 hidden units and batches of 128; at ten times
// the rates for scores it was beyond 2 after a quarter of the run.
func (s *Sentinel) stirred(step, every int, terms, live []float64) *Error {
	if s.Off || s.start == nil {
		return nil
	}
	excess := func(a, b []float64) float64 {
		d, se := compare(a, b)
		if math.IsNaN(d - se) { // both infinite
			return math.Inf(1)
		}
		return max(0, d-se)
	}
	if s.unrest == 0 {
		s.restless = 0
	}
	s.restless++
	most := unrestMost
	if worst := max(mean(terms), mean(live)); !(worst <= 2*math.Ln2) && mean(s.best) < 2*math.Ln2 {
		most = 2 * unrestMost // worse than a model that tells nothing
	}
	u := (excess(terms, s.best) + excess(live, terms)) / max(mean(s.best), unrestFloor)
	s.unrest = max(0, s.unrest+min(u, most)-unrestSlack)
	if s.unrest <= or(s.MaxUnrest, 0.65) {
		return nil
	}
	return &Error{
		Step: step, Since: step - int(s.restless-1)*every,
		Seen: "steps throw the model about: " + s.told(terms) + fmt.Sprintf(", %.3g at best", mean(s.best)),
		Hint: judgeHint, cause: ErrDiverged, restart: true,
	}
}

// stirred checks, in the first half of a run, whether the steps are too large.
func (r *runner) stirred(terms []float64) (*Error, error) {
	if r.first == nil || r.step == 0 || 2*r.step > r.cfg.Steps || r.cfg.Steps < stirredSteps {
		return nil, nil
	}
	live, err := r.cfg.Contrast.Losses(nil, r.cfg.Params.Data())
	if err != nil {
		return nil, fmt.Errorf("train: step %d: contrast: %w", r.step, err)
	}
	return r.sentinel.stirred(r.step, judgeEvery(r.cfg.Steps), terms, live), nil
}
