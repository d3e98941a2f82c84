package mcmc

import (
	"cmp"
	"fmt"
	"math"
	"slices"
	"strings"
)

// OddChain is a chain that behaves unlike all the others.
type OddChain struct {
	Chain      int    `json:"chain"`
	Draws      int    `json:"draws"`
	Moves      int    `json:"moves"`       // accepted transitions
	AcceptProb Number `json:"accept_prob"` // mean
	Excess     Number `json:"excess"`      // its mean energy over the median of the chains
	Far        bool   `json:"far"`         // its energies are far above the others
}

// mostOdd is the maximum number of chains that are named.
const mostOdd = 5

// odd finds chains that hardly move, and those with energies far above the others. It returns their number, and the
// first of them.
func odd(d *Draws) (count int, out []OddChain) {
	const hardly = 50 // transitions per move
	mean := make([]float64, d.Chains)
	for c := range mean {
		for t := range d.Kept {
			mean[c] += d.Energy[t*d.Chains+c] / float64(d.Kept)
		}
	}
	middle := math.NaN()
	if finiteOnes := slices.DeleteFunc(slices.Clone(mean),
		func(v float64) bool { return v-v != 0 }); len(finiteOnes) > 0 {
		middle = median(finiteOnes)
	}
	for c, s := range d.Stats {
		far := d.Chains > 2 && mean[c]-middle > lag(d.Dim)
		if !far && !(s.Transitions >= hardly && s.Accepted*hardly < s.Transitions) {
			continue
		}
		if count++; len(out) < mostOdd {
			out = append(out, OddChain{c, s.Transitions, s.Accepted, Number(s.AcceptProb), Number(mean[c] - middle),
				far})
		}
	}
	return count, out
}

// Warnings says in plain words what is wrong with the draws: which chain, how much, and what usually helps. Single
// chains come first. An empty list is a good sign, not a proof.
func (o *Diagnostics) Warnings() []string {
	var w warnings
	w.on(o.Bias != "", "%s", o.Bias)
	w.on(o.Draws == 0, "no draws were kept")
	w.on(o.Draws > 0 && o.Draws < 4, "%d draws per chain are too few to tell whether the chains mixed: draw at least 4",
		o.Draws)
	if o.NotFinite > 0 && o.NotFinite == o.Chains*o.Draws { // without energies nothing else can be said
		return []string{"the energy is not finite at any of the draws, no chain ever moved: start elsewhere, where " +
			"the energy is a number (Starts looks for such points)"}
	}
	w.on(
		o.NotFinite > 0, "%d draws are of chains that start where the energy is not finite and never leave: start "+
			"elsewhere", o.NotFinite)
	o.ofGradient(&w)
	o.ofChains(&w)
	o.ofMixing(&w)
	o.ofTrajectories(&w)
	o.ofSteps(&w)
	return w
}

// ofGradient warns if the gradient cannot be that of the energy, or not of one whose density has an integral: for
// these, without walls, E (x - m)·∇E is d. At walls it may be less, and transitions diverge.
func (o *Diagnostics) ofGradient(w *warnings) {
	t, se := float64(o.Temperature), float64(o.TemperatureSE)
	w.on((o.Divergences == 0 && t < -.1 || t < -100) && t < -se, "the gradient points away from the draws: (x - "+
		"m)·∇E is %.3g per coordinate, want 1: check its sign, that E is -log p and not log p, and that the density "+
		"has an integral", t)
}

// warnings is a list of warnings.
type warnings []string

func (w *warnings) on(on bool, format string, args ...any) {
	if on {
		*w = append(*w, fmt.Sprintf(format, args...))
	}
}

// slowEnergies is the E-BFMI below which momenta do not carry a chain through its range of energies.
const slowEnergies = .3

// adapted reports that warm-up chose the step.
func (o *Diagnostics) adapted() bool { return o.Goal > 0 }

