// Package page shows a run on the live page of package viz/live, while it runs or after it has ended.
package page

import (
	"context"
	"errors"
	"fmt"
	"math"

	"gonum.org/v1/gonum/mat"

	"github.com/stheno-ebm/stheno/cmd/ebm/internal/pictures"
	"github.com/stheno-ebm/stheno/energy"
	"github.com/stheno-ebm/stheno/objectives/fit"
	"github.com/stheno-ebm/stheno/objectives/fit/rundir"
	"github.com/stheno-ebm/stheno/objectives/train"
	"github.com/stheno-ebm/stheno/viz"
	"github.com/stheno-ebm/stheno/viz/live"
)

// ErrStopped is the error of a run stopped from the page; it counts as an interruption.
var ErrStopped = fmt.Errorf("stopped from the page: %w", context.Canceled)

const (
	liveNodes   = 64 // of the energy grid, along each axis
	liveSamples = 1000
)

// config returns the configuration of the page of a model. The address is as in live.Config.
func config(m *fit.Model, addr string, remote bool) (live.Config, error) {
	if m.Dim() < 2 {
		return live.Config{}, fmt.Errorf("the page shows a plane, the data have %d dimension; ebm plot draws them",
			m.Dim())
	}
	c := &m.Config
	lo, hi := m.Box()
	cfg := live.Config{
		Addr: addr, Remote: remote, Title: c.Dataset + " · " + c.Name, Steps: c.Steps, Lo: [2]float64{lo[0], lo[1]},
		Hi: [2]float64{hi[0], hi[1]},
		Meta: map[string]any{"dataset": c.Dataset, "objective": c.Name, "sampler": c.Sampler, "hidden": c.Hidden,
			"seed": c.Seed},
	}
	if len(m.Names()) > 0 {
		cfg.Names = m.Names()[:2]
	}
	if x := pictures.Data(m, liveSamples); x != nil {
		cfg.Data = x
	}
	return cfg, nil
}

// Serve serves the page of a model to be trained. remote allows an address that other machines can reach.
func Serve(m *fit.Model, addr string, remote bool) (*live.Server, error) {
	cfg, err := config(m, addr, remote)
	if err != nil {
		return nil, err
	}
	return live.NewServer(cfg)
}

// painter makes frames from weights. It compiles for the first frame: without a viewer there is none.
type painter struct {
	model   *fit.Model
	params  *energy.Params
	density *fit.Density
	grid    *viz.Grid
	points  *mat.Dense
}

func (p *painter) frame(step int, theta []float64) (live.Frame, error) {
	if p.density == nil {
		p.params = p.model.Params.Clone()
		var err error
		if p.density, err = p.model.Density(p.params); err != nil {
			return live.Frame{}, err
		}
		lo, hi := p.model.Box()
		p.grid = viz.NewGrid(lo, hi, liveNodes)
		p.points = p.grid.Points()
	}
	p.params.Set(theta)
	if err := p.density.Energy(p.grid.Z, p.points); err != nil {
		return live.Frame{}, err
	}
	return live.Frame{Step: step, Energy: p.grid.Z,
		Samples: pictures.DrawGrid(p.grid, liveSamples, train.Stream(p.model.Config.Seed, "frame"))}, nil
}

// past makes frames from a run directory, for a page opened after they were written.
func past(m *fit.Model, dir *rundir.Dir) func(k, step int) func() (live.Frame, error) {
	paint := &painter{model: m} // a separate one: the other belongs to the training loop
	return func(k, step int) func() (live.Frame, error) {
		return func() (live.Frame, error) {
			f, err := dir.ReadFrame(m.Params.Len(), k)
			if err != nil {
				return live.Frame{}, err
			}
			if f.Step != step {
				return live.Frame{}, fmt.Errorf("frame %d is of step %d, want %d: the run was rolled back", k+1, f.Step,
					step)
			}
			return paint.frame(step, f.Theta)
		}
	}
}

// Attach lets the page follow and control a job. Training does not depend on viewers. A stop from the page cancels with
// ErrStopped.
func Attach(job *fit.Job, dir *rundir.Dir, srv *live.Server, resumed bool, cancel context.CancelCauseFunc) {
	m, hooks := job.Model, &job.Config.Hooks
	paint, planar := &painter{model: m}, m.Dim() == 2
	kept := func(k, step int) {}
	if planar {
		promise := past(m, dir)
		kept = func(k, step int) { srv.Later(step, promise(k, step)) }
	}
	hooks.Frame = kept
	resumed = resumed && dir.HasState()
	hooks.Gate = func(ctx context.Context) error {
		if resumed { // show earlier records: the file is truncated to the checkpoint by now
			resumed = false
			if err := errors.Join(replay(dir, srv), replayFrames(m, dir, kept)); err != nil {
				return err
			}
		}
		if srv.Gate(ctx) {
			cancel(ErrStopped)
		}
		return nil
	}
	accept := math.NaN()
	step := hooks.Step
	hooks.Step = func(p train.Progress) error {
		if err := step(p); err != nil {
			return err
		}
		if p.Stats.AcceptProb > 0 {
			accept = p.Stats.AcceptProb
		}
		if !planar {
			return nil
		}
		return srv.Offer(func() (live.Frame, error) { return paint.frame(p.Step, p.Average) })
	}
	hooks.Record = func(r train.Record) {
		if r.Event == "" {
			srv.Record(liveRecord(r, accept))
		}
	}
}

// replayFrames reports the frames in the log.
func replayFrames(m *fit.Model, dir *rundir.Dir, kept func(k, step int)) error {
	frames, err := dir.ReadFrames(m.Params.Len())
	if err != nil {
		return err
	}
	for k, f := range frames {
		kept(k, f.Step)
	}
	return nil
}

// replay shows the records of a run directory.
func replay(dir *rundir.Dir, srv *live.Server) error {
	records, err := fit.Records(dir)
	if err != nil {
		return err
	}
	for _, r := range records {
		if r.Event == "" {
			srv.Record(liveRecord(r, math.NaN()))
		}
	}
	return nil
}

func liveRecord(r train.Record, accept float64) live.Record {
	rec := live.NewRecord(r.Step, r.Seconds, r.Loss)
	rec.GradNorm, rec.Accept = r.GradNorm, accept
	if kl, ok := r.Values["kl"]; ok {
		rec.KL = kl
	}
	return rec
}

// Show serves the page of a run that has ended, from its records and frames.
func Show(m *fit.Model, addr string, remote bool) (*live.Server, error) {
	dir := m.Dir()
	if err := dir.Check(rundir.Metrics, rundir.Frames); err != nil {
		return nil, err
	}
	srv, err := Serve(m, addr, remote)
	if err != nil {
		return nil, err
	}
	if err = replay(dir, srv); err == nil && m.Dim() == 2 {
		err = showFrames(m, dir, srv)
	}
	if err != nil {
		srv.Close()
		return nil, err
	}
	word := "finished"
	if !dir.Sealed() {
		word = "interrupted"
	}
	return srv, srv.Done(word)
}

// showFrames promises the frames of a run that has ended: those of its log, or the model alone if there are none.
func showFrames(m *fit.Model, dir *rundir.Dir, srv *live.Server) error {
	n := 0
	if dir.Has(rundir.Frames) {
		promise := past(m, dir)
		if err := replayFrames(m, dir, func(k, step int) { srv.Later(step, promise(k, step)); n++ }); err != nil {
			return err
		}
	}
	if n == 0 {
		paint := &painter{model: m}
		srv.Later(m.Config.Steps, func() (live.Frame, error) { return paint.frame(m.Config.Steps, m.Params.Data()) })
	}
	return nil
}
