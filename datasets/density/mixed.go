package density

import (
	"errors"
	"fmt"
	"math"
	"math/rand/v2"
	"slices"

	"gonum.org/v1/gonum/mat"

	"github.com/stheno-ebm/stheno/datasets/internal/batch"
)

// Mixed is a mixture for rows of which some columns, c, are discrete and the others, x, are not:
//
//	P(c, x) = Σ_k w_k Π_j π_kj(c_j) N(x; μ_k(c), Σ_k),   μ_k(c) = μ_k + B_k (a(c) - α_k),
//
// a(c) the values of the discrete columns. Within a component these are independent of each other and x is linear in
// them, as in the general location model; components make up for what is not. It is a density of points by [Levels].
//
// μ_k, B_k, α_k, Σ_k are those of a Gaussian N_k of (a, x), of which only N_k(x | a) = N_k(a, x)/N_k(a) is used. With
// one value per cell of a, a single Gaussian would do as well as these; with two values it would put a tenth of the
// mass of each at the other.
//
// Olkin and Tate, Multivariate correlation models with mixed discrete and continuous variables, Ann. Math. Stat. 32
// (1961) 448–465; Hunt and Jorgensen, Mixture model clustering using the MULTIMIX program, Aust. N. Z. J. Stat. 41
// (1999) 153–171.
type Mixed struct {
	gauss   *Mixture // N_k of all columns
	codes   *Mixture // N_k(a)
	levels  []Levels
	logp    [][][]float64 // log π by factor, component and level
	logMass [][]float64   // log M by factor and level
	draw    []component
	order   []int // columns: the discrete ones first
	logw    []float64
}

// component is what draws of a component are made of: its mean and L, columns in order.
type component struct {
	mean []float64
	l    *mat.TriDense
}

var _ Density = (*Mixed)(nil)

// NewMixed returns the mixture whose Gaussians of all columns are given. Levels are in the order of their columns.
func NewMixed(gauss *Mixture, levels []Levels) (*Mixed, error) {
	d, k := gauss.p.Dim, len(gauss.logw)
	if len(levels) == 0 {
		return nil, errors.New("density: a Mixed without levels")
	}
	m := &Mixed{gauss: gauss, levels: levels}
	var columns []int
	for j, l := range levels {
		if err := l.Validate(d, k); err != nil {
			return nil, err
		}
		if j > 0 && l.Column <= columns[j-1] {
			return nil, fmt.Errorf("density: levels of column %d after those of column %d", l.Column, columns[j-1])
		}
		columns = append(columns, l.Column)
		var mass []float64
		for c := range l.Values {
			mass = append(mass, l.LogMass(c))
		}
		m.logMass = append(m.logMass, mass)
		var rows [][]float64
		for _, p := range l.Probs {
			var row []float64
			sum := 0.0
			for _, v := range p {
				sum += v
			}
			for _, v := range p {
				row = append(row, math.Log(v/sum))
			}
			rows = append(rows, row)
		}
		m.logp = append(m.logp, rows)
	}
	m.order = slices.Clone(columns)
	for j := range d {
		if !slices.Contains(columns, j) {
			m.order = append(m.order, j)
		}
	}
	for _, w := range gauss.Weights() {
		m.logw = append(m.logw, math.Log(w))
	}
	for c := range k {
		mean, l, err := gauss.reordered(c, m.order)
		if err != nil {
			return nil, err
		}
		m.draw = append(m.draw, component{mean, l})
	}
	var err error
	m.codes, err = gauss.marginal(columns)
	return m, err
}

// marginal is the mixture of some columns.
func (m *Mixture) marginal(columns []int) (*Mixture, error) {
	d := len(columns)
	p := Parameters{Dim: d, Covariance: Full, Weights: m.Weights()}
	for k := range p.Weights {
		mean, l, err := m.reordered(k, columns)
		if err != nil {
			return nil, err
		}
		p.Means = append(p.Means, mean...)
		for a := range d {
			for b := range d {
				p.Factors = append(p.Factors, l.At(a, b))
			}
		}
	}
	return NewMixture(p)
}

