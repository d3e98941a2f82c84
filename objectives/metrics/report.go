package metrics

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"math"
	"math/rand/v2"
	"slices"

	"gonum.org/v1/gonum/mat"
)

// Report is the object of `ebm eval --json`. A Value that is unknown (no exact density, too many dimensions) or
// infinite is null.
type Report struct {
	Dataset  string `json:"dataset"`
	Dim      int    `json:"dim"`
	LogZ     Value  `json:"log_z"`       // over the whole space
	LogZErr  Value  `json:"log_z_error"` // error bound of the quadrature, or standard error of the caller's estimate
	LogZBox  Value  `json:"log_z_box"`   // over the box of the distribution alone
	Leak     Value  `json:"leak"`        // mass of the model outside the box
	NLL      Value  `json:"nll"`         // −E log q on fresh test data, nats per sample
	NLLErr   Value  `json:"nll_se"`      // its standard error
	TrainNLL Value  `json:"train_nll"`   // the same on the training points, if any

	Baseline *Baseline `json:"baseline,omitempty"` // a density to compare with, on the same points

	Entropy   Value `json:"entropy"`    // of the data
	KL        Value `json:"kl"`         // KL(data‖model): by quadrature in 1-D and 2-D, else nll − entropy
	ReverseKL Value `json:"reverse_kl"` // KL(model‖data)
	TV        Value `json:"tv"`         // ½ ∫ |p − q|

	Fisher         Value `json:"fisher"`          // E_p |s_q − s_p|²
	FisherRelative Value `json:"fisher_relative"` // over E_p |s_p|²
	ScoreSlope     Value `json:"score_slope"`     // E_p s_q·s_p / E_p |s_p|²
	TestPoints     int   `json:"test_points"`

	Samples *SampleReport `json:"samples,omitempty"`
}

// Baseline is how well another density does on the test points.
type Baseline struct {
	Name   string `json:"name"`
	NLL    Value  `json:"nll"` // nats per sample
	NLLErr Value  `json:"nll_se"`
	// Difference is the NLL of the model minus this one, point by point: below zero the model is better.
	Difference    Value `json:"difference"`
	DifferenceErr Value `json:"difference_se"` // its standard error, with that of log Z
}

// Better reports whether the model is better than the baseline by more than the standard error of the difference.
func (b *Baseline) Better() bool { return float64(b.Difference) < -float64(b.DifferenceErr) }

// SampleReport holds the measures of samples.
type SampleReport struct {
	N              int       `json:"n"`
	MMD2           Value     `json:"mmd2"`            // unbiased, median bandwidth
	MMD2Narrow     Value     `json:"mmd2_narrow"`     // at a tenth of it
	EnergyDistance Value     `json:"energy_distance"` // ≥ 0, near its floor for true draws
	HistTV         Value     `json:"hist_tv"`         // 25×25 cells of the box against their exact masses
	ModeTV         Value     `json:"mode_tv"`         // ½ Σ |share − weight|
	Modes          int       `json:"modes"`           // modes with at least a tenth of their weight
	KnownModes     int       `json:"known_modes"`
	ModeShares     []float64 `json:"mode_shares,omitempty"`
	InHDR          Value     `json:"in_hdr99"`   // share inside the 99 % highest-density region of the data
	KSD            Value     `json:"ksd"`        // from the model's own score: are these samples of the model?
	KSDData        Value     `json:"ksd_data"`   // from the true score
	RHat           Value     `json:"rhat"`       // from the caller, largest over coordinates
	RHatLimit      Value     `json:"rhat_limit"` // from the caller: above it chains have not mixed
	ESS            Value     `json:"ess"`        // from the caller, smallest over coordinates
	Floor          Floor     `json:"floor"`
	Bandwidth      Value     `json:"bandwidth"` // of mmd2
}

