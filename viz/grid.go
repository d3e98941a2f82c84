package viz

import (
	"fmt"
	"math"
	"slices"

	"gonum.org/v1/gonum/mat"
)

// Grid holds the values of a function of two variables on a rectangular lattice:
//
//	Z[j*len(X)+i] = f(X[i], Y[j])
//
// with X and Y strictly increasing.
type Grid struct {
	X, Y []float64
	Z    []float64
}

// NewGrid returns an n×n lattice of zeros over the box lo…hi (two coordinates each), including nodes on the border.
// There are fewer nodes where float64 has fewer numbers between the borders, as around 1e15.
func NewGrid(lo, hi []float64, n int) *Grid {
	if len(lo) < 2 || len(hi) < 2 || n < 2 || !(lo[0] < hi[0]) || !(lo[1] < hi[1]) {
		panic("viz: NewGrid needs two increasing ranges and n >= 2")
	}
	g := &Grid{X: slices.Compact(linspace(lo[0], hi[0], n)), Y: slices.Compact(linspace(lo[1], hi[1], n))}
	g.Z = make([]float64, len(g.X)*len(g.Y))
	return g
}

func linspace(lo, hi float64, n int) []float64 {
	s := make([]float64, n)
	for i := range s {
		s[i] = lo + (hi-lo)*float64(i)/float64(n-1)
	}
	s[n-1] = hi
	return s
}

// Points returns the nodes as a batch (len(X)·len(Y) × 2), in the order of Z: row j*len(X)+i is (X[i], Y[j]).
func (g *Grid) Points() *mat.Dense {
	pts := mat.NewDense(len(g.X)*len(g.Y), 2, nil)
	k := 0
	for _, y := range g.Y {
		for _, x := range g.X {
			pts.SetRow(k, []float64{x, y})
			k++
		}
	}
	return pts
}

// Eval fills Z with f at every node. f stores the value at row i of x in dst[i].
func (g *Grid) Eval(f func(dst []float64, x *mat.Dense) error) error {
	return f(g.Z, g.Points())
}

// Clone returns a deep copy.
func (g *Grid) Clone() *Grid {
	if g == nil {
		return nil
	}
	return &Grid{X: slices.Clone(g.X), Y: slices.Clone(g.Y), Z: slices.Clone(g.Z)}
}

// Validate reports a lattice whose axes do not increase or whose Z has the wrong length.
func (g *Grid) Validate() error {
	if len(g.X) < 2 || len(g.Y) < 2 || len(g.Z) != len(g.X)*len(g.Y) {
		return fmt.Errorf("viz: grid has %d×%d axes and %d values, want at least 2×2 and as many values as nodes",
			len(g.X), len(g.Y), len(g.Z))
	}
	for _, a := range [2][]float64{g.X, g.Y} {
		for i := 1; i < len(a); i++ {
			if !(a[i] > a[i-1]) {
				return fmt.Errorf("viz: grid axis does not increase at node %d: %g, %g", i, a[i-1], a[i])
			}
		}
	}
	return nil
}

// at returns the value at node (i, j).
func (g *Grid) at(i, j int) float64 { return g.Z[j*len(g.X)+i] }

// Range returns the least and the greatest finite value; (0, 0) when there is none.
func (g *Grid) Range() (lo, hi float64) {
	lo, hi = math.Inf(1), math.Inf(-1)
	for _, z := range g.Z {
		if finite(z) {
			lo, hi = math.Min(lo, z), math.Max(hi, z)
		}
	}
	if lo > hi {
		return 0, 0
	}
	return lo, hi
}

// Quantiles returns the values below which the fractions q of the finite values lie.
func (g *Grid) Quantiles(q ...float64) []float64 {
	s := slices.DeleteFunc(slices.Clone(g.Z), func(z float64) bool { return !finite(z) })
	slices.Sort(s)
	out := make([]float64, len(q))
	if len(s) == 0 {
		return out
	}
	for i, p := range q {
		t := p * float64(len(s)-1)
		k := max(0, min(int(t), len(s)-2))
		out[i] = s[k] + (s[min(k+1, len(s)-1)]-s[k])*(t-float64(k))
	}
	return out
}

// landscapeDepth is the greatest height above the minimum, in nats, that a picture of an energy shows unless told
// otherwise: exp(−20) of the maximum density is invisible.
const landscapeDepth = 20

