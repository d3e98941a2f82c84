//go:build unix

package train

import (
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/stheno-ebm/stheno/datasets/files"
)

// Files that block, never end, or are far larger than they should be are refused at once, before memory is allocated
// for them.
func TestHostileFiles(t *testing.T) {
	dir := t.TempDir()
	pipe, zero := filepath.Join(dir, "pipe"), filepath.Join(dir, "zero")
	if err := syscall.Mkfifo(pipe, 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink("/dev/zero", zero); err != nil {
		t.Fatal(err)
	}
	large := func(name string, head []byte, size int64) string {
		path := filepath.Join(dir, name)
		if err := os.WriteFile(path, head, 0o600); err != nil {
			t.Fatal(err)
		}
		if err := os.Truncate(path, size); err != nil {
			t.Skip(err)
		}
		return path
	}
	good := Snapshot{"a": []byte("state"), "b": make([]byte, 1000)}.Encode()
	zeros := int64(1 << 30)
	if testing.Short() {
		zeros = 1 << 27
	}
	filled := binary.LittleEndian.AppendUint64(append([]byte(nil), good[:len(good)-sha256.Size-1008]...), uint64(zeros))
	snapshot := func(path string) error { _, err := ReadSnapshot(path); return err }
	records := func(path string) error { _, err := ReadRecords(path); return err }
	recorder := func(path string) error {
		r, err := NewRecorder(path)
		if err == nil {
			r.Close()
		}
		return err
	}
	for _, c := range []struct {
		name string
		read func(path string) error
		path string
		want error
		says string
	}{
		{"pipe", snapshot, pipe, ErrCorrupt, "a named pipe"},
		{"pipe", records, pipe, files.ErrNotRegular, "a named pipe"},
		{"pipe", recorder, pipe, files.ErrNotRegular, "a named pipe"},
		{"zero", snapshot, zero, ErrCorrupt, "a device"},
		{"zero", records, zero, files.ErrNotRegular, "a device"},
		{"zero", recorder, zero, files.ErrNotRegular, "a device"},
		{"padded checkpoint", snapshot, large("padded", good, 1<<30), ErrCorrupt, "sections do not fill it"},
		{"checkpoint of zeros", snapshot, large("zeros", filled, int64(len(filled))+zeros+sha256.Size), ErrCorrupt,
			"its checksum does not match"},
		{"too large a checkpoint", snapshot, large("huge", good, checkpointMax+1), ErrCorrupt, "want at most"},
		{"no checkpoint", snapshot, large("other", []byte("other"), 1<<30), ErrCorrupt, "does not begin with"},
		{"a line that goes on", records, large("line", nil, maxRecords), ErrCorrupt, "a record of more than"},
		{"too many records", records, large("many", nil, maxRecords+1), ErrCorrupt, "want at most"},
	} {
		var before, after runtime.MemStats
		runtime.ReadMemStats(&before)
		begin := time.Now()
		err := c.read(c.path)
		runtime.ReadMemStats(&after)
		if !errors.Is(err, c.want) || !strings.Contains(err.Error(), c.says) {
			t.Errorf("%s: got %v, want %v with %q", c.name, err, c.want, c.says)
		}
		if mb := (after.TotalAlloc - before.TotalAlloc) >> 20; mb > 8 {
			t.Errorf("%s: %d MB allocated", c.name, mb)
		}
		if took := time.Since(begin); took > 30*time.Second {
			t.Errorf("%s: took %v", c.name, took)
		}
	}
	big := Snapshot{"a": make([]byte, checkpointLarge), "b": []byte("x")}
	path := filepath.Join(dir, "big")
	if err := os.WriteFile(path, big.Encode(), 0o600); err != nil {
		t.Fatal(err)
	}
	if got, err := ReadSnapshot(path); err != nil || len(got["a"]) != checkpointLarge || string(got["b"]) != "x" {
		t.Errorf("a large checkpoint: %v", err)
	}
}
