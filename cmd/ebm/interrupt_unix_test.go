//go:build unix

package main

import (
	"bytes"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"
)

// A command ends within a second of Ctrl-C, whatever it is doing: reading, inspecting the data, compiling, training,
// drawing, measuring log Z, writing. A busy machine is given as much more time as it takes to run a program that does
// nothing.
func TestInterruptAnywhere(t *testing.T) {
	run, tmp := shared(t), t.TempDir()
	rows := func(n int, row string) string {
		path := filepath.Join(tmp, strconv.Itoa(n)+".csv")
		if err := os.WriteFile(path, []byte(numbers(n, row)), 0o600); err != nil {
			t.Fatal(err)
		}
		return path
	}
	long, wide := rows(200000, "%.5f,%.5f"), rows(700, strings.Repeat("%.5f,", 79)+"%.5f")
	out := func(name string) string { return filepath.Join(tmp, name) }
	few := []string{"--steps", "3", "--batch", "16", "--hidden", "16"}
	moments := []int{40, 200, 800, 2500} // milliseconds
	if testing.Short() {
		moments = []int{400}
	}
	for name, args := range map[string][]string{
		"read and train": {"train", "--dataset", long, "--out", out("a")},
		"prepare":        {"train", "--dataset", wide, "--out", out("b")},
		"log Z":          append([]string{"train", "--dataset", wide, "--samples", "0", "--out", out("c")}, few...),
		"sample":         append([]string{"train", "--samples", "1000000", "--out", out("d")}, few...),
		"measure": append([]string{"train", "--samples", "20000", "--chains", "20000", "--adapt", "2",
			"--burn-in", "1", "--frames", "0", "--out", out("e")}, few...),
		"ebm sample":  {"sample", run, "--n", "500000", "--out", out("s.csv")},
		"ebm eval":    {"eval", run, "--samples", "20000"},
		"ebm plot":    {"plot", run, "--kind", "animation", "--out", out("p.gif")},
		"ebm energy":  {"energy", run, "--points", long, "--out", out("e.csv")},
		"ebm data":    {"data", "2spirals", "--n", "3000000", "--out", out("d.csv")},
		"ebm verify":  {"verify"},
		"ebm compare": {"compare", "--datasets", "moons,4squares", "--objectives", "sm,nce", "--out", out("cmp")},
	} {
		for _, ms := range moments {
			took, code, said := interrupted(t, time.Duration(ms)*time.Millisecond, args...)
			if took > time.Second && took > time.Second+idle(t) {
				t.Errorf("%s after %d ms: ended after %v", name, ms, took)
			} else if code != 0 && code != 130 {
				t.Errorf("%s after %d ms: exit code %d, %q", name, ms, code, said)
			} else if args[0] == "train" && code == 130 && said != "" &&
				!strings.Contains(said, "--resume") && !strings.Contains(said, "nothing was written") {
				t.Errorf("%s after %d ms: %q does not say what is left", name, ms, said)
			}
			if k := slices.Index(args, "--out"); args[0] == "train" {
				if err := os.RemoveAll(args[k+1]); err != nil {
					t.Fatal(err)
				}
			}
		}
	}
}

// interrupted starts the program, sends Ctrl-C after a while, and returns how long the program kept running, with its
// exit code and output. A program that had already ended took no time; one that was not yet listening is ended by the
// signal itself.
func interrupted(t *testing.T, after time.Duration, args ...string) (took time.Duration, code int, said string) {
	t.Helper()
	cmd := command(t, args...)
	var errout bytes.Buffer
	cmd.Stderr = &errout
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	done := make(chan error, 1)
	go func() { done <- cmd.Wait() }()
	select {
	case <-done: // it had not got that far
		return 0, 0, ""
	case <-time.After(after):
	}
	asked := time.Now()
	if err := cmd.Process.Signal(os.Interrupt); err != nil && !errors.Is(err, os.ErrProcessDone) {
		t.Fatal(err)
	}
	late := time.AfterFunc(time.Minute, func() { _ = cmd.Process.Kill() })
	defer late.Stop()
	err := <-done
	var exit *exec.ExitError
	if errors.As(err, &exit) {
		if status, ok := exit.Sys().(syscall.WaitStatus); ok && status.Signal() == syscall.SIGINT {
			return time.Since(asked), 130, ""
		}
		code = exit.ExitCode()
	}
	return time.Since(asked), code, errout.String()
}

// idle is how long a program takes that does nothing.
func idle(t *testing.T) time.Duration {
	t.Helper()
	start := time.Now()
	if err := command(t, "version").Run(); err != nil {
		t.Fatal(err)
	}
	return time.Since(start)
}
