package train

import (
	"cmp"
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
	share       = 0.1  // of the gain of a kernel density: a model that has gained less has learnt next to nothing
	judgedSteps = 200  // a shorter run is not judged: it has hardly begun
)

// judgeHint is what usually helps a run that makes no progress.
const judgeHint = "a smaller --lr, a longer --warmup, a larger --batch"

// judge compares the averaged weights with the best so far, every `every` steps. It takes ownership of the score.
func (s *Sentinel) judge(step, every int, now score) (better bool, trip *Error) {
	if s.start.plain == nil {
		s.start, s.best = now, now
		return true, nil
	}
	rise, se := compare(now.leaky, s.best.leaky)
	if rise < 0 {
		s.best, s.risen, s.lagging = now, 0, 0
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
	most, little := cmp.Or(s.MaxRise, 0.1)*s.unit(), cmp.Or(s.MaxRise, 0.1)*s.unit()/5
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
		Seen: "the model becomes worse: " + s.told(now) + s.atBest(),
		Hint: judgeHint, cause: ErrDiverged,
	}
}

// unit is that of differences in J: a nat, and more where the best model is still worse than one that tells nothing.
func (s *Sentinel) unit() float64 { return max(1, mean(s.best.plain)/(2*math.Ln2)) }

// told returns J in words, and L if it is not negligible.
func (s *Sentinel) told(now score) string {
	text := fmt.Sprintf("it tells the data from noise at a loss of %.3g nats, %.3g at the start", mean(now.plain),
		mean(s.start.plain))
	if leak := mean(now.leaky) - mean(now.plain); leak > least {
		text += fmt.Sprintf(", and %.2g of its mass is far from the data", -math.Expm1(-leak))
	}
	return text
}

// atBest adds the smallest J + L.
func (s *Sentinel) atBest() string {
	return fmt.Sprintf("; the loss with what leaks was %.3g at best", mean(s.best.leaky))
}

// settle judges the end of a run: whether to deliver the best state instead of the last one, and whether the run has
// failed because it ended no better than it began.
func (s *Sentinel) settle(step, rollbacks int, now score) (best bool, failed *Error) {
	if s.Off || s.start.plain == nil {
		return false, nil
	}
	if rise, se := compare(now.leaky, s.best.leaky); !(rise <= max(least, sigmas*se)) {
		best, now = true, s.best
	}
	gain, se := compare(s.start.plain, now.plain)
	if gain > max(least, sigmas*se, s.little()) {
		return best, nil
	}
	return best, &Error{
		Step: step, Since: step, Rollbacks: rollbacks,
		Seen: "the model is no better than at the start: " + s.told(now),
		Hint: judgeHint + ", more --steps", cause: ErrDiverged,
	}
}

// little is a gain over the start that is next to nothing, compared with that of a kernel density of the points. On
// 8gaussians a network whose units are dead gained 2 to 5 % of it, one of lsd at a tenth of its rate 16 %.
func (s *Sentinel) little() float64 {
	if s.known == nil {
		return 0
	}
	gain, _ := compare(s.start.plain, s.known)
	return share * gain
}

// judgeEvery returns the number of steps between judgements.
func judgeEvery(steps int) int { return max(1, steps/judgements) }

// judged reports whether the run has a Contrast and is long enough for it.
func (r *runner) judged() bool { return r.cfg.Contrast != nil && r.cfg.Steps >= judgedSteps }

// judge evaluates the averaged weights. A state better than all before becomes the one to go back to.
func (r *runner) judge() (*Error, error) {
	if !r.judged() {
		return nil, nil
	}
	now, err := r.cfg.Contrast.score(r.average.Theta())
	if err != nil {
		return nil, fmt.Errorf("train: step %d: contrast: %w", r.step, err)
	}
	if trip, err := r.stirred(now); trip != nil || err != nil {
		return trip, err
	}
	better, trip := r.sentinel.judge(r.step, judgeEvery(r.cfg.Steps), now)
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

// keep remembers the best state of an attempt that is restarted, if it is better than those before.
func (r *runner) keep() {
	if best, err := r.kept.judged(); err == nil && !(mean(r.sentinel.best.leaky) < mean(best.leaky)) {
		return
	}
	r.kept = r.good
}

// recall makes the best state of earlier attempts the one to deliver, if it is better than that of the last.
func (r *runner) recall() error {
	if r.kept == nil {
		return nil
	}
	best, err := r.kept.judged()
	if err != nil {
		return err
	}
	if mean(best.leaky) < mean(r.sentinel.best.leaky) {
		r.good, r.sentinel.best = r.kept, best
	}
	return nil
}

// judged returns the score of a state that was the best.
func (s Snapshot) judged() (score, error) {
	b, err := s.section("sentinel")
	if err != nil {
		return score{}, err
	}
	var sentinel Sentinel
	err = sentinel.UnmarshalState(b)
	return sentinel.best, err
}

// settle delivers the best state if the last is worse, and fails if even that is no better than the start.
func (r *runner) settle() error {
	if !r.judged() || r.good == nil {
		return nil
	}
	now, err := r.cfg.Contrast.score(r.average.Theta())
	if err != nil {
		return fmt.Errorf("train: step %d: contrast: %w", r.step, err)
	}
	if err := r.recall(); err != nil {
		return err
	}
	best, failed := r.sentinel.settle(r.step, int(r.attempt), now)
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
