package main

import (
	"context"
	"testing"
)

// TestLong: --long adds to the checks the rates of every objective, on a distribution and on points, under the name
// of the objective.
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
		short, long := count(verifyCmd{Names: []string{name}}), count(verifyCmd{Names: []string{name}, Long: true})
		if short == 0 || long-short != rates*sources {
			t.Errorf("%s: %d checks, %d with --long, want %d more", name, short, long, rates*sources)
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
