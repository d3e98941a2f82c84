package fit

import (
	"encoding/json"
	"math"
	"strings"
	"testing"

	"gonum.org/v1/gonum/mat"
)

// An energy that would be bounded rises without end far from the data, under objectives that compare points; others stay as they are.
func TestBoundedEnergiesAreConfined(t *testing.T) {
	for _, c := range []struct {
		objective, activation string
		confined              bool
	}{
		{"nce", "tanh", true}, {"nce", "sigmoid", true}, {"ml", "sin", true}, {"cd", "tanh", true}, {"nce", "silu", false}, {"ml", "softplus", false}, {"dsm", "tanh", false},
	} {
		j := planned(t, "moons", c.objective, Layer{"activation": quoted(c.activation), "energy": quoted("mlp"), "bridge": json.RawMessage("0")})
		eval, err := j.Model.Evaluator(j.Model.Params, 2)
		if err != nil {
			t.Fatal(err)
		}
		e := make([]float64, 2)
		if err := eval.EnergyGrad(e, nil, mat.NewDense(2, 2, []float64{100, 100, 200, 200})); err != nil {
			t.Fatal(err)
		}
		width := confinement * math.Max(j.Model.data.Std[0], j.Model.data.Std[1])
		want := (2*200*200 - 2*100*100) / (2 * width * width) // but for the centre and the network, which are small beside it
		if got := e[1] - e[0]; c.confined && math.Abs(got/want-1) > 0.05 {
			t.Errorf("%s with %s: the energy rises by %g, want %g", c.objective, c.activation, got, want)
		}
		if noted := strings.Contains(strings.Join(j.Notes(), ";"), "bounded"); noted != c.confined {
			t.Errorf("%s with %s: notes %q", c.objective, c.activation, j.Notes())
		}
	}
}
