package objectives

import (
	"errors"
	"fmt"
	"math"
	"math/rand/v2"
	"strings"

	"gonum.org/v1/gonum/floats"
	"gonum.org/v1/gonum/mat"

	"github.com/stheno-ebm/stheno/energy"
)

// Noise is a normalised density with a sampler. *energy.Mixture is one. Those of this package may be used by several goroutines at a
// time, as mcmc.Jumping asks.
type Noise interface {
	// Sample fills the rows of dst with independent draws.
	Sample(dst *mat.Dense, rng *rand.Rand)

	// LogProb stores log q of the rows of x in dst.
	LogProb(dst []float64, x *mat.Dense)
}

var (
	_ Noise = (*Gaussian)(nil)
	_ Noise = (*Box)(nil)
	_ Noise = (*Blend)(nil)
	_ Noise = (*Kernel)(nil)
	_ Noise = (*Tabulated)(nil)
	_ Noise = (*energy.Mixture)(nil)
)

// NewNoise returns a noise fitted to the rows of data:
//
//	gaussian  N(mean, 1.5² covariance): wider than the data, so that their tails are covered
//	box       uniform on the bounding box, widened by a quarter of its width on each side
//	kde       the data blurred, at most 1024 points, by sds of 0.05, 0.1 and 0.2 times their largest standard deviation in turn,
//	          in one and two dimensions as a table over the data and 1.2 of these deviations around them
//	mixture   0.7 kde + 0.2 box + 0.1 N(mean, 1.5² s² I), s the largest standard deviation: near the data, between them,
//	          and far out, where nothing else would keep a model from leaking
func NewNoise(name string, data *mat.Dense) (Noise, error) {
	if data == nil {
		return nil, fmt.Errorf("objectives: noise %q is fitted to data: set Config.Data", name)
	}
	if n, d := data.Dims(); n == 0 || d == 0 {
		return nil, fmt.Errorf("objectives: noise %q is fitted to data: there are %d points of dimension %d", name, n, d)
	}
	kde := func() (Noise, error) { return blurred(data, []float64{0.05, 0.1, 0.2}, 1024) }
	switch name {
	case "", "gaussian":
		return FitGaussian(data, 1.5)
	case "box":
		return BoxOf(data, 0.25), nil
	case "kde":
		return kde()
	case "mixture":
		k, err := kde()
		if err != nil {
			return nil, err
		}
		far, err := around(data, 1.5*energy.Spread(data))
		if err != nil {
			return nil, err
		}
		return NewBlend([]Noise{k, BoxOf(data, 0.25), far}, []float64{0.7, 0.2, 0.1})
	}
	return nil, fmt.Errorf("objectives: noise %q, want one of %s", name, strings.Join(NoiseNames(), ", "))
}

// NoiseNames returns the names that NewNoise knows.
func NoiseNames() []string { return []string{"gaussian", "box", "kde", "mixture"} }

// Gaussian is N(μ, LLᵀ).
type Gaussian struct {
	mean []float64
	l    *mat.TriDense
	logc float64 // -d/2 log 2π - log det L
}

// FitGaussian returns the Gaussian with the mean of the data and scale² times their covariance.
func FitGaussian(data *mat.Dense, scale float64) (*Gaussian, error) {
	n, d := data.Dims()
	mean, _ := energy.Moments(data)
	cov := mat.NewSymDense(d, nil)
	for i := range n {
		row := data.RawRowView(i)
		for a := range d {
			for b := a; b < d; b++ {
				cov.SetSym(a, b, cov.At(a, b)+scale*scale*(row[a]-mean[a])*(row[b]-mean[b])/float64(n))
			}
		}
	}
	return NewGaussian(mean, cov)
}

// NewGaussian returns N(mean, cov).
func NewGaussian(mean []float64, cov mat.Symmetric) (*Gaussian, error) {
	var chol mat.Cholesky
	if !chol.Factorize(cov) || !(correlationCond(cov) <= 1e12) {
		return nil, errors.New("objectives: gaussian noise: the covariance is singular; the data lie in a plane or repeat one point")
	}
	d := len(mean)
	g := &Gaussian{mean: append([]float64(nil), mean...), l: mat.NewTriDense(d, mat.Lower, nil)}
	chol.LTo(g.l)
	g.logc = -0.5 * (float64(d)*math.Log(2*math.Pi) + chol.LogDet())
	return g, nil
}

// correlationCond is the condition of the correlations of cov, which unlike its own does not depend on the units of the
// coordinates. It is infinite where they are singular.
func correlationCond(cov mat.Symmetric) float64 {
	d := cov.SymmetricDim()
	r := mat.NewSymDense(d, nil)
	for a := range d {
		for b := a; b < d; b++ {
			r.SetSym(a, b, cov.At(a, b)/math.Sqrt(cov.At(a, a))/math.Sqrt(cov.At(b, b)))
		}
	}
	var chol mat.Cholesky
	if !chol.Factorize(r) {
		return math.Inf(1)
	}
	return chol.Cond()
}

