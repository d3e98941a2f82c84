package train

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"maps"
	"math"
	"math/rand/v2"
	"slices"
	"time"

	"gonum.org/v1/gonum/mat"

	"github.com/stheno-ebm/stheno/energy"
)

// ErrSettings is returned if a checkpoint does not match the settings of the run that is to continue from it.
var ErrSettings = errors.New("train: the checkpoint was written by a run with other settings")

// Config describes one training run. Required: Objective, Optimizer, Source, Dim, Batch, Steps, LearningRate. The
// optimizer, the objective and the parameters are used and changed by Run; the Config itself is not.
//
// If the objective has a method Params() *energy.Params, like those of package objectives, its parameters are trained.
// Params may then be nil; other parameters are rejected, since the objective would never see them.
//
// If the objective or a source declares its shape, Dim and Batch are checked against it before the run: an objective by
// a method Dims() (n, d int), like those of package objectives, a source by Dim() int, like those of package datasets.
type Config struct {
	Objective Objective
	Params    Params // θ; nil means the objective's
	Optimizer Optimizer
	Source    Source
	Dim       int // columns of a batch: the dimension of the energy
	Batch     int // rows of a batch: objectives.Config.Batch
	Steps     int // of the whole run; required

	LearningRate float64  // η before the schedule; required
	Schedule     Schedule // nil means Constant
	Clip         float64  // maximum global norm of a gradient; 0 means no clipping
	Decay        float64  // decay of the average of weights, in [0, 1); 0 means that the average is θ itself
	Seed         uint64
	Sentinel     Sentinel
	Contrast     *Contrast      // for the sentinel to judge the averaged weights; nil: it does not
	Held         Source         // held-out points, whose loss the sentinel compares with the training loss; nil: none
	Early        *EarlyStopping // ends the run when held-out points no longer improve; nil: it takes all steps

	Recorder    *Recorder // nil records nothing
	RecordEvery int       // steps; 0 means 1 % of Steps, at least 1

	// Checkpoint is the path of the checkpoint file; "" writes none. It is written every CheckpointEvery steps
	// (0 means 5 % of Steps, at least 1), when the context is cancelled, and at the end.
	Checkpoint      string
	CheckpointEvery int
	// Store writes a checkpoint file. nil means to write it to Checkpoint, by files.Write.
	Store func(data []byte) error
	// Resume continues from a snapshot instead of starting.
	Resume Snapshot
	// Fingerprint identifies the settings on which the run depends. A snapshot with another fingerprint is rejected.
	Fingerprint string
	// Extra is state of the caller to be saved in checkpoints, by name.
	Extra map[string]Stateful

	// Now is the clock for the seconds of records, Progress and Result, on which nothing else depends; nil means
	// time.Now.
	Now func() time.Time

	Hooks Hooks
}

// Hooks are called from the goroutine of Run between steps. A nil hook is not called; an error ends the run and is
// returned after writing a checkpoint. They must neither write to θ nor keep the slices.
type Hooks struct {
	// Gate is called before every step. It may block, which pauses the run.
	Gate func(ctx context.Context) error
	// Step is called after every step.
	Step func(p Progress) error
	// Measure adds values to the record of a step, from the averaged weights. It is called when a record is due and may
	// return nil.
	Measure func(step int, average []float64) (map[string]float64, error)
	// Record is called with every record that is written.
	Record func(r Record)
	// Checkpoint is called before a checkpoint file is written, with the number of its steps, to store what is counted
	// over all sessions, so that a kill loses none of it. If it returns an error the file is not written.
	Checkpoint func(step int) error
}

// Progress is the state after a step.
type Progress struct {
	Step, Steps  int
	Stats        Stats
	GradNorm     float64 // before clipping
	LearningRate float64
	Seconds      float64   // over all sessions
	Theta        []float64 // live
	Average      []float64 // live
}

// Result is the outcome of a run.
type Result struct {
	Step      int       // steps completed
	Loss      float64   // of the last step, NaN if there was none
	Seconds   float64   // over all sessions
	Rollbacks int       // number of rollbacks by the sentinel
	Average   []float64 // the averaged weights
	Best      []float64 // the averaged weights that were best on held-out points; without Early, the last ones
	BestStep  int       // the step of Best
	BestLoss  float64   // the loss of Best on held-out points; NaN without Config.Early
	Early     bool      // whether the run ended before Steps because the weights no longer improved
}

