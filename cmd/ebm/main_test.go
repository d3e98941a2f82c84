package main

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/stheno-ebm/stheno/datasets"
	"github.com/stheno-ebm/stheno/objectives/metrics"
)

// result is the outcome of a run of the program.
type result struct {
	code        int
	out, errout string
}

// ebm runs the program in this process.
func ebm(t *testing.T, args ...string) result {
	t.Helper()
	return ebmContext(context.Background(), args...)
}

func ebmContext(ctx context.Context, args ...string) result {
	var out, errout bytes.Buffer
	code := programContext(ctx, args, strings.NewReader(""), &out, &errout)
	return result{code, out.String(), errout.String()}
}

// want fails unless the program ended with the code.
func (r result) want(t *testing.T, code int) result {
	t.Helper()
	if r.code != code {
		t.Fatalf("exit code %d, want %d\nstdout: %s\nstderr: %s", r.code, code, r.out, r.errout)
	}
	return r
}

// oneLine fails unless stderr is one line that holds all of the texts, and stdout is empty.
func (r result) oneLine(t *testing.T, texts ...string) {
	t.Helper()
	if strings.Count(r.errout, "\n") != 1 || !strings.HasPrefix(r.errout, "ebm: ") {
		t.Errorf("stderr is not one line: %q", r.errout)
	}
	if r.out != "" {
		t.Errorf("stdout is %q, want nothing", r.out)
	}
	for _, text := range texts {
		if !strings.Contains(r.errout, text) {
			t.Errorf("stderr %q does not say %q", r.errout, text)
		}
	}
	if strings.Contains(r.errout, "goroutine") || strings.Contains(r.errout, "panic") {
		t.Errorf("a panic: %s", r.errout)
	}
}

// small are the settings of a run that takes a second.
var small = []string{
	"--hidden", "8,8", "--batch", "32", "--steps", "40", "--warmup", "5", "--samples", "100", "--chains", "20",
	"--adapt", "10", "--burn-in", "2", "--thin", "1", "--frames", "3", "--test-points", "500", "--grid", "100",
	"--leapfrog", "3",
	"--checkpoint-every", "7", "--record-every", "3", "--energy", "mlp", "--bridge", "0",
}

// tiny is small without what follows the training, for tests that need neither samples nor an animation.
var tiny = append(slices.Clone(small), "--steps", "5", "--samples", "0", "--frames", "0")

func trainSmall(t *testing.T, dir string, more ...string) result {
	t.Helper()
	return ebm(t, append(append([]string{"train", "--out", dir}, small...), more...)...)
}

var (
	sharedOnce sync.Once
	sharedDir  string
)

// asProgram in the environment makes the test binary the program itself.
const asProgram = "EBM_TEST_PROGRAM"

func programContext(ctx context.Context, args []string, stdin io.Reader, stdout, stderr io.Writer) int {
	return programHeld(ctx, new(holds), args, stdin, stdout, stderr)
}

func TestMain(m *testing.M) {
	if os.Getenv(asProgram) != "" {
		main()
	}
	tmp, err := os.MkdirTemp("", "ebm")
	if err != nil {
		panic(err)
	}
	sharedDir = filepath.Join(tmp, "shared")
	code := m.Run()
	os.RemoveAll(tmp)
	os.Exit(code)
}

// shared is one small run for all tests that only read it.
func shared(t *testing.T) string {
	t.Helper()
	sharedOnce.Do(func() {
		trainSmall(t, sharedDir).want(t, 0)
	})
	return sharedDir
}

func TestNoArguments(t *testing.T) {
	r := ebm(t).want(t, 0)
	if !strings.Contains(r.out, "ebm train") || r.errout != "" {
		t.Errorf("got %q and %q, want the first steps on stdout", r.out, r.errout)
	}
}

func TestHelp(t *testing.T) {
	for _, args := range [][]string{
		{"--help"}, {"train", "--help"}, {"sample", "--help"}, {"eval", "--help"}, {"plot", "--help"},
		{"energy", "--help"}, {"data", "--help"},
		{"completion", "--help"}, {"verify", "--help"}, {"compare", "--help"}, {"show", "--help"}, {"export", "--help"},
		{"version", "--help"},
		{"help"}, {"help", "train"},
	} {
		r := ebm(t, args...).want(t, 0)
		for line := range strings.Lines(r.out) {
			if n := len([]rune(strings.TrimRight(line, "\n"))); n > 80 {
				t.Errorf("%v: a line of %d columns: %q", args, n, line)
			}
		}
		if len(args) > 1 && args[0] != "help" && !strings.Contains(r.out, "Examples:") {
			t.Errorf("%v: no examples", args)
		}
	}
}

func TestTrain(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "run")
	r := trainSmall(t, dir).want(t, 0)
	lines := strings.Split(strings.TrimSpace(r.out), "\n")
	if got := lines[len(lines)-1]; got != dir {
		t.Errorf("the last line is %q, want the run directory", got)
	}
	if strings.Contains(r.errout, "%|") || strings.Contains(r.errout, "\r") {
		t.Errorf("a progress bar on a stderr that is no terminal: %q", r.errout)
	}
	for _, name := range []string{"config.json", "model.safetensors", "checkpoint/state", "metrics.jsonl", "eval.json",
		"samples.npy", "panel.png", "animation.gif"} {
		if info, err := os.Stat(filepath.Join(dir, name)); err != nil || info.Size() == 0 {
			t.Errorf("%s: %v", name, err)
		}
	}
	left, _ := filepath.Glob(filepath.Join(dir, ".*"))
	if len(left) > 0 {
		t.Errorf("temporary files are left: %v", left)
	}
	// Every flag that is a setting is a key, and the file repeats the run.
	again := filepath.Join(t.TempDir(), "again")
	ebm(t, "train", "--config", filepath.Join(dir, "config.json"), "--out", again).want(t, 0)
	for _, name := range []string{"config.json", "model.safetensors", "samples.npy"} {
		same(t, filepath.Join(again, name), filepath.Join(dir, name))
	}
}

// same fails unless two files hold the same bytes.
func same(t *testing.T, got, want string) {
	t.Helper()
	a, err := os.ReadFile(got)
	if err != nil {
		t.Error(err)
		return
	}
	b, err := os.ReadFile(want)
	if err != nil {
		t.Error(err)
		return
	}
	if !bytes.Equal(a, b) {
		t.Errorf("%s and %s differ", got, want)
	}
}

// TestJSON: stdout is JSON and nothing else.
func TestJSON(t *testing.T) {
	run := filepath.Join(t.TempDir(), "run") // the pictures go into it
	if err := os.CopyFS(run, os.DirFS(shared(t))); err != nil {
		t.Fatal(err)
	}
	points := filepath.Join(t.TempDir(), "points.csv")
	if err := os.WriteFile(points, []byte("1,2\n1e30,1e30\n"), 0o644); err != nil {
		t.Fatal(err)
	}
	for _, args := range [][]string{
		append([]string{"train", "--json", "--out", filepath.Join(t.TempDir(), "x")}, tiny...),
		{"data", "--json"},
		{"sample", run, "--n", "50", "--json"},
		{"eval", run, "--json"},
		{"plot", run, "--kind", "loss,contour", "--json"},
		{"energy", run, "--points", points, "--json"},
		{"energy", run, "--points", points, "--grad", "--json"},
		{"export", run, "--out", filepath.Join(t.TempDir(), "x.onnx"), "--json"},
		{"energy", run, "--points", points, "--json", "--out", filepath.Join(t.TempDir(), "x.npy")},
		{"energy", run, "--points", points, "--grad", "--json", "--out", filepath.Join(t.TempDir(), "x.csv")},
		{"data", "moons", "--n", "3", "--json"},
		{"data", "moons", "--n", "3", "--json", "--out", filepath.Join(t.TempDir(), "x.csv")},
		{"version", "--json"},
	} {
		r := ebm(t, args...).want(t, 0)
		var v any
		if err := json.Unmarshal([]byte(r.out), &v); err != nil {
			t.Errorf("%v: stdout is not JSON: %v\n%s", args, err, r.out)
		}
	}
}

