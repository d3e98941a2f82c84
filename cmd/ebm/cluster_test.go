package main

import (
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// TestClusterPage runs every command of CLUSTER.md, in order, in one shell, with smaller runs. The printed scripts
// are checked by bash, and by the tests of Slurm and Kubernetes.
func TestClusterPage(t *testing.T) {
	t.Parallel()
	bash, err := exec.LookPath("bash")
	if err != nil {
		t.Skip("no bash")
	}
	page, err := os.ReadFile("CLUSTER.md")
	if err != nil {
		t.Fatal(err)
	}
	var blocks []string
	for _, m := range regexp.MustCompile("(?s)```sh\n(.*?)```").FindAllSubmatch(page, -1) {
		blocks = append(blocks, string(m[1]))
	}
	if len(blocks) < 7 {
		t.Fatalf("%d blocks of commands", len(blocks))
	}
	dir := t.TempDir()
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	small := quick("--set", "steps=50")[2:]
	script := "#!" + bash + `
case " $* " in
*" --gather "*|*" --watch "*|*" --emit "*|*" --plan "*) ;;
*) set -- "$@" '` + strings.Join(small, "' '") + `' ;;
esac
exec '` + self + `' "$@"
`
	if err := os.WriteFile(filepath.Join(dir, "ebm"), []byte(script), 0o755); err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command(bash, "-eux", "-c", strings.Join(blocks, "\n"))
	cmd.Dir = dir
	cmd.Env = append(os.Environ(), asProgram+"=1", "PATH="+dir+string(filepath.ListSeparator)+os.Getenv("PATH"))
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	sameBoard(t, filepath.Join(dir, "runs/parts"), filepath.Join(dir, "runs/laptop"))
	sameBoard(t, filepath.Join(dir, "runs/all"), filepath.Join(dir, "runs/laptop"))
	if out, err := exec.Command(bash, "-n", filepath.Join(dir, "sweep.sh")).CombinedOutput(); err != nil {
		t.Errorf("sweep.sh: %v\n%s", err, out)
	}
	for name, want := range map[string]string{"sweep.sh": "#SBATCH --array=0-5", "sweep.yaml": "completions: 6"} {
		if b, err := os.ReadFile(filepath.Join(dir, name)); err != nil || !strings.Contains(string(b), want) {
			t.Errorf("%s does not say %q, error %v", name, want, err)
		}
	}
}
