package main

import (
	"context"
	"testing"
)

// TestLong: --long adds the rates of every objective, on a distribution and on points, to the checks of its name.
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