func TestEvalFields(t *testing.T) {
	r := ebm(t, "eval", shared(t), "--json").want(t, 0)
	var m map[string]any
	if err := json.Unmarshal([]byte(r.out), &m); err != nil {
		t.Fatal(err)
	}
	for _, key := range []string{"dataset", "log_z", "nll", "entropy", "kl", "reverse_kl", "tv", "fisher", "leak",
		"samples"} {
		if _, ok := m[key]; !ok {
			t.Errorf("no %q", key)
		}
	}
	s, _ := m["samples"].(map[string]any)
	for _, key := range []string{"mmd2", "energy_distance", "hist_tv", "mode_tv", "modes", "rhat", "rhat_limit",
		"ess"} {
		if _, ok := s[key]; !ok {
			t.Errorf("no %q under samples", key)
		}
	}
}

func TestDefaultName(t *testing.T) {
	t.Chdir(t.TempDir())
	for _, want := range []string{"runs/moons-dsm-1", "runs/moons-dsm-2"} {
		r := ebm(t, append([]string{"train", "--dataset", "moons", "--objective", "dsm", "--quiet"},
			tiny...)...).want(t, 0)
		if got := strings.TrimSpace(r.out); got != filepath.FromSlash(want) {
			t.Errorf("got %q, want %q", got, want)
		}
	}
}

