package density

import (
	"errors"
	"fmt"
	"math"
	"math/rand/v2"

	"gonum.org/v1/gonum/floats"
	"gonum.org/v1/gonum/mat"

	"github.com/stheno-ebm/stheno/datasets/internal/batch"
)

// maxNodes is the largest size of a table.
const maxNodes = 1 << 18

// Tabulated is a density known at the nodes g of a regular grid of spacing h_j and linear in every coordinate
// between them,
//
//	q(x) = Σ_g w_g Π_j Λ((x_j - g_j)/h_j) / h_j,   Λ(t) = max(0, 1-|t|),   Σ w_g = 1,
//
// a mixture of tent functions, so the same numbers give the density and exact draws: a node, drawn by weight, plus in
// every coordinate the difference of two uniform numbers times h. log q costs 2^d look-ups, whatever the cost of the
// tabulated density. Outside the grid it is -Inf.
type Tabulated struct {
	lo, h   []float64
	n       []int     // nodes along every axis; the last axis varies fastest
	weights []float64 // by node; 0 on the border
	cdf     []float64
	logVol  float64 // log Π h
}

var (
	_ Density = (*Tabulated)(nil)
	_ Scorer  = (*Tabulated)(nil)
)

// Tabulate returns the table of q over the box from lo to hi, with a spacing of at most h.
func Tabulate(q Density, lo, hi []float64, h float64) (*Tabulated, error) {
	d := len(lo)
	if d != len(hi) || d != q.Dim() {
		return nil, fmt.Errorf("density: a table with corners of %d and %d coordinates of a density of %d",
			d, len(hi), q.Dim())
	}
	t := &Tabulated{lo: append([]float64(nil), lo...), h: make([]float64, d), n: make([]int, d)}
	nodes := 1
	for j := range d {
		cells := math.Ceil((hi[j] - lo[j]) / h)
		if !(cells >= 2 && cells < maxNodes) {
			return nil, fmt.Errorf("density: a table from %g to %g in steps of %g, want 2 to %d",
				lo[j], hi[j], h, maxNodes)
		}
		t.n[j], t.h[j] = int(cells)+1, (hi[j]-lo[j])/cells
		t.logVol += math.Log(t.h[j])
		if nodes *= t.n[j]; nodes > maxNodes {
			return nil, fmt.Errorf("density: a table of more than %d nodes", maxNodes)
		}
	}
	x := mat.NewDense(nodes, d, nil)
	for i := range nodes {
		t.node(x.RawRowView(i), i)
	}
	t.weights, t.cdf = make([]float64, nodes), make([]float64, nodes)
	q.LogProb(t.weights, x)
	top := floats.Max(t.weights)
	if math.IsNaN(top) || math.IsInf(top, 0) {
		return nil, errors.New("density: a table of a density that is nowhere positive and finite")
	}
	for i, v := range t.weights {
		t.weights[i] = math.Exp(v - top)
		if t.border(i) {
			t.weights[i] = 0
		}
	}
	sum := floats.Sum(t.weights)
	if !(sum > 0) { // NaN, too
		return nil, errors.New("density: a table of a density without mass at the nodes inside; take a smaller step")
	}
	floats.Scale(1/sum, t.weights)
	floats.CumSum(t.cdf, t.weights)
	return t, nil
}

// node stores the position of node i.
func (t *Tabulated) node(x []float64, i int) {
	for j := len(t.n) - 1; j >= 0; j-- {
		x[j] = t.lo[j] + t.h[j]*float64(i%t.n[j])
		i /= t.n[j]
	}
}

// border reports whether node i is on the border of the grid.
func (t *Tabulated) border(i int) bool {
	for j := len(t.n) - 1; j >= 0; j-- {
		if k := i % t.n[j]; k == 0 || k == t.n[j]-1 {
			return true
		}
		i /= t.n[j]
	}
	return false
}

// Dim returns the number of axes.
func (t *Tabulated) Dim() int { return len(t.n) }

// Sample draws nodes, and points from their tents.
func (t *Tabulated) Sample(dst *mat.Dense, rng *rand.Rand) {
	batch.Sample(dst, t.Dim())
	for i := range dst.RawMatrix().Rows {
		row := dst.RawRowView(i)
		t.node(row, Pick(t.cdf, rng))
		for j := range row {
			row[j] += t.h[j] * (rng.Float64() - rng.Float64())
		}
	}
}

// LogProb stores the log-density.
func (t *Tabulated) LogProb(dst []float64, x *mat.Dense) {
	batch.LogProb(dst, x, t.Dim())
	for i := range dst {
		row := x.RawRowView(i)
		if dst[i] = math.Log(t.at(row, 0, 0, -1)) - t.logVol; floats.HasNaN(row) {
			dst[i] = math.NaN()
		}
	}
}

// Score stores the gradient of the log-density within the cell of every row.
func (t *Tabulated) Score(dst, x *mat.Dense) {
	batch.Score(dst, x, t.Dim())
	for i := range x.RawMatrix().Rows {
		at, row := x.RawRowView(i), dst.RawRowView(i)
		p := t.at(at, 0, 0, -1)
		for j := range row {
			if row[j] = 0; p > 0 {
				row[j] = t.at(at, 0, 0, j) / p
			}
		}
	}
}

// at returns the interpolated weight around x, over the nodes with the given index in the axes before j; or its
// derivative along an axis, -1 for none.
func (t *Tabulated) at(x []float64, j, index, along int) float64 {
	if j == len(x) {
		return t.weights[index]
	}
	s := (x[j] - t.lo[j]) / t.h[j]
	if !(s >= 0 && s < float64(t.n[j]-1)) { // NaN, too
		return 0
	}
	k := int(s)
	s -= float64(k)
	index = index*t.n[j] + k
	lo, hi := t.at(x, j+1, index, along), t.at(x, j+1, index+1, along)
	if j == along {
		return (hi - lo) / t.h[j]
	}
	return (1-s)*lo + s*hi
}
