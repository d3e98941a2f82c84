package rundir

import (
	"errors"
	"fmt"
	"io/fs"
	"os"

	"github.com/stheno-ebm/stheno/datasets/files"
	"github.com/stheno-ebm/stheno/objectives/train"
)

// olderStates is the number of checkpoints kept before the last. A damaged one is skipped in favour of the one before.
const olderStates = 2

// stateName returns the name of the k-th checkpoint before the last.
func stateName(k int) string {
	if k == 0 {
		return State
	}
	return fmt.Sprintf("%s.%d", State, k)
}

// WriteState writes a checkpoint and keeps the ones before. Those that ReadState skipped are removed.
func (d *Dir) WriteState(data []byte) error {
	return d.within(func(root *os.Root) error {
		if err := d.promote(root); err != nil {
			return asFileError(d.File(State), err)
		}
		return files.KeepIn(root, State, olderStates, data)
	})
}

// ReadState reads the newest intact checkpoint. The note says what was wrong with a newer one. Without a checkpoint the
// snapshot is nil.
func (d *Dir) ReadState() (s train.Snapshot, note string, err error) {
	s, older, err := train.ReadNewest(d.File(State))
	if s == nil {
		if errors.Is(err, fs.ErrNotExist) {
			return nil, "", nil
		}
		return nil, "", asFileError(d.File(State), err)
	}
	if d.damaged = older; older > 0 {
		what := "is damaged"
		if errors.Is(err, fs.ErrNotExist) {
			what = "is missing"
		}
		note = fmt.Sprintf("%s %s: the run goes on from the checkpoint before, %s, of step %d", d.File(State), what,
			d.File(stateName(older)), s.Step())
	}
	return s, note, nil
}

// HasState reports whether there is a checkpoint, intact or not.
func (d *Dir) HasState() bool { return d.Has(State) || d.Has(stateName(1)) || d.Has(stateName(2)) }

// promote makes the checkpoint from which the run was continued the newest, before another is written.
func (d *Dir) promote(root *os.Root) error {
	if d.damaged == 0 {
		return nil
	}
	for k := range d.damaged { // by RemoveAll: it may be a folder
		if err := root.RemoveAll(stateName(k)); err != nil {
			return err
		}
	}
	for k := d.damaged; k <= olderStates; k++ {
		if err := root.Rename(stateName(k), stateName(k-d.damaged)); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return err
		}
	}
	d.damaged = 0
	return nil
}

// dropOlder removes checkpoints that a finished run does not need.
func (d *Dir) dropOlder() error {
	return d.within(func(root *os.Root) error {
		for k := 1; k <= olderStates; k++ {
			if err := root.Remove(stateName(k)); err != nil && !errors.Is(err, fs.ErrNotExist) {
				return err
			}
		}
		return nil
	})
}