// TestWrongInput: one clear line, exit 2, nothing half-written.
func TestWrongInput(t *testing.T) {
	run := shared(t)
	tmp := t.TempDir()
	t.Chdir(tmp)
	file := func(name, text string) string {
		if err := os.WriteFile(name, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
		return name
	}
	file("nan.csv", "1,2\nNaN,3\n")
	file("ragged.csv", "1,2\n3\n")
	file("equal.csv", strings.Repeat("1,2\n", 50))
	file("points.dat", "1\t2\n")
	file("two.csv", "5,6\n7,8\n")
	file("flat.csv", strings.Repeat("1,2,7\n3,4,7\n", 50))
	file("flat2.csv", "width,year,height,floor\n"+strings.Repeat("1,1987,2,0\n3,1987,4,0\n", 50))
	file("empty.csv", "")
	file("bad.npy", "not numpy")
	file("three.csv", "1,2,3\n4,5,6\n")
	file("list.json", "[1]")
	file("bad.json", `{"lr": "fast"}`)
	file("unknown.json", `{"learning-rate": 1}`)
	before := listing1(t, tmp)
	for _, c := range []struct {
		args []string
		want []string
	}{
		{[]string{"trian"}, []string{"trian", `"train"`}},
		{[]string{"train", "--datset", "moons"}, []string{"--datset", "--dataset"}},
		{[]string{"train", "--dataset", "4square"}, []string{"--dataset", "4square", "4squares", "8gaussians"}},
		{[]string{"train", "--objective", "smm"}, []string{"--objective", "smm", `"sm"`}},
		{[]string{"train", "--sampler", "hcm"}, []string{"--sampler", "hcm", `"hmc"`}},
		{[]string{"train", "--energy", "mpl"}, []string{"--energy", "mpl", `"mlp"`}},
		{[]string{"train", "--activation", "sillu"}, []string{"--activation", "sillu", `"silu"`}},
		{[]string{"train", "--activation", "relu"}, []string{"relu", "silu"}},
		{[]string{"train", "--precision", "float16"}, []string{"--precision", "float16", "float32 or float64"}},
		{[]string{"train", "--lr", "-1"}, []string{"--lr", "-1", "> 0"}},
		{[]string{"train", "--lr=NaN"}, []string{"--lr", "NaN"}},
		{[]string{"train", "--steps", "-5"}, []string{"--steps -5: want >= 1"}},
		{[]string{"train", "--set", "step=5"}, []string{`did you mean "steps"`}},
		{[]string{"-v"}, []string{"--version"}},
		{[]string{"train", "--dataset", "x.parquet"}, []string{"x.parquet", "unknown kind of file"}},
		{[]string{"data", "nope"}, []string{`distribution "nope" is unknown`}},
		{[]string{"train", "--columns", "1"}, []string{"--columns: only for files; 4squares is a distribution"}},
		{[]string{"train", "--patience", "3"}, []string{"--patience: needs a file or --train-points: 4squares"}},
		{[]string{"sample", run, "--out", "x.xlsx"}, []string{"want .npy, .npz or .csv"}},
		{[]string{"train", "--steps", "0"}, []string{"--steps 0: want >= 1"}},
		{[]string{"train", "--steps", "many"}, []string{"--steps", "many"}},
		{[]string{"train", "--hidden", "0"}, []string{"--hidden", "0"}},
		{[]string{"train", "--hidden"}, []string{"--hidden", "the value is missing"}},
		{[]string{"train", "--dataset", "two.csv"}, []string{"two.csv", "too few points"}},
		{[]string{"train", "--out", "."}, []string{"--out .", "other things", "choose another"}},
		{[]string{"data", "two.csv"}, []string{"two.csv", "points already"}},
		{[]string{"train", "--hidden", "a,b"}, []string{"--hidden", "a"}},
		{[]string{"train", "--batch", "0"}, []string{"--batch", "0"}},
		{[]string{"train", "--objective", "dsm", "--sigma", "0"},
			[]string{"--sigma", "> 0", "nothing to denoise", "or sm"}},
		{[]string{"train", "--objective", "dsm-multi", "--sigma", "0.05", "--sigma-max", "0.01"},
			[]string{"--sigma-max", "0.01", "--sigma", "levels"}},
		{[]string{"train", "--objective", "dsm-multi", "--levels", "1"}, []string{"--levels", "1", ">= 2"}},
		{[]string{"train", "--objective", "nce", "--bridge", "0.2"}, []string{"nce", "bridge", "leave it out"}},
		{[]string{"train", "--objective", "nce", "--noise-ratio", "0"}, []string{"--noise-ratio", "0", ">= 1"}},
		{[]string{"train", "--objective", "nce", "--noise", "pink"}, []string{"--noise", "pink", "kde"}},
		{[]string{"train", "--objective", "ssm", "--slices", "0"}, []string{"--slices", "0", ">= 1"}},
		{[]string{"train", "--objective", "ssm", "--projection", "unit"}, []string{"--projection", "unit", "sphere"}},
		{[]string{"train", "--objective", "ml", "--alpha", "-1"}, []string{"--alpha", "-1", ">= 0"}},
		{[]string{"train", "--objective", "ml", "--restart", "2"}, []string{"--restart", "2", "[0, 1]"}},
		{[]string{"train", "--objective", "ml", "--batch", "64", "--buffer", "32"},
			[]string{"--buffer", "32", "batch", "64", "slot"}},
		{[]string{"train", "--objective", "cd", "--chain-steps", "0"}, []string{"--chain-steps", "0", ">= 1"}},
		{[]string{"train", "--objective", "ksd", "--batch", "1"}, []string{"ksd", "pairs", "at least 2"}},
		{[]string{"train", "--weight-decay", "0.1"}, []string{"--weight-decay", "--optimizer adamw"}},
		{[]string{"train", "--gradient-penalty", "-1"}, []string{"--gradient-penalty", "-1", ">= 0"}},
		{[]string{"train", "--spectral-norm", "-1"}, []string{"--spectral-norm", "-1", ">= 0"}},
		{[]string{"train", "--spectral-norm", "1", "--optimizer", "adamw", "--weight-decay", "0.1"},
			[]string{"--spectral-norm", "--weight-decay", "take one"}},
		{[]string{"train", "--live", "8080"}, []string{"--live 8080", "needs a colon", "127.0.0.1:8080"}},
		{[]string{"train", "--live", "nonsense:xyz"}, []string{"--live", "nonsense:xyz"}},
		{[]string{"show", "none"}, []string{"none", "does not exist"}},
		{[]string{"verify", "hmcc"}, []string{"hmcc", `"hmc"`, "sm, "}},
		{[]string{"train", "--dataset", "."}, []string{"--dataset: . is a folder"}},
		{[]string{"compare", "--datasets", ".", "--out", "board"}, []string{"--datasets: . is a folder"}},
		{[]string{"compare", "--datasets", "points.dat", "--out", "board"},
			[]string{"--datasets", ".dat", "separated by commas, semicolons"}},
		{[]string{"energy", run, "--points", "."}, []string{". is a folder"}},
		{[]string{"compare", "--datasets", "foo"}, []string{"8gaussians, 2spirals, "}},
		{[]string{"compare", "--objectives", "smm"}, []string{"--objectives", "smm", `"sm"`}},
		{[]string{"compare", "--datasets", "moon"}, []string{"--datasets", "moon", `"moons"`}},
		{[]string{"compare", "--objectives", "sm,nce,sm"}, []string{"--objectives", "sm is given twice", "--seeds"}},
		{[]string{"compare", "--objectives", "sm", "--objectives", "sm"},
			[]string{"--objectives", "sm is given twice"}},
		{[]string{"compare", "--datasets", "moons,moons"}, []string{"--datasets", "moons is given twice"}},
		{[]string{"compare", "--datasets", "three.csv,./three.csv"},
			[]string{"--datasets", "./three.csv is given twice"}},
		{[]string{"compare", "--datasets", "three.csv,other/three.csv"},
			[]string{"--datasets", "three.csv and other/three.csv", "same name"}},
		{[]string{"compare", "--workers", "1025"}, []string{"--workers 1025", "1 to 1024, or 0 for one per core"}},
		{[]string{"verify", "--threads", "1025"}, []string{"--threads 1025", "1 to 1024, or 0 for one per core"}},
		{[]string{"verify", "--threads", "-1"}, []string{"--threads -1", "1 to 1024, or 0 for one per core"}},
		{[]string{"train", "--threads", "1025"}, []string{"--threads 1025", "1 to 1024, or 0 for one per core"}},
		{[]string{"compare", "--seeds", "0"}, []string{"--seeds", "0"}},
		{[]string{"compare", "--set", "seed=3"}, []string{"--set", "seed"}},
		{[]string{"train", "--set", "lr"}, []string{"--set", "key=value"}},
		{[]string{"train", "--set", "lrr=1"}, []string{"--set", "lrr", `"lr"`}},
		{[]string{"train", "--config", "none.json"}, []string{"--config", "none.json"}},
		{[]string{"train", "--config", "bad.json"}, []string{"bad.json", "lr", "fast", "a number"}},
		{[]string{"train", "--config", "unknown.json"}, []string{"unknown.json", "learning-rate"}},
		{[]string{"train", "--out", run}, []string{"--out", run, "--resume"}},
		{[]string{"train", "--out", "bad.json"}, []string{"--out", "bad.json"}},
		{[]string{"train", "--resume", "none"}, []string{"--resume", "none", "does not exist"}},
		{[]string{"train", "--resume", "bad.json"}, []string{"--resume", "bad.json", "want a run directory"}},
		{[]string{"compare", "--datasets", "none.csv", "--out", "board"}, []string{"--datasets", "none.csv"}},
		{[]string{"train", "--resume", run, "--lr", "1"}, []string{"--resume", "--lr"}},
		{[]string{"data", "--out", "x.csv"}, []string{"--out x.csv", "ebm data NAME"}},
		{[]string{"sample", run, "--step", "nan"}, []string{"--step NaN", "> 0"}},
		{[]string{"train", "--dataset", "none.csv"}, []string{"none.csv"}},
		{[]string{"train", "--dataset", "nan.csv"}, []string{"nan.csv"}},
		{[]string{"train", "--dataset", "ragged.csv"}, []string{"ragged.csv"}},
		{[]string{"train", "--dataset", "equal.csv"}, []string{"--dataset", "equal.csv", "points are equal"}},
		{[]string{"train", "--dataset", "points.dat"}, []string{"points.dat", ".dat", ".csv", "tabs"}},
		{[]string{"train", "--dataset", "flat.csv"},
			[]string{"--dataset", "flat.csv", "column 3 ", "leave the column out"}},
		{[]string{"train", "--dataset", "flat2.csv"},
			[]string{"--dataset", "flat2.csv", "columns 2 (year), 4 (floor) ", "leave the columns out"}},
		{[]string{"train", "--dataset", "empty.csv"}, []string{"empty.csv"}},
		{[]string{"train", "--dataset", "bad.npy"}, []string{"bad.npy"}},
		{[]string{"sample", "none"}, []string{"none", "does not exist"}},
		{[]string{"sample", run, "--n", "0"}, []string{"--n", "0"}},
		{[]string{"sample", run, "--out", "x.txt"}, []string{"--out", "x.txt", ".npy, .npz or .csv"}},
		{[]string{"sample", run, "--out", "none/x.csv"}, []string{"--out", "none"}},
		{[]string{"sample", run, "--sampler", "gibs"}, []string{"--sampler", "gibs", "tempering"}},
		{[]string{"eval", "nan.csv"}, []string{"nan.csv", "run directory"}},
		{[]string{"eval", run, "--plot", "x.bmp"}, []string{"--plot", "x.bmp", ".png"}},
		{[]string{"eval", run, "--plot", "none/x.png"}, []string{"--plot", "none"}},
		{[]string{"eval", tmp}, []string{"config.json", "missing"}},
		{[]string{"plot", run, "--kind", "surfaces"}, []string{"--kind", "surfaces", `"surface"`}},
		{[]string{"plot", run, "--out", "x.bmp"}, []string{"--out", ".png"}},
		{[]string{"plot", run, "--kind", "panel,loss", "--out", "x.png"}, []string{"--out", "2 kinds"}},
		{[]string{"energy", run}, []string{"--points"}},
		{[]string{"energy", run, "--points", "none.npy"}, []string{"none.npy"}},
		{[]string{"energy", run, "--points", "three.csv"}, []string{"three.csv", "3 columns", "2"}},
		{[]string{"data", "moon"}, []string{"moon", "moons"}},
		{[]string{"train", "--resume"}, []string{"--resume", "missing", "RUN", "ebm train --help"}},
		{[]string{"train", "--dataset="}, []string{"--dataset", "missing"}},
		{[]string{"train", "--batch"}, []string{"--batch", "the value is missing"}},
		{[]string{"plot", run, "--kind", ""},
			[]string{"--kind", "the value is missing", "KIND,...", "ebm plot --help"}},
		{[]string{"compare", "--datasets", "", "--out", "board"}, []string{"--datasets", "the value is missing"}},
		{[]string{"train", "--hidden", ""}, []string{"--hidden", "the value is missing"}},
		{[]string{"train", "--steps", "2.5"}, []string{`--steps: value "2.5", want a whole number`}},
		{[]string{"train", "--seed", "-1"}, []string{"--seed", `"-1"`, "at least 0"}},
		{[]string{"train", "--lr", "fast"}, []string{`--lr: value "fast", want a number`}},
		{[]string{"sample"}, []string{"<run> is missing", "ebm sample --help"}},
		{[]string{"plot", run, "--style", "drak"}, []string{"--style", `"drak"`, `did you mean "dark"`}},
		{[]string{"completion", "fihs"}, []string{`"fihs"`, `did you mean "fish"`}},
		{[]string{"plot", run, "--terminal", "--json"}, []string{"--terminal", "--json"}},
		{[]string{"plot", run, "--terminal", "--out", "x.png"}, []string{"--terminal", "--out x.png"}},
		{[]string{"plot", run, "--kind", "chains", "--out", "x.png"}, []string{"--out x.png", ".gif"}},
		{[]string{"plot", run, "--kind", "chains", "--out", "nan.csv/"}, []string{"--out nan.csv", ".gif"}},
		{[]string{"data", "moons", "--n", "-3"}, []string{"--n", "-3"}},
		{[]string{"data", "moons", "--out", "x.json"}, []string{"--out", ".json"}},
		{[]string{"completion", "tcsh"}, []string{"tcsh", "bash"}},
		// Settings that would not fit into memory, and numbers of steps that would never end.
		{[]string{"data", "moons", "--n", "99999999999"}, []string{"--n 99999999999", "10000000"}},
		{[]string{"sample", run, "--n", "99999999999999"}, []string{"--n", "10000000"}},
		{[]string{"eval", run, "--samples", "-1"}, []string{"--samples -1", "want 0 or 2"}},
		{[]string{"eval", run, "--samples", "99999999999999"}, []string{"--samples", "10000000"}},
		{[]string{"train", "--samples", "99999999999"}, []string{"--samples", "at most 10000000"}},
		{[]string{"train", "--objective", "ml", "--buffer", "99999999999"}, []string{"--buffer", "at most"}},
		{[]string{"train", "--objective", "nce", "--noise-ratio", "99999999999"}, []string{"--noise-ratio", "at most"}},
		{[]string{"train", "--objective", "ssm", "--slices", "99999999999"}, []string{"--slices", "at most"}},
		{[]string{"train", "--objective", "dsm-multi", "--levels", "99999999999"}, []string{"--levels", "at most"}},
		{[]string{"train", "--test-points", "99999999999"}, []string{"--test-points", "at most"}},
		{[]string{"train", "--train-points", "99999999999"}, []string{"--train-points", "at most"}},
		{[]string{"train", "--leapfrog", "99999999999"}, []string{"--leapfrog", "at most"}},
		{[]string{"train", "--steps", "9223372036854775807"}, []string{"--steps", "at most"}},
		{[]string{"train", "--hidden", "8192,8192,8192,8192"}, []string{"--hidden", "weights"}},
		{[]string{"train", "--seed", "99999999999999999999"}, []string{"--seed", "below 2^64"}},
		{[]string{"train", "--config", "/dev/zero"}, []string{"--config", "/dev/zero", "a device"}},
		{[]string{"train", "--config", "list.json"}, []string{"list.json", "array"}},
		// Mistakes that would otherwise surface only when the training is over.
		{[]string{"train", "--samples", "1"}, []string{"--samples 1", "at least 2"}},
		{[]string{"train", "--adapt", "0"}, []string{"--adapt", "--sampler-step"}},
		{[]string{"sample", run, "--step", "Inf"}, []string{"--step", "> 0"}},
		{[]string{"compare", "--seeds", "99999999999"}, []string{"--seeds", "1000"}},
		{[]string{"compare", "--seconds", "NaN"}, []string{"--seconds", "> 0"}},
	} {
		t.Run(strings.Join(c.args, " "), func(t *testing.T) {
			ebm(t, c.args...).want(t, 2).oneLine(t, c.want...)
		})
	}
	if after := listing1(t, tmp); after != before {
		t.Errorf("files before: %s\nafter: %s", before, after)
	}
}

// broken is a writer that fails after the first bytes.
type broken struct{ room int }

func (b *broken) Write(p []byte) (int, error) {
	n := min(b.room, len(p))
	b.room -= n
	if n < len(p) {
		return n, syscall.ENOSPC
	}
	return n, nil
}

// TestOutputLost: a command whose output cannot be written has failed, and says so in one line.
func TestOutputLost(t *testing.T) {
	run := shared(t)
	points := filepath.Join(t.TempDir(), "points.csv")
	ebm(t, "data", "moons", "--n", "5", "--out", points).want(t, 0)
	for _, args := range [][]string{
		{}, {"--help"}, {"data"}, {"data", "--json"}, {"data", "moons", "--n", "3"}, {"eval", run, "--samples", "0"},
		{"eval", run, "--samples", "0", "--json"},
		{"sample", run, "--n", "20"}, {"energy", run, "--points", points}, {"plot", run, "--terminal"},
		{"verify", "langevin"}, {"completion", "bash"}, {"version"},
		append([]string{"train", "--out", filepath.Join(t.TempDir(), "run")}, tiny...),
	} {
		var errout bytes.Buffer
		code := programContext(context.Background(), args, strings.NewReader(""), &broken{room: 7}, &errout)
		last := errout.String()[strings.LastIndex(strings.TrimSuffix(errout.String(), "\n"), "\n")+1:]
		if code != 1 || !strings.HasPrefix(last, "ebm: the result cannot be written: ") ||
			!strings.Contains(last, "no space left") {
			t.Errorf("%v: exit code %d, stderr %q", args, code, errout.String())
		}
	}
}

// listing1 is the names of all files below a folder.
func listing1(t *testing.T, dir string) string {
	t.Helper()
	var names []string
	if err := filepath.Walk(dir, func(path string, info os.FileInfo, err error) error {
		names = append(names, path)
		return err
	}); err != nil {
		t.Fatal(err)
	}
	return strings.Join(names, " ")
}

func TestData(t *testing.T) {
	r := ebm(t, "data").want(t, 0)
	for _, name := range strings.Fields(
		"8gaussians 2spirals 4squares checkerboard rings moons pinwheel swissroll circles cos") {
		if !strings.Contains(r.out, name) {
			t.Errorf("no %s", name)
		}
	}
	dir := t.TempDir()
	a, b := filepath.Join(dir, "a.csv"), filepath.Join(dir, "b.npy")
	ebm(t, "data", "moons", "--n", "20", "--out", a).want(t, 0)
	ebm(t, "data", "moons", "--n", "20", "--out", b).want(t, 0)
	text, err := os.ReadFile(a)
	if err != nil || strings.Count(string(text), "\n") != 20 {
		t.Errorf("%d lines, want 20: %v", strings.Count(string(text), "\n"), err)
	}
	if r := ebm(t, "data", "moons", "--n", "20"); r.out != string(text) {
		t.Error("stdout and file differ")
	}
}

func TestSampleAndEnergy(t *testing.T) {
	run, dir := shared(t), t.TempDir()
	a, b := filepath.Join(dir, "a.csv"), filepath.Join(dir, "b.csv")
	ebm(t, "sample", run, "--n", "30", "--seed", "5", "--out", a).want(t, 0)
	ebm(t, "sample", run, "--n", "30", "--seed", "5", "--out", b).want(t, 0)
	same(t, a, b)
	for _, sampler := range []string{"langevin", "mala", "nuts", "annealed", "tempering"} {
		r := ebm(t, "sample", run, "--n", "30", "--sampler", sampler).want(t, 0)
		if !strings.Contains(r.out, sampler) {
			t.Errorf("%s: report %q", sampler, r.out)
		}
	}
	for line := range strings.Lines(ebm(t, "sample", run, "--n", "30").want(t, 0).out) {
		if n := len([]rune(strings.TrimRight(line, "\n"))); n > 80 {
			t.Errorf("a line of %d columns: %q", n, line)
		}
	}
	for _, sampler := range []string{"langevin", "mala", "hmc", "nuts"} {
		var report struct {
			StepSize float64 `json:"step_size"`
		}
		r := ebm(t, "sample", run, "--n", "30", "--sampler", sampler, "--step", "0.03", "--json").want(t, 0)
		if err := json.Unmarshal([]byte(r.out), &report); err != nil || report.StepSize != 0.03 {
			t.Errorf("%s --step 0.03: step size %g (%v)", sampler, report.StepSize, err)
		}
	}
	r := ebm(t, "energy", run, "--points", a, "--grad").want(t, 0)
	if lines := strings.Count(r.out, "\n"); lines != 30 || strings.Count(strings.SplitN(r.out, "\n", 2)[0], ",") != 2 {
		t.Errorf("%d lines, the first %q; want 30 of three columns", lines, strings.SplitN(r.out, "\n", 2)[0])
	}
}

func TestPlotKinds(t *testing.T) {
	run, dir := shared(t), t.TempDir()
	for _, kind := range []string{"panel", "samples", "contour", "surface", "score", "loss", "density", "diagnostics",
		"pairs"} {
		path := filepath.Join(dir, kind+".svg")
		r := ebm(t, "plot", run, "--kind", kind, "--out", path).want(t, 0)
		if strings.TrimSpace(r.out) != path {
			t.Errorf("%s: stdout %q", kind, r.out)
		}
		if b, err := os.ReadFile(path); err != nil || !bytes.Contains(b, []byte("<svg")) {
			t.Errorf("%s: no SVG: %v", kind, err)
		}
	}
	path := filepath.Join(dir, "chains.gif")
	ebm(t, "plot", run, "--kind", "chains", "--style", "dark", "--out", path).want(t, 0)
	if b, err := os.ReadFile(path); err != nil || !bytes.HasPrefix(b, []byte("GIF89a")) {
		t.Errorf("no GIF: %v", err)
	}
	frames := filepath.Join(dir, "frames")
	ebm(t, "plot", run, "--kind", "animation", "--out", frames).want(t, 0)
	if _, err := os.Stat(filepath.Join(frames, "frame-0003.png")); err != nil {
		t.Errorf("no folder of frames: %v", err)
	}
	r := ebm(t, "plot", run, "--terminal").want(t, 0)
	if strings.Contains(r.out, "\x1b[") || len(r.out) < 200 {
		t.Errorf("terminal drawing into a pipe: %d bytes, escapes %v", len(r.out), strings.Contains(r.out, "\x1b["))
	}
}

func TestEvalPlot(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "density.svg")
	r := ebm(t, "eval", shared(t), "--samples", "0", "--plot", path).want(t, 0)
	if b, err := os.ReadFile(path); err != nil || !bytes.Contains(b, []byte("<svg")) {
		t.Errorf("no SVG: %v", err)
	}
	if !strings.Contains(r.out, "KL") {
		t.Errorf("no report beside the picture: %q", r.out)
	}

	points := filepath.Join(dir, "points.csv")
	ebm(t, "data", "moons", "--n", "40", "--out", points).want(t, 0)
	for _, c := range []struct{ name, dataset, text string }{
		{"file", points, "known density"},
		{"deep", "mixture10", "10"},
	} {
		run := filepath.Join(dir, c.name)
		trainSmall(t, run, "--dataset", c.dataset, "--steps", "2", "--samples", "0", "--frames", "0").want(t, 0)
		ebm(t, "eval", run, "--plot", path).want(t, 2).oneLine(t, "--plot", c.text)
		ebm(t, "plot", run, "--kind", "density").want(t, 2).oneLine(t, "--kind density", c.text)
	}
}

