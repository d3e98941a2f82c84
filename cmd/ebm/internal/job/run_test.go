package job

import (
	"encoding/json"
	"math"
	"strings"
	"testing"

	"github.com/stheno-ebm/stheno/cmd/ebm/internal/settings"
	"github.com/stheno-ebm/stheno/objectives/metrics"
)

// The summary gives the likelihood of training points beside that of the others, and says when they differ by more than chance.
func TestSummaryByHeart(t *testing.T) {
	for _, c := range []struct {
		nll, se, train metrics.Value
		byHeart        bool
	}{
		{2.0, 0.03, 1.95, false},
		{2.0, 0.03, 1.8, false}, // within four standard errors and what training gains
		{2.0, 0.01, 1.8, true},
		{103, 8, 1.2, true},
	} {
		eval := &metrics.Report{NLL: c.nll, NLLErr: c.se, TrainNLL: c.train, KL: metrics.Value(math.NaN())}
		text := strings.Join((&Result{Eval: eval}).Summary(), "\n")
		if !strings.Contains(text, "NLL of the training points") {
			t.Errorf("train NLL %g is not in %q", c.train, text)
		}
		if got := strings.Contains(text, "by heart"); got != c.byHeart {
			t.Errorf("NLL %g ± %g, train %g: learnt by heart %v, want %v", c.nll, c.se, c.train, got, c.byHeart)
		}
	}
}

// Denoising at many levels gets the weights of modes from a background; an energy that has none, from its sampler.
func TestPresetLevels(t *testing.T) {
	for _, c := range []struct {
		energy  string
		bridge  bool
		sampler string
	}{{"fourier", true, ""}, {"mlp", false, "annealed"}} {
		s := settings.Settings{Objective: "dsm-multi", Energy: c.energy, Dataset: "4squares"}
		l := Preset(s)
		var sampler string
		if v, ok := l["sampler"]; ok {
			if err := json.Unmarshal(v, &sampler); err != nil {
				t.Fatal(err)
			}
		}
		if _, ok := l["bridge"]; ok != c.bridge || sampler != c.sampler {
			t.Errorf("%s: bridge %v, sampler %q, want %v, %q", c.energy, ok, sampler, c.bridge, c.sampler)
		}
	}
}
