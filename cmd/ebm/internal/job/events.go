package job

import (
	"github.com/stheno-ebm/stheno/cmd/ebm/internal/run"
	"github.com/stheno-ebm/stheno/objectives/train"
)

// logEvents lets the training loop write an event file for TensorBoard. The returned function closes it.
func logEvents(cfg *train.Config, dir *run.Dir) (end func() error) {
	tb := train.NewTensorBoard(dir.Path, dir.File(run.Metrics))
	record, step := cfg.Hooks.Record, cfg.Hooks.Step
	cfg.Hooks.Record = func(r train.Record) {
		if record != nil {
			record(r)
		}
		tb.Record(r)
	}
	cfg.Hooks.Step = func(p train.Progress) error {
		if err := step(p); err != nil {
			return err
		}
		return tb.Err()
	}
	return tb.Close
}