// smaller says how to get smaller steps.
func (o *Diagnostics) smaller() string {
	if o.adapted() {
		return fmt.Sprintf("take smaller steps, by a Warmup.Accept above %.2g", float64(o.Goal))
	}
	return "take smaller steps: a smaller StepSize, or a Warmup that finds it"
}

// ofChains warns about single chains.
func (o *Diagnostics) ofChains(w *warnings) {
	for i, c := range o.LeftOut {
		if i == mostOdd {
			w.on(true, "%d more chains were left out of the warm-up", len(o.LeftOut)-i)
			break
		}
		w.on(true, "chain %d: %s", c.Chain, c.Reason)
	}
	for _, c := range o.Odd {
		where := ""
		if c.Far {
			where = fmt.Sprintf(", at energies %.3g above the others", float64(c.Excess))
		}
		if c.Moves*50 < c.Draws {
			w.on(true, "chain %d moved in %d of %d transitions%s: %s", c.Chain, c.Moves, c.Draws, where, o.wake())
		} else {
			w.on(true, "chain %d is%s, where hardly any draw belongs: start it elsewhere, or warm up longer", c.Chain,
				strings.TrimPrefix(where, ","))
		}
	}
	w.on(o.OddChains > len(o.Odd), "%d more chains hardly move, or are far above the others", o.OddChains-len(o.Odd))
}

// wake says what helps a chain that does not move.
func (o *Diagnostics) wake() string {
	if o.adapted() {
		return "warm up longer, or start it elsewhere (see Starts)"
	}
	return "the step is too long where it stands: " + o.smaller()
}

// ofMixing warns about chains that disagree, and about too few draws.
func (o *Diagnostics) ofMixing(w *warnings) {
	remedy := cmp.Or(o.Cure, "use parallel tempering")
	stuck := o.stuck()
	few := o.OddChains > 0 && 2*o.OddChains < o.Chains // only these few disagree
	switch {
	case few:
		w.on(!o.Mixed(), "R̂ of %s is %.3f, want at most %.4g: without the chains named above, look again", o.worst(),
			float64(o.MaxRHat), float64(o.RHatLimit))
	case stuck:
		w.on(true, "chains stay in the mode they started in: %s", remedy)
	case !o.Mixed():
		w.on(true, "the chains have not mixed: R̂ of %s is %.3f, want at most %.4g; draw longer, with more burn-in",
			o.worst(), float64(o.MaxRHat), float64(o.RHatLimit))
	}
	if m := o.Modes; m != nil && m.TV > .05 && float64(m.TV) > 4*o.modeNoise() {
		w.on(true, "mode weights are off by %.2f in total variation, %d of %d modes were visited: %s", float64(m.TV),
			m.Visited, len(m.Weights), remedy)
	}
	if e := min(float64(o.MinESSBulk), float64(o.MinESSTail)); e < 400 && !stuck && !few && o.Exact == "" {
		name := o.least()
		each := int(math.Ceil(400/e*float64(o.Draws)/100)) * 100
		cure := fmt.Sprintf("draw longer: %d draws per chain would do", each)
		if o.Setting != "" {
			cure = fmt.Sprintf("draw more: %s %d would do", o.Setting, each*o.Chains)
		}
		if o.EBFMI < slowEnergies || !o.Mixed() { // more of the same would not help
			cure = "see to the other warnings, then draw longer"
		}
		w.on(true, "few effective draws: %.0f of %s, want at least 400; %s", e, name, cure)
	}
}

