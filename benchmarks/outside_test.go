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

// outside builds the program of a module that is not this one, which knows this one by a replace directive.
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
	_, rest, _ := strings.Cut(string(mod), "\n") // all requirements, with another name
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

// learnt runs the program to its end and returns what it says it has learnt.
func learnt(t *testing.T, program, file string) string {
	t.Helper()
	out, err := exec.Command(program, file).CombinedOutput()
	if err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	_, result, ok := strings.Cut(string(out), "learnt ")
	if !ok {
		t.Fatalf("nothing was learnt:\n%s", out)
	}
	return result
}

// An objective with a state, parameters of its own and derived inputs, an energy and a source with a memory, all of
// another module: trained with checkpoints, killed and resumed they come to the weights and the state of a run that
// was left alone, bit for bit.
func TestOutside(t *testing.T) {
	if testing.Short() {
		t.Skip("builds a program")
	}
	program := outside(t, "outside")
	dir := t.TempDir()
	want := learnt(t, program, filepath.Join(dir, "whole"))

	file := filepath.Join(dir, "killed")
	cmd := exec.Command(program, file, "slow")
	stdout, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	for lines := bufio.NewScanner(stdout); lines.Scan(); {
		if lines.Text() == "step 90" { // fifteen steps after a checkpoint
			break
		}
	}
	if err := cmd.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	if err := cmd.Wait(); err == nil {
		t.Fatal("the run had ended before it was killed")
	}
	if got := learnt(t, program, file); got != want {
		t.Errorf("killed and resumed: %s\nwant %s", got, want)
	}
	if again := learnt(t, program, file); again != want {
		t.Errorf("resumed after its end: %s\nwant %s", again, want)
	}
}
