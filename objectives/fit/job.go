package fit

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"time"

	"codeberg.org/sbinet/npyio"
	"gonum.org/v1/gonum/mat"

	"github.com/stheno-ebm/stheno/objectives/fit/rundir"
	"github.com/stheno-ebm/stheno/objectives/metrics"
	"github.com/stheno-ebm/stheno/objectives/train"
)

// Hooks are called during a run, from its own goroutine. A nil hook is not called; an error ends the run after a
// checkpoint. They do not affect the result.
type Hooks struct {
	Gate       func(ctx context.Context) error           // before every step; may block, which pauses the run
	Step       func(p train.Progress) error              // after every step
	Record     func(r train.Record)                      // with every line of metrics.jsonl
	Frame      func(k, step int)                         // after the weights of a step were stored as frame k, from 0
	Checkpoint func(step int) error                      // before every checkpoint is written
	Stage      func(text string)                         // what is being done, outside training steps
	Note       func(text string)                         // notes about the run, such as damage from which it recovered
	Finish     func(ctx context.Context, m *Model) error // last, when everything is evaluated and written: pictures

	TensorBoard bool // write event files; always done for a run that already has some
}

// Result is the outcome of a run.
type Result struct {
	Run       string `json:"run"` // directory; "" if it has none
	Dataset   string `json:"dataset"`
	Objective string `json:"objective"`
	Bias      string `json:"bias,omitempty"` // what the objective learns other than the density of the data
	Steps     int    `json:"steps"`
	Planned   int    `json:"planned"` // steps; fewer were taken if held-out points no longer improved:
	// for so many steps they had not when training ended early; 0 if it took all
	Unimproved int           `json:"unimproved,omitempty"`
	Loss       metrics.Value `json:"loss"`
	Seconds    float64       `json:"seconds"` // of training
	Rollbacks  int           `json:"rollbacks"`
	Dead       bool          `json:"dead,omitempty"` // the model has one energy everywhere
	Base       string        `json:"base,omitempty"` // that the model corrects, in words
	// of the correction that is kept, 0 where it helped no more than by chance; 1 without a base
	Share float64 `json:"share"`
	// the model has a mixture of Gaussians of straightened columns in place of the base, see [Model.Warped]
	Warped bool            `json:"warped,omitempty"`
	Eval   *metrics.Report `json:"eval"`
}

// Train trains a model of the data: Prepare, and Run in the directory c.Out, if set. If the context is cancelled, it
// returns an error that matches context.Canceled: immediately before the run, and after a checkpoint during it.
func Train(ctx context.Context, src Source, c Config) (*Model, error) {
	j, err := PrepareContext(ctx, src, c)
	if err != nil {
		return nil, err
	}
	if c.Out == "" {
		return j.Run(ctx, nil)
	}
	dir, err := j.Create(c.Out)
	if err != nil {
		return nil, err
	}
	defer dir.Unlock()
	return j.Run(ctx, dir)
}

// Resume continues the run in a directory, bit for bit as if it had never been stopped; for a finished one it returns
// the model. src is the source of its data, nil if its settings name it.
func Resume(ctx context.Context, path string, src Source, hooks Hooks) (*Model, error) {
	j, dir, err := Reopen(ctx, path, src)
	if err == nil {
		err = dir.Lock()
	}
	if err != nil {
		return nil, err
	}
	defer dir.Unlock()
	j.Config.Hooks = hooks
	return j.Continue(ctx, dir)
}

// Reopen prepares the run in a directory again. The caller locks the directory before it continues the run, unless
// something else keeps other processes out.
func Reopen(ctx context.Context, path string, src Source) (*Job, *rundir.Dir, error) {
	dir, err := rundir.Open(path)
	if err != nil {
		return nil, nil, err
	}
	c, err := ReadConfig(dir)
	if err != nil {
		return nil, nil, err
	}
	if src == nil {
		if src, err = c.OpenData(ctx, nil); err != nil {
			return nil, nil, gone(c.Dataset, err)
		}
	}
	j, err := PrepareContext(ctx, src, c)
	switch {
	case err != nil && replaced(dir, c.Dataset, src): // what is wrong with other data is no matter
		return nil, nil, changed(c.Dataset)
	case err != nil:
		return nil, nil, fmt.Errorf("%s: %w", dir.File(rundir.Config), err)
	}
	return j, dir, nil
}

