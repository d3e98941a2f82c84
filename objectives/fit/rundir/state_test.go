package rundir

import (
	"os"
	"path/filepath"
	"slices"
	"testing"

	"github.com/stheno-ebm/stheno/objectives/train"
)

// state is the n-th checkpoint of a run, complete by itself.
func state(n byte) []byte { return train.Snapshot{"run": {n, 0, 0, 0, 0, 0, 0, 0}}.Encode() }

// Previous checkpoints are kept, newest first; those that were skipped as damaged are removed when the next one is
// written, and the first intact one is the newest again.
func TestOlderStates(t *testing.T) {
	for damaged := range 3 {
		d, err := Create(filepath.Join(t.TempDir(), "run"), "moons", "nce")
		if err != nil {
			t.Fatal(err)
		}
		defer d.Unlock()
		write := func(n byte) {
			t.Helper()
			if err := d.WriteState(state(n)); err != nil {
				t.Fatal(err)
			}
		}
		if err := os.Mkdir(d.File("checkpoint"), 0o755); err != nil {
			t.Fatal(err)
		}
		for n := byte(1); n <= 4; n++ {
			write(n)
		}
		for k := range damaged {
			if err := os.WriteFile(d.File(stateName(k)), state(0)[:20], 0o644); err != nil {
				t.Fatal(err)
			}
		}
		s, note, err := d.ReadState()
		if err != nil || s.Step() != 4-damaged || (note != "") != (damaged > 0) {
			t.Errorf("%d damaged: step %d, note %q, %v", damaged, s.Step(), note, err)
		}
		write(9)
		for k, want := range append([]int{9}, []int{4, 3, 2}[damaged:]...)[:3-max(0, damaged-1)] {
			if s, err := train.ReadSnapshot(d.File(stateName(k))); err != nil || s.Step() != want {
				t.Errorf("%d damaged: %s is of step %d, %v, want %d", damaged, stateName(k), s.Step(), err, want)
			}
		}
		if err := d.Seal(); err != nil || d.Has(stateName(1)) || d.Has(stateName(2)) || !d.HasState() {
			t.Errorf("a finished run keeps the last checkpoint alone: %v", err)
		}
		entries, _ := os.ReadDir(d.File("checkpoint"))
		if i := slices.IndexFunc(entries, func(e os.DirEntry) bool { return e.Name()[0] == '.' }); i >= 0 {
			t.Errorf("%s is left", entries[i].Name())
		}
	}
}
