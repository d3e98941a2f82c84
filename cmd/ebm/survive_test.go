package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"image"
	"image/png"
	"io"
	"io/fs"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"
)

// command is the program in a process of its own.
func command(t *testing.T, args ...string) *exec.Cmd {
	t.Helper()
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command(self, args...)
	cmd.Env = append(os.Environ(), asProgram+"=1")
	return cmd
}

// seconds matches the only field of a record that may differ between runs.
var seconds = regexp.MustCompile(`,"seconds":[0-9.e+-]+`)

// sameRun fails unless two run directories hold the same model, metrics except for times, samples and measures.
func sameRun(t *testing.T, got, want string) {
	t.Helper()
	for _, name := range []string{"model.safetensors", "samples.npy", "eval.json", "animation.gif"} {
		same(t, filepath.Join(got, name), filepath.Join(want, name))
	}
	var text [2][]byte
	for i, dir := range []string{got, want} {
		b, err := os.ReadFile(filepath.Join(dir, "metrics.jsonl"))
		if err != nil {
			t.Error(err)
			return
		}
		text[i] = seconds.ReplaceAll(b, nil)
	}
	if !bytes.Equal(text[0], text[1]) {
		t.Errorf("metrics of %s and %s differ:\n%s\n%s", got, want, text[0], text[1])
	}
}

// killSettings have state of every kind: a replay buffer, averages, data from a file. The points are few, since a
// mixture is fitted to them whenever a process starts, which for 300 took four fifths of a run.
func killSettings(t *testing.T, dir string) []string {
	t.Helper()
	points := filepath.Join(dir, "points.csv")
	ebm(t, "data", "moons", "--n", "40", "--out", points).want(t, 0)
	return append([]string{"train", "--dataset", points, "--objective", "ml"},
		append(append([]string{}, small...), "--steps", "300", "--chain-steps", "3")...)
}

// TestKill kills runs at random moments and resumes them, on one core or two at random, until they end, in the same
// bytes as the undisturbed run. EBM_KILL sets the number of runs.
func TestKill(t *testing.T) {
	t.Parallel()
	runs := 4
	if text := os.Getenv("EBM_KILL"); text != "" {
		var err error
		if runs, err = strconv.Atoi(text); err != nil {
			t.Fatalf("EBM_KILL=%s: want a number", text)
		}
	}
	tmp := t.TempDir()
	args := killSettings(t, tmp)
	base := filepath.Join(tmp, "base")
	start := time.Now()
	if out, err := command(t, append(args, "--out", base)...).CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	whole := time.Since(start)
	rng := rand.New(rand.NewPCG(uint64(time.Now().UnixNano()), 0)) // the moments should differ from run to run
	kills := 0
	for k := range runs {
		dir := filepath.Join(tmp, fmt.Sprintf("killed-%d", k))
		for attempt := 0; ; attempt++ {
			next := append(append([]string{}, args...), "--out", dir)
			if _, err := os.Stat(filepath.Join(dir, "config.json")); err == nil {
				next = []string{"train", "--resume", dir}
			}
			cmd := command(t, next...)
			cmd.Env = append(cmd.Env, fmt.Sprintf("GOMAXPROCS=%d", 1+rng.IntN(2)))
			var out bytes.Buffer
			cmd.Stdout, cmd.Stderr = &out, &out
			if err := cmd.Start(); err != nil {
				t.Fatal(err)
			}
			if attempt < 3 { // later ones may finish
				time.AfterFunc(time.Duration(rng.Float64()*float64(whole)), func() { _ = cmd.Process.Kill() })
			}
			err := cmd.Wait()
			if err == nil {
				break
			}
			if !strings.Contains(err.Error(), "killed") {
				t.Fatalf("run %d, attempt %d: %v\n%s", k, attempt, err, out.String())
			}
			kills++
		}
		sameRun(t, dir, base)
		if left, _ := filepath.Glob(filepath.Join(dir, "*", ".*.tmp")); len(left) > 0 {
			t.Errorf("left behind: %v", left)
		}
	}
	t.Logf("%d kills in %d runs of %v", kills, runs, whole.Round(time.Millisecond))
}

