package plan

import (
	"math/rand/v2"
	"testing"
)

func TestPlaceKeepsLivesApart(t *testing.T) {
	rng := rand.New(rand.NewPCG(1, 1))
	for range 200 {
		slots := make([]Slot, 30)
		var list []int
		sum := 0
		for i := range slots {
			from := rng.IntN(40)
			slots[i] = Slot{Size: 1 + rng.IntN(100), From: from, To: from + rng.IntN(8)}
			sum += Align(slots[i].Size, 4)
			list = append(list, i)
		}
		length := place(slots, list, 4, func(s *Slot) int { return s.Size })
		for i := range slots {
			a := &slots[i]
			if a.Off < 0 || a.Off+a.Size > length {
				t.Fatalf("slot %d at %d is outside of %d", i, a.Off, length)
			}
			for j := range i {
				b := &slots[j]
				if a.From <= b.To && b.From <= a.To && a.Off < b.Off+b.Size && b.Off < a.Off+a.Size {
					t.Fatalf("slots %d and %d live and lie together: %+v %+v", i, j, a, b)
				}
			}
		}
		if length > sum {
			t.Fatalf("arena of %d for %d elements", length, sum)
		}
	}
}
