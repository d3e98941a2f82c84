package fit

import (
	"cmp"
	"context"
	"fmt"
	"math"
	"math/rand/v2"

	"gonum.org/v1/gonum/floats"
	"gonum.org/v1/gonum/mat"
	"gonum.org/v1/gonum/stat"

	"github.com/stheno-ebm/stheno/datasets"
	"github.com/stheno-ebm/stheno/datasets/density"
	"github.com/stheno-ebm/stheno/energy"
	"github.com/stheno-ebm/stheno/objectives"
	"github.com/stheno-ebm/stheno/objectives/train"
)

// Requirements of a base.
const (
	basePatience = 15   // fiftieths of the steps without a better correction after which training ends
	fewestPoints = 50   // distinct points of a set that gets a base by default, or points where columns are discrete
	manyPoints   = 1000 // of a set of which a tenth suffices to compare corrections; of fewer, a fifth is held back
	earlyShare   = 0.2

	mostComponents = 24
	baseRows       = 5000 // to which a base is fitted at least, if there are as many
	mostBaseRows   = 50000
	// baseWork is rows × components × (columns + 5)² of one pass over the points, which takes some tenths of a second.
	baseWork = 3e8
)

// wantsBase reports whether the settings and the data suit a base, if none was requested or ruled out.
func (c *Config) wantsBase(src Source) bool {
	n := c.TrainPoints
	if points, ok := src.(*datasets.Points); ok {
		n = distinct(points.Matrix(), fewestPoints)
		if len(cellsOf(points.Matrix(), cmp.Or(c.Discrete, discreteAuto), true)) > 0 { // rows repeat
			n = points.Len()
		}
	} else if points, ok := src.(finitely); ok {
		n = points.Len()
	}
	m, err := c.method(objectives.Facts{})
	free := src.Dim() <= few || c.Bridge <= 0 && c.SpectralNorm == 0
	return err == nil && n >= fewestPoints && free && m.Traits().Levels == nil
}

// distinct counts the distinct rows of x, up to most.
func distinct(x *mat.Dense, most int) int {
	seen := make(map[string]bool)
	n, _ := x.Dims()
	for i := 0; i < n && len(seen) < most; i++ {
		seen[fmt.Sprint(x.RawRowView(i))] = true
	}
	return len(seen)
}

// checkBase rejects a base where there can be none.
func (c *Config) checkBase(src Source) error {
	if c.Base != On {
		return nil
	}
	switch {
	case c.Bridge > 0 && src.Dim() > few:
		return fieldErrorf("bridge", c.Bridge, "the weights of modes are those of the base; leave one of `bridge` and `base` out")
	case c.Objective != nil && c.Objective.Traits().Levels != nil:
		return fieldErrorf("base", true,
			"%s learns a density for every level of noise, and a base is one density; leave it out", c.Name)
	}
	if _, ok := src.(finitely); !ok && c.TrainPoints == 0 {
		return fieldErrorf("base", true, "%s is drawn from afresh at every step, and no points are held back that "+
			"would tell whether the network helps; it is for points", c.Dataset)
	}
	return nil
}

// tilts reports whether the network corrects the base. In few dimensions the network learns the density itself, and the
// base is what it has to beat: there, blurred data are close to all data, and a network is free of the lumps with which
// a mixture represents edges and curves, and which a correction has to undo. On 10 000 points of 4squares and 2spirals
// it reached 0.0074 and 0.019 nats, as a correction 0.013 and 0.022.
//
// Where there are discrete columns of few values, it is always a correction of the base, which has their probabilities.
func (c *Config) tilts(g *geometry) bool {
	return c.Base == On && (g.Dim > few || len(g.Cells.factors()) > 0)
}

// suitBase fills in settings that suit the correction of a base, which is easier to learn than a density. The weights
// have to be held back, of many points, too: KLs that it leaves of a log-normal in eight columns and of a coil in four,
// 3000 points each, are .45 and .071 nats, without weight decay .53 and .084.
func (c *Config) suitBase(def *Config, facts objectives.Facts) {
	def.Network, def.FirstGain, def.Hidden = baseNetwork, 1, []int{64, 64}
	if facts.Points >= objectives.ManyPoints {
		def.Hidden = []int{128, 128}
	}
	if c.Optimizer == "" || c.Optimizer == optimizerNames[1] {
		def.Optimizer, def.WeightDecay = optimizerNames[1], 0.3
	}
}