// TestProcs: the number of cores does not change a byte.
func TestProcs(t *testing.T) {
	t.Parallel()
	tmp := t.TempDir()
	args := killSettings(t, tmp)
	for _, procs := range []string{"1", "2"} {
		cmd := command(t, append(args, "--out", filepath.Join(tmp, procs))...)
		cmd.Env = append(cmd.Env, "GOMAXPROCS="+procs)
		if out, err := cmd.CombinedOutput(); err != nil {
			t.Fatalf("%v\n%s", err, out)
		}
	}
	sameRun(t, filepath.Join(tmp, "2"), filepath.Join(tmp, "1"))
}

// TestInterrupt: a signal ends the run with 130 after a checkpoint.
func TestInterrupt(t *testing.T) {
	t.Parallel()
	tmp := t.TempDir()
	args := killSettings(t, tmp)
	base, dir := filepath.Join(tmp, "base"), filepath.Join(tmp, "run")
	if out, err := command(t, append(args, "--out", base, "--steps", "1000")...).CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	var size int64 // of the metrics at the end of the previous sitting
	for _, sig := range []os.Signal{os.Interrupt, syscall.SIGTERM, syscall.SIGHUP} {
		next := append(append([]string{}, args...), "--out", dir, "--steps", "1000")
		if _, err := os.Stat(dir); err == nil {
			next = []string{"train", "--resume", dir}
		}
		cmd := command(t, next...)
		var out, errout bytes.Buffer
		cmd.Stdout, cmd.Stderr = &out, &errout
		if err := cmd.Start(); err != nil {
			t.Fatal(err)
		}
		waitFor(t, filepath.Join(dir, "metrics.jsonl"), size)
		if err := cmd.Process.Signal(sig); err != nil {
			t.Fatal(err)
		}
		err := cmd.Wait()
		var exit *exec.ExitError
		if !errors.As(err, &exit) || exit.ExitCode() != 130 {
			t.Fatalf("%v: got %v, want exit code 130\n%s", sig, err, errout.String())
		}
		if !strings.Contains(errout.String(), "--resume "+dir) || out.Len() > 0 {
			t.Errorf("stderr %q does not say how to go on, stdout %q", errout.String(), out.String())
		}
		if _, err := os.Stat(filepath.Join(dir, "model.safetensors")); err != nil {
			t.Error(err)
		}
		if info, err := os.Stat(filepath.Join(dir, "metrics.jsonl")); err == nil {
			size = info.Size()
		}
	}
	ebm(t, "train", "--resume", dir).want(t, 0)
	sameRun(t, dir, base)
}

// waitFor returns when the file is longer than size, and gives a busy machine a minute.
func waitFor(t *testing.T, path string, size int64) {
	t.Helper()
	for end := time.Now().Add(time.Minute); time.Now().Before(end); {
		if info, err := os.Stat(path); err == nil && info.Size() > size {
			return
		}
		time.Sleep(5 * time.Millisecond)
	}
	t.Fatalf("%s does not appear", path)
}

// stoppedAtOnce is a run that is stopped as soon as there is a run directory: it ends before its first step, with a
// checkpoint.
type stoppedAtOnce struct {
	context.Context
	run string
}

func (s stoppedAtOnce) Err() error {
	if _, err := os.Stat(s.run); err == nil {
		return context.Canceled
	}
	return s.Context.Err()
}

func TestInterruptInProcess(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "run")
	ebmContext(stoppedAtOnce{t.Context(), dir}, append([]string{"train", "--out", dir}, small...)...).want(t, 130)
	// It may be the pictures that are missing, so the note does not blame the training.
	if note := ebm(t, "sample", dir, "--n", "20").want(t, 0).errout; !strings.Contains(note,
		"note: the run "+dir+" is unfinished") {
		t.Errorf("got %q, want a note that the run is not complete", note)
	}
	ebm(t, "train", "--resume", dir).want(t, 0)
	sameRun(t, dir, shared(t))
}

// shown serves the page of a run until it says where.
func shown(t *testing.T, run string) result {
	ctx, cancel := context.WithCancel(t.Context())
	errout := saying{text: "Ctrl-C ends it", do: cancel}
	code := programContext(ctx, []string{"show", run, "--live", ":0"}, strings.NewReader(""), io.Discard, &errout)
	return result{code, "", errout.String()}
}