// Floor holds the same measures for as many true draws as there are samples. MMD2 and MMD2Narrow average to zero; these
// are for a single set of draws. EnergyDistance is the root of its mean square, 2E|X−X'|/n. HistTV and ModeTV are means
// over eight sets. KSD is the mean value for independent draws from the model, KSDData that for true draws.
type Floor struct {
	MMD2           Value `json:"mmd2"`
	MMD2Narrow     Value `json:"mmd2_narrow"`
	EnergyDistance Value `json:"energy_distance"`
	EnergyLimit    Value `json:"energy_distance_limit"` // exceeded by true draws at a rate of FalseAlarms
	HistTV         Value `json:"hist_tv"`
	ModeTV         Value `json:"mode_tv"`
	Modes          int   `json:"modes"`
	InHDR          Value `json:"in_hdr99"`
	KSD            Value `json:"ksd"`
	KSDData        Value `json:"ksd_data"`
}

// LogZ is the caller's estimate of log ∫ exp(−E), say by annealed importance sampling.
type LogZ struct{ Value, StdErr float64 }

// Input is the input of Evaluate. Dataset, Truth and Energy are required.
type Input struct {
	Dataset  string
	Truth    Source
	Energy   Energy
	Gradient Gradient // nil: no Fisher divergence, no KSD of the model
	// OfPoints is the energy of test and training points where it is a different one with the same log Z, such as
	// that of cells of rounded values; nil: Energy.
	OfPoints Energy

	Test    *mat.Dense // test points; nil: TestPoints fresh draws of Truth
	Train   *mat.Dense // training points for train_nll; nil: none
	Samples *mat.Dense // draws from the model; nil: no report on samples

	// Scale is what columns are divided by before distances between samples are taken, so that none counts for its
	// unit; nil: 1.
	Scale []float64

	Baseline     LogProber // a density to compare with, normalised; nil: none
	BaselineName string

	// required for a likelihood in more than two dimensions; if given, no quadrature is done
	LogZ       *LogZ
	Quadrature QuadratureConfig // zero: the default
	TestPoints int              // 0 means 100 000
	RHat, ESS  float64          // from the sampler, copied to the report; 0 means unknown
	// bound on R̂ of independent draws in as many and as short chains (mcmc.RHatLimit); 0 means 1.01
	RHatLimit float64
}

func (in *Input) ofPoints() Energy {
	if in.OfPoints != nil {
		return in.OfPoints
	}
	return in.Energy
}

const floorDraws = 8

// Evaluate computes every measure that the input allows. It returns early, with ctx's error, when ctx is cancelled.
//
// If the entropy and the density of the data are known, the average of −log q over the test points uses −log p as a
// control variate: NLL = entropy + mean (log p − log q), the same quantity with a fraction of the noise. NLL − Entropy
// is thus a Monte Carlo estimate of KL, beside the exact one by quadrature.
func Evaluate(ctx context.Context, in Input, rng *rand.Rand) (*Report, error) {
	if in.Truth == nil || in.Energy == nil {
		return nil, errors.New("metrics: Evaluate needs Truth and Energy")
	}
	if in.TestPoints < 0 {
		return nil, fmt.Errorf("metrics: Input.TestPoints = %d, want >= 0", in.TestPoints)
	}
	d := in.Truth.Dim()
	for _, x := range []*mat.Dense{in.Test, in.Train, in.Samples} {
		if x != nil {
			if _, e := x.Dims(); e != d {
				return nil, fmt.Errorf("metrics: points of dimension %d for a distribution of dimension %d", e, d)
			}
		}
	}
	u := unknown()
	r := &Report{
		Dataset: in.Dataset, Dim: d,
		LogZ: u, LogZErr: u, LogZBox: u, Leak: u, NLL: u, NLLErr: u, TrainNLL: u,
		Entropy: u, KL: u, ReverseKL: u, TV: u, Fisher: u, FisherRelative: u, ScoreSlope: u,
	}
	test := in.Test
	if test == nil {
		n := cmp.Or(in.TestPoints, 100000)
		test = mat.NewDense(n, d, nil)
		in.Truth.Sample(test, rng)
	}
	r.TestPoints, _ = test.Dims()
	if e, ok := in.Truth.(Entropic); ok {
		r.Entropy = Value(e.Entropy())
	}
	for _, part := range []func(context.Context, Input, *mat.Dense, *rand.Rand) error{
		r.density, r.likelihood, r.scores, r.samples,
	} {
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		if err := part(ctx, in, test, rng); err != nil {
			return nil, err
		}
	}
	return r, nil
}