// Dim returns the number of columns.
func (m *Mixed) Dim() int { return m.gauss.p.Dim }

// Components returns K.
func (m *Mixed) Components() int { return len(m.logw) }

// Gaussians returns the N_k with the weights, of all columns, and Codes those of the discrete ones.
func (m *Mixed) Gaussians() *Mixture { return m.gauss }

// Codes returns the N_k(a) with the weights.
func (m *Mixed) Codes() *Mixture { return m.codes }

// Levels returns the levels of the discrete columns, with their probabilities. They are not copied.
func (m *Mixed) Levels() []Levels { return m.levels }

// LogProbs returns log π_kj(c) of all components, of discrete column j of the levels and value c.
func (m *Mixed) LogProbs(j, c int) []float64 {
	row := make([]float64, len(m.logw))
	for k := range row {
		row[k] = m.logp[j][k][c]
	}
	return row
}

// EntropyBeside is what the entropy of a component has, on average, in place of that of its Gaussian of the discrete
// columns: Σ_k w_k (Σ_j H(π_kj) - H(N_k(a))).
func (m *Mixed) EntropyBeside() (sum float64) {
	f := len(m.levels)
	for k, lw := range m.logw {
		h := -0.5 * float64(f) * (1 + math.Log(2*math.Pi))
		for j := range f {
			h -= math.Log(m.draw[k].l.At(j, j))
			for _, lp := range m.logp[j][k] {
				h -= math.Exp(lp) * lp
			}
		}
		sum += math.Exp(lw) * h
	}
	return sum
}

// place is room for what is computed of a point.
type place struct {
	y, room, a []float64
	at         []int
}

func (m *Mixed) newPlace() *place {
	d, f := m.Dim(), len(m.levels)
	return &place{make([]float64, d), make([]float64, 3*d), make([]float64, f), make([]int, f)}
}

// logs stores log w_k P_k(c, x) of a point, and returns the reference term log N - log M of its z.
func (m *Mixed) logs(dst []float64, s *place, x []float64) (reference float64) {
	copy(s.y, x)
	for j, l := range m.levels {
		z := x[l.Column]
		s.at[j] = l.Of(z)
		s.a[j] = l.Values[s.at[j]]
		s.y[l.Column] = s.a[j]
		reference += l.logReference(z) - m.logMass[j][s.at[j]]
	}
	for k, lw := range m.logw {
		dst[k] = lw + m.gauss.logDensityOf(s.room, s.y, k) - m.codes.logDensityOf(s.room, s.a, k)
		for j, c := range s.at {
			dst[k] += m.logp[j][k][c]
		}
	}
	return reference
}

// logDensityOf is log N(x; μ_k, Σ_k), with scratch space for 3d numbers.
func (m *Mixture) logDensityOf(room, x []float64, k int) float64 {
	d := len(x)
	w := m.cdf[k]
	if k > 0 {
		w -= m.cdf[k-1]
	}
	return m.logw[k] - math.Log(w) - m.distance(room[:2*d], m.place(room[2*d:3*d], x), k, math.Inf(1))/2
}

// LogProb stores the log density of the rows of x.
func (m *Mixed) LogProb(dst []float64, x *mat.Dense) {
	d := m.Dim()
	batch.LogProb(dst, x, d)
	logs, s := make([]float64, len(m.logw)), m.newPlace()
	for i := range dst {
		reference := m.logs(logs, s, x.RawRowView(i))
		top, sum := slices.Max(logs), 0.0
		for _, v := range logs {
			sum += math.Exp(v - top)
		}
		dst[i] = reference + top + math.Log(sum)
	}
}

