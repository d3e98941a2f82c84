package train

import "testing"

// The energies of the data and of the negatives can both explode.
func TestSentinelEnergies(t *testing.T) {
	for _, st := range []Stats{{Positive: 1e9}, {Negative: 1e9}, {Negative: -1e9}} {
		if new(Sentinel).observe(7, st, 1) == nil {
			t.Errorf("%+v passes", st)
		}
	}
	if err := new(Sentinel).observe(7, Stats{Positive: 10, Negative: -10}, 1); err != nil {
		t.Errorf("harmless energies: %v", err)
	}
}

// A first gradient of exactly zero, which lsd has while its critic is zero, does not make later ones look large. One
// far above the others still does.
func TestSentinelZeroGradient(t *testing.T) {
	s := new(Sentinel)
	if err := s.observe(0, Stats{}, 0); err != nil {
		t.Fatal(err)
	}
	for step := 1; step < 200; step++ {
		if err := s.observe(step, Stats{}, 1); err != nil {
			t.Fatalf("step %d: %v", step, err)
		}
	}
	for step := 200; step < 249; step++ {
		if err := s.observe(step, Stats{}, 1e6); err != nil {
			t.Fatalf("step %d: %v", step, err)
		}
	}
	if s.observe(249, Stats{}, 1e6) == nil {
		t.Error("fifty gradients a million times as large as before: no error")
	}
}

// A rising held-out loss may be chance unless the training loss is below zero and below the best held-out one: only a
// loss that falls without bound is memorisation.
func TestSentinelWeighs(t *testing.T) {
	runaway := func(train float64) *Error {
		s := new(Sentinel)
		s.weigh(0, 10, 1, 0)
		s.weigh(10, 10, 0.5, -1)
		var err *Error
		for k := range heldPatience {
			err = s.weigh(20+10*k, 10, train, 50)
		}
		return err
	}
	if runaway(-30) == nil {
		t.Error("a training loss of -30 beside one held back of 50 passes")
	}
	if err := runaway(-0.5); err != nil { // no lower than the best held-out loss
		t.Errorf("a training loss of -0.5: %v", err)
	}
	late := new(Sentinel)
	late.weigh(0, 10, 1, 3)
	late.weigh(10, 10, 0.5, 2)
	for k := range heldPatience {
		if err := late.weigh(20+10*k, 10, 0.4, 50); err != nil {
			t.Errorf("a training loss of 0.4: %v", err)
		}
	}
}
