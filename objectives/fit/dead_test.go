package fit

import "testing"

// A network whose weights are zero has the same energy everywhere, and is called dead, even beside a quadratic that
// confines it; one that was just initialised is not.
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
