package fit

import (
	"context"
	"errors"
	"fmt"
	"math"
	"sync"

	"github.com/stheno-ebm/stheno/datasets"
	"github.com/stheno-ebm/stheno/objectives"
	"github.com/stheno-ebm/stheno/objectives/train"
	"github.com/stheno-ebm/stheno/objectives/verify"
)

// factors are the learning rates at which the sentinel is tested, relative to the objective's own. Up to safe times its
// own rate a run must succeed.
var factors = []float64{0.1, 1. / 3, 1, 3, 10, 30, 100}

const safe = 3

// SentinelChecks returns checks of every objective at learning rates from a tenth to a hundred times its own, on
// 8gaussians and on 10 000 points of it, with two layers of 32, batches of 128 and 2000 steps. On points there is no
// base, since a base would be saved in place of a network that is worse. Up to three times the objective's own rate a
// run must succeed. A run that succeeds must end with a KL of at most ten times that at the objective's own rate; one
// at a smaller rate, which does not get as far in as many steps, only with a smaller KL than it began with. No run may
// leave a model that is worse than at its start, even if it is given up.
func SentinelChecks(ctx context.Context) []verify.Check {
	var all []verify.Check
	for _, points := range []int{0, 10000} {
		for _, name := range objectives.Names() {
			all = append(all, rateChecks(ctx, name, points, 2000, factors)...)
		}
	}
	return all
}

// rateChecks returns the checks of one objective on a distribution, or on the given number of points from it.
func rateChecks(ctx context.Context, name string, points, steps int, factors []float64) []verify.Check {
	r := &rates{ctx: ctx, c: Config{
		Dataset: "8gaussians", Name: name, TrainPoints: points, Hidden: []int{32, 32}, Batch: 128, Steps: steps,
		Warmup: 40, Base: Off,
		Samples: -1, Frames: -1, Grid: 400, TestPoints: 5000,
	}}
	r.known = sync.OnceValues(r.reference)
	target := r.c.Dataset
	if points > 0 {
		target = fmt.Sprintf("%s, %d points", target, points)
	}
	var all []verify.Check
	for _, f := range factors {
		all = append(all, verify.New(name, target, fmt.Sprintf("KL, rate × %.3g", f),
			func() (value, tolerance float64, err error) { return r.try(f) }))
	}
	return all
}

// rates holds runs of one objective that differ in the learning rate.
type rates struct {
	ctx   context.Context
	c     Config
	known func() (reference, error)
}

// reference is what runs are compared with: the objective's own rate, how it ends, and the KL of the untrained model.
type reference struct {
	rate, kl float64
	gaveUp   bool
	start    float64
}

func (r *rates) reference() (ref reference, err error) {
	job, err := r.prepare(0)
	if err != nil {
		return ref, err
	}
	ref.rate = job.Config.LearningRate
	if ref.start, err = r.kl(job.Model); err != nil {
		return ref, err
	}
	ref.kl, ref.gaveUp, err = r.run(0)
	return ref, err
}

func (r *rates) prepare(rate float64) (*Job, error) {
	src, err := datasets.New(r.c.Dataset)
	if err != nil {
		return nil, err
	}
	c := r.c
	c.LearningRate = rate
	return PrepareContext(r.ctx, src, c)
}

// kl returns the KL of the current model, infinite if it cannot be normalised.
func (r *rates) kl(m *Model) (float64, error) {
	report, err := m.Evaluate(r.ctx, nil)
	if err != nil {
		return 0, err
	}
	if kl := float64(report.KL); !math.IsNaN(kl) {
		return kl, nil
	}
	return math.Inf(1), nil
}

// run trains and returns the KL of the resulting model, and whether the run gave up.
func (r *rates) run(rate float64) (kl float64, gaveUp bool, err error) {
	job, err := r.prepare(rate)
	if err != nil {
		return 0, false, err
	}
	m, err := job.Run(r.ctx, nil)
	switch {
	case errors.Is(err, train.ErrDiverged):
		kl, err = r.kl(job.Model)
		return kl, true, err
	case err != nil:
		return 0, false, err
	}
	return float64(m.Result.Eval.KL), false, nil
}

// try checks a multiple of the objective's own rate.
func (r *rates) try(factor float64) (value, tolerance float64, err error) {
	ref, err := r.known()
	if err != nil {
		return 0, 0, err
	}
	kl, gaveUp := ref.kl, ref.gaveUp
	if factor != 1 {
		kl, gaveUp, err = r.run(factor * ref.rate)
	}
	switch {
	case err != nil:
		return 0, 0, err
	case gaveUp && factor <= safe:
		return kl, 0, nil
	case gaveUp || factor < 1:
		return kl, ref.start, nil
	}
	return kl, min(10*ref.kl, ref.start), nil
}
