package fit

import (
	"context"
	"errors"

	"github.com/stheno-ebm/stheno/datasets"
	"github.com/stheno-ebm/stheno/objectives"
	"github.com/stheno-ebm/stheno/objectives/train"
	"github.com/stheno-ebm/stheno/objectives/verify"
)

// AlarmChecks returns checks of every objective on every named distribution, with default settings, for which it must
// train without an alarm: the sentinel must neither roll back, restart nor give up.
func AlarmChecks(ctx context.Context) []verify.Check {
	var all []verify.Check
	for _, dataset := range datasets.Names() {
		for _, name := range objectives.Names() {
			all = append(all, verify.New(name, dataset, "alarms, defaults", func() (value, tolerance float64, err error) {
				value, err = alarms(ctx, dataset, name)
				return value, 0, err
			}))
		}
	}
	return all
}

// alarms trains and returns how often the sentinel intervened.
func alarms(ctx context.Context, dataset, name string) (float64, error) {
	src, err := datasets.New(dataset)
	if err != nil {
		return 0, err
	}
	job, err := PrepareContext(ctx, src, Config{Dataset: dataset, Name: name})
	if err != nil {
		return 0, err
	}
	job.Model.Config = job.Config
	res, err := job.train(ctx, nil, false)
	if errors.Is(err, train.ErrDiverged) || errors.Is(err, train.ErrNonFinite) {
		return float64(res.Rollbacks + 1), nil
	}
	return float64(res.Rollbacks), err
}
