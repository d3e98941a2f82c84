package density

import (
	"cmp"
	"errors"
	"fmt"
	"math"
	"math/rand/v2"
	"slices"

	"gonum.org/v1/gonum/mat"
)

// Criterion is the criterion by which a mixture is chosen.
type Criterion int

// The criteria. The zero value is BIC.
const (
	// BIC is Schwarz's criterion, Σ_i log p(x_i) - ½ k log n, k the number of free parameters. (Schwarz, Estimating
	// the dimension of a model, Ann. Statist. 6 (1978) 461–464.)
	BIC Criterion = iota
	// HeldOut is the likelihood of held-out points by five-fold cross-validation. It takes five times as long, and does
	// not require more points than parameters.
	HeldOut
)

// MixtureConfig says which mixtures a fit chooses from, and how.
type MixtureConfig struct {
	Components  []int        // candidate numbers of components; none means 1 to Most, with at least five points each
	Most        int          // largest number tried if Components has none; 0 means 24
	Covariances []Covariance // candidate kinds: Full, Tied and Diagonal; none means all
	Criterion   Criterion    // 0 means BIC
	Restarts    int          // starts per candidate, of which the best is continued; 0 means 4
	Shrink      float64      // weight of the prior on a covariance, in points; 0 means 0.01
	Tolerance   float64      // iteration stops when a pass gains less, in nats per point; 0 means 1e-4

	levels []Levels // of the columns that are discrete, see FitMixed
}

const (
	mostComponents = 24
	pointsEach     = 5
	folds          = 5
	someFirst      = 4000 // points: if there are more, this many are used first
	firstPasses    = 10   // passes before starts are compared
	roughly        = 1e-4 // minimum tolerance until the mixture is chosen; if a subset is used first,
	moreRoughly    = 5e-4 // this one on the subset,
	fewPasses      = 3    // then this many passes over all,
	morePasses     = 12   // and this many more for contenders
	mostPasses     = 500
	contenders     = 4
	ofKind         = 3   // candidates of each kind get a second round of starts, if that is cheap,
	secondLeast    = 3   // with at least this many times as many,
	secondMost     = 60  // at most this many times,
	secondWork     = 2e7 // and points × components × (dimensions + 5)² × times at most this
)

func (c MixtureConfig) withDefaults(n int) MixtureConfig {
	c.Most = cmp.Or(c.Most, mostComponents)
	if len(c.Components) == 0 {
		for k := 1; k <= max(1, min(c.Most, n/pointsEach)); k++ {
			c.Components = append(c.Components, k)
		}
	}
	if len(c.Covariances) == 0 {
		c.Covariances = []Covariance{Full, Tied, Diagonal}
	}
	c.Restarts = cmp.Or(c.Restarts, 4)
	c.Shrink = cmp.Or(c.Shrink, 0.01)
	c.Tolerance = cmp.Or(c.Tolerance, 1e-4)
	return c
}

// Validate names every invalid field.
func (c MixtureConfig) Validate() error {
	var errs []error
	for _, k := range c.Components {
		if k < 1 {
			errs = append(errs, fmt.Errorf("density: MixtureConfig.Components has %d, want at least 1", k))
		}
	}
	if c.Most < 0 {
		errs = append(errs, fmt.Errorf("density: MixtureConfig.Most = %d, want >= 0", c.Most))
	}
	for _, kind := range c.Covariances {
		if kind != Full && kind != Tied && kind != Diagonal {
			errs = append(errs, fmt.Errorf("density: MixtureConfig.Covariances has %v, want full, tied or diagonal",
				kind))
		}
	}
	if c.Criterion != BIC && c.Criterion != HeldOut {
		errs = append(errs, fmt.Errorf("density: MixtureConfig.Criterion = %d, want BIC or HeldOut", c.Criterion))
	}
	if c.Restarts < 0 {
		errs = append(errs, fmt.Errorf("density: MixtureConfig.Restarts = %d, want >= 0", c.Restarts))
	}
	if !(c.Shrink >= 0) || math.IsInf(c.Shrink, 1) {
		errs = append(errs, fmt.Errorf("density: MixtureConfig.Shrink = %g, want >= 0", c.Shrink))
	}
	if !(c.Tolerance >= 0) {
		errs = append(errs, fmt.Errorf("density: MixtureConfig.Tolerance = %g, want >= 0", c.Tolerance))
	}
	return errors.Join(errs...)
}

