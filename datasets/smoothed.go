package datasets

import (
	"context"
	"math"
	"math/rand/v2"
	"runtime"
	"slices"
	"sync"
	"sync/atomic"

	"gonum.org/v1/gonum/floats"
	"gonum.org/v1/gonum/mat"

	"github.com/stheno-ebm/stheno/datasets/density"
	"github.com/stheno-ebm/stheno/datasets/internal/batch"
)

// Smoothed is a smoothed bootstrap of finitely many points in d dimensions. It preserves the mean of every
// neighbourhood and, up to a share λ, its covariance:
//
//	m_I + √(1-b²) (x_I - m_I) + b V_I^½ ξ,   V_i = (1-λ) C_i + λ s_i² I,   I uniform, ξ ~ N(0, I),
//
// with m_i and C_i the mean and the covariance of point i and its k nearest neighbours, and s_i = r_i/√(d+2) the
// standard deviation along each axis of the uniform distribution on the ball that reaches the k-th of them, at distance
// r_i. Noise moves points along the curves and planes they lie on rather than off them; λ = max(0.3/d, 3d/(k+3d))
// regularises covariances from few neighbours and from neighbours at an edge.
//
// Noise of deviation σ alone adds σ²/2 Δp to the density p, whatever the number of points; moving them by σ²/2 ∇log p,
// uphill as here, cancels that to leading order.
//
// Training needs it: on the points themselves the loss of score matching has no lower bound, since a flexible enough
// model puts a spike on each, and every other objective memorises the points, if more slowly.
//
// Efron, Bootstrap methods, Ann. Statist. 7 (1979) 1–26, section 2; Silverman and Young, The bootstrap: to smooth or
// not to smooth?, Biometrika 74 (1987) 469–479, for the shrinkage, there of all points alike; Choi and Hall, Data
// sharpening as a prelude to density estimation, Biometrika 86 (1999) 941–947, for the order of its error; Vincent and
// Bengio, Manifold Parzen windows, NeurIPS 15 (2003) 849–856, for the covariances.
type Smoothed struct {
	k      int
	centre *mat.Dense // m + √(1-b²) (x - m)
	// per point: b V^½ as a lower triangle, row by row, or as a single number if it is a multiple of I
	noise []float64
}

var _ density.Sampler = (*Smoothed)(nil)

// neighbours are the candidates for k.
var neighbours = []int{10, 14, 20, 28, 40, 57, 80, 113, 160, 226, 320}

const (
	comparedAt = 0.5     // b
	comparedOn = 500     // at most this many points are left out …
	compared   = 20000   // … of this many; k is chosen smaller than it might be if there are more
	overlap    = 70      // neighbours
	room       = 1 << 25 // numbers in all covariances together
	large      = 1 << 16 // points; above this, neighbours are searched among a subset of twice as many numbers

	badShare = "datasets: a of the smoothed bootstrap is not between 0 and 1"
)

// NewSmoothed chooses k from a fixed list by the leave-one-out likelihood: a larger k need not be better, since the
// sharpness of the data is not known in advance. b is a, or less if there are many neighbours,
//
//	b = min(a, (70 a²/k)^(1/d)),   0 ≤ a ≤ 1,
//
// so that noise reaches at most 70 a² of them, b^d k: the more neighbours it reaches, the less there is to memorise;
// the farther it reaches, the more the density is blurred.
//
// For more than 65536 points, neighbours are taken from one row in r, each standing for r rows: neighbourhoods of the
// same width are measured from fewer points, and every point still has its own.
//
// If all points coincide they are left as they are. If all covariances together, for every k compared, would take more
// than 2²⁵ numbers, λ is 1 and b is halved, since such noise leads off the curve or surface the points lie on. It
// panics unless 0 ≤ a ≤ 1.
func NewSmoothed(p *Points, a float64) *Smoothed {
	s, _ := NewSmoothedContext(context.Background(), p, a)
	return s
}

// NewSmoothedContext is NewSmoothed with a context, since it may take a while.
func NewSmoothedContext(ctx context.Context, p *Points, a float64) (*Smoothed, error) {
	if !(a >= 0 && a <= 1) {
		panic(badShare)
	}
	return newSmoothed(ctx, p.x, a, compared, large)
}

