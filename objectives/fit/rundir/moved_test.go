package rundir

import (
	"errors"
	"os"
	"path/filepath"
	"runtime"
	"testing"

	"github.com/stheno-ebm/stheno/objectives/train"
)

// A run whose folder was renamed, deleted or replaced writes nothing under its old name: another run may be there by
// now.
func TestMoved(t *testing.T) {
	if runtime.GOOS == "windows" {
		t.Skip("a folder that is open cannot be renamed there")
	}
	for name, move := range map[string]func(path string) error{
		"renamed":  func(path string) error { return os.Rename(path, path+".old") },
		"deleted":  os.RemoveAll,
		"replaced": func(path string) error { return errors.Join(os.Rename(path, path+".old"), os.Mkdir(path, 0o755)) },
		"by another run": func(path string) error {
			err := os.Rename(path, path+".old")
			other, otherErr := Create(path, "moons", "nce")
			if otherErr == nil {
				t.Cleanup(other.Unlock)
			}
			return errors.Join(err, otherErr)
		},
	} {
		t.Run(name, func(t *testing.T) {
			d, err := Create(filepath.Join(t.TempDir(), "run"), "moons", "nce")
			if err != nil {
				t.Fatal(err)
			}
			defer d.Unlock()
			if err := d.Write(Config, []byte("{}")); err != nil {
				t.Fatal(err)
			}
			if err := move(d.Path); err != nil {
				t.Fatal(err)
			}
			_, recorder := d.OpenRecorder()
			_, frames := d.OpenFrames(3)
			_, events := d.OpenEvents()
			for what, err := range map[string]error{"writing": d.Write(Eval, []byte("{}")), "recording": recorder,
				"frames": frames, "events": events} {
				var fe *FileError
				if !errors.Is(err, ErrMoved) || !errors.As(err, &fe) || fe.Path != d.Path {
					t.Errorf("%s: %v, want ErrMoved", what, err)
				}
			}
			if err := d.Seal(); err == nil {
				t.Error("the folder of another is sealed")
			}
			entries, _ := os.ReadDir(d.Path)
			if len(entries) > 0 {
				t.Errorf("%v was written under the old name", entries)
			}
		})
	}
}

// Files that grow stay with the folder in which they were opened.
func TestMovedGrowing(t *testing.T) {
	if runtime.GOOS == "windows" {
		t.Skip("a folder that is open cannot be renamed there")
	}
	d, err := Create(filepath.Join(t.TempDir(), "run"), "moons", "nce")
	if err != nil {
		t.Fatal(err)
	}
	defer d.Unlock()
	recorder, err := d.OpenRecorder()
	if err != nil {
		t.Fatal(err)
	}
	frames, err := d.OpenFrames(1)
	if err != nil {
		t.Fatal(err)
	}
	events, err := d.OpenEvents()
	if err != nil {
		t.Fatal(err)
	}
	if err := errors.Join(os.Rename(d.Path, d.Path+".old"), os.Mkdir(d.Path, 0o755)); err != nil {
		t.Fatal(err)
	}
	record := train.Record{Step: 1, Loss: 2}
	err = errors.Join(recorder.Record(record), frames.Append(1, []float64{2}))
	events.Record(record)
	if err = errors.Join(err, events.Err(), recorder.Close(), frames.Close(), events.Close()); err != nil {
		t.Fatal(err)
	}
	old := &Dir{Path: d.Path + ".old"}
	if got, err := train.ReadRecords(old.File(Metrics)); err != nil || len(got) != 1 || got[0].Loss != 2 {
		t.Errorf("records %v, %v, want one", got, err)
	}
	if got, err := old.ReadFrames(1); err != nil || len(got) != 1 {
		t.Errorf("frames %v, %v, want one", got, err)
	}
	if got := train.EventFiles(old.Path); len(got) != 1 {
		t.Errorf("files of events: %v, want one", got)
	}
	if entries, err := os.ReadDir(d.Path); err != nil || len(entries) > 0 {
		t.Errorf("under the old name: %v, %v", entries, err)
	}
}
