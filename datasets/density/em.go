package density

import (
	"math"
	"runtime"
	"sync"

	"gonum.org/v1/gonum/mat"
)

// em fits mixtures of one kind to points in standardised units by expectation–maximisation: it maximises
//
//	Σ_i log p(x_i) - a/2 Σ_k (log det Σ_k + tr Σ_k⁻¹Λ),   Λ = K^(-2/d) C,
//
// with C the covariance of all points. The second term is the logarithm of a prior worth a points for each covariance
// (once for a tied one). It keeps components from collapsing onto points that lie in a plane or coincide; the more
// components there are, the smaller they are expected to be.
//
// Dempster, Laird and Rubin, Maximum likelihood from incomplete data via the EM algorithm, J. Roy. Stat. Soc. B 39
// (1977) 1–38; Fraley and Raftery, Bayesian regularization for normal mixture estimation and model-based clustering,
// J. Classification 24 (2007) 155–181.
type em struct {
	kind   Covariance
	shrink float64       // a
	prior  *mat.SymDense // C, made positive definite
	z      *mat.Dense    // the points
	square *mat.SymDense // zᵀz/n
	mixed  *factors      // of the points, where some columns are discrete; or nil
	scales []float64     // of every component, for tails; none: it is a Gaussian. See Tailed
	best   []int32       // the most likely component of every point in the last pass, with which the next begins
}

func newEM(kind Covariance, cfg MixtureConfig, z *mat.Dense, prior *mat.SymDense) *em {
	n, _ := z.Dims()
	return &em{kind: kind, shrink: cfg.Shrink, prior: prior, z: z, square: moment(z), mixed: newFactors(cfg.levels, z),
		best: make([]int32, n)}
}

// statistics holds sums over points, weighted by the shares r of every component.
type statistics struct {
	logp float64   // Σ log p(x)
	n    []float64 // Σ r
	sum  []float64 // Σ r (x - μ), (K, d)
	sq   []float64 // Σ r (x - μ)(x - μ)ᵀ: packed lower triangles, or diagonals; unused for a tied covariance
	by   []float64 // Σ r of the points of every combination of discrete values, (combinations, K); nil without these

	// With scales r is divided by s² in n, sum and sq, which these hold without, by component and by scale.
	count, tails []float64
}

// squares returns the length of sq for one component.
func (c Covariance) squares(d int) int {
	return [...]int{Full: triangle(d), Tied: 0, Diagonal: d}[c]
}

func (f *em) newStatistics(k int) *statistics {
	d := f.prior.SymmetricDim()
	s := &statistics{n: make([]float64, k), sum: make([]float64, k*d), sq: make([]float64, k*f.kind.squares(d))}
	if f.mixed != nil {
		s.by = make([]float64, k*len(f.mixed.combinations))
	}
	return s
}

func (s *statistics) add(t *statistics) {
	s.logp += t.logp
	addTo(s.n, t.n)
	addTo(s.sum, t.sum)
	addTo(s.sq, t.sq)
	addTo(s.by, t.by)
	addTo(s.count, t.count)
	addTo(s.tails, t.tails)
}

func addTo(dst, v []float64) {
	for i, x := range v {
		dst[i] += x
	}
}

// point adds a point with share r of component k, whose mean is given; diff is scratch space for d numbers.
func (s *statistics) point(kind Covariance, k int, r float64, x, mean, diff []float64) {
	d := len(x)
	s.n[k] += r
	sum := s.sum[k*d : (k+1)*d]
	for j, v := range x {
		diff[j] = v - mean[j]
		sum[j] += r * diff[j]
	}
	size := kind.squares(d)
	sq := s.sq[k*size : (k+1)*size]
	switch kind {
	case Full:
		for a, v := range diff[:d] {
			v *= r
			row := sq[:a+1]
			sq = sq[a+1:]
			for b, w := range diff[:len(row)] {
				row[b] += v * w
			}
		}
	case Diagonal:
		for j, v := range diff[:d] {
			sq[j] += r * v * v
		}
	}
}

const (
	mostBlocks = 64  // of points: their number, and hence the order of all sums, depends only on the number of points
	leastBlock = 512 // points
	negligible = 20  // nats below the most likely component at which a share is neglected
)

