package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"strings"
	"testing"

	"github.com/stheno-ebm/stheno/datasets"
)

// TestLong: --long adds to the checks the rates of every objective, on a distribution and on points, and its alarms on
// every distribution, under the name of the objective.
func TestLong(t *testing.T) {
	e := &env{ctx: context.Background()}
	count := func(c verifyCmd) int {
		checks, err := c.checks(e)
		if err != nil {
			t.Fatal(err)
		}
		return len(checks)
	}
	for _, name := range []string{"mpf", "sm"} {
		const rates, sources = 7, 2
		more := rates*sources + len(datasets.Names())
		short, long := count(verifyCmd{Names: []string{name}}), count(verifyCmd{Names: []string{name}, Long: true})
		if short == 0 || long-short != more {
			t.Errorf("%s: %d checks, %d with --long, want %d more", name, short, long, more)
		}
	}
}

// TestOnly: --only selects rows, with --long those of some rates, and explains what is wrong with an expression.
func TestOnly(t *testing.T) {
	e := &env{ctx: context.Background()}
	c := verifyCmd{Names: []string{"nce", "sm"}, Long: true, Only: `points.*rate × (30|100)$`}
	checks, err := c.checks(e)
	if err != nil || len(checks) != 4 {
		t.Errorf("%d checks, %v, want those of two rates of two objectives", len(checks), err)
	}
	for _, k := range checks {
		if k.Target != "8gaussians, 10000 points" {
			t.Errorf("selected: %s on %s, %s", k.Name, k.Target, k.Statistic)
		}
	}
	ebm(t, "verify", "--only", "(").want(t, 2).oneLine(t, "--only", "regular expression")
	ebm(t, "verify", "--only", "no such row").want(t, 2).oneLine(t, "--only", "no check matches")
}

// stopping is a writer that ends a context at a line.
type stopping struct {
	bytes.Buffer
	at   int
	stop context.CancelFunc
}

func (w *stopping) Write(p []byte) (int, error) {
	if w.at -= bytes.Count(p, []byte("\n")); w.at <= 0 {
		w.stop()
	}
	return w.Buffer.Write(p)
}

// TestVerifyStopped: a certificate that is interrupted ends with the rows that it has.
func TestVerifyStopped(t *testing.T) {
	ctx, stop := context.WithCancel(context.Background())
	out := &stopping{at: 2, stop: stop} // the heading and a row
	err := (&verifyCmd{Only: "finite differences", Threads: 1}).Run(&env{ctx: ctx, stdout: out})
	lines := strings.Count(out.String(), "\n") // one check more may have begun before the first row was printed
	if !errors.Is(err, context.Canceled) || lines < 2 || lines > 3 {
		t.Errorf("%v, printed %q", err, out.String())
	}
	var rows []any
	none := new(bytes.Buffer)
	err = (&verifyCmd{Names: []string{"sm"}, JSON: true}).Run(&env{ctx: ctx, stdout: none})
	if !errors.Is(err, context.Canceled) || !strings.Contains(err.Error(), "after 0 of") {
		t.Errorf("got %v", err)
	}
	if err := json.Unmarshal(none.Bytes(), &rows); err != nil || len(rows) > 0 {
		t.Errorf("printed %q, %v", none, err)
	}
}