const baseNetwork = "mlp"

// heldShare is the share of the points, excluding the test points, that is held back for early stopping.
func (c *Config) heldShare(points int, g *geometry) float64 {
	switch {
	case c.Base != On:
	case !c.tilts(g): // they choose no step, only what is kept
		return math.Min(testShare, 2000/float64(points))
	case points < manyPoints:
		return earlyShare
	}
	return testShare
}

// fitBase fits the base to the training points: the mixture that BIC prefers, with tails. The points held back are not
// used: they serve to tell whether the network is better.
func (d *data) fitBase(c *Config) error {
	d.Share = 1
	if err := d.mixtureOf(c, d.train, density.MixtureConfig{}); err != nil {
		return err
	}
	return d.fitWarped(c)
}

// affordable is the number of points that a base is fitted to, and the most components that it may have, for one that
// takes seconds: all points and 24 components up to 43 000 points in seven columns, 50 000 of a million in two; of
// 2000 points in 300 columns one component.
func affordable(points, dim int) (rows, components int) {
	each := float64(dim+5) * float64(dim+5)
	rows = min(points, mostBaseRows, max(baseRows, int(baseWork/mostComponents/each)))
	return rows, max(1, min(mostComponents, int(baseWork/(each*float64(rows)))))
}

// evenly returns so many rows of x, evenly spaced.
func evenly(x *mat.Dense, rows int) *mat.Dense {
	n, dim := x.Dims()
	if rows >= n {
		return x
	}
	part := mat.NewDense(rows, dim, nil)
	for i := range rows {
		part.SetRow(i, x.RawRowView(i*n/rows))
	}
	return part
}

// affordableOf returns as many of points as are affordable, in the units of the network, and the most components.
func (d *data) affordableOf(points *mat.Dense) (x *mat.Dense, most int, err error) {
	rows, most := affordable(points.Dims())
	known, err := d.network(evenly(points, rows))
	if err != nil {
		return nil, 0, err
	}
	return known.Matrix(), most, nil
}

// mixtureOf makes the base a mixture with tails fitted to points, or to as many of them as are affordable.
func (d *data) mixtureOf(c *Config, points *mat.Dense, cfg density.MixtureConfig) (err error) {
	var x *mat.Dense
	if x, cfg.Most, err = d.affordableOf(points); err != nil {
		return err
	}
	rng := train.Stream(c.Seed, "base")
	if levels := d.levels(); levels != nil {
		err = d.fitMixed(x, levels, cfg, rng)
	} else if err = d.fitGaussians(x, cfg, rng); err == nil {
		d.Base, err = density.Tailed(d.untailed, x, cfg, rng)
	}
	if err != nil {
		return fieldErrorf("dataset", c.Dataset, "no base can be fitted to the points: %w; `base` false trains without one", err)
	}
	return nil
}

// fitGaussians fits the mixture without tails: anew, or from where it is if that was done before to some of the points.
func (d *data) fitGaussians(x *mat.Dense, cfg density.MixtureConfig, rng *rand.Rand) (err error) {
	if d.untailed != nil {
		d.untailed, err = density.Refit(d.untailed, x, cfg)
	} else {
		d.untailed, err = density.FitMixture(x, cfg, rng)
	}
	if err == nil {
		d.components, d.covariance = d.untailed.Components(), d.untailed.Parameters().Covariance
	}
	return err
}

// fitMixed is mixtureOf where columns have few values, points in the units of the network.
func (d *data) fitMixed(x *mat.Dense, levels []density.Levels, cfg density.MixtureConfig, rng *rand.Rand) error {
	m, err := density.FitMixed(x, levels, cfg, rng)
	if err != nil {
		return err
	}
	d.components, d.covariance = m.Components(), m.Gaussians().Parameters().Covariance
	if m, err = m.Contaminated(x); err != nil {
		return err
	}
	d.Base, d.Levels = m.Gaussians(), m.Levels()
	return d.mix()
}

// levels are the values of discrete columns of few values in the units of the network, nil if there are none.
func (d *data) levels() (levels []density.Levels) {
	for _, c := range d.Cells.factors() {
		l := density.Levels{Column: c.Column}
		for _, v := range c.Values {
			if s := d.Scaler; s != nil {
				v = (v - s.Mean[c.Column]) / s.Scale[c.Column]
			}
			l.Values = append(l.Values, v)
		}
		levels = append(levels, l)
	}
	return levels
}

