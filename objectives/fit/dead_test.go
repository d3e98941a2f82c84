package fit

import "testing"

// A network without weights has one energy everywhere, and is called dead, also beside a quadratic that confines it; one
// that was just made is not.
func TestDead(t *testing.T) {
	for _, activation := range []string{"relu", "tanh"} {
		t.Run(activation, func(t *testing.T) { testDead(t, activation) })
	}
}

func testDead(t *testing.T, activation string) {
	j := planned(t, "moons", "nce", Layer{"energy": quoted("mlp"), "activation": quoted(activation)})
	if dead, err := j.Model.dead(); err != nil || dead {
		t.Errorf("a new network: got %t, %v", dead, err)
	}
	clear(j.Model.Params.Data())
	j.Model.Params.Changed()
	if dead, err := j.Model.dead(); err != nil || !dead {
		t.Errorf("a network without weights: got %t, %v", dead, err)
	}
}