// density fills in log Z, the leak and the divergences on the grid.
func (r *Report) density(ctx context.Context, in Input, _ *mat.Dense, _ *rand.Rand) error {
	if in.LogZ != nil {
		r.LogZ, r.LogZErr = Value(in.LogZ.Value), Value(in.LogZ.StdErr)
		return nil
	}
	if r.Dim > 2 {
		return nil
	}
	lo, hi := in.Truth.Bounds()
	q, err := Integrate(ctx, in.Energy, lo, hi, in.Quadrature)
	if err != nil {
		return err
	}
	r.LogZ, r.LogZErr, r.LogZBox, r.Leak = Value(q.LogZ), Value(q.Err), Value(q.LogZBox), Value(q.Leak)
	p, ok := in.Truth.(LogProber)
	if !ok {
		return nil
	}
	logp, err := q.Grid.LogProbs(ctx, p)
	if err != nil {
		return err
	}
	logq := q.Energy
	for i, e := range logq {
		logq[i] = -e - q.LogZ
	}
	div := Divergences(q.Grid, logp, logq)
	r.KL, r.ReverseKL, r.TV = Value(div.KL), Value(div.ReverseKL), Value(div.TV)
	return nil
}

// likelihood fills in the NLL, and the KL where there is no grid.
func (r *Report) likelihood(ctx context.Context, in Input, test *mat.Dense, _ *rand.Rand) error {
	if !r.LogZ.Known() {
		return nil
	}
	if in.Train != nil {
		e, err := energies(ctx, in.ofPoints(), in.Train)
		if err != nil {
			return err
		}
		mean, _ := meanErr(e)
		r.TrainNLL = Value(mean) + r.LogZ
	}
	e, err := energies(ctx, in.ofPoints(), test)
	if err != nil {
		return err
	}
	if in.Baseline != nil {
		if err := r.baseline(ctx, in, e, test); err != nil {
			return err
		}
	}
	shift := float64(r.LogZ)
	if p, ok := in.Truth.(LogProber); ok && r.Entropy.Known() && in.Test == nil {
		logp, err := logProbs(ctx, p, test)
		if err != nil {
			return err
		}
		for i := range e {
			e[i] += logp[i]
		}
		shift += float64(r.Entropy)
	}
	mean, se := meanErr(e)
	r.NLL, r.NLLErr = Value(mean+shift), Value(se)
	if !r.KL.Known() && r.Dim > 2 {
		r.KL = r.NLL - r.Entropy
	}
	return nil
}

// baseline compares the energies e of the test points with the baseline.
func (r *Report) baseline(ctx context.Context, in Input, e []float64, test *mat.Dense) error {
	own, err := logProbs(ctx, in.Baseline, test)
	if err != nil {
		return err
	}
	gain := make([]float64, len(e))
	for i, v := range own {
		own[i] = -v
		gain[i] = e[i] + float64(r.LogZ) + v
	}
	b := &Baseline{Name: in.BaselineName}
	mean, se := meanErr(own)
	b.NLL, b.NLLErr = Value(mean), Value(se)
	mean, se = meanErr(gain)
	if r.LogZErr.Known() {
		se = math.Hypot(se, float64(r.LogZErr))
	}
	b.Difference, b.DifferenceErr = Value(mean), Value(se)
	r.Baseline = b
	return nil
}

// scores fills in the comparison of scores, on at most 20 000 test points.
func (r *Report) scores(ctx context.Context, in Input, test *mat.Dense, _ *rand.Rand) error {
	truth, ok := in.Truth.(Scorer)
	if in.Gradient == nil || !ok {
		return nil
	}
	n, _ := test.Dims()
	fit, err := Fisher(ctx, in.Gradient, truth, rowsOf(test, 0, min(n, 20000)))
	if err != nil {
		return err
	}
	r.Fisher, r.FisherRelative, r.ScoreSlope = Value(fit.Fisher), Value(fit.Relative), Value(fit.Slope)
	return nil
}

