package fit

import (
	"context"
	"errors"
	"fmt"
	"math"

	"github.com/stheno-ebm/stheno/objectives/fit/rundir"
	"github.com/stheno-ebm/stheno/objectives/train"
)

var errUsed = errors.New("fit: the job has been run; prepare another one")

// train runs the loop, from the checkpoint if there is one to resume.
func (j *Job) train(ctx context.Context, dir *rundir.Dir, resume bool) (res train.Result, err error) {
	res.Loss = math.NaN()
	if j.objective == nil {
		return res, errUsed
	}
	defer func() { j.objective, j.optimizer = nil, nil }() // their buffers are not needed for sampling and measuring
	fingerprint, err := j.fingerprint()
	if err != nil {
		return res, err
	}
	c, m, hooks := &j.Config, j.Model, &j.Config.Hooks
	cfg := train.Config{
		Objective: j.objective, Params: m.Params, Optimizer: j.optimizer, Source: m.data.source,
		Dim: m.data.Dim, Batch: c.Batch, Steps: c.Steps,
		LearningRate: c.LearningRate, Schedule: j.schedule, Clip: c.Clip, Decay: c.Average, Seed: c.Seed,
		RecordEvery: c.recordInterval(), CheckpointEvery: c.CheckpointEvery, Fingerprint: fingerprint,
	}
	cfg.Hooks.Gate, cfg.Hooks.Record, cfg.Hooks.Checkpoint = hooks.Gate, hooks.Record, hooks.Checkpoint
	if !c.Objective.Traits().Chains { // whose loss is near zero from start to end
		if cfg.Held, err = m.data.held(); err != nil {
			return res, err
		}
	}
	if c.Patience > 0 {
		if cfg.Held == nil && j.corrected == nil {
			return res, fieldErrorf("patience", c.Patience, "the loss of %s tells nothing of progress; leave it out",
				c.Name)
		}
		cfg.Early = &train.EarlyStopping{Patience: c.Patience}
		if j.corrected != nil {
			cfg.Early.Loss = func(average []float64) (float64, error) {
				best, err := j.corrected.judge(average)
				return -best.sure(), err
			}
		}
	}
	cfg.Sentinel.MaxRise = maxRise
	if cfg.Contrast, err = m.contrast(); err != nil {
		return res, err
	}
	g, err := newGauge(m)
	if err != nil {
		return res, err
	}
	if g != nil {
		cfg.Hooks.Measure = g.measure
	}
	files := &logs{hooks: hooks, due: frameSteps(c.Steps, c.Frames)}
	if dir != nil {
		if err := files.open(j, dir, &cfg, resume); err != nil {
			return res, errors.Join(err, files.close())
		}
	}
	cfg.Hooks.Step = func(p train.Progress) error {
		if hooks.Step != nil {
			if err := hooks.Step(p); err != nil {
				return err
			}
		}
		return errors.Join(files.keep(p.Step, p.Average), files.err())
	}
	if cfg.Resume == nil {
		if err := files.keep(0, m.Params.Data()); err != nil {
			return res, errors.Join(err, files.close())
		}
	}
	res, err = train.Run(ctx, cfg)
	switch named := (*rundir.FileError)(nil); {
	case errors.As(err, &named):
	case errors.Is(err, train.ErrCorrupt):
		err = &rundir.FileError{Path: dir.File(rundir.State), Err: err}
	case errors.Is(err, train.ErrSettings):
		err = &rundir.FileError{Path: dir.File(rundir.State),
			Err: fmt.Errorf("%s does not belong to %s: %w", dir.File(rundir.State), dir.File(rundir.Config), err)}
	}
	return res, errors.Join(err, files.close())
}

// logs holds the files of a run that grow. Without a directory there are none.
type logs struct {
	hooks    *Hooks
	due      func(step int) bool // whether a frame is due
	recorder *train.Recorder
	frames   *rundir.FrameLog
	events   *train.TensorBoard
}

// open sets the loop up to write to the directory, and finds the checkpoint to resume from.
func (l *logs) open(j *Job, dir *rundir.Dir, cfg *train.Config, resume bool) (err error) {
	if resume {
		if cfg.Resume, err = j.checkpointOf(dir, cfg.Fingerprint); err != nil {
			return err
		}
	}
	if l.recorder, err = dir.OpenRecorder(); err != nil {
		return err
	}
	if l.frames, err = dir.OpenFrames(j.Model.Params.Len()); err != nil {
		return err
	}
	if resume && cfg.Resume == nil {
		if err := errors.Join(l.recorder.Reset(), l.frames.Reset()); err != nil {
			return err
		}
	}
	cfg.Recorder, cfg.Checkpoint, cfg.Store = l.recorder, dir.File(rundir.State), dir.WriteState
	cfg.Hooks.Checkpoint = func(step int) error {
		if err := dir.Own(); err != nil || l.hooks.Checkpoint == nil {
			return err
		}
		return l.hooks.Checkpoint(step)
	}
	cfg.Extra = map[string]train.Stateful{"frames": l.frames}
	if l.hooks.TensorBoard || resume && len(train.EventFiles(dir.Path)) > 0 {
		if l.events, err = dir.OpenEvents(); err != nil {
			return err
		}
		record := cfg.Hooks.Record
		cfg.Hooks.Record = func(r train.Record) {
			if record != nil {
				record(r)
			}
			l.events.Record(r)
		}
	}
	return nil
}

// keep adds the weights of a step to the frames if one is due.
func (l *logs) keep(step int, theta []float64) error {
	if l.frames == nil || !l.due(step) {
		return nil
	}
	if err := l.frames.Append(step, theta); err != nil {
		return err
	}
	if l.hooks.Frame != nil {
		l.hooks.Frame(l.frames.Len()-1, step)
	}
	return nil
}

// err returns the error of the event file.
func (l *logs) err() error {
	if l.events == nil {
		return nil
	}
	return l.events.Err()
}

func (l *logs) close() error {
	var errs []error
	if l.recorder != nil {
		errs = append(errs, l.recorder.Close())
	}
	if l.frames != nil {
		errs = append(errs, l.frames.Close())
	}
	if l.events != nil {
		errs = append(errs, l.events.Close())
	}
	return errors.Join(errs...)
}

// frameSteps returns the steps after which a frame is due: n of them, dense at first, when most happens; the first is
// the start, the last the end.
func frameSteps(steps, n int) func(step int) bool {
	due := make(map[int]bool, n)
	for k := range n {
		f := float64(k+1) / float64(n)
		if n > 1 {
			f = float64(k) / float64(n-1)
		}
		due[int(math.Round(float64(steps)*f*f))] = true
	}
	return func(step int) bool { return due[step] }
}
