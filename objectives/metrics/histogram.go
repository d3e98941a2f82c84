package metrics

import (
	"context"
	"fmt"
	"math"

	"gonum.org/v1/gonum/integrate/quad"
	"gonum.org/v1/gonum/mat"
)

// HistogramCells is the number of cells along each axis of the histogram on the box of a distribution.
const HistogramCells = 25

// CellMasses returns the exact mass of every cell of g, which is one- or two-dimensional. It asks a CellMasser, and
// integrates the density of a LogProber by Gauss–Legendre quadrature with twelve nodes along each side of a cell.
func CellMasses(ctx context.Context, truth any, g Grid) ([]float64, error) {
	d := len(g.N)
	if d < 1 || d > 2 {
		return nil, fmt.Errorf("metrics: histogram in %d dimensions, want 1 or 2", d)
	}
	mass := make([]float64, g.Len())
	mid := mat.NewDense(g.Len(), d, nil)
	g.Fill(mid, 0)
	half := make([]float64, d)
	for j := range half {
		half[j] = (g.Hi[j] - g.Lo[j]) / float64(g.N[j]) / 2
	}
	if c, ok := truth.(CellMasser); ok {
		lo, hi := make([]float64, d), make([]float64, d)
		for i := range mass {
			for j, m := range mid.RawRowView(i) {
				lo[j], hi[j] = m-half[j], m+half[j]
			}
			mass[i] = c.CellMass(lo, hi)
		}
		return mass, nil
	}
	p, ok := truth.(LogProber)
	if !ok {
		return nil, fmt.Errorf("metrics: cell masses of %T, which has neither CellMass nor LogProb", truth)
	}
	const nodes = 12
	t, w := make([]float64, nodes), make([]float64, nodes)
	quad.Legendre{}.FixedLocations(t, w, -1, 1)
	per := nodes
	if d == 2 {
		per = nodes * nodes
	}
	err := parallel(ctx, len(mass), 8, func(from, to int) {
		x, logp := mat.NewDense(per, d, nil), make([]float64, per)
		for i := from; i < to; i++ {
			m := mid.RawRowView(i)
			for k := range per {
				row := x.RawRowView(k)
				row[0] = m[0] + half[0]*t[k%nodes]
				if d == 2 {
					row[1] = m[1] + half[1]*t[k/nodes]
				}
			}
			p.LogProb(logp, x)
			for k, l := range logp {
				weight := w[k%nodes] * half[0]
				if d == 2 {
					weight *= w[k/nodes] * half[1]
				}
				mass[i] += weight * math.Exp(l)
			}
		}
	})
	return mass, err
}

// count returns how many rows of x fall in each cell of g, and how many in none.
func count(g Grid, x *mat.Dense) (counts []float64, outside float64) {
	counts = make([]float64, g.Len())
	n, _ := x.Dims()
rows:
	for i := range n {
		k := 0
		for j, v := range x.RawRowView(i) {
			u := (v - g.Lo[j]) / (g.Hi[j] - g.Lo[j]) * float64(g.N[j])
			if !(u >= 0 && u < float64(g.N[j])) { // or NaN
				outside++
				continue rows
			}
			k = k*g.N[j] + int(u)
		}
		counts[k]++
	}
	return counts, outside
}

// HistogramTV returns the total variation ½ Σ |count/n − mass| between the histogram of the rows of x and the cell
// masses. Everything outside the grid counts as one more cell.
func HistogramTV(g Grid, mass []float64, x *mat.Dense) float64 {
	counts, outside := count(g, x)
	n, _ := x.Dims()
	rest, tv := 1.0, 0.0
	for i, m := range mass {
		tv += math.Abs(counts[i]/float64(n) - m)
		rest -= m
	}
	return (tv + math.Abs(outside/float64(n)-math.Max(0, rest))) / 2
}

// ModeShares returns the share of the rows of x assigned to each mode.
func ModeShares(m Modal, x *mat.Dense) []float64 {
	_, weights := m.Modes()
	share := make([]float64, len(weights))
	n, _ := x.Dims()
	for i := range n {
		share[m.AssignMode(x.RawRowView(i))]++
	}
	for k := range share {
		share[k] /= float64(n)
	}
	return share
}

// ModeTV returns ½ Σ |share − weight| and the number of modes found: those with at least a tenth of their weight.
func ModeTV(share, weights []float64) (tv float64, found int) {
	for k, w := range weights {
		tv += math.Abs(share[k]-w) / 2
		if share[k] >= w/10 {
			found++
		}
	}
	return tv, found
}
