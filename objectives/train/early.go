package train

import (
	"cmp"
	"errors"
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
)

// EarlyStopping evaluates the averaged weights on held-out points, keeps the best ones, and ends a run that has not
// improved for long. It changes nothing else: up to its end, the run is identical, bit for bit, to one without it.
//
// By default it measures the loss of the objective on Config.Held, in the same batches with the same noise every time,
// so that differences between evaluations are due to the weights. Objectives whose loss does not show progress
// (objectives.Traits.Chains) need a separate Loss.
type EarlyStopping struct {
	Every    int // steps between evaluations; 0 means 2 % of Config.Steps, at least 1
	Patience int // evaluations without improvement after which the run ends; 0 means 10, negative never
	Batches  int // batches of held-out points per evaluation; 0 means 4

	// Loss returns the value to minimise for given weights, which it must not change; nil means the loss of the
	// objective on Config.Held.
	Loss func(average []float64) (float64, error)
}

// Validate names every setting that is out of range.
func (e *EarlyStopping) Validate() error {
	return errors.Join(check(e.Every >= 0, "EarlyStopping.Every = %d, want >= 0", e.Every),
		check(e.Batches >= 0, "EarlyStopping.Batches = %d, want >= 0", e.Batches))
}

// early is the state of an EarlyStopping within a run.
type early struct {
	EarlyStopping
	last  float64 // loss of the last evaluation, NaN before the first
	best  float64 // smallest loss, +Inf before the first evaluation
	step  int     // of the best weights
	since int     // evaluations since then
	theta []float64
}

func newEarly(cfg Config) *early {
	e := &early{EarlyStopping: *cfg.Early, last: math.NaN(), best: math.Inf(1)}
	e.Every = cmp.Or(e.Every, max(1, cfg.Steps/50))
	e.Patience = cmp.Or(e.Patience, 10)
	e.Batches = cmp.Or(e.Batches, 4)
	return e
}

// over reports whether to end the run. It is nil without early stopping.
func (e *early) over() bool { return e != nil && e.Patience > 0 && e.since >= e.Patience }

// due reports whether an evaluation is due after a step.
func (e *early) due(step, steps int) bool {
	return e != nil && (step%e.Every == 0 || step == steps)
}

// take keeps weights that are better than all before. A NaN loss is not.
func (e *early) take(step int, loss float64, theta []float64) {
	e.last = loss
	if !(loss < e.best) {
		e.since++
		return
	}
	e.best, e.step, e.since = loss, step, 0
	e.theta = append(e.theta[:0], theta...)
}

// MarshalState returns the best weights and their step and loss.
func (e *early) MarshalState() ([]byte, error) {
	var enc encoder
	enc.float64(e.last)
	enc.float64(e.best)
	enc.uint64(uint64(e.step))
	enc.uint64(uint64(e.since))
	enc.floats(e.theta)
	return enc.b, nil
}

// UnmarshalState restores what MarshalState returned.
func (e *early) UnmarshalState(b []byte) error {
	d := decoder{b: b}
	last, best, step, since, theta := d.float64(), d.float64(), d.uint64(), d.uint64(), d.floats()
	if err := d.finish("early stopping"); err != nil {
		return err
	}
	if step > 1<<53 || since > 1<<53 {
		return fmt.Errorf("train: state of early stopping: step %d, %d measures after it", step, since)
	}
	e.last, e.best, e.step, e.since, e.theta = last, best, int(step), int(since), theta
	return nil
}

// measure evaluates the averaged weights.
func (r *runner) measure() error {
	average := r.average.Theta()
	if loss := r.early.Loss; loss != nil {
		v, err := loss(average)
		if err != nil {
			return fmt.Errorf("train: step %d: early stopping: %w", r.step, err)
		}
		r.early.take(r.step, v, average)
		return nil
	}
	theta := r.cfg.Params.Data()
	live := slices.Clone(theta)
	copy(theta, average)
	r.cfg.Params.Changed()
	reseed(r.aside, r.cfg.Seed, "early")
	v, err := r.lossOf(r.cfg.Held, r.early.Batches, rand.New(r.aside))
	copy(theta, live)
	r.cfg.Params.Changed()
	if err != nil {
		return err
	}
	r.early.take(r.step, v, average)
	return nil
}
