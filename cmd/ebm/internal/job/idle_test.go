package job

import (
	"encoding/json"
	"slices"
	"testing"

	"gonum.org/v1/gonum/mat"

	"github.com/stheno-ebm/stheno/cmd/ebm/internal/settings"
	"github.com/stheno-ebm/stheno/objectives"
	"github.com/stheno-ebm/stheno/objectives/train"
)

// A setting is called idle with an objective exactly where another value of it leaves the gradients as they are, bit for bit.
func TestIdle(t *testing.T) {
	other := map[string]string{
		"sigma": "0.2", "sigma-max": "2", "levels": "5", "paired": "true", "slices": "3", "projection": `"gaussian"`, "noise": `"box"`,
		"noise-ratio": "5", "chain-steps": "3", "chain-sampler": `"mala"`, "chain-step-size": "0.02", "jumps": "3", "buffer": "100",
		"restart": "0.9", "alpha": "0.5",
	}
	gradients := func(objective, key, value string) []float64 {
		t.Helper()
		base := settings.Default()
		base.Objective, base.Hidden, base.Batch, base.Threads = objective, []int{4}, 16, 1
		l := settings.Layer{}
		if key != "" {
			l[key] = json.RawMessage(value)
		}
		s, err := settings.Merge(base.Layer(), l)
		if err != nil {
			t.Fatal(err)
		}
		p, err := Prepare(s)
		if err != nil {
			t.Fatalf("%s %s: %v", objective, key, err)
		}
		x, all := mat.NewDense(s.Batch, 2, nil), []float64{}
		for step := range 3 {
			grad := make([]float64, len(p.model.Params.Data()))
			p.source.Sample(x, train.Stream(1, "data", uint64(step)))
			if _, err := p.objective.Gradient(grad, x, train.Stream(1, "noise", uint64(step))); err != nil {
				t.Fatalf("%s %s: %v", objective, key, err)
			}
			all = append(all, grad...)
		}
		return all
	}
	for key := range serves {
		if other[key] == "" {
			t.Fatalf("no other value of %s to try", key)
		}
	}
	for _, objective := range objectives.Names() {
		same := gradients(objective, "", "")
		for key, value := range other {
			idle := slices.Equal(gradients(objective, key, value), same)
			says := len(Idle(settings.Settings{Objective: objective}, []string{key})) > 0
			if idle != says {
				t.Errorf("--objective %s: gradients with another --%s are the same: %v, Idle says %v", objective, key, idle, says)
			}
		}
	}
	for dataset, points := range map[string]int{"4squares": 0, "moons": 1000, "points.csv": 0} {
		idle := len(Idle(settings.Settings{Dataset: dataset, TrainPoints: points}, []string{"smooth"})) > 0
		if want := dataset == "4squares"; idle != want {
			t.Errorf("--dataset %s --train-points %d: --smooth is said to be idle: %v", dataset, points, idle)
		}
	}
}
