// Package cmd_test runs every demo as a reader would: without flags, in an empty folder.
package cmd_test

import (
	"bytes"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// demos lists what each program must print, and the file it must write.
var demos = map[string]struct{ says, leaves string }{
	"foursquares": {`KL\(data‖model\) 0\.0\d+ nats[^$]*4 of 4 squares`, "runs/foursquares/panel.png"},
	"ownenergy":   {`largest leak between signals 0\.0`, ""},
	"nuts": {`centred[^$]*let θ = μ \+ τz[^$]*apart[^$]*divergences 0,[^$]*runs/nuts/apart.png\n\n$`,
		"runs/nuts/centred.png"},
	"pde":         {`largest error \d\.\de-0[34]`, "runs/pde/solution.png"},
	"machine":     {`times as fast`, ""},
	"transformer": {`times as fast[^$]*the crow sat low on the old grey wall, the wind`, ""},
	"convnet":     {`times as fast[^$]*(2[3-9]|3\d) of 32 fresh digits read`, ""},
	"owndata":     {`log Z: [^$]*nats each\nthe base, a mixture of [^$]*difference is -?\d[^$]*anomaly: row \d+, `, "runs/owndata/samples.csv"},
	"links":       {`relative distance 0\.0`, ""},
}

func TestDemos(t *testing.T) {
	if testing.Short() {
		t.Skip("builds and runs every demo")
	}
	bin := t.TempDir()
	entries, err := os.ReadDir(".")
	if err != nil {
		t.Fatal(err)
	}
	build := []string{"build", "-o", bin + string(filepath.Separator)}
	for _, e := range entries {
		if !e.IsDir() || e.Name() == "ebm" {
			continue
		}
		build = append(build, "./"+e.Name())
		if _, ok := demos[e.Name()]; !ok {
			t.Errorf("cmd/%s is not tested", e.Name())
		}
	}
	if out, err := exec.Command("go", build...).CombinedOutput(); err != nil {
		t.Fatalf("go %s: %v\n%s", strings.Join(build, " "), err, out)
	}
	for name, want := range demos {
		t.Run(name, func(t *testing.T) {
			source, err := os.ReadFile(filepath.Join(name, "main.go"))
			if err != nil {
				t.Fatal(err)
			}
			if n := bytes.Count(source, []byte("\n")); n >= 120 {
				t.Errorf("%d lines, want fewer than 120", n)
			}
			run := exec.Command(filepath.Join(bin, name))
			run.Dir = t.TempDir()
			out, err := run.CombinedOutput()
			if err != nil {
				t.Fatalf("%v\n%s", err, out)
			}
			if !regexp.MustCompile(want.says).Match(out) {
				t.Errorf("got %s\nwant %s", out, want.says)
			}
			if want.leaves == "" {
				return
			}
			if st, err := os.Stat(filepath.Join(run.Dir, want.leaves)); err != nil || st.Size() == 0 {
				t.Errorf("%s: not there, or empty (%v)", want.leaves, err)
			}
		})
	}
}