// Validate names every setting that is missing or out of range.
func (c *Config) Validate() error {
	var errs []error
	want := func(ok bool, format string, args ...any) { errs = append(errs, check(ok, format, args...)) }
	want(c.Objective != nil, "Config.Objective is nil")
	_, err := c.params()
	errs = append(errs, err)
	want(c.Source != nil, "Config.Source is nil")
	want(c.Dim > 0, "Config.Dim = %d, want > 0", c.Dim)
	want(c.Batch > 0, "Config.Batch = %d, want > 0", c.Batch)
	if o, ok := c.Objective.(interface{ Dims() (n, d int) }); ok {
		n, d := o.Dims()
		want(c.Dim <= 0 || c.Dim == d, "Config.Dim = %d, the energy of the objective has dimension %d", c.Dim, d)
		want(c.Batch <= 0 || c.Batch == n, "Config.Batch = %d, the objective was compiled for %d by "+
			"objectives.Config.Batch", c.Batch, n)
	}
	for _, s := range []struct {
		name string
		Source
	}{{"Source", c.Source}, {"Held", c.Held}} {
		if k, ok := s.Source.(interface{ Dim() int }); ok {
			want(c.Dim <= 0 || c.Dim == k.Dim(), "Config.Dim = %d, the points of Config.%s have dimension %d", c.Dim,
				s.name, k.Dim())
		}
	}
	want(c.Steps > 0, "Config.Steps = %d, want > 0: without steps nothing is learnt", c.Steps)
	want(c.LearningRate > 0 && !math.IsInf(c.LearningRate, 0), "Config.LearningRate = %g, want > 0", c.LearningRate)
	want(c.Clip >= 0, "Config.Clip = %g, want >= 0", c.Clip)
	want(c.Decay >= 0 && c.Decay < 1, "Config.Decay = %g, want in [0, 1)", c.Decay)
	want(c.RecordEvery >= 0, "Config.RecordEvery = %d, want >= 0", c.RecordEvery)
	want(c.CheckpointEvery >= 0, "Config.CheckpointEvery = %d, want >= 0", c.CheckpointEvery)
	errs = append(errs, validateSchedule(c.Schedule), c.Sentinel.Validate())
	if c.Early != nil {
		errs = append(errs, c.Early.Validate())
		want(c.Held != nil || c.Early.Loss != nil,
			"Config.Early without points held back: set Config.Held, or EarlyStopping.Loss")
	}
	want(c.Optimizer != nil, "Config.Optimizer is nil")
	if c.Optimizer != nil {
		errs = append(errs, c.Optimizer.Validate())
	}
	return errors.Join(errs...)
}

// check returns an error with the given text unless ok.
func check(ok bool, format string, args ...any) error {
	if ok {
		return nil
	}
	return fmt.Errorf("train: "+format, args...)
}

// params returns the parameters to train.
func (c *Config) params() (Params, error) {
	o, ok := c.Objective.(interface{ Params() *energy.Params })
	switch {
	case !ok && c.Params == nil:
		return nil, errors.New("train: Config.Params is nil, and the objective does not tell what it reads")
	case !ok:
		return c.Params, nil
	case c.Params == nil:
		return o.Params(), nil
	}
	if own, other := o.Params().Data(), c.Params.Data(); len(own) != len(other) || len(own) > 0 &&
		&own[0] != &other[0] {
		return nil, errors.New("train: Config.Params are not those that the objective was compiled for, which would " +
			"stay as they are; leave them out, or compile the objective for them")
	}
	return c.Params, nil
}

// runner is the state of a run.
type runner struct {
	cfg      Config
	schedule Schedule
	sentinel Sentinel
	average  Average
	early    *early // nil: none
	watch    stopwatch

	x     *mat.Dense
	grad  []float64
	data  *rand.PCG
	noise *rand.PCG
	aside *rand.PCG // for held-out points

	dataRNG, noiseRNG *rand.Rand // on data and noise

	step    int
	attempt uint64 // rollbacks so far; part of the seed of every stream
	scale   float64
	loss    float64
	sumLoss float64 // over the open window of the next record
	sumNorm float64
	window  uint64
	good    Snapshot // the state that a rollback returns to
	first   Snapshot // the start, during the first half of a judged run
	kept    Snapshot // the best state of earlier attempts that were restarted
	parts   []part
}

