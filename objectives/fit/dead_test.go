package fit

import "testing"

// A network without weights has one energy everywhere, and is called dead; one that was just made is not.
func TestDead(t *testing.T) {
	j := planned(t, "moons", "nce", Layer{"energy": quoted("mlp"), "activation": quoted("relu")})
	if dead, err := j.Model.dead(); err != nil || dead {
		t.Errorf("a new network: got %t, %v", dead, err)
	}
	clear(j.Model.Params.Data())
	j.Model.Params.Changed()
	if dead, err := j.Model.dead(); err != nil || !dead {
		t.Errorf("a network without weights: got %t, %v", dead, err)
	}
}
