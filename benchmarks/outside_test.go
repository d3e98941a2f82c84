package benchmarks_test

import (
	"bufio"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
)

// outside builds the program of another module, which finds this one by a replace directive.
func outside(t *testing.T, folder string) string {
	t.Helper()
	repo, err := filepath.Abs("..")
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	if err := os.CopyFS(dir, os.DirFS(filepath.Join("testdata", folder))); err != nil {
		t.Fatal(err)
	}
	sums, err := os.ReadFile(filepath.Join(repo, "go.sum"))
	if err != nil {
		t.Fatal(err)
	}
	mod, err := os.ReadFile(filepath.Join(repo, "go.mod"))
	if err != nil {
		t.Fatal(err)
	}
	_, rest, _ := strings.Cut(string(mod), "\n") // the same requirements under another module name
	text := fmt.Sprintf("module example.com/%s\n%s\nrequire github.com/stheno-ebm/stheno v0.0.0\n\nreplace "+
		"github.com/stheno-ebm/stheno => %s\n",
		folder, rest, repo)
	for name, b := range map[string][]byte{"go.mod": []byte(text), "go.sum": sums} {
		if err := os.WriteFile(filepath.Join(dir, name), b, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	program := filepath.Join(dir, folder)
	if runtime.GOOS == "windows" {
		program += ".exe"
	}
	build := exec.Command("go", "build", "-mod=mod", "-o", program, ".")
	build.Dir, build.Env = dir, append(os.Environ(), "GOFLAGS=", "GOWORK=off", "GOPROXY=off")
	if out, err := build.CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	return program
}

// learnt runs the program to its end and returns what it reports to have learnt.
func learnt(t *testing.T, program string, args ...string) string {
	t.Helper()
	out, err := exec.Command(program, args...).CombinedOutput()
	if err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	_, result, ok := strings.Cut(string(out), "learnt ")
	if !ok {
		t.Fatalf("nothing was learnt:\n%s", out)
	}
	return result
}

// An objective with state, parameters and derived inputs of its own, an energy, a source with memory, a kernel with
// memory, a mass and a density, all from another module: trained, or adapted and run, with checkpoints, killed and
// resumed, they arrive at the bits of an undisturbed run. Whatever could go wrong silently is either an error or
// right.
func TestOutside(t *testing.T) {
	if testing.Short() {
		t.Skip("builds a program")
	}
	program := outside(t, "outside")
	for _, way := range []string{"loop", "fit-margin", "fit-tidal", "chains"} {
		t.Run(way, func(t *testing.T) {
			dir := t.TempDir()
			want := learnt(t, program, way, filepath.Join(dir, "whole"))
			at := filepath.Join(dir, "killed")
			killed(t, program, way, at, "slow")
			if got := learnt(t, program, way, at); got != want {
				t.Errorf("killed and resumed: %s\nwant %s", got, want)
			}
			if again := learnt(t, program, way, at); again != want {
				t.Errorf("resumed after its end: %s\nwant %s", again, want)
			}
		})
	}
	t.Run("silent", func(t *testing.T) { learnt(t, program, "silent") })
}

// killed runs the program and kills it fifteen steps after a checkpoint.
func killed(t *testing.T, program string, args ...string) {
	t.Helper()
	cmd := exec.Command(program, args...)
	stdout, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	for lines := bufio.NewScanner(stdout); lines.Scan(); {
		if lines.Text() == "step 90" {
			break
		}
	}
	if err := cmd.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	if err := cmd.Wait(); err == nil {
		t.Fatal("the run had ended before it was killed")
	}
}
