package rundir

import (
	"errors"
	"os"
	"path/filepath"
	"syscall"
	"testing"

	"golang.org/x/sys/unix"
)

// A process that has no descriptor left can still write its checkpoints and results.
func TestNoDescriptors(t *testing.T) {
	d, err := Create(filepath.Join(t.TempDir(), "run"), "moons", "nce")
	if err != nil {
		t.Fatal(err)
	}
	defer d.Unlock()
	if err := os.Mkdir(d.File("checkpoint"), 0o755); err != nil {
		t.Fatal(err)
	}
	var before unix.Rlimit
	if err := unix.Getrlimit(unix.RLIMIT_NOFILE, &before); err != nil {
		t.Fatal(err)
	}
	limit := before
	limit.Cur = 200
	if err := unix.Setrlimit(unix.RLIMIT_NOFILE, &limit); err != nil {
		t.Skip(err)
	}
	defer func() { _ = unix.Setrlimit(unix.RLIMIT_NOFILE, &before) }()
	var taken []*os.File
	defer func() {
		for _, f := range taken {
			f.Close()
		}
	}()
	for {
		f, err := os.Open(os.DevNull)
		if err != nil {
			break
		}
		taken = append(taken, f)
	}
	if err := os.WriteFile(d.File("x"), nil, 0o644); !errors.Is(err, syscall.EMFILE) {
		t.Fatalf("a file can be opened: %v", err)
	}
	for n := range byte(3) {
		if err := d.WriteState(state(n)); err != nil {
			t.Fatal(err)
		}
	}
	for _, name := range []string{Config, Metrics, Eval} {
		if err := d.Write(name, []byte("{}")); err != nil {
			t.Error(err)
		}
	}
	if err := d.Seal(); err != nil {
		t.Error(err)
	}
}
