package train

import (
	"errors"
	"fmt"
	"math"
	"math/rand/v2"
	"slices"

	"gonum.org/v1/gonum/blas"
	"gonum.org/v1/gonum/blas/blas64"
	"gonum.org/v1/gonum/mat"
	"gonum.org/v1/gonum/stat"
)

// Energies stores E_θ(x) of every row of x in dst. It must depend on nothing but its arguments.
type Energies func(dst, theta []float64, x *mat.Dense) error

// Contrast measures the quality of weights without knowing the truth: by how well their energies discriminate points
// from noise. With held-out points x⁺, noise x⁻ of density q, and r = −E − log q, it is
//
//	J(θ) = min_c  mean log(1 + exp(c − r(x⁺))) + mean log(1 + exp(r(x⁻) − c)),
//
// the loss of noise contrastive estimation with the best log Z: a proper score, smallest for the density of the data, 2
// log 2 for an uninformative one, and larger if energies are wrong by many nats. It is the same for every objective,
// does not depend on the zero of the energy, and has finite variance, unlike log Z. The noise is a mixture of
//
//	N(μ, Σ),  N(μ, 4Σ),  N(μ, 25Σ),  N(μ, 400Σ),  an eighth each, and two kernel densities of the points, a quarter each,
//
// so that it sees energies between the data and far away, which a score at the data does not. The kernels of the second
// density are as narrow as the points are close: only noise that resembles the data shows the weights of narrow modes.
// (Of two models of 8gaussians with KLs of 0.002 and 0.2, J was 0.096 and 0.105 without it, and is 0.618 and 0.636.)
//
// In up to three dimensions there are probes, too, for what J does not see; see leaky.
//
// Points and noise are drawn once, so that a comparison of two weights has a small error.
type Contrast struct {
	energies Energies
	x        *mat.Dense // points, as much noise, and probes
	logq     []float64  // of the rows of x
	ratio    []float64  // r
	at       float64    // the best c of the terms computed last
	logp     []float64  // density of the noise and the probes together, at themselves; nil without probes
	weights  []float64  // of the same

	reference []float64 // terms of J of a kernel density of the points: what can be had without training
}

const (
	contrastPoints = 512
	fewKernels     = 256  // wide ones, and narrow ones in many dimensions
	kernelNumbers  = 8192 // coordinates of all narrow kernels, in fewer
	neighbour      = 10   // the distance to which gives the width of a narrow kernel
	components     = 8    // of the noise; those after the widths are kernels, wide and narrow in turn
)

var widths = [...]float64{1, 2, 5, 20}

// NewContrast draws points and noise: points from held, and moments and kernels of the noise from data, which may be
// the same source.
func NewContrast(dim int, held, data Source, energies Energies, rng *rand.Rand) (*Contrast, error) {
	if dim < 1 {
		return nil, fmt.Errorf("train: contrast in %d dimensions, want at least 1", dim)
	}
	if held == nil || data == nil || energies == nil || rng == nil {
		return nil, errors.New("train: contrast without points, energies or random numbers")
	}
	const n = contrastPoints
	rows := 2 * n
	if dim <= leakDims {
		rows += probes
	}
	c := &Contrast{energies: energies, x: mat.NewDense(rows, dim, nil)}
	c.logq, c.ratio = make([]float64, rows), make([]float64, rows)
	held.Sample(c.x.Slice(0, n, 0, dim).(*mat.Dense), rng)
	seen := mat.NewDense(max(2*n, 10*dim), dim, nil)
	data.Sample(seen, rng)
	noise, err := newContrastNoise(seen)
	if err != nil {
		return nil, err
	}
	for i := range n {
		noise.draw(c.x.RawRowView(n+i), i, rng)
	}
	for i := range rows - 2*n {
		noise.probe(c.x.RawRowView(2*n+i), i, rng)
	}
	c.densities(noise)
	c.reference = c.terms(nil)
	return c, nil
}

