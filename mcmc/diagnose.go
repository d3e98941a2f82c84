package mcmc

import (
	"encoding/json"
	"fmt"
	"math"

	"gonum.org/v1/gonum/mat"
	"gonum.org/v1/gonum/stat"
)

// Number is a float64 whose JSON is null where it is NaN or infinite.
type Number float64

// MarshalJSON writes the number or null.
func (n Number) MarshalJSON() ([]byte, error) {
	if f := float64(n); f-f != 0 {
		return []byte("null"), nil
	}
	return json.Marshal(float64(n))
}

// UnmarshalJSON reads null as NaN.
func (n *Number) UnmarshalJSON(b []byte) error {
	if string(b) == "null" {
		*n = Number(math.NaN())
		return nil
	}
	return json.Unmarshal(b, (*float64)(n))
}

// Diagnostics is all that is known about how well chains mixed. What cannot be computed is NaN.
type Diagnostics struct {
	Sampler string `json:"sampler"`
	Chains  int    `json:"chains"`
	Draws   int    `json:"draws"` // per chain
	Dim     int    `json:"dim"`

	Quantities []Quantity `json:"quantities"`  // each coordinate, what was derived, then the energy
	MaxRHat    Number     `json:"rhat"`        // over the quantities
	RHatLimit  Number     `json:"rhat_limit"`  // that of MaxRHat, see the function RHatLimit
	MinESSBulk Number     `json:"ess_bulk"`    // over the quantities
	MinESSTail Number     `json:"ess_tail"`    // over the quantities
	WithinRHat Number     `json:"rhat_within"` // largest split R̂ of chains against themselves only: near 1 where each chain is steady

	AcceptProb    Number    `json:"accept_prob"`    // mean
	MinAcceptProb Number    `json:"min_accept"`     // of the chain with the lowest
	Transitions   int       `json:"transitions"`    // all chains, after warm-up and burn-in
	Divergences   int       `json:"divergences"`    // of these
	StepSize      Number    `json:"step_size"`      // as adapted, mean over blocks; of the kernel at β = 1
	Evaluations   int       `json:"evaluations"`    // gradients of one chain each, after warm-up and burn-in
	ESSPerGrad    Number    `json:"ess_per_grad"`   // MinESSBulk / Evaluations
	NotFinite     int       `json:"not_finite"`     // draws of chains that never found a finite energy
	EBFMI         Number    `json:"ebfmi"`          // lowest over the chains
	Temperature   Number    `json:"temperature"`    // effective: 1 for draws of exp(-E)
	TemperatureSE Number    `json:"temperature_se"` // its standard error
	TreeDepth     []int     `json:"tree_depth,omitempty"`
	MaxDepthHits  int       `json:"max_depth_hits"` // transitions that ended because the tree was full
	SwapRates     []Number  `json:"swap_rates,omitempty"`
	Betas         []float64 `json:"betas,omitempty"`
	Modes         *Modes    `json:"modes,omitempty"`
	Bias          string    `json:"bias,omitempty"`       // why the sampler does not follow exp(-E), if so
	Unadjusted    bool      `json:"unadjusted,omitempty"` // the sampler has no accept step
	Cure          string    `json:"cure,omitempty"`       // what helps it where chains stay in their modes, besides parallel tempering
}

// Quantity holds the diagnostics of one number.
type Quantity struct {
	Name     string `json:"name"`
	Mean     Number `json:"mean"`
	Std      Number `json:"std"`
	Q05      Number `json:"q05"`
	Median   Number `json:"median"`
	Q95      Number `json:"q95"`
	RHat     Number `json:"rhat"`
	ESSBulk  Number `json:"ess_bulk"`
	ESSTail  Number `json:"ess_tail"`
	MCSEMean Number `json:"mcse_mean"`
	MCSEStd  Number `json:"mcse_std"`
}

// KnownModes names the modes of the target, for the occupancy.
type KnownModes struct {
	Centres *mat.Dense            // one per row
	Weights []float64             // probabilities of the target; nil if unknown
	Assign  func(x []float64) int // the mode a draw belongs to; nil means that of the nearest centre
}

