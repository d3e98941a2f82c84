package density

import (
	"math"
	"slices"

	"gonum.org/v1/gonum/blas"
	"gonum.org/v1/gonum/blas/blas64"
	"gonum.org/v1/gonum/mat"
)

const (
	hingeRows   = 20   // points for every hinge of a column, at least
	manyColumns = 10   // up to which hinges times another column are tried,
	mostColumns = 32   // and anything at all
	timesHinge  = 6    // of a column times another
	warpRows    = 3000 // points by which terms are chosen at least, if there are as many, and
	warpWork    = 4e9  // points times the square of the number of functions at most
	ridge       = 1e-8 // added to variances, of themselves
	// of the range of a column, how far its functions go on beyond it on either side: of 2400 points of bananas with long
	// tails a warp is 0.023 nats off with it, and 0.25 if functions end one deviation beyond the points
	reach = 1
)

// hinges are the numbers of hinges of a column, of which one is chosen together.
var hinges = []int{3, 6, 12, 24}

// FitWarp looks for the warp after which a Gaussian fits the rows of x best, by BIC. It adds to that column j and that
// group of k terms for which
//
//	n/2 log v_j/v_j' - k/2 log n
//
// is largest, v_j the variance of what terms leave of the column, while that is above zero and no column follows from
// itself: the forward selection of Friedman, Multivariate adaptive regression splines, Ann. Statist. 19 (1991) 1–67,
// and the order of columns of Bühlmann, Peters and Ernest, CAM: causal additive models, Ann. Statist. 42 (2014)
// 2526–2556. Groups are the column itself, its square with 0 to 24 hinges, a product of two columns, and hinges of one
// times another. It is nil if there are none.
//
// Variances are those left by the terms and, linearly, by all other z, which the Gaussian has for nothing. But what is
// chosen first determines the order, and neither this nor single columns alone, with or without the others, begin in
// the right direction always; so of three beginnings the best end is taken.
func FitWarp(x *mat.Dense) (*Warp, error) {
	n, d := x.Dims()
	if d > mostColumns || d < 2 {
		return nil, nil
	}
	z, u, err := standardise(x)
	if err != nil {
		return nil, err
	}
	s := &warpSearch{n: n, d: d}
	s.functions(z)
	s.covariances(z)
	var best []Bend
	top := math.Inf(-1)
	for _, begin := range []phase{{}, {single: true}, {single: true, alone: true}} {
		s.clear()
		s.run(begin)
		if begin.single {
			s.run(phase{})
		}
		if score := s.score(); score > top {
			best, top = s.bends(), score
		}
	}
	if best == nil {
		return nil, nil
	}
	columns := make([]Reach, d)
	for j := range columns {
		col := mat.Col(nil, j, z)
		lo, hi := slices.Min(col), slices.Max(col)
		columns[j] = Reach{u.mean[j], u.sd[j], lo - reach*(hi-lo), hi + reach*(hi-lo)}
	}
	return NewWarp(columns, best)
}

func argmax(v []float64) (at int) {
	for i, w := range v {
		if w > v[at] {
			at = i
		}
	}
	return at
}

// warpSearch chooses terms, by the covariances of all functions.
type warpSearch struct {
	n, d   int
	phi    []Bend // the first d are the columns
	groups []group
	cov    *mat.Dense
	after  [][]bool // [j][a]: column j follows from a
	terms  [][]int  // of every column, by function
	coef   [][]float64
	phase
}

// phase restricts what is chosen.
type phase struct {
	single bool // only functions of one column
	alone  bool // by the variances that are left without the other z
}

func (s *warpSearch) clear() {
	s.terms, s.coef, s.after = make([][]int, s.d), make([][]float64, s.d), make([][]bool, s.d)
	for j := range s.d {
		s.after[j] = make([]bool, s.d)
	}
}

// run adds groups while they help.
func (s *warpSearch) run(p phase) {
	s.phase = p
	gains, which := make([]float64, s.d), make([]int, s.d)
	s.solve()
	for j := range s.d {
		gains[j], which[j] = s.best(j)
	}
	for {
		j := argmax(gains)
		if gains[j] <= 0 {
			return
		}
		if gains[j], which[j] = s.best(j); argmax(gains) != j || gains[j] <= 0 {
			continue // other columns have changed since it was found
		}
		s.add(j, s.groups[which[j]])
		s.solve()
		gains[j], which[j] = s.best(j)
	}
}

// score is the BIC of the Gaussian of z but for a constant.
func (s *warpSearch) score() float64 {
	n, count := float64(s.n), 0
	l := make([]float64, s.d*s.d)
	for j := range s.d {
		count += len(s.terms[j])
		row := s.combined(j)
		for k := range j + 1 {
			l[j*s.d+k] = s.with(k, row)
		}
	}
	if !factorize(l, s.d) {
		return math.Inf(-1)
	}
	score := -float64(count) / 2 * math.Log(n)
	for j := range s.d {
		score -= n * math.Log(l[j*s.d+j])
	}
	return score
}