// refitBase fits a mixture of the same kind to all points but the test points: if only the base is kept, there is no
// more need to hold points back.
func (d *data) refitBase(c *Config) error {
	var all mat.Dense
	all.Stack(d.train, d.early)
	err := d.mixtureOf(c, &all,
		density.MixtureConfig{Components: []int{d.components}, Covariances: []density.Covariance{d.covariance}})
	if err != nil || d.Warped == nil {
		return err
	}
	return d.refitWarped(&all)
}

// jittered returns points, each displaced by a draw from the component of the base that it belongs to, times a factor:
// the blur of a kernel density estimate that knew the local shape of the data.
type jittered struct {
	points train.Source
	base   basis
	factor float64
	warp   *density.Warp // after which the points are those of the base; nil: none
}

func (j *jittered) Dim() int { return j.base.Dim() }

func (j *jittered) Sample(dst *mat.Dense, rng *rand.Rand) {
	j.points.Sample(dst, rng)
	if j.warp != nil {
		j.warp.Straighten(dst, dst)
		defer j.warp.Bend(dst, dst)
	}
	n, d := dst.Dims()
	shares, noise := mat.NewDense(n, j.base.Components(), nil), make([]float64, d)
	j.base.Shares(shares, dst)
	for i := range n {
		cdf, row := shares.RawRowView(i), dst.RawRowView(i)
		j.base.SampleAround(noise, density.Pick(floats.CumSum(cdf, cdf), rng), rng)
		for k, v := range noise {
			row[k] += j.factor * v
		}
	}
}

// mostShare bounds λ, and shareSteps is how finely one is looked for.
const (
	mostShare  = 1.5
	shareSteps = 20
)

// corrections judges corrections of the base by the mean log density of the points held back under the tilted base,
// with log Z estimated as a mean over draws of the base, drawn once.
type corrections struct {
	params *energy.Params
	eval   *energy.Evaluator
	held   *mat.Dense
	draws  *mat.Dense
	fx, fy []float64 // f at both
}

// judged is a correction with the share λ of it that is best on the points held back.
type judged struct {
	Share, Gain, GainErr float64 // λ, the gain over the base in nats per point, and its standard error
}

// sure is the gain beyond chance. Steps and shares are chosen by it: a single point held back that a network happens to
// favour strongly makes a large gain, but a larger error.
func (j judged) sure() float64 { return j.Gain - j.GainErr }

func (m *Model) corrections() (*corrections, error) {
	t, ok := m.Network.(*energy.Tilted)
	if !ok || m.data.early == nil {
		return nil, nil
	}
	held, err := m.data.network(m.data.early)
	if err != nil {
		return nil, err
	}
	const draws = 8192
	c := &corrections{params: m.Params.Clone(), held: held.Matrix(), draws: mat.NewDense(draws, m.data.Dim, nil),
		fy: make([]float64, draws)}
	c.fx = make([]float64, held.Len())
	t.Base().Sample(c.draws, train.Stream(m.Config.Seed, "held base"))
	c.eval, err = energy.NewEvaluator(t.Alone(), c.params,
		energy.EvaluatorConfig{Batch: 1024, Precision: m.precision(), Threads: m.Config.cores()})
	return c, err
}

// judge finds the best share of the correction with weights theta. Its gain is below zero while there is nothing to
// gain yet.
func (c *corrections) judge(theta []float64) (best judged, err error) {
	best.Gain = -math.MaxFloat64
	c.params.Set(theta)
	if err := c.eval.Energies(c.fx, c.held); err != nil {
		return best, err
	}
	if err := c.eval.Energies(c.fy, c.draws); err != nil {
		return best, err
	}
	for k := 1; k <= mostShare*shareSteps; k++ {
		if j, ok := c.gain(float64(k) / shareSteps); ok && j.sure() > best.sure() {
			best = j
		}
	}
	return best, nil
}

