package ir

import "testing"

func TestInstructionsHaveNames(t *testing.T) {
	if n := len(ops); n != int(Place)+1 {
		t.Errorf("%d rows of the table for %d instructions", n, Place+1)
	}
	seen := map[string]bool{}
	for o, x := range ops {
		if x.name == "" || seen[x.name] {
			t.Errorf("instruction %d has no name of its own: %q", o, x.name)
		}
		seen[x.name] = true
	}
}
