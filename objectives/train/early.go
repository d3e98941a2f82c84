package train

import (
	"cmp"
	"errors"
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
)

// EarlyStopping measures the averaged weights on points held back, keeps the best ones, and ends a run that has long
// had no better. It changes nothing else: up to where it ends, the run is the one without it, bit for bit.
//
// By default it measures the loss of the objective on Config.Held, in the same batches with the same noise every
// time, so that the differences between two measures are those of the weights. Objectives whose loss tells nothing of
// progress (objectives.Traits.Chains) need a Loss of their own.
type EarlyStopping struct {
	Every    int // steps between measures; 0 means 2 % of Config.Steps, at least 1
	Patience int // measures without a better one after which the run ends; 0 means 10, negative never
	Batches  int // of points held back, per measure; 0 means 4

	// Loss returns what is to be small, of weights that it must not change; nil is the loss of the objective on
	// Config.Held.
	Loss func(average []float64) (float64, error)
}

// Validate names every setting that is out of range.
func (e *EarlyStopping) Validate() error {
	var errs []error
	if e.Every < 0 {
		errs = append(errs, fmt.Errorf("train: EarlyStopping.Every = %d, want >= 0", e.Every))
	}
	if e.Batches < 0 {
		errs = append(errs, fmt.Errorf("train: EarlyStopping.Batches = %d, want >= 0", e.Batches))
	}
	return errors.Join(errs...)
}

// early is the state of an EarlyStopping within a run.
type early struct {
	EarlyStopping
	last  float64 // loss of the last measure, NaN before the first
	best  float64 // least loss, +Inf before the first measure
	step  int     // of the best weights
	since int     // measures after it
	theta []float64
}

func newEarly(cfg Config) *early {
	e := &early{EarlyStopping: *cfg.Early, last: math.NaN(), best: math.Inf(1)}
	e.Every = cmp.Or(e.Every, max(1, cfg.Steps/50))
	e.Patience = cmp.Or(e.Patience, 10)
	e.Batches = cmp.Or(e.Batches, 4)
	return e
}

// over reports whether the run is to end. A run without early stopping has a nil one.
func (e *early) over() bool { return e != nil && e.Patience > 0 && e.since >= e.Patience }

// due reports whether a measure is to be taken after a step.
func (e *early) due(step, steps int) bool {
	return e != nil && (step%e.Every == 0 || step == steps)
}

// take keeps weights that are better than all before. A loss that is not a number is not.
func (e *early) take(step int, loss float64, theta []float64) {
	e.last = loss
	if !(loss < e.best) {
		e.since++
		return
	}
	e.best, e.step, e.since = loss, step, 0
	e.theta = append(e.theta[:0], theta...)
}

// MarshalState returns the best weights and what is known of them.
func (e *early) MarshalState() ([]byte, error) {
	var enc encoder
	enc.float64(e.last)
	enc.float64(e.best)
	enc.uint64(uint64(e.step))
	enc.uint64(uint64(e.since))
	enc.floats(e.theta)
	return enc.b, nil
}

// UnmarshalState puts back what MarshalState returned.
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

// measure takes a measure of the averaged weights.
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
	Reseed(r.aside, r.cfg.Seed, "early")
	v, err := r.lossOf(r.cfg.Held, r.early.Batches, rand.New(r.aside))
	copy(theta, live)
	r.cfg.Params.Changed()
	if err != nil {
		return err
	}
	r.early.take(r.step, v, average)
	return nil
}
