package main

import (
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// Names from other programs, and things that have no flag, are answered with what was meant.
func TestHints(t *testing.T) {
	t.Chdir(t.TempDir())
	if err := os.WriteFile("points", []byte("1 2\n"), 0o644); err != nil {
		t.Fatal(err)
	}
	for line, want := range map[string]string{
		"train --learning-rate 1":  "did you mean --lr?",
		"train --epochs 3":         "training is counted in batches: --steps",
		"train --batch-size=3":     "did you mean --batch?",
		"train moons":              "did you mean --dataset moons?",
		"train moon":               "did you mean --dataset moons?",
		"train points":             "did you mean --dataset points?",
		"train mine.csv":           "did you mean --dataset mine.csv?",
		"verify --learning-rate 1": "unknown flag --learning-rate",
	} {
		r := ebm(t, strings.Fields(line)...).want(t, 2)
		if !strings.Contains(r.errout, want) || strings.Contains(line, "verify") && strings.Contains(r.errout, "mean") {
			t.Errorf("%s: got %q, want %q", line, r.errout, want)
		}
	}
}

// A ~ that the shell did not expand stands for the home folder.
func TestAtHome(t *testing.T) {
	t.Setenv("HOME", filepath.FromSlash("/home/me"))
	got := strings.Join(atHome([]string{"train", "--out=~/x", "--out", "~/x", "--set=a=~", "--config=~", "~/y=~/z"}),
		" ")
	if want := "train --out=/home/me/x --out ~/x --set=a=~ --config=/home/me ~/y=~/z"; got != want {
		t.Errorf("got %s, want %s", got, want)
	}
}

// TestPlainer: every text of the parser that we reword is one that the parser really writes.
func TestPlainer(t *testing.T) {
	for i, p := range plainer {
		var c cli
		parser, err := newParser(&c, &env{stdout: io.Discard, stderr: io.Discard})
		if err != nil {
			t.Fatal(err)
		}
		args := []string{"train --batch", "train --hidden", "train --seed=-1", "train --steps=2.5", "train --lr=fast",
			"sample"}[i]
		if _, err = parser.Parse(strings.Fields(args)); err == nil || !p.text.MatchString(err.Error()) {
			t.Errorf("ebm %s: %v does not match %s", args, err, p.text)
		}
	}
}