// pass makes one pass over all points.
func (f *em) pass(m *Mixture) *statistics {
	n, _ := f.z.Dims()
	block := max(leastBlock, (n+mostBlocks-1)/mostBlocks)
	parts := make([]*statistics, (n+block-1)/block)
	beside := f.mixed.beside(m)
	var all sync.WaitGroup
	turn := make(chan struct{}, runtime.GOMAXPROCS(0))
	for b := range parts {
		turn <- struct{}{}
		all.Go(func() {
			parts[b] = f.newStatistics(len(m.logw))
			if lo, hi := b*block, min((b+1)*block, n); m.tails != nil {
				f.passTails(m, parts[b], lo, hi)
			} else {
				f.passBlock(m, beside, parts[b], lo, hi)
			}
			<-turn
		})
	}
	all.Wait()
	for _, p := range parts[1:] {
		parts[0].add(p)
	}
	return parts[0]
}

// passBlock adds rows to the statistics. To log w_k of a component beside adds what a combination of discrete values
// says of it.
func (f *em) passBlock(m *Mixture, beside [][]float64, s *statistics, lo, hi int) {
	k, d := len(m.logw), m.p.Dim
	room := make([]float64, 4*d)
	logs, near, logw := make([]float64, k), make([]int32, 0, k), m.logw
	for i := lo; i < hi; i++ {
		if beside != nil {
			logw = beside[f.mixed.of[i]]
		}
		x := f.z.RawRowView(i)
		y, best := m.place(room[3*d:], x), f.best[i]
		if int(best) >= k {
			best = 0
		}
		most := logw[best] - m.distance(room[:2*d], y, int(best), math.Inf(1))/2
		logs[best], near = most, append(near[:0], best)
		for c, lw := range logw {
			if c == int(near[0]) {
				continue
			}
			v := lw - m.distance(room[:2*d], y, c, 2*(lw-most+negligible))/2
			if v < most-negligible {
				continue
			}
			logs[c], near = v, append(near, int32(c))
			if v > most {
				most, best = v, int32(c)
			}
		}
		f.best[i] = best
		var sum float64
		for _, c := range near {
			logs[c] = math.Exp(logs[c] - most)
			sum += logs[c]
		}
		s.logp += most + math.Log(sum)
		for _, c := range near {
			if r := logs[c] / sum; r > 1e-9 {
				s.point(f.kind, int(c), r, x, m.p.Means[int(c)*d:(int(c)+1)*d], room[2*d:3*d])
				if s.by != nil {
					s.by[int(f.mixed.of[i])*k+int(c)] += r
				}
			}
		}
	}
}

// update returns the mixture that maximises the expectation given by the statistics, which were gathered with the given
// means. A component of less than half a point is dropped.
func (f *em) update(s *statistics, means []float64) *Mixture {
	n, d := f.z.Dims()
	p := Parameters{Dim: d, Covariance: f.kind}
	size := f.kind.squares(d)
	var kept []int
	count := s.n
	if s.count != nil {
		count = s.count
	}
	for k, w := range count {
		if w >= 0.5 {
			kept = append(kept, k)
		}
	}
	scale := f.expected(len(kept))
	tied := mat.NewSymDense(d, nil)
	tied.CopySym(f.square)
	for _, k := range kept {
		w := s.n[k]
		shift := make([]float64, d)
		mean := make([]float64, d)
		for j := range shift {
			shift[j] = s.sum[k*d+j] / w
			mean[j] = means[k*d+j] + shift[j]
		}
		p.Weights = append(p.Weights, count[k]/float64(n))
		p.Means = append(p.Means, mean...)
		if f.kind == Tied {
			tied.SymRankOne(tied, -w/float64(n), mat.NewVecDense(d, mean))
			continue
		}
		p.Factors = append(p.Factors, f.factor(count[k], w, shift, s.sq[k*size:(k+1)*size], scale)...)
	}
	if f.kind == Tied {
		all, a := float64(n), f.shrink
		l := make([]float64, d*d)
		for i := range d {
			for j := range i + 1 {
				l[i*d+j] = (all*tied.At(i, j) + a*scale*f.prior.At(i, j)) / (all + a)
			}
			l[i*d+i] += f.mixed.ridge(i)
		}
		p.Factors = f.root(l, scale)
	}
	m := newMixture(p)
	m.levels = f.mixed.probabilities(s.by, s.n, kept)
	m.tails = f.tailsOf(s)
	return m
}