// samples fills in the report on samples and its floor.
func (r *Report) samples(ctx context.Context, in Input, test *mat.Dense, rng *rand.Rand) error {
	if in.Samples == nil {
		return nil
	}
	x := in.Samples
	n, d := x.Dims()
	if n < 2 {
		return fmt.Errorf("metrics: %d samples, want at least 2", n)
	}
	u := unknown()
	s := &SampleReport{
		N: n, MMD2: u, MMD2Narrow: u, EnergyDistance: u, HistTV: u, ModeTV: u, InHDR: u, KSD: u, KSDData: u, RHat: u,
		RHatLimit: u, ESS: u, Bandwidth: u,
		Floor: Floor{MMD2: u, MMD2Narrow: u, EnergyDistance: u, EnergyLimit: u, HistTV: u, ModeTV: u, InHDR: u, KSD: u,
			KSDData: u},
	}
	for i := range n {
		for _, v := range x.RawRowView(i) {
			if math.IsNaN(v) || math.IsInf(v, 0) {
				return fmt.Errorf("metrics: sample %d is %v, which is %w", i, x.RawRowView(i), ErrNonFinite)
			}
		}
	}
	if in.RHat != 0 {
		s.RHat, s.RHatLimit = Value(in.RHat), usualRHat
		if in.RHatLimit != 0 {
			s.RHatLimit = Value(in.RHatLimit)
		}
	}
	if in.ESS != 0 {
		s.ESS = Value(in.ESS)
	}
	r.Samples = s

	reference, draw := mat.NewDense(n, d, nil), mat.NewDense(n, d, nil)
	in.Truth.Sample(reference, rng)
	in.Truth.Sample(draw, rng)
	if err := s.twoSample(ctx, scaled(x, in.Scale), scaled(reference, in.Scale), scaled(draw, in.Scale)); err != nil {
		return err
	}
	s.limit(in, scaled(reference, in.Scale))
	if err := s.shape(ctx, in, x, draw, test, rng); err != nil {
		return err
	}
	return s.stein(ctx, in, x, draw)
}

func (s *SampleReport) twoSample(ctx context.Context, x, reference, draw *mat.Dense) error {
	h := MedianDistance(reference)
	if !(h > 0) {
		return nil // all points coincide: no scale
	}
	s.Bandwidth = Value(h)
	var sets [3]twoSample
	for i, m := range []*mat.Dense{reference, x, draw} {
		var err error
		if sets[i], err = newTwoSample(ctx, m, h); err != nil {
			return err
		}
	}
	got, err := sets[1].against(ctx, sets[0], h)
	if err != nil {
		return err
	}
	floor, err := sets[2].against(ctx, sets[0], h)
	if err != nil {
		return err
	}
	s.MMD2, s.MMD2Narrow, s.EnergyDistance = Value(got.MMD2), Value(got.MMD2Narrow), Value(got.Energy)
	s.Floor.MMD2, s.Floor.MMD2Narrow = Value(floor.MMD2), Value(floor.MMD2Narrow)
	// A single set of draws would say little: its energy distance varies by a third. The mean of its square is known.
	n, _ := sets[0].x.Dims()
	s.Floor.EnergyDistance = Value(math.Sqrt(2 / float64(n) * sets[0].within.dist / float64(n*(n-1)/2)))
	return nil
}

// shape fills in the histogram, the modes and the highest-density region.
func (s *SampleReport) shape(ctx context.Context, in Input, x, draw, test *mat.Dense, rng *rand.Rand) error {
	n, d := x.Dims()
	modal, hasModes := in.Truth.(Modal)
	prober, hasDensity := in.Truth.(LogProber)
	var g Grid
	var mass, weights []float64
	if hasDensity && d <= 2 {
		lo, hi := in.Truth.Bounds()
		g = NewGrid(lo, hi, HistogramCells)
		var err error
		if mass, err = CellMasses(ctx, in.Truth, g); err != nil {
			return err
		}
		s.HistTV, s.Floor.HistTV = Value(HistogramTV(g, mass, x)), 0
	}
	if hasModes {
		_, weights = modal.Modes()
		s.KnownModes = len(weights)
		s.ModeShares = ModeShares(modal, x)
		tv, found := ModeTV(s.ModeShares, weights)
		s.ModeTV, s.Modes, s.Floor.ModeTV = Value(tv), found, 0
	}
	if mass != nil || hasModes {
		y := mat.NewDense(n, d, nil)
		for range floorDraws {
			if err := ctx.Err(); err != nil {
				return err
			}
			in.Truth.Sample(y, rng)
			if mass != nil {
				s.Floor.HistTV += Value(HistogramTV(g, mass, y) / floorDraws)
			}
			if hasModes {
				tv, found := ModeTV(ModeShares(modal, y), weights)
				s.Floor.ModeTV += Value(tv / floorDraws)
				s.Floor.Modes = found
			}
		}
	}
	if !hasDensity {
		return nil
	}
	level, err := hdrLevel(ctx, prober, test)
	if err != nil {
		return err
	}
	for _, c := range []struct {
		dst *Value
		x   *mat.Dense
	}{{&s.InHDR, x}, {&s.Floor.InHDR, draw}} {
		share, err := shareAbove(ctx, prober, c.x, level)
		if err != nil {
			return err
		}
		*c.dst = Value(share)
	}
	return nil
}