// TestNoiseLevels draws from a conditional energy down its levels.
func TestNoiseLevels(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "run")
	trainSmall(t, dir, "--objective", "dsm-multi", "--levels", "3", "--frames", "0", "--energy", "mlp").want(t, 0)
	b, err := os.ReadFile(filepath.Join(dir, "config.json"))
	if err != nil || !strings.Contains(string(b), `"sampler": "annealed"`) {
		t.Errorf("the sampler is not annealed: %v\n%s", err, b)
	}
	r := ebm(t, "sample", dir, "--n", "40", "--json").want(t, 0)
	var got struct{ Sampler string }
	if err := json.Unmarshal([]byte(r.out), &got); err != nil || !strings.Contains(got.Sampler, "annealed") {
		t.Errorf("sampled by %q: %v", got.Sampler, err)
	}
	hmc := filepath.Join(t.TempDir(), "run")
	trainSmall(t, hmc, "--objective", "dsm-multi", "--levels", "3", "--frames", "0", "--sampler", "hmc", "--samples",
		"0").want(t, 0)
	if b, _ := os.ReadFile(filepath.Join(hmc, "config.json")); !strings.Contains(string(b), `"sampler": "hmc"`) {
		t.Errorf("the sampler given was not kept:\n%s", b)
	}
}

