package main

import (
	"math"
	"strings"
	"testing"

	"github.com/stheno-ebm/stheno/objectives/fit"
	"github.com/stheno-ebm/stheno/objectives/metrics"
)

// The summary gives the likelihood of training points beside that of the others, and says when they differ by more than
// chance.
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
		text := strings.Join(summary(&fit.Result{Eval: eval}), "\n")
		if !strings.Contains(text, "NLL of the training points") {
			t.Errorf("train NLL %g is not in %q", c.train, text)
		}
		if got := strings.Contains(text, "memorised"); got != c.byHeart {
			t.Errorf("NLL %g ± %g, train %g: memorised %v, want %v", c.nll, c.se, c.train, got, c.byHeart)
		}
	}
}

// The summary says what makes the measures of a run doubtful, and nothing if all is well.
func TestSummarySaysDoubts(t *testing.T) {
	nan := metrics.Value(math.NaN())
	for _, c := range []struct {
		eval metrics.Report
		says string
	}{
		{metrics.Report{Dim: 2, NLL: 1, LogZ: 1, LogZErr: 0.1, Leak: 1e-4,
			Samples: &metrics.SampleReport{RHat: 1.005, ModeTV: nan}}, ""},
		{metrics.Report{Dim: 2, NLL: 1, LogZ: 1, LogZErr: 0.1, Leak: 0.85}, "85 % of the model's probability lies"},
		{metrics.Report{Dim: 5, NLL: 1, LogZ: 1, LogZErr: nan, Leak: nan},
			"log Z, and with it the NLL, is not reliable"},
		{metrics.Report{Dim: 2, NLL: 1, LogZ: 1, LogZErr: 0.1, Samples: &metrics.SampleReport{RHat: 20, ModeTV: nan}},
			"R̂ is 20.000, want at most 1.01;"},
		// 500 chains of 10 draws
		{metrics.Report{Dim: 2, NLL: 1, LogZ: 1, LogZErr: 0.1,
			Samples: &metrics.SampleReport{RHat: 1.017, RHatLimit: 1.02, ModeTV: nan}}, ""},
		{metrics.Report{Dim: 2, NLL: 1, LogZ: 1, LogZErr: 0.1,
			Samples: &metrics.SampleReport{RHat: 1.025, RHatLimit: 1.02, ModeTV: nan}},
			"R̂ is 1.025, want at most 1.02;"},
		{metrics.Report{Dim: 2, NLL: 1, LogZ: 1, LogZErr: 0.1,
			Samples: &metrics.SampleReport{RHat: 1.034, ModeTV: nan, EnergyDistance: 0.1,
				Floor: metrics.Floor{EnergyDistance: 0.1}}}, "would change little"},
		{metrics.Report{Dim: 2, NLL: 1, LogZ: 1, LogZErr: 0.1,
			Samples: &metrics.SampleReport{RHat: 1.034, ModeTV: nan, EnergyDistance: 0.5,
				Floor: metrics.Floor{EnergyDistance: 0.1}}}, "have not mixed"},
		{metrics.Report{Dim: 2, NLL: 1, LogZ: 1, LogZErr: 0.1,
			Samples: &metrics.SampleReport{RHat: 1.002, ModeTV: nan, EnergyDistance: 0.6,
				Floor: metrics.Floor{EnergyDistance: 0.1, EnergyLimit: 0.5}}}, "it is the model that differs"},
		// as far as exact draws of two distant modes are now and then
		{metrics.Report{Dim: 2, NLL: 1, LogZ: 1, LogZErr: 0.1,
			Samples: &metrics.SampleReport{RHat: 1.002, ModeTV: nan, EnergyDistance: 0.17,
				Floor: metrics.Floor{EnergyDistance: 0.055, EnergyLimit: 0.18}}}, ""},
		{metrics.Report{Dim: 2, NLL: 1, LogZ: 1, LogZErr: 0.1, Leak: 0.99999},
			"nearly all of the model's probability lies outside the box"},
	} {
		c.eval.KL, c.eval.TrainNLL = nan, nan
		lines := summary(&fit.Result{Eval: &c.eval})[2:] // after the steps and the likelihood
		if text := strings.Join(lines, "\n"); (text != "") != (c.says != "") || !strings.Contains(text, c.says) {
			t.Errorf("%+v: the summary says %q, want %q", c.eval, text, c.says)
		}
	}
}

// For a dead network no other remedy is named.
func TestSummaryOfADeadNetwork(t *testing.T) {
	eval := metrics.Report{Dim: 2, NLL: 1, LogZ: 1, LogZErr: 0.1, Leak: 1, Samples: &metrics.SampleReport{RHat: 20}}
	eval.KL, eval.TrainNLL = metrics.Value(math.NaN()), metrics.Value(math.NaN())
	text := strings.Join(summary(&fit.Result{Dead: true, Eval: &eval}), "\n")
	if !strings.Contains(text, "the network is dead") || strings.Contains(text, "more --steps") ||
		strings.Contains(text, "have not mixed") {
		t.Errorf("the summary says %q", text)
	}
}

// The summary says that training ended early and why, what was learnt, and that the base alone was kept.
func TestSummaryOfAnEarlyStop(t *testing.T) {
	eval := metrics.Report{Dim: 2, NLL: 1, KL: metrics.Value(math.NaN()), TrainNLL: metrics.Value(math.NaN()),
		Baseline: &metrics.Baseline{Name: "a Gaussian", NLL: 1}}
	text := strings.Join(summary(&fit.Result{Steps: 950, Planned: 2500, Unimproved: 750, Bias: "learns the density, blurred",
		Objective: "nce", Eval: &eval}), "\n")
	for _, want := range []string{"950 of 2500 steps", "not improved for 750 (--patience)", "learnt: the density, blurred",
		"the base alone is kept"} {
		if !strings.Contains(text, want) {
			t.Errorf("the summary %q does not say %q", text, want)
		}
	}
}