// Candidate is a mixture that was tried.
type Candidate struct {
	Mixture *Mixture
	LogProb float64 // mean log p of the points it was fitted to
	Score   float64 // value of the criterion, in nats per point: larger is better
}

// FitMixture fits mixtures to the rows of x and returns the best. The same x, settings and rng give the same mixture,
// for any GOMAXPROCS. Points that are all equal, in all or some coordinates, have no density: the error is a
// *SingularError.
func FitMixture(x *mat.Dense, cfg MixtureConfig, rng *rand.Rand) (*Mixture, error) {
	tried, err := Search(x, cfg, rng)
	if err != nil {
		return nil, err
	}
	return tried[0].Mixture, nil
}

// Search fits mixtures to the rows of x like FitMixture and returns all of them, best first; the others are fitted less
// tightly.
func Search(x *mat.Dense, cfg MixtureConfig, rng *rand.Rand) ([]Candidate, error) {
	if err := errors.Join(cfg.Validate(), checkPoints(x)); err != nil {
		return nil, err
	}
	n, _ := x.Dims()
	cfg = cfg.withDefaults(n)
	if most := slices.Max(cfg.Components); most > n {
		return nil, fmt.Errorf("density: a mixture of %d components for %d points, want at most one for every point",
			most, n)
	}
	z, u, err := standardise(x)
	if err != nil {
		return nil, err
	}
	cfg.levels = u.levels(cfg.levels)
	tried := search(z, cfg, secondMost, rng)
	if cfg.Criterion == HeldOut && n > 1 {
		judge(tried, z, cfg, rng)
	}
	simplestFirst(tried, n)
	polish(&tried[0], z, cfg)
	logDet := 0.0
	for _, s := range u.sd {
		logDet += math.Log(s)
	}
	for i := range tried {
		t := &tried[i]
		t.LogProb -= logDet
		t.Score -= logDet
		u.undo(&t.Mixture.p)
		levels := t.Mixture.levels
		t.Mixture = newMixture(t.Mixture.p)
		t.Mixture.levels = levels
	}
	return tried, nil
}

// simplestFirst orders candidates, but among those within one nat of the best over all points together, which is "not
// worth more than a bare mention", it puts the one with the fewest parameters first.
//
// Kass and Raftery, Bayes factors, J. Am. Stat. Assoc. 90 (1995) 773–795, section 3.2.
func simplestFirst(tried []Candidate, n int) {
	slices.SortStableFunc(tried, better)
	first := 0
	for i, t := range tried {
		if float64(n)*(tried[0].Score-t.Score) < 1 && t.Mixture.free() < tried[first].Mixture.free() {
			first = i
		}
	}
	best := tried[first]
	copy(tried[1:first+1], tried[:first])
	tried[0] = best
}

// better orders candidates by decreasing score.
func better(a, b Candidate) int { return cmp.Compare(b.Score, a.Score) }

// scoreBIC sets the score to the mean log-density minus ½ k/n log n, with k the number of free parameters.
func (c *Candidate) scoreBIC(n int) {
	c.Score = c.LogProb - 0.5*float64(c.Mixture.free())*math.Log(float64(n))/float64(n)
}

