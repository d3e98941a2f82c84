package mcmc

import (
	"fmt"
	"slices"

	"gonum.org/v1/gonum/mat"
)

// Clamped is a target in which some coordinates are known: a function of the others, in their order, and the density
// of these given those, but for a factor. Kernels, and proposals of jumps, see the free coordinates alone.
type Clamped struct {
	target Target
	known  []int
	values []float64
	free   []int
	x, g   mat.Dense
}

// Clamp holds the coordinates known, from 0, of a target of dimension dim at the given values.
func Clamp(t Target, dim int, known []int, values []float64) (*Clamped, error) {
	c := &Clamped{target: t, known: slices.Clone(known), values: slices.Clone(values)}
	for j := range dim {
		if !slices.Contains(known, j) {
			c.free = append(c.free, j)
		}
	}
	if len(known) != len(values) || len(c.free) == 0 || len(c.free)+len(known) != dim {
		return nil, fmt.Errorf("mcmc: Clamp of coordinates %v at %d values, want different ones of 0 to %d, not all, "+
			"and a value each", known, len(values), dim-1)
	}
	return c, nil
}

// Dim is the number of free coordinates.
func (c *Clamped) Dim() int { return len(c.free) }

// Free returns the free coordinates, from 0, in order: the columns of draws. The caller must not change them.
func (c *Clamped) Free() []int { return c.free }

// Whole puts the known coordinates beside those of the rows of y, and stores all in dst.
func (c *Clamped) Whole(dst, y *mat.Dense) {
	n, _ := y.Dims()
	for i := range n {
		row := dst.RawRowView(i)
		for k, j := range c.known {
			row[j] = c.values[k]
		}
		for k, j := range c.free {
			row[j] = y.At(i, k)
		}
	}
}

// EnergyGrad stores the energies and, unless grad is nil, the slopes along the free coordinates.
func (c *Clamped) EnergyGrad(e []float64, grad, y *mat.Dense) error {
	n, _ := y.Dims()
	dim := len(c.free) + len(c.known)
	if r, _ := c.x.Dims(); r != n {
		c.x.Reset()
		c.x.ReuseAs(n, dim)
		c.g.Reset()
		c.g.ReuseAs(n, dim)
	}
	c.Whole(&c.x, y)
	if grad == nil {
		return c.target.EnergyGrad(e, nil, &c.x)
	}
	if err := c.target.EnergyGrad(e, &c.g, &c.x); err != nil {
		return err
	}
	for i := range n {
		for k, j := range c.free {
			grad.Set(i, k, c.g.At(i, j))
		}
	}
	return nil
}
