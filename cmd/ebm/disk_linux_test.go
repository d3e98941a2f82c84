package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"golang.org/x/sys/unix"
)

// mount makes a small file system, or skips the test where that is not allowed.
func mount(t *testing.T, options string) string {
	t.Helper()
	dir := t.TempDir()
	if err := unix.Mount("tmpfs", dir, "tmpfs", 0, options); err != nil {
		t.Skipf("a tmpfs cannot be mounted here: %v", err)
	}
	t.Cleanup(func() {
		if err := unix.Unmount(dir, unix.MNT_DETACH); err != nil {
			t.Error(err)
		}
	})
	return dir
}

// TestDiskFull: a full disk is an error, and nothing is lost; once there is room again, the run continues to the same
// end.
func TestDiskFull(t *testing.T) {
	for _, kb := range []string{"48k", "200k"} {
		t.Run(kb, func(t *testing.T) {
			disk := mount(t, "size="+kb)
			dir := filepath.Join(disk, "run")
			r := trainSmall(t, dir)
			if r.code == 0 {
				t.Fatal("the disk is not small enough")
			}
			if !strings.Contains(r.errout, "no space left") || strings.Contains(r.errout, "panic") {
				t.Errorf("stderr %q", r.errout)
			}
			if err := unix.Mount("tmpfs", disk, "tmpfs", unix.MS_REMOUNT, "size=64m"); err != nil {
				t.Fatal(err)
			}
			if _, err := os.Stat(filepath.Join(dir, "config.json")); err != nil {
				t.Skip("full before it began")
			}
			ebm(t, "train", "--resume", dir).want(t, 0)
			sameRun(t, dir, shared(t))
		})
	}
}

// TestReadOnly: commands that write fail with an error, commands that read work.
func TestReadOnly(t *testing.T) {
	disk := mount(t, "size=64m")
	dir := filepath.Join(disk, "run")
	if err := os.CopyFS(dir, os.DirFS(shared(t))); err != nil {
		t.Fatal(err)
	}
	if err := os.Remove(filepath.Join(dir, "checkpoint", "sums.json")); err != nil { // as if not finished
		t.Fatal(err)
	}
	before := contents(t, dir)
	if err := unix.Mount("tmpfs", disk, "tmpfs", unix.MS_REMOUNT|unix.MS_RDONLY, ""); err != nil {
		t.Skipf("the file system cannot be made read-only: %v", err)
	}
	trainSmall(t, filepath.Join(disk, "new")).want(t, 2).oneLine(t, "read-only", "--out")
	if r := ebm(t, "train", "--resume", dir); r.code == 0 || !strings.Contains(r.errout, "read-only") {
		t.Errorf("exit code %d, stderr %q", r.code, r.errout)
	}
	ebm(t, "eval", dir).want(t, 0)
	for _, args := range [][]string{
		{"plot", dir},
		{"plot", dir, "--out", filepath.Join(disk, "x.png")},
		{"sample", dir, "--out", filepath.Join(disk, "x.csv")},
		{"data", "moons", "--out", filepath.Join(disk, "x.csv")},
		{"export", dir, "--out", filepath.Join(disk, "x.onnx")},
	} {
		r := ebm(t, args...).want(t, 2)
		if note, rest, ok := strings.Cut(r.errout, "\n"); ok && strings.Contains(note, "is unfinished") {
			r.errout = rest
		}
		r.oneLine(t, "--out", "read-only")
	}
	if contents(t, dir) != before {
		t.Error("the directory changed")
	}
}
