package main

import (
	"bytes"
	"context"
	"fmt"
	"image"
	"image/png"
	"math/rand/v2"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// numbers are rows of text with a number in each column.
func numbers(rows int, row string) string {
	rng := rand.New(rand.NewPCG(1, 2))
	var b strings.Builder
	for range rows {
		args := make([]any, strings.Count(row, "%"))
		for j := range args {
			args[j] = rng.NormFloat64()
		}
		fmt.Fprintf(&b, row+"\n", args...)
	}
	return b.String()
}

// Files are read as their owners meant them, and before the training, which is stopped at its first step, the program
// says what was read, what was skipped and what is odd.
func TestOwnFiles(t *testing.T) {
	t.Chdir(t.TempDir())
	var paper bytes.Buffer
	img := image.NewGray(image.Rect(0, 0, 16, 16))
	for k := range img.Pix {
		img.Pix[k] = 240
	}
	img.Pix[100], img.Pix[101] = 0, 0
	if err := png.Encode(&paper, img); err != nil {
		t.Fatal(err)
	}
	const run, ok = "run", 130 // exit code
	for _, c := range []struct {
		name, text, flags string
		code              int
		want              []string
	}{
		{"a.csv", "# made by hand\nx;y\n" + strings.ReplaceAll(numbers(30, "%.3f;%.3f"), ".", ","), "", ok,
			[]string{"a.csv: 30 rows × 2 columns, 1 line skipped (first: line 1)", "note: commas are read as decimal points"}},
		{"b.tsv", numbers(30, "%g\t%g") + "NA\t1\n", "--missing drop", ok,
			[]string{"30 rows × 2 columns, 1 line skipped (first: line 31; 1 for a missing value)"}},
		{"c.txt", "x y\n" + numbers(30, "%g %g") + "1 nan\n", "--missing=mean", ok,
			[]string{"31 rows × 2 columns, 1 missing value filled"}},
		{"d.csv", "a,b\n" + numbers(5, "%g,%g") + "#DIV/0!,1\n", "", 2,
			[]string{"d.csv: line 7, column 1: the value is missing", "(--missing drop or --missing mean)"}},
		{"e.csv", "name,a,b\n" + numbers(20, "Ann,%g,%g"), "", 2,
			[]string{"column 1 (name) holds text in 20 of 20 rows", "(--columns a,b)"}},
		{"e.csv", "name,a,b\n" + numbers(20, "Ann,%g,%g"), "--columns b,a", ok, []string{"20 rows × 2 columns"}},
		{"e.csv", "name,a,b\n" + numbers(20, "Ann,%g,%g"), "--set columns=2,3", ok, []string{"20 rows × 2 columns"}},
		{"f.csv", "a,b\n" + numbers(20, "%g,%g"), "--columns c", 2,
			[]string{`no column "c" among the 2 columns: a, b`, "--columns"}},
		{"g.csv", "0,1\n" + numbers(20, "%g,%g"), "", ok, []string{"20 rows", "taken for a header"}},
		{"g.csv", "0,1\n" + numbers(20, "%g,%g"), "--header no", ok, []string{"21 rows"}},
		{"h.csv", numbers(2, strings.Repeat("%g,", 40)+"%g"), "", 2,
			[]string{"2 points of 41 coordinates: transposed?", "--transpose"}},
		{"h.csv", numbers(2, strings.Repeat("%g,", 40)+"%g"), "--transpose", ok, []string{"41 rows × 2 columns"}},
		{"i.csv", numbers(20, "%g,1e308"), "", 2,
			[]string{"values beyond 1e300", "larger unit", "20 rows × 2 columns"}},
		{"j.csv", numbers(60, "%.1f,%g"), "", ok,
			[]string{"note: rounded columns (1: to 0.1) are learnt as probabilities", "--discrete off"}},
		{"j.csv", numbers(60, "%.1f,%g"), "--discrete off", ok, []string{"note: column of rounded numbers (1: "}},
		{"j.csv", numbers(60, "%.1f,%g"), "--discrete no", 2, []string{"--discrete", "auto"}},
		{"k.png", paper.String(), "", ok, []string{"note: the paper is grey, 240 of 255"}},
		{"k.png", paper.String(), "--threshold 0.2", ok, nil},
		{"k.png", paper.String(), "--missing drop", 2,
			[]string{"--missing: only for files of points; k.png is a picture"}},
		{"k.png", paper.String(), "--discrete on", 2, []string{"--discrete: only for files of points"}},
		{"l.csv", numbers(30, "%g,%g"), "--invert", 2, []string{"--invert", "only for pictures"}},
		{"m.csv", numbers(30000, "%g,%g"), "--max-memory 0", 2, []string{"--max-memory 0", "1 to"}},
		{"n.csv", numbers(100000, "%.0f,%.0f"), "--max-memory 1", 2,
			[]string{"MB of memory, and reading may take 1 MB", "(see --max-memory)"}},
		{"o.csv", numbers(30, "%g,%g"), "--header maybe", 2, []string{"--header", "maybe", "auto"}},
		{"p.csv", "version https://git-lfs.github.com/spec/v1\noid sha256:00\n", "", 2,
			[]string{"is a Git LFS pointer, not the file"}},
		{"q.csv", "a\x1b[31m\u202e,b\n" + numbers(20, "%g,%g") + "x\x07,1\n", "", 2, []string{`"x\a" is not a number`}},
	} {
		if err := os.WriteFile(c.name, []byte(c.text), 0o644); err != nil {
			t.Fatal(err)
		}
		args := append(append([]string{"train", "--dataset", c.name, "--out", run}, tiny...), strings.Fields(c.flags)...)
		r := ebmContext(stoppedAtOnce{t.Context(), run}, args...)
		if err := os.RemoveAll(run); err != nil {
			t.Fatal(err)
		}
		if r.code != c.code {
			t.Errorf("%s %s: exit code %d, want %d: %s", c.name, c.flags, r.code, c.code, r.errout)
			continue
		}
		for _, want := range c.want {
			if !strings.Contains(r.errout, want) {
				t.Errorf("%s %s: got %q, want %q", c.name, c.flags, r.errout, want)
			}
		}
		if strings.ContainsAny(r.errout, "\x1b\x07\u202e") {
			t.Errorf("%s: %q", c.name, r.errout)
		}
	}
}

// The configuration of a run on a distribution keeps its settings when it is used for a file, and the program says
// which settings would suit that.
func TestConfigForFile(t *testing.T) {
	t.Chdir(t.TempDir())
	ebm(t, append([]string{"train", "--dataset", "moons", "--out", "named"}, tiny...)...).want(t, 0)
	if err := os.WriteFile("x.csv", []byte(numbers(40, "%g,%g")), 0o644); err != nil {
		t.Fatal(err)
	}
	r := ebm(t, "train", "--config", "named/config.json", "--dataset", "x.csv").want(t, 0)
	for _, want := range []string{"note: --config keeps ", "standardize false (true would suit)",
		"objective sm (nce would suit)"} {
		if !strings.Contains(r.errout, want) {
			t.Errorf("got %q, want %q", r.errout, want)
		}
	}
	if r := ebm(t, "train", "--config", "named/config.json", "--dataset", "x.csv", "--objective", "nce",
		"--standardize").want(t, 0); strings.Contains(r.errout, "objective") ||
		strings.Contains(r.errout, "standardize") {
		t.Errorf("got %q, want nothing of what was given", r.errout)
	}
}

// Points come from standard input where the file name is -, and such a run says why it cannot be evaluated again.
func TestStandardInput(t *testing.T) {
	t.Chdir(t.TempDir())
	run := func(text string, args ...string) result {
		var out, errout bytes.Buffer
		code := programContext(context.Background(), args, strings.NewReader(text), &out, &errout)
		return result{code, out.String(), errout.String()}
	}
	points := numbers(40, "%g %g")
	r := run(points, append([]string{"train", "--dataset", "-"}, tiny...)...).want(t, 0)
	if !strings.Contains(r.errout, "standard input: 40 rows × 2 columns") ||
		!strings.Contains(r.out, "runs/stdin-nce-1") {
		t.Errorf("got %q and %q", r.out, r.errout)
	}
	if r := run(points, "energy", "runs/stdin-nce-1", "--points", "-").want(t, 0); strings.Count(r.out, "\n") != 40 {
		t.Errorf("got %q, want 40 energies", r.out)
	}
	run("", "eval", "runs/stdin-nce-1").want(t, 2).oneLine(t, "came from standard input")
}

// TestUnknownObjective: a run with an objective unknown to this program is not evaluated by another one.
func TestUnknownObjective(t *testing.T) {
	run := filepath.Join(t.TempDir(), "run")
	if err := os.CopyFS(run, os.DirFS(shared(t))); err != nil {
		t.Fatal(err)
	}
	// The checksums would reveal that the file was changed.
	if err := os.Remove(filepath.Join(run, "checkpoint", "sums.json")); err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(run, "config.json")
	b, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	b = regexp.MustCompile(`"objective": *"[a-z-]*"`).ReplaceAll(b, []byte(`"objective": "of-tomorrow"`))
	if err := os.WriteFile(path, b, 0o644); err != nil {
		t.Fatal(err)
	}
	for _, args := range [][]string{{"eval", run}, {"sample", run}, {"train", "--resume", run},
		{"export", run, "--out", "x.onnx"}} {
		ebm(t, args...).want(t, 2).oneLine(t, "config.json", "of-tomorrow", "known")
	}
}