// densities computes those of the noise and the probes, and the ratios of the kernel density.
func (c *Contrast) densities(noise *contrastNoise) {
	const n = contrastPoints
	rows := len(c.logq)
	if rows > 2*n {
		c.logp, c.weights = make([]float64, rows-n), make([]float64, rows-n)
	}
	share := math.Log(float64(n) / float64(rows-n))
	for i := range c.logq {
		var kernels float64
		c.logq[i], kernels = noise.logProb(c.x.RawRowView(i), i >= n)
		c.ratio[i] = kernels - c.logq[i]
		if i >= n && rows > 2*n {
			probe := noise.probeLogProb() + math.Log1p(-math.Exp(share))
			c.logp[i-n] = logSumExp([]float64{c.logq[i] + share, probe})
		}
	}
}

// losses stores the terms of J(θ), one per pair of a point and a draw of noise; their mean is J.
func (c *Contrast) losses(dst, theta []float64) ([]float64, error) {
	if err := c.energies(c.ratio, theta, c.x); err != nil {
		return nil, err
	}
	for i, e := range c.ratio {
		c.ratio[i] = -e - c.logq[i]
		if math.IsNaN(c.ratio[i]) {
			c.ratio[i] = math.Inf(-1)
		}
	}
	return c.terms(dst[:0]), nil
}

// terms appends the terms of J for the ratios r.
func (c *Contrast) terms(dst []float64) []float64 {
	const n = contrastPoints
	points, noise := c.ratio[:n], c.ratio[n:2*n]
	c.at = bestConstant(points, noise)
	for i := range n {
		dst = append(dst, softplus(c.at-points[i])+softplus(noise[i]-c.at))
	}
	return dst
}

// bestConstant returns the c of J, at which as many points are taken for noise as noise for points. It uses Newton's
// method within bounds, and bisection where that would leave them.
func bestConstant(points, noise []float64) float64 {
	lo, hi := math.Inf(1), math.Inf(-1)
	for _, side := range [][]float64{points, noise} {
		for _, v := range side {
			if finite(v) {
				lo, hi = min(lo, v), max(hi, v)
			}
		}
	}
	if lo > hi {
		return 0
	}
	lo, hi = lo-50, hi+50
	c := lo + (hi-lo)/2
	for hi-lo > 1e-9*(1+math.Abs(lo)+math.Abs(hi)) {
		var excess, slope float64
		for i := range points {
			p, q := logistic(c-points[i]), logistic(noise[i]-c)
			excess += p - q
			slope += p*(1-p) + q*(1-q)
		}
		if excess > 0 {
			hi = c
		} else {
			lo = c
		}
		next := c - excess/slope
		if math.Abs(next-c) <= 1e-9*(1+math.Abs(c)) {
			return next
		}
		if c = next; !(lo < c && c < hi) {
			c = lo + (hi-lo)/2
		}
	}
	return c
}

func softplus(v float64) float64 { return max(v, 0) + math.Log1p(math.Exp(-math.Abs(v))) }

func logistic(v float64) float64 { return 1 / (1 + math.Exp(-v)) }

// contrastNoise is the mixture described at Contrast, in coordinates in which Σ is the identity: y = L⁻¹(x − μ).
type contrastNoise struct {
	mean    *mat.VecDense
	chol    mat.TriDense // Σ = LLᵀ
	logDet  float64      // of L
	centres *mat.Dense   // of the kernels, in y; the first are those of the wide ones too
	width   float64      // of the wide kernels
	narrow  []float64    // widths w of the narrow ones
	volume  []float64    // and d log w
	radius  float64      // of a ball around 0 that contains the centres
	x, y    *mat.VecDense

	wides, narrows []float64 // logarithms of kernels
}

