package fit

import (
	"slices"

	"github.com/stheno-ebm/stheno/mcmc"
)

// sampler is a sampler, as named by a run.
type sampler struct {
	name, about string
	// kernel creates it for a model; a step size of 0 is found during warm-up.
	kernel func(m *Model, step float64) mcmc.Kernel

	// it moves between modes by itself, so no jumps are added; a given step size is only initial
	crosses     bool
	passes      bool // every transition is a pass through all levels
	tunesItself bool // it finds its step size even if the run has no adaptation
	// continues without the accept step with which the step size was found
	unadjusted func(found mcmc.Kernel) mcmc.Kernel
}

const (
	defaultSampler  = "hmc"
	annealedSampler = "annealed" // for weights of modes that are only known at the large noise levels
)

// samplers by name, and in the order of lists.
var (
	samplerList = []sampler{
		{name: "langevin", tunesItself: true,
			kernel: func(_ *Model, step float64) mcmc.Kernel {
				if step == 0 {
					return mcmc.MALA{}
				}
				return mcmc.Langevin{StepSize: step}
			},
			unadjusted: func(found mcmc.Kernel) mcmc.Kernel { return mcmc.Langevin{StepSize: found.(mcmc.MALA).StepSize} }},
		{name: "mala", kernel: func(_ *Model, step float64) mcmc.Kernel { return mcmc.MALA{StepSize: step} }},
		{name: defaultSampler, kernel: hamiltonian},
		{name: "nuts", kernel: func(_ *Model, step float64) mcmc.Kernel { return mcmc.NUTS{StepSize: step} }},
		{name: annealedSampler, about: "down the noise levels of dsm-multi, else down the temperature", crosses: true,
			passes: true,
			kernel: func(m *Model, step float64) mcmc.Kernel { return m.annealed(hamiltonian(m, step)) }},
		{name: "tempering", crosses: true,
			kernel: func(m *Model, step float64) mcmc.Kernel { return mcmc.Tempering{Kernel: hamiltonian(m, step)} }},
	}
	samplers = func() map[string]sampler {
		byName := make(map[string]sampler)
		for _, s := range samplerList {
			byName[s.name] = s
		}
		return byName
	}()
)

func hamiltonian(m *Model, step float64) mcmc.Kernel {
	return mcmc.HMC{StepSize: step, Leapfrog: m.Config.Leapfrog, StepJitter: 0.2}
}

// samplerNames lists the samplers by name.
func samplerNames() []string {
	var names []string
	for _, s := range samplerList {
		names = append(names, s.name)
	}
	return names
}

// SamplerList lists the samplers with descriptions.
func SamplerList() []string {
	var list []string
	for _, s := range samplerList {
		if s.about != "" {
			s.name += " (" + s.about + ")"
		}
		list = append(list, s.name)
	}
	return list
}

// annealed runs k down the noise levels of an energy that has them, and down the temperature of any other. Modes far
// apart then get the weights of the levels at which they were joined, which denoising learns well; those of the
// smallest level it only learns with a background.
func (m *Model) annealed(k mcmc.Kernel) mcmc.Annealed {
	if levels := m.Config.Objective.Traits().Levels; levels != nil {
		const detail = 0.03 // of the largest standard deviation
		return mcmc.Annealed{Kernel: k, Sigmas: levels, Detail: detail * slices.Max(m.data.Std), Moves: 2}
	}
	return mcmc.Annealed{Kernel: k}
}