// gain returns the gain of a share, and whether the draws of the base suffice to estimate log Z.
func (c *corrections) gain(share float64) (j judged, ok bool) {
	const enough = 100 // draws with weight
	mean, ss := 0.0, 0.0
	for _, f := range c.fx {
		mean += share * f / float64(len(c.fx))
	}
	for _, f := range c.fx {
		ss += (share*f - mean) * (share*f - mean)
	}
	top := math.Inf(-1)
	for _, f := range c.fy {
		top = math.Max(top, -share*f)
	}
	sum, squares := 0.0, 0.0
	for _, f := range c.fy {
		w := math.Exp(-share*f - top)
		sum += w
		squares += w * w
	}
	n, draws := float64(len(c.fx)), float64(len(c.fy))
	effective := sum * sum / squares
	j = judged{
		Share: share, Gain: -mean - (top + math.Log(sum/draws)),
		GainErr: math.Sqrt(ss/(n*math.Max(n-1, 1)) + math.Max(1/effective-1/draws, 0)),
	}
	return j, effective >= enough && !math.IsNaN(j.Gain)
}

// doubt is how many standard errors a gain must be above zero for a network to be kept. It is the best of many steps
// and shares: with one, networks were kept on mixtures of Gaussians, and after a single step.
const doubt = 2

// settleBase keeps as much of the network as helps on the points held back: nothing of a correction whose gain is
// within chance, and nothing of a network that has learnt the density itself, without these points choosing a step, if
// the base, or the warped one in its place, is better on them.
func (m *Model) settleBase(ctx context.Context, c *corrections) error {
	m.logZ = nil
	share, err := 0.0, error(nil)
	if c != nil {
		best, jerr := c.judge(m.Params.Data())
		if err = jerr; best.Gain > doubt*best.GainErr {
			share = best.Share
		}
	} else {
		share, err = m.againstBase(ctx)
	}
	if err != nil {
		return err
	}
	m.data.Share = share
	if share != 0 {
		return m.rebuild()
	}
	before := m.data.geometry
	if err := m.data.refitBase(&m.Config); err != nil {
		return err
	}
	if err := m.rebuild(); err != nil {
		return err
	}
	if energy.CheckParams(m.Network, m.Params) == nil {
		return nil
	}
	m.data.geometry = before // the new one has other components, of which a network with these weights cannot be built
	return m.rebuild()
}

// rebuild makes the energy of the base and the share that are kept, and forgets what was compiled and measured of the
// one before.
func (m *Model) rebuild() (err error) {
	m.Network, err = m.Config.build(m.Config.Objective.Traits(), m.data)
	m.density, m.logZ, m.compiled = nil, nil, newEvaluators()
	return err
}

// isBase reports whether nothing is kept but the base, whose integral is 1.
func (m *Model) isBase() bool {
	_, tilted := m.Network.(*energy.Tilted)
	return tilted && m.data.Share == 0
}

// againstBase is 1 if the points held back are likelier under the model than under its base by more than the standard
// error, else 0: one point that is very unlikely under the base decides nothing.
func (m *Model) againstBase(ctx context.Context) (float64, error) {
	x := m.data.early
	n, _ := x.Dims()
	own, base := make([]float64, n), make([]float64, n)
	if err := m.LogProb(ctx, own, x); err != nil {
		return 0, err
	}
	inUnits{m.data, m.data.basis()}.LogProb(base, x)
	if !likelier(own, base) {
		return 0, nil
	}
	if m.data.Warped != nil {
		inUnits{m.data, m.data.Warped}.LogProb(base, x)
		if floats.Sum(base) >= floats.Sum(own) {
			return 0, nil
		}
		m.data.Warped = nil
	}
	return 1, nil
}

// likelier reports whether log densities of points are larger than others of the same points by more than the standard
// error of the mean difference; not where one is NaN.
func likelier(logs, than []float64) bool {
	gain, std := stat.MeanStdDev(floats.SubTo(make([]float64, len(logs)), logs, than), nil)
	return gain > std/math.Sqrt(float64(len(logs)))
}

// Base describes the density that the model corrects, and returns the share of the correction that is kept; "" and 1 if
// there is none.
func (m *Model) Base() (words string, share float64) {
	b := m.data.Base
	if b == nil {
		return "", 1
	}
	k, beside := b.Components(), ""
	if n := len(m.data.Levels); n > 0 {
		beside = " with the probabilities of a discrete column"
		if n > 1 {
			beside = fmt.Sprintf(" with the probabilities of %d discrete columns", n)
		}
	}
	if k == 1 {
		return "a Gaussian" + beside, m.data.Share
	}
	return fmt.Sprintf("a mixture of %d Gaussians (%s)", k, b.Parameters().Covariance) + beside, m.data.Share
}
