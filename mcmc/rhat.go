package mcmc

import (
	"math"
	"slices"
	"sort"

	"gonum.org/v1/gonum/dsp/fourier"
	"gonum.org/v1/gonum/mathext"
	"gonum.org/v1/gonum/stat"
	"gonum.org/v1/gonum/stat/distuv"
)

// The functions of this file take the draws of one quantity as chains[c][t], chains of equal length, and agree with R's
// package posterior, except for the effective sample sizes of many short chains (replicated). They return NaN if draws
// are not finite, all equal, or too few.
//
// Vehtari, Gelman, Simpson, Carpenter and Bürkner, Rank-normalization, folding, and localization: an improved R̂ for
// assessing convergence of MCMC, Bayesian Analysis 16 (2021) 667–718.

// RHat returns the rank-normalised split R̂, the larger of that of the draws (location) and that of the draws folded
// about their median (scale). Above [RHatLimit] the chains have not mixed.
func RHat(chains [][]float64) float64 {
	if unusable(chains) {
		return math.NaN()
	}
	bulk := rhat(rankNormal(split(chains)))
	tail := rhat(rankNormal(split(folded(chains))))
	return math.Max(bulk, tail)
}

// RHatBasic returns the split R̂ of the draws themselves, without ranks.
func RHatBasic(chains [][]float64) float64 {
	if unusable(chains) {
		return math.NaN()
	}
	return rhat(split(chains))
}

// ESSBulk returns the effective sample size of the rank-normalised draws, for their location.
func ESSBulk(chains [][]float64) float64 {
	if unusable(chains) {
		return math.NaN()
	}
	return ess(rankNormal(split(chains)))
}

// ESSTail returns the smaller of the effective sample sizes for the 5 % and the 95 % quantile.
func ESSTail(chains [][]float64) float64 {
	a, b := ESSQuantile(chains, .05), ESSQuantile(chains, .95)
	if math.IsNaN(a) || math.IsNaN(b) {
		return math.NaN()
	}
	return min(a, b)
}

// ESSQuantile returns the effective sample size for the p quantile, 0 < p < 1.
func ESSQuantile(chains [][]float64, p float64) float64 {
	if !(p > 0 && p < 1) {
		panic("mcmc: a quantile is not between 0 and 1")
	}
	if unusable(chains) {
		return math.NaN()
	}
	q := quantile(sorted(chains), p)
	return ess(split(apply(chains, func(v float64) float64 {
		if v <= q {
			return 1
		}
		return 0
	})))
}

// ESSMean returns the effective sample size for the mean.
func ESSMean(chains [][]float64) float64 {
	if unusable(chains) {
		return math.NaN()
	}
	return ess(split(chains))
}

// MCSEMean returns the Monte Carlo standard error of the mean.
func MCSEMean(chains [][]float64) float64 {
	_, sd := moments(chains)
	return sd / math.Sqrt(ESSMean(chains))
}

// MCSEStd returns the Monte Carlo standard error of the standard deviation.
func MCSEStd(chains [][]float64) float64 {
	mean, _ := moments(chains)
	sq := apply(chains, func(v float64) float64 { return (v - mean) * (v - mean) })
	var m2, m4, n float64
	for _, c := range sq {
		for _, v := range c {
			n++
			m2 += v
			m4 += v * v
		}
	}
	m2, m4 = m2/n, m4/n
	return math.Sqrt((m4 - m2*m2) / ESSMean(sq) / m2 / 4)
}

// MCSEQuantile returns the Monte Carlo standard error of the p quantile: half the width of the 68 % interval of its
// order statistic.
func MCSEQuantile(chains [][]float64, p float64) float64 {
	n := ESSQuantile(chains, p)
	if math.IsNaN(n) {
		return math.NaN()
	}
	s := sorted(chains)
	at := func(prob float64) float64 { return mathext.InvRegIncBeta(n*p+1, n*(1-p)+1, prob) * float64(len(s)) }
	lo := max(int(math.Floor(at(0.1586553))), 1)
	hi := min(int(math.Ceil(at(0.8413447))), len(s))
	return (s[hi-1] - s[lo-1]) / 2
}

// rhat returns √((B/W + n - 1)/n), n draws per chain.
func rhat(chains [][]float64) float64 {
	n := float64(len(chains[0]))
	means := make([]float64, len(chains))
	var within float64
	for c, x := range chains {
		var v float64
		means[c], v = stat.MeanVariance(x, nil)
		within += v / float64(len(chains))
	}
	between := n * stat.Variance(means, nil)
	return math.Sqrt((between/within + n - 1) / n)
}

// ess returns the effective sample size of split chains by Geyer's initial monotone sequence over the autocovariances
// of all of them.
func ess(chains [][]float64) float64 {
	n := len(chains[0])
	if n < 3 || unusable(chains) {
		return math.NaN()
	}
	m := len(chains)
	if n < 6 && m >= 2*100 {
		return replicated(chains)
	}
	acov := make([]float64, n) // mean over the chains
	means := make([]float64, m)
	f := newAutocovariance(n)
	for c, x := range chains {
		means[c] = stat.Mean(x, nil)
		f.add(acov, x, means[c])
	}
	for t := range acov {
		acov[t] /= float64(m)
	}
	nn := float64(n)
	meanVar := acov[0] * nn / (nn - 1)
	plus := acov[0]
	if m > 1 {
		plus += stat.Variance(means, nil)
	}
	at := func(t int) float64 { return 1 - (meanVar-acov[t])/plus }
	rho := make([]float64, n+1)
	even, odd := 1.0, at(1)
	rho[0], rho[1] = even, odd
	t := 0
	for t < n-5 && even+odd > 0 {
		t += 2
		even, odd = at(t), at(t+1)
		if even+odd >= 0 {
			rho[t], rho[t+1] = even, odd
		}
	}
	last := t
	if even > 0 {
		rho[last] = even
	}
	for t := 2; t <= last-2; t += 2 {
		if rho[t]+rho[t+1] > rho[t-2]+rho[t-1] {
			rho[t] = (rho[t-2] + rho[t-1]) / 2
			rho[t+1] = rho[t]
		}
	}
	tau := -1 + rho[last]
	for _, r := range rho[:max(last, 1)] {
		tau += 2 * r
	}
	total := float64(m) * nn
	return total / max(tau, 1/math.Log10(total))
}

