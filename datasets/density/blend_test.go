package density

import (
	"math"
	"testing"

	"gonum.org/v1/gonum/mat"
)

// mute has no score.
type mute struct{ Density }

// The log density is that of the weighted sum; a blend has a score if all its parts do.
func TestBlend(t *testing.T) {
	a, b := must(NewIsotropic([]float64{0, 0}, 1)), must(NewBox([]float64{-1, -1}, []float64{1, 1}))
	q := must(NewBlend([]Density{b, a}, []float64{1, 3}))
	x := draw(q, 100, 1)
	for i, got := range logProb(q, x) {
		one := x.Slice(i, i+1, 0, 2).(*mat.Dense)
		want := math.Log(0.25*math.Exp(logProb(b, one)[0]) + 0.75*math.Exp(logProb(a, one)[0]))
		if math.Abs(got-want) > 1e-12 {
			t.Errorf("row %d: got %g, want %g", i, got, want)
		}
	}
	if _, ok := ScorerOf(must(NewBlend([]Density{a, q, b}, []float64{1, 1, 1}))); !ok {
		t.Error("a blend of scorers is none")
	}
	if _, ok := ScorerOf(must(NewBlend([]Density{a, mute{q}}, []float64{1, 1}))); ok {
		t.Error("a blend knows the score of a part that does not")
	}
	for name, f := range map[string]func() (*Blend, error){
		"no parts": func() (*Blend, error) { return NewBlend(nil, nil) },
		"weights":  func() (*Blend, error) { return NewBlend([]Density{a}, []float64{1, 2}) },
		"weight":   func() (*Blend, error) { return NewBlend([]Density{a}, []float64{0}) },
		"nil":      func() (*Blend, error) { return NewBlend([]Density{nil}, []float64{1}) },
		"dimensions": func() (*Blend, error) {
			return NewBlend([]Density{a, must(NewIsotropic([]float64{0}, 1))}, []float64{1, 1})
		},
	} {
		if _, err := f(); err == nil {
			t.Errorf("%s: no error", name)
		}
	}
}
