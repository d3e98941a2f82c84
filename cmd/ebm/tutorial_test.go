package main

import (
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// TestTutorial runs every command of TUTORIAL.md, in order, in one shell. Training runs are given fewer steps, and all but
// one do without mixtures fitted to thousands of points; the clone is this one.
func TestTutorial(t *testing.T) {
	t.Parallel()
	bash, err := exec.LookPath("bash")
	if err != nil {
		t.Skip("no bash")
	}
	page, err := os.ReadFile("TUTORIAL.md")
	if err != nil {
		t.Fatal(err)
	}
	var blocks []string
	for _, m := range regexp.MustCompile("(?s)```sh\n(.*?)```").FindAllSubmatch(page, -1) {
		blocks = append(blocks, string(m[1]))
	}
	if len(blocks) < 8 {
		t.Fatalf("%d blocks of commands", len(blocks))
	}
	const start = "git clone https://github.com/stheno-ebm/stheno\ncd stheno\ngo build ./cmd/ebm\n"
	if blocks[0] != start {
		t.Fatalf("the page begins with %q, want %q", blocks[0], start)
	}

	dir := t.TempDir()
	self, err := os.Executable() // this test binary stands in for the program; CI builds it as the page says
	if err != nil {
		t.Fatal(err)
	}
	shorter := strings.Join(small, " ") + " --steps 200"
	script := "#!" + bash + `
case "$*" in
"train --resume "*) ;;
train*"runs/mine") set -- "$@" ` + shorter + ` ;;
train*) set -- "$@" ` + shorter + ` --no-base --smooth 0 ;;
esac
exec '` + self + `' "$@"
`
	if err := os.WriteFile(filepath.Join(dir, "ebm"), []byte(script), 0o755); err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command(bash, "-eux", "-c", strings.Join(blocks[1:], "\n"))
	cmd.Dir = dir
	cmd.Env = append(os.Environ(), asProgram+"=1")
	out, err := cmd.CombinedOutput()
	if err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	for _, name := range []string{
		"runs/first/panel.png", "runs/first/surface.png", "runs/mine/samples.npy", "runs/mine/contour.pdf",
		"runs/again/eval.json", "more.csv", "energies.csv",
	} {
		if st, err := os.Stat(filepath.Join(dir, name)); err != nil || st.Size() == 0 {
			t.Errorf("%s: not there, or empty (%v)", name, err)
		}
	}
	for _, file := range []struct {
		name  string
		lines int
	}{{"points.csv", 3001}, {"energies.csv", 3001}, {"more.csv", 2000}} {
		b, err := os.ReadFile(filepath.Join(dir, file.name))
		if err != nil {
			t.Fatal(err)
		}
		if n := strings.Count(string(b), "\n"); n < file.lines || n > file.lines+1 {
			t.Errorf("%s has %d lines, want %d", file.name, n, file.lines)
		}
	}
}