// Shares stores the probabilities of the components given every row of x in dst, (n, K).
func (m *Mixed) Shares(dst, x *mat.Dense) {
	n, d := x.Dims()
	if rows, cols := dst.Dims(); d != m.Dim() || rows != n || cols != len(m.logw) {
		panic(batch.BadShape)
	}
	s := m.newPlace()
	for i := range n {
		row := dst.RawRowView(i)
		m.logs(row, s, x.RawRowView(i))
		normalise(row)
	}
}

// Sample fills the rows of dst with draws.
func (m *Mixed) Sample(dst *mat.Dense, rng *rand.Rand) {
	batch.Sample(dst, m.Dim())
	var cdf []float64
	f := len(m.levels)
	u := make([]float64, m.Dim())
	for i := range dst.RawMatrix().Rows {
		k, row := 0, dst.RawRowView(i)
		if len(m.gauss.cdf) > 1 {
			k = Pick(m.gauss.cdf, rng)
		}
		from := m.draw[k]
		for j, l := range m.levels {
			cdf = cdf[:0]
			for c, p := range l.Probs[k] {
				if c > 0 {
					p += cdf[c-1]
				}
				cdf = append(cdf, p)
			}
			c := Pick(cdf, rng)
			row[l.Column] = l.Draw(c, rng)
			u[j] = l.Values[c] - from.mean[j] // L⁻¹(a - α) of the discrete columns
			for b := range j {
				u[j] -= from.l.At(j, b) * u[b]
			}
			u[j] /= from.l.At(j, j)
		}
		m.place(row, u, k, rng)
		for j, col := range m.order[f:] {
			row[col] += from.mean[f+j]
		}
	}
}

// place stores L (u, ξ) of component k in the continuous columns of row, u of the discrete ones; ξ is drawn into u.
func (m *Mixed) place(row, u []float64, k int, rng *rand.Rand) {
	f, l := len(m.levels), m.draw[k].l
	for j := f; j < len(u); j++ {
		u[j] = rng.NormFloat64()
	}
	for j := f; j < len(u); j++ {
		v := 0.0
		for b := range j + 1 {
			v += l.At(j, b) * u[b]
		}
		row[m.order[j]] = v
	}
}

// SampleAround draws a point of component k as seen from μ_k(c), 0 in the discrete columns.
func (m *Mixed) SampleAround(dst []float64, k int, rng *rand.Rand) {
	clear(dst)
	m.place(dst, make([]float64, len(dst)), k, rng)
}

// Given returns a density of the other coordinates, in their order, given the values of those with the indices known:
// a Mixed, or a Mixture where no discrete column is left. Discrete values are those of their cells. It is the
// conditional density where all discrete columns are known or no continuous one is. Else it is near it: the
// probabilities of the discrete columns that are left are those of their components.
func (m *Mixed) Given(known []int, values []float64) (Density, error) {
	d := m.Dim()
	values = slices.Clone(values)
	var left []Levels
	var columns []int // of known discrete columns
	var a []float64
	logw := make([]float64, len(m.logw)) // beside the weights
	for j, l := range m.levels {
		at := slices.Index(known, l.Column)
		if at < 0 {
			left = append(left, l)
			continue
		}
		c := l.Of(values[at])
		values[at] = l.Values[c]
		columns, a = append(columns, l.Column), append(a, values[at])
		for k := range logw {
			logw[k] += m.logp[j][k][c]
		}
	}
	if len(columns) > 0 { // their Gaussians have no part in it
		codes, err := m.gauss.marginal(columns)
		if err != nil {
			return nil, err
		}
		room := make([]float64, 3*d)
		for k := range logw {
			logw[k] -= codes.logDensityOf(room, a, k)
		}
	}
	rest, kept, err := m.gauss.given(known, values, logw)
	if err != nil || len(left) == 0 {
		return rest, err
	}
	for j, l := range left {
		before := 0
		for _, i := range known {
			if i < l.Column {
				before++
			}
		}
		own := Levels{Column: l.Column - before, Values: l.Values}
		for _, k := range kept {
			own.Probs = append(own.Probs, l.Probs[k])
		}
		left[j] = own
	}
	return NewMixed(rest, left)
}
