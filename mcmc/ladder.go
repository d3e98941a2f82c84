package mcmc

import "math"

// Adaptation adapts the step sizes of all levels, and the ladder, so that all neighbours swap equally often, adding
// levels if they swap too rarely and the ladder was not given.
func (k Tempering) Adaptation(w Warmup) Adaptation {
	return &ladder{cfg: w, grow: k.Betas == nil}
}

// ladder adapts a Tempering.
type ladder struct {
	cfg     Warmup
	grow    bool            // levels may be added
	levels  []dualAveraging // of the step sizes; none if the kernel has no acceptance
	swapSum []float64
	swapN   float64
}

var _ Adaptation = (*ladder)(nil)

// OwnsStep returns true: each level has its own step size, tuned here.
func (a *ladder) OwnsStep() bool { return true }

// Start restarts the averages of the levels' step sizes.
func (a *ladder) Start(k Kernel) Kernel {
	p := k.(Tempering)
	if p.Betas == nil {
		p.Betas = append([]float64(nil), defaultBetas...)
	}
	in, ok := innermost(p).(Tunable)
	if !ok {
		return p
	}
	tuning := in.Tuning()
	goal := tuning.Accept
	if a.cfg.Accept > 0 {
		goal = a.cfg.Accept
	}
	a.levels = make([]dualAveraging, len(p.Betas))
	for l := range a.levels {
		a.levels[l].Goal = goal
		a.levels[l].Restart(tuning.scaled(tuning.StepSize, p.scaleOf(l)))
	}
	a.swapSum, a.swapN = make([]float64, len(p.Betas)), 0
	return p
}

func (k Tempering) scaleOf(level int) float64 {
	if k.Scales != nil {
		return k.Scales[level]
	}
	return 1 / math.Sqrt(k.betas()[level])
}

// Update processes the acceptance of each level in the last move, and the swaps.
func (a *ladder) Update(k Kernel, s *State, info Info) Kernel {
	p := k.(Tempering)
	if !a.cfg.KeepBeta {
		if len(a.swapSum) != len(p.Betas) {
			a.swapSum, a.swapN = make([]float64, len(p.Betas)), 0
		}
		for l, v := range info.Swaps {
			a.swapSum[l] += v.AcceptProb
		}
		a.swapN++
	}
	if a.levels == nil {
		return p
	}
	accept := s.scratch().accept // of the last move
	for l := range a.levels {
		a.levels[l].Update(accept[l])
	}
	return a.set(p, (*dualAveraging).Step)
}

// Finish sets the averaged step sizes.
func (a *ladder) Finish(k Kernel) Kernel {
	if a.levels == nil || a.levels[0].t == 0 {
		return k
	}
	return a.set(k.(Tempering), (*dualAveraging).Final)
}

// set sets the step size of every level.
func (a *ladder) set(p Tempering, step func(*dualAveraging) float64) Kernel {
	tuning := tuningOf(p)
	base := step(&a.levels[0])
	p.Scales = make([]float64, len(a.levels))
	for l := range p.Scales {
		p.Scales[l] = tuning.length(step(&a.levels[l]) / base)
	}
	return withStep(p, base)
}

// Window moves the levels to equalise the rejection rates of all swaps: with r_k the mean rejection between levels k
// and k+1, Λ(β_k) = Σ_{l<k} r_l is divided into equal parts. If the ladder may grow, it gets enough levels to bring the
// rejections to one half, at most 32.
func (a *ladder) Window(kernel Kernel) Kernel {
	const maxLevels, rejection = 32, .5
	p := kernel.(Tempering)
	k := len(p.Betas)
	if k < 2 || a.swapN == 0 || a.cfg.KeepBeta {
		return p
	}
	barrier := make([]float64, k)
	for l := 1; l < k; l++ {
		barrier[l] = barrier[l-1] + max(1-a.swapSum[l-1]/a.swapN, 1e-3)
	}
	total := barrier[k-1]
	n := k
	if a.grow {
		n = min(maxLevels, max(k, int(math.Ceil(total/rejection))+1))
	}
	betas, scales := make([]float64, n), make([]float64, n)
	l := 0
	for i := range betas {
		at := total * float64(i) / float64(n-1)
		for l < k-2 && barrier[l+1] < at {
			l++
		}
		u := min(1, (at-barrier[l])/(barrier[l+1]-barrier[l]))
		betas[i] = math.Exp((1-u)*math.Log(p.Betas[l]) + u*math.Log(p.Betas[l+1]))
		scales[i] = math.Exp((1-u)*math.Log(p.scaleOf(l)) + u*math.Log(p.scaleOf(l+1)))
	}
	betas[0], betas[n-1] = 1, p.Betas[k-1]
	p.Betas, p.Scales = betas, scales
	a.swapSum, a.swapN = make([]float64, n), 0
	return p
}
