package plan

import "testing"

func TestMicrosHaveNames(t *testing.T) {
	seen := map[string]bool{}
	for m, x := range micros {
		if x.name == "" || seen[x.name] {
			t.Errorf("micro %d has no name of its own: %q", m, x.name)
		}
		seen[x.name] = true
	}
}
