package graphs_test

import (
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// Gorgonia's own tests, with a Machine in the place of the tape machine, and with gradients by StoreGrads besides. They are
// copied from the module cache to a directory of their own, where calls of NewTapeMachine and Grad are replaced; tests of the
// insides of the tape machine keep it.
//
// Some of them are about something else, or ask for what is wrong:
var exempt = map[string]string{
	"TestUse":                  "that Gorgonia multiplies by the BLAS it is told to; a Machine has products of its own",
	"TestBatchNormAll":         "gradients that are zero but for rounding, 1e-15, to the last digit",
	"TestBatchNormStacked":     "one of its cases trains on gradients that are zero but for rounding",
	"Example_linearRegression": "the outcome of training from random numbers; it fails on the tape machine as well",
}

var exemptByGrads = map[string]string{
	"TestCTCLossDo":  "a gradient that is right behind a LogSoftMax only",
	"TestDropoutAll": "a factor of 1/p instead of 1/(1-p)",
	"TestSlice":      "that a gradient follows a slice that is replaced later",
}

func TestGorgoniasOwnTests(t *testing.T) {
	if testing.Short() {
		t.Skip("builds a copy of Gorgonia")
	}
	dir := t.TempDir()
	goTool := func(env string, args ...string) (string, error) {
		c := exec.Command("go", args...)
		c.Dir = dir
		c.Env = append(os.Environ(), "GOFLAGS=-mod=mod", env)
		out, err := c.CombinedOutput()
		return string(out), err
	}
	root, err := filepath.Abs("..")
	if err != nil {
		t.Fatal(err)
	}
	where, err := exec.Command("go", "list", "-m", "-f", "{{.Dir}}", "gorgonia.org/gorgonia").Output()
	if err != nil {
		t.Skip(err)
	}
	src := strings.TrimSpace(string(where))
	copySuite(t, src, dir)
	sum := read(t, filepath.Join(src, "go.sum")) + read(t, filepath.Join(root, "go.sum"))
	mod := regexp.MustCompile(`(?m)^go 1\.\d+$`).ReplaceAllString(read(t, filepath.Join(src, "go.mod")), "go 1.25.0") +
		"\nrequire github.com/stheno-ebm/stheno v0.0.0\nreplace github.com/stheno-ebm/stheno => " + root + "\n"
	write(t, filepath.Join(dir, "go.mod"), mod)
	write(t, filepath.Join(dir, "go.sum"), sum)
	if out, err := goTool("", "test", "-vet=off", "-c", "-o", "suite.test", "."); err != nil {
		if strings.Contains(out, "dial tcp") || strings.Contains(out, "lookup ") || strings.Contains(out, "module lookup disabled") {
			t.Skipf("modules of Gorgonia's tests cannot be had: %s", out)
		}
		t.Fatal(out)
	}
	for _, grads := range []string{"", "1"} {
		c := exec.Command(filepath.Join(dir, "suite.test"), "-test.v")
		c.Dir = dir
		c.Env = append(os.Environ(), "GRADS="+grads)
		out, _ := c.CombinedOutput()
		passed := strings.Count(string(out), "\n--- PASS")
		for _, m := range regexp.MustCompile(`(?m)^--- FAIL: (\S+)`).FindAllStringSubmatch(string(out), -1) {
			_, always := exempt[m[1]]
			_, now := exemptByGrads[m[1]]
			if !always && !(now && grads != "") {
				t.Errorf("gradients by StoreGrads %q: %s fails", grads, m[1])
			}
		}
		if passed < 165 || strings.Contains(string(out), "\npanic: ") {
			t.Errorf("gradients by StoreGrads %q: %d tests pass, want at least 165; the end is\n%s", grads, passed, out[max(0, len(out)-1500):])
		}
		t.Logf("gradients by StoreGrads %q: %d tests pass", grads, passed)
	}
}

// copySuite copies Gorgonia, its tests with calls replaced.
func copySuite(t *testing.T, src, dst string) {
	t.Helper()
	tape := regexp.MustCompile(`\bNewTapeMachine\((g|h|g2)\b`)
	grad := regexp.MustCompile(`([^.A-Za-z])Grad\(([A-Za-z0-9]+),`)
	inside := []string{"vm_tape_test.go", "differentiation_test.go"} // of the insides
	err := filepath.WalkDir(src, func(path string, d os.DirEntry, err error) error {
		if err != nil {
			return err
		}
		rel, _ := filepath.Rel(src, path)
		if d.IsDir() {
			if strings.HasPrefix(rel, "cmd") || rel == ".git" || strings.HasPrefix(rel, "media") {
				return filepath.SkipDir
			}
			return os.MkdirAll(filepath.Join(dst, rel), 0o755)
		}
		b, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		text := string(b)
		if strings.HasSuffix(rel, "_test.go") && !strings.Contains(rel, "/") && !slices.Contains(inside, rel) {
			text = tape.ReplaceAllString(text, "Hooked($1")
			text = strings.ReplaceAll(text, "Hooked(g, WithPrecompiled", "NewTapeMachine(g, WithPrecompiled")
			text = regexp.MustCompile(`var (m\d?) \*tapeMachine`).ReplaceAllString(text, "var $1 hookedVM")
			text = regexp.MustCompile(`(?m)\bm \*tapeMachine$`).ReplaceAllString(text, "m hookedVM")
			text = grad.ReplaceAllString(text, "${1}HookedGrad($2,")
		}
		return os.WriteFile(filepath.Join(dst, rel), []byte(text), 0o644)
	})
	if err != nil {
		t.Fatal(err)
	}
	write(t, filepath.Join(dst, "hook_test.go"), read(t, "testdata/suite/hook.txt"))
	write(t, filepath.Join(dst, "hook_machine_test.go"), read(t, "testdata/suite/machine.txt"))
}

func read(t *testing.T, file string) string {
	t.Helper()
	b, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

func write(t *testing.T, file, text string) {
	t.Helper()
	if err := os.WriteFile(file, []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
}