func TestCompletion(t *testing.T) {
	for _, shell := range []string{"bash", "zsh", "fish"} {
		r := ebm(t, "completion", shell).want(t, 0)
		for _, word := range []string{"4squares", "--objective", "tempering"} {
			if !strings.Contains(strings.ReplaceAll(r.out, "-l ", "--"), word) {
				t.Errorf("%s: no %s", shell, word)
			}
		}
	}
}

// TestCompletionInBash asks bash for completions as the shell does when Tab is pressed.
func TestCompletionInBash(t *testing.T) {
	bash, err := exec.LookPath("bash")
	if err != nil {
		t.Skip("no bash")
	}
	script := ebm(t, "completion", "bash").want(t, 0).out
	for _, c := range []struct{ typed, want string }{
		{"ebm tr", "train"},
		{"ebm help sh", "show"},
		{"ebm train --ob", "--objective"},
		{"ebm train --objective ssm", "ssm ssm-vr"},
		{"ebm train --objective = ssm-", "ssm-vr"}, // as readline cuts --objective=ssm-
		{"ebm train --set le", "levels= leapfrog="},
		{"ebm plot --kind panel,ch", "panel,chains"},
		{"ebm plot --style ", "light dark"},
		{"ebm plot --format p", "png pdf"},
		{"ebm export --format ", "onnx safetensors"},
		{"ebm compare --datasets moons,pin", "moons,pinwheel"},
		{"ebm completion ", "bash zsh fish"},
		{"ebm verify hm", "hmc"},
		{"ebm data moo", "moons"},
		{"ebm eval main_te", "main_test.go"},
	} {
		words := strings.Split(c.typed, " ")
		cmd := exec.Command(bash, append([]string{"-c", script + `
COMP_WORDS=("$@"); COMP_CWORD=$(($# - 1)); _ebm; echo "${COMPREPLY[*]}"`, "bash"}, words...)...)
		out, err := cmd.CombinedOutput()
		if got := strings.TrimSpace(string(out)); err != nil || got != c.want {
			t.Errorf("%q: got %q, want %q (%v)", c.typed, got, c.want, err)
		}
	}
}

