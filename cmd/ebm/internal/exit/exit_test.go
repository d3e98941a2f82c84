package exit

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/stheno-ebm/stheno/objectives/fit"
)

func TestCode(t *testing.T) {
	for _, c := range []struct {
		err  error
		want int
	}{
		{nil, 0},
		{errors.New("disk full"), 1},
		{Usagef("--lr"), 2},
		{fmt.Errorf("run: %w", Usagef("--lr")), 2},
		{fmt.Errorf("stopped: %w", context.Canceled), 130},
	} {
		if got := Code(c.err); got != c.want {
			t.Errorf("%v: got %d, want %d", c.err, got, c.want)
		}
	}
}

func TestLine(t *testing.T) {
	err := errors.Join(errors.New("train: Config.Dim = 0"), errors.New("energy: MLP.Dim = 0"))
	if got, want := Line(err), "Config.Dim = 0; MLP.Dim = 0"; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
}

// A command with its own names for settings is answered in those names, wherever the error comes from.
func TestNamed(t *testing.T) {
	set := func(key string) string { return "--set " + key }
	field := &fit.FieldError{Key: "steps", Value: -1, Want: ">= 0, or leave `batch` out"}
	for _, err := range []error{field, fmt.Errorf("board: %w", field), errors.Join(field)} {
		if got, want := Line(err), "--steps -1: want >= 0, or leave --batch out"; !strings.HasSuffix(got, want) {
			t.Errorf("got %q, want %q", got, want)
		}
		if got, want := Line(fmt.Errorf("compare: %w", Named(err, set))),
			"--set steps -1: want >= 0, or leave --set batch out"; !strings.HasSuffix(got, want) {
			t.Errorf("got %q, want %q", got, want)
		}
	}
	if Named(nil, set) != nil || Code(Named(field, set)) != Usage {
		t.Error("the name of a setting changes the code")
	}
}

func TestUnknown(t *testing.T) {
	known := []string{"4squares", "8gaussians", "2spirals", "moons"}
	line := Unknown("--dataset", "moon", known).Error()
	if !strings.Contains(line, `"moons"`) || !strings.HasSuffix(line, strings.Join(known, ", ")) {
		t.Errorf("got %q: it neither suggests nor lists", line)
	}
}

func TestQuote(t *testing.T) {
	for path, want := range map[string]string{
		"runs/4squares-sm-1": "runs/4squares-sm-1", "a b": "'a b'", "it's": `'it'\''s'`, "größe": "'größe'",
		"$HOME": "'$HOME'", "": "''",
	} {
		if got := Quote(path); got != want {
			t.Errorf("%q: got %s, want %s", path, got, want)
		}
	}
}