// newSmoothed compares neighbourhoods on at most this many points, and takes them from a subset of the rows if there
// are more than large.
func newSmoothed(ctx context.Context, x *mat.Dense, a float64, most, large int) (*Smoothed, error) {
	n, d := x.Dims()
	most = min(n, most, max(comparedOn, room/(4*len(neighbours)*triangle(d))))
	some := part(x, most)
	ladder := slices.DeleteFunc(slices.Clone(neighbours), func(k int) bool { return 2*k > most })
	if len(ladder) == 0 {
		ladder = []int{max(1, most/2)}
	}
	around, err := survey(ctx, some, some, ladder)
	if err != nil {
		return nil, err
	}
	logp := make([]float64, len(ladder))
	var all sync.WaitGroup
	for j := range around {
		all.Go(func() { logp[j] = around[j].smooth(some, comparedAt).leftOut(some) })
	}
	all.Wait()
	best, top := 0, math.Inf(-1)
	for j, l := range logp {
		if l > top {
			best, top = j, l
		}
	}
	chosen, among, each := around[best], x, 1 // rows that each of those stands for
	if n > large {
		each = (n*d + 2*large - 1) / (2 * large)
		among = part(x, max(large/16, n/each))
		m, _ := among.Dims()
		each = n / m
		ladder[best] = max(neighbours[0], ladder[best]/each)
	}
	if n > most {
		found, err := survey(ctx, x, among, ladder[best:best+1])
		if err != nil {
			return nil, err
		}
		chosen = found[0]
	}
	b := enough(a, chosen.k*each, d)
	if chosen.covariance == nil {
		b /= 2
	}
	s := chosen.smooth(x, b)
	s.k *= each
	return s, ctx.Err()
}

// part returns m rows of x, evenly spaced; x itself if it has no more.
func part(x *mat.Dense, m int) *mat.Dense {
	n, d := x.Dims()
	if n <= m {
		return x
	}
	some := mat.NewDense(m, d, nil)
	for i := range m {
		some.SetRow(i, x.RawRowView(i*n/m))
	}
	return some
}

// enough returns b for k neighbours in d dimensions.
func enough(a float64, k, d int) float64 {
	return min(a, math.Pow(overlap*a*a/float64(k), 1/float64(d)))
}

// triangle returns the number of distinct elements of a symmetric matrix.
func triangle(d int) int { return d * (d + 1) / 2 }

// neighbourhood describes the surroundings of every point.
type neighbourhood struct {
	k          int
	mean       *mat.Dense // m
	sd         []float64  // s
	covariance []float64  // C, the lower triangle of every point row by row; nil if it would be too large
}

// survey measures the neighbourhoods of the rows of x among those of another matrix, or of x itself, for all k, on all
// cores. Ties in distance go to the earlier row. A point with k copies of itself gets the smallest nonzero deviation.
func survey(ctx context.Context, x, among *mat.Dense, ks []int) ([]neighbourhood, error) {
	n, d := x.Dims()
	near, size := newTree(among), triangle(d)
	around := make([]neighbourhood, len(ks))
	for j, k := range ks {
		around[j] = neighbourhood{k: k, mean: mat.NewDense(n, d, nil), sd: make([]float64, n)}
		if n*size <= room/len(ks) || size == 1 {
			around[j].covariance = make([]float64, n*size)
		}
	}
	const block = 512
	var next atomic.Int64
	var all sync.WaitGroup
	for range min(runtime.GOMAXPROCS(0), (n+block-1)/block) {
		all.Go(func() {
			w := surveyor{x: x, among: among, near: near, ks: ks, around: around,
				sum: make([]float64, d), moment: make([]float64, size), away: make([]float64, d)}
			for lo := int(next.Add(block)) - block; lo < n && ctx.Err() == nil; lo = int(next.Add(block)) - block {
				for i := lo; i < min(lo+block, n); i++ {
					w.row(i)
				}
			}
		})
	}
	all.Wait()
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	for _, h := range around {
		least := math.Inf(1)
		for _, v := range h.sd {
			if v > 0 {
				least = min(least, v)
			}
		}
		for i, v := range h.sd {
			if v == 0 && !math.IsInf(least, 1) {
				h.sd[i] = least
			}
		}
	}
	return around, nil
}