// TestOneMode: data with a single mode have no mode weights to compare.
func TestOneMode(t *testing.T) {
	for modes, want := range map[int]bool{1: false, 2: true} {
		var b bytes.Buffer
		printReport(&env{stdout: &b}, &metrics.Report{Dim: 2, Samples: &metrics.SampleReport{KnownModes: modes}}, false)
		if got := strings.Contains(b.String(), "mode weights TV"); got != want {
			t.Errorf("%d modes: weights of modes in the table %v, want %v\n%s", modes, got, want, b.String())
		}
	}
}

// TestCompletionOfFiles has names with blanks, and files of points beside the distributions.
func TestCompletionOfFiles(t *testing.T) {
	bash, err := exec.LookPath("bash")
	if err != nil {
		t.Skip("no bash")
	}
	script := ebm(t, "completion", "bash").want(t, 0).out
	dir := t.TempDir()
	for _, name := range []string{"moon rock.csv", "moon.txt", "moon.md", "sun.npy"} {
		if err := os.WriteFile(filepath.Join(dir, name), nil, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.Mkdir(filepath.Join(dir, "moon runs"), 0o755); err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct{ typed, want string }{
		{"ebm train --dataset moo", "moons\nmoon runs\nmoon rock.csv\nmoon.txt\n"},
		{"ebm train --dataset s", "swissroll\nsquare\nsun.npy\n"},
		{"ebm compare --datasets cos,moon", "cos,moons\ncos,moon runs\ncos,moon rock.csv\ncos,moon.txt\n"},
		{"ebm eval moon-r", ""},
		{"ebm eval moon\\ r", "moon runs\nmoon rock.csv\n"},
	} {
		words := strings.Fields(strings.ReplaceAll(c.typed, `\ `, "\x00"))
		for i := range words {
			words[i] = strings.ReplaceAll(words[i], "\x00", " ")
		}
		cmd := exec.Command(bash, append([]string{"-c", script + `
COMP_WORDS=("$@"); COMP_CWORD=$(($# - 1)); _ebm; [ ${#COMPREPLY[@]} -eq 0 ] || printf '%s\n' "${COMPREPLY[@]}"`, "bash"}, words...)...)
		cmd.Dir = dir
		out, err := cmd.CombinedOutput()
		got, want := strings.Split(string(out), "\n"), strings.Split(c.want, "\n")
		slices.Sort(got)
		slices.Sort(want)
		if err != nil || !slices.Equal(got, want) {
			t.Errorf("%q: got %q, want %q (%v)", c.typed, got, want, err)
		}
	}
}

// TestCompletionInZsh presses Tab in a zsh with a terminal of its own: the first press, which loads the script, is
// answered like the second.
func TestCompletionInZsh(t *testing.T) {
	zsh, err := exec.LookPath("zsh")
	if err != nil {
		t.Skip("no zsh")
	}
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "_ebm"), []byte(ebm(t, "completion", "zsh").want(t, 0).out),
		0o644); err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command(zsh, "-f", "-c", `
zmodload zsh/zpty || exit 3
zpty shell zsh -f -i
zpty -w shell "fpath=($1 \$fpath); autoload -U compinit; compinit -u -D; PS1='> '; print read''y"
zpty -r -m shell text '*ready*'
for typed in 'ebm train --dataset moo' 'ebm train --objective ssm-' 'ebm veri'; do
	zpty -n -w shell "$typed"$'\t'
	zpty -r -m shell text '*(moons|ssm-vr|verify|'$'\a'')*'
	print -r -- "$text"
	zpty -w shell $'\C-u'
done`, "zsh", dir)
	done := time.AfterFunc(time.Minute, func() { cmd.Process.Kill() })
	defer done.Stop()
	out, err := cmd.CombinedOutput()
	if cmd.ProcessState != nil && cmd.ProcessState.ExitCode() == 3 {
		t.Skip("zsh has no zpty")
	}
	for _, want := range []string{"--dataset moons", "--objective ssm-vr", "ebm verify"} {
		if err != nil || !strings.Contains(string(out), want) {
			t.Errorf("%q is not completed: %v\n%q", want, err, out)
		}
	}
}

// TestCompletionInFish asks fish for completions.
func TestCompletionInFish(t *testing.T) {
	fish, err := exec.LookPath("fish")
	if err != nil {
		t.Skip("no fish")
	}
	script := filepath.Join(t.TempDir(), "ebm.fish")
	if err := os.WriteFile(script, []byte(ebm(t, "completion", "fish").want(t, 0).out), 0o644); err != nil {
		t.Fatal(err)
	}
	for typed, want := range map[string]string{"ebm tra": "train", "ebm train --dataset moo": "moons",
		"ebm plot x --style d": "dark", "ebm train --ob": "--objective"} {
		cmd := exec.Command(fish, "--no-config", "-c", "source $argv[1]; complete -C $argv[2]", script, typed)
		cmd.Env = append(os.Environ(), "HOME="+t.TempDir())
		out, err := cmd.CombinedOutput()
		if got, _, _ := strings.Cut(string(out), "\t"); err != nil || strings.TrimSpace(got) != want {
			t.Errorf("%q: got %q, want %q (%v)", typed, out, want, err)
		}
	}
}

// TestEvalOfFinitelyMany: next to the likelihood of the training points stand the comparisons with the true density,
// where that is known.
func TestEvalOfFinitelyMany(t *testing.T) {
	dir := t.TempDir()
	points := filepath.Join(dir, "points.csv")
	ebm(t, "data", "moons", "--n", "60", "--out", points).want(t, 0)
	for name, data := range map[string][]string{
		"drawn": {"--dataset", "moons", "--train-points", "60"},
		"file":  {"--dataset", points},
	} {
		run := filepath.Join(dir, name)
		ebm(t, append(append([]string{"train", "--out", run}, tiny...), data...)...).want(t, 0)
		out := ebm(t, "eval", run, "--samples", "20").want(t, 0).out
		for _, row := range []string{"KL ", "entropy ", "Fisher ", "histogram TV "} {
			if known := strings.Contains(out, "\n"+row) || strings.HasPrefix(out, row); known != (name == "drawn") {
				t.Errorf("%s: %q is there: %v\n%s", name, row, known, out)
			}
		}
		if !strings.Contains(out, "\ntrain NLL ") {
			t.Errorf("%s: no train NLL:\n%s", name, out)
		}
	}
}

