package job

import (
	"context"
	"fmt"
	"math"

	"gonum.org/v1/gonum/mat"

	"github.com/stheno-ebm/stheno/cmd/ebm/internal/exit"
	"github.com/stheno-ebm/stheno/cmd/ebm/internal/model"
	"github.com/stheno-ebm/stheno/cmd/ebm/internal/run"
	"github.com/stheno-ebm/stheno/energy"
	"github.com/stheno-ebm/stheno/objectives/train"
	"github.com/stheno-ebm/stheno/viz"
	"github.com/stheno-ebm/stheno/viz/live"
)

// ErrStopped is the end of a run that the page asked for; it counts as an interruption.
var ErrStopped = fmt.Errorf("stopped from the page: %w", context.Canceled)

const (
	liveNodes   = 64 // of the energy grid, along each axis
	liveSamples = 1000
)

// LiveConfig is the page of a run. The address is that of live.Config.
func (p *Plan) LiveConfig(addr string) (live.Config, error) { return liveConfig(p.model, addr) }

func liveConfig(m *model.Model, addr string) (live.Config, error) {
	if m.Data.Dim < 2 {
		return live.Config{}, exit.Usagef("the page shows a plane, the data have %d dimension; ebm plot draws them", m.Data.Dim)
	}
	s := m.Settings
	lo, hi := m.Data.Box()
	cfg := live.Config{
		Addr: addr, Title: s.Dataset + " · " + s.Objective, Steps: s.Steps, Lo: [2]float64{lo[0], lo[1]}, Hi: [2]float64{hi[0], hi[1]},
		Meta: map[string]any{"dataset": s.Dataset, "objective": s.Objective, "sampler": s.Sampler, "hidden": s.Hidden, "seed": s.Seed},
	}
	if len(m.Data.Names) > 0 {
		cfg.Names = m.Data.Names[:2]
	}
	if x := (&Pictures{Model: m}).data(liveSamples); x != nil {
		cfg.Data = x
	}
	return cfg, nil
}

// painter makes frames from weights. It compiles at the first: without a viewer there is none.
type painter struct {
	model   *model.Model
	params  *energy.Params
	density *model.Density
	grid    *viz.Grid
	points  *mat.Dense
}

func (p *painter) frame(step int, theta []float64) (live.Frame, error) {
	if p.density == nil {
		p.params = p.model.Average()
		var err error
		if p.density, err = p.model.Density(p.params); err != nil {
			return live.Frame{}, err
		}
		lo, hi := p.model.Data.Box()
		p.grid = viz.NewGrid(lo, hi, liveNodes)
		p.points = p.grid.Points()
	}
	p.model.Set(p.params, theta)
	if err := p.density.Energy(p.grid.Z, p.points); err != nil {
		return live.Frame{}, err
	}
	return live.Frame{Step: step, Energy: p.grid.Z, Samples: drawGrid(p.grid, liveSamples, train.Stream(p.model.Settings.Seed, "frame"))}, nil
}

// past makes frames of what a run directory holds, for a page that is opened later than they were written.
func past(m *model.Model, dir *run.Dir) func(k, step int) func() (live.Frame, error) {
	paint := &painter{model: m} // a second one: the first belongs to the training loop
	return func(k, step int) func() (live.Frame, error) {
		return func() (live.Frame, error) {
			f, err := dir.ReadFrame(m.Params.Len(), k)
			if err != nil {
				return live.Frame{}, err
			}
			if f.Step != step {
				return live.Frame{}, fmt.Errorf("frame %d is of step %d, want %d: the run was rolled back", k+1, f.Step, step)
			}
			return paint.frame(step, f.Theta)
		}
	}
}

// attach lets the page follow and steer the training loop. The training does not depend on who looks. What is returned is to be
// called with every frame that the log gets.
func (p *Plan) attach(cfg *train.Config, dir *run.Dir, srv *live.Server, cancel context.CancelCauseFunc) (kept func(k, step int)) {
	paint, planar := &painter{model: p.model}, p.model.Data.Dim == 2
	kept = func(k, step int) {}
	if planar {
		promise := past(p.model, dir)
		kept = func(k, step int) { srv.Later(step, promise(k, step)) }
	}
	resumed := cfg.Resume != nil
	cfg.Hooks.Gate = func(ctx context.Context) error {
		if resumed { // show what was recorded before the run was stopped: the file is cut to the checkpoint by now
			resumed = false
			if err := replay(dir, srv); err != nil {
				return err
			}
			if err := replayFrames(p.model, dir, kept); err != nil {
				return err
			}
		}
		if srv.Gate(ctx) {
			cancel(ErrStopped)
		}
		return nil
	}
	accept := math.NaN()
	step := cfg.Hooks.Step
	cfg.Hooks.Step = func(pr train.Progress) error {
		if err := step(pr); err != nil {
			return err
		}
		if pr.Stats.AcceptProb > 0 {
			accept = pr.Stats.AcceptProb
		}
		if !planar {
			return nil
		}
		return srv.Offer(func() (live.Frame, error) { return paint.frame(pr.Step, pr.Average) })
	}
	cfg.Hooks.Record = func(r train.Record) {
		if r.Event == "" {
			srv.Record(liveRecord(r, accept))
		}
	}
	return kept
}

// replayFrames tells of the frames that the log holds.
func replayFrames(m *model.Model, dir *run.Dir, kept func(k, step int)) error {
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
func replay(dir *run.Dir, srv *live.Server) error {
	records, err := train.ReadRecords(dir.File(run.Metrics))
	if err != nil {
		return exit.AsUsage(err)
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
func Show(m *model.Model, dir *run.Dir, addr string) (*live.Server, error) {
	cfg, err := liveConfig(m, addr)
	if err != nil {
		return nil, err
	}
	if err := dir.Check(run.Metrics, run.Frames); err != nil {
		return nil, err
	}
	srv, err := live.NewServer(cfg)
	if err != nil {
		return nil, exit.Usagef("--live %s: %w", addr, err)
	}
	if err = replay(dir, srv); err == nil && m.Data.Dim == 2 {
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

// showFrames promises the frames of a run that has ended: those of its log, or the model alone where it has none.
func showFrames(m *model.Model, dir *run.Dir, srv *live.Server) error {
	n := 0
	if dir.Has(run.Frames) {
		promise := past(m, dir)
		if err := replayFrames(m, dir, func(k, step int) { srv.Later(step, promise(k, step)); n++ }); err != nil {
			return err
		}
	}
	if n == 0 {
		paint := &painter{model: m}
		srv.Later(m.Settings.Steps, func() (live.Frame, error) { return paint.frame(m.Settings.Steps, m.Params.Data()) })
	}
	return nil
}
