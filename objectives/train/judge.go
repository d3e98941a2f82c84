package train

import (
	"errors"
	"fmt"
	"math"
)

const (
	judgements  = 20 // per run
	patience    = 2  // judgements in a row after which a rise is accepted as real
	lagPatience = 5  // judgements in a row after which a run counts as not making progress
	unsettled   = 5  // judgements at the start, when a model may have to get worse first
	sigmas      = 2  // standard errors beyond which a difference is significant

	least       = 0.01 // a negligible difference in J, in nats
	judgedSteps = 200  // a shorter run is not judged: it has hardly begun
)

// judgeHint is what usually helps a run that makes no progress.
const judgeHint = "a smaller --lr, a longer --warmup, a larger --batch"

// judge compares the averaged weights with the best so far, every `every` steps. It takes ownership of the terms of J.
func (s *Sentinel) judge(step, every int, terms []float64) (better bool, trip *Error) {
	if s.start == nil {
		s.start, s.best = terms, terms
		return true, nil
	}
	rise, se := compare(terms, s.best)
	if rise < 0 {
		s.best, s.risen, s.lagging = terms, 0, 0
		return true, nil
	}
	if s.Off {
		return false, nil
	}
	count := func(n *uint64, bad bool) {
		if *n++; !bad {
			*n = 0
		}
	}
	most, little := or(s.MaxRise, 0.1), or(s.MaxRise, 0.1)/5
	if step <= unsettled*every {
		most, little = 5*most, math.Inf(1)
	}
	count(&s.risen, !(rise <= max(most, sigmas*se)))
	count(&s.lagging, !(rise <= max(little, se)))
	var row uint64
	switch {
	case s.risen >= patience:
		row = s.risen
	case s.lagging >= lagPatience:
		row = s.lagging
	default:
		return false, nil
	}
	return false, &Error{
		Step: step, Since: step - int(row-1)*every,
		Seen: "the model becomes worse: " + s.told(terms) + fmt.Sprintf(", %.3g at best", mean(s.best)),
		Hint: judgeHint, cause: ErrDiverged,
	}
}

// told returns J in words.
func (s *Sentinel) told(terms []float64) string {
	const text = "it tells the data from noise at a loss of %.3g nats, %.3g at the start"
	return fmt.Sprintf(text, mean(terms), mean(s.start))
}

// settle judges the end of a run: whether to deliver the best state instead of the last one, and whether the run has
// failed because it ended no better than it began.
func (s *Sentinel) settle(step, rollbacks int, terms []float64) (best bool, failed *Error) {
	if s.Off || s.start == nil {
		return false, nil
	}
	if rise, se := compare(terms, s.best); !(rise <= max(least, sigmas*se)) {
		best, terms = true, s.best
	}
	gain, se := compare(s.start, terms)
	much := max(least, sigmas*se)
	if gain > much {
		return best, nil
	}
	return best, &Error{
		Step: step, Since: step, Rollbacks: rollbacks,
		Seen: "the model is no better than at the start: " + s.told(terms),
		Hint: judgeHint + ", more --steps", cause: ErrDiverged,
	}
}

// judgeEvery returns the number of steps between judgements.
func judgeEvery(steps int) int { return max(1, steps/judgements) }

// judged reports whether the run has a Contrast and is long enough for it.
func (r *runner) judged() bool { return r.cfg.Contrast != nil && r.cfg.Steps >= judgedSteps }

// judge evaluates J of the averaged weights. A state better than all before becomes the one to go back to.
func (r *runner) judge() (*Error, error) {
	if !r.judged() {
		return nil, nil
	}
	terms, err := r.cfg.Contrast.Losses(nil, r.average.Theta())
	if err != nil {
		return nil, fmt.Errorf("train: step %d: contrast: %w", r.step, err)
	}
	if trip, err := r.stirred(terms); trip != nil || err != nil {
		return trip, err
	}
	better, trip := r.sentinel.judge(r.step, judgeEvery(r.cfg.Steps), terms)
	if !better {
		return trip, nil
	}
	s, err := r.snapshot()
	if err != nil {
		if errors.Is(err, ErrNoState) && r.cfg.Checkpoint == "" {
			return nil, nil // there is no going back
		}
		return nil, err
	}
	if r.good = s; r.step == 0 {
		r.first = s
	}
	return nil, nil
}

// settle delivers the best state if the last is worse, and fails if even that is no better than the start.
func (r *runner) settle() error {
	if !r.judged() || r.good == nil {
		return nil
	}
	terms, err := r.cfg.Contrast.Losses(nil, r.average.Theta())
	if err != nil {
		return fmt.Errorf("train: step %d: contrast: %w", r.step, err)
	}
	best, failed := r.sentinel.settle(r.step, int(r.attempt), terms)
	switch {
	case failed != nil:
		return r.giveUp(failed)
	case best:
		return r.deliverGood()
	}
	return nil
}

func mean(v []float64) float64 {
	var sum float64
	for _, x := range v {
		sum += x
	}
	return sum / float64(len(v))
}