// around returns N(mean of the data, sd² I).
func around(data *mat.Dense, sd float64) (*Gaussian, error) {
	mean, _ := energy.Moments(data)
	g, err := Isotropic(len(mean), sd)
	if err == nil {
		g.mean = mean
	}
	return g, err
}

// Isotropic returns N(0, sd² I) in d dimensions.
func Isotropic(d int, sd float64) (*Gaussian, error) {
	cov := mat.NewSymDense(d, nil)
	for i := range d {
		cov.SetSym(i, i, sd*sd)
	}
	return NewGaussian(make([]float64, d), cov)
}

// Sample draws μ + Lξ.
func (g *Gaussian) Sample(dst *mat.Dense, rng *rand.Rand) {
	n, d := dst.Dims()
	for i := range n {
		row := dst.RawRowView(i)
		for j := range row {
			row[j] = rng.NormFloat64()
		}
		for j := d - 1; j >= 0; j-- { // in place: the coordinates before j are ξ still
			v := g.mean[j]
			for k := range j + 1 {
				v += g.l.At(j, k) * row[k]
			}
			row[j] = v
		}
	}
}

// LogProb stores the log density.
func (g *Gaussian) LogProb(dst []float64, x *mat.Dense) {
	d := len(g.mean)
	s := scratches.get()
	defer scratches.put(s)
	buf := s.numbers(d)
	for i := range dst {
		row := x.RawRowView(i)
		var sq float64
		for j := range d { // L z = x - μ
			z := row[j] - g.mean[j]
			for k := range j {
				z -= g.l.At(j, k) * buf[k]
			}
			z /= g.l.At(j, j)
			buf[j] = z
			sq += z * z
		}
		dst[i] = g.logc - 0.5*sq
	}
}

// Box is the uniform density on a box; its log density outside, and at what is not a number, is -Inf.
type Box struct{ Lo, Hi []float64 }

// BoxOf returns the bounding box of the rows of x, widened by margin times its width on each side. A coordinate that is the
// same number a in all rows is widened by margin, but at least 0.001, times |a|, or times 1 if a = 0: a Box has an inside.
func BoxOf(x *mat.Dense, margin float64) *Box {
	b := bounds(x)
	for j, lo := range b.Lo {
		w := margin * (b.Hi[j] - lo)
		if b.Hi[j] == lo {
			w = max(margin, 1e-3)
			w = or(w*math.Abs(lo), w)
		}
		b.Lo[j] -= w
		b.Hi[j] += w
	}
	return b
}

// bounds returns the bounding box of the rows of x.
func bounds(x *mat.Dense) *Box {
	n, d := x.Dims()
	b := &Box{Lo: make([]float64, d), Hi: make([]float64, d)}
	for j := range d {
		b.Lo[j], b.Hi[j] = math.Inf(1), math.Inf(-1)
		for i := range n {
			b.Lo[j], b.Hi[j] = min(b.Lo[j], x.At(i, j)), max(b.Hi[j], x.At(i, j))
		}
	}
	return b
}

// Sample draws uniformly.
func (b *Box) Sample(dst *mat.Dense, rng *rand.Rand) {
	n, _ := dst.Dims()
	for i := range n {
		row := dst.RawRowView(i)
		for j := range row {
			row[j] = b.Lo[j] + (b.Hi[j]-b.Lo[j])*rng.Float64()
		}
	}
}

// LogProb stores -log volume, or -Inf outside.
func (b *Box) LogProb(dst []float64, x *mat.Dense) {
	var v float64
	for j := range b.Lo {
		v -= math.Log(b.Hi[j] - b.Lo[j])
	}
	for i := range dst {
		dst[i] = v
		for j, a := range x.RawRowView(i) {
			if !(a >= b.Lo[j] && a <= b.Hi[j]) {
				dst[i] = math.Inf(-1)
			}
		}
	}
}

// Blend is a mixture of noises.
type Blend struct {
	parts []Noise
	cdf   []float64
	logw  []float64
}

// NewBlend mixes parts with the given weights > 0, scaled to sum 1.
func NewBlend(parts []Noise, weights []float64) (*Blend, error) {
	if len(parts) == 0 || len(parts) != len(weights) {
		return nil, fmt.Errorf("objectives: blend of %d noises with %d weights", len(parts), len(weights))
	}
	var sum float64
	for i, w := range weights {
		if !(w > 0) {
			return nil, fmt.Errorf("objectives: blend: weight %d is %g, want > 0", i, w)
		}
		sum += w
	}
	b := &Blend{parts: parts}
	var c float64
	for _, w := range weights {
		c += w / sum
		b.cdf = append(b.cdf, c)
		b.logw = append(b.logw, math.Log(w/sum))
	}
	return b, nil
}

