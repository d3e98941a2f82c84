package verify

import (
	"reflect"

	"github.com/stheno-ebm/stheno/mcmc"
	"github.com/stheno-ebm/stheno/objectives"
)

// trial is an objective with the settings under which it is checked.
type trial struct {
	method objectives.Method
	truth  objectives.Method // at the truth, where nothing else remains to be learnt; nil: method
}

// trials holds settings under which errors show up in few batches. Objectives not listed are checked with the settings
// that suit the data.
var trials = []trial{
	{method: objectives.Hutchinson{Slices: 2}},
	{method: objectives.Sliced{Slices: 2}},
	{method: objectives.SlicedVR{Slices: 2}},
	{method: objectives.FiniteDifference{Step: 0.02}},
	{method: objectives.Denoising{Sigma: 0.4, Unpaired: true}},
	{method: objectives.MultiDenoising{Sigma: 0.2, SigmaMax: 1, Levels: 4, Unpaired: true, Floor: 0.3, Focus: 0.3}},
	{method: objectives.NCE{Ratio: 2, Noise: objectives.GaussianNoise},
		truth: objectives.NCE{Ratio: 2, Noise: objectives.GaussianNoise, FixLogZ: true}},
	{method: objectives.FlowNCE{Ratio: 2, Width: 8}, truth: objectives.FlowNCE{Ratio: 2, Width: 8, FixLogZ: true}},
	{method: objectives.ConditionalNCE{Sigma: 0.8}},
	{method: objectives.EnergyDiscrepancy{Sigma: 0.8, Ratio: 8}},
	{method: objectives.ProbabilityFlow{Sigma: 0.4, Ratio: 2}},
	{method: objectives.ContrastiveDivergence{Chains: chains}},
	{method: objectives.PersistentCD{Chains: chains}},
	{method: objectives.Likelihood{Chains: chains, Buffer: 1024}},
	{method: objectives.LearnedStein{Rate: 5e-3, Repeats: 4, Width: 16, Features: -1}},
}

var chains = objectives.Chains{
	Kernel: mcmc.HMC{StepSize: 0.5, Leapfrog: 3, StepJitter: 0.2}, Steps: 2, Jumps: 2, Noise: objectives.GaussianNoise,
}

// trialOf returns the settings for m's kind, or m's own if there are none.
func trialOf(m objectives.Method) trial {
	t := trial{method: m}
	for _, known := range trials {
		if reflect.TypeOf(known.method) == reflect.TypeOf(m) {
			t = known
		}
	}
	if t.truth == nil {
		t.truth = t.method
	}
	return t
}
