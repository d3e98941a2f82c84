package mcmc_test

import (
	"encoding/binary"
	"testing"

	"gonum.org/v1/gonum/mat"

	"github.com/stheno-ebm/stheno/mcmc"
	"github.com/stheno-ebm/stheno/mcmc/mcmctest"
)

// A state that is restored after its chains went back from a wall reports the same divergences at its next step.
func TestMarshalDivergences(t *testing.T) {
	const n = 100
	target := mcmctest.Walled("+Inf")
	for name, k := range map[string]mcmc.Kernel{
		"langevin":  mcmc.Langevin{StepSize: .2},
		"tempering": mcmc.Tempering{Kernel: mcmc.Langevin{StepSize: .2}, Betas: []float64{1, .5}},
	} {
		s := mcmc.NewState(mat.NewDense(n, 1, nil))
		rng := source(1)
		for range 5 {
			if _, err := k.Step(s, target, rng); err != nil {
				t.Fatal(err)
			}
		}
		if err := s.Refresh(target); err != nil {
			t.Fatal(err)
		}
		b, err := s.MarshalBinary()
		if err != nil {
			t.Fatal(err)
		}
		var restored mcmc.State
		if err := restored.UnmarshalBinary(b); err != nil {
			t.Fatal(err)
		}
		want, err := k.Step(s, target, source(2))
		if err != nil {
			t.Fatal(err)
		}
		got, err := k.Step(&restored, target, source(2))
		if err != nil {
			t.Fatal(err)
		}
		if want.Divergent == 0 || got.Divergent != want.Divergent {
			t.Errorf("%s: %d divergences after restoring, want %d, not 0", name, got.Divergent, want.Divergent)
		}
		for i := range want.Chains {
			if got.Chains[i].Divergent != want.Chains[i].Divergent {
				t.Errorf("%s: chain %d: divergent %v, want %v", name, i, got.Chains[i].Divergent,
					want.Chains[i].Divergent)
			}
		}
	}
}

// Encodings of before the rows that went back were written are those of states where none did.
func TestMarshalBefore(t *testing.T) {
	b := append([]byte("stheno-chains-1\n"), make([]byte, 48)...) // one chain at 0 in one dimension, no flags
	binary.LittleEndian.PutUint64(b[16:], 1)
	binary.LittleEndian.PutUint64(b[24:], 1)
	if err := new(mcmc.State).UnmarshalBinary(b); err != nil {
		t.Fatal(err)
	}
	binary.LittleEndian.PutUint64(b[32:], 32) // rows that went back, none given
	if new(mcmc.State).UnmarshalBinary(b) == nil {
		t.Error("rows that went back are missing: no error")
	}
	b = append(b, make([]byte, 8)...)
	if new(mcmc.State).UnmarshalBinary(b) == nil {
		t.Error("no row went back: no error")
	}
	b[len(b)-2], b[len(b)-1] = 0xf0, 0x3f // 1.0
	if err := new(mcmc.State).UnmarshalBinary(b); err != nil {
		t.Errorf("a row that went back: %v", err)
	}
}
