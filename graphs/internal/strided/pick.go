package strided

import (
	"fmt"

	"github.com/stheno-ebm/stheno/graphs/internal/kernels"
)

// Groups are groups of elements of one array, all of the same form: slices along axes, or the windows of a picture.
// Group i starts at the i-th element of the view At; its elements are at Offsets from there.
type Groups struct {
	At      View
	Offsets []int
}

// NewGroups returns the groups that run over the axes from n on, one group for every index along the first n; the
// arguments are those of New.
func NewGroups(size, offset int, dims, strides []int, n int) Groups {
	New(size, offset, dims, strides) // validates
	g := Groups{At: New(size, offset, dims[:n], strides[:n])}
	New(size, 0, dims[n:], strides[n:]).Each(func(_, at int) { g.Offsets = append(g.Offsets, at) })
	return g
}

// String describes the groups completely: equal strings mean equal groups.
func (g Groups) String() string { return fmt.Sprint(g.At, " each ", g.Offsets) }

// ArgMax stores the position of the largest element of key within each group; of equal ones, the first.
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

// argMax is free of branches: those of a maximum are mispredicted half of the time, which would cost more than
// everything else.
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

// argMaxRows is argMax for adjacent groups, vectorised: first the largest element of each group, then its position,
// found by comparing from the last offset to the first. A group with a NaN gets position 0.
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

// argMax4 is argMax for groups of four, the windows of most pools, as a tournament.
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

// Pick stores, for each group, the element of x at the given position.
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

// Place is the adjoint of Pick: it sets dst to zero and adds each element of u at the given position in its group.
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