func newContrastNoise(points *mat.Dense) (*contrastNoise, error) {
	n, d := points.Dims()
	q := &contrastNoise{
		mean: mat.NewVecDense(d, nil), x: mat.NewVecDense(d, nil), y: mat.NewVecDense(d, nil),
		centres: mat.NewDense(min(max(fewKernels, min(kernelNumbers/d, 2*contrastPoints)), n), d, nil),
		width:   math.Pow(fewKernels, -1/float64(d+4)), // Scott's rule
	}
	var cov mat.SymDense
	stat.CovarianceMatrix(&cov, points, nil)
	var spread float64
	for k := range d {
		q.mean.SetVec(k, stat.Mean(mat.Col(nil, k, points), nil))
		spread += cov.At(k, k) / float64(d)
	}
	if !finite(spread) {
		return nil, errors.New("train: contrast: the points are not finite")
	}
	for k := range d { // columns may be constant or linearly dependent
		cov.SetSym(k, k, cov.At(k, k)+1e-6*spread+1e-300)
	}
	var chol mat.Cholesky
	if !chol.Factorize(&cov) {
		return nil, errors.New("train: contrast: the covariance of the points has no root")
	}
	chol.LTo(&q.chol)
	q.logDet = chol.LogDet() / 2
	rows, _ := q.centres.Dims()
	for i := range rows {
		q.whiten(points.RawRowView(i))
		q.centres.SetRow(i, q.y.RawVector().Data)
		q.radius = max(q.radius, mat.Norm(q.y, 2))
	}
	q.narrow, q.volume = make([]float64, rows), make([]float64, rows)
	q.wides, q.narrows = make([]float64, min(rows, fewKernels)), make([]float64, rows)
	for i := range rows {
		q.narrow[i] = min(max(reach(q.centres, i)/math.Sqrt(float64(d)), q.width/100), q.width)
		q.volume[i] = float64(d) * math.Log(q.narrow[i])
	}
	return q, nil
}

// reach returns the distance of row i to its neighbour of that number.
func reach(y *mat.Dense, i int) float64 {
	all, from := y.RawMatrix(), y.RawRowView(i)
	last := min(neighbour, all.Rows-1)
	nearest := slices.Repeat([]float64{math.Inf(1)}, last+1) // squares, in order; the first is its own
	for k := range all.Rows {
		if v := square(all.Data[k*all.Stride:][:all.Cols], from); v < nearest[last] {
			at := last
			for ; at > 0 && nearest[at-1] > v; at-- {
				nearest[at] = nearest[at-1]
			}
			nearest[at] = v
		}
	}
	return math.Sqrt(nearest[last])
}

// square returns |a − b|².
func square(a, b []float64) (sum float64) {
	for j := range a {
		sum += (a[j] - b[j]) * (a[j] - b[j])
	}
	return sum
}

// whiten stores L⁻¹(x − μ) in q.y.
func (q *contrastNoise) whiten(x []float64) {
	copy(q.x.RawVector().Data, x)
	q.x.SubVec(q.x, q.mean)
	q.y.CopyVec(q.x)
	y := q.y.RawVector()
	blas64.Trsm(blas.Left, blas.NoTrans, 1, q.chol.RawTriangular(),
		blas64.General{Rows: y.N, Cols: 1, Stride: 1, Data: y.Data}) // not SolveVec, which estimates the condition
}

// draw stores the i-th draw; components take turns.
func (q *contrastNoise) draw(dst []float64, i int, rng *rand.Rand) {
	y := q.y.RawVector().Data
	var width float64
	if k := i % components; k < len(widths) {
		clear(y)
		width = widths[k]
	} else {
		centre := rng.IntN(len(q.wides))
		if width = q.width; k%2 == 1 {
			centre = rng.IntN(len(q.narrow))
			width = q.narrow[centre]
		}
		copy(y, q.centres.RawRowView(centre))
	}
	for k := range y {
		y[k] += width * rng.NormFloat64()
	}
	q.place(dst)
}

// place stores μ + Ly in dst.
func (q *contrastNoise) place(dst []float64) {
	q.x.MulVec(&q.chol, q.y)
	q.x.AddVec(q.x, q.mean)
	copy(dst, q.x.RawVector().Data)
}