// TestFile trains on points of one's own, far from the unit square, and forgets where they were.
func TestFile(t *testing.T) {
	dir := t.TempDir()
	points, run := filepath.Join(dir, "points.csv"), filepath.Join(dir, "run")
	var text strings.Builder
	rng := rand.New(rand.NewPCG(1, 2))
	for range 400 {
		fmt.Fprintf(&text, "%g,%g,%g\n", 1000+50*rng.NormFloat64(), -3+0.01*rng.NormFloat64(), rng.NormFloat64())
	}
	if err := os.WriteFile(points, []byte(text.String()), 0o644); err != nil {
		t.Fatal(err)
	}
	trainSmall(t, run, "--dataset", points, "--steps", "400", "--lr", "0.01", "--batch", "128").want(t, 0)
	if b, err := os.ReadFile(filepath.Join(run, "config.json")); err != nil ||
		!bytes.Contains(b, []byte(`"objective": "nce"`)) {
		t.Errorf("the objective for files is not nce: %s (%v)", b, err)
	}
	if err := os.Remove(points); err != nil {
		t.Fatal(err)
	}
	out := filepath.Join(dir, "x.csv")
	// Fewer chains are longer, with as many transitions as requested.
	var long struct{ Chains, Draws, Transitions int }
	if err := json.Unmarshal([]byte(ebm(t, "sample", run, "--n", "60", "--chains", "4", "--thin", "3", "--burn-in", "0",
		"--json").want(t, 0).out), &long); err != nil {
		t.Fatal(err)
	}
	if long.Chains != 4 || long.Draws != 15 || long.Transitions != 4*15*3 {
		t.Errorf("60 samples of 4 chains, thinned by 3: got %+v", long)
	}
	for _, bad := range [][]string{{"--chains", "0"}, {"--burn-in", "-1"}, {"--thin", "0"}} {
		ebm(t, "sample", run, bad[0]+"="+bad[1]).want(t, 2).oneLine(t, bad[0])
	}
	// The report describes the samples, in their units, and tells how they mixed even when one sample per chain is
	// requested.
	var report struct {
		RHat       *float64
		Draws      int
		Quantities []struct {
			Name      string
			Mean, Std float64
		}
	}
	if err := json.Unmarshal([]byte(ebm(t, "sample", run, "--n", "20", "--json", "--out", out).want(t, 0).out),
		&report); err != nil {
		t.Fatal(err)
	}
	if report.RHat == nil || report.Draws < 10 {
		t.Errorf("R̂ %v from %d draws per chain", report.RHat, report.Draws)
	}
	first := report.Quantities[0]
	if first.Mean < 850 || first.Mean > 1150 || first.Std < 20 || first.Std > 125 {
		t.Errorf("the report has %+v, the first column of the data 1000 ± 50", first)
	}
	e, err := datasets.Load(out)
	if err != nil {
		t.Fatal(err)
	}
	if n, _ := e.Dims(); n != 20 {
		t.Errorf("%d samples, want 20", n)
	}
	ebm(t, "sample", run, "--n", "200", "--out", out).want(t, 0)
	x, err := datasets.Load(out)
	if err != nil {
		t.Fatal(err)
	}
	var mean float64
	for i := range 200 {
		mean += x.At(i, 0) / 200
	}
	// A short training learns the data to within a deviation or so, which is 50: this tests the units.
	if mean < 850 || mean > 1150 {
		t.Errorf("the first coordinate of samples is %g on average, that of the data 1000", mean)
	}
	ebm(t, "eval", run).want(t, 2).oneLine(t, "points.csv", "not there")
	ebm(t, "plot", run, "--out", filepath.Join(dir, "p.png")).want(t, 0)
	if r := ebm(t, "plot", run, "--kind", "samples,contour").want(t, 2); !strings.Contains(r.errout,
		"--kind contour: it needs data of 2 dimensions, these have 3") {
		t.Errorf("stderr %q", r.errout)
	}
	if _, err := os.Stat(filepath.Join(run, "samples.png")); err == nil {
		t.Error("a picture was drawn before another was refused")
	}
	ebm(t, "train", "--resume", run+"x").want(t, 2)
}

// TestColumnNames: the header of a file names the columns of the output, even when the file is gone; without a header
// nothing does.
func TestColumnNames(t *testing.T) {
	dir := t.TempDir()
	header, run := "\"wait, min\",minutes\n", filepath.Join(dir, "run")
	rows := ebm(t, "data", "moons", "--n", "40").want(t, 0).out
	write := func(name, text string) string {
		path := filepath.Join(dir, name)
		if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
		return path
	}
	points := write("points.csv", header+rows)
	trainSmall(t, run, "--dataset", points).want(t, 0)
	if err := os.Remove(points); err != nil {
		t.Fatal(err)
	}
	out := filepath.Join(dir, "x.csv")
	table := ebm(t, "sample", run, "--n", "20", "--out", out).want(t, 0).out
	for _, name := range []string{"wait, min", "minutes", "energy"} {
		if !strings.Contains(table, name) {
			t.Errorf("no %q in the table:\n%s", name, table)
		}
	}
	if x, err := os.ReadFile(out); err != nil || !strings.HasPrefix(string(x), header) ||
		bytes.Count(x, []byte("\n")) != 21 {
		t.Errorf("samples: %v\n%s", err, x)
	}
	for _, kind := range []string{"panel", "samples", "contour", "surface", "score", "diagnostics", "animation",
		"chains"} {
		ebm(t, "plot", run, "--kind", kind).want(t, 0)
	}
	// Points with other columns than the model's are not accepted as its own. Energies of points with column names
	// have a header, so that they can be pasted beside the points.
	if r := ebm(t, "energy", run, "--points", write("same.csv", header+"1,2\n")).want(t, 0); !strings.HasPrefix(r.out,
		"energy\n") || strings.Count(r.out, "\n") != 2 {
		t.Errorf("energies of named columns:\n%s", r.out)
	}
	if r := ebm(t, "energy", run, "--points", filepath.Join(dir, "same.csv"), "--grad").want(t,
		0); !strings.HasPrefix(r.out, "energy,\"dE/dwait, min\",dE/dminutes\n") {
		t.Errorf("gradients of named columns:\n%s", r.out)
	}
	ebm(t, "energy", run, "--points", write("bare.csv", "1,2\n")).want(t, 0)
	ebm(t, "energy", run, "--points", write("other.csv", "a,b\n1,2\n")).want(t, 0)
	ebm(t, "energy", run, "--points", write("turned.csv", "minutes,\"wait, min\"\n1,2\n")).want(t, 2).
		oneLine(t, "turned.csv", "minutes, wait, min", "wait, min, minutes")
	bare := filepath.Join(dir, "bare")
	ebm(t, append(append([]string{"train", "--out", bare}, tiny...), "--dataset",
		write("points2.csv", rows))...).want(t, 0)
	if table := ebm(t, "sample", bare, "--n", "20", "--out", out).want(t, 0).out; !strings.Contains(table, "x1") {
		t.Errorf("no x1 in the table:\n%s", table)
	}
	if x, err := os.ReadFile(out); err != nil || bytes.Count(x, []byte("\n")) != 20 {
		t.Errorf("samples of nameless columns: %v\n%s", err, x)
	}
}