// ofTrajectories warns about divergences, energies and trees.
func (o *Diagnostics) ofTrajectories(w *warnings) {
	slow := o.EBFMI < slowEnergies
	if o.Divergences > 0 {
		cure := o.smaller()
		if o.adapted() && !o.Unadjusted {
			cure += "; where some remain, one of the variables is the scale of others: draw z and let θ = μ + τz, instead of θ"
		}
		w.on(true, "%d of %d transitions diverged (%s): %s", o.Divergences, o.Transitions,
			percent(float64(o.Divergences)/float64(o.Transitions)), cure)
	}
	w.on(
		slow,
		"energies are explored slowly: E-BFMI is %.2f, want at least 0.3; change the variables: let θ = μ + τz where "+
			"τ is a scale, or take the tails in by a transformation",
		float64(o.EBFMI))
	if o.Transitions > 0 {
		share := float64(o.MaxDepthHits) / float64(o.Transitions)
		cure := "adapt the mass (no KeepMass), or allow more depth"
		if o.MassAdapted {
			cure = "the mass has been adapted, so change the variables to less curved ones, or allow more (MaxDepth)"
		}
		w.on(share > .01, "%s of the trees reached the maximum depth: %s", percent(share), cure)
	}
}

// ofSteps warns about acceptances, swaps and the temperature.
func (o *Diagnostics) ofSteps(w *warnings) {
	if !o.Unadjusted {
		w.on(o.AcceptProb < .2, "%s of the proposals are accepted: %s", percent(float64(o.AcceptProb)), o.smaller())
		w.on(o.AcceptProb >= .2 && o.MinAcceptProb < .02 && o.OddChains == 0,
			"a chain accepts %s of its proposals, it hardly moves: %s", percent(float64(o.MinAcceptProb)), o.wake())
	}
	for l, r := range o.SwapRates {
		w.on(r < .1, "tempering levels %d and %d exchange in %s of the trials: add levels, or warm up longer", l, l+1,
			percent(float64(r)))
	}
	// Kernels with an accept step have the right temperature once they have mixed, which R̂ shows; at walls, where
	// divergences occur, the virial is not that of exp(-E), whatever the draws.
	if t := float64(o.Temperature); o.Unadjusted && o.Divergences == 0 && math.Abs(t-1) > .05 &&
		math.Abs(t-1) > 4*float64(o.TemperatureSE) {
		help := "draw longer, with more burn-in"
		if t > 1 {
			help = "take smaller steps, or use MALA, which corrects for them"
		}
		w.on(true, "the draws are as of temperature %.2f instead of 1: %s", t, help)
	}
}

// least names the quantity with the fewest effective draws.
func (o *Diagnostics) least() string {
	e := min(float64(o.MinESSBulk), float64(o.MinESSTail))
	for _, q := range o.Quantities {
		if min(float64(q.ESSBulk), float64(q.ESSTail)) == e {
			return q.Name
		}
	}
	return "some quantity"
}

// stuck reports whether chains are each stationary but disagree, or stay in known modes.
func (o *Diagnostics) stuck() bool {
	limit := max(1.1, o.RHatLimit)
	if m := o.Modes; m != nil && len(m.Weights) > 1 && o.Draws >= 4 {
		off := m.Expected == nil || float64(m.TV) > math.Max(.05, 4*o.modeNoise())
		return m.Stuck > .5 && (off || o.MaxRHat > limit)
	}
	return o.Chains > 1 && o.MaxRHat > limit && o.WithinRHat < 1.05 && o.MaxRHat > 1.05*o.WithinRHat
}

// modeNoise returns the approximate total variation that as many independent draws as there are effective ones would
// show.
func (o *Diagnostics) modeNoise() float64 {
	n := math.Max(1, float64(o.MinESSBulk))
	if math.IsNaN(n) {
		n = float64(o.Chains)
	}
	var sum float64
	for _, p := range o.Modes.Expected {
		sum += math.Sqrt(p*(1-p)/n) / 2
	}
	return sum
}

// worst names the quantity with the largest R̂.
func (o *Diagnostics) worst() string {
	for _, q := range o.Quantities {
		if q.RHat == o.MaxRHat {
			return q.Name
		}
	}
	return "the draws"
}

// percent writes a share with enough digits to tell it from zero.
func percent(p float64) string {
	if p < .01 {
		return fmt.Sprintf("%.2g %%", 100*p)
	}
	return fmt.Sprintf("%.0f %%", 100*p)
}
