package fit

import (
	"encoding/json"
	"math"
	"strings"
	"testing"

	"gonum.org/v1/gonum/mat"

	"github.com/stheno-ebm/stheno/objectives/metrics"
)

// An energy that would otherwise be bounded grows without bound far from the data, under objectives that compare
// points; other energies stay as they are.
func TestBoundedEnergiesAreConfined(t *testing.T) {
	for _, c := range []struct {
		objective, activation string
		confined              bool
	}{
		{"nce", "tanh", true}, {"nce", "sigmoid", true}, {"ml", "sin", true}, {"cd", "tanh", true},
		{"nce", "silu", false}, {"ml", "softplus", false}, {"dsm", "tanh", false},
	} {
		j := planned(t, "moons", c.objective,
			Layer{"activation": quoted(c.activation), "energy": quoted("mlp"), "bridge": json.RawMessage("0")})
		eval, err := j.Model.Evaluator(j.Model.Params, 2)
		if err != nil {
			t.Fatal(err)
		}
		e := make([]float64, 2)
		if err := eval.EnergyGrad(e, nil, mat.NewDense(2, 2, []float64{100, 100, 200, 200})); err != nil {
			t.Fatal(err)
		}
		width := confinement * math.Max(j.Model.data.Std[0], j.Model.data.Std[1])
		// except for the centre and the network, which are small beside it
		want := (2*200*200 - 2*100*100) / (2 * width * width)
		if got := e[1] - e[0]; c.confined && math.Abs(got/want-1) > 0.05 {
			t.Errorf("%s with %s: the energy rises by %g, want %g", c.objective, c.activation, got, want)
		}
		if noted := strings.Contains(strings.Join(j.Notes(), ";"), "bounded"); noted != c.confined {
			t.Errorf("%s with %s: notes %q", c.objective, c.activation, j.Notes())
		}
	}
}

// With bounded activations the likelihood is better than that of a Gaussian; without the confining term several times
// as much of the mass of the same model lies outside the box, and the more so the farther out one looks.
func TestConfinedKL(t *testing.T) {
	activations := []string{"tanh", "sigmoid", "sin"}
	if testing.Short() {
		activations = activations[:1]
	}
	for _, a := range activations {
		c := quick(1500)
		c.Hidden, c.Batch = []int{32, 32}, 256
		c.Dataset, c.Name, c.Activation, c.Network, c.Grid, c.LearningRate = "moons", "nce", a, "mlp", 400, 5e-3
		m, err := Train(t.Context(), opened(t, "moons"), c)
		if err != nil {
			t.Fatal(err)
		}
		const best = 0.9018 // KL of the best Gaussian: log 2πe + log det C / 2 - entropy
		if kl := float64(m.Result.Eval.KL); !(kl < 0.8*best) {
			t.Errorf("%s: KL %g, want well below %g, that of a Gaussian", a, kl, best)
		}
		lo, hi := m.Box()
		width := confinement * math.Max(m.data.Std[0], m.data.Std[1])
		loose := func(e []float64, x *mat.Dense) error {
			err := m.Energy(e, x)
			for i := range e {
				r := math.Hypot(x.At(i, 0)-m.data.Mean[0], x.At(i, 1)-m.data.Mean[1]) / width
				e[i] -= r * r / 2
			}
			return err
		}
		q, err := metrics.Integrate(t.Context(), loose, lo, hi, metrics.QuadratureConfig{Max: 400})
		if err != nil {
			t.Fatal(err)
		}
		if leak := float64(m.Result.Eval.Leak); q.Leak < 5*leak {
			t.Errorf("%s: %g leaks, and %g without the term", a, leak, q.Leak)
		}
		t.Logf("%s: KL %.2g, leak %.2g; without the term %.4g leaks", a, m.Result.Eval.KL, m.Result.Eval.Leak, q.Leak)
	}
}
