package energy

import (
	"slices"
	"testing"
)

// Set writes to θ in place and tells the evaluators; a wrong length is the caller's mistake.
func TestParamsSet(t *testing.T) {
	p := NewParams([]Spec{{Name: "a", Shape: []int{2}}, {Name: "b", Shape: []int{1}}})
	data, version := p.Data(), p.Version()
	p.Set([]float64{1, 2, 3})
	if !slices.Equal(data, []float64{1, 2, 3}) || p.View("b")[0] != 3 || p.Version() == version {
		t.Errorf("θ = %v, version %d after %d", data, p.Version(), version)
	}
	defer func() {
		if recover() == nil {
			t.Error("two numbers for three parameters are accepted")
		}
	}()
	p.Set([]float64{1, 2})
}
