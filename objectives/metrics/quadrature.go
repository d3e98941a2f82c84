package metrics

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"math"
	"slices"

	"gonum.org/v1/gonum/mat"
)

// Grid is a box in one or two dimensions cut into N[0]×N[1] equal cells, numbered with the last coordinate varying
// fastest.
type Grid struct {
	Lo, Hi []float64
	N      []int
}

// NewGrid cuts the box into n cells along every axis.
func NewGrid(lo, hi []float64, n int) Grid {
	return Grid{Lo: lo, Hi: hi, N: slices.Repeat([]int{n}, len(lo))}
}

// Len returns the number of cells.
func (g Grid) Len() int {
	n := 1
	for _, k := range g.N {
		n *= k
	}
	return n
}

// logCell returns the log of the volume of a cell.
func (g Grid) logCell() float64 {
	var s float64
	for i, k := range g.N {
		s += math.Log((g.Hi[i] - g.Lo[i]) / float64(k))
	}
	return s
}

// Fill stores the midpoints of cells first, first+1, … in the rows of dst.
func (g Grid) Fill(dst *mat.Dense, first int) {
	n, d := dst.Dims()
	if d != len(g.N) {
		panic("metrics: columns of dst differ from the dimension of the grid")
	}
	for i := range n {
		row, k := dst.RawRowView(i), first+i
		for j := d - 1; j >= 0; j-- {
			row[j] = g.Lo[j] + (float64(k%g.N[j])+0.5)*(g.Hi[j]-g.Lo[j])/float64(g.N[j])
			k /= g.N[j]
		}
	}
}

// energies evaluates f at the midpoints.
func (g Grid) energies(ctx context.Context, f Energy) ([]float64, error) {
	dst := make([]float64, g.Len())
	x := mat.NewDense(min(chunk, len(dst)), len(g.N), nil)
	for from := 0; from < len(dst); from += chunk {
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		to := min(from+chunk, len(dst))
		part := rowsOf(x, 0, to-from)
		g.Fill(part, from)
		if err := f(dst[from:to], part); err != nil {
			return nil, err
		}
		if err := checkEnergies(dst[from:to], part); err != nil {
			return nil, err
		}
	}
	return dst, nil
}

// LogProbs evaluates the true log-density at the midpoints, on all cores.
func (g Grid) LogProbs(ctx context.Context, p LogProber) ([]float64, error) {
	dst := make([]float64, g.Len())
	const block = 4096
	err := parallel(ctx, len(dst), block, func(from, to int) {
		x := mat.NewDense(to-from, len(g.N), nil)
		g.Fill(x, from)
		p.LogProb(dst[from:to], x)
	})
	return dst, err
}

// QuadratureConfig sets the accuracy and limits of Integrate. The zero value is the default.
type QuadratureConfig struct {
	Tol    float64 // refinement ends when log Z changes by less than this twice in a row; 0 means 1e-4
	Start  int     // initial cells along an axis; 0 means 200 (in 1-D, 1000)
	Max    int     // maximum cells along an axis; 0 means 3200 (in 1-D, 1<<20)
	Frames int     // times the box is tripled to look for mass outside; 0 means 3, < 0 none
	// cells along an axis of an outer tile, as large as the box inside; 0 means 100 (in 1-D, 1000)
	FrameCells int
}

// Quadrature is the outcome of Integrate.
type Quadrature struct {
	LogZ    float64 // log of the integral of exp(−E) over the box and the frames around it
	LogZBox float64 // the same over the box alone
	Err     float64 // change of LogZ in the last refinement or by the last frame, whichever is larger
	Leak    float64 // 1 − exp(LogZBox − LogZ): the share of mass outside the box

	Grid   Grid      // the finest grid on the box
	Energy []float64 // E at its midpoints
}