// Landscape returns the grid of E − min E and the height at which a picture should clip it: the 0.8 quantile of the
// heights (what matters lies below it), but at most landscapeDepth nats. Values that are not finite become +Inf, which
// is drawn at the clipping height.
func (g *Grid) Landscape() (rel *Grid, depth float64) {
	lo, hi := g.Range()
	rel = &Grid{X: g.X, Y: g.Y, Z: make([]float64, len(g.Z))}
	for i, z := range g.Z {
		if rel.Z[i] = z - lo; !finite(z) {
			rel.Z[i] = math.Inf(1)
		}
	}
	depth = math.Min(rel.Quantiles(0.8)[0], landscapeDepth)
	if !(depth > 0) {
		depth = hi - lo
	}
	if !(depth > 0) {
		depth = 1
	}
	return rel, depth
}

// Interpolate returns the bilinear interpolant at (x, y), clamped to the lattice.
func (g *Grid) Interpolate(x, y float64) float64 {
	i, s := locate(g.X, x)
	j, t := locate(g.Y, y)
	a, b, c, d := g.at(i, j), g.at(i+1, j), g.at(i, j+1), g.at(i+1, j+1)
	return (1-t)*((1-s)*a+s*b) + t*((1-s)*c+s*d)
}

// locate returns the cell k of the axis that contains v and the position of v within it as a fraction.
func locate(axis []float64, v float64) (k int, frac float64) {
	n := len(axis)
	if v <= axis[0] {
		return 0, 0
	}
	if v >= axis[n-1] {
		return n - 2, 1
	}
	k, found := slices.BinarySearch(axis, v)
	if !found {
		k--
	}
	k = min(k, n-2)
	return k, (v - axis[k]) / (axis[k+1] - axis[k])
}

// beyond widens a range threefold on both sides. Values are clipped there, not at the range itself, where the
// interpolant would bend and isolines near the ends would drift towards the nodes.
func beyond(s Scale) (lo, hi float64) {
	d := 3 * (s.Hi - s.Lo)
	return s.Lo - d, s.Hi + d
}

// resample returns the values, clamped to [lo, hi], where NaN counts as hi, on an nx×ny lattice over the same box,
// interpolated by cubics with continuous slopes: linear interpolation would show as pleats where the lattices fall in
// and out of step.
func (g *Grid) resample(nx, ny int, lo, hi float64) *Grid {
	c := &Grid{X: g.X, Y: g.Y, Z: make([]float64, len(g.Z))}
	for k, z := range g.Z {
		if c.Z[k] = hi; z < hi {
			c.Z[k] = math.Max(z, lo)
		}
	}
	if nx == len(g.X) && ny == len(g.Y) {
		return c
	}
	r := &Grid{X: linspace(g.X[0], g.X[len(g.X)-1], nx), Y: linspace(g.Y[0], g.Y[len(g.Y)-1], ny),
		Z: make([]float64, nx*ny)}
	// Along x for every original row, then along y.
	rows := make([]float64, nx*len(g.Y))
	for i, x := range r.X {
		at, w := hermite(g.X, x)
		for j := range g.Y {
			z := c.Z[j*len(g.X):]
			rows[j*nx+i] = w[0]*z[at[0]] + w[1]*z[at[1]] + w[2]*z[at[2]] + w[3]*z[at[3]]
		}
	}
	for j, y := range r.Y {
		at, w := hermite(g.Y, y)
		for k, row := range at {
			for i, z := range rows[row*nx:][:nx] {
				r.Z[j*nx+i] += w[k] * z
			}
		}
	}
	return r
}

// hermite returns four nodes and the weights that interpolate values on the nodes x at v: with s = (v − x₁)/h, h = x₂ −
// x₁,
//
//	f = (1+2s)(1−s)² f₁ + s(1−s)² h m₁ + s²(3−2s) f₂ − s²(1−s) h m₂,   m_k = (f_{k+1} − f_{k−1}) / (x_{k+1} − x_{k−1}),
//
// which is Catmull and Rom's spline where the nodes are equidistant. At an end the difference is one-sided.
func hermite(x []float64, v float64) (at [4]int, w [4]float64) {
	k, s := locate(x, v)
	at = [4]int{max(k-1, 0), k, k + 1, min(k+2, len(x)-1)}
	h := x[k+1] - x[k]
	m1 := s * (1 - s) * (1 - s) * h / (x[at[2]] - x[at[0]])
	m2 := -s * s * (1 - s) * h / (x[at[3]] - x[at[1]])
	return at, [4]float64{-m1, (1+2*s)*(1-s)*(1-s) - m2, s*s*(3-2*s) + m1, m2}
}

// rectangle returns the box of the lattice.
func (g *Grid) rectangle() (xmin, xmax, ymin, ymax float64) {
	return g.X[0], g.X[len(g.X)-1], g.Y[0], g.Y[len(g.Y)-1]
}