// part is a section of the checkpoint with its own state.
type part struct {
	name string
	Stateful
}

// Run trains until Steps are done, the context is cancelled, or the run fails. On cancellation it writes a checkpoint
// and returns an error that matches the context's; when the sentinel gives up, an *Error, with the parameters and their
// average as at the last good checkpoint; if it cannot record or write a checkpoint, the error of the system, and the
// last checkpoint on disk is intact. The Result is valid in every case.
func Run(ctx context.Context, cfg Config) (Result, error) {
	r, err := newRunner(cfg)
	if err != nil {
		return Result{Loss: math.NaN()}, err
	}
	err = r.run(ctx)
	return r.result(), err
}

func (r *runner) result() Result {
	res := Result{
		Step: r.step, Loss: r.loss, Seconds: r.watch.seconds(), Rollbacks: int(r.attempt), Average: r.average.Theta(),
		Best: r.average.Theta(), BestStep: r.step, BestLoss: math.NaN(),
	}
	if e := r.early; e != nil && e.theta != nil {
		res.Best, res.BestStep, res.BestLoss = e.theta, e.step, e.best
		res.Early = e.over() && r.step < r.cfg.Steps
	}
	return res
}

func newRunner(cfg Config) (*runner, error) {
	if err := cfg.Validate(); err != nil {
		return nil, err
	}
	cfg.Params, _ = cfg.params()
	if cfg.Now == nil {
		cfg.Now = time.Now
	}
	if p, ok := cfg.Params.(*energy.Params); ok && cfg.Resume == nil {
		if err := energy.CheckWeights(p); err != nil {
			return nil, fmt.Errorf("train: %w", err)
		}
	}
	r := &runner{
		cfg:      cfg,
		schedule: cfg.Schedule,
		sentinel: cfg.Sentinel,
		average:  Average{Decay: cfg.Decay},
		watch:    stopwatch{now: cfg.Now, start: cfg.Now()},
		x:        mat.NewDense(cfg.Batch, cfg.Dim, nil),
		grad:     make([]float64, len(cfg.Params.Data())),
		data:     new(rand.PCG),
		noise:    new(rand.PCG),
		aside:    new(rand.PCG),
		scale:    1,
		loss:     math.NaN(),
	}
	if cfg.Contrast != nil {
		r.sentinel.known = cfg.Contrast.reference
	}
	r.dataRNG, r.noiseRNG = rand.New(r.data), rand.New(r.noise)
	if r.schedule == nil {
		r.schedule = Constant{}
	}
	r.cfg.RecordEvery = cmp.Or(r.cfg.RecordEvery, max(1, cfg.Steps/100))
	r.cfg.CheckpointEvery = cmp.Or(r.cfg.CheckpointEvery, max(1, cfg.Steps/20))
	r.add("optimizer", cfg.Optimizer)
	r.add("average", &r.average)
	r.add("sentinel", &r.sentinel)
	r.add("objective", cfg.Objective)
	r.add("source", cfg.Source)
	if cfg.Early != nil {
		r.early = newEarly(cfg)
		r.add("early", r.early)
	}
	// State in files comes last: files are truncated only once everything else is in order.
	if cfg.Recorder != nil {
		r.add("recorder", cfg.Recorder)
	}
	for _, name := range slices.Sorted(maps.Keys(cfg.Extra)) {
		r.add("extra/"+name, cfg.Extra[name])
	}
	r.average.Update(cfg.Params.Data())
	if cfg.Checkpoint != "" {
		if _, err := cfg.Optimizer.MarshalState(); err != nil {
			return nil, err
		}
	}
	if cfg.Resume != nil {
		if err := r.resume(cfg.Resume); err != nil {
			return nil, err
		}
	}
	return r, nil
}

// add includes v in the checkpoint if it has state.
func (r *runner) add(name string, v any) {
	if s, ok := v.(Stateful); ok {
		r.parts = append(r.parts, part{name, s})
	}
}

