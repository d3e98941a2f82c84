package job

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"math"
	"time"

	"gonum.org/v1/gonum/mat"

	"github.com/stheno-ebm/stheno/cmd/ebm/internal/exit"
	"github.com/stheno-ebm/stheno/cmd/ebm/internal/model"
	"github.com/stheno-ebm/stheno/cmd/ebm/internal/run"
	"github.com/stheno-ebm/stheno/objectives/metrics"
	"github.com/stheno-ebm/stheno/objectives/train"
	"github.com/stheno-ebm/stheno/viz/live"
)

// Options are about how a run is watched, not about what it does.
type Options struct {
	Resume     bool                   // continue from the checkpoint in the directory
	NoPictures bool                   // neither panel nor animation
	Progress   func(p train.Progress) // after every training step
	Checkpoint func(step int) error   // before every checkpoint is written
	Stage      func(text string)      // what comes after the training
	Live       *live.Server           // the page that follows; nil: none

	TensorBoard bool // write event files; a run that has some gets them in any case
}

// Result is what a run came to, as `ebm train --json` prints it.
type Result struct {
	Run       string          `json:"run"`
	Dataset   string          `json:"dataset"`
	Objective string          `json:"objective"`
	Bias      string          `json:"bias,omitempty"` // what the objective learns other than the density of the data
	Steps     int             `json:"steps"`
	Loss      metrics.Value   `json:"loss"`
	Seconds   float64         `json:"seconds"` // of training
	Rollbacks int             `json:"rollbacks"`
	Eval      *metrics.Report `json:"eval"`
}

// Run trains, then writes the model, its samples, their measure and the pictures. A cancelled context ends it after a
// checkpoint, with an error that matches context.Canceled.
func (p *Plan) Run(ctx context.Context, dir *run.Dir, opt Options) (*Result, error) {
	if opt.Resume {
		if dir.Sealed() {
			return p.finished(dir)
		}
		dir.Clean()
	}
	trained, err := p.train(ctx, dir, opt)
	if trained.Average != nil {
		p.model.Set(p.model.Params, trained.Average)
		if werr := p.writeModel(dir); werr != nil {
			return nil, errors.Join(err, werr)
		}
	}
	if err != nil {
		return nil, err
	}
	res := &Result{
		Run: dir.Path, Dataset: p.Settings.Dataset, Objective: p.Settings.Objective, Bias: p.model.Bias(),
		Steps: trained.Step, Loss: metrics.Value(trained.Loss), Seconds: trained.Seconds, Rollbacks: trained.Rollbacks,
	}
	stage := opt.Stage
	if stage == nil {
		stage = func(string) {}
	}
	if res.Eval, err = p.finish(ctx, dir, stage, !opt.NoPictures); err != nil {
		return nil, err
	}
	return res, dir.Seal()
}

// finished reads the result of a run that was carried to its end. Nothing is written.
func (p *Plan) finished(dir *run.Dir) (*Result, error) {
	if err := dir.Check(); err != nil {
		return nil, err
	}
	b, err := dir.Read(run.Eval)
	if err != nil {
		return nil, err
	}
	records, err := train.ReadRecords(dir.File(run.Metrics))
	if err != nil {
		return nil, exit.AsUsage(err)
	}
	res := &Result{Run: dir.Path, Dataset: p.Settings.Dataset, Objective: p.Settings.Objective, Bias: p.model.Bias(),
		Steps: p.Settings.Steps, Loss: metrics.Value(math.NaN())}
	for _, r := range records {
		if r.Event != "" {
			res.Rollbacks++
		} else {
			res.Loss, res.Seconds = metrics.Value(r.Loss), r.Seconds
		}
	}
	if err := json.Unmarshal(b, &res.Eval); err != nil {
		return nil, exit.Usagef("%s: %w", dir.File(run.Eval), err)
	}
	return res, nil
}

