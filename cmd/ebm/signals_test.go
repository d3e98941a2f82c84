package main

import (
	"bytes"
	"context"
	"errors"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/stheno-ebm/stheno/cmd/ebm/internal/exit"
)

// code is the exit code of a process that has ended.
func code(err error) int {
	var e *exec.ExitError
	if errors.As(err, &e) {
		return e.ExitCode()
	}
	return map[bool]int{true: 0, false: -2}[err == nil]
}

// A command that ignores its context is aborted after the grace period; one that defers signals for its work has all
// the time it needs, and the user is told.
func TestHolds(t *testing.T) {
	t.Parallel()
	ctx, cancel := context.WithCancel(context.Background())
	var said bytes.Buffer
	never := make(chan struct{})
	defer close(never)
	if got := new(holds).wait(ctx, &said, func() int { return 7 }); got != 7 || said.Len() > 0 {
		t.Errorf("code %d, stderr %q, want 7 and nothing", got, said.String())
	}
	cancel()
	start := time.Now()
	if got := new(holds).wait(ctx, &said, func() int { <-never; return 0 }); got != exit.Interrupted ||
		said.String() != "ebm: interrupted\n" {
		t.Errorf("code %d, stderr %q", got, said.String())
	}
	if took := time.Since(start); took < grace || took > 10*time.Second {
		t.Errorf("broken off after %v, want %v", took, grace)
	}
	h := new(holds)
	release := (&env{holds: h}).hold()
	said.Reset()
	got := h.wait(ctx, &said, func() int { // longer than the grace period
		time.Sleep(2*grace + grace/2)
		release()
		release() // the second call has no effect
		return exit.Interrupted
	})
	if got != exit.Interrupted || strings.Count(said.String(), "\n") != 1 ||
		!strings.Contains(said.String(), "Ctrl-C again") {
		t.Errorf("code %d, stderr %q", got, said.String())
	}
	if h.n.Load() != 0 {
		t.Errorf("%d holds are left", h.n.Load())
	}
}

// The first signal ends a command whose output nobody reads, because it waits for its pipe and for nothing else.
func TestSignalUnread(t *testing.T) {
	if runtime.GOOS == "windows" {
		t.Skip("signals to other processes")
	}
	t.Parallel()
	for _, sig := range []os.Signal{os.Interrupt, syscall.SIGTERM, syscall.SIGHUP} {
		r, w, err := os.Pipe()
		if err != nil {
			t.Fatal(err)
		}
		defer r.Close()
		cmd := command(t, "data", "moons", "--n", "100000")
		var errout bytes.Buffer
		cmd.Stdout, cmd.Stderr = w, &errout
		if err := cmd.Start(); err != nil {
			t.Fatal(err)
		}
		w.Close()
		if _, err := io.ReadFull(r, make([]byte, 1)); err != nil { // it has started
			t.Fatal(err)
		}
		if err := cmd.Process.Signal(sig); err != nil {
			t.Fatal(err)
		}
		late := time.AfterFunc(20*time.Second, func() { cmd.Process.Kill() })
		err = cmd.Wait()
		late.Stop()
		if code(err) != exit.Interrupted || errout.String() != "ebm: interrupted\n" {
			t.Errorf("%v: %v, stderr %q, want exit code 130", sig, err, errout.String())
		}
	}
}

// brokenPipe is a pipe that nobody reads.
func brokenPipe(t *testing.T) *os.File {
	t.Helper()
	r, w, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	r.Close()
	t.Cleanup(func() { w.Close() })
	return w
}

// A training run outlives its stderr and comes to the same end. If nobody reads its result, the program ends
// silently.
func TestBrokenPipes(t *testing.T) {
	if runtime.GOOS == "windows" {
		t.Skip("pipes break otherwise there")
	}
	t.Parallel()
	dir := filepath.Join(t.TempDir(), "run")
	cmd := command(t, append([]string{"train", "--out", dir, "--live", ":0"}, small...)...)
	cmd.Stderr = brokenPipe(t)
	if out, err := cmd.Output(); err != nil || strings.TrimSpace(lastLine(string(out))) != dir {
		t.Errorf("%v: stdout %q", err, out)
	}
	sameRun(t, dir, shared(t))

	cmd = command(t, "data", "moons")
	var errout bytes.Buffer
	cmd.Stdout, cmd.Stderr = brokenPipe(t), &errout
	if err := cmd.Run(); code(err) != exit.Pipe || errout.Len() > 0 {
		t.Errorf("%v, stderr %q, want exit code %d and nothing", err, errout.String(), exit.Pipe)
	}
}

func lastLine(s string) string {
	s = strings.TrimSuffix(s, "\n")
	return s[strings.LastIndexByte(s, '\n')+1:]
}

// Under nohup, closing the terminal has no effect.
func TestNohup(t *testing.T) {
	if _, err := exec.LookPath("sh"); err != nil {
		t.Skip("no sh")
	}
	t.Parallel()
	tmp := t.TempDir()
	dir := filepath.Join(tmp, "run")
	inner := command(t, append(killSettings(t, tmp), "--out", dir)...)
	cmd := exec.Command("sh", append([]string{"-c", `trap "" HUP; exec "$0" "$@"`}, inner.Args...)...)
	cmd.Env = inner.Env
	var errout bytes.Buffer
	cmd.Stderr = &errout
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	waitFor(t, filepath.Join(dir, "metrics.jsonl"), 0)
	if err := cmd.Process.Signal(syscall.SIGHUP); err != nil {
		t.Fatal(err)
	}
	if err := cmd.Wait(); err != nil {
		t.Errorf("%v: %s", err, errout.String())
	}
}