// logProb returns log q, and the logarithm of a kernel density of the points, nine tenths of it narrow kernels. The
// latter may be −∞ where it is negligible beside q, if that is skipped.
func (q *contrastNoise) logProb(x []float64, skip bool) (noise, kernels float64) {
	q.whiten(x)
	broad := q.gaussians(widths[:])
	if skip && q.mostKernels() < broad-40 {
		return broad - math.Log(components), math.Inf(-1)
	}
	wide, narrow := q.kernels()
	const each = float64(components-len(widths)) / 2
	noise = logSumExp([]float64{broad, wide + math.Log(each), narrow + math.Log(each)})
	kernels = logSumExp([]float64{wide + math.Log(0.1), narrow + math.Log(0.9)})
	return noise - math.Log(components), kernels
}

// gaussians returns the logarithm of the sum of N(μ, w²Σ) over the widths w, at y.
func (q *contrastNoise) gaussians(widths []float64) float64 {
	y := q.y.RawVector().Data
	var norm float64
	for _, v := range y {
		norm += v * v
	}
	terms := make([]float64, 0, 8)
	for _, w := range widths {
		terms = append(terms, -norm/(2*w*w)-float64(len(y))*math.Log(w))
	}
	return logSumExp(terms) + q.unit()
}

// mostKernels returns an upper bound on both results of kernels: at a distance beyond √d times its width a kernel is
// the larger, the wider it is.
func (q *contrastNoise) mostKernels() float64 {
	d := float64(q.y.Len())
	gap := (mat.Norm(q.y, 2) - q.radius) / q.width
	if !(gap > math.Sqrt(d)) {
		return math.Inf(1)
	}
	return -gap*gap/2 - d*math.Log(q.width) + q.unit()
}

// kernels returns the logarithms of the mean of all wide kernels, and of all narrow ones, at y.
func (q *contrastNoise) kernels() (wide, narrow float64) {
	y, all := q.y.RawVector().Data, q.centres.RawMatrix()
	mostWide, mostNarrow := math.Inf(-1), math.Inf(-1)
	for k, w := range q.narrow {
		far := square(y, all.Data[k*all.Stride:][:all.Cols]) / 2
		v := -far/(w*w) - q.volume[k]
		if q.narrows[k] = v; v > mostNarrow {
			mostNarrow = v
		}
		if k < len(q.wides) {
			v = -far / (q.width * q.width)
			if q.wides[k] = v; v > mostWide {
				mostWide = v
			}
		}
	}
	mean := func(terms []float64, most float64) float64 {
		return logSumExpBelow(terms, most) - math.Log(float64(len(terms))) + q.unit()
	}
	return mean(q.wides, mostWide) - float64(len(y))*math.Log(q.width), mean(q.narrows, mostNarrow)
}

// unit is log N(μ; μ, Σ), which densities in y have in common.
func (q *contrastNoise) unit() float64 {
	return -float64(q.mean.Len())/2*math.Log(2*math.Pi) - q.logDet
}

// compare returns the mean of a − b and its standard error.
func compare(a, b []float64) (mean, se float64) {
	n := float64(len(a))
	for i := range a {
		mean += (a[i] - b[i]) / n
	}
	for i := range a {
		se += (a[i] - b[i] - mean) * (a[i] - b[i] - mean)
	}
	return mean, math.Sqrt(se) / n
}

// logSumExp is floats.LogSumExp, but leaves out what does not count.
func logSumExp(v []float64) float64 { return logSumExpBelow(v, slices.Max(v)) }

// logSumExpBelow is logSumExp if the largest is known: looking for it takes as long as the rest.
func logSumExpBelow(v []float64, most float64) float64 {
	var sum float64
	for _, x := range v {
		if x -= most; x > -40 {
			sum += math.Exp(x)
		}
	}
	return most + math.Log(sum)
}
