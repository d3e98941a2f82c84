package board

import (
	"strings"
	"testing"
)

// TestShortTimes: a cell that takes less than half a second is not shown as taking none.
func TestShortTimes(t *testing.T) {
	for cpu, want := range map[float64]string{0.3: ", 0.3 s", 4.26: ", 4.3 s", 12.4: ", 12 s", 1234: ", 1234 s"} {
		if got := (Cell{Dataset: "moons", Objective: "sm", CPU: cpu}).caption(); !strings.HasSuffix(got, want) {
			t.Errorf("%g CPU seconds: title %q, want %q at its end", cpu, got, want)
		}
	}
}