// Integrate computes log Z = log ∫ exp(−E) in one or two dimensions by the midpoint rule. On the box, the number of
// cells along each axis is doubled until log Z changes by less than Tol twice in a row. For a smooth integrand that is
// small at the border of the box the rule converges geometrically, so the true error is far below the last change. Mass
// outside the box is searched for on frames: the box is tripled about its centre, the new tiles are integrated with
// FrameCells cells along each axis, and so on until a frame adds less than 1e-7, at most Frames times.
//
// LogZ includes the frames, so that q is normalised wherever its mass is, and an energy that lets mass escape pays for
// it. If the last frame still adds mass, Err says how much.
//
// By default, numbers of cells are multiples of 100, so that densities with jumps at simple fractions of the box are
// integrated exactly.
func Integrate(ctx context.Context, f Energy, lo, hi []float64, cfg QuadratureConfig) (*Quadrature, error) {
	d := len(lo)
	if d < 1 || d > 2 || len(hi) != d {
		return nil, fmt.Errorf(
			"metrics: quadrature in %d dimensions, want 1 or 2; provide log Z from annealed importance sampling", d)
	}
	for i := range lo {
		if !(hi[i] > lo[i]) || math.IsInf(hi[i]-lo[i], 0) {
			return nil, fmt.Errorf("metrics: quadrature on an empty box: axis %d runs from %g to %g", i, lo[i], hi[i])
		}
	}
	start, most, cells := 200, 3200, 100
	if d == 1 {
		start, most, cells = 1000, 1<<20, 1000
	}
	start, most = cmp.Or(max(cfg.Start, 0), start), cmp.Or(max(cfg.Max, 0), most)
	cells = cmp.Or(max(cfg.FrameCells, 0), cells)
	tol, frames := cmp.Or(max(cfg.Tol, 0), 1e-4), cmp.Or(cfg.Frames, 3)

	q := &Quadrature{LogZBox: math.NaN(), Err: math.Inf(1)}
	for n, calm := min(start, most), 0; n <= most && calm < 2; n *= 2 {
		g := NewGrid(lo, hi, n)
		e, err := g.energies(ctx, f)
		if err != nil {
			return nil, err
		}
		z := logIntegral(g, e)
		move := math.Abs(z - q.LogZBox)
		if move < tol {
			calm++
		} else {
			calm = 0
		}
		if !math.IsNaN(move) {
			q.Err = move
		}
		q.LogZBox, q.Grid, q.Energy = z, g, e
	}
	if math.IsInf(q.LogZBox, -1) {
		return nil, errors.New("metrics: the model has no mass in the box of the data")
	}
	q.LogZ = q.LogZBox
	for k := range max(frames, 0) {
		z, err := frame(ctx, f, lo, hi, math.Pow(3, float64(k)), cells)
		if err != nil {
			return nil, err
		}
		old := q.LogZ
		q.LogZ = logAdd(old, z)
		added := q.LogZ - old
		if k == frames-1 || added < 1e-7 {
			q.Err = math.Max(q.Err, added)
			break
		}
	}
	q.Leak = -math.Expm1(q.LogZBox - q.LogZ)
	return q, nil
}

// frame integrates over the tiles around the box scaled by s: 3^d − 1 boxes of its size.
func frame(ctx context.Context, f Energy, lo, hi []float64, s float64, cells int) (float64, error) {
	d := len(lo)
	tiles := 1
	for range d {
		tiles *= 3
	}
	total := math.Inf(-1)
	a, b := make([]float64, d), make([]float64, d)
	for k := range tiles {
		if k == tiles/2 {
			continue // the box itself
		}
		for i, t := 0, k; i < d; i, t = i+1, t/3 {
			width := s * (hi[i] - lo[i])
			a[i] = (lo[i]+hi[i])/2 + (float64(t%3)-1.5)*width
			b[i] = a[i] + width
		}
		g := NewGrid(a, b, cells)
		e, err := g.energies(ctx, f)
		if err != nil {
			return 0, err
		}
		total = logAdd(total, logIntegral(g, e))
	}
	return total, nil
}

// logIntegral returns log Σ exp(−e) + log of the cell volume.
func logIntegral(g Grid, e []float64) float64 {
	least := slices.Min(e)
	if math.IsInf(least, 1) {
		return math.Inf(-1)
	}
	var sum float64
	for _, v := range e {
		sum += math.Exp(least - v)
	}
	return math.Log(sum) - least + g.logCell()
}