// saying calls a function when a text is written.
type saying struct {
	bytes.Buffer
	text string
	do   func()
}

func (s *saying) Write(b []byte) (int, error) {
	if bytes.Contains(b, []byte(s.text)) {
		s.do()
	}
	return s.Buffer.Write(b)
}

// TestDataChange: a run whose data file has changed, or is gone, is neither evaluated nor continued; once the old
// file is back, it is.
func TestDataChange(t *testing.T) {
	tmp := t.TempDir()
	t.Chdir(tmp)
	csv := ebm(t, "data", "moons", "--n", "40").want(t, 0).out
	var picture bytes.Buffer
	img := image.NewGray(image.Rect(0, 0, 8, 8))
	for k := range img.Pix {
		img.Pix[k] = uint8(4 * k)
	}
	if err := png.Encode(&picture, img); err != nil {
		t.Fatal(err)
	}
	img.Pix[9]++
	var other bytes.Buffer
	if err := png.Encode(&other, img); err != nil {
		t.Fatal(err)
	}
	write := func(name, text string) {
		if err := os.WriteFile(name, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	for name, versions := range map[string][]string{
		"points.csv":  {csv, csv + "0,0\n", "5,6,8\n3,4,5\n1,2,3\n"},
		"picture.png": {picture.String(), other.String()},
	} {
		done, stopped := name+"-done", name+"-stopped"
		write(name, versions[0])
		settings := append(slices.Clone(tiny), "--dataset", name)
		ebm(t, append([]string{"train", "--out", done}, settings...)...).want(t, 0)
		ebmContext(stoppedAtOnce{t.Context(), stopped},
			append([]string{"train", "--out", stopped}, settings...)...).want(t, 130)
		for _, v := range versions[1:] {
			write(name, v)
			ebm(t, "train", "--resume", stopped).want(t, 2).oneLine(t, name, "changed", "back")
			ebm(t, "eval", done, "--samples", "0").want(t, 2).oneLine(t, name, "changed", "back")
			if r := ebm(t, "plot", done, "--out", "p.png").want(t, 0); strings.Count(r.errout, "\n") != 1 ||
				!strings.Contains(r.errout, "note: ") || !strings.Contains(r.errout, "changed") {
				t.Errorf("%s: plot says %q, want a note", name, r.errout)
			}
			if r := shown(t, done).want(t, 0); !strings.Contains(r.errout, "note: ") ||
				!strings.Contains(r.errout, "changed") {
				t.Errorf("%s: show says %q, want a note", name, r.errout)
			}
			ebm(t, "sample", done, "--n", "10").want(t, 0)
		}
		if err := os.Remove(name); err != nil {
			t.Fatal(err)
		}
		ebm(t, "train", "--resume", stopped).want(t, 2).oneLine(t, name, "not there", "back", "folder")
		ebm(t, "eval", done, "--samples", "0").want(t, 2).oneLine(t, name, "not there", "back", "folder")
		write(name, versions[0])
		ebm(t, "eval", done, "--samples", "0").want(t, 0)
		if r := ebm(t, "plot", done, "--out", "p.png").want(t, 0); r.errout != "" {
			t.Errorf("%s: plot says %q beside the old data", name, r.errout)
		}
		ebm(t, "train", "--resume", stopped).want(t, 0)
		same(t, filepath.Join(stopped, "model.safetensors"), filepath.Join(done, "model.safetensors"))
	}
}

// TestLock: the second process on a run directory is refused.
func TestLock(t *testing.T) {
	t.Parallel()
	tmp := t.TempDir()
	dir := filepath.Join(tmp, "run")
	cmd := command(t, append(killSettings(t, tmp), "--out", dir, "--steps", "1000000")...)
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	defer func() {
		_ = cmd.Process.Kill()
		_ = cmd.Wait()
	}()
	waitFor(t, filepath.Join(dir, "metrics.jsonl"), 0)
	ebm(t, "train", "--resume", dir).want(t, 2).oneLine(t, dir, "in use")
}

// TestResumeFinished: nothing is done again, nothing is written.
func TestResumeFinished(t *testing.T) {
	run := shared(t)
	before := contents(t, run)
	r := ebm(t, "train", "--resume", run, "--json").want(t, 0)
	var v struct {
		Run  string
		Eval map[string]any
	}
	if err := json.Unmarshal([]byte(r.out), &v); err != nil || v.Run != run || v.Eval["kl"] == nil {
		t.Errorf("%v: %s", err, r.out)
	}
	if contents(t, run) != before {
		t.Error("the directory changed")
	}
}

// TestRedrawn: a finished run is still intact after its pictures were drawn again.
func TestRedrawn(t *testing.T) {
	run := filepath.Join(t.TempDir(), "run")
	if err := os.CopyFS(run, os.DirFS(shared(t))); err != nil {
		t.Fatal(err)
	}
	ebm(t, "plot", run, "--style", "dark", "--kind", "panel,animation").want(t, 0)
	if out := ebm(t, "train", "--resume", run).want(t, 0).out; !strings.HasPrefix(out, run+" is finished") {
		t.Errorf("resuming a finished run says %q", out)
	}
}

// contents is all files of a folder with all their bytes.
func contents(t *testing.T, dir string) string {
	t.Helper()
	var b strings.Builder
	err := filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		fmt.Fprintf(&b, "%s %v\n", path, d.IsDir())
		if !d.IsDir() {
			data, err := os.ReadFile(path)
			b.Write(data)
			return err
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return b.String()
}

// TestCorruption corrupts every file of a run directory in every way: one clear line that names it, exit 2, no panic,
// and the directory stays as it is.
func TestCorruption(t *testing.T) {
	finished := shared(t)
	stopped := filepath.Join(t.TempDir(), "stopped")
	ebmContext(stoppedAtOnce{t.Context(), stopped}, append([]string{"train", "--out", stopped}, small...)...).want(t,
		130)

	points := filepath.Join(t.TempDir(), "points.csv")
	if err := os.WriteFile(points, []byte("1,2\n"), 0o644); err != nil {
		t.Fatal(err)
	}
	resume := func(dir string) []string { return []string{"train", "--resume", dir} }
	eval := func(dir string) []string { return []string{"eval", dir} }
	energies := func(dir string) []string { return []string{"energy", dir, "--points", points} }
	panel := func(dir string) []string {
		return []string{"plot", dir, "--out", filepath.Join(filepath.Dir(dir), "p.png")}
	}
	animation := func(dir string) []string {
		return []string{"plot", dir, "--kind", "animation", "--out", filepath.Join(filepath.Dir(dir), "a.gif")}
	}
	type use struct {
		run      string
		file     string
		commands []func(string) []string
	}
	uses := []use{
		{finished, "config.json", []func(string) []string{resume, energies, panel}},
		{finished, "model.safetensors", []func(string) []string{eval, energies, panel}},
		{finished, "checkpoint/state", []func(string) []string{resume}},
		{finished, "checkpoint/frames", []func(string) []string{resume, animation}},
		{finished, "checkpoint/sums.json", []func(string) []string{resume, energies}},
		{finished, "metrics.jsonl", []func(string) []string{resume, panel}},
		{finished, "samples.npy", []func(string) []string{resume, panel}},
		{finished, "eval.json", []func(string) []string{resume}},
		{finished, "panel.png", []func(string) []string{resume}},
		{finished, "animation.gif", []func(string) []string{resume}},
		{stopped, "config.json", []func(string) []string{resume}},
	}
	for _, u := range uses {
		for _, damage := range []string{"truncated", "flipped", "emptied", "folder", "missing"} {
			if damage == "missing" && u.file == "checkpoint/sums.json" {
				continue // an unfinished run
			}
			t.Run(filepath.Base(u.run)+"/"+u.file+"/"+damage, func(t *testing.T) {
				dir := filepath.Join(t.TempDir(), "run")
				if err := os.CopyFS(dir, os.DirFS(u.run)); err != nil {
					t.Fatal(err)
				}
				spoil(t, filepath.Join(dir, filepath.FromSlash(u.file)), damage)
				before := contents(t, dir)
				for _, c := range u.commands {
					r := ebm(t, c(dir)...).want(t, 2)
					r.oneLine(t, filepath.Base(u.file))
					if n := strings.Count(r.errout, filepath.Join(dir, filepath.FromSlash(u.file))); n > 1 {
						t.Errorf("%q names the file %d times", r.errout, n)
					}
				}
				if contents(t, dir) != before {
					t.Error("the directory changed")
				}
			})
		}
	}
}

// TestOlderCheckpoint: if a checkpoint is corrupt or gone, the run continues from the previous one, to the same
// bytes, and says so in a line. If all are corrupt it is an error, and the directory stays as it is.
func TestOlderCheckpoint(t *testing.T) {
	tmp := t.TempDir()
	settings := append(killSettings(t, tmp), "--checkpoint-every", "20")
	base, stopped := filepath.Join(tmp, "base"), filepath.Join(tmp, "stopped")
	ebm(t, append(settings, "--out", base)...).want(t, 0)
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	go func() {
		waitFor(t, filepath.Join(stopped, "checkpoint", "state.2"), 0)
		cancel()
	}()
	ebmContext(ctx, append(settings, "--out", stopped)...).want(t, 130)
	state := func(dir string, k int) string {
		return filepath.Join(dir, "checkpoint", []string{"state", "state.1", "state.2"}[k])
	}
	for _, damage := range []string{"truncated", "flipped", "emptied", "folder", "missing"} {
		for newest := range 4 {
			if newest != 1 && (testing.Short() || damage == "flipped" || damage == "emptied") {
				continue
			}
			if newest == 0 && damage != "truncated" {
				continue // nothing is damaged
			}
			t.Run(fmt.Sprintf("%s/%d", damage, newest), func(t *testing.T) {
				dir := filepath.Join(t.TempDir(), "run")
				if err := os.CopyFS(dir, os.DirFS(stopped)); err != nil {
					t.Fatal(err)
				}
				for k := range newest {
					spoil(t, state(dir, k), damage)
				}
				before := contents(t, dir)
				if newest == 3 && damage != "missing" {
					ebm(t, "train", "--resume", dir).want(t, 2).oneLine(t, state(dir, 0))
					if contents(t, dir) != before {
						t.Error("the directory changed")
					}
					return
				}
				r := ebm(t, "train", "--resume", dir).want(t, 0)
				if said := newest == 1 || newest == 2; said != strings.Contains(r.errout,
					"note: "+state(dir, 0)+" is ") || said &&
					!strings.Contains(r.errout, state(dir, newest)+", of step ") {
					t.Errorf("stderr %q", r.errout)
				}
				sameRun(t, dir, base)
				if left, _ := filepath.Glob(state(dir, 0) + ".*"); len(left) > 0 {
					t.Errorf("left behind: %v", left)
				}
			})
		}
	}
}

// spoil corrupts a file.
func spoil(t *testing.T, path, damage string) {
	t.Helper()
	b, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.Remove(path); err != nil {
		t.Fatal(err)
	}
	switch damage {
	case "truncated":
		b = b[:len(b)*2/3]
	case "flipped":
		b[len(b)*2/3] ^= 4
	case "emptied":
		b = nil
	case "folder":
		if err := os.Mkdir(path, 0o755); err != nil {
			t.Fatal(err)
		}
		return
	case "missing":
		return
	}
	if err := os.WriteFile(path, b, 0o644); err != nil {
		t.Fatal(err)
	}
}

// TestNewerVersion: a checkpoint in a later format is refused with its version number.
func TestNewerVersion(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "run")
	ebmContext(stoppedAtOnce{t.Context(), dir}, append([]string{"train", "--out", dir}, small...)...).want(t, 130)
	path := filepath.Join(dir, "checkpoint", "state")
	b, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	b[8] = 99
	if err := os.WriteFile(path, b, 0o644); err != nil {
		t.Fatal(err)
	}
	ebm(t, "train", "--resume", dir).want(t, 2).oneLine(t, "version 99")
}

// TestDiverged: exit code 1 and one paragraph.
func TestDiverged(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "run")
	r := trainSmall(t, dir, "--lr", "1e12", "--clip", "0", "--warmup", "0").want(t, 1)
	for _, w := range []string{"diverged", "What usually helps", dir} {
		if !strings.Contains(r.errout, w) {
			t.Errorf("%q does not say %q", r.errout, w)
		}
	}
}
