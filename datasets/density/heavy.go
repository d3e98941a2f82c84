package density

import (
	"math"
	"math/rand/v2"
	"slices"

	"gonum.org/v1/gonum/floats"
	"gonum.org/v1/gonum/mat"
)

// heavyScales are the s of Tailed; those of a Student density of five degrees of freedom or more are within 0.6 and 4.
var heavyScales = []float64{0.64, 1, 1.57, 2.46, 3.9, 6, 9.5, 15}

const (
	mostHeavy   = 6    // components that are tried besides as many as the Gaussians
	heavyPasses = 60   // at most
	fewestHeavy = 1000 // points with which the search begins at least, if there are as many,
	heavyWork   = 1e8  // and points × (columns + 5)² of these at most
)

// Tailed returns the mixture m, which was fitted to the rows of x, or one with heavier tails: that of Contaminate, or a
// mixture of fewer components, each of which is a mixture of Gaussians of one centre and shape and several sizes,
//
//	p(x) = Σ_k w_k Σ_m v_m N(x; μ_k, s_m² Σ_k),
//
// with fixed s, and the weights v of these fitted along with the rest: a Student density is of this form, and so is
// every other that is elliptical and has a single peak. It is the one that BIC prefers. Gaussians need several
// components for what one of these has, and where they end, they end too soon.
//
// One step of expectation–maximisation takes the shares r_ikm of all, and divides those of a scale by s_m² in the sums
// of which means and covariances are made, so that points far out hardly count. (Lange, Little and Taylor, Robust
// statistical modeling using the t distribution, J. Am. Stat. Assoc. 84 (1989) 881–896; Peel and McLachlan, Robust
// mixture modelling using the t distribution, Stat. Comput. 10 (2000) 339–348; weights of fixed points in place of a
// law: Laird, Nonparametric maximum likelihood estimation of a mixing distribution, J. Am. Stat. Assoc. 73 (1978)
// 805–811.)
func Tailed(m *Mixture, x *mat.Dense, cfg MixtureConfig, rng *rand.Rand) (*Mixture, error) {
	plain, err := Contaminate(m, x)
	if err != nil {
		return nil, err
	}
	if err := cfg.Validate(); err != nil {
		return nil, err
	}
	z, u, err := standardise(x)
	if err != nil {
		return nil, err
	}
	n, d := x.Dims()
	free := m.free()
	if plain != m {
		free += 2
	}
	rows := rng.Perm(n)[:min(n, someFirst, max(fewestHeavy, int(heavyWork)/((d+5)*(d+5))))]
	best := heaviest(m, rowsOf(z, rows), u, cfg.withDefaults(n), rng)
	heavy, err := best.in(u)
	if part := rowsOf(x, rows); err != nil || bic(heavy, part, best.free()) <= bic(plain, part, free) {
		return plain, err
	}
	f := newEM(best.p.Covariance, cfg.withDefaults(n), z, priorOf(z))
	f.scales = heavyScales
	best, _, _ = f.climb(best, cfg.withDefaults(n).Tolerance, heavyPasses)
	heavy, err = best.in(u)
	if err != nil || bic(heavy, x, best.free()) <= bic(plain, x, free) {
		return plain, err
	}
	return heavy, nil
}

// bic is Schwarz's criterion of a mixture with so many free parameters, for all points together.
func bic(m *Mixture, x *mat.Dense, free int) float64 {
	n, _ := x.Dims()
	logp := make([]float64, n)
	m.LogProb(logp, x)
	return floats.Sum(logp) - 0.5*float64(free)*math.Log(float64(n))
}

// rowsOf returns the rows of x with these numbers.
func rowsOf(x *mat.Dense, rows []int) *mat.Dense {
	_, d := x.Dims()
	part := mat.NewDense(len(rows), d, nil)
	for i, row := range rows {
		part.SetRow(i, x.RawRowView(row))
	}
	return part
}