func (r *runner) run(ctx context.Context) error {
	if r.good == nil {
		if _, err := r.judge(); err != nil {
			return err
		}
		if err := r.checkpoint(); err != nil {
			return err
		}
	}
	for r.step < r.cfg.Steps && !r.early.over() {
		if err := r.gate(ctx); err != nil {
			return err
		}
		p, trip, err := r.advance()
		if err == nil && trip == nil {
			trip, err = r.look(p.LearningRate)
		}
		if err == nil && trip != nil {
			if err = r.rollback(trip); err == nil {
				continue
			}
		}
		if err != nil {
			return err
		}
		if hook := r.cfg.Hooks.Step; hook != nil {
			p.Seconds = r.watch.seconds()
			if err := hook(p); err != nil {
				return errors.Join(err, r.stop())
			}
		}
		if r.step%r.cfg.CheckpointEvery == 0 && r.step < r.cfg.Steps && r.sentinel.calm() {
			if err := r.checkpoint(); err != nil {
				return err
			}
		}
	}
	return errors.Join(r.stop(), r.settle())
}

// gate waits for the hook, and ends the run, after a checkpoint, if the context is done.
func (r *runner) gate(ctx context.Context) error {
	if gate := r.cfg.Hooks.Gate; gate != nil && ctx.Err() == nil {
		if err := gate(ctx); err != nil && ctx.Err() == nil {
			return errors.Join(err, r.stop())
		}
	}
	if ctx.Err() == nil {
		return nil
	}
	if err := r.stop(); err != nil {
		return err
	}
	return fmt.Errorf("train: stopped after step %d: %w", r.step, context.Cause(ctx))
}

// advance takes one step, unless the sentinel rejects its gradient.
func (r *runner) advance() (Progress, *Error, error) {
	cfg, theta := &r.cfg, r.cfg.Params.Data()
	reseed(r.data, cfg.Seed, "data", r.attempt, uint64(r.step))
	cfg.Source.Sample(r.x, r.dataRNG)
	reseed(r.noise, cfg.Seed, "noise", r.attempt, uint64(r.step))
	stats, err := cfg.Objective.Gradient(r.grad, r.x, r.noiseRNG)
	if err != nil {
		return Progress{}, nil, fmt.Errorf("train: step %d: %w", r.step, err)
	}
	norm := Clip(r.grad, cfg.Clip)
	if trip := r.sentinel.observe(r.step, stats, norm); trip != nil {
		return Progress{}, trip, nil
	}
	rate := cfg.LearningRate * r.scale * r.schedule.Factor(r.step, cfg.Steps)
	cfg.Optimizer.SetLearningRate(rate)
	if err := cfg.Optimizer.Step(theta, r.grad); err != nil {
		return Progress{}, nil, fmt.Errorf("train: step %d: %w", r.step, err)
	}
	cfg.Params.Changed()
	r.average.Update(theta)
	r.step++
	r.loss = stats.Loss
	r.sumLoss += stats.Loss
	r.sumNorm += norm
	r.window++
	return Progress{
		Step: r.step, Steps: cfg.Steps, Stats: stats, GradNorm: norm, LearningRate: rate,
		Theta: theta, Average: r.average.Theta(),
	}, nil, nil
}

// look performs the evaluations and writes the record due after a step.
func (r *runner) look(rate float64) (*Error, error) {
	if r.early.due(r.step, r.cfg.Steps) {
		if err := r.measure(); err != nil {
			return nil, err
		}
	}
	if r.step%r.cfg.RecordEvery == 0 || r.step == r.cfg.Steps || r.early.over() {
		if trip, err := r.record(rate); trip != nil || err != nil {
			return trip, err
		}
	}
	if r.step%judgeEvery(r.cfg.Steps) == 0 {
		return r.judge()
	}
	return nil, nil
}

