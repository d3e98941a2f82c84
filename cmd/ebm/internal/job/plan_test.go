package job

import (
	"encoding/json"
	"math"
	"strings"
	"testing"
	"time"

	"github.com/stheno-ebm/stheno/cmd/ebm/internal/settings"
	"github.com/stheno-ebm/stheno/objectives"
)

// planned is a small run with what suits the objective.
func planned(t *testing.T, dataset, objective string, more settings.Layer) *Plan {
	t.Helper()
	given := settings.Layer{"dataset": quoted(dataset), "objective": quoted(objective), "hidden": json.RawMessage("[16]"),
		"batch": json.RawMessage("32"), "buffer": json.RawMessage("64"), "threads": json.RawMessage("1")}
	for k, v := range more {
		given[k] = v
	}
	chosen, err := settings.Merge(settings.Default().Layer(), given)
	if err != nil {
		t.Fatal(err)
	}
	s, err := settings.Merge(settings.Default().Layer(), Preset(chosen), given)
	if err != nil {
		t.Fatal(err)
	}
	p, err := Prepare(s)
	if err != nil {
		t.Fatal(err)
	}
	return p
}

func quoted(s string) json.RawMessage {
	b, _ := json.Marshal(s)
	return b
}

// Every objective trains on the three first distributions with its defaults: some steps, and all parameters stay finite.
func TestEveryObjectiveTrains(t *testing.T) {
	for _, objective := range objectives.Names() {
		for _, dataset := range []string{"8gaussians", "4squares", "2spirals"} {
			t.Run(objective+"/"+dataset, func(t *testing.T) {
				p := planned(t, dataset, objective, nil)
				before := append([]float64(nil), p.model.Params.Data()...)
				if _, err := p.StepTime(func() time.Duration { return 0 }); err != nil {
					t.Fatal(err)
				}
				moved := false
				for i, v := range p.model.Params.Data() {
					if math.IsNaN(v) || math.IsInf(v, 0) {
						t.Fatalf("parameter %d is %g", i, v)
					}
					moved = moved || v != before[i]
				}
				if !moved {
					t.Error("nothing was learnt")
				}
			})
		}
	}
}

// The summary of a run says what the objective learns other than the density of the data, and nothing where there is nothing.
func TestSummarySaysTheBias(t *testing.T) {
	for _, c := range []struct {
		objective string
		more      settings.Layer
		says      string // "" for no bias
	}{
		{"sm", nil, ""},
		{"nce", nil, ""},
		{"cnce", nil, ""},
		{"dsm", settings.Layer{"sigma": json.RawMessage("0.07")}, "blurred by sigma = 0.07"},
		{"dsm-multi", nil, "blurred at every level"},
		{"fd-ssm", nil, "steps of 0.03"},
		{"lsd", nil, "critic lags"},
		{"cd", settings.Layer{"chain-steps": json.RawMessage("3")}, "3 steps from the data have not mixed"},
		{"pcd", settings.Layer{"chain-steps": json.RawMessage("5")}, "5 steps per gradient"},
		{"ml", settings.Layer{"alpha": json.RawMessage("0.2")}, "alpha = 0.2 pulls energies to zero"},
		{"sm", settings.Layer{"bridge": json.RawMessage("0")}, "blind to the weights of modes"},
		{"nce", settings.Layer{"energy-l2": json.RawMessage("0.1")}, "regularisers move the minimum"},
		{"nce", settings.Layer{"optimizer": quoted("adamw"), "weight-decay": json.RawMessage("0.1")}, "weight decay moves the minimum"},
	} {
		bias := planned(t, "moons", c.objective, c.more).model.Bias()
		text := strings.Join((&Result{Objective: c.objective, Bias: bias}).Summary(), "\n")
		if has := strings.Contains(text, "bias of "+c.objective); has != (c.says != "") || !strings.Contains(text, c.says) {
			t.Errorf("%s %s: the summary says %q, want %q", c.objective, c.more, text, c.says)
		}
	}
}
