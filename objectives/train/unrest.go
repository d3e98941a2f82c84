package train

import (
	"fmt"
	"math"
)

const (
	unrestSlack = 0.5 // of a judgement, in units of J
	unrestMost  = 1.1 // of a judgement: one alone is chance
	unrestFloor = 0.1 // nats: the least J that differences are measured by

	stirredSteps = 400 // of a shorter run judgements lie too close for more than chance
)

// stirred tells a rate that is too large from one that suits, before the loss does: its steps throw the model about, so
// that it is worse than it was, and worse than the average of its weights. With J of the average θ̄, its smallest value so far,
// min J, and J of the weights θ themselves, each difference less its standard error, the sum
//
//	U ← max(0, U + ([J(θ̄) − min J] + [J(θ) − J(θ̄)]) / min J − unrestSlack)
//
// over the judgements in the first half of a run stays near zero where all is in order. (It is the one-sided sum of Page,
// Continuous inspection schemes, Biometrika 41 (1954) 100–115.) Beyond MaxUnrest the run begins anew with a smaller rate:
// weights that were thrown about are no place to go on from. By the default, 0.65, no objective was taken back at its own rate:
// the largest sum was 0.56, of ssm on checkerboard with 32 hidden units and batches of 128; at ten times the rates of scores it
// was beyond 2 after a quarter of the run.
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

// stirred is whether the steps are too large, which is asked in the first half of a run.
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
