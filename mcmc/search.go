package mcmc

import (
	"math/rand/v2"
	"slices"

	"gonum.org/v1/gonum/mat"
)

// Bounds of an initial step length: above Stan's the density is considered improper, below the lower one rounding
// dominates.
const (
	longest  = 1e7
	shortest = 1e-300
)

// crossing is the acceptance of a single short move that separates steps that are too short from those too long.
const crossing = .8

// prepared is a kernel that sets up the target before its inner kernel is tried on it alone.
type prepared interface{ Prepare(t Target) error }

// finder searches for step sizes of the right order on copies of some chains, doubling or halving until the acceptance
// of a single short move crosses 0.8, as Stan does.
type finder struct {
	kernel Tunable // the innermost one
	s      *State
	t      Target
	rng    *rand.Rand
	scales bool // the kernel can use a different step size per chain
}

// try moves copies of the chains, each with its step size, and returns their acceptances. Moves from non-finite
// energies are uninformative.
func (f *finder) try(chains []int, steps []float64) ([]float64, error) {
	_, d := f.s.X.Dims()
	base := steps[0]
	k := f.kernel.WithStep(base).(Tunable)
	var trial Kernel = k
	if short := k.Tuning().Trial; short != nil {
		trial = short
	}
	s := NewState(mat.NewDense(len(chains), d, nil))
	s.scale = make([]float64, len(chains))
	tuning := k.Tuning()
	for i, c := range chains {
		s.X.SetRow(i, f.s.X.RawRowView(c))
		s.Grad.SetRow(i, f.s.Grad.RawRowView(c))
		s.Energy[i] = f.s.Energy[c]
		s.scale[i] = tuning.length(steps[i] / base)
	}
	s.valid = f.s.valid
	info, err := trial.Step(s, f.t, f.rng)
	if err != nil {
		return nil, err
	}
	f.scales = s.asked && info.Chains != nil
	accept := make([]float64, len(chains))
	for i := range accept {
		accept[i] = info.chain(i).AcceptProb
	}
	return accept, nil
}

// within reports whether a step size is within bounds.
func (f *finder) within(step float64) bool {
	l := f.kernel.Tuning().length(step)
	return l > shortest && l < longest
}

// each improves the step size of each chain separately.
func (f *finder) each(chains []int, steps []float64) error {
	factor := slices.Repeat([]float64{1}, len(steps))
	left := make([]int, len(steps)) // chains whose step size is not yet found
	for i := range left {
		left[i] = i
	}
	rows, try := make([]int, 0, len(left)), make([]float64, 0, len(left))
	for round := 0; len(left) > 0; round++ {
		rows, try = rows[:0], try[:0]
		for _, i := range left {
			rows = append(rows, chains[i])
			try = append(try, steps[i]*factor[i])
		}
		accept, err := f.try(rows, try)
		if err != nil {
			return err
		}
		on := left[:0]
		for j, i := range left {
			low := accept[j] < crossing
			switch {
			case round == 0 && low:
				factor[i] = .5
			case round == 0:
				factor[i] = 2
			case low == (factor[i] > 1): // crossed
				if factor[i] < 1 {
					steps[i] *= factor[i]
				}
				continue
			default:
				steps[i] *= factor[i]
			}
			if f.within(steps[i] * factor[i]) {
				on = append(on, i)
			}
		}
		left = on
	}
	return nil
}

// common searches for one step size for all the chains.
func (f *finder) common(chains []int, step float64) (float64, error) {
	const most = 64
	chains = chains[:min(len(chains), most)]
	mean := func(step float64) (float64, error) {
		accept, err := f.try(chains, slices.Repeat([]float64{step}, len(chains)))
		var sum float64
		for _, p := range accept {
			sum += p / float64(len(accept))
		}
		return sum, err
	}
	p, err := mean(step)
	if err != nil {
		return step, err
	}
	factor := 2.
	if p < crossing {
		factor = .5
	}
	for f.within(step * factor) {
		if p, err = mean(step * factor); err != nil {
			return step, err
		}
		if (p < crossing) == (factor > 1) {
			if factor < 1 {
				step *= factor
			}
			break
		}
		step *= factor
	}
	return step, nil
}