// heaviest is the best mixture with scales of the points z, in units u, by BIC: with 1 to mostHeavy components of full
// and of diagonal covariance, and with the components of m as the start.
func heaviest(m *Mixture, z *mat.Dense, u units, cfg MixtureConfig, rng *rand.Rand) (best *Mixture) {
	n, _ := z.Dims()
	prior, round, top := priorOf(z), rounded(z), math.Inf(-1)
	try := func(f *em, start *Mixture) {
		fit, logp, _ := f.climb(start, roughly, heavyPasses)
		if score := logp - 0.5*float64(fit.free())*math.Log(float64(n)); score > top {
			best, top = fit, score
		}
	}
	for _, kind := range []Covariance{Full, Diagonal} {
		f := newEM(kind, cfg, z, prior)
		f.scales = heavyScales
		var last *Mixture
		for k := 1; k <= min(mostHeavy, cfg.Most, max(1, n/pointsEach)); k++ {
			last = f.begin(round, last, k, cfg.Restarts, rng)
			try(f, last)
		}
		if m.p.Covariance == kind {
			p := m.Parameters()
			u.apply(&p)
			start := newMixture(p)
			start.tails = f.evenTails()
			try(f, start)
		}
	}
	return best
}

// evenTails are the weights of scales at the start.
func (f *em) evenTails() []float64 {
	return slices.Repeat([]float64{1 / float64(len(f.scales))}, len(f.scales))
}

// tailsOf are the weights of the scales; one of less than half a point is dropped.
func (f *em) tailsOf(s *statistics) []float64 {
	if f.scales == nil {
		return nil
	}
	if s.tails == nil {
		return f.evenTails()
	}
	v, sum := slices.Clone(s.tails), 0.0
	for i, w := range v {
		if w < 0.5 {
			v[i] = 0
		}
		sum += v[i]
	}
	for i := range v {
		v[i] /= sum
	}
	return v
}

// passTails is passBlock with scales.
func (f *em) passTails(m *Mixture, s *statistics, lo, hi int) {
	k, d := len(m.logw), m.p.Dim
	if s.count == nil {
		s.count, s.tails = make([]float64, k), make([]float64, len(f.scales))
	}
	room, logs, pull := make([]float64, 3*d), make([]float64, k), make([]float64, k)
	shares, logv := make([]float64, k*len(f.scales)), make([]float64, len(f.scales))
	for j, v := range m.tails {
		logv[j] = math.Log(v) - float64(d)*math.Log(f.scales[j])
	}
	for i := lo; i < hi; i++ {
		x, most := f.z.RawRowView(i), math.Inf(-1)
		for c, lw := range m.logw {
			own := shares[c*len(logv) : (c+1)*len(logv)]
			var log float64
			log, pull[c] = f.shares(own, logv, m.distance(room[:2*d], x, c, math.Inf(1)))
			if logs[c] = lw + log; logs[c] > most {
				most, f.best[i] = logs[c], int32(c)
			}
		}
		s.logp += normalise(logs)
		for c, r := range logs {
			if r <= 1e-9 {
				continue
			}
			s.point(f.kind, c, r*pull[c], x, m.p.Means[c*d:(c+1)*d], room[2*d:])
			s.count[c] += r
			for j, v := range shares[c*len(logv) : (c+1)*len(logv)] {
				s.tails[j] += r * v
			}
		}
	}
}

// shares stores the shares of the scales in a point at squared distance sq, and returns the log of
// Σ v s^-d exp(-sq/2s²), and the mean of 1/s² by the shares.
func (f *em) shares(dst, logv []float64, sq float64) (log, pull float64) {
	for j, s := range f.scales {
		dst[j] = logv[j] - sq/(2*s*s)
	}
	log = normalise(dst)
	for j, s := range f.scales {
		pull += dst[j] / (s * s)
	}
	return log, pull
}

// in is a mixture with scales, fitted in units u, as one of Gaussians in the units of the data.
func (m *Mixture) in(u units) (*Mixture, error) {
	p := Parameters{Dim: m.p.Dim, Covariance: m.p.Covariance}
	for j, v := range m.tails {
		if v == 0 {
			continue
		}
		for _, w := range m.p.Weights {
			p.Weights = append(p.Weights, w*v)
		}
		p.Means = append(p.Means, m.p.Means...)
		for _, l := range m.p.Factors {
			p.Factors = append(p.Factors, heavyScales[j]*l)
		}
	}
	u.undo(&p)
	return NewMixture(p)
}