// replaced reports whether the run in the directory is known to have been begun on other points of a file.
func replaced(dir *rundir.Dir, dataset string, src Source) bool {
	s, _, err := dir.ReadState()
	if err != nil {
		return false
	}
	sum, err := sourceSum(dataset, src)
	begun, _, ok := fingerprintParts(string(s["fingerprint"]))
	return err == nil && sum != "" && ok && begun != sum
}

// Create creates the run directory and writes the settings. With an empty path it takes the first free one under runs.
// It is locked; the caller unlocks it.
func (j *Job) Create(path string) (*rundir.Dir, error) {
	if err := j.Config.storable(); err != nil {
		return nil, err
	}
	dir, err := rundir.Create(path, j.Config.Dataset, j.Config.Name)
	if err != nil {
		return nil, err
	}
	if err := j.Config.Store(dir); err != nil {
		dir.Unlock()
		return nil, err
	}
	return dir, nil
}

// Run trains, then draws samples, evaluates them and the model, and writes everything to the directory, unless that is
// nil. If the context is cancelled, it ends after a checkpoint with an error that matches context.Canceled.
func (j *Job) Run(ctx context.Context, dir *rundir.Dir) (*Model, error) {
	return j.run(ctx, dir, false)
}

// Continue is Run from the last checkpoint in the directory. It does not change a finished run.
func (j *Job) Continue(ctx context.Context, dir *rundir.Dir) (*Model, error) {
	if dir.Sealed() {
		return j.finished(dir)
	}
	dir.Clean()
	return j.run(ctx, dir, true)
}

func (j *Job) run(ctx context.Context, dir *rundir.Dir, resume bool) (*Model, error) {
	m := j.Model
	m.Config, m.dir = j.Config, dir
	trained, err := j.train(ctx, dir, resume)
	weights := trained.Average
	if j.Config.Patience > 0 {
		weights = trained.Best
	}
	if weights != nil {
		m.Params.Set(weights)
		if j.Config.Base == On {
			if serr := m.settleBase(context.WithoutCancel(ctx), j.corrected); serr != nil {
				return nil, errors.Join(err, serr)
			}
		}
		if dir != nil {
			if werr := m.write(dir); werr != nil {
				return nil, errors.Join(err, werr)
			}
		}
	}
	if err != nil {
		return nil, err
	}
	m.Result = j.result(dir)
	m.Result.took(trained.Step, &j.Config)
	m.Result.Loss = metrics.Value(trained.Loss)
	m.Result.Seconds, m.Result.Rollbacks = trained.Seconds, trained.Rollbacks
	m.Result.Base, m.Result.Share = m.Base()
	m.Result.Warped = m.Warped()
	if err := j.measure(ctx, dir); err != nil {
		return nil, err
	}
	if dir == nil {
		return m, nil
	}
	return m, dir.Seal()
}

// result returns what is known before training.
func (j *Job) result(dir *rundir.Dir) *Result {
	r := &Result{Dataset: j.Config.Dataset, Objective: j.Config.Name, Bias: j.Model.bias()}
	if dir != nil {
		r.Run = dir.Path
	}
	return r
}

// took sets how many steps a finished training took of those planned.
func (r *Result) took(steps int, c *Config) {
	r.Steps, r.Planned, r.Unimproved = steps, c.Steps, 0
	if steps < c.Steps {
		r.Unimproved = c.Patience * max(1, c.Steps/50)
	}
}

// measure draws samples from the trained model and evaluates both.
func (j *Job) measure(ctx context.Context, dir *rundir.Dir) (err error) {
	m, hooks := j.Model, &j.Config.Hooks
	stage := hooks.Stage
	if stage == nil {
		stage = func(string) {}
	}
	if m.Result.Dead, err = m.dead(); err != nil {
		return err
	}
	if n := j.Config.Samples; n > 0 {
		stage("drawing samples")
		if m.Draw, err = m.Sample(ctx, SampleConfig{N: n, Seed: j.Config.Seed}); err != nil {
			return err
		}
		if dir != nil {
			var b bytes.Buffer
			if err := npyio.Write(&b, m.Draw.X); err != nil {
				return err
			}
			if err := dir.Write(rundir.Samples, b.Bytes()); err != nil {
				return err
			}
		}
	}
	stage("measuring the fit")
	if m.Result.Eval, err = m.Evaluate(ctx, m.Draw); err != nil {
		return err
	}
	if dir != nil {
		if err := writeEval(dir, m.Result.Eval); err != nil {
			return err
		}
	}
	if hooks.Finish == nil {
		return nil
	}
	if dir != nil {
		if err := dir.Own(); err != nil {
			return err
		}
	}
	stage("drawing pictures")
	return hooks.Finish(ctx, m)
}