func (m *KnownModes) assign(x []float64) int {
	if m.Assign != nil {
		return m.Assign(x)
	}
	return nearest(m.Centres, x)
}

// Modes is how chains are spread over known modes.
type Modes struct {
	Weights  []float64 `json:"weights"`            // share of the draws
	Expected []float64 `json:"expected,omitempty"` // as told
	TV       Number    `json:"tv"`                 // ½Σ|weights - expected|
	Visited  int       `json:"visited"`            // modes with a draw
	Switches Number    `json:"switches"`           // mean number of changes of mode per chain
	Stuck    Number    `json:"stuck"`              // share of the chains that never left the mode of their first draw
}

// Diagnose computes the diagnostics of draws; modes may be nil.
func Diagnose(d *Draws, modes *KnownModes) *Diagnostics {
	nan := Number(math.NaN())
	out := &Diagnostics{
		Chains: d.Chains, Draws: d.Kept, Dim: d.Dim, Evaluations: d.Evaluations, TreeDepth: d.Depths,
		MaxRHat: nan, RHatLimit: 1.01, MinESSBulk: nan, MinESSTail: nan, WithinRHat: nan, ESSPerGrad: nan, EBFMI: nan, MinAcceptProb: nan,
	}
	out.kernels(d)
	out.chains(d)
	if d.Kept == 0 {
		return out
	}
	for j, name := range d.Labels() {
		x := d.Values(j)
		out.Quantities = append(out.Quantities, quantityOf(name, x))
		if j < d.Dim && d.Kept >= 4 {
			out.WithinRHat = larger(out.WithinRHat, withinRHat(x))
		}
	}
	for _, q := range out.Quantities {
		out.MaxRHat = larger(out.MaxRHat, float64(q.RHat))
		out.MinESSBulk = smaller(out.MinESSBulk, float64(q.ESSBulk))
		out.MinESSTail = smaller(out.MinESSTail, float64(q.ESSTail))
	}
	out.RHatLimit = Number(RHatLimit(d.Chains, d.Kept, len(out.Quantities)))
	out.ESSPerGrad = out.MinESSBulk / Number(d.Evaluations)
	for _, e := range d.Energy {
		if e-e != 0 {
			out.NotFinite++
		}
	}
	if modes != nil {
		out.Modes = occupancy(d, modes)
	}
	return out
}

// larger and smaller pass over NaN.
func larger(a Number, b float64) Number {
	if math.IsNaN(float64(a)) || b > float64(a) {
		return Number(b)
	}
	return a
}

func smaller(a Number, b float64) Number { return -larger(-a, -b) }

func quantityOf(name string, x [][]float64) Quantity {
	q := Quantity{Name: name}
	mean, sd := moments(x)
	all := sorted(x)
	q.Mean, q.Std = Number(mean), Number(sd)
	q.Q05, q.Median, q.Q95 = Number(quantile(all, .05)), Number(quantile(all, .5)), Number(quantile(all, .95))
	nan := Number(math.NaN())
	q.RHat, q.ESSBulk, q.ESSTail, q.MCSEMean, q.MCSEStd = nan, nan, nan, nan, nan
	if len(x[0]) >= 4 {
		q.RHat = Number(RHat(x))
	}
	if len(x[0]) >= 6 {
		q.ESSBulk, q.ESSTail = Number(ESSBulk(x)), Number(ESSTail(x))
		q.MCSEMean, q.MCSEStd = Number(MCSEMean(x)), Number(MCSEStd(x))
	}
	return q
}

// withinRHat is R̂ with the variance between the halves of each chain, instead of between all half chains: it is near 1
// when no chain drifts, also when the chains sit in different places.
func withinRHat(chains [][]float64) float64 {
	if unusable(chains) {
		return math.NaN()
	}
	m := len(chains)
	halves := split(chains)
	n := float64(len(halves[0]))
	var between, within float64
	for c := range chains {
		a, va := stat.MeanVariance(halves[c], nil)
		b, vb := stat.MeanVariance(halves[m+c], nil)
		between += (a - b) * (a - b) / 2 / float64(m)
		within += (va + vb) / 2 / float64(m)
	}
	return math.Sqrt((n*between/within + n - 1) / n)
}