// bends are the terms with their coefficients.
func (s *warpSearch) bends() (list []Bend) {
	for j := range s.d {
		for i, t := range s.terms[j] {
			f := s.phi[t]
			f.Column, f.Coefficient = j, s.coef[j][i]
			list = append(list, f)
		}
	}
	return list
}

// group is a group of functions of columns a and b, which may be the same.
type group struct{ a, b, from, to, beside int }

// all lists the functions of a group.
func (g group) all() (list []int) {
	for f := g.from; f < g.to; f++ {
		list = append(list, f)
	}
	if g.beside >= 0 {
		list = append(list, g.beside)
	}
	return list
}

// functions lists the functions of points in standardised units, and their groups.
func (s *warpSearch) functions(z *mat.Dense) {
	add := func(a, b, beside int, fs ...Bend) {
		from := len(s.phi)
		s.phi = append(s.phi, fs...)
		s.groups = append(s.groups, group{a, b, from, len(s.phi), beside})
	}
	for a := range s.d {
		add(a, a, -1, Bend{From: a, Times: -1})
	}
	for a := range s.d {
		col := mat.Col(nil, a, z)
		slices.Sort(col)
		square := len(s.phi)
		add(a, a, -1, Bend{From: a, Times: a})
		for _, k := range hinges {
			if k*hingeRows <= s.n {
				add(a, a, square, hingesOf(col, k, a, -1)...)
			}
		}
		for b := range s.d {
			if b > a {
				add(a, b, -1, Bend{From: a, Times: b})
			}
			if b != a && s.d <= manyColumns && timesHinge*hingeRows <= s.n {
				add(a, b, -1, hingesOf(col, timesHinge, a, b)...)
			}
		}
	}
}

// hingesOf are k hinges of a column with these values, in order. They are half as dense as the values, and half evenly,
// within all but a hundredth of them, and half as wide as they are apart.
func hingesOf(col []float64, k, a, times int) (list []Bend) {
	const edge = 0.005
	last := float64(len(col) - 1)
	lo, hi := col[int(edge*last)], col[int((1-edge)*last)]
	at := func(i int) float64 {
		p := float64(i) / float64(k-1)
		return 0.5*col[int((edge+(1-2*edge)*p)*last)] + 0.5*(lo+p*(hi-lo))
	}
	for i := range k {
		l, r := max(i-1, 0), min(i+1, k-1)
		if width := 0.5 * (at(r) - at(l)) / float64(r-l); width > 1e-6 {
			list = append(list, Bend{From: a, Times: times, Knot: at(i), Width: width})
		}
	}
	return list
}

// covariances computes those of all functions.
func (s *warpSearch) covariances(z *mat.Dense) {
	const block = 256
	m := len(s.phi)
	rows := min(s.n, max(warpRows, int(warpWork/float64(m*m))))
	s.cov = mat.NewDense(m, m, nil)
	sym := blas64.Symmetric{Uplo: blas.Upper, N: m, Stride: m, Data: s.cov.RawMatrix().Data}
	mean, values := make([]float64, m), mat.NewDense(block, m, nil)
	for lo := 0; lo < rows; lo += block {
		values.Zero()
		for i := lo; i < min(lo+block, rows); i++ {
			row, u := values.RawRowView(i-lo), z.RawRowView(i*s.n/rows)
			for f := range s.phi {
				row[f] = s.phi[f].of(u)
			}
			addTo(mean, row)
		}
		blas64.Syrk(blas.Trans, 1/float64(rows), values.RawMatrix(), 1, sym)
	}
	for a := range m {
		for b := a; b < m; b++ {
			v := s.cov.At(a, b) - mean[a]/float64(rows)*mean[b]/float64(rows)
			if a == b {
				v *= 1 + ridge
			}
			s.cov.Set(a, b, v)
			s.cov.Set(b, a, v)
		}
	}
}

// with is the covariance of z_k and a function or combination with these covariances with all functions.
func (s *warpSearch) with(k int, row []float64) float64 {
	v := row[k]
	for i, t := range s.terms[k] {
		v -= s.coef[k][i] * row[t]
	}
	return v
}

// combined are the covariances of z_k with all functions.
func (s *warpSearch) combined(k int) []float64 {
	row := slices.Clone(s.cov.RawRowView(k))
	for i, t := range s.terms[k] {
		for f, v := range s.cov.RawRowView(t) {
			row[f] -= s.coef[k][i] * v
		}
	}
	return row
}

