package density

import (
	"errors"
	"fmt"
	"math"

	"gonum.org/v1/gonum/mat"
)

// Warp is a triangular map of the columns, in some order of them,
//
//	z_j = x_j - s_j Σ_t c_t φ_t(u),   u_j = g((x_j - m_j)/s_j),
//
// where the terms of a column j are functions of columns before it: of one, a smooth hinge or the column itself, or
// that times another column,
//
//	φ(u) = h(u_a) or h(u_a) u_b,   h(v) = w log(1 + exp((v - t)/w)) or v.
//
// g is smooth, and the identity but where v is out of reach, beyond which it is constant:
//
//	g(v) = l + 0.2 log(1 + exp((v - l)/0.2)) - 0.2 log(1 + exp((v - h)/0.2)).
//
// It straightens what is bent. Its Jacobian determinant is 1, and x is computed from z column by column. Without g
// products of products send draws to infinity: so they did in 30 columns.
type Warp struct {
	Columns []Reach
	Terms   []Bend
	order   []int // of the columns
}

// Reach is what a warp knows of a column: m and s > 0, and l < h, in units of s from m.
type Reach struct{ Mean, Scale, Lo, Hi float64 }

// Edge is how smoothly a reach ends, in units of s.
const Edge = 0.2

// u is g((x - m)/s).
func (r *Reach) u(x float64) float64 {
	v := (x - r.Mean) / r.Scale
	return r.Lo + Edge*(softplus((v-r.Lo)/Edge)-softplus((v-r.Hi)/Edge))
}

// Bend is a term c φ of a column.
type Bend struct {
	Column      int     // j
	From, Times int     // a and b; without b Times is -1
	Knot, Width float64 // t and w; without a hinge Width is 0
	Coefficient float64 // c
}

// NewWarp checks the parts of a warp, which it keeps.
func NewWarp(columns []Reach, terms []Bend) (*Warp, error) {
	d := len(columns)
	for j, c := range columns {
		if !positive(c.Scale) || !positive(c.Hi-c.Lo) || math.IsNaN(c.Mean+c.Lo) || math.IsInf(c.Mean+c.Lo, 0) {
			return nil, fmt.Errorf("density: column %d of a warp has mean %g, scale %g and reach %g to %g", j+1, c.Mean,
				c.Scale, c.Lo, c.Hi)
		}
	}
	before := make([][]bool, d) // by column, those that its terms are made of
	for j := range before {
		before[j] = make([]bool, d)
	}
	for i, t := range terms {
		if min(t.Column, t.From) < 0 || max(t.Column, t.From, t.Times) >= d || t.Times < -1 {
			return nil, fmt.Errorf("density: term %d of a warp is of columns %d, %d and %d of %d", i+1, t.Column+1, t.From+1,
				t.Times+1, d)
		}
		if bad := t.Knot + t.Width + t.Coefficient; math.IsNaN(bad) || math.IsInf(bad, 0) || t.Width < 0 {
			return nil, fmt.Errorf("density: term %d of a warp has knot %g, width %g and coefficient %g", i+1, t.Knot, t.Width,
				t.Coefficient)
		}
		before[t.Column][t.From] = true
		if t.Times >= 0 {
			before[t.Column][t.Times] = true
		}
	}
	w := &Warp{Columns: columns, Terms: terms}
	placed := make([]bool, d)
	for len(w.order) < d {
		was := len(w.order)
		for j := range d {
			free := !placed[j]
			for a, needed := range before[j] {
				free = free && (!needed || placed[a])
			}
			if free {
				w.order, placed[j] = append(w.order, j), true
			}
		}
		if len(w.order) == was {
			return nil, errors.New("density: the columns of a warp depend on each other in a circle")
		}
	}
	return w, nil
}

// of is φ of u.
func (t *Bend) of(u []float64) float64 {
	v := u[t.From]
	if t.Width > 0 {
		v = t.Width * softplus((v-t.Knot)/t.Width)
	}
	if t.Times >= 0 {
		v *= u[t.Times]
	}
	return v
}

// softplus is log(1 + exp(v)), which to the last bit is v or exp(v) far from 0.
func softplus(v float64) float64 {
	const far = 40
	switch {
	case v > far:
		return v
	case v < -far:
		return math.Exp(v)
	}
	return max(v, 0) + math.Log1p(math.Exp(-math.Abs(v)))
}

// Dim returns the number of columns.
func (w *Warp) Dim() int { return len(w.Columns) }

// Straighten stores z of the rows of x in dst, which may be x.
func (w *Warp) Straighten(dst, x *mat.Dense) { w.each(dst, x, -1) }

// Bend stores x of the rows of z in dst, which may be z.
func (w *Warp) Bend(dst, z *mat.Dense) { w.each(dst, z, 1) }

func (w *Warp) each(dst, x *mat.Dense, sign float64) {
	n, d := x.Dims()
	u, by := make([]float64, d), make([][]*Bend, d)
	for i := range w.Terms {
		t := &w.Terms[i]
		by[t.Column] = append(by[t.Column], t)
	}
	for i := range n {
		from, to := x.RawRowView(i), dst.RawRowView(i)
		for _, j := range w.order {
			var sum float64
			for _, t := range by[j] {
				sum += t.Coefficient * t.of(u)
			}
			bent := from[j]
			to[j] = from[j] + sign*w.Columns[j].Scale*sum
			if sign > 0 {
				bent = to[j]
			}
			u[j] = w.Columns[j].u(bent)
		}
	}
}
