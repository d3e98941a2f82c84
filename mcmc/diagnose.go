package mcmc

import (
	"encoding/json"
	"math"

	"gonum.org/v1/gonum/mat"
	"gonum.org/v1/gonum/stat"
)

// Number is a float64 whose JSON is null if it is NaN or infinite.
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

// Diagnostics collects what is known about how well chains mixed. Values that cannot be computed are NaN.
type Diagnostics struct {
	Sampler string `json:"sampler"`
	Chains  int    `json:"chains"`
	Draws   int    `json:"draws"` // per chain
	Dim     int    `json:"dim"`

	Quantities []Quantity `json:"quantities"` // coordinates, derived quantities, then the energy
	MaxRHat    Number     `json:"rhat"`       // over the quantities
	RHatLimit  Number     `json:"rhat_limit"` // limit of MaxRHat, see the function RHatLimit
	MinESSBulk Number     `json:"ess_bulk"`   // over the quantities
	MinESSTail Number     `json:"ess_tail"`   // over the quantities
	// largest split R̂ within single chains: near 1 if each chain is stationary
	WithinRHat Number `json:"rhat_within"`

	AcceptProb    Number     `json:"accept_prob"`    // mean
	MinAcceptProb Number     `json:"min_accept"`     // lowest mean of a chain
	Transitions   int        `json:"transitions"`    // all chains, after warm-up and burn-in
	Divergences   int        `json:"divergences"`    // how many of these diverged
	StepSize      Number     `json:"step_size"`      // as adapted, mean over blocks; at β = 1
	Evaluations   int        `json:"evaluations"`    // gradients per chain, summed, after warm-up and burn-in
	ESSPerGrad    Number     `json:"ess_per_grad"`   // MinESSBulk / Evaluations
	NotFinite     int        `json:"not_finite"`     // draws from chains that never found a finite energy
	EBFMI         Number     `json:"ebfmi"`          // lowest over the chains
	Temperature   Number     `json:"temperature"`    // effective: 1 for draws of exp(-E)
	TemperatureSE Number     `json:"temperature_se"` // its standard error
	TreeDepth     []int      `json:"tree_depth,omitempty"`
	MaxDepthHits  int        `json:"max_depth_hits"` // transitions that reached the maximum tree depth
	SwapRates     []Number   `json:"swap_rates,omitempty"`
	Betas         []float64  `json:"betas,omitempty"`
	Modes         *Modes     `json:"modes,omitempty"`
	Bias          string     `json:"bias,omitempty"` // why the sampler does not target exp(-E), if so
	Goal          Number     `json:"goal,omitempty"` // target acceptance of the step size; 0 if that was given
	MassAdapted   bool       `json:"mass_adapted,omitempty"`
	LeftOut       []LeftOut  `json:"left_out,omitempty"`   // chains whose starts warm-up abandoned, or left out
	OddChains     int        `json:"odd_chains,omitempty"` // chains that hardly move, or are far above the others
	Odd           []OddChain `json:"odd,omitempty"`        // the first of them
	Unadjusted    bool       `json:"unadjusted,omitempty"` // the sampler has no accept step
	// what helps, besides parallel tempering, if chains stay in their modes
	Cure string `json:"cure,omitempty"`

	// What the caller knows better. Exact says what draws are that are independent and exact, for the table; then few of
	// them are no fault. Setting is what sets the number of all draws, for warnings; "" means they are counted by chain.
	Exact   string `json:"exact,omitempty"`
	Setting string `json:"-"`
}

// Quantity holds the diagnostics of one quantity.
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

// KnownModes describes the modes of the target, for occupancies.
type KnownModes struct {
	Centres *mat.Dense            // one per row
	Weights []float64             // probabilities of the target; nil if unknown
	Assign  func(x []float64) int // the mode of a draw; nil means that of the nearest centre
}

func (m *KnownModes) assign(x []float64) int {
	if m.Assign != nil {
		return m.Assign(x)
	}
	return nearest(m.Centres, x)
}

// Modes describes how chains are distributed over known modes.
type Modes struct {
	Weights  []float64 `json:"weights"`            // share of the draws
	Expected []float64 `json:"expected,omitempty"` // from KnownModes
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
		Goal: Number(d.Goal), LeftOut: d.LeftOut,
		MaxRHat: nan, RHatLimit: 1.01, MinESSBulk: nan, MinESSTail: nan, WithinRHat: nan, ESSPerGrad: nan, EBFMI: nan,
		MinAcceptProb: nan,
	}
	out.kernels(d)
	out.chains(d)
	if d.Kept == 0 {
		return out
	}
	out.OddChains, out.Odd = odd(d)
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

// larger and smaller skip NaN.
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

// withinRHat returns R̂ with the variance between the halves of each chain instead of between all half chains: it is
// near 1 if no chain drifts, even if the chains are in different places.
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

// kernels reads the settings.
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
	if m, ok := innermost(d.Kernels[0]).(Massive); ok && o.adapted() {
		o.MassAdapted = m.Inertia() != nil
	}
	if t.MaxDepth > 0 && len(d.Depths) > t.MaxDepth {
		o.MaxDepthHits = d.Depths[t.MaxDepth]
	}
}

// chains summarises the transitions.
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
