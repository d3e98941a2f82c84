package strided

import (
	"fmt"

	"github.com/stheno-ebm/stheno/graphs/internal/kernels"
)

// Groups are groups of elements of one array, all of one form: along axes, in the windows of a picture. The first element of
// group i is where the view At has its i-th element; the others are at Offsets from it.
type Groups struct {
	At      View
	Offsets []int
}

// NewGroups returns the groups of the view v of an array that its last axes, from n on, run over; dims and strides are as for New.
func NewGroups(size, offset int, dims, strides []int, n int) Groups {
	New(size, offset, dims, strides) // checks
	g := Groups{At: New(size, offset, dims[:n], strides[:n])}
	New(size, 0, dims[n:], strides[n:]).Each(func(_, at int) { g.Offsets = append(g.Offsets, at) })
	return g
}

// String names the groups in full.
func (g Groups) String() string { return fmt.Sprint(g.At, " each ", g.Offsets) }

// ArgMax stores the number of the largest element of the key in each group, of the first of equal ones.
func ArgMax[T kernels.Float](g Groups, dst, key []T) {
	g.At.blocks(func(i, at, a, b, sa, sb int) {
		for j := range a {
			d, x := dst[i+j*b:i+j*b+b], key[at+j*sa:]
			switch {
			case len(g.Offsets) == 4:
				argMax4(d, x, sb, g.Offsets)
				continue
			case sb == 1 && b >= 8 && len(g.Offsets) > 4:
				argMaxRows(d, x, g.Offsets)
				continue
			}
			argMax(d, x, sb, g.Offsets)
		}
	})
}

// argMax works without branches: those of a maximum are mispredicted half of the time, and cost more than all the rest.
func argMax[T kernels.Float](dst, x []T, step int, offsets []int) {
	for i := range dst {
		x := x[i*step:]
		best, n := x[offsets[0]], 0
		for j := 1; j < len(offsets); j++ {
			v := x[offsets[j]]
			if v > best {
				n = j
			}
			best = max(best, v)
		}
		dst[i] = T(n)
	}
}

// argMaxRows is argMax for groups that lie side by side, by vectors: the greatest elements first, then, from the last to the first, who
// they are. A group with a NaN has the number 0.
func argMaxRows[T kernels.Float](dst, x []T, offsets []int) {
	var most, is, step [256]T
	for len(dst) > 0 {
		n := min(len(dst), len(most))
		m, s, t, d := most[:n], is[:n], step[:n], dst[:n]
		copy(m, x[offsets[0]:])
		for _, o := range offsets[1:] {
			kernels.Larger(m, m, x[o:o+n])
		}
		clear(d)
		for j := len(offsets) - 1; j >= 0; j-- {
			o := offsets[j]
			kernels.Equal(s, m, x[o:o+n])
			kernels.SubFrom(t, T(j), d)
			kernels.MulAdd(d, s, t, d) // d + s (j-d), exact
		}
		dst, x = dst[n:], x[n:]
	}
}

// argMax4 is argMax for the windows of most pools, as a tournament.
func argMax4[T kernels.Float](dst, x []T, step int, offsets []int) {
	a, b, c, d := x[offsets[0]:], x[offsets[1]:], x[offsets[2]:], x[offsets[3]:]
	for i := range dst {
		k := i * step
		p, q, r, s := a[k], b[k], c[k], d[k]
		n, m := 0, 2
		if q > p {
			n = 1
		}
		if s > r {
			m = 3
		}
		if max(r, s) > max(p, q) {
			n = m
		}
		dst[i] = T(n)
	}
}

// Pick stores the element of x that has the given number in each group.
func Pick[T kernels.Float](g Groups, dst, number, x []T) {
	g.At.blocks(func(i, at, a, b, sa, sb int) {
		for j := range a {
			d, x := dst[i+j*b:i+j*b+b], x[at+j*sa:]
			for k, n := range number[i+j*b : i+j*b+b] {
				d[k] = x[k*sb+g.Offsets[int(n)]]
			}
		}
	})
}

// Place is the adjoint of Pick: it makes dst the array of zeros to which u is added at the elements with the given numbers.
func Place[T kernels.Float](g Groups, dst, number, u []T) {
	clear(dst)
	g.At.blocks(func(i, at, a, b, sa, sb int) {
		for j := range a {
			u, d := u[i+j*b:i+j*b+b], dst[at+j*sa:]
			for k, n := range number[i+j*b : i+j*b+b] {
				d[k*sb+g.Offsets[int(n)]] += u[k]
			}
		}
	})
}