// expected returns the scale of Λ for k components.
func (f *em) expected(k int) float64 {
	return math.Pow(float64(k), -2/float64(f.prior.SymmetricDim()))
}

// factor returns L of the covariance (w S + aΛ)/(n + a), S = sq/w - shift shiftᵀ; n = w without scales.
func (f *em) factor(n, w float64, shift, sq []float64, scale float64) []float64 {
	d, a := len(shift), f.shrink
	if f.kind == Full {
		l := make([]float64, d*d)
		for i := range d {
			for j := range i + 1 {
				l[i*d+j] = (sq[triangle(i)+j] - w*shift[i]*shift[j] + a*scale*f.prior.At(i, j)) / (n + a)
			}
			l[i*d+i] += f.mixed.ridge(i)
		}
		return f.root(l, scale)
	}
	sd := make([]float64, d)
	for j := range sd {
		v := (max(0, sq[j]-w*shift[j]*shift[j]) + a*scale*f.prior.At(j, j)) / (n + a)
		sd[j] = math.Sqrt(v + f.mixed.ridge(j))
	}
	return sd
}

// root replaces the lower triangle of a covariance by its factor, or by that of Λ if rounding has made the covariance
// indefinite.
func (f *em) root(l []float64, scale float64) []float64 {
	d := f.prior.SymmetricDim()
	if factorize(l, d) {
		return l
	}
	for i := range d {
		for j := range i + 1 {
			l[i*d+j] = scale * f.prior.At(i, j)
		}
	}
	factorize(l, d)
	return l
}

// factorize replaces a lower triangle (d, d) by the Cholesky factor if the matrix is positive definite.
func factorize(l []float64, d int) bool {
	for i := range d {
		for j := range i + 1 {
			v := l[i*d+j]
			for c := range j {
				v -= l[i*d+c] * l[j*d+c]
			}
			switch {
			case j < i:
				l[i*d+j] = v / l[j*d+j]
			case !(v > 1e-14*l[i*d+i]):
				return false
			default:
				l[i*d+i] = math.Sqrt(v)
			}
		}
	}
	return true
}

// penalty returns a/2 Σ_k (log det Σ_k + tr Σ_k⁻¹Λ).
func (f *em) penalty(m *Mixture) (sum float64) {
	k, d := len(m.logw), m.p.Dim
	scale := f.expected(k)
	count := k
	if f.kind == Tied {
		count = 1
	}
	total := 0.0
	for _, w := range m.p.Weights {
		total += w
	}
	size := len(m.inv) / count
	for i := range count {
		sum += 2 * (math.Log(m.p.Weights[i]/total) - m.logw[i] - float64(d)/2*math.Log(2*math.Pi))
		inv := m.inv[i*size : (i+1)*size]
		switch f.kind {
		case Full, Tied:
			sum += scale * traceOf(inv, f.prior)
		default:
			for j := range d {
				v := inv[j%len(inv)]
				sum += scale * v * v * f.prior.At(j, j)
			}
		}
	}
	return f.shrink / 2 * sum
}

// traceOf returns tr W C Wᵀ for a packed lower triangle W.
func traceOf(w []float64, c *mat.SymDense) (sum float64) {
	for a := range c.SymmetricDim() {
		row := w[:a+1]
		w = w[a+1:]
		for i, u := range row {
			var v float64
			for j, t := range row {
				v += t * c.At(i, j)
			}
			sum += u * v
		}
	}
	return sum
}

// climb iterates until a pass gains less than tolerance per point, or for at most most passes, and returns the mixture,
// Σ log p(x) and the value of the objective.
func (f *em) climb(m *Mixture, tolerance float64, most int) (fit *Mixture, logp, height float64) {
	n, _ := f.z.Dims()
	last := math.Inf(-1)
	for i := 1; ; i++ {
		s := f.pass(m)
		height = s.logp - f.penalty(m)
		if i >= most || !(height-last >= tolerance*float64(n)) {
			return m, s.logp, height
		}
		last = height
		m = f.update(s, m.p.Means)
	}
}