// TestOddColumns: oddities in the columns of a file are reported before the training.
func TestOddColumns(t *testing.T) {
	t.Chdir(t.TempDir())
	rng := rand.New(rand.NewPCG(1, 2))
	text := ",a\n"
	for i := range 60 {
		text += fmt.Sprintf("%d,%g\n", i, rng.NormFloat64())
	}
	if err := os.WriteFile("index.csv", []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
	r := ebm(t, append([]string{"train", "--dataset", "index.csv"}, tiny...)...).want(t, 0)
	if !strings.Contains(r.errout, "note: column 1 (x1) counts the rows") {
		t.Errorf("got %q, want a note of column 1", r.errout)
	}
}

// TestRepeatedHidden: if the widths are given twice the last ones count, as for every other setting.
func TestRepeatedHidden(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "run")
	ebm(t, append(append([]string{"train", "--out", dir}, tiny...), "--hidden", "8", "--hidden", "16,4", "--lr", "1",
		"--lr", "0.001")...).want(t, 0)
	b, err := os.ReadFile(filepath.Join(dir, "config.json"))
	if err != nil {
		t.Fatal(err)
	}
	var got struct {
		Hidden []int
		LR     float64
	}
	if err := json.Unmarshal(b, &got); err != nil || !slices.Equal(got.Hidden, []int{16, 4}) || got.LR != 0.001 {
		t.Errorf("got %+v, %v, want the last of each", got, err)
	}
}

// TestDefaults takes the default kind of energy and its bridge through a short run.
func TestDefaults(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "run")
	trainSmall(t, dir, "--energy", "fourier", "--bridge", "0.5", "--steps", "20").want(t, 0)
	ebm(t, "eval", dir, "--samples", "0").want(t, 0)
}

// TestCompare: cells that are done are not done again.
func TestCompare(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "board")
	args := []string{"compare", "--datasets", "moons,4squares", "--objectives", "nce,dsm", "--out", dir, "--workers",
		"2"}
	for i := 0; i < len(small); i += 2 {
		if key := strings.TrimPrefix(small[i], "--"); key != "frames" {
			args = append(args, "--set", key+"="+small[i+1])
		}
	}
	first := ebm(t, args...).want(t, 0)
	if !strings.Contains(first.out, "| `nce` |") || strings.Count(first.errout, "\n") != 4 {
		t.Errorf("stdout %q, stderr %q", first.out, first.errout)
	}
	for _, name := range []string{"table.md", "table.csv", "board.json", "board.png"} {
		if _, err := os.Stat(filepath.Join(dir, name)); err != nil {
			t.Error(err)
		}
	}
	cell := filepath.Join(dir, "cells", "moons-nce-1")
	before := contents(t, cell)
	again := ebm(t, args...).want(t, 0)
	if again.out != first.out || contents(t, cell) != before {
		t.Error("the second time something was done again")
	}
	ebm(t, append(args, "--set", "lr=0.5")...).want(t, 2).oneLine(t, "other settings", "--out")
	ebm(t, append(args, "--seconds", "1")...).want(t, 2).oneLine(t, "--seconds", "--set steps")
	ebm(t, "compare", "--seconds", "0").want(t, 2).oneLine(t, "--seconds 0", "> 0")

	// For a file the true density is unknown: the NLL takes the place of the KL, and is labelled so.
	points := filepath.Join(dir, "points.csv")
	ebm(t, "data", "moons", "--n", "60", "--out", points).want(t, 0)
	args[2], args[4], args[6] = points, "nce", filepath.Join(dir, "file")
	of := ebm(t, args...).want(t, 0)
	if !strings.Contains(of.out, "points.csv: NLL |") || !strings.Contains(of.errout, "NLL ") ||
		strings.Contains(of.errout, "NaN") {
		t.Errorf("stdout %q, stderr %q", of.out, of.errout)
	}
	ebm(t, "data", "circles", "--n", "60", "--out", points).want(t, 0)
	ebm(t, args...).want(t, 2).oneLine(t, "points.csv", "changed", "--out")
}

// TestVerify runs one cheap check.
func TestVerify(t *testing.T) {
	r := ebm(t, "verify", "langevin", "--json").want(t, 0)
	var rows []struct {
		Name, Target, Statistic string
		Value, Tolerance        float64
		Pass                    bool
	}
	if err := json.Unmarshal([]byte(r.out), &rows); err != nil || len(rows) == 0 || !rows[0].Pass ||
		rows[0].Name != "langevin" {
		t.Errorf("%v: %s", err, r.out)
	}
}

// TestShow: the page of a finished run is served until the context ends, and --live pages follow a training.
func TestShow(t *testing.T) {
	for _, args := range [][]string{
		{"show", shared(t), "--live", ":0"},
		append([]string{"train", "--live", ":0", "--out", filepath.Join(t.TempDir(), "run")},
			append(append([]string{}, small...), "--steps", "100000")...),
	} {
		ctx, cancel := context.WithCancel(context.Background())
		r, w := io.Pipe()
		code := make(chan int)
		go func() {
			code <- programContext(ctx, args, strings.NewReader(""), io.Discard, w)
			w.Close()
		}()
		line, err := bufio.NewReader(r).ReadString('\n')
		if err != nil {
			t.Fatal(err)
		}
		go io.Copy(io.Discard, r)
		at := strings.Index(line, "http://")
		if at < 0 {
			t.Fatalf("no address in %q", line)
		}
		url := strings.Fields(line[at:])[0]
		if bare, _, ok := strings.Cut(url, "?token="); !ok {
			t.Errorf("no token in %s", url)
		} else if resp, err := http.Get(bare + "events"); err != nil || resp.StatusCode != http.StatusUnauthorized {
			t.Errorf("without the token: %v, %v", resp, err)
		}
		resp, err := http.Get(url)
		if err != nil {
			t.Fatal(err)
		}
		page, err := io.ReadAll(resp.Body)
		resp.Body.Close()
		if err != nil || !bytes.Contains(page, []byte("<html")) {
			t.Errorf("%s: %v, %d bytes", url, err, len(page))
		}
		cancel()
		if got, want := <-code, map[string]int{"show": 0, "train": 130}[args[0]]; got != want {
			t.Errorf("%s ended with %d, want %d", args[0], got, want)
		}
	}
}

// TestReference: README.md says what the program says about itself.
func TestReference(t *testing.T) {
	want, err := os.ReadFile("README.md")
	if err != nil {
		t.Fatal(err)
	}
	if got := ebm(t, "reference").want(t, 0).out; got != string(want) {
		t.Error("README.md is out of date: go generate ./cmd/ebm")
	}
}

// The progress bar leaves room for what stands around it: in narrow terminals rate and times are dropped first, then
// the bar.
func TestBarWidth(t *testing.T) {
	for _, c := range []struct {
		columns, steps, width int
		times                 bool
	}{{200, 6000, 20, true}, {80, 6000, 7, true}, {80, 1_000_000_000, 20, false}, {60, 6000, 15, false},
		{45, 6000, 0, false}, {20, 1, -19, false}} {
		width, times := barWidth(c.columns, c.steps)
		if width != c.width || times != c.times {
			t.Errorf("%d columns, %d steps: width %d, times %v, want %d, %v", c.columns, c.steps, width, times, c.width,
				c.times)
		}
	}
}