// kernels reads off the settings.
func (o *Diagnostics) kernels(d *Draws) {
	var sum float64
	for _, k := range d.Kernels {
		sum += TraitsOf(k).StepSize / float64(len(d.Kernels))
	}
	o.StepSize = Number(sum)
	for _, v := range d.Swaps {
		o.SwapRates = append(o.SwapRates, Number(v))
	}
	if len(d.Kernels) == 0 {
		return
	}
	t := TraitsOf(d.Kernels[0])
	o.Sampler, o.Betas, o.Bias, o.Unadjusted, o.Cure = t.Name, t.Betas, t.Bias, t.Unadjusted, t.Cure
	if t.MaxDepth > 0 && len(d.Depths) > t.MaxDepth {
		o.MaxDepthHits = d.Depths[t.MaxDepth]
	}
}

// chains sums up what the transitions told.
func (o *Diagnostics) chains(d *Draws) {
	var accept float64
	var virial []float64
	for _, c := range d.Stats {
		o.Transitions += c.Transitions
		o.Divergences += c.Divergent
		accept += c.AcceptProb / float64(len(d.Stats))
		o.MinAcceptProb = smaller(o.MinAcceptProb, c.AcceptProb)
		o.EBFMI = smaller(o.EBFMI, c.EBFMI)
		if v := c.Virial; v-v == 0 {
			virial = append(virial, v)
		}
	}
	o.AcceptProb = Number(accept)
	mean, v := math.NaN(), math.NaN()
	if len(virial) > 0 {
		mean, v = stat.MeanVariance(virial, nil)
	}
	o.Temperature, o.TemperatureSE = Number(mean), Number(math.Sqrt(v/float64(len(virial))))
}

func occupancy(d *Draws, m *KnownModes) *Modes {
	k, dim := m.Centres.Dims()
	if dim != d.Dim {
		panic("mcmc: the modes have another dimension than the draws")
	}
	out := &Modes{Weights: make([]float64, k), Expected: m.Weights, TV: Number(math.NaN())}
	var switches, stuck int
	for c := range d.Chains {
		last, moved := -1, false
		for t := range d.Kept {
			i := m.assign(d.Chain(c, t))
			out.Weights[i]++
			if last >= 0 && i != last {
				switches++
				moved = true
			}
			last = i
		}
		if !moved {
			stuck++
		}
	}
	for i, v := range out.Weights {
		if v > 0 {
			out.Visited++
		}
		out.Weights[i] = v / float64(d.Chains*d.Kept)
	}
	if m.Weights != nil {
		var tv float64
		for i, v := range out.Weights {
			tv += math.Abs(v-m.Weights[i]) / 2
		}
		out.TV = Number(tv)
	}
	out.Switches = Number(float64(switches) / float64(d.Chains))
	out.Stuck = Number(float64(stuck) / float64(d.Chains))
	return out
}

func nearest(centres *mat.Dense, x []float64) int {
	k, _ := centres.Dims()
	best, at := math.Inf(1), 0
	for i := range k {
		var sum float64
		for j, v := range centres.RawRowView(i) {
			sum += (x[j] - v) * (x[j] - v)
		}
		if sum < best {
			best, at = sum, i
		}
	}
	return at
}