// stein fills in the kernelised Stein discrepancies.
func (s *SampleReport) stein(ctx context.Context, in Input, x, draw *mat.Dense) error {
	n, d := x.Dims()
	n = min(n, maxKSD)
	x, draw = rowsOf(x, 0, n), rowsOf(draw, 0, n)
	score := mat.NewDense(n, d, nil)
	if in.Gradient != nil {
		if err := in.Gradient(make([]float64, n), score, x); err != nil {
			return err
		}
		score.Scale(-1, score)
		ksd, floor, err := KSD(ctx, x, score)
		if err != nil {
			return err
		}
		s.KSD, s.Floor.KSD = Value(ksd), Value(floor)
	}
	if truth, ok := in.Truth.(Scorer); ok {
		truth.Score(score, x)
		ksd, _, err := KSD(ctx, x, score)
		switch {
		case errors.Is(err, ErrNonFinite) || err == nil && impossible(in.Truth, x): // the discrepancy overflows
			ksd = math.NaN()
		case err != nil:
			return err
		}
		truth.Score(score, draw)
		floor, _, err := KSD(ctx, draw, score)
		if err != nil {
			return err
		}
		s.KSDData, s.Floor.KSDData = Value(ksd), Value(floor)
	}
	return nil
}

// hdrLevel returns the log-density that 99 % of the draws x from p reach.
func hdrLevel(ctx context.Context, p LogProber, x *mat.Dense) (float64, error) {
	logp, err := logProbs(ctx, p, x)
	if err != nil {
		return 0, err
	}
	slices.Sort(logp)
	return logp[len(logp)/100], nil
}

// shareAbove returns the share of the rows of x at which log p reaches the level.
func shareAbove(ctx context.Context, p LogProber, x *mat.Dense, level float64) (float64, error) {
	logp, err := logProbs(ctx, p, x)
	if err != nil {
		return 0, err
	}
	var in float64
	for _, l := range logp {
		if l >= level {
			in++
		}
	}
	return in / float64(len(logp)), nil
}

// LogZKnown reports whether log Z, and hence the likelihood, is reliable: from quadrature, or from annealed chains many
// of which have weight.
func (r *Report) LogZKnown() bool { return r.Dim <= 2 || r.LogZErr.Known() }

// usualRHat is the limit for long chains (Vehtari et al. 2021), and for reports without one.
const usualRHat = 1.01

// Limit returns RHatLimit, or 1.01 if it is unknown.
func (s *SampleReport) Limit() float64 {
	if s.RHatLimit > 0 {
		return float64(s.RHatLimit)
	}
	return usualRHat
}

// Mixed reports whether the chains that drew the samples mixed: R̂ is at most Limit, or unknown.
func (s *SampleReport) Mixed() bool { return !(float64(s.RHat) > s.Limit()) }

// impossible reports whether the true density of a row of x is zero: a sample so far out that the density underflows or
// the true score overflows.
func impossible(truth any, x *mat.Dense) bool {
	p, ok := truth.(LogProber)
	if !ok {
		return false
	}
	n, _ := x.Dims()
	logp := make([]float64, n)
	p.LogProb(logp, x)
	return slices.ContainsFunc(logp, func(l float64) bool { return math.IsInf(l, -1) })
}

// scaled is x with its columns divided by scale, x itself where that is nil.
func scaled(x *mat.Dense, scale []float64) *mat.Dense {
	if scale == nil {
		return x
	}
	var out mat.Dense
	out.Apply(func(_, j int, v float64) float64 { return v / scale[j] }, x)
	return &out
}