// train runs the loop, from the checkpoint if there is one to resume.
func (p *Plan) train(ctx context.Context, dir *run.Dir, opt Options) (train.Result, error) {
	s := p.Settings
	none := train.Result{Loss: math.NaN()}
	var resume train.Snapshot
	if opt.Resume {
		var err error
		switch resume, err = train.ReadSnapshot(dir.File(run.State)); {
		case errors.Is(err, fs.ErrNotExist): // stopped before the first checkpoint: begin anew
		case err != nil:
			return none, exit.AsUsage(err)
		case p.otherData(string(resume["fingerprint"])):
			return none, model.Changed(s.Dataset)
		}
	}
	rec, err := train.NewRecorder(dir.File(run.Metrics))
	if err != nil {
		return none, err
	}
	frames, err := dir.OpenFrames(p.model.Params.Len())
	if err != nil {
		return none, err
	}
	cfg := train.Config{
		Objective: p.objective, Params: p.model.Params, Optimizer: p.optimizer, Source: p.source,
		Dim: p.model.Data.Dim, Batch: s.Batch, Steps: s.Steps,
		LearningRate: s.LR, Schedule: p.schedule, Clip: s.Clip, Decay: s.EMA, Seed: s.Seed,
		Recorder: rec, RecordEvery: recordEvery(s),
		Checkpoint: dir.File(run.State), CheckpointEvery: s.Checkpoint,
		Fingerprint: p.fingerprint(),
		Extra:       map[string]train.Stateful{"frames": frames},
	}
	if cfg.Resume = resume; opt.Resume && resume == nil {
		if err := errors.Join(rec.Reset(), frames.Reset()); err != nil {
			return none, errors.Join(err, rec.Close(), frames.Close())
		}
	}
	switch s.Objective {
	case "cd", "pcd", "ml": // their loss is a difference of energies, near zero at the start as at the end
	default:
		if cfg.Held, err = p.model.Data.Held(); err != nil {
			return none, errors.Join(err, rec.Close(), frames.Close())
		}
	}
	g, err := newGauge(p.model)
	if err != nil {
		return none, errors.Join(err, rec.Close(), frames.Close())
	}
	if g != nil {
		cfg.Hooks.Measure = g.measure
	}
	cfg.Hooks.Checkpoint = opt.Checkpoint
	due, kept := frameSteps(s.Steps, s.Frames), func(k, step int) {}
	keep := func(step int, theta []float64) error {
		if !due(step) {
			return nil
		}
		if err := frames.Append(step, theta); err != nil {
			return err
		}
		kept(frames.Len()-1, step)
		return nil
	}
	cfg.Hooks.Step = func(pr train.Progress) error {
		if opt.Progress != nil {
			opt.Progress(pr)
		}
		return keep(pr.Step, pr.Average)
	}
	if opt.Live != nil {
		var cancel context.CancelCauseFunc
		ctx, cancel = context.WithCancelCause(ctx)
		defer cancel(nil)
		kept = p.attach(&cfg, dir, opt.Live, cancel)
	}
	if cfg.Resume == nil {
		if err := keep(0, p.model.Params.Data()); err != nil {
			return none, errors.Join(err, rec.Close(), frames.Close())
		}
	}
	events := func() error { return nil }
	if opt.TensorBoard || opt.Resume && len(train.EventFiles(dir.Path)) > 0 {
		events = logEvents(&cfg, dir)
	}
	res, err := train.Run(ctx, cfg)
	switch {
	case errors.Is(err, train.ErrCorrupt):
		err = exit.AsUsage(err)
	case errors.Is(err, train.ErrSettings):
		err = exit.Usagef("%s does not belong to %s: %w", dir.File(run.State), dir.File(run.Config), err)
	}
	return res, errors.Join(err, rec.Close(), frames.Close(), events())
}

// frameSteps tells the steps after which a frame is due: n of them, dense at first, when most happens; the first is the start, the
// last the end.
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

// StepTime is the time of a training step by the given clock, from as many steps as take a tenth of a second, or from two hundred. They
// use the plan up.
func (p *Plan) StepTime(clock func() time.Duration) (time.Duration, error) {
	const warm, most, enough = 3, 200, 100 * time.Millisecond
	x := mat.NewDense(p.Settings.Batch, p.model.Data.Dim, nil)
	grad := make([]float64, p.model.Params.Len())
	rng := train.Stream(p.Settings.Seed, "clock")
	var start time.Duration
	for k := 0; ; k++ {
		if k == warm {
			start = clock()
		} else if n := time.Duration(k - warm); n > 0 {
			if took := clock() - start; took >= enough || n == most {
				return max(took/n, time.Microsecond), nil
			}
		}
		p.source.Sample(x, rng)
		if _, err := p.objective.Gradient(grad, x, rng); err != nil {
			return 0, err
		}
		if err := p.optimizer.Step(p.model.Params.Data(), grad); err != nil {
			return 0, err
		}
		p.model.Params.Changed()
	}
}

func (p *Plan) writeModel(dir *run.Dir) error {
	b, err := p.model.Weights()
	if err != nil {
		return err
	}
	return dir.Write(run.Model, b)
}

// Summary is the result in words, a line each.
func (r *Result) Summary() []string {
	e := r.Eval
	lines := []string{fmt.Sprintf("%d steps in %.1f s", r.Steps, r.Seconds)}
	if r.Bias != "" {
		lines = append(lines, fmt.Sprintf("bias of %s: %s", r.Objective, r.Bias))
	}
	if e == nil {
		return lines
	}
	if e.KL.Known() {
		lines = append(lines, fmt.Sprintf("KL(data‖model) %.4f nats, NLL %.4f (entropy of the data %.4f)", e.KL, e.NLL, e.Entropy))
	} else if e.NLL.Known() {
		lines = append(lines, fmt.Sprintf("NLL %.4f nats per sample", e.NLL))
	}
	if e.LogZ.Known() && !e.LogZKnown() {
		lines = append(lines, "log Z, and with it the NLL, is not reliable: few draws of importance sampling have weight")
	}
	if e.TrainNLL.Known() {
		lines = append(lines, byHeart(e)...)
	}
	if e.Leak > 0.01 {
		lines = append(lines, fmt.Sprintf("%.2g of the mass of the model lies outside of the box around the data: it has not learnt where they end; take more --steps", e.Leak))
	}
	s := e.Samples
	if s == nil {
		return lines
	}
	if s.ModeTV.Known() && s.KnownModes > 1 {
		lines = append(lines, fmt.Sprintf("samples: %d of %d modes, weights within %.3f TV", s.Modes, s.KnownModes, s.ModeTV))
	}
	if !s.Mixed() {
		lines = append(lines, fmt.Sprintf("the chains that drew the samples have not mixed: R̂ is %.3f, want at most %.4g; ebm sample %s says more", s.RHat, s.Limit(), exit.Quote(r.Run)))
	}
	return lines
}

// byHeart compares the likelihood of the points that were learnt with that of the points set aside.
func byHeart(e *metrics.Report) []string {
	lines := []string{fmt.Sprintf("NLL of the training points %.4f", e.TrainNLL)}
	// What training gains on its own points shrinks with their number; this much is beyond that and beyond chance.
	if gap := e.NLL - e.TrainNLL; gap > 0.1+4*e.NLLErr {
		lines = append(lines, fmt.Sprintf("the training points are likelier by %.3g nats: they were learnt by heart; take a larger --smooth, fewer --steps or a smaller --hidden", gap))
	}
	return lines
}
