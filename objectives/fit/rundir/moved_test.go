package rundir

import (
	"errors"
	"os"
	"path/filepath"
	"runtime"
	"testing"
)

// A run whose folder was renamed, deleted or replaced writes nothing under its old name: there may be another run by
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
			err = d.Write(Eval, []byte("{}"))
			var fe *FileError
			if !errors.Is(err, ErrMoved) || !errors.As(err, &fe) || fe.Path != d.Path {
				t.Errorf("writing: %v, want ErrMoved", err)
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