// surveyor measures neighbourhoods one by one.
type surveyor struct {
	x, among          *mat.Dense
	near              *tree
	ks                []int
	around            []neighbourhood
	sum, moment, away []float64
	found             []treeRow
}

// row measures the neighbourhoods of row i.
func (w *surveyor) row(i int) {
	x0 := w.x.RawRowView(i)
	rows, _ := w.among.Dims()
	w.found = w.near.nearest(w.found, x0, min(slices.Max(w.ks), rows-1)+1) // including the point itself
	clear(w.sum)
	clear(w.moment)
	count, size := 0, len(w.moment)
	for j, k := range w.ks {
		h := &w.around[j]
		for ; count < min(k+1, len(w.found)); count++ {
			for c, v := range w.among.RawRowView(w.found[count].index) {
				w.sum[c] += v
				w.away[c] = v - x0[c]
			}
			if h.covariance != nil {
				addSquare(w.moment, 1, w.away)
			}
		}
		mean := h.mean.RawRowView(i)
		for c, v := range w.sum {
			mean[c] = v / float64(count)
			w.away[c] = mean[c] - x0[c]
		}
		h.sd[i] = math.Sqrt(w.found[count-1].sq / float64(len(x0)+2)) // distances are squares
		if h.covariance != nil && count > 1 {
			cov := h.covariance[i*size : (i+1)*size]
			copy(cov, w.moment)
			addSquare(cov, -float64(count), w.away)
			floats.Scale(1/float64(count-1), cov)
		}
	}
}

// addSquare adds c v vᵀ to a lower triangle.
func addSquare(dst []float64, c float64, v []float64) {
	at := 0
	for a, va := range v {
		for _, vb := range v[:a+1] {
			dst[at] += c * va * vb
			at++
		}
	}
}

// factorize replaces the lower triangle of a positive definite matrix LLᵀ, or of zeros, by L.
func factorize(m []float64) {
	for i, row := 0, 0; row < len(m); i, row = i+1, row+i+1 {
		for j, col := 0, 0; j <= i; j, col = j+1, col+j+1 {
			v := m[row+j]
			for c := range j {
				v -= m[row+c] * m[col+c]
			}
			switch pivot := m[col+j]; {
			case j == i:
				m[row+j] = math.Sqrt(max(v, 0))
			case pivot > 0:
				m[row+j] = v / pivot
			}
		}
	}
}

// smooth returns the bootstrap of the points in these neighbourhoods.
func (h neighbourhood) smooth(x *mat.Dense, b float64) *Smoothed {
	n, d := x.Dims()
	s := &Smoothed{k: h.k, centre: mat.NewDense(n, d, nil), noise: make([]float64, max(n, len(h.covariance)))}
	shrink, size := math.Sqrt(1-b*b), len(s.noise)/n
	lambda := max(0.3/float64(d), float64(3*d)/float64(h.k+3*d))
	for i := range n {
		row := s.centre.RawRowView(i)
		for j, m := range h.mean.RawRowView(i) {
			row[j] = m + shrink*(x.At(i, j)-m)
		}
		noise := s.noise[i*size : (i+1)*size]
		if h.covariance == nil {
			noise[0] = b * h.sd[i]
			continue
		}
		floats.ScaleTo(noise, 1-lambda, h.covariance[i*size:(i+1)*size])
		for c, at := 0, 0; c < d; c, at = c+1, at+c+2 {
			noise[at] += lambda * h.sd[i] * h.sd[i]
		}
		factorize(noise)
		floats.Scale(b, noise)
	}
	return s
}

// leftOut returns the mean leave-one-out log-density, up to a constant, at rows of the x that s was made from.
func (s *Smoothed) leftOut(x *mat.Dense) float64 {
	n, d := x.Dims()
	var sum float64
	m, logc, z := min(n, comparedOn), s.logScales(), make([]float64, d)
	for t := range m {
		i := t * n / m
		sum += s.logSum(z, logc, x.RawRowView(i), i)
	}
	return sum / float64(m)
}