// replicated returns the effective sample size N s²/(n v) of chains of n draws, N in all: s² is the variance of the
// draws, v that of the means of the chains, with relative error √(2/chains). The first halves of the chains come first.
//
// Geyer's sequence takes pairs of lags from the second on, for which halves of fewer than six draws are too short: all
// that is left of it is N/2, however correlated the draws are.
//
// Argon and Andradóttir, Replicated batch means for steady-state simulations, Naval Research Logistics 53 (2006)
// 508–524.
func replicated(halves [][]float64) float64 {
	m := len(halves) / 2
	means := make([]float64, m)
	for c := range means {
		means[c] = (stat.Mean(halves[c], nil) + stat.Mean(halves[m+c], nil)) / 2
	}
	_, sd := moments(halves)
	total := float64(2 * m * len(halves[0]))
	return math.Min(float64(m)*sd*sd/stat.Variance(means, nil), total*math.Log10(total))
}

// autocovariance accumulates autocovariances by fast Fourier transforms of one length.
type autocovariance struct {
	fft  *fourier.FFT
	seq  []float64
	coef []complex128
}

func newAutocovariance(n int) *autocovariance {
	m := 1
	for m < 2*n {
		m *= 2
	}
	return &autocovariance{fft: fourier.NewFFT(m), seq: make([]float64, m), coef: make([]complex128, m/2+1)}
}

// add adds Σ_s (x_s - mean)(x_{s+t} - mean)/n to dst[t].
func (a *autocovariance) add(dst, x []float64, mean float64) {
	clear(a.seq)
	for i, v := range x {
		a.seq[i] = v - mean
	}
	a.fft.Coefficients(a.coef, a.seq)
	for i, c := range a.coef {
		a.coef[i] = complex(real(c)*real(c)+imag(c)*imag(c), 0)
	}
	a.fft.Sequence(a.seq, a.coef)
	scale := 1 / (float64(len(a.seq)) * float64(len(x)))
	for t := range dst {
		dst[t] += a.seq[t] * scale
	}
}

// split divides each chain in halves, dropping the middle draw of an odd number.
func split(chains [][]float64) [][]float64 {
	n := len(chains[0])
	if n == 1 {
		return chains
	}
	out := make([][]float64, 0, 2*len(chains))
	for _, c := range chains {
		out = append(out, c[:n/2])
	}
	for _, c := range chains {
		out = append(out, c[(n+1)/2:])
	}
	return out
}

// rankNormal replaces each draw by Φ⁻¹((r - 3/8)/(S + 1/4)), r its rank among all S draws, ties sharing the mean rank.
func rankNormal(chains [][]float64) [][]float64 {
	all := sorted(chains)
	s := float64(len(all))
	z := make([]float64, len(all)) // normal score by position
	for i := 0; i < len(all); {
		j := i + 1
		for j < len(all) && all[j] == all[i] {
			j++
		}
		q := distuv.UnitNormal.Quantile((float64(i+1+j)/2 - 3./8) / (s + 1./4))
		for ; i < j; i++ {
			z[i] = q
		}
	}
	return apply(chains, func(v float64) float64 { return z[sort.SearchFloat64s(all, v)] })
}

// folded returns |x - median|.
func folded(chains [][]float64) [][]float64 {
	m := quantile(sorted(chains), .5)
	return apply(chains, func(v float64) float64 { return math.Abs(v - m) })
}

func apply(chains [][]float64, f func(float64) float64) [][]float64 {
	out := make([][]float64, len(chains))
	for c, x := range chains {
		out[c] = make([]float64, len(x))
		for t, v := range x {
			out[c][t] = f(v)
		}
	}
	return out
}

func sorted(chains [][]float64) []float64 {
	all := slices.Concat(chains...)
	slices.Sort(all)
	return all
}

// quantile interpolates linearly between order statistics (type 7 of Hyndman and Fan).
func quantile(sorted []float64, p float64) float64 {
	at := p * float64(len(sorted)-1)
	lo := math.Floor(at)
	h := at - lo
	v := sorted[int(lo)]
	if h == 0 || int(lo)+1 == len(sorted) {
		return v
	}
	return (1-h)*v + h*sorted[int(lo)+1]
}

func moments(chains [][]float64) (mean, sd float64) {
	var n, m2 float64
	for _, c := range chains {
		for _, v := range c {
			n++
			d := v - mean
			mean += d / n
			m2 += d * (v - mean)
		}
	}
	return mean, math.Sqrt(m2 / (n - 1))
}

// unusable reports draws that are absent, not finite, or all equal.
func unusable(chains [][]float64) bool {
	if len(chains) == 0 || len(chains[0]) == 0 {
		return true
	}
	lo, hi := math.Inf(1), math.Inf(-1)
	for _, c := range chains {
		if len(c) != len(chains[0]) {
			panic("mcmc: chains of different lengths")
		}
		for _, v := range c {
			if math.IsNaN(v) || math.IsInf(v, 0) {
				return true
			}
			lo, hi = min(lo, v), max(hi, v)
		}
	}
	return hi-lo < 0x1p-52
}
