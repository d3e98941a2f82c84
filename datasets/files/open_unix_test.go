//go:build unix

package files_test

import (
	"errors"
	"net"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"github.com/stheno-ebm/stheno/datasets/files"
)

// Files that would block or never end are refused at once.
func TestOpenIrregular(t *testing.T) {
	dir := t.TempDir()
	pipe, socket := filepath.Join(dir, "pipe"), filepath.Join(dir, "socket")
	if err := syscall.Mkfifo(pipe, 0o600); err != nil {
		t.Fatal(err)
	}
	l, err := net.Listen("unix", socket)
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	for path, want := range map[string]string{pipe: "a named pipe", socket: "a socket", "/dev/zero": "a device",
		"/dev/null": "a device"} {
		if _, _, err := files.Open(path); !errors.Is(err, files.ErrNotRegular) || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: got %v, want %q", path, err, want)
		}
		if _, err := files.ReadAll(path, 10); !errors.Is(err, files.ErrNotRegular) {
			t.Errorf("%s: ReadAll got %v", path, err)
		}
	}
}