// Sample draws a part for every row.
func (b *Blend) Sample(dst *mat.Dense, rng *rand.Rand) {
	n, d := dst.Dims()
	s := scratches.get()
	defer scratches.put(s)
	for i := range n {
		u, k := rng.Float64(), 0
		for k < len(b.cdf)-1 && u >= b.cdf[k] {
			k++
		}
		b.parts[k].Sample(view(&s.row, dst.RawRowView(i), 1, d), rng)
	}
}

// LogProb stores log Σ_k w_k q_k.
func (b *Blend) LogProb(dst []float64, x *mat.Dense) {
	s := scratches.get()
	defer scratches.put(s)
	buf := s.numbers(2 * len(dst))
	out, sum := buf[:len(dst)], buf[len(dst):] // sum in units of exp(dst), the greatest term so far
	for k, p := range b.parts {
		p.LogProb(out, x)
		for i, v := range out {
			switch v += b.logw[k]; {
			case k == 0:
				dst[i], sum[i] = v, 1
			case v > dst[i]:
				dst[i], sum[i] = v, 1+sum[i]*math.Exp(dst[i]-v)
			case !math.IsInf(v, -1): // NaN, too
				sum[i] += math.Exp(v - dst[i])
			}
		}
	}
	for i, v := range sum {
		dst[i] += math.Log(v)
	}
}

// Kernel is a Gaussian kernel density of data. Its log density is computed by a compiled float32 graph, as an NCE step
// looks at some thousand points times some thousand centres.
type Kernel struct {
	mix   *energy.Mixture
	evals pool[*energy.Evaluator] // one per goroutine
}

// NewKernel blurs the first rows of data, at most centres, by N(0, sd² I).
func NewKernel(data *mat.Dense, sd float64, centres int) (*Kernel, error) {
	n, d := data.Dims()
	n = min(n, centres)
	sds := make([]float64, n)
	for i := range sds {
		sds[i] = sd
	}
	m, err := energy.NewMixture(data.Slice(0, n, 0, d).(*mat.Dense), sds, nil)
	if err != nil {
		return nil, err
	}
	return KernelOf(m)
}

// blurred is the density of the first rows of data, at most centres, blurred by the given rising fractions of the spread in turn: near the
// data at every scale from a sharp mode's to the gaps'. Where a table resolves the least of them it is one.
func blurred(data *mat.Dense, fractions []float64, centres int) (Noise, error) {
	n, d := data.Dims()
	n = min(n, centres)
	sds, spread := make([]float64, n), energy.Spread(data)
	for i := range sds {
		sds[i] = spread * fractions[i%len(fractions)]
	}
	m, err := energy.NewMixture(data.Slice(0, n, 0, d).(*mat.Dense), sds, nil)
	if err != nil {
		return nil, err
	}
	k, err := KernelOf(m)
	if err != nil {
		return nil, err
	}
	box := bounds(data)
	margin := 6 * spread * fractions[len(fractions)-1]
	floats.AddConst(-margin, box.Lo)
	floats.AddConst(margin, box.Hi)
	if t, err := Tabulate(k, box.Lo, box.Hi, spread*fractions[0]/2); err == nil {
		return t, nil
	}
	return k, nil
}

// kernelBlock is the number of points that a compiled kernel density is evaluated at.
const kernelBlock = 256

// KernelOf makes a fast Noise of a mixture.
func KernelOf(m *energy.Mixture) (*Kernel, error) {
	eval, err := energy.NewEvaluator(m.Energy(), energy.NewParams(nil), energy.EvaluatorConfig{Batch: kernelBlock})
	if err != nil {
		return nil, err
	}
	// Called once, so that the clones share what is compiled; never again, so that it can be cloned at any time.
	if err := eval.Energies(make([]float64, kernelBlock), mat.NewDense(kernelBlock, m.Dim(), nil)); err != nil {
		return nil, err
	}
	return &Kernel{mix: m, evals: pool[*energy.Evaluator]{fresh: eval.Clone}}, nil
}

// Sample draws a centre and blurs it.
func (k *Kernel) Sample(dst *mat.Dense, rng *rand.Rand) { k.mix.Sample(dst, rng) }

// LogProb stores the log density.
func (k *Kernel) LogProb(dst []float64, x *mat.Dense) {
	eval := k.evals.get()
	defer k.evals.put(eval)
	if err := eval.Energies(dst, x); err != nil {
		panic(err) // a function compiled for these shapes does not fail
	}
	for i := range dst {
		dst[i] = -dst[i]
	}
}