// finished reads the result of a finished run. Nothing is written.
func (j *Job) finished(dir *rundir.Dir) (*Model, error) {
	if err := dir.Check(); err != nil {
		return nil, err
	}
	eval, err := reportIn(dir)
	if err != nil {
		return nil, err
	}
	records, err := Records(dir)
	if err != nil {
		return nil, err
	}
	m, err := open(context.Background(), dir, j.Model.data.truth)
	if err != nil {
		return nil, err
	}
	m.Result = j.result(dir)
	m.Result.Base, m.Result.Share = m.Base()
	m.Result.Warped = m.Warped()
	m.Result.took(j.Config.Steps, &j.Config)
	m.Result.Loss = metrics.Value(math.NaN())
	for _, r := range records {
		if r.Event != "" {
			m.Result.Rollbacks++
		} else {
			m.Result.took(r.Step, &j.Config)
			m.Result.Loss, m.Result.Seconds = metrics.Value(r.Loss), r.Seconds
		}
	}
	m.Result.Eval = eval
	return m, nil
}

// Report returns what was found when the run ended, by its eval.json.
func (m *Model) Report() (*metrics.Report, error) {
	if m.dir == nil {
		return nil, errNoDir
	}
	return reportIn(m.dir)
}

func reportIn(dir *rundir.Dir) (*metrics.Report, error) {
	b, err := dir.Read(rundir.Eval)
	if err != nil {
		return nil, err
	}
	r := new(metrics.Report)
	if err := json.Unmarshal(b, r); err != nil {
		return nil, &rundir.FileError{Path: dir.File(rundir.Eval),
			Err: fmt.Errorf("%s: %w", dir.File(rundir.Eval), err)}
	}
	return r, nil
}

var errNoDir = errors.New("fit: the run directory is nil")

// Records reads metrics.jsonl.
func Records(dir *rundir.Dir) ([]train.Record, error) {
	if dir == nil {
		return nil, errNoDir
	}
	records, err := train.ReadRecords(dir.File(rundir.Metrics))
	if err != nil {
		return nil, &rundir.FileError{Path: dir.File(rundir.Metrics), Err: err}
	}
	return records, nil
}

// StepTime returns the time of a training step by the given clock, from a tenth of a second or two hundred steps. The
// job cannot be used afterwards.
func (j *Job) StepTime(clock func() time.Duration) (time.Duration, error) {
	const warm, most, enough = 3, 200, 100 * time.Millisecond
	x := mat.NewDense(j.Config.Batch, j.Model.data.Dim, nil)
	grad := make([]float64, j.Model.Params.Len())
	rng := train.Stream(j.Config.Seed, "clock")
	var start time.Duration
	for k := 0; ; k++ {
		if k == warm {
			start = clock()
		} else if n := time.Duration(k - warm); n > 0 {
			if took := clock() - start; took >= enough || n == most {
				return max(took/n, time.Microsecond), nil
			}
		}
		j.Model.data.source.Sample(x, rng)
		if _, err := j.objective.Gradient(grad, x, rng); err != nil {
			return 0, err
		}
		if err := j.optimizer.Step(j.Model.Params.Data(), grad); err != nil {
			return 0, err
		}
		j.Model.Params.Changed()
	}
}

// checkpointOf reads the snapshot to resume from, nil if the run was stopped before the first one.
func (j *Job) checkpointOf(dir *rundir.Dir, fingerprint string) (train.Snapshot, error) {
	s, note, err := dir.ReadState()
	switch {
	case err != nil:
		return nil, err
	case s != nil && otherData(string(s["fingerprint"]), fingerprint):
		return nil, changed(j.Config.Dataset)
	}
	if hook := j.Config.Hooks.Note; note != "" && hook != nil {
		hook(note)
	}
	return s, nil
}
