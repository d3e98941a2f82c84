package files

import "testing"

func TestNearest(t *testing.T) {
	known := []string{"4squares", "8gaussians", "2spirals", "moons"}
	for name, want := range map[string]string{
		"4square": "4squares", "8gausians": "8gaussians", "mosno": "moons", "2Spirals": "2spirals", "zebra": "", "": "",
		"mop": "", "spiral": "2spirals",
	} {
		if got := Nearest(name, known); got != want {
			t.Errorf("%q: got %q, want %q", name, got, want)
		}
	}
	for name, want := range map[string]string{"smm": "sm", "hcm": "hmc", "nope": "", "x": "", "a": ""} {
		if got := Nearest(name, []string{"sm", "cd", "hmc", "nce"}); got != want {
			t.Errorf("%q: got %q, want %q", name, got, want)
		}
	}
}