// Warnings says in plain words what is wrong with the draws and what helps. An empty list is a good sign, not a proof.
func (o *Diagnostics) Warnings() []string {
	var w []string
	warn := func(on bool, format string, args ...any) {
		if on {
			w = append(w, fmt.Sprintf(format, args...))
		}
	}
	remedy := "use parallel tempering"
	if o.Cure != "" {
		remedy = o.Cure
	}
	warn(o.Bias != "", "%s", o.Bias)
	warn(o.Draws == 0, "no draws were kept")
	warn(o.Draws > 0 && o.Draws < 4, "%d draws per chain are too few to tell whether the chains mixed: draw at least 4", o.Draws)

	if o.NotFinite > 0 && o.NotFinite == o.Chains*o.Draws { // of draws without energy nothing else can be said
		return []string{"the energy is not finite at any of the draws, no chain ever moved: start elsewhere, where the energy is a number"}
	}
	warn(o.NotFinite > 0, "%d draws are of chains that start where the energy is not finite and never leave: start elsewhere", o.NotFinite)

	stuck := o.stuck()
	switch {
	case stuck:
		warn(true, "chains stay in the mode they started in: %s", remedy)
	case !o.Mixed():
		warn(true, "the chains have not mixed: R̂ of %s is %.3f, want at most %.4g; draw longer, with more burn-in", o.worst(), float64(o.MaxRHat), float64(o.RHatLimit))
	}
	if m := o.Modes; m != nil && m.TV > .05 && float64(m.TV) > 4*o.modeNoise() {
		warn(true, "mode weights are off by %.2f in total variation, %d of %d modes were visited: %s", float64(m.TV), m.Visited, len(m.Weights), remedy)
	}
	if e := min(float64(o.MinESSBulk), float64(o.MinESSTail)); e < 400 && !stuck {
		warn(true, "few effective draws: %.0f, want at least 400; draw longer", e)
	}
	if o.Divergences > 0 {
		share := float64(o.Divergences) / float64(o.Transitions)
		warn(true, "%d of %d transitions diverged (%s): take smaller steps", o.Divergences, o.Transitions, percent(share))
	}
	warn(o.EBFMI < .3, "energies are explored slowly: E-BFMI is %.2f, want at least 0.3; change the mass or the variables", float64(o.EBFMI))
	if o.Transitions > 0 {
		share := float64(o.MaxDepthHits) / float64(o.Transitions)
		warn(share > .01, "%s of the trees reached the maximum depth: adapt the mass, or allow more depth", percent(share))
	}
	if !o.Unadjusted {
		warn(o.AcceptProb < .2, "%s of the proposals are accepted: take smaller steps", percent(float64(o.AcceptProb)))
		warn(o.AcceptProb >= .2 && o.MinAcceptProb < .02, "a chain accepts %s of its proposals, it hardly moves: take smaller steps", percent(float64(o.MinAcceptProb)))
	}
	for l, r := range o.SwapRates {
		warn(r < .1, "tempering levels %d and %d exchange in %s of the trials: add levels, or warm up longer", l, l+1, percent(float64(r)))
	}
	if t := float64(o.Temperature); math.Abs(t-1) > .05 && math.Abs(t-1) > 4*float64(o.TemperatureSE) {
		help := "draw longer, with more burn-in"
		if o.Unadjusted && t > 1 {
			help = "take smaller steps, or use MALA, which corrects for them"
		}
		warn(true, "the draws are as of temperature %.2f instead of 1: %s", t, help)
	}
	return w
}

// stuck reports chains that are each steady but disagree, or that are seen to stay in known modes.
func (o *Diagnostics) stuck() bool {
	limit := max(1.1, o.RHatLimit)
	if m := o.Modes; m != nil && len(m.Weights) > 1 && o.Draws >= 4 {
		off := m.Expected == nil || float64(m.TV) > math.Max(.05, 4*o.modeNoise())
		return m.Stuck > .5 && (off || o.MaxRHat > limit)
	}
	return o.Chains > 1 && o.MaxRHat > limit && o.WithinRHat < 1.05 && o.MaxRHat > 1.05*o.WithinRHat
}

// modeNoise is about the total variation that independent draws, as many as the effective ones, would show.
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

// percent writes a share, with digits enough to tell it from none.
func percent(p float64) string {
	if p < .01 {
		return fmt.Sprintf("%.2g %%", 100*p)
	}
	return fmt.Sprintf("%.0f %%", 100*p)
}
