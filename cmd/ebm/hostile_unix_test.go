//go:build unix

package main

import (
	"bytes"
	"context"
	"io"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"
)

// answer fails unless the program ends in time: a named pipe would make it wait for ever, and a device has no end.
func answer(t *testing.T, name string, run func() result) result {
	t.Helper()
	done := make(chan result, 1)
	go func() { done <- run() }()
	select {
	case r := <-done:
		return r
	case <-time.After(time.Minute):
		t.Fatalf("%s: no answer", name)
		return result{}
	}
}

// A named pipe or a device in place of a file is refused at once, wherever a file is read.
func TestPipesAndDevices(t *testing.T) {
	run, dir := shared(t), t.TempDir()
	t.Chdir(dir)
	for _, name := range []string{"pipe.csv", "pipe.npy", "pipe.npz", "pipe.png", "pipe.json"} {
		if err := syscall.Mkfifo(name, 0o600); err != nil {
			t.Fatal(err)
		}
		zero := "zero" + filepath.Ext(name)
		if err := os.Symlink("/dev/zero", zero); err != nil {
			t.Fatal(err)
		}
		for path, kind := range map[string]string{name: "a named pipe", zero: "a device"} {
			lines := [][]string{{"train", "--dataset", path}, {"energy", run, "--points", path}}
			switch filepath.Ext(path) {
			case ".json":
				lines = [][]string{{"train", "--config", path}}
			case ".png":
				lines = lines[:1]
			}
			for _, line := range lines {
				answer(t, strings.Join(line, " "), func() result { return ebm(t, line...) }).want(t, 2).oneLine(t,
					path+" is "+kind)
			}
		}
	}
}

// The same holds for the files of a run directory.
func TestPipesInARun(t *testing.T) {
	run := shared(t)
	for _, name := range []string{"config.json", "model.safetensors", "data.safetensors", "metrics.jsonl", "eval.json",
		"samples.npy", "checkpoint/state", "checkpoint/frames"} {
		if _, err := os.Stat(filepath.Join(run, name)); err != nil {
			t.Fatal(err)
		}
		for _, kind := range []string{"pipe", "zero"} {
			own := filepath.Join(t.TempDir(), "run")
			if err := os.CopyFS(own, os.DirFS(run)); err != nil {
				t.Fatal(err)
			}
			path := filepath.Join(own, name)
			if err := os.Remove(path); err != nil {
				t.Fatal(err)
			}
			if kind == "pipe" {
				if err := syscall.Mkfifo(path, 0o600); err != nil {
					t.Fatal(err)
				}
			} else if err := os.Symlink("/dev/zero", path); err != nil {
				t.Fatal(err)
			}
			for _, line := range [][]string{
				{"eval", own, "--samples", "0"},
				{"plot", own, "--kind", "panel,loss,animation", "--out", t.TempDir() + "/p.png"},
				{"train", "--resume", own},
			} {
				r := answer(t, kind+" as "+name+": "+line[0], func() result { return ebm(t, line...) })
				if r.code != 0 && strings.Count(r.errout, "\n") > 3 || strings.Contains(r.errout, "goroutine") {
					t.Errorf("%s as %s: %s says %q", kind, name, line[0], r.errout)
				}
			}
		}
	}
}

// Ctrl-C works while the program waits for standard input.
func TestInterruptedBeforeTheData(t *testing.T) {
	r, w := io.Pipe()
	defer w.Close()
	ctx, cancel := context.WithCancel(context.Background())
	time.AfterFunc(50*time.Millisecond, cancel)
	answer(t, "train --dataset -", func() result {
		var out, errout bytes.Buffer
		code := programContext(ctx, []string{"train", "--dataset", "-"}, r, &out, &errout)
		return result{code, out.String(), errout.String()}
	}).want(t, 130)
}