// free returns the number of free parameters.
func (m *Mixture) free() int {
	k, d := len(m.logw), m.p.Dim
	free := k - 1 + k*d + m.p.Covariance.free(k, d)
	if m.tails != nil {
		free--
	}
	for _, v := range m.tails {
		if v > 0 {
			free++
		}
	}
	if m.levels != nil { // of the Gaussians of the discrete columns none counts, but their probabilities do
		free -= k*len(m.levels) + m.p.Covariance.free(k, len(m.levels))
		for _, l := range m.levels {
			free += k * (len(l.Values) - 1)
		}
	}
	return free
}

// again gives the best candidates of every kind a second round of starts, at most most times as many. They are taken by
// kind, since a kind whose optimum few starts find would otherwise lose to several others: of 103 fits of 138 points in
// 13 columns (wine) eight chose a mixture whose score was up to six nats below what the others found, and none does if
// each kind has three.
func again(tried []Candidate, z *mat.Dense, cfg MixtureConfig, most int, rng *rand.Rand) {
	n, d := z.Dims()
	round, prior := rounded(z), priorOf(z)
	for _, i := range bestOfKinds(tried) {
		t := &tried[i]
		k := len(t.Mixture.logw)
		times := min(most, max(secondLeast, int(secondWork)/(n*k*(d+5)*(d+5))))
		f := newEM(t.Mixture.p.Covariance, cfg, z, prior)
		m, logp, _ := f.climb(f.begin(round, nil, k, times*cfg.Restarts, rng), roughly, mostPasses)
		if c := (Candidate{Mixture: m, LogProb: logp / float64(n)}); c.LogProb > t.LogProb {
			c.scoreBIC(n)
			*t = c
		}
	}
}

// follow runs some more passes for the best candidates.
func follow(tried []Candidate, z *mat.Dense, cfg MixtureConfig) {
	n, _ := z.Dims()
	prior := priorOf(z)
	for _, i := range contendersOf(tried) {
		t := &tried[i]
		f := newEM(t.Mixture.p.Covariance, cfg, z, prior)
		m, logp, _ := f.climb(t.Mixture, roughly, morePasses)
		*t = Candidate{Mixture: m, LogProb: logp / float64(n)}
		t.scoreBIC(n)
	}
}

// contendersOf returns the indices of the best candidates.
func contendersOf(tried []Candidate) []int {
	order := ranked(tried)
	return order[:min(contenders, len(order))]
}

// ranked returns the indices of candidates, the best first.
func ranked(tried []Candidate) []int {
	order := make([]int, len(tried))
	for i := range order {
		order[i] = i
	}
	slices.SortStableFunc(order, func(a, b int) int { return better(tried[a], tried[b]) })
	return order
}

// bestOfKinds returns the indices of the best candidates of every kind.
func bestOfKinds(tried []Candidate) (best []int) {
	seen := map[Covariance]int{}
	for _, i := range ranked(tried) {
		kind := tried[i].Mixture.p.Covariance
		if seen[kind]++; seen[kind] <= ofKind {
			best = append(best, i)
		}
	}
	return best
}

// polish iterates the best candidate to the tolerance.
func polish(c *Candidate, z *mat.Dense, cfg MixtureConfig) {
	n, _ := z.Dims()
	f := newEM(c.Mixture.p.Covariance, cfg, z, priorOf(z))
	m, logp, _ := f.climb(c.Mixture, cfg.Tolerance, mostPasses)
	gain := logp/float64(n) - c.LogProb
	c.Mixture, c.LogProb = m, c.LogProb+gain
	if cfg.Criterion == BIC {
		c.Score += gain
	}
}