// logScales returns −log det(b V^½) of every point.
func (s *Smoothed) logScales() []float64 {
	logc := make([]float64, s.centre.RawMatrix().Rows)
	for j := range logc {
		logc[j] = -s.logDet(j)
	}
	return logc
}

// logSum returns the log of the sum, at x, of the kernels of all points but one, each without (2π)^(-d/2); z is scratch
// space for d numbers.
func (s *Smoothed) logSum(z, logc, x []float64, but int) float64 {
	sum := newLogSum()
	for j, l := range logc {
		if j == but {
			continue
		}
		if e := l - 0.5*s.distance(z, j, x, 2*(l-sum.max+50)); e > sum.max-50 {
			sum.add(e, 0, 0)
		}
	}
	return sum.log()
}

// LogProb stores the log-density of the bootstrap, a mixture of one Gaussian per point, at the rows of x in dst, on all
// cores.
func (s *Smoothed) LogProb(dst []float64, x *mat.Dense) {
	n, d := s.centre.Dims()
	batch.LogProb(dst, x, d)
	logc := s.logScales()
	constant := -math.Log(float64(n)) - 0.5*float64(d)*math.Log(2*math.Pi)
	var all sync.WaitGroup
	const block = 64
	for lo := 0; lo < len(dst); lo += block {
		all.Go(func() {
			z := make([]float64, d)
			for i := lo; i < min(lo+block, len(dst)); i++ {
				dst[i] = s.logSum(z, logc, x.RawRowView(i), -1) + constant
			}
		})
	}
	all.Wait()
}

// factor returns b V^½ of point j, or its diagonal.
func (s *Smoothed) factor(j int) []float64 {
	size := len(s.noise) / s.centre.RawMatrix().Rows
	return s.noise[j*size : (j+1)*size]
}

// logDet returns log det(b V^½) of point j.
func (s *Smoothed) logDet(j int) (sum float64) {
	f, d := s.factor(j), s.Dim()
	if len(f) == 1 {
		return float64(d) * math.Log(f[0])
	}
	for c, at := 0, 0; c < d; c, at = c+1, at+c+2 {
		sum += math.Log(f[at])
	}
	return sum
}

// distance returns |(b V^½)⁻¹(x - centre)|² of point j, or some number above most if it exceeds most; z is scratch
// space for d numbers.
func (s *Smoothed) distance(z []float64, j int, x []float64, most float64) (sq float64) {
	f, centre := s.factor(j), s.centre.RawRowView(j)
	if len(f) == 1 {
		for a, c := range centre {
			v := (x[a] - c) / f[0]
			if sq += v * v; sq > most {
				break
			}
		}
		return sq
	}
	at := 0
	for a, c := range centre {
		v := x[a] - c
		for _, w := range z[:a] {
			v -= f[at] * w
			at++
		}
		z[a] = v / f[at]
		at++
		if sq += z[a] * z[a]; sq > most {
			break
		}
	}
	return sq
}

// Dim returns the number of coordinates.
func (s *Smoothed) Dim() int { _, d := s.centre.Dims(); return d }

// Sample draws points with replacement and moves them.
func (s *Smoothed) Sample(dst *mat.Dense, rng *rand.Rand) {
	d := s.Dim()
	batch.Sample(dst, d)
	for i := range dst.RawMatrix().Rows {
		j := rng.IntN(s.centre.RawMatrix().Rows)
		f, centre, row := s.factor(j), s.centre.RawRowView(j), dst.RawRowView(i)
		for c := range row {
			row[c] = rng.NormFloat64()
		}
		if len(f) == 1 {
			floats.AddScaledTo(row, centre, f[0], row)
			continue
		}
		for c, at := d-1, len(f); c >= 0; c-- { // in place: the coordinates before c are still ξ
			at -= c + 1
			row[c] = centre[c] + floats.Dot(f[at:at+c+1], row[:c+1])
		}
	}
}
