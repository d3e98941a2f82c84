package rundir

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// said fails unless err is a *FileError about path with the words in its text.
func said(t *testing.T, err error, path, words string) {
	t.Helper()
	var fe *FileError
	if !errors.As(err, &fe) || fe.Path != path || !strings.Contains(err.Error(), words) {
		t.Errorf("got %v, want a *FileError about %s with %q", err, path, words)
	}
}

func fill(t *testing.T, path, text string) {
	t.Helper()
	if err := errors.Join(os.MkdirAll(filepath.Dir(path), 0o755), os.WriteFile(path, []byte(text), 0o644)); err != nil {
		t.Fatal(err)
	}
}

// A run without a path gets the first free one, whatever the name of its data; one with a path gets a folder of its
// own or none.
func TestCreate(t *testing.T) {
	t.Chdir(t.TempDir())
	for _, c := range []struct{ dataset, want string }{
		{"moons", "runs/moons-nce-1"}, {"moons", "runs/moons-nce-2"}, {"some/where.d/flats.csv", "runs/flats-nce-1"},
		{"-", "runs/stdin-nce-1"},
	} {
		d, err := Create("", c.dataset, "nce")
		if err != nil {
			t.Fatal(err)
		}
		defer d.Unlock()
		if d.Path != filepath.FromSlash(c.want) {
			t.Errorf("of %s: %s, want %s", c.dataset, d.Path, c.want)
		}
	}
	fill(t, "run/"+Config, "{}")
	fill(t, "other/notes.txt", "mine")
	fill(t, "file", "mine")
	fill(t, "killed/.config.json.123", "{")
	_, err := Create("run", "moons", "nce")
	if !errors.Is(err, ErrExists) {
		t.Errorf("over a run: %v, want ErrExists", err)
	}
	_, err = Create("other", "moons", "nce")
	said(t, err, "other", "other things")
	for _, path := range []string{"file", "file/run"} {
		if _, err = Create(path, "moons", "nce"); err == nil {
			t.Errorf("%s is in a file, and was made", path)
		}
	}
	d, err := Create("killed", "moons", "nce") // half-written leftovers of a killed process belong to nobody
	if err != nil {
		t.Fatal(err)
	}
	d.Unlock()
}

// Opening something that is not a run directory gives an error that says what it is.
func TestOpen(t *testing.T) {
	t.Chdir(t.TempDir())
	fill(t, "file", "mine")
	fill(t, "bare/notes.txt", "mine")
	fill(t, "empty/"+Config, "")
	fill(t, "good/"+Config, "{}")
	if err := os.MkdirAll("folder/"+Config, 0o755); err != nil {
		t.Fatal(err)
	}
	for path, words := range map[string]string{"nowhere": "does not exist", "file": "is a file"} {
		_, err := Open(path)
		said(t, err, path, words)
	}
	for path, words := range map[string]string{"bare": "missing", "empty": "is empty", "folder": "no regular file"} {
		_, err := Open(path)
		said(t, err, filepath.Join(path, Config), words)
	}
	d, err := Open("good")
	if err != nil {
		t.Fatal(err)
	}
	fill(t, d.File(Eval), strings.Repeat(" ", maxText+1))
	_, err = d.Read(Eval)
	said(t, err, d.File(Eval), "no file of this kind")
	if !d.Has(Config) || d.Has(Panel) || d.Has("checkpoint") {
		t.Error("it has other files than it has")
	}
}

// A directory belongs to one process at a time, and within it to one opener.
func TestLock(t *testing.T) {
	path := filepath.Join(t.TempDir(), "run")
	d, err := Create(path, "moons", "nce")
	if err != nil {
		t.Fatal(err)
	}
	other := &Dir{Path: path}
	said(t, other.Lock(), path, "in use")
	d.Unlock()
	d.Unlock() // nothing to release
	if err := other.Lock(); err != nil {
		t.Fatal(err)
	}
	other.Unlock()
	gone := &Dir{Path: path + "s"}
	said(t, gone.Lock(), gone.Path, "no such file")
	if err := gone.Own(); err != nil {
		t.Errorf("of a directory that was never locked: %v", err)
	}
}

// The seal of a finished run detects every file that has changed, except redrawn pictures and the weights, which may
// be replaced.
func TestSeal(t *testing.T) {
	d, err := Create(filepath.Join(t.TempDir(), "run"), "moons", "nce")
	if err != nil {
		t.Fatal(err)
	}
	defer d.Unlock()
	for _, name := range []string{Config, Eval, Panel, Model, State} {
		fill(t, d.File(name), "as it was: "+name)
	}
	if d.Sealed() || d.Check() != nil || d.Redrawn(d.File(Panel)) != nil {
		t.Error("a run that goes on is taken for a finished one")
	}
	if err := d.Seal(); err != nil {
		t.Fatal(err)
	}
	if err := d.Check(); err != nil || !d.Sealed() {
		t.Fatal(err)
	}
	fill(t, d.File(Model), "weights from elsewhere")
	if err := d.Check(); err != nil {
		t.Error(err)
	}
	fill(t, d.File(Panel), "drawn anew")
	said(t, d.Check(), d.File(Panel), "damaged")
	if err := errors.Join(d.Redrawn(d.File(Panel)), d.Redrawn("elsewhere.png"), d.Check()); err != nil {
		t.Error(err)
	}
	fill(t, d.File(Eval), "forged")
	said(t, d.Check(Eval), d.File(Eval), "damaged")
	if err := d.Check(Config, Samples); err != nil {
		t.Error(err)
	}
	if err := os.Remove(d.File(Eval)); err != nil {
		t.Fatal(err)
	}
	said(t, d.Check(), d.File(Eval), "missing")
	if err := os.Mkdir(d.File(Eval), 0o755); err != nil {
		t.Fatal(err)
	}
	said(t, d.Check(), d.File(Eval), "no regular file")
	for _, text := range []string{"", "{", `{"files":{"config.json":"00"},"sha256":"00"}`} {
		fill(t, d.File(sealFile), text)
		said(t, d.Check(), d.File(sealFile), "damaged")
	}
}

// Half-written leftovers of a killed process are removed when the run continues; nothing else is.
func TestClean(t *testing.T) {
	d := &Dir{Path: t.TempDir()}
	left := []string{".config.json.1", ".model.safetensors.22", "checkpoint/.state.333", "checkpoint/.sums.json.4"}
	kept := []string{"config.json", ".hidden", "model.safetensors", "checkpoint/state"}
	for _, name := range append(left, kept...) {
		fill(t, d.File(name), "x")
	}
	d.Clean()
	for _, name := range left {
		if d.Has(name) {
			t.Errorf("%s is still there", name)
		}
	}
	for _, name := range kept {
		if !d.Has(name) {
			t.Errorf("%s is gone", name)
		}
	}
}