// record closes the window. The *Error is the sentinel's finding, the error is about recording.
func (r *runner) record(rate float64) (*Error, error) {
	n := float64(r.window)
	rec := Record{Step: r.step, Loss: r.sumLoss / n, GradNorm: r.sumNorm / n, LearningRate: rate,
		Seconds: r.watch.seconds()}
	r.sumLoss, r.sumNorm, r.window = 0, 0, 0
	if m := r.cfg.Hooks.Measure; m != nil {
		values, err := m(r.step, r.average.Theta())
		if err != nil {
			return nil, errors.Join(err, r.stop())
		}
		rec.Values = values
	}
	put := func(name string, v float64) {
		if rec.Values == nil {
			rec.Values = make(map[string]float64)
		}
		rec.Values[name] = v
	}
	var trip *Error
	if r.cfg.Held != nil {
		held, err := r.heldLoss()
		if err != nil {
			return nil, err
		}
		put("held_loss", held)
		trip = r.sentinel.weigh(r.step, r.cfg.RecordEvery, rec.Loss, held)
	}
	if r.early.due(r.step, r.cfg.Steps) {
		put("early_loss", r.early.last)
	}
	return trip, r.write(rec)
}

// heldLoss returns the mean loss on a few batches of held-out points.
func (r *runner) heldLoss() (float64, error) {
	const batches = 4
	reseed(r.aside, r.cfg.Seed, "held", uint64(r.step))
	return r.lossOf(r.cfg.Held, batches, rand.New(r.aside))
}

// lossOf returns the mean loss on batches from a source. The state of the objective is restored afterwards.
func (r *runner) lossOf(source Source, batches int, rng *rand.Rand) (float64, error) {
	memory, remembers := r.cfg.Objective.(Stateful)
	var before []byte
	if remembers {
		var err error
		if before, err = memory.MarshalState(); err != nil {
			return 0, fmt.Errorf("train: state of the objective: %w", err)
		}
	}
	var sum float64
	for range batches {
		source.Sample(r.x, rng)
		stats, err := r.cfg.Objective.Gradient(r.grad, r.x, rng)
		if err != nil {
			return 0, fmt.Errorf("train: step %d: points held back: %w", r.step, err)
		}
		sum += stats.Loss
	}
	if remembers {
		if err := memory.UnmarshalState(before); err != nil {
			return 0, err
		}
	}
	return sum / float64(batches), nil
}

func (r *runner) write(rec Record) error {
	if err := r.cfg.Recorder.Record(rec); err != nil {
		return err
	}
	if hook := r.cfg.Hooks.Record; hook != nil {
		hook(rec)
	}
	return nil
}

// rollback goes back to the last good state, with a smaller learning rate and fresh streams, or gives up.
func (r *runner) rollback(trip *Error) error {
	trip.Rollbacks = int(r.attempt)
	if r.good == nil {
		return trip
	}
	if int(r.attempt) >= r.sentinel.maxRollbacks() {
		return r.giveUp(trip)
	}
	attempt := r.attempt + 1
	to := r.good
	if trip.restart {
		r.keep()
		to, r.good = r.first, r.first
	}
	if err := r.restore(to, false); err != nil {
		return fmt.Errorf("train: step %d: going back: %w", trip.Step, err)
	}
	if r.judged() { // the average was judged good; θ itself may have been all over the place
		copy(r.cfg.Params.Data(), r.average.Theta())
		r.cfg.Params.Changed()
	}
	r.attempt = attempt
	r.scale = math.Pow(cmp.Or(r.sentinel.Backoff, 0.25), float64(attempt))
	return r.write(Record{
		Step: r.step, Seconds: r.watch.seconds(),
		Event: fmt.Sprintf("rollback %d from step %d to step %d, rate times %g: %s", attempt, trip.Step, r.step,
			r.scale, trip.Seen),
	})
}

// giveUp restores the parameters and their average to the last good state.
func (r *runner) giveUp(trip *Error) error {
	if err := r.recall(); err != nil {
		return errors.Join(trip, err)
	}
	return errors.Join(trip, r.deliverGood())
}

// deliverGood restores only the parameters and their average to the state to go back to.
func (r *runner) deliverGood() error {
	theta, err := r.good.parameters()
	if err != nil {
		return err
	}
	b, err := r.good.section("average")
	if err != nil {
		return err
	}
	copy(r.cfg.Params.Data(), theta)
	r.cfg.Params.Changed()
	return r.average.UnmarshalState(b)
}
