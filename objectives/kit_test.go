package objectives_test

import (
	"github.com/stheno-ebm/stheno/energy"
	"github.com/stheno-ebm/stheno/mcmc"
	"github.com/stheno-ebm/stheno/objectives"
)

// named returns the objective with that name.
func named(name string) objectives.Method { return must(objectives.ByName(name)) }

// small returns the objective with that name, with settings that exercise every part of it; names without such
// settings get what was registered.
func small(name string) objectives.Method {
	if m, ok := smalls[name]; ok {
		return m
	}
	return named(name)
}

var smalls = map[string]objectives.Method{
	"sm-hutchinson": objectives.Hutchinson{Slices: 2},
	"ssm":           objectives.Sliced{Slices: 2},
	"ssm-vr":        objectives.SlicedVR{Slices: 2},
	"fd-ssm":        objectives.FiniteDifference{Slices: 2, Step: 0.05},
	"dsm":           objectives.Denoising{Sigma: 0.4, Unpaired: true},
	"dsm-multi":     objectives.MultiDenoising{Sigma: 0.1, SigmaMax: 1, Levels: 4, Floor: 0.3, Focus: 0.3},
	"nce":           objectives.NCE{Ratio: 3},
	"flow-nce":      objectives.FlowNCE{Ratio: 2, Adversary: 0.3},
	"cnce":          objectives.ConditionalNCE{Sigma: 0.4},
	"mpf":           objectives.ProbabilityFlow{Sigma: 0.4, Ratio: 3},
	"ed":            objectives.EnergyDiscrepancy{Sigma: 0.4, Ratio: 3},
	"cd":            objectives.ContrastiveDivergence{Chains: short},
	"pcd":           objectives.PersistentCD{Chains: short},
	"ml": objectives.Likelihood{Buffer: 20, Restart: 0.3, Chains: objectives.Chains{
		Sampler: objectives.ChainLangevin, StepSize: 1e-3, Steps: 2, Alpha: 0.1, Jumps: 1,
		Noise: objectives.GaussianNoise,
	}},
	"lsd": objectives.LearnedStein{Features: -1, Width: 64, Rate: 1e-3},
}

var short = objectives.Chains{Kernel: mcmc.HMC{StepSize: 0.1, Leapfrog: 2}, Steps: 1, Jumps: -1}

// setup is what small objectives are compiled with, for points of dimension d.
func setup(d int) objectives.Config {
	return objectives.Config{Batch: 6, Precision: energy.Float64, Data: normal(60, d, 77)}
}

// energyFor returns a small energy that the objective accepts.
func energyFor(m objectives.Method, d int) energy.Energy { return conditioned(m, d, mlp) }

// conditioned returns the network, conditioned on the noise levels of the objective if it has any.
func conditioned(m objectives.Method, d int, network func(d int) energy.Energy) energy.Energy {
	if levels := m.Traits().Levels; levels != nil {
		return must(energy.NewAnnealable(network(d+1), levels, 1))
	}
	return network(d)
}