// regress stands for the regression on the terms of column j and, unless it is alone, z of the others: with covariances
// LLᵀ among these and C with all functions it returns L⁻¹C and L.
func (s *warpSearch) regress(j int) (r [][]float64, l []float64) {
	var zs []int // those of z
	for k := range s.d {
		if k != j && !s.alone {
			zs, r = append(zs, k), append(r, s.combined(k))
		}
	}
	for _, t := range s.terms[j] {
		r = append(r, slices.Clone(s.cov.RawRowView(t)))
	}
	p := len(r)
	l = make([]float64, p*p)
	for a := range p {
		for b := range a + 1 {
			if a < len(zs) {
				l[a*p+b] = s.with(zs[a], r[b])
			} else {
				l[a*p+b] = r[b][s.terms[j][a-len(zs)]]
			}
		}
		l[a*p+a] *= 1 + ridge
	}
	if !factorize(l, p) {
		return nil, nil
	}
	for a := range p {
		for b := range a {
			for f, v := range r[b] {
				r[a][f] -= l[a*p+b] * v
			}
		}
		for f := range r[a] {
			r[a][f] /= l[a*p+a]
		}
	}
	return r, l
}

// best returns the gain of the best group for column j, and the group; 0 if there is none.
func (s *warpSearch) best(j int) (gain float64, which int) {
	r, _ := s.regress(j)
	if r == nil && (len(s.terms[j]) > 0 || !s.alone) {
		return 0, 0
	}
	left := func(a, b int) float64 { // the covariance of the residuals of two functions
		v := s.cov.At(a, b)
		for _, row := range r {
			v -= row[a] * row[b]
		}
		return v
	}
	own := left(j, j)
	for i, g := range s.groups {
		if g.a == j || g.b == j || s.single && g.a != g.b || s.after[g.a][j] || s.after[g.b][j] {
			continue
		}
		list := slices.DeleteFunc(g.all(), func(f int) bool { return slices.Contains(s.terms[j], f) })
		k := len(list)
		l, c := make([]float64, k*k), make([]float64, k)
		for a, f := range list {
			for b, h := range list[:a+1] {
				l[a*k+b] = left(f, h)
			}
			l[a*k+a] += ridge * s.cov.At(f, f)
			c[a] = left(f, j)
		}
		if k == 0 || !factorize(l, k) {
			continue
		}
		rest := own
		for a := range k {
			for b := range a {
				c[a] -= l[a*k+b] * c[b]
			}
			c[a] /= l[a*k+a]
			rest -= c[a] * c[a]
		}
		if v := math.Log(own/rest) - float64(k)*math.Log(float64(s.n))/float64(s.n); v*float64(s.n)/2 > gain {
			gain, which = v*float64(s.n)/2, i
		}
	}
	return gain, which
}

// add gives column j a group of terms.
func (s *warpSearch) add(j int, g group) {
	for _, f := range g.all() {
		if !slices.Contains(s.terms[j], f) {
			s.terms[j], s.coef[j] = append(s.terms[j], f), append(s.coef[j], 0)
		}
	}
	for k := range s.d {
		if k != j && !s.after[k][j] {
			continue
		}
		for _, a := range []int{g.a, g.b} {
			s.after[k][a] = true
			for q, follows := range s.after[a] {
				s.after[k][q] = s.after[k][q] || follows
			}
		}
	}
}

// solve fits the coefficients of all columns, one after the other.
func (s *warpSearch) solve() {
	short := s.ofTerms()
	for j := range s.d {
		if len(s.terms[j]) == 0 {
			continue
		}
		r, l := short.regress(j)
		if r == nil {
			continue
		}
		p := len(r)
		c := make([]float64, p)
		for a := p - 1; a > p-1-len(s.terms[j]); a-- { // Lᵀc = L⁻¹C_j, of which the last are wanted
			c[a] = r[a][j]
			for b := a + 1; b < p; b++ {
				c[a] -= l[b*p+a] * c[b]
			}
			c[a] /= l[a*p+a]
		}
		copy(s.coef[j], c[p-len(s.terms[j]):])
	}
}

// ofTerms is the search with the columns and the functions of terms alone, which has the same coefficients: of the
// functions in 30 columns, a twentieth.
func (s *warpSearch) ofTerms() *warpSearch {
	short := &warpSearch{n: s.n, d: s.d, phase: s.phase, coef: s.coef, terms: make([][]int, s.d)}
	var list []int // the functions
	for a := range s.d {
		list = append(list, a)
	}
	for j, terms := range s.terms {
		for _, t := range terms {
			at := slices.Index(list, t)
			if at < 0 {
				at, list = len(list), append(list, t)
			}
			short.terms[j] = append(short.terms[j], at)
		}
	}
	short.cov = mat.NewDense(len(list), len(list), nil)
	for a, f := range list {
		for b, h := range list {
			short.cov.Set(a, b, s.cov.At(f, h))
		}
	}
	return short
}