// judge replaces the scores by the mean log-density of held-out points.
func judge(tried []Candidate, z *mat.Dense, cfg MixtureConfig, rng *rand.Rand) {
	n, d := z.Dims()
	parts, order := min(folds, n), rng.Perm(n)
	for i := range tried {
		tried[i].Score = 0
	}
	for part := range parts {
		lo, hi := part*n/parts, (part+1)*n/parts
		out, in := mat.NewDense(hi-lo, d, nil), mat.NewDense(n-hi+lo, d, nil)
		for i, row := range order {
			switch {
			case i < lo:
				in.SetRow(i, z.RawRowView(row))
			case i < hi:
				out.SetRow(i-lo, z.RawRowView(row))
			default:
				in.SetRow(i-hi+lo, z.RawRowView(row))
			}
		}
		logp := make([]float64, hi-lo)
		for i, t := range search(in, cfg, secondLeast, rng) {
			t.Mixture.LogProb(logp, out)
			for _, v := range logp {
				tried[i].Score += v / float64(n)
			}
		}
	}
}

// priorOf returns C, the covariance of points in standardised units plus a little of the identity to make it positive
// definite.
func priorOf(z *mat.Dense) *mat.SymDense {
	n, d := z.Dims()
	c := moment(z)
	least := 1e-6 + float64(d)/float64(n+d)*1e-3
	c.ScaleSym(1-least, c)
	for j := range d {
		c.SetSym(j, j, c.At(j, j)+least)
	}
	return c
}

// search fits every candidate to points in standardised units, kind by kind and by increasing number of components; see
// again for most.
func search(z *mat.Dense, cfg MixtureConfig, most int, rng *rand.Rand) (tried []Candidate) {
	n, d := z.Dims()
	prior := priorOf(z)
	some := z
	if n > someFirst {
		some = mat.NewDense(someFirst, d, nil)
		for i, row := range rng.Perm(n)[:someFirst] {
			some.SetRow(i, z.RawRowView(row))
		}
	}
	round := rounded(some)
	for _, kind := range cfg.Covariances {
		var last *Mixture
		for _, k := range slices.Compact(slices.Sorted(slices.Values(cfg.Components))) {
			few, all := newEM(kind, cfg, some, prior), newEM(kind, cfg, z, prior)
			m := few.begin(round, last, k, cfg.Restarts, rng)
			passes := mostPasses
			if some != z {
				m, _, _ = few.climb(m, moreRoughly, mostPasses)
				passes = fewPasses
			}
			m, logp, _ := all.climb(m, roughly, passes)
			last = m
			c := Candidate{Mixture: m, LogProb: logp / float64(n)}
			c.scoreBIC(n)
			tried = append(tried, c)
		}
	}
	if n <= someFirst {
		again(tried, z, cfg, most, rng)
	} else {
		follow(tried, z, cfg)
	}
	return tried
}

// begin returns the best of some starts with k components: clusters of the points, clusters in coordinates in which
// they are whitened, and two kinds of split of the previous mixture, last, if it has one component fewer.
func (f *em) begin(round *mat.Dense, last *Mixture, k, restarts int, rng *rand.Rand) *Mixture {
	rows, _ := f.z.Dims()
	k = min(k, rows)
	var best *Mixture
	top := math.Inf(-1)
	for r := range restarts {
		var m *Mixture
		if last != nil && len(last.logw) == k-1 && r%4 >= 2 {
			m = f.halved(last, r%4 == 2, rng)
		}
		if m == nil {
			x := f.z
			if r%2 == 1 {
				x = round
			}
			m = f.divided(cluster(x, k, rng), k)
		}
		m, _, height := f.climb(m, roughly, firstPasses)
		if height > top {
			best, top = m, height
		}
		if k == 1 {
			break
		}
	}
	return best
}

// rounded returns the rows of z whitened.
func rounded(z *mat.Dense) *mat.Dense {
	n, d := z.Dims()
	f := newEM(Full, MixtureConfig{Shrink: 1}, z, priorOf(z))
	whole, out, room := f.divided(make([]int, n), 1), mat.NewDense(n, d, nil), make([]float64, 2*d)
	for i := range n {
		whole.distance(room, z.RawRowView(i), 0, math.Inf(1))
		out.SetRow(i, room[:d])
	}
	return out
}
