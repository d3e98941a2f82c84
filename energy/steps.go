package energy

import (
	"math"

	"gonum.org/v1/gonum/mat"
	G "gorgonia.org/gorgonia"

	"github.com/stheno-ebm/stheno/datasets/density"
	"github.com/stheno-ebm/stheno/graphs"
)

// steps builds what jumps between the cells of discrete columns, see [density.Levels]. Whatever is a sum over these
// columns of functions of their values is affine in
//
//	s_e(x) = 1 where the column of edge e is beyond it, else 0,   (n, E) for all edges of all columns,
//
// a function of one column with the values v_0 … v_L being v_0 + Σ_e s_e (v_e+1 - v_e). s has no slope; it is a
// sigmoid so steep that in float32 it is 0 or 1 but next to an edge.
type steps struct {
	mixed *density.Mixed
	d     int
	pick  []float64 // (d, E), row-major: 1 where an edge is of a column
	edges []float64 // (E)
	codes func(a *G.Node) *G.Node
}

// steep is the slope of the sigmoid, in units in which columns have deviations of about 1.
const steep = 1e7

func newSteps(m *density.Mixed) *steps {
	s := &steps{mixed: m, d: m.Dim(), codes: componentsBuilder(m.Codes().Parameters())}
	for _, l := range m.Levels() {
		s.edges = append(s.edges, l.Edges()...)
	}
	e := len(s.edges)
	s.pick = make([]float64, s.d*e)
	at := 0
	for _, l := range m.Levels() {
		for range len(l.Values) - 1 {
			s.pick[l.Column*e+at] = 1
			at++
		}
	}
	return s
}

// of builds s (n, E).
func (s *steps) of(x *G.Node) *G.Node {
	n, e := x.Shape()[0], len(s.edges)
	beyond := graphs.Sub(graphs.MatMul(x, constant(x, s.pick, s.d, e), false, false),
		graphs.ExpandRows(constant(x, s.edges, e), n))
	return graphs.StopGradient(graphs.Sigmoid(graphs.Scale(beyond, steep)))
}

// table builds a sum over discrete columns of vectors with m entries: of column j and value c it adds v(j, c) (n, m).
func (s *steps) table(on *G.Node, m int, v func(j, c int) []float64) *G.Node {
	first := make([]float64, m)
	var rise []float64 // (E, m)
	for j, l := range s.mixed.Levels() {
		last := v(j, 0)
		for i, w := range last {
			first[i] += w
		}
		for c := 1; c < len(l.Values); c++ {
			next := v(j, c)
			for i, w := range next {
				rise = append(rise, w-last[i])
			}
			last = next
		}
	}
	return graphs.Add(graphs.MatMul(on, constant(on, rise, len(s.edges), m), false, false),
		graphs.ExpandRows(constant(on, first, m), on.Shape()[0]))
}

// row builds x with values in the discrete columns (n, d), and what makes log w_k P_k(c, x) of log w_k N_k(a, x),
// Σ_j log π_kj(c_j) - log N_k(a) (n, K).
func (s *steps) row(x *G.Node) (row, beside *G.Node) {
	on, levels, k := s.of(x), s.mixed.Levels(), s.mixed.Components()
	keep := make([]float64, s.d*s.d) // of the columns that are not discrete
	for j := range s.d {
		keep[j*s.d+j] = 1
	}
	for _, l := range levels {
		keep[l.Column*s.d+l.Column] = 0
	}
	row = graphs.Add(graphs.MatMul(x, constant(x, keep, s.d, s.d), false, false),
		s.table(on, s.d, func(j, c int) []float64 {
			v := make([]float64, s.d)
			v[levels[j].Column] = levels[j].Values[c]
			return v
		}))
	a := s.table(on, len(levels), func(j, c int) []float64 {
		v := make([]float64, len(levels))
		v[j] = levels[j].Values[c]
		return v
	})
	logw := make([]float64, k)
	for i, w := range s.mixed.Gaussians().Weights() {
		logw[i] = math.Log(w)
	}
	probs := s.table(on, k, func(j, c int) []float64 { return s.mixed.LogProbs(j, c) })
	codes := graphs.Sub(s.codes(a), graphs.ExpandRows(constant(x, logw, k), x.Shape()[0]))
	return row, graphs.Sub(probs, codes)
}

// reference builds Σ_j log N(z_j; m_j, s_j²) - log M_j (n, 1).
func (s *steps) reference(x *G.Node) *G.Node {
	n := x.Shape()[0]
	masses := s.table(s.of(x), 1, func(j, c int) []float64 { return []float64{-s.mixed.Levels()[j].LogMass(c)} })
	scale, shift, logs := make([]float64, s.d), make([]float64, s.d), 0.0
	for _, l := range s.mixed.Levels() {
		mean, sd := l.Reference()
		scale[l.Column], shift[l.Column] = 1/sd, -mean/sd
		logs -= math.Log(sd) + 0.5*math.Log(2*math.Pi)
	}
	v := graphs.Add(graphs.Mul(x, graphs.ExpandRows(constant(x, scale, s.d), n)),
		graphs.ExpandRows(constant(x, shift, s.d), n))
	return graphs.Add(masses, graphs.Shift(graphs.Scale(graphs.RowSum(graphs.Square(v)), -0.5), logs))
}

// apart returns the moments of the continuous columns beside those of the references.
func (t *Tilted) apart() (mean []float64, root *mat.TriDense) {
	d := t.base.Dim()
	cov := mat.NewSymDense(d, nil)
	cov.CopySym(symOf(t.root))
	mean = make([]float64, d)
	copy(mean, t.mean)
	for _, l := range t.mixed.Levels() {
		m, sd := l.Reference()
		mean[l.Column] = m
		for j := range d {
			cov.SetSym(l.Column, j, 0)
		}
		cov.SetSym(l.Column, l.Column, sd*sd)
	}
	var chol mat.Cholesky
	if !chol.Factorize(cov) {
		return mean, t.root
	}
	root = new(mat.TriDense)
	chol.LTo(root)
	return mean, root
}

// symOf is L Lᵀ.
func symOf(l *mat.TriDense) *mat.SymDense {
	d, _ := l.Dims()
	var full mat.Dense
	full.Mul(l, l.T())
	s := mat.NewSymDense(d, nil)
	for i := range d {
		for j := range i + 1 {
			s.SetSym(i, j, full.At(i, j))
		}
	}
	return s
}
